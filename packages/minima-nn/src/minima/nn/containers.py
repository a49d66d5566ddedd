"""Modules made of modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index
from typing import Any, Self, TypeVar, overload

from minima.errors import ArgumentError, DTypeError, IndexRangeError

from .errors import MissingNameError
from .module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]

S = TypeVar("S", bound="ModuleSequence")


def checked(owner: str, what: str, module: Any) -> Module:
    """Return *module* if it is one."""
    if not isinstance(module, Module):
        raise DTypeError(
            f"{owner}: {what} is {module!r}; expected a Module, such as minima.nn.ReLU()"
        )
    return module


class ModuleSequence(Module):
    """What Sequential and ModuleList share: a row of names of attributes, each a module.

    A subclass is named by its own class in errors; its parts are of the class here.
    """

    _kind: str
    _names: tuple[str, ...]

    def _numbered(self, number: int) -> str:
        """Return the name that the module at *number* has unless it was given one."""
        raise NotImplementedError

    def append(self, module: Any) -> Self:
        """Add *module* at the end; return the container.

        >>> len(mi.nn.ModuleList().append(mi.nn.ReLU()))
        1
        """
        number = len(self._names)
        while (name := self._numbered(number)) in self._names:
            number += 1
        self._add(name, module)
        return self

    def _add(self, name: str, module: Any) -> None:
        self.add_module(name, checked(self._kind, name, module))

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Module) and name not in self._names:
            self._names = (*self._names, name)

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add *modules* at the end; return the container.

        >>> len(mi.nn.Sequential().extend([mi.nn.ReLU(), mi.nn.Tanh()]))
        2
        """
        if not isinstance(modules, Iterable):
            raise DTypeError(f"{self._kind}: got {modules!r}; expected several Modules")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, at: int, module: Module) -> Self:
        """Put *module* in front of the module *at*; those behind it are numbered anew.

        >>> layers = mi.nn.ModuleList([mi.nn.ReLU()])
        >>> layers.insert(0, mi.nn.Tanh())[0]
        Tanh()
        """
        checked(self._kind, f"item {at}", module)
        parts: list[tuple[str | None, Module]] = [*self._parts()]
        parts.insert(at, (None, module))
        self._replace(parts)
        return self

    def pop(self, at: int | slice = -1) -> Module:
        """Remove the module *at*, the last one unless told otherwise, and return it.

        >>> mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Tanh()).pop(0)
        ReLU()
        """
        module: Module = self[at]  # type: ignore[index]
        del self[at]
        return module

    def _parts(self) -> list[tuple[str | None, Module]]:
        """Return (name, module), None for a name that only numbers."""
        return [
            (None if name == self._numbered(number) else name, self.__dict__[name])
            for number, name in enumerate(self._names)
        ]

    def _replace(self, parts: Iterable[tuple[str | None, Module]]) -> None:
        for before in set(self._names):
            delattr(self, before)
        self._names = ()
        for name, module in parts:
            if name is None:
                self.append(module)
            else:
                self._add(name, module)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Module]:
        return iter([self.__dict__[name] for name in self._names])

    def __contains__(self, module: object) -> bool:
        return any(module is one for one in self)

    def __setitem__(self, at: int, module: Module) -> None:
        setattr(self, self._name(at), checked(self._kind, f"item {at}", module))

    def __delitem__(self, at: int | slice) -> None:
        if not isinstance(at, slice):
            self._name(at)
        kept = list(self._parts())
        del kept[at]
        self._replace(kept)

    def __iadd__(self, others: Iterable[Module]) -> Self:
        return self.extend(others)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._names = tuple(n for n in self._names if n != name)

    def _name(self, at: Any) -> str:
        if isinstance(at, bool) or not hasattr(at, "__index__"):
            raise DTypeError(f"{self._kind}: the index is {at!r}; expected an integer or a slice")
        if not -len(self._names) <= index(at) < len(self._names):
            raise IndexRangeError(
                f"{self._kind}: no module {at}; there are {len(self._names)}, expected an index "
                "below that"
            )
        return self._names[index(at)]


class Sequential(ModuleSequence):
    """Call modules one after the other, each with what the one before returned.

    They are the attributes ``module_0``, ``module_1``, ...; one dict, `add_module` or an assignment
    give other names. Indexing, slices, assignment, ``del``, ``len``, iteration, ``+`` and ``*``
    work as on a list.

    Shapes: as the modules.
    Raises: DTypeError for what is no Module, IndexRangeError for an index outside of it.

    >>> net = mi.nn.Sequential(mi.nn.Linear(4, 3), mi.nn.ReLU(), mi.nn.Linear(3, 2))
    >>> net(mi.ones((5, 4))).shape, net[1], len(net[:2])
    ((5, 2), ReLU(), 2)
    >>> net.module_2
    Linear(in_features=3, out_features=2, bias=True)
    """

    _kind = "Sequential"

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        self._names = ()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, named in modules[0].items():
                self._add(name, named)
        else:
            for module in modules:
                self.append(module)

    def _numbered(self, number: int) -> str:
        return f"module_{number}"

    def forward(self, x: Any) -> Any:
        """Return what the last module returns."""
        attributes = self.__dict__
        for name in self._names:
            x = attributes[name](x)
        return x

    @overload
    def __getitem__(self, at: slice) -> Sequential: ...
    @overload
    def __getitem__(self, at: int) -> Module: ...
    def __getitem__(self, at: int | slice) -> Module:
        if isinstance(at, slice):
            return Sequential({name: self.__dict__[name] for name in self._names[at]})
        module: Module = self.__dict__[self._name(at)]
        return module

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise DTypeError(
                f"Sequential: cannot add a {type(other).__name__}; expected a Sequential"
            )
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * _times(times))

    def __rmul__(self, times: int) -> Sequential:
        return self * times

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (_times(times) - 1))


