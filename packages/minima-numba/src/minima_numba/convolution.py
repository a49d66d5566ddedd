"""Steps of convolution as native kernels: forward, and the gradients of input and weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from . import winograd
from .packing import whole
from .sliding import (
    Sliding,
    forward_source,
    pack_source,
    unpack_source,
    weight_source,
)
from .stages import Call, Scratch, Stages, parts, span, strides
from .tiles import SIZES, tile_shape

__all__ = ["CONVOLUTIONS"]

SPEED = 4e10  # multiply-adds in a second of one thread, about
FEWEST = 16  # tiles from which on Winograd's way pays for transforming the weight
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
    source = pack_source(kind, (a, b, c, n), tuple(steps[i] for i in order))
    columns = whole(n, tile_shape(kind, n).lanes)
    return source, Scratch(a * b * c * columns * weight.dtype.itemsize)


def _convolved(s: Sliding, x: Any, packed: Scratch, shift: Scratch, y: Any) -> Stages:
    """Return what convolves by a packed weight, the blocks divided over the threads."""
    item, c, o = SIZES[s.kind], s.size[2], s.out[2]
    stages, factors = [], packed
    if _by_tiles(s):
        tiling = winograd.Tiling(s)
        source, items, room = winograd.forward_source(tiling), tiling.items, tiling.scratch()
        factors = Scratch(winograd.ELEMENTS * c * o * item)
        first = Call(winograd.factors_source(s.kind, c, o), (packed, factors), 0, c)
        stages, seconds = [[first]], s.products / SPEED / 3
    else:
        source, items, room = forward_source(s), s.items, s.scratch
        seconds = s.products / SPEED
    count = parts(seconds, items, 2 * get_num_threads())
    calls = [
        Call(source, (x, factors, shift, y, Scratch(room * item)), *span(items, i, count))
        for i in range(count)
    ]
    return [*stages, calls]


def _by_tiles(s: Sliding) -> bool:
    """Say whether Winograd's way suits: where it does, and the weight is not most of the work."""
    lanes = tile_shape(s.kind, 1 << 20).lanes
    plain = s.kernel == (3, 3) and s.stride == (1, 1) and s.size[2] % lanes == s.out[2] % lanes == 0
    return plain and winograd.Tiling(s).lines * winograd.Tiling(s).across >= FEWEST


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
    return [*([one] for one in first), *_convolved(s, x, packed, shift, y)]


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
    pack = [[Call(source, ((weight, behind), packed), 0, taps[0])]] if taps[0] * taps[1] else []
    return [*pack, *_convolved(s, g, packed, packed, place)]


def _weight_gradient(step: Step) -> Stages | None:
    x, g = step.inputs
    weight = step.output
    if x is None or g is None or not _suits(x, g, weight, **step.attrs):
        return None
    if not _channels_run(g):
        return None
    o, c, kh, kw = weight.shape
    s = _sliding(x, g, (kh, kw), step.attrs)
    so, sc, sy, sx = strides(weight)
    order = (sy, sx, sc, so)
    if _by_tiles(s):
        return _tiled_gradient(s, x, g, weight, order)
    item = x.dtype.itemsize
    columns = whole(o, tile_shape(s.kind, o).lanes)
    size, room = kh * kw * c * columns, s.scratch
    count = parts(s.products / SPEED, s.items, SUMS)
    sums, totals = _sums(weight_source(s), (x, g), (size * item, room * item), s.items, count)
    last = unpack_source(s.kind, (kh, kw, c, o), order, count)
    return [sums, [Call(last, (weight, *totals), 0, kh)]]


def _tiled_gradient(
    s: Sliding, x: Value, g: Value, weight: Value, order: tuple[int, int, int, int]
) -> Stages:
    """Return what Winograd's way does for the gradient of a weight."""
    tiling, item, c, o = winograd.Tiling(s), x.dtype.itemsize, s.size[2], s.out[2]
    sizes = winograd.ELEMENTS * c * o * item, tiling.scratch(gradient=True) * item
    count = parts(s.products / SPEED / 3, tiling.items, SUMS)
    source = winograd.weight_source(tiling)
    sums, totals = _sums(source, (x, g), sizes, tiling.items, count)
    packed = Scratch(9 * c * o * item)
    back = Call(winograd.back_source(s.kind, c, o, count), (packed, *totals), 0, c)
    last = Call(unpack_source(s.kind, (3, 3, c, o), order, 1), (weight, packed), 0, 3)
    return [sums, [back], [last]]


def _sums(
    source: str, given: tuple[Value, ...], sizes: tuple[int, int], items: int, count: int
) -> tuple[list[Call], list[Scratch]]:
    """Return calls that make *count* partial sums, and these; *sizes* of a sum and of scratch."""
    totals = [Scratch(sizes[0]) for _ in range(count)]
    calls = [
        Call(source, (*given, total, Scratch(sizes[1])), *span(items, i, count))
        for i, total in enumerate(totals)
    ]
    return calls, totals


CONVOLUTIONS = {
    "conv2d": _forward,
    "conv2d_input_gradient": _input_gradient,
    "conv2d_weight_gradient": _weight_gradient,
}
