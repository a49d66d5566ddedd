"""Steps of convolution as native kernels: forward, and the gradients of input and weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .sliding import (
    Sliding,
    forward_source,
    pack_source,
    unpack_source,
    weight_source,
    whole,
)
from .stages import Call, Scratch, Stages, parts, span, strides
from .tiles import tile_shape

__all__ = ["CONVOLUTIONS"]

SPEED = 4e10  # multiply-adds in a second of one thread, about
SUMS = 4  # partial sums of a weight's gradient: not one for each thread, or results would differ


def _suits(*values: Value | None, groups: int, dilation: tuple[int, int], **_: Any) -> bool:
    given = [v for v in values if v is not None]
    kinds = {v.dtype.str[1:] for v in given}
    full = all(v.array.size for v in given)
    return groups == 1 and dilation == (1, 1) and full and kinds in ({"f4"}, {"f8"})


def _channels_run(value: Value) -> bool:
    """Say whether the channels of (N, C, H, W) are neighbours in memory."""
    return value.shape[1] == 1 or value.array.strides[1] == value.dtype.itemsize


def _last(four: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Put channels last."""
    n, c, h, w = four
    return n, h, w, c


def _packing(weight: Value, order: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[str, Scratch]:
    """Return the kernel that packs a weight whose axes are taken in *order*, and room for it."""
    kind = weight.dtype.str[1:]
    steps = strides(weight)
    a, b, c, n = sizes
    source = pack_source(kind, (a, b, c, n), tuple(steps[i] for i in order))  # type: ignore[arg-type]
    columns = whole(n, tile_shape(kind, n).lanes)
    return source, Scratch(a * b * c * columns * weight.dtype.itemsize)


def _spread(source: str, s: Sliding, entries: tuple[Any, ...], item: int) -> list[Call]:
    """Divide the blocks of a kernel over the threads; each call has scratch of its own."""
    count = parts(s.products / SPEED, s.items, 2 * get_num_threads())
    return [
        Call(source, (*entries, Scratch(s.scratch * item)), *span(s.items, i, count))
        for i in range(count)
    ]


def _sliding(x: Value, y: Value, kernel: tuple[int, ...], attrs: dict[str, Any]) -> Sliding:
    """Return the windows of a convolution from x to y, both (N, C, H, W)."""
    n, h, w, c = _last(x.shape)
    _, oh, ow, o = _last(y.shape)
    down, across = attrs["padding"]
    return Sliding(
        x.dtype.str[1:],
        n,
        (h, w, c),
        _last(strides(x)),
        (kernel[0], kernel[1]),
        attrs["stride"],
        (-down, -across),
        (oh, ow, o),
        _last(strides(y))[:3],
    )


def _forward(step: Step) -> Stages | None:
    x, weight, bias = step.inputs
    y = step.output
    if x is None or weight is None or not _suits(x, weight, bias, y, **step.attrs):
        return None
    if not _channels_run(y):
        return None
    o, c, kh, kw = weight.shape
    s = replace(_sliding(x, y, (kh, kw), step.attrs), bias=bias is not None)
    source, packed = _packing(weight, (2, 3, 1, 0), (kh, kw, c, o))
    first = [Call(source, (weight, packed), 0, kh)]
    shift = packed
    if bias is not None:
        source, shift = _packing_row(bias)
        first.append(Call(source, (bias, shift), 0, 1))
    rest = _spread(forward_source(s), s, (x, packed, shift, y), x.dtype.itemsize)
    return [*([one] for one in first), rest]


def _packing_row(bias: Value) -> tuple[str, Scratch]:
    kind, (n,), (step,) = bias.dtype.str[1:], bias.shape, strides(bias)
    columns = whole(n, tile_shape(kind, n).lanes)
    source = pack_source(kind, (1, 1, 1, n), (0, 0, 0, step))
    return source, Scratch(columns * bias.dtype.itemsize)


def _input_gradient(step: Step) -> Stages | None:
    """At each phase of the stride the gradient is a convolution with some of the taps, turned."""
    g, weight = step.inputs
    x = step.output
    if g is None or weight is None or not _suits(g, weight, x, **step.attrs):
        return None
    if not _channels_run(x):
        return None
    stages: Stages = []
    (sh, sw), (top, left) = step.attrs["stride"], step.attrs["padding"]
    for down in range(min(sh, x.shape[2])):
        for across in range(min(sw, x.shape[3])):
            stages += _phase(g, weight, x, (sh, sw), (top, left), (down, across))
    return stages


def _phase(
    g: Value,
    weight: Value,
    x: Value,
    stride: tuple[int, int],
    padding: tuple[int, int],
    phase: tuple[int, int],
) -> Stages:
    o, c, kh, kw = weight.shape
    item = x.dtype.itemsize
    first = [(p + pad) % s for p, pad, s in zip(phase, padding, stride)]
    taps = [len(range(f, k, s)) for f, k, s in zip(first, (kh, kw), stride)]
    start = [
        (p + pad - f) // s - (t - 1) for p, pad, f, s, t in zip(phase, padding, first, stride, taps)
    ]
    sizes = [len(range(p, n, s)) for p, n, s in zip(phase, x.shape[2:], stride)]
    _, sc, sy, sx = strides(weight)
    so = strides(weight)[0]
    # the last tap comes first, the others in steps backwards
    ends = [f + (t - 1) * s for f, t, s in zip(first, taps, stride)]
    behind = (ends[0] * sy + ends[1] * sx) * item
    kind = x.dtype.str[1:]
    columns = whole(c, tile_shape(kind, c).lanes)
    n, xy, xx, _ = _last(strides(x))
    s = Sliding(
        kind,
        g.shape[0],
        (g.shape[2], g.shape[3], o),
        _last(strides(g)),
        (taps[0], taps[1]),
        (1, 1),
        (start[0], start[1]),
        (sizes[0], sizes[1], c),
        (n, stride[0] * xy, stride[1] * xx),
    )
    packed = Scratch(taps[0] * taps[1] * o * columns * item)
    source = pack_source(kind, (taps[0], taps[1], o, c), (-stride[0] * sy, -stride[1] * sx, so, sc))
    place = (x, (phase[0] * xy + phase[1] * xx) * item)
    calls = _spread(forward_source(s), s, (g, packed, packed, place), item)
    pack = [Call(source, ((weight, behind), packed), 0, taps[0])] if taps[0] * taps[1] else []
    return [*([one] for one in pack), calls]


def _weight_gradient(step: Step) -> Stages | None:
    x, g = step.inputs
    weight = step.output
    if x is None or g is None or not _suits(x, g, weight, **step.attrs):
        return None
    if not _channels_run(g):
        return None
    o, c, kh, kw = weight.shape
    s = _sliding(x, g, (kh, kw), step.attrs)
    kind, item = s.kind, x.dtype.itemsize
    columns = whole(o, tile_shape(kind, o).lanes)
    count = parts(s.products / SPEED, s.items, SUMS)
    source = weight_source(s)
    totals = [Scratch(kh * kw * c * columns * item) for _ in range(count)]
    sums = [
        Call(source, (x, g, total, Scratch(s.scratch * item)), *span(s.items, i, count))
        for i, total in enumerate(totals)
    ]
    so, sc, sy, sx = strides(weight)
    last = unpack_source(kind, (kh, kw, c, o), (sy, sx, sc, so), count)
    return [sums, [Call(last, (weight, *totals), 0, kh)]]


CONVOLUTIONS = {
    "conv2d": _forward,
    "conv2d_input_gradient": _input_gradient,
    "conv2d_weight_gradient": _weight_gradient,
}
