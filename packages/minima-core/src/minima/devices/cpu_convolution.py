"""Convolution on the cpu: windows copied, a piece that fits the cache at a time, and multiplied.

Inside, channels are the last axis, so that a window's row is one run of memory, and the results of
`conv2d` and its gradients lie in memory that way too: what follows keeps the order. Pieces are
spread over the threads, each with BLAS on its own. Float16 is computed in float32.

3x3 windows at stride 1 with many channels go the way of `cpu_winograd`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..threads import share
from .base import REFERENCES
from .cpu_winograd import suits_winograd, winograd, winograd_weight_gradient
from .pieces import Piece, channels_last, halves, padded, pieces, result
from .scratch import scratch

__all__ = ["KERNELS"]

Array = Any
Pair = tuple[int, int]

CHUNK = 1 << 18  # elements of copied windows at a time: with what is computed from them, the L2
PLANAR = 8  # up to as many channels, images that come plane by plane are copied plane by plane


class Window(NamedTuple):
    """The attributes of a convolution, but for its groups."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    def input_rows(self, first: int, last: int, axis: int = 0) -> Pair:
        """Return the range of input rows that output rows *first* to *last* see."""
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        start = first * self.stride[axis] - self.padding[axis]
        return start, start + (last - 1 - first) * self.stride[axis] + reach

    @property
    def plain(self) -> bool:
        """Whether each element is seen once: a 1x1 window at stride 1 without padding."""
        return self.kernel == self.stride == (1, 1) and self.padding == (0, 0)


def planar(x: Array) -> bool:
    """Say whether x (N, H, W, C) has few channels, each a plane of memory."""
    _, h, w, c = x.shape
    item = x.itemsize
    return bool(1 <= c <= PLANAR and x.strides[1:] == (w * item, item, h * w * item))


def columns(x: Array, at: Piece, window: Window, width: int, flat: bool, dtype: Any) -> Array:
    """Return, of a piece, the windows as rows of matrices (m, rows * width, kh * kw * C).

    In a row the channels come last; with *flat* first, as they do in memory.
    """
    first, last = window.input_rows(at.first, at.last)
    left, right = window.input_rows(0, width, 1)
    seen = padded(x, at, (first, last), (left, right), flat, dtype)
    m, _, _, c = seen.shape
    rows = at.last - at.first
    if window.plain:
        found = seen.reshape(m, rows * width, c)
        return found if found.itemsize in found.strides[1:] else np.ascontiguousarray(found)
    (kh, kw), (sh, sw), (dh, dw) = window.kernel, window.stride, window.dilation
    sn, sy, sx, sc = seen.strides
    shape = (m, rows, width, kh, kw, c)
    strides = (sn, sh * sy, sw * sx, dh * sy, dw * sx, sc)
    view = as_strided(seen, shape, strides)
    if flat:
        view = view.transpose(0, 5, 3, 4, 1, 2)
    found = scratch("columns", view.shape, dtype)
    np.copyto(found, view)
    k = kh * kw * c
    if flat:
        return found.reshape(m, k, rows * width).transpose(0, 2, 1)
    return found.reshape(m, rows * width, k)


def matrix(weight: Array, flat: bool, dtype: Any) -> Array:
    """Return weight (O, C, kh, kw) as (kh * kw * C, O), or with *flat* (C * kh * kw, O)."""
    o, c, kh, kw = weight.shape
    order = (1, 2, 3, 0) if flat else (2, 3, 1, 0)
    return np.ascontiguousarray(weight.transpose(order), dtype).reshape(kh * kw * c, o)


def product(a: Array, b: Array, out: Array) -> None:
    """Multiply matrices (m, p, k) by one (k, o) into out (m, rows, width, o) of any layout."""
    m, rows, width, o = out.shape
    p, k = rows * width, a.shape[2]
    straight = out.flags.c_contiguous
    place = out if straight else scratch("product", out.shape, b.dtype)
    if a.flags.c_contiguous:
        np.matmul(a.reshape(m * p, k), b, out=place.reshape(m * p, o))
    else:
        np.matmul(a, b, out=place.reshape(m, p, o))
    if not straight:
        np.copyto(out, place, casting="same_kind")


