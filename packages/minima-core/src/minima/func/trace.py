"""What grad, vjp, jvp and the Jacobians share: aliases of the arguments, and the way back to them.

An alias is a leaf where the argument is not part of a graph, and else the result of a recorded
operation that does nothing: so a gradient goes to the alias alone, and further out, to the
argument, when the whole is differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..autograd.engine import grad as engine_grad
from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node, Version
from ..errors import ArgumentError, DTypeError
from ..operators import zeros_like
from ..operators.table import Array, Operator
from ..tensor import Tensor
from .batched import lifted, tracked
from .trees import Build, tensors

__all__ = ["Argnums", "Trace", "alias", "only_tensors"]

Argnums = int | Sequence[int]


def alias_reference(xp: Any, x: Array) -> Any:
    """Return x; no kernel, since nothing is computed."""
    return x


def alias_gradient(g: Tensor, y: Any, x: Any) -> Tensor:
    """Hand the gradient on."""
    return g


_ENTRY: Operator[Any] = Operator(alias_reference, promotes=False, floating=False, view=False)
_ENTRY.name = "alias"
_ENTRY.gradient(alias_gradient, saves="")


def alias(t: Tensor) -> Tensor:
    """Return a tensor over the memory of *t* to take gradients with respect to.

    Raises: DTypeError for a type without derivatives.
    """
    if t._node is None or not GRAD.get():
        return t.detach().requires_grad_()
    out = _ENTRY.record((t,), (t._array,), {}, t._array, t._device)
    if t._version is None:
        t._version = Version()
    out._version = t._version
    tape = TAPE.get()
    if tape is not None:
        tape.track(out)
    return out


class Trace:
    """One run of a function on aliases of those arguments that *argnums* names."""

    def __init__(self, operation: str, args: tuple[Any, ...], argnums: Argnums) -> None:
        self.operation = operation
        self.leaves: list[Tensor] = []
        self.own: set[int] = set()
        self._builds: list[tuple[int, Build]] = []
        self._single = isinstance(argnums, int)
        numbers = [argnums] if isinstance(argnums, int) else list(argnums)
        replaced = list(args)
        for number in numbers:
            if not -len(args) <= number < len(args):
                raise ArgumentError(
                    f"{operation}: argnums names argument {number}; got {len(args)} arguments"
                )
            found, build = tensors(operation, f"argument {number}", args[number])
            aliases = [alias(lifted(t, operation)) for t in found]
            self.leaves += aliases
            self._builds.append((len(aliases), build))
            replaced[number] = build(list(aliases))
        self.own.update(id(t) for t in self.leaves if t._node is LEAF)
        self.args = tuple(replaced)

    def run(self, function: Callable[..., Any], kwargs: dict[str, Any]) -> Any:
        """Return what *function* gives for the aliases, recorded even inside of `no_grad`."""
        token = GRAD.set(True)
        try:
            return function(*self.args, **kwargs)
        finally:
            GRAD.reset(token)

    def pull(
        self,
        outputs: Sequence[Tensor],
        cotangents: Sequence[Tensor | None],
        targets: Sequence[Tensor] | None = None,
        *,
        retain: bool = False,
        create: bool = False,
    ) -> list[Tensor]:
        """Return the gradients of *outputs* with respect to the aliases, or to *targets*."""
        aims = self.leaves if targets is None else list(targets)
        live = [(o, c) for o, c in zip(outputs, cotangents) if o._node is not None]
        if not live or not aims:
            return [zeros_like(t) for t in aims]
        foreign, batched = reach([o for o, _ in live], self.own)
        given = [c for _, c in live if c is not None]
        record = create or (GRAD.get() and (foreign or batched or any(map(tracked, given))))
        found: tuple[Tensor | None, ...] = engine_grad(
            [o for o, _ in live],
            aims,
            [c for _, c in live],
            retain_graph=retain or record,
            create_graph=record,
            allow_unused=True,
        )
        if not create and not foreign and all(c._node is None for c in given):
            found = tuple(g if g is None else g.detach() for g in found)
        return [zeros_like(t) if g is None else g for g, t in zip(found, aims)]

    def released(self, t: Any) -> Any:
        """Return the result *t* without the aliases in its graph, where they are all of it."""
        if not isinstance(t, Tensor) or t._node is None:
            return t
        return t if GRAD.get() and reach([t], self.own)[0] else t.detach()

    def built(self, values: Sequence[Any]) -> Any:
        """Return one value for each alias in the structure of the arguments."""
        trees, start = [], 0
        for count, build in self._builds:
            trees.append(build(list(values[start : start + count])))
            start += count
        return trees[0] if self._single else tuple(trees)


def reach(outputs: Iterable[Tensor], own: set[int]) -> tuple[bool, bool]:
    """Say whether *outputs* depend on leaves other than *own*, and whether on anything batched."""
    foreign = batched = False
    seen: set[Node] = set()
    stack: list[Any] = []
    for t in outputs:
        batched = batched or t._device.base is not None
        stack.append(t if t._node is LEAF else t._node)
    while stack and not (foreign and batched):
        edge = stack.pop()
        if isinstance(edge, Tensor):
            foreign = foreign or id(edge) not in own
        elif edge is not None and edge not in seen:
            seen.add(edge)
            batched = batched or edge.device.base is not None
            stack += edge.edges or ()
    return foreign, batched


def only_tensors(operation: str, what: str, leaves: Iterable[Any]) -> list[Tensor]:
    """Return *leaves*, which have to be Tensors.

    Raises: DTypeError unless they are.
    """
    found = list(leaves)
    for leaf in found:
        if not isinstance(leaf, Tensor):
            raise DTypeError(
                f"{operation}: the function returned {type(leaf).__name__} as {what}; expected "
                "Tensors; return what is not differentiated beside it, with has_aux=True"
            )
    return found
