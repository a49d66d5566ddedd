"""Finding the operator that made the first NaN, and the line of the user's that called it.

While a mode is on, anywhere, something stands in front of the kernels of every device, as while
`minima.profiler` measures, and each recorded operation notes its line. While none is, nothing does.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from threading import Lock
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..compiler.tape import user_line
from ..devices import base, opened
from ..devices.watched import stand_before, step_aside
from ..errors import AnomalyError
from .mode import ANOMALY
from .node import Node

__all__ = ["detect_anomaly", "set_detect_anomaly"]

P = ParamSpec("P")
R = TypeVar("R")


class set_detect_anomaly:
    """Look for the first NaN (True) or do not (False), from now on; or within a ``with``.

    It holds for the thread or task that calls it.

    >>> with mi.autograd.set_detect_anomaly(False):
    ...     mi.log(mi.Tensor([-1.0]))
    Tensor([nan])
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._before = ANOMALY.get()
        self._turn("nan" if mode and check_nan else "lines" if mode else "")

    def _turn(self, mode: str) -> None:
        was = ANOMALY.get()
        ANOMALY.set(mode)
        if mode and not was:
            _watch()
        elif was and not mode:
            _unwatch()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._turn(self._before)


class detect_anomaly:
    """Context manager and decorator: raise at the first NaN that an operator makes.

    The error names the operator, or the one whose gradient it is, and the line that called it. An
    operator that was given a NaN is not at fault. With *check_nan* False errors of backward alone
    say which line made the operation. Everything is slower within.

    Raises: AnomalyError, at the operator.

    >>> x = mi.Tensor([0.0, 1.0], requires_grad=True)
    >>> with mi.autograd.detect_anomaly():
    ...     y = mi.log(x) * 0.0
    Traceback (most recent call last):
    minima.errors.AnomalyError: multiply: made the first NaN, in element [0] of its result...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._check = check_nan
        self._tokens: list[set_detect_anomaly] = []

    def __enter__(self) -> None:
        self._tokens.append(set_detect_anomaly(True, self._check))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._tokens.pop().__exit__(kind, error, where)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return *function*, which then runs within."""
        check = self._check

        @wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            with set_detect_anomaly(True, check):
                return function(*args, **kwargs)

        return within


def _quoted(place: str) -> str:
    """Return ``file:line`` with the text of that line."""
    file, _, number = place.rpartition(":")
    text = linecache.getline(file, int(number)).strip() if number.isdigit() else ""
    return f"{place}: {text}" if text else place


# ---- in front of the kernels ---------------------------------------------------------------------
def _around(name: str, kernel: base.Kernel, device: base.Device) -> base.Kernel:
    """Return *kernel*, its results looked at where a mode of this thread or task asks for it."""
    return partial(_run, name, kernel, device) if ANOMALY.get() == "nan" else kernel


def _run(name: str, kernel: base.Kernel, device: base.Device, *args: Any, **options: Any) -> Any:
    """Run *kernel*; raise if its result has a NaN and what it was given has none."""
    arrays = [a for arg in args for a in (arg if isinstance(arg, tuple | list) else (arg,))]
    clean = ANOMALY.get() == "nan" and not any(_nans(device, a) is not None for a in arrays)
    token = ANOMALY.set("lines")  # kernels that it runs itself are a part of it
    try:
        with np.errstate(all="ignore"):
            y = kernel(*args, **options)
    finally:
        ANOMALY.reset(token)
    found = _nans(device, y) if clean else None
    if found is not None:
        raise AnomalyError(
            f"{name}: made the first NaN, in element {found} of its result, at "
            f"{_quoted(user_line())}"
        )
    return y


def _nans(device: base.Device, value: Any) -> list[int] | None:
    """Return where the buffer *value* has its first NaN."""
    if not isinstance(value, device.buffer | float | np.generic):
        return None
    array = np.asarray(value) if isinstance(value, float) else device.to_host(value)
    if array.dtype.kind not in "fcV":
        return None
    found = np.isnan(array)
    return [int(i) for i in np.argwhere(found)[0]] if found.any() else None


@contextmanager
def blamed(node: Node) -> Iterator[None]:
    """Let errors of the gradient of *node* say which line made it; a NaN is that gradient's."""
    try:
        yield
    except AnomalyError as error:
        source = getattr(error, "source", error.args[0])
        problem = AnomalyError(
            f"{node.operator.name}, called at {_quoted(_line(node))}: its gradient made the first "
            f"NaN; {source}"
        )
        problem.source = source  # type: ignore[attr-defined]
        raise problem from None
    except Exception as error:
        error.add_note(f"{node.operator.name} was called at {_quoted(_line(node))}")
        raise


def check_results(results: tuple[Any, ...], found: dict[int, Any]) -> None:
    """Raise when what a user's backward returned has a NaN that its gradients *found* lack."""
    if ANOMALY.get() != "nan" or any(
        _nans(g._device, g._array) is not None for g in found.values()
    ):
        return
    for i, result in enumerate(results):
        place = None if result is None else _nans(result._device, result._array)
        if place is not None:
            raise AnomalyError(f"backward: element {place} of the gradient of argument {i} is NaN")


def _line(node: Node) -> str:
    return getattr(node, "line", "a line before anomalies were looked for")


_lock = Lock()
_modes = 0
_plain_init = Node.__init__


def _noting_init(self: Node, *args: Any) -> None:
    _plain_init(self, *args)
    if ANOMALY.get():
        self.line = user_line()


def _watch() -> None:
    """Stand in front of the kernels of every device that is open, and let nodes note lines."""
    global _modes
    with _lock:
        _modes += 1
        if _modes == 1:
            Node.__init__ = _noting_init  # type: ignore[assignment, method-assign]
            for device in opened():
                stand_before(device, _around)


def _unwatch() -> None:
    """Step aside when the last mode ends."""
    global _modes
    with _lock:
        _modes -= 1
        if _modes == 0:
            Node.__init__ = _plain_init  # type: ignore[method-assign]
            for device in opened():
                step_aside(device, _around)