def forward(x: Array, weight: Array, bias: Array, window: Window, y: Array) -> None:
    """Convolve x (N, H, W, C) into y (N, OH, OW, O), all of one group."""
    dtype = np.result_type(x.dtype, np.float32)
    if suits_winograd(x, weight, window, y):
        winograd(x, weight.transpose(2, 3, 1, 0), bias, window.padding, y)
        return
    flat = planar(x)
    b = matrix(weight, flat, dtype)
    n, height, width, _ = y.shape
    parts = pieces(n, height, b.shape[0] * width, CHUNK)

    def part(i: int) -> None:
        at = parts[i]
        place = y[at.start : at.stop, at.first : at.last]
        product(columns(x, at, window, width, flat, dtype), b, place)
        if bias is not None:
            place += bias

    share(part, len(parts))


def spread(g: Array, weight: Array, window: Window, out: Array) -> None:
    """Add up what each output passes back to its window: g (N, OH, OW, O) to out (N, H, W, C)."""
    dtype = np.result_type(g.dtype, np.float32)
    b = np.ascontiguousarray(matrix(weight, False, dtype).T)
    (kh, kw), (sh, sw), (top, left), (dh, dw) = window
    n, h, w, c = out.shape
    _, height, width, o = g.shape
    parts = pieces(n, 1, b.shape[1] * height * width, CHUNK)

    def part(i: int) -> None:
        m = parts[i].stop - parts[i].start
        rows = np.ascontiguousarray(g[parts[i].start : parts[i].stop], dtype)
        rows = rows.reshape(m * height * width, o)
        found = scratch("columns", (len(rows), b.shape[1]), dtype)
        np.matmul(rows, b, out=found)
        found = found.reshape(m, height, width, kh, kw, c)
        total = scratch("total", (m, h + 2 * top, w + 2 * left, c), dtype)
        total[...] = 0
        for i0 in range(kh):
            for j0 in range(kw):
                y, z = i0 * dh, j0 * dw
                place = total[:, y : y + sh * height : sh, z : z + sw * width : sw]
                np.add(place, found[:, :, :, i0, j0], out=place)
        inner = total[:, top : top + h, left : left + w]
        np.copyto(out[parts[i].start : parts[i].stop], inner, casting="same_kind")

    share(part, len(parts))


def backward(g: Array, weight: Array, window: Window, out: Array) -> None:
    """Give the gradient g (N, OH, OW, O) of an output back to the input, out (N, H, W, C)."""
    (kh, kw), _, (top, left), (dh, dw) = window
    around = dh * (kh - 1) - top, dw * (kw - 1) - left
    if window.stride != (1, 1) or min(around) < 0:
        spread(g, weight, window, out)
        return
    # at stride 1 it is a convolution with the window turned round
    turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    forward(g, turned, None, window._replace(padding=around), out)


def weight_gradient(x: Array, g: Array, window: Window, out: Array) -> None:
    """Return the gradient of the weight, out (O, C, kh, kw), from x and g with channels last."""
    dtype = np.result_type(x.dtype, np.float32)
    if suits_winograd(x, out, window, g):
        winograd_weight_gradient(x, g, window.padding, out)
        return
    flat = planar(x)
    n, height, width, o = g.shape
    (kh, kw), c = window.kernel, x.shape[3]
    k = kh * kw * c
    parts = pieces(n, height, k * width, CHUNK)
    groups = halves(parts)
    totals = np.zeros((len(groups), k, o), dtype)

    def part(i: int) -> None:
        for at in groups[i]:
            a = columns(x, at, window, width, flat, dtype)
            m, p, _ = a.shape
            b = np.ascontiguousarray(g[at.start : at.stop, at.first : at.last], dtype)
            if flat:
                totals[i] += np.matmul(a.transpose(0, 2, 1), b.reshape(m, p, o)).sum(axis=0)
            else:
                one = scratch("one", (k, o), dtype)
                np.matmul(a.reshape(m * p, k).T, b.reshape(m * p, o), out=one)
                totals[i] += one

    share(part, len(groups))
    total = np.add.reduce(totals, axis=0)
    if flat:
        total = total.reshape(c, kh, kw, o).transpose(3, 0, 1, 2)
    else:
        total = total.reshape(kh, kw, c, o).transpose(3, 2, 0, 1)
    np.copyto(out, total, casting="same_kind")


