"""Modules made of modules, and those that only pass on or reshape: Sequential, ModuleList, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod
from operator import index
from typing import Any, overload

from minima import Tensor
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError

from .module import Module

__all__ = ["Flatten", "Identity", "ModuleList", "Residual", "Sequential"]


class Sequential(Module):
    """Call modules one after the other, each with what the one before returned.

    They are the attributes ``module_0``, ``module_1``, ...; one dict gives other names. Indexing,
    slices, ``len`` and iteration work as on a list.

    Shapes: as the modules.
    Raises: DTypeError for what is no Module, IndexRangeError for an index outside of it.

    >>> net = mi.nn.Sequential(mi.nn.Linear(4, 3), mi.nn.ReLU(), mi.nn.Linear(3, 2))
    >>> net(mi.ones((5, 4))).shape, net[1], len(net[:2])
    ((5, 2), ReLU(), 2)
    >>> net.module_2
    Linear(in_features=3, out_features=2, bias=True)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, named in modules[0].items():
                self._add(name, named)
        else:
            for module in modules:
                self.append(module)

    def append(self, module: Any) -> Sequential:
        """Add *module* at the end, as ``module_N``; return the Sequential.

        >>> mi.nn.Sequential().append(mi.nn.ReLU())
        Sequential(
          (module_0): ReLU()
        )
        """
        self._add(f"module_{len(self._names)}", module)
        return self

    def _add(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            raise DTypeError(
                f"Sequential: {name} is {module!r}; expected a Module, such as minima.nn.ReLU()"
            )
        self.add_module(name, module)
        self._names = (*self._names, name)

    def forward(self, x: Any) -> Any:
        """Return what the last module returns."""
        attributes = self.__dict__
        for name in self._names:
            x = attributes[name](x)
        return x

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[Module]:
        return iter([self.__dict__[name] for name in self._names])

    @overload
    def __getitem__(self, at: slice) -> Sequential: ...
    @overload
    def __getitem__(self, at: int) -> Module: ...
    def __getitem__(self, at: int | slice) -> Module:
        if isinstance(at, slice):
            return Sequential({name: self.__dict__[name] for name in self._names[at]})
        module: Module = self.__dict__[self._name(at)]
        return module

    def __setitem__(self, at: int, module: Module) -> None:
        if not isinstance(module, Module):
            raise DTypeError(f"Sequential: item {at} is {module!r}; expected a Module")
        setattr(self, self._name(at), module)

    def _name(self, at: int) -> str:
        if not hasattr(at, "__index__"):
            raise DTypeError(f"Sequential: the index is {at!r}; expected an integer or a slice")
        if not -len(self._names) <= index(at) < len(self._names):
            raise IndexRangeError(f"Sequential: no module {at}; there are {len(self._names)}")
        return self._names[at]


class ModuleList(Module):
    """A list of modules, named "0", "1", ..., for a ``forward`` of one's own to call.

    Indexing, slices, assignment, ``del``, ``len`` and iteration work as on a list. A plain list
    that is an attribute does nearly the same; this one can stand by itself.

    Raises: DTypeError for what is no Module, IndexRangeError for an index outside of it.

    >>> layers = mi.nn.ModuleList([mi.nn.Linear(2, 2), mi.nn.ReLU()])
    >>> len(layers), layers[1], [name for name, _ in layers.named_parameters()]
    (2, ReLU(), ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self._count = 0
        self.extend(modules)

    def append(self, module: Any) -> ModuleList:
        """Add *module* at the end; return the list.

        >>> len(mi.nn.ModuleList().append(mi.nn.ReLU()))
        1
        """
        setattr(self, str(self._count), self._checked(module))
        self._count += 1
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add *modules* at the end; return the list.

        >>> len(mi.nn.ModuleList().extend([mi.nn.ReLU(), mi.nn.Tanh()]))
        2
        """
        for module in modules:
            self.append(module)
        return self

    def insert(self, at: int, module: Module) -> None:
        """Put *module* in front of the module *at*.

        >>> layers = mi.nn.ModuleList([mi.nn.ReLU()])
        >>> layers.insert(0, mi.nn.Tanh())
        >>> layers[0]
        Tanh()
        """
        modules = list(self)
        modules.insert(at, self._checked(module))
        self._replace(modules)

    def _checked(self, module: Any) -> Module:
        if not isinstance(module, Module):
            raise DTypeError(
                f"ModuleList: got {module!r}; expected a Module, such as minima.nn.ReLU()"
            )
        return module

    def _replace(self, modules: list[Module]) -> None:
        for number in range(self._count):
            delattr(self, str(number))
        self._count = 0
        self.extend(modules)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Module]:
        return iter([self.__dict__[str(number)] for number in range(self._count)])

    @overload
    def __getitem__(self, at: slice) -> ModuleList: ...
    @overload
    def __getitem__(self, at: int) -> Module: ...
    def __getitem__(self, at: int | slice) -> Module:
        if isinstance(at, slice):
            return ModuleList(list(self)[at])
        module: Module = self.__dict__[self._name(at)]
        return module

    def __setitem__(self, at: int, module: Module) -> None:
        setattr(self, self._name(at), self._checked(module))

    def __delitem__(self, at: int) -> None:
        number = int(self._name(at))
        self._replace([m for i, m in enumerate(self) if i != number])

    def _name(self, at: int) -> str:
        if not hasattr(at, "__index__"):
            raise DTypeError(f"ModuleList: the index is {at!r}; expected an integer or a slice")
        number = index(at)
        if not -self._count <= number < self._count:
            raise IndexRangeError(f"ModuleList: no module {number}; there are {self._count}")
        return str(number % self._count)


class Residual(Module):
    """Add what a module makes of the input to the input: y = x + fn(x).

    Shapes: x (*) -> (*), which fn has to keep.
    Raises: DTypeError when *fn* cannot be called, ShapeError when it changes the shape.
    Source: He et al. 2015.

    >>> mi.nn.Residual(mi.nn.ReLU())(mi.Tensor([-1.0, 2.0]))
    Tensor([-1.,  4.])
    """

    def __init__(self, fn: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        if not callable(fn):
            raise DTypeError(f"Residual: fn is {fn!r}; expected a Module or a function")
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Return x + fn(x)."""
        y = self.fn(x)
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual: fn made {y.shape} of an input of shape {x.shape}; expected equal shapes"
            )
        return x + y


class Identity(Module):
    """Return the input as it is; arguments of the constructor are taken and ignored.

    Shapes: x (*) -> (*).

    >>> mi.nn.Identity()(mi.Tensor([1.0]))
    Tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x


class Flatten(Module):
    """Make one axis of the axes *start_dim* to *end_dim*, both included.

    Shapes: x (N, *) -> (N, product of *) as it stands.
    Raises: ArgumentError when end_dim comes before start_dim, ShapeError when x has no such axis.

    >>> mi.nn.Flatten()(mi.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        for name, value in (("start_dim", start_dim), ("end_dim", end_dim)):
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise DTypeError(f"Flatten: {name} is {value!r}; expected an integer")
        self.start_dim, self.end_dim = index(start_dim), index(end_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with the axes made one."""
        first, last = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not (0 <= first < x.ndim and 0 <= last < x.ndim):
            raise ShapeError(
                f"Flatten: input has shape {x.shape}; expected one with the axes "
                f"start_dim={self.start_dim} and end_dim={self.end_dim}"
            )
        if last < first:
            raise ArgumentError(
                f"Flatten: end_dim={self.end_dim} comes before start_dim={self.start_dim} in an "
                f"input of shape {x.shape}"
            )
        shape = x.shape
        return x.reshape((*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
