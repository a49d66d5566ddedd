"""Live: a Python number that a plan looks up anew at each replay, such as a learning rate."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

__all__ = ["Live", "live", "live_options"]


class Live:
    """A number known by how to get it; arithmetic with it is done again at each replay.

    *key* identifies the number: two of equal key are the same one.

    >>> from minima.compiler.live import Live
    >>> group = {"lr": 0.5}
    >>> half = Live(lambda: group["lr"], "lr") / 2
    >>> group["lr"] = 3.0
    >>> half.get()
    1.5
    """

    __slots__ = ("get", "guard", "key", "value")

    def __init__(
        self,
        get: Callable[[], Any],
        key: Hashable,
        guard: Callable[[Callable[[], Any], Any, str], None] | None = None,
    ) -> None:
        self.get, self.key, self.guard = get, key, guard
        self.value = get()

    def __repr__(self) -> str:
        return f"Live({self.value!r})"

    def _with(self, name: str, a: Any, b: Any) -> Live:
        if not all(isinstance(v, int | float | Live) for v in (a, b)):
            return NotImplemented  # type: ignore[no-any-return]  # a Tensor knows what to do with a number
        function: Callable[[Any, Any], Any] = getattr(operator, name)
        first = a.get if isinstance(a, Live) else lambda: a
        second = b.get if isinstance(b, Live) else lambda: b
        key = (name, _key(a), _key(b))
        return Live(lambda: function(first(), second()), key, self.guard)

    def __add__(self, other: Any) -> Live:
        return self._with("add", self, other)

    def __radd__(self, other: Any) -> Live:
        return self._with("add", other, self)

    def __sub__(self, other: Any) -> Live:
        return self._with("sub", self, other)

    def __rsub__(self, other: Any) -> Live:
        return self._with("sub", other, self)

    def __mul__(self, other: Any) -> Live:
        return self._with("mul", self, other)

    def __rmul__(self, other: Any) -> Live:
        return self._with("mul", other, self)

    def __truediv__(self, other: Any) -> Live:
        return self._with("truediv", self, other)

    def __rtruediv__(self, other: Any) -> Live:
        return self._with("truediv", other, self)

    def __pow__(self, other: Any) -> Live:
        return self._with("pow", self, other)

    def __rpow__(self, other: Any) -> Live:
        return self._with("pow", other, self)

    def __neg__(self) -> Live:
        return self._with("sub", 0.0, self)

    def _decided(self, answer: Any, test: Callable[[], Any]) -> Any:
        """Return *answer*, on which the plan then depends."""
        if self.guard is not None:
            self.guard(test, answer, "a hyper-parameter")
        return answer

    def __bool__(self) -> bool:
        return bool(self._decided(bool(self.value), lambda: bool(self.get())))

    def __eq__(self, other: object) -> bool:
        value = other.value if isinstance(other, Live) else other
        return bool(self._decided(self.value == value, lambda: self.get() == value))

    def __lt__(self, other: Any) -> bool:
        return bool(self._decided(self.value < other, lambda: self.get() < other))

    def __gt__(self, other: Any) -> bool:
        return bool(self._decided(self.value > other, lambda: self.get() > other))

    def __le__(self, other: Any) -> bool:
        return bool(self._decided(self.value <= other, lambda: self.get() <= other))

    def __ge__(self, other: Any) -> bool:
        return bool(self._decided(self.value >= other, lambda: self.get() >= other))

    def __hash__(self) -> int:
        return hash(self.key)

    def constant(self) -> Any:
        """Return the value as a plain number, to which the plan is then bound."""
        value = self.value
        return self._decided(value, self.get)

    def __float__(self) -> float:
        return float(self.constant())

    def __int__(self) -> int:
        return int(self.constant())

    __index__ = __int__


def live(function: Callable[..., Any], *values: Any) -> Any:
    """Return ``function(*values)``, a live number where one of *values* is one.

    >>> group = {"lr": 0.5}
    >>> rate = live(min, Live(lambda: group["lr"], "lr"), 1.0)
    >>> group["lr"] = 3.0
    >>> rate.get(), live(min, 2.0, 1.0)
    (1.0, 1.0)
    """
    guards = [v.guard for v in values if isinstance(v, Live)]
    if not guards:
        return function(*values)
    gets = [v.get if isinstance(v, Live) else partial(_same, v) for v in values]
    key = (function.__name__, *map(_key, values))
    return Live(lambda: function(*[get() for get in gets]), key, guards[0])


def _same(value: Any) -> Any:
    return value


def _key(value: Any) -> Hashable:
    return value.key if isinstance(value, Live) else ("number", value)


def live_options(options: dict[str, Any], tape: Any) -> dict[str, Any]:
    """Return *options* with each number, also in tuples, live.

    >>> from minima.compiler.tape import Tape
    >>> live_options({"lr": 0.5, "name": "sgd"}, Tape())
    {'lr': Live(0.5), 'name': 'sgd'}
    """
    found: dict[str, Any] = {}
    for name, value in options.items():
        if _is_number(value):
            get = partial(options.__getitem__, name)
            found[name] = Live(get, ("option", id(options), name), tape.condition)
        elif isinstance(value, tuple) and all(map(_is_number, value)):
            found[name] = tuple(
                Live(
                    partial(_item, options, name, i),
                    ("option", id(options), name, i),
                    tape.condition,
                )
                for i in range(len(value))
            )
        else:
            found[name] = value
            if isinstance(value, bool | str | tuple | None):
                tape.condition(partial(options.get, name), value, name)
    return found


def _item(options: dict[str, Any], name: str, i: int) -> Any:
    return options[name][i]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
