"""The sweep from outputs to inputs: iterative, newest node first, freeing as it goes."""

from __future__ import annotations

from heapq import heappop, heappush
from types import FunctionType
from typing import Any

from ..amp.casting import ACTIVE, CAST
from ..errors import AutogradError
from ..explain import named
from ..gradients import PostHook, Retained
from ..operators.complex import real
from ..operators.table import sum_to, table_operator
from ..quiet import quietly
from ..tensor import Tensor, wrap
from .mode import ANOMALY, GRAD, TAPE
from .node import LEAF, Node, Output, Spec

__all__ = ["Edge", "accumulate", "copied", "sweep"]

Edge = Node | Tensor


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


def sweep(
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
        accumulate(t, g, False, create)


def copied(g: Tensor, create: bool) -> Tensor:
    """Return *g* in memory of its own: other gradients, or the caller, may hold it too."""
    token = GRAD.set(create)
    try:
        return g.clone()
    finally:
        GRAD.reset(token)


def _alike(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype)


def accumulate(leaf: Tensor, g: Tensor, fresh: bool, create: bool) -> None:
    """Add *g* to what the ``grad`` of *leaf* holds; run the hooks that wait for it."""
    before: Any = leaf.grad
    tape = TAPE.get()
    if tape is not None:
        tape.gradients.append((leaf, before is not None))
    if before is None:
        leaf.grad = g if fresh else copied(g, create)
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
