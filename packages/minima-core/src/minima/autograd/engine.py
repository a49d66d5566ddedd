"""The sweep from outputs to inputs: iterative, newest node first, freeing as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from types import FunctionType
from typing import Any

import numpy as np

from ..amp.casting import ACTIVE, CAST
from ..errors import ArgumentError, AutogradError, DTypeError, ShapeError
from ..explain import named, several
from ..gradients import PostHook, Retained
from ..operators.complex import real
from ..operators.creation import made
from ..operators.table import sum_to, table_operator
from ..quiet import quietly
from ..tensor import Tensor, wrap
from .function import Output
from .mode import ANOMALY, GRAD, TAPE
from .node import LEAF, Node, Spec

__all__ = ["backward", "grad"]

Edge = Node | Tensor


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
        leaves, _, owned = _sweep(roots, None, keep, create_graph, True)
        for leaf, g in leaves.items():
            _accumulate(leaf, g, leaf in owned, create_graph)
        return
    wanted = several("backward", "inputs", inputs)
    edges = [_edge("backward", "input", t) for t in wanted]
    if not edges:
        raise AutogradError("backward: inputs is empty; expected Tensors, or None for all leaves")
    leaves, inner, _ = _sweep(roots, set(edges), keep, create_graph, True)
    for t, edge in {id(t): (t, edge) for t, edge in zip(wanted, edges)}.values():
        found = inner.get(edge) if isinstance(edge, Node) else leaves.get(edge)
        if found is not None and not (isinstance(edge, Node) and t.retains_grad):
            _accumulate(t, found, False, create_graph)


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
    leaves, inner, owned = _sweep(roots, set(targets), keep, create_graph, False)
    found = [inner.get(e) if isinstance(e, Node) else leaves.get(e) for e in targets]
    for i, (edge, g) in enumerate(zip(targets, found)):
        if g is not None and edge not in owned:
            found[i] = _copied(g, create_graph)
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
    leaves, inner, _ = _sweep(roots, set(targets), retain, create, False, border=True)
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


def _needed(roots: list[tuple[Edge, Tensor]], targets: set[Edge], border: bool) -> set[Edge]:
    """Return the nodes and leaves that lie on a way from *roots* to *targets*."""
    nodes: dict[Node, None] = {}
    stack = [e for e, _ in roots if isinstance(e, Node)]
    while stack:
        node = stack.pop()
        if node not in nodes and not (border and node in targets):
            nodes[node] = None
            if node.edges is None:
                node.check()
            stack += [e for e in node.edges or () if isinstance(e, Node)]
    needed = set(targets)
    for node in sorted(nodes, key=lambda n: -n.sequence):
        if any(e in needed for e in node.edges or ()):
            needed.add(node)
    return needed


def _sweep(
    roots: list[tuple[Edge, Tensor]],
    targets: set[Edge] | None,
    retain: bool,
    create: bool,
    accumulates: bool,
    border: bool = False,
) -> tuple[dict[Tensor, Tensor], dict[Node, Tensor], set[Edge]]:
    """Carry gradients from *roots* back; *accumulates* says that tensors may keep them.

    With *border* it ends at the *targets*, before their hooks.

    Returns those of leaves, those of inner *targets*, and the edges whose buffer is the sweep's.
    """
    needed = None if targets is None else _needed(roots, targets, border)
    step = _blamed_step if ANOMALY.get() else _step
    held: dict[Edge, Any] = {}
    inner: dict[Node, Tensor] = {}
    owned: set[Edge] = set()
    heap: list[tuple[int, Node]] = []
    take, forget = held.pop, owned.discard
    token = GRAD.set(create)
    casts = CAST.set({}) if ACTIVE else None  # each gradient has the type of its input
    try:
        with quietly():
            for edge, g in roots:
                if edge in held:
                    _add(edge, g, held, owned, create)
                    continue
                held[edge] = g
                if isinstance(edge, Node):
                    heappush(heap, (edge.sequence, edge))
            while heap:
                node = heappop(heap)[1]
                g = take(node)
                forget(node)
                if border and node in targets:  # type: ignore[operator]
                    inner[node] = g
                    continue
                if node.hooks:
                    for hook in tuple(node.hooks.values()):
                        if type(hook) is not Retained:
                            g = _hooked(hook, g)
                        elif accumulates:
                            _retain(hook, g, create)
                if needed is None:
                    step(node, g, None, held, owned, heap, create)
                else:
                    if node in targets:  # type: ignore[operator]
                        inner[node] = g
                    if node in needed:
                        step(node, g, needed, held, owned, heap, create)
                if not retain:
                    node.release()
            leaves = {e: g for e, g in held.items() if not isinstance(e, Node)}
            for leaf, g in leaves.items():
                if leaf._hooks and not border:
                    owned.discard(leaf)
                    for hook in tuple(leaf._hooks.values()):
                        if type(hook) is not PostHook:
                            g = leaves[leaf] = _hooked(hook, g)
    finally:
        if casts is not None:
            CAST.reset(casts)
        GRAD.reset(token)
    return leaves, inner, owned


def _step(
    node: Node,
    g: Tensor,
    needed: set[Edge] | None,
    held: dict[Edge, Tensor],
    owned: set[Edge],
    heap: list[tuple[int, Node]],
    create: bool,
) -> None:
    """Run the gradient of *node* on *g* and hand its results to the nodes before it."""
    edges, saved = node.edges, node.saved
    if saved is None or node.versions:
        node.check()
    plain = type(node) is Node
    if not plain:
        if type(node) is Output:
            _collect(node, g, held, heap)
            return
        results: Any = node.run(g, needed)  # type: ignore[attr-defined]
    else:
        inputs = _inputs(node, needed, create)
        y, operator = node.output, node.operator
        if type(y) is not Spec:
            y = wrap(y, node.device, node if create else None)
        rule: Any = operator.rule
        if operator.variadic:
            results = rule(g, y, inputs, **node.attrs)
        else:
            results = rule(g, y, *inputs, **node.attrs)
        if type(results) is not tuple:
            results = (results,)
    alone = plain and len(results) == 1
    for edge, kept, result in zip(edges, saved, results):  # type: ignore[arg-type]
        if edge is None or result is None or (needed is not None and edge not in needed):
            continue
        fresh = alone
        if plain and type(result) is FunctionType:
            result, fresh = result(), True
        array = result._array
        if array.shape != kept.shape:
            result = sum_to(result, kept.shape)
            array, fresh = result._array, True
        if array.dtype is not kept.dtype and array.dtype != kept.dtype:
            if array.dtype.kind == "c" and kept.dtype.kind != "c":
                result = real(result)  # of a real input in a complex result
            result = result.astype(kept.dtype)
            array = result._array
        if fresh:
            fresh = (
                getattr(array, "base", array) is None
                and array is not g._array
                and array is not node.output
            )
            for s in saved:  # type: ignore[union-attr]
                if s is array:
                    fresh = False
        if edge in held:
            _add(edge, result, held, owned, create)
            continue
        held[edge] = result
        if fresh:
            owned.add(edge)
        if isinstance(edge, Node):
            heappush(heap, (edge.sequence, edge))


def _blamed_step(node: Node, g: Tensor, *rest: Any) -> None:
    """Do as `_step`; an error, or a NaN, names the line that made *node*."""
    from .anomaly import blamed

    with blamed(node):
        _step(node, g, *rest)


def _collect(node: Output, g: Tensor, held: dict[Edge, Any], heap: list[tuple[int, Node]]) -> None:
    """Put *g* beside the gradients of the other outputs of one function."""
    function: Any = node.edges[0]  # type: ignore[index]
    found = held.get(function)
    if found is None:
        found = held[function] = {}
        heappush(heap, (function.sequence, function))
    before = found.get(node.index)
    found[node.index] = g if before is None else table_operator("add")(before, g)


def _inputs(node: Node, needed: set[Edge] | None, create: bool) -> tuple[Any, ...]:
    """Return what the gradient sees of the inputs: Tensors where it reads values, else Specs."""
    inputs: list[Any] = []
    for edge, kept in zip(node.edges, node.saved):  # type: ignore[arg-type]
        wanted = edge is not None and (needed is None or edge in needed)
        if type(kept) is Spec:
            kept.requires_grad = wanted
            inputs.append(kept)
        elif kept is None:
            inputs.append(None)
        elif not wanted and not (create and edge is not None):
            inputs.append(wrap(kept, node.device))
        elif isinstance(edge, Node):
            inputs.append(wrap(kept, node.device, edge))
        else:
            inputs.append(edge if create else wrap(kept, node.device, LEAF))
    return tuple(inputs)


def _add(edge: Edge, g: Tensor, held: dict[Edge, Tensor], owned: set[Edge], create: bool) -> None:
    """Add *g* to what *edge* has; in place where the sweep made the buffer itself."""
    before = held[edge]
    device = before._device
    plain = g._device is device  # else one comes from within vmap, the other from outside
    if plain and not create and edge in owned and "add" in device.writes:
        device.kernels["add"](before._array, g._array, out=before._array)
        tape = TAPE.get()
        if tape is not None:
            arrays = (before._array, g._array)
            tape.launch("add", arrays, {}, before._array, device, in_place=True)
    else:
        held[edge] = table_operator("add")(before, g)
        owned.add(edge)


def _hooked(hook: Any, g: Tensor) -> Tensor:
    tape = TAPE.get()
    if tape is not None:
        tape.fail("a hook runs during backward")
    result = hook(g)
    if result is None:
        return g
    if not isinstance(result, Tensor) or result.shape != g.shape:
        raise AutogradError(
            f"hook: {getattr(hook, '__name__', hook)!r} returned {result!r}; expected None or a "
            f"Tensor of the gradient's shape {g.shape}"
        )
    return result if result.dtype == g.dtype else result.astype(g.dtype)


def _retain(hook: Retained, g: Tensor, create: bool) -> None:
    """Keep *g*, that of a result of an operation, in its ``grad``."""
    tape = TAPE.get()
    if tape is not None:
        tape.fail("the gradient of a result is retained")
    t = hook.tensor()
    if t is not None:
        _accumulate(t, g, False, create)


def _copied(g: Tensor, create: bool) -> Tensor:
    """Return *g* in memory of its own: other gradients, or the caller, may hold it too."""
    token = GRAD.set(create)
    try:
        return g.clone()
    finally:
        GRAD.reset(token)


def _alike(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype)


def _accumulate(leaf: Tensor, g: Tensor, fresh: bool, create: bool) -> None:
    before: Any = leaf.grad
    tape = TAPE.get()
    if tape is not None:
        tape.gradients.append((leaf, before is not None))
    if before is None:
        leaf.grad = g if fresh else _copied(g, create)
    elif not isinstance(before, Tensor) or not _alike(before._array, g._array):
        raise AutogradError(
            f"backward: the grad of a tensor holds {named(before)}; expected None, or a Tensor of "
            f"the tensor's own dtype and shape, {named(g)}"
        )
    elif create or before.requires_grad:
        leaf.grad = before + g
    else:
        token = GRAD.set(False)
        try:
            before += g
        finally:
            GRAD.reset(token)
    if leaf._hooks:
        for hook in tuple(leaf._hooks.values()):
            if type(hook) is PostHook:
                if tape is not None:
                    tape.fail("a hook runs during backward")
                hook.function(leaf)
