"""Steps of attention as native kernels: forward, and the gradients of queries, keys and values."""

from __future__ import annotations

from typing import Any

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .heads import Heads, Layout
from .scores import backward_source, forward_source
from .stages import Call, Scratch, Stages, parts, span, strides

__all__ = ["ATTENTION"]

SPEED = 3e10  # multiply-adds in a second of one thread, about


def _layout(value: Value, lead: int) -> Layout:
    """Return the strides of a value, 0 along axes that are spread; *lead* axes are in front."""
    steps = [s if n > 1 else 0 for n, s in zip(value.shape, strides(value))]
    steps = [0] * (lead + 2 - len(steps)) + steps
    return Layout(tuple(steps[:lead]), steps[-2], steps[-1])


def _heads(q: Value, k: Value, v: Value, mask: Value | None, attrs: dict[str, Any]) -> Heads | None:
    """Return the sizes of all, None where the kernels do not suit them."""
    kinds = {x.dtype.str[1:] for x in (q, k, v)}
    causal, scale = attrs["causal"], attrs["scale"]
    if kinds not in ({"f4"}, {"f8"}) or type(causal) is not bool or type(scale) is not float:
        return None
    (kind,) = kinds
    given = "" if mask is None else mask.dtype.str[1:]
    if not all(x.array.size for x in (q, k, v)) or given not in ("", "b1", kind):
        return None
    sizes = q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1]
    return Heads(kind, q.shape[:-2], *sizes, causal, scale, given)


def _layouts(lead: int, mask: Value | None, **values: Value) -> dict[str, Layout]:
    found = {name: _layout(value, lead) for name, value in values.items()}
    return found if mask is None else found | {"mask": _layout(mask, lead)}


def _forward(step: Step) -> Stages | None:
    q, k, v, mask = (*step.inputs, None)[:4]
    y = step.output
    if q is None or k is None or v is None:
        return None
    h = _heads(q, k, v, mask, step.attrs)
    if h is None:
        return None
    source = forward_source(h, _layouts(len(h.lead), mask, q=q, k=k, v=v, y=y))
    room, items = h.scratch(False) * q.dtype.itemsize, h.many * h.blocks
    count = parts(h.products / SPEED, items, 2 * get_num_threads())
    entries = q, k, v, mask if mask is not None else 0, y
    return [[Call(source, (*entries, Scratch(room)), *span(items, i, count)) for i in range(count)]]


def _backward(step: Step) -> Stages | None:
    """Compute whole heads: their sums over queries must not depend on the number of threads."""
    g, q, k, v, mask = (*step.inputs, None)[:5]
    y = step.output
    if g is None or q is None or k is None or v is None or g.dtype != q.dtype:
        return None
    h = _heads(q, k, v, mask, step.attrs)
    if h is None or strides(y) != (1,):
        return None
    item = q.dtype.itemsize
    room = h.scratch(True) * item
    source = backward_source(h, _layouts(len(h.lead), mask, g=g, q=q, k=k, v=v))
    ends = q.array.size * item, (q.array.size + k.array.size) * item
    entries = g, q, k, v, mask if mask is not None else 0, y, (y, ends[0]), (y, ends[1])
    count = parts(2.5 * h.products / SPEED, h.many, 2 * get_num_threads())
    calls = [Call(source, (*entries, Scratch(room)), *span(h.many, i, count)) for i in range(count)]
    return [calls]


ATTENTION = {
    "scaled_dot_product_attention": _forward,
    "attention_gradient": _backward,
}
