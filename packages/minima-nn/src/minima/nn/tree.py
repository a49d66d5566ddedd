"""The tree of modules: what is found in the attributes of one, and in those below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import uninitialised

if TYPE_CHECKING:
    from .module import Module

__all__ = ["Found", "gathered", "members", "walk"]

T = TypeVar("T")


class Found(list[T]):
    """A list that is an iterator too: ``next(model.parameters())`` is the first of them.

    Until `next` was asked, a loop goes over all, each time; from then on over the rest, once.

    >>> from minima.nn.tree import Found
    >>> found = Found([1, 2, 3])
    >>> next(found), list(found), list(found), found
    (1, [2, 3], [], [1, 2, 3])
    """

    __slots__ = ("_rest",)

    def __iter__(self) -> Iterator[T]:
        return getattr(self, "_rest", None) or super().__iter__()

    def __next__(self) -> T:
        if not hasattr(self, "_rest"):
            self._rest = super().__iter__()
        return next(self._rest)

    def __reduce__(self) -> tuple[type[list[T]], tuple[list[T]]]:
        return list, (self[:],)


def members(
    name: str, value: Any, kinds: tuple[type, ...], above: tuple[int, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of what is of *kinds* in *value*, through lists, tuples, dicts.

    A container that contains itself is looked into once.

    >>> list(members("x", [1, {"a": 2.5}, (3,)], (int,)))
    [('x.0', 1), ('x.2.0', 3)]
    """
    if isinstance(value, kinds):
        yield name, value
        return
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return
    if id(value) not in above:
        for key, item in items:
            yield from members(f"{name}.{key}", item, kinds, (*above, id(value)))


def walk(module: Module, prefix: str, seen: set[int], unique: bool) -> Iterator[tuple[str, Module]]:
    """Yield (dotted name, module) of *module* and all below it, parents first.

    With *unique* each module comes once; without, under each of its names, and only a module
    that contains itself is cut off.
    """
    if id(module) in seen:
        return
    if not hasattr(module, "_hooks"):
        raise uninitialised(module, "cannot be searched for parameters and modules")
    seen.add(id(module))
    yield prefix, module
    for name, child in module._own_modules():
        yield from walk(child, f"{prefix}.{name}" if prefix else name, seen, unique)
    if not unique:
        seen.discard(id(module))


def gathered(
    module: Module,
    own: Callable[[Module], Iterator[tuple[str, T]]],
    prefix: str = "",
    *,
    recurse: bool = True,
    unique: bool = True,
) -> Found[tuple[str, T]]:
    """Return (dotted name, value) of what *own* yields for *module* and all below it."""
    seen: set[int] = set()
    found: Found[tuple[str, T]] = Found()
    for path, part in walk(module, prefix, set(), unique):
        for name, value in own(part):
            if unique and id(value) in seen:
                continue
            seen.add(id(value))
            found.append((f"{path}.{name}" if path else name, value))
        if not recurse:
            break
    return found
