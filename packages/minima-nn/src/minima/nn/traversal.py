"""What belongs to a module: its parameters, buffers and modules by their dotted names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from minima import Tensor
from minima.errors import ArgumentError

from .errors import MissingNameError
from .parameter import Parameter
from .tree import Found, gathered, members, walk

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Traversal"]

T = TypeVar("T")


class Traversal:
    """The part of `Module` that finds what is in its attributes and below."""

    __slots__ = ()

    _buffers: dict[str, bool]

    def _whole(self) -> Module:
        return cast("Module", self)

    def _own(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """Yield (name, value) of each attribute of *kind*, through lists, tuples and dicts."""
        for name, value in self.__dict__.items():
            for dotted, found in members(name, value, (Parameter, Traversal)):
                if isinstance(found, kind):
                    yield dotted, found

    def _own_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return self._own(Parameter)

    def _own_modules(self) -> Iterator[tuple[str, Module]]:
        return self._own(Traversal)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Found[tuple[str, Parameter]]:
        """Return (dotted name, parameter): the module's own first, then those of its children.

        A parameter that has several names is there once, under the first.

        >>> [name for name, _ in mi.nn.Sequential(mi.nn.Linear(2, 1)).named_parameters()]
        ['module_0.weight', 'module_0.bias']
        """
        return gathered(
            self._whole(),
            lambda part: part._own_parameters(),
            prefix,
            recurse=recurse,
            unique=remove_duplicate,
        )

    def parameters(self, recurse: bool = True) -> Found[Parameter]:
        """Return every parameter once, in the order of `named_parameters`.

        >>> [p.shape for p in mi.nn.Linear(2, 1).parameters()]
        [(2, 1), (1,)]
        """
        return Found(p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Found[tuple[str, Tensor]]:
        """Return (dotted name, buffer) of every registered buffer that is not None.

        >>> [name for name, _ in mi.nn.BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return gathered(
            self._whole(),
            lambda part: part._own_buffers(),
            prefix,
            recurse=recurse,
            unique=remove_duplicate,
        )

    def buffers(self, recurse: bool = True) -> Found[Tensor]:
        """Return every buffer once.

        >>> mi.nn.Linear(2, 1).buffers()
        []
        """
        return Found(b for _, b in self.named_buffers(recurse=recurse))

    def _own_buffers(self, persistent: bool = False) -> Iterator[tuple[str, Tensor]]:
        for name, saved in self._buffers.items():
            value = self.__dict__.get(name)
            if isinstance(value, Tensor) and (saved or not persistent):
                yield name, value

    def named_children(self) -> Found[tuple[str, Module]]:
        """Return (name, module) of the modules one level below, each once.

        >>> mi.nn.Residual(mi.nn.ReLU()).named_children()
        [('fn', ReLU())]
        """
        seen: set[int] = set()
        return Found(
            (name, m)
            for name, m in self._own_modules()
            if not (id(m) in seen or seen.add(id(m)))  # type: ignore[func-returns-value]
        )

    def children(self) -> Found[Module]:
        """Return the modules one level below, each once.

        >>> mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Tanh()).children()
        [ReLU(), Tanh()]
        """
        return Found(module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Found[tuple[str, Module]]:
        """Return (dotted name, module) of this module and all below it, parents first.

        Modules in *memo* are left out, with what is below them, and those found are added.

        >>> [name for name, _ in mi.nn.Sequential(mi.nn.ReLU()).named_modules()]
        ['', 'module_0']
        """
        known = set() if memo is None else {id(module) for module in memo}
        found = Found(walk(self._whole(), prefix, known, remove_duplicate))
        if memo is not None:
            memo.update(module for _, module in found)
        return found

    def modules(self, remove_duplicate: bool = True) -> Found[Module]:
        """Return this module and all below it, parents first, each once.

        >>> len(mi.nn.Sequential(mi.nn.ReLU(), mi.nn.Residual(mi.nn.Tanh())).modules())
        4
        """
        named = self.named_modules(remove_duplicate=remove_duplicate)
        return Found(module for _, module in named)

    def _children(self) -> list[Module]:
        """Return all modules below this one, parents first, each once."""
        return self.modules()[1:]

    def get_submodule(self, target: str) -> Module:
        """Return the module below this one with the dotted name *target*; "" is this one.

        Raises: MissingNameError (an AttributeError too), which says what there is.

        >>> mi.nn.Sequential(mi.nn.Residual(mi.nn.ReLU())).get_submodule("module_0.fn")
        ReLU()
        """
        return self._get("submodule", target, self.named_modules(remove_duplicate=False))

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter with the dotted name *target*.

        Raises: as `get_submodule`.

        >>> mi.nn.Sequential(mi.nn.Linear(2, 1)).get_parameter("module_0.weight").shape
        (2, 1)
        """
        return self._get("parameter", target, self.named_parameters(remove_duplicate=False))

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer with the dotted name *target*.

        Raises: as `get_submodule`.

        >>> mi.nn.BatchNorm1d(2).get_buffer("running_var")
        Tensor([1., 1.])
        """
        return self._get("buffer", target, self.named_buffers(remove_duplicate=False))

    def _get(self, what: str, target: str, named: list[tuple[str, T]]) -> T:
        found = dict(named)
        if target not in found:
            from difflib import get_close_matches

            near = get_close_matches(str(target), found, n=5, cutoff=0.3) or list(found)[:5]
            raise MissingNameError(
                f"{type(self).__name__}: no {what} {target!r}; expected one of "
                f"{', '.join(map(repr, near)) or 'none'}"
            )
        return found[target]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put *module* in the place of the one with the dotted name *target*, an attribute.

        With *strict* there has to be one already.

        Raises: MissingNameError where what is before the last dot, or with *strict* all of it, is
        no module; ArgumentError for an empty name.

        >>> net = mi.nn.Residual(mi.nn.ReLU())
        >>> net.set_submodule("fn", mi.nn.Tanh())
        >>> net.fn
        Tanh()
        """
        if not target:
            raise ArgumentError(f"{type(self).__name__}: the name is empty; expected a dotted name")
        parent, _, name = target.rpartition(".")
        if strict:
            self.get_submodule(target)
        setattr(self.get_submodule(parent), name, module)

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call ``fn(module)`` for every module below this one, then for this one.

        >>> _ = mi.nn.Sequential(mi.nn.ReLU()).apply(lambda m: print(type(m).__name__))
        ReLU
        Sequential
        """
        for child in self.children():
            child.apply(fn)
        fn(self._whole())
        return self
