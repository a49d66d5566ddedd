"""What an in-place change of memory that views share does to their graph.

The tensor that owns the memory, the base, becomes the result of the change; every view of it that
is alive is then recorded anew, by the operators that made it.
"""

from __future__ import annotations

from typing import Any

from ..autograd.node import LEAF, Node, Spec, View
from ..gradients import RETAINED
from ..tensor import Tensor
from .comparison import where
from .creation import zeros
from .indexing import getitem, put
from .table import Array, Operator, table_operator

__all__: list[str] = []

Steps = tuple[Any, ...]


def view_of(t: Tensor) -> View | None:
    """Return how *t* came to be a view, or None where it is none."""
    return t._view


def base_of(t: Tensor) -> Tensor:
    """Return the tensor that owns the memory of *t*, as far as the graph knows."""
    view = view_of(t)
    return t if view is None or view.base is None else view.base


def live_views(base: Tensor) -> list[Tensor]:
    """Return the recorded views of *base* that are alive."""
    version = base._version
    if version is None or not version.views:
        return []
    found = []
    for t in version.views:
        view = view_of(t)
        if view is not None and view.base is base:
            found.append(t)
    return found


def edge_of(t: Tensor) -> Any:
    """Return what the gradient of *t* goes to."""
    return t if t._node is LEAF else t._node


def spec_of(t: Tensor) -> Spec:
    """Return the shape, dtype and device of *t*."""
    return Spec(t.shape, t.dtype, t._device)


def become(target: Tensor, node: Any) -> None:
    """Make *node* the one that computed *target*, whose memory was written just now."""
    base = base_of(target)
    _goes_on(base, node if base is target else _written(base, target, node))
    for view in live_views(base):
        _goes_on(view, _again(base._node, view))


def _goes_on(t: Tensor, node: Node | None) -> None:
    """Make *node* the one of *t*, which goes on to retain its gradient if it did so before."""
    if node is not None and t.retains_grad:
        hooks = t._node.hooks  # type: ignore[union-attr]
        node.hooks = {**(node.hooks or {}), RETAINED: hooks.pop(RETAINED)}  # type: ignore[union-attr]
    t._node = node


def _written(base: Tensor, target: Tensor, node: Any) -> Node | None:
    """Return the node of *base* after its view *target* was changed by *node*."""
    edges = (edge_of(base), node)
    if edges == (None, None):
        return None
    view = target._view
    attrs = {"steps": () if view is None else view.steps}
    specs = (spec_of(base), spec_of(target))
    return Node(_WRITE, edges, specs, spec_of(base), attrs, base._device, None)


def _again(node: Any, view: Tensor) -> Node | None:
    """Return the node of *view*, recorded anew from the one of its base."""
    own = view._view
    if node is None or own is None:
        return None
    steps, device = own.steps, view._device
    specs = [(shape, dtype) for _, _, shape, dtype in steps] + [(view.shape, view.dtype)]
    for (operator, attrs, _, _), before, after in zip(steps, specs, specs[1:]):
        given, made = Spec(*before, device), Spec(*after, device)
        node = Node(operator, (node,), (given,), made, attrs, device, None)
    found: Node = node
    return found


def write_view(xp: Any, x: Array, value: Array, steps: Steps) -> Any:
    """Stand for x with *value* in place of the view that *steps* make of it."""
    raise NotImplementedError  # the memory is written by the device; only the gradient is asked for


_WRITE: Operator[Any] = Operator(write_view, promotes=False, floating=False, view=False)


def _write_gradient(g: Tensor, y: Any, x: Any, value: Any, steps: Steps) -> Any:
    def written() -> Tensor:
        part = g
        for operator, attrs, _, _ in steps:
            part = operator.function(part, **attrs)
        return part

    whole = value.size == x.size
    return (None if whole else lambda: _around(g, steps)), written


_WRITE.gradient(_write_gradient, saves="")


def _around(g: Tensor, steps: Steps) -> Tensor:
    """Return *g* with zeros where the view lies that *steps* make of it."""
    operator, attrs, _, _ = steps[0]
    rest = steps[1:]
    if operator is getitem.entry:
        inner = _around(getitem(g, **attrs), rest) if rest else 0.0
        return put(g, inner, attrs["index"])
    part = operator.function(g, **attrs)
    if part.size != g.size:
        ones = zeros(part.shape, dtype=g.dtype, device=g._device) + 1.0
        return where(_back(operator, attrs, ones, g) != 0, 0.0, g)
    inner = _around(part, rest) if rest else zeros(part.shape, dtype=g.dtype, device=g._device)
    return _back(operator, attrs, inner, g)


def _back(operator: Any, attrs: dict[str, Any], part: Tensor, g: Tensor) -> Tensor:
    """Return *part*, a view of something like *g*, where it lies in that; zeros around it."""
    result = operator.rule(part, None, spec_of(g), **attrs)
    result = result[0] if isinstance(result, tuple) else result
    found: Tensor = result() if callable(result) else result
    return found if found.shape == g.shape else table_operator("reshape")(found, g.shape)