# ---- one channel at a time -----------------------------------------------------------------------
def taps(x: Array, window: Window, height: int, width: int) -> list[tuple[int, int, Array]]:
    """Return, for each place (i, j) of the window, the elements of padded x that it meets."""
    (kh, kw), (sh, sw), _, (dh, dw) = window
    return [
        (
            i,
            j,
            x[:, i * dh : i * dh + sh * height : sh, j * dw : j * dw + sw * width : sw],
        )
        for i in range(kh)
        for j in range(kw)
    ]


def depthwise(x: Array, weight: Array, bias: Array, window: Window, y: Array) -> None:
    """Convolve each channel of x by itself; weight (C, 1, kh, kw)."""
    dtype = np.result_type(x.dtype, np.float32)
    factor = np.ascontiguousarray(weight[:, 0].transpose(1, 2, 0), dtype)
    n, height, width, c = y.shape
    left, right = window.input_rows(0, width, 1)
    parts = pieces(n, height, 2 * c * width, CHUNK)

    def part(k: int) -> None:
        at = parts[k]
        place = y[at.start : at.stop, at.first : at.last]
        rows = window.input_rows(at.first, at.last)
        seen = padded(x, at, rows, (left, right), False, dtype)
        total, one = (scratch(name, place.shape, dtype) for name in ("total", "one"))
        total[...] = 0 if bias is None else bias
        for i, j, met in taps(seen, window, at.last - at.first, width):
            np.multiply(met, factor[i, j], out=one)
            total += one
        np.copyto(place, total, casting="same_kind")

    share(part, len(parts))


def depthwise_backward(g: Array, weight: Array, window: Window, out: Array) -> None:
    """Give g back to the input where each channel was convolved by itself."""
    dtype = np.result_type(g.dtype, np.float32)
    factor = np.ascontiguousarray(weight[:, 0].transpose(1, 2, 0), dtype)
    n, h, w, c = out.shape
    top, left = window.padding
    parts = pieces(n, 1, 2 * c * h * w, CHUNK)

    def part(k: int) -> None:
        at = parts[k]
        slope = g[at.start : at.stop]
        total = scratch("total", (len(slope), h + 2 * top, w + 2 * left, c), dtype)
        total[...] = 0
        one = scratch("one", slope.shape, dtype)
        for i, j, place in taps(total, window, g.shape[1], g.shape[2]):
            np.multiply(slope, factor[i, j], out=one)
            place += one
        inner = total[:, top : top + h, left : left + w]
        np.copyto(out[at.start : at.stop], inner, casting="same_kind")

    share(part, len(parts))


