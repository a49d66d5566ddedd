"""Modules made of parameters: ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from operator import index
from typing import Any, Self, overload

from minima import Tensor
from minima.errors import ArgumentError, DTypeError, IndexRangeError

from .errors import MissingNameError
from .module import Module
from .parameter import Parameter

__all__ = ["ParameterDict", "ParameterList"]


def trained(value: Any) -> Any:
    """Return a Tensor as a Parameter, over the same memory; anything else as it is."""
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value, value.dtype.kind not in "biu")
    return value


def described(value: Any) -> str:
    """Return what `repr` says of a parameter."""
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    return f"{type(value).__name__} containing: [{value.dtype} of size {value.shape}]"


class ParameterList(Module):
    """A list of parameters, named "0", "1", ..., for a ``forward`` of one's own.

    Tensors become Parameters over the same memory; other values are kept as they are. Indexing,
    slices, assignment, ``len`` and iteration work as on a list.

    Raises: IndexRangeError for an index outside of it.

    >>> weights = mi.nn.ParameterList([mi.ones(2), mi.zeros(3)])
    >>> len(weights), [name for name, _ in weights.named_parameters()]
    (2, ['0', '1'])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def append(self, value: Any) -> Self:
        """Add *value* at the end; return the list.

        >>> len(mi.nn.ParameterList().append(mi.ones(1)))
        1
        """
        setattr(self, str(self._size), trained(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add *values* at the end; return the list.

        >>> len(mi.nn.ParameterList().extend([mi.ones(1), mi.ones(1)]))
        2
        """
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise DTypeError(
                f"ParameterList: got a {type(values).__name__}; expected several Parameters"
            )
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return iter([self.__dict__[str(number)] for number in range(self._size)])

    @overload
    def __getitem__(self, at: slice) -> ParameterList: ...
    @overload
    def __getitem__(self, at: int) -> Any: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return ParameterList(list(self)[at])
        return self.__dict__[self._name(at)]

    def __setitem__(self, at: int, value: Any) -> None:
        setattr(self, self._name(at), trained(value))

    def _name(self, at: Any) -> str:
        if isinstance(at, bool) or not hasattr(at, "__index__"):
            raise DTypeError(f"ParameterList: the index is {at!r}; expected an integer or a slice")
        if not -self._size <= index(at) < self._size:
            raise IndexRangeError(
                f"ParameterList: no parameter {at}; there are {self._size}, expected an index "
                "below that"
            )
        return str(index(at) % self._size)

    def extra_repr(self) -> str:
        """Return a line for each value."""
        return "\n".join(f"({n}): {described(v)}" for n, v in enumerate(self))


class ParameterDict(Module):
    """A dict of parameters, in the order in which they were put in; see `update`.

    Tensors become Parameters over the same memory; other values are kept as they are. Assignment,
    ``del``, ``in``, ``|`` and the methods of a dict work; iteration is over the names, which are
    those of the state.

    Raises: ArgumentError for a name with a dot or that is an attribute, MissingNameError (a
    KeyError) for a name that is not there.

    >>> weights = mi.nn.ParameterDict({"left": mi.ones(2), "right": mi.zeros(3)})
    >>> list(weights), weights["left"].requires_grad, list(weights.state_dict())
    (['left', 'right'], True, ['left', 'right'])
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        if parameters is not None:
            self.update(parameters)

    def update(self, parameters: Any) -> None:
        """Put in the values of a mapping, or of pairs of name and value.

        A plain dict in the order of its names, as PyTorch does; an OrderedDict or pairs in theirs.

        >>> weights = mi.nn.ParameterDict()
        >>> weights.update([("left", mi.ones(2))])
        >>> len(weights)
        1
        """
        if not isinstance(parameters, Iterable):
            raise DTypeError(
                f"ParameterDict: got {parameters!r}; expected a dict, or pairs of name and value"
            )
        pairs = parameters.items() if hasattr(parameters, "items") else parameters
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs, key=lambda pair: str(pair[0]))
        for number, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise DTypeError(
                    f"ParameterDict: item {number} is {pair!r}; expected a pair of name and value"
                )
            self[pair[0]] = pair[1]

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise MissingNameError(
                f"ParameterDict: no parameter {name!r}; expected one of "
                f"{', '.join(self._names) or 'none'}"
            )
        return self.__dict__[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._names:
            if not isinstance(name, str):
                raise ArgumentError(f"ParameterDict: the name is {name!r}; expected a str")
            self._check_name("parameter", name)
            self._names = (*self._names, name)
        setattr(self, name, trained(value))

    def __delitem__(self, name: str) -> None:
        self[name]
        delattr(self, name)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._names = tuple(n for n in self._names if n != name)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __or__(self, other: Any) -> ParameterDict:
        found = self.copy()
        found.update(other)
        return found

    def __ror__(self, other: Mapping[str, Any]) -> ParameterDict:
        return ParameterDict(other) | self

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Return another dict of the same values.

        >>> weights = mi.nn.ParameterDict({"left": mi.ones(2)})
        >>> weights.copy()["left"] is weights["left"]
        True
        """
        return ParameterDict(self.items())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value *name*, or *default* where there is none.

        >>> mi.nn.ParameterDict().get("left", 0)
        0
        """
        return self.__dict__[name] if name in self._names else default

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the value *name*, which is *default* if it was not there.

        >>> mi.nn.ParameterDict().setdefault("left", mi.ones(1)).requires_grad
        True
        """
        if name not in self._names:
            self[name] = default
        return self[name]

    def clear(self) -> None:
        """Remove all.

        >>> weights = mi.nn.ParameterDict({"left": mi.ones(2)})
        >>> weights.clear()
        >>> len(weights)
        0
        """
        for name in self._names:
            del self[name]

    def pop(self, name: str) -> Any:
        """Remove the value *name* and return it.

        >>> mi.nn.ParameterDict({"left": mi.ones(2)}).pop("left").shape
        (2,)
        """
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove what was put in last; return the name and the value.

        >>> mi.nn.ParameterDict({"left": mi.ones(2)}).popitem()[0]
        'left'
        """
        if not self._names:
            raise MissingNameError("ParameterDict: popitem() of none; expected at least one")
        name = self._names[-1]
        return name, self.pop(name)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dict of the names *keys*, all with the value *default*.

        >>> list(mi.nn.ParameterDict().fromkeys(["left", "right"], mi.ones(1)))
        ['left', 'right']
        """
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> list[str]:
        """Return the names.

        >>> mi.nn.ParameterDict({"left": mi.ones(2)}).keys()
        ['left']
        """
        return list(self._names)

    def values(self) -> list[Any]:
        """Return the values.

        >>> mi.nn.ParameterDict({"left": mi.ones(2)}).values()[0].shape
        (2,)
        """
        return [self.__dict__[name] for name in self._names]

    def items(self) -> list[tuple[str, Any]]:
        """Return pairs of name and value.

        >>> mi.nn.ParameterDict({"left": mi.ones(2)}).items()[0][0]
        'left'
        """
        return [(name, self.__dict__[name]) for name in self._names]

    def extra_repr(self) -> str:
        """Return a line for each value."""
        return "\n".join(f"({name}): {described(value)}" for name, value in self.items())
