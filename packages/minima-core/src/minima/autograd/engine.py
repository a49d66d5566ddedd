"""What asks for gradients: `backward` and `grad`, around the sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, AutogradError, DTypeError, ShapeError
from ..explain import named, several
from ..operators.creation import made
from ..operators.table import table_operator
from ..tensor import Tensor
from .node import Node
from .sweep import Edge, accumulate, copied, sweep

__all__ = ["backward", "grad"]


def backward(
    outputs: Tensor | Sequence[Tensor],
    gradients: Tensor | Sequence[Tensor | None] | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add to ``.grad`` of every leaf the gradient of *outputs* with respect to it.

    *gradients* are those of some scalar with respect to *outputs*, of the outputs' shapes; None
    stands for 1 and needs an output of one real element. *inputs*, leaves or results of
    operations, are the only tensors that get a gradient, where they are given. *retain_graph* is
    as *create_graph* unless given.

    Raises: AutogradError when an output does not require grad, when the graph was used already
    or when a buffer that a gradient reads was changed in place.

    >>> import minima as mi
    >>> x = mi.Tensor([1.0, 2.0], requires_grad=True)
    >>> mi.autograd.backward((x * x).sum())
    >>> x.grad.numpy()
    array([2., 4.], dtype=float32)
    """
    roots = _roots("backward", outputs, gradients)
    keep = create_graph if retain_graph is None else retain_graph
    if inputs is None:
        leaves, _, owned = sweep(roots, None, keep, create_graph, True)
        for leaf, g in leaves.items():
            accumulate(leaf, g, leaf in owned, create_graph)
        return
    wanted = several("backward", "inputs", inputs)
    edges = [_edge("backward", "input", t) for t in wanted]
    if not edges:
        raise AutogradError("backward: inputs is empty; expected Tensors, or None for all leaves")
    leaves, inner, _ = sweep(roots, set(edges), keep, create_graph, True)
    for t, edge in {id(t): (t, edge) for t, edge in zip(wanted, edges)}.values():
        found = inner.get(edge) if isinstance(edge, Node) else leaves.get(edge)
        if found is not None and not (isinstance(edge, Node) and t.retains_grad):
            accumulate(t, found, False, create_graph)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Return the gradients of *outputs* with respect to *inputs*; no ``.grad`` changes.

    *inputs* may be leaves or results of operations. With *create_graph* the results can be
    differentiated again. *retain_graph* is as *create_graph* unless given. *materialize_grads*
    gives zeros for an input without a part in the outputs. *is_grads_batched* says that
    *grad_outputs* have a first axis more, and so have the results: one sweep for each entry.

    Raises: AutogradError when an input does not require grad, or has no part in the outputs
    unless *allow_unused* (then its gradient is None).

    >>> import minima as mi
    >>> x = mi.Tensor(3.0, requires_grad=True)
    >>> (g,) = mi.autograd.grad(x**3, x, create_graph=True)
    >>> mi.autograd.grad(g, x)[0].item()
    18.0
    """
    if materialize_grads and allow_unused is False:
        raise ArgumentError(
            "grad: materialize_grads=True gives zeros for unused inputs; expected allow_unused "
            "True, or not given"
        )
    if is_grads_batched:
        options = {"create_graph": create_graph, "materialize_grads": materialize_grads}
        return _batched(
            outputs, inputs, grad_outputs, retain_graph, allow_unused=allow_unused, **options
        )
    roots = _roots("grad", outputs, grad_outputs)
    wanted = several("grad", "inputs", inputs)
    targets = [_edge("grad", "input", t) for t in wanted]
    keep = create_graph if retain_graph is None else retain_graph
    leaves, inner, owned = sweep(roots, set(targets), keep, create_graph, False)
    found = [inner.get(e) if isinstance(e, Node) else leaves.get(e) for e in targets]
    for i, (edge, g) in enumerate(zip(targets, found)):
        if g is not None and edge not in owned:
            found[i] = copied(g, create_graph)
        owned.discard(edge)  # an input that is given twice gets two gradients
        if g is None and materialize_grads:
            t = wanted[i]
            found[i] = made(np.zeros(t.shape, t.dtype), t._device)
        elif g is None and not allow_unused:
            raise AutogradError(
                f"grad: input {i} has no part in the outputs; pass allow_unused=True to get None"
            )
    return tuple(found)  # type: ignore[arg-type]


def _batched(
    outputs: Any, inputs: Any, gradients: Any, retain_graph: bool | None, **options: Any
) -> tuple[Tensor, ...]:
    """Return what `grad` returns for each entry of *gradients*, stacked."""
    given = several("grad", "grad_outputs", () if gradients is None else gradients)
    sizes = {t.shape[0] if t.ndim else 0 for t in given if t is not None}
    if len(sizes) != 1 or not min(sizes):
        raise ShapeError(
            "grad: is_grads_batched=True needs grad_outputs with a first axis, of one size of at "
            f"least 1; got {[None if t is None else t.shape for t in given]}"
        )
    count = sizes.pop()
    rows = []
    for i in range(count):
        entry = [None if t is None else t[i] for t in given]
        keep = True if i < count - 1 else retain_graph
        rows.append(grad(outputs, inputs, entry, retain_graph=keep, **options))
    stack = table_operator("stack")
    return tuple(None if g[0] is None else stack(g) for g in zip(*rows))  # type: ignore[misc]


def grad_within(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    gradients: Sequence[Tensor],
    *,
    retain: bool,
    create: bool,
) -> tuple[Tensor | None, ...]:
    """Return what `grad` does, going no further back than *inputs*: each is a border.

    Neither a node before an input nor its hooks take part, so that an input which was computed
    from another is no way to it.
    """
    roots = _roots("grad", outputs, gradients)
    targets = [_edge("grad", "input", t) for t in inputs]
    leaves, inner, _ = sweep(roots, set(targets), retain, create, False, border=True)
    return tuple(inner.get(e) if isinstance(e, Node) else leaves.get(e) for e in targets)


def _edge(operation: str, what: str, t: Tensor) -> Edge:
    if not isinstance(t, Tensor):
        raise AutogradError(f"{operation}: {what}s must be Tensors; got {type(t).__name__}")
    if t._node is None:
        raise AutogradError(
            f"{operation}: the {what} of shape {t.shape} does not require grad; create it with "
            "requires_grad=True, and compute outputs outside of no_grad()"
        )
    return t._node if isinstance(t._node, Node) else t


def _roots(operation: str, outputs: Any, gradients: Any) -> list[tuple[Edge, Tensor]]:
    """Pair each output's edge with the gradient that the sweep starts from."""
    many = several(operation, "outputs", outputs)
    if gradients is None:
        given: tuple[Any, ...] = (None,) * len(many)
    else:
        given = several(operation, "the gradients of outputs", gradients)
    if len(given) != len(many):
        raise AutogradError(f"{operation}: got {len(given)} gradients for {len(many)} outputs")
    return [(_edge(operation, "output", t), _seed(operation, t, g)) for t, g in zip(many, given)]


def _seed(operation: str, t: Tensor, g: Tensor | None) -> Tensor:
    if g is None:
        if t.size != 1:
            raise AutogradError(
                f"{operation}: an output of shape {t.shape} needs its gradient given; expected one "
                "element, as after .sum() or .mean()"
            )
        if t.dtype.kind == "c":
            raise AutogradError(
                f"{operation}: an output of dtype {t.dtype} needs its gradient given; expected a "
                "real one, as after abs() or mi.real()"
            )
        return made(np.ones(t.shape, t.dtype), t._device)
    if not isinstance(g, Tensor):
        raise DTypeError(
            f"{operation}: got {named(g)} for a gradient; expected a Tensor of shape {t.shape}"
        )
    if g.shape != t.shape:
        raise ShapeError(
            f"{operation}: the gradient has shape {g.shape}, its output {t.shape}; expected equal"
        )
    if g.dtype.kind == "c" and t.dtype.kind != "c":
        raise DTypeError(
            f"{operation}: the gradient has dtype {g.dtype}, its output {t.dtype}; expected a real "
            "gradient"
        )
    return g if g.dtype == t.dtype else g.astype(t.dtype)