def depthwise_weight_gradient(x: Array, g: Array, window: Window, out: Array) -> None:
    """Return the gradient of a weight (C, 1, kh, kw)."""
    dtype = np.result_type(x.dtype, np.float32)
    n, height, width, c = g.shape
    left, right = window.input_rows(0, width, 1)
    groups = halves(pieces(n, height, 2 * c * width, CHUNK))
    totals = np.zeros((len(groups), *window.kernel, c), dtype)

    def part(k: int) -> None:
        for at in groups[k]:
            slope = g[at.start : at.stop, at.first : at.last]
            rows = window.input_rows(at.first, at.last)
            seen = padded(x, at, rows, (left, right), False, dtype)
            one = scratch("one", slope.shape, dtype)
            ones = np.ones(one.size // c if c else 0, dtype)
            for i, j, met in taps(seen, window, at.last - at.first, width):
                np.multiply(met, slope, out=one)
                totals[k, i, j] += ones @ one.reshape(-1, c)

    share(part, len(groups))
    total = np.add.reduce(totals, axis=0).transpose(2, 0, 1)
    np.copyto(out[:, 0], total, casting="same_kind")


# ---- kernels -------------------------------------------------------------------------------------
def _grouped(
    whole: Callable[..., None], single: Callable[..., None], arrays: tuple[Array, ...], groups: int
) -> None:
    """Call *whole* for each group of channels, or *single* where a group has one in and out.

    Of each array it says along which axis its groups lie; the last array is written.
    """
    if groups == 1:
        whole(*(a for a, _ in arrays))
        return
    sizes = [0 if a is None else a.shape[axis] // groups for a, axis in arrays]
    images = [n for (a, axis), n in zip(arrays, sizes) if a is not None and axis == 3]
    if images == [1, 1]:
        single(*(a for a, _ in arrays))
        return
    for k in range(groups):
        at = [slice(k * n, (k + 1) * n) for n in sizes]
        whole(
            *(
                None if a is None else a[..., s] if axis == 3 else a[s]
                for (a, axis), s in zip(arrays, at)
            )
        )


def _conv2d(
    x: Array,
    weight: Array,
    bias: Array = None,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    out: Array = None,
) -> Array:
    window = Window(weight.shape[2:], stride, padding, dilation)
    n, _, h, w = x.shape
    size = [
        (length + 2 * p - d * (k - 1) - 1) // s + 1 for length, k, s, p, d in zip((h, w), *window)
    ]
    out = result((n, weight.shape[0], *size), x.dtype, out)
    _grouped(
        lambda a, b, c, y: forward(a, b, c, window, y),
        lambda a, b, c, y: depthwise(a, b, c, window, y),
        ((channels_last(x), 3), (weight, 0), (bias, 0), (channels_last(out), 3)),
        groups,
    )
    return out


def _input_gradient(
    x: Array,
    weight: Array,
    *,
    shape: tuple[int, ...],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    out: Array = None,
) -> Array:
    window = Window(weight.shape[2:], stride, padding, dilation)
    out = result(shape, x.dtype, out)
    _grouped(
        lambda g, b, y: backward(g, b, window, y),
        lambda g, b, y: depthwise_backward(g, b, window, y),
        ((channels_last(x), 3), (weight, 0), (channels_last(out), 3)),
        groups,
    )
    return out


def _weight_gradient(
    x: Array,
    g: Array,
    *,
    shape: tuple[int, ...],
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
    out: Array = None,
) -> Array:
    window = Window((shape[2], shape[3]), stride, padding, dilation)
    out = np.empty(shape, x.dtype) if out is None else out
    _grouped(
        lambda a, b, y: weight_gradient(a, b, window, y),
        lambda a, b, y: depthwise_weight_gradient(a, b, window, y),
        ((channels_last(x), 3), (channels_last(g), 3), (out, 0)),
        groups,
    )
    return out


def _of_floats(name: str, kernel: Callable[..., Array]) -> Callable[..., Array]:
    """Return *kernel* for floating types; others go to the reference kernel."""

    def chosen(x: Array, *inputs: Array, out: Array = None, **attrs: Any) -> Array:
        if x.dtype.kind == "f":
            return kernel(x, *inputs, out=out, **attrs)
        y = REFERENCES[name](np, x, *inputs, **attrs)
        if out is None:
            return y
        np.copyto(out, y)
        return out

    chosen.__name__ = name
    return chosen


KERNELS = {
    name: _of_floats(name, kernel)
    for name, kernel in (
        ("conv2d", _conv2d),
        ("conv2d_input_gradient", _input_gradient),
        ("conv2d_weight_gradient", _weight_gradient),
    )
}