def _times(times: Any) -> int:
    if isinstance(times, bool) or not hasattr(times, "__index__"):
        raise DTypeError(f"Sequential: cannot be repeated {times!r} times; expected an integer")
    if index(times) < 1:
        raise ArgumentError(
            f"Sequential: cannot be repeated {times} times; expected an integer of at least 1"
        )
    return index(times)


class ModuleList(ModuleSequence):
    """A list of modules, named "0", "1", ..., for a ``forward`` of one's own to call.

    Indexing, slices, assignment, ``del``, ``len``, iteration and ``+`` work as on a list. A plain
    list that is an attribute does nearly the same; this one can stand by itself.

    Raises: DTypeError for what is no Module, IndexRangeError for an index outside of it.

    >>> layers = mi.nn.ModuleList([mi.nn.Linear(2, 2), mi.nn.ReLU()])
    >>> len(layers), layers[1], [name for name, _ in layers.named_parameters()]
    (2, ReLU(), ['0.weight', '0.bias'])
    """

    _kind = "ModuleList"

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self._names = ()
        self.extend(() if modules is None else modules)

    def _numbered(self, number: int) -> str:
        return str(number)

    @overload
    def __getitem__(self, at: slice) -> ModuleList: ...
    @overload
    def __getitem__(self, at: int) -> Module: ...
    def __getitem__(self, at: int | slice) -> Module:
        if isinstance(at, slice):
            return ModuleList(list(self)[at])
        module: Module = self.__dict__[self._name(at)]
        return module

    def __add__(self, others: Iterable[Module]) -> ModuleList:
        if not isinstance(others, Iterable):
            raise DTypeError(
                f"ModuleList: cannot add a {type(others).__name__}; expected several Modules"
            )
        return ModuleList([*self, *others])


class ModuleDict(Module):
    """A dict of modules, in the order in which they were put in.

    Assignment, ``del``, ``in``, ``len``, ``keys()``, ``values()``, ``items()`` and ``update`` work
    as on a dict; iteration is over the names. The names are those of the state; a module that is
    made an attribute, or given to `add_module`, is one of the dict.

    Raises: DTypeError for what is no Module, ArgumentError for a name with a dot or that is an
    attribute, MissingNameError (a KeyError) for a name that is not there.

    >>> heads = mi.nn.ModuleDict({"mean": mi.nn.Linear(2, 1), "act": mi.nn.ReLU()})
    >>> heads["act"], list(heads), [name for name, _ in heads.named_parameters()]
    (ReLU(), ['mean', 'act'], ['mean.weight', 'mean.bias'])
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        if modules is not None:
            self.update(modules)

    def update(self, modules: Any) -> None:
        """Put in the modules of a mapping, or of pairs of name and module.

        >>> heads = mi.nn.ModuleDict()
        >>> heads.update([("act", mi.nn.ReLU())])
        >>> len(heads)
        1
        """
        if not isinstance(modules, Iterable):
            raise DTypeError(
                f"ModuleDict: got {modules!r}; expected a dict, or pairs of name and Module"
            )
        pairs = modules.items() if hasattr(modules, "items") else modules
        for number, pair in enumerate(pairs):
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise DTypeError(
                    f"ModuleDict: item {number} is {pair!r}; expected a pair of name and Module"
                )
            self[pair[0]] = pair[1]

    def __getitem__(self, name: str) -> Module:
        module: Module = self.__dict__[self._known(name)]
        return module

    def __setitem__(self, name: str, module: Module) -> None:
        checked("ModuleDict", repr(name), module)
        if name in self._names:
            setattr(self, name, module)
        else:
            self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Module) and name not in self._names:
            self._names = (*self._names, name)

    def __delitem__(self, name: str) -> None:
        delattr(self, self._known(name))

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._names = tuple(n for n in self._names if n != name)

    def _known(self, name: Any) -> str:
        if name not in self._names:
            known = ", ".join(self._names) or "none"
            raise MissingNameError(f"ModuleDict: no module {name!r}; expected one of {known}")
        return str(name)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def clear(self) -> None:
        """Remove all.

        >>> heads = mi.nn.ModuleDict({"act": mi.nn.ReLU()})
        >>> heads.clear()
        >>> len(heads)
        0
        """
        for name in self._names:
            del self[name]

    def pop(self, name: str) -> Module:
        """Remove the module *name* and return it.

        >>> mi.nn.ModuleDict({"act": mi.nn.ReLU()}).pop("act")
        ReLU()
        """
        module = self[name]
        del self[name]
        return module

    def keys(self) -> list[str]:
        """Return the names.

        >>> mi.nn.ModuleDict({"act": mi.nn.ReLU()}).keys()
        ['act']
        """
        return list(self._names)

    def values(self) -> list[Module]:
        """Return the modules.

        >>> mi.nn.ModuleDict({"act": mi.nn.ReLU()}).values()
        [ReLU()]
        """
        return [self.__dict__[name] for name in self._names]

    def items(self) -> list[tuple[str, Module]]:
        """Return pairs of name and module.

        >>> mi.nn.ModuleDict({"act": mi.nn.ReLU()}).items()
        [('act', ReLU())]
        """
        return [(name, self.__dict__[name]) for name in self._names]
