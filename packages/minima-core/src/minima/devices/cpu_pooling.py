"""Pooling on the cpu: for each place in the window one pass over all windows, none copied.

Results lie in memory in the order of the input, with its channels last or its planes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..threads import share

__all__ = ["KERNELS"]

Array = Any
Pair = tuple[int, int]

CHUNK = 1 << 17  # elements of images at a time


def span(place: int, stride: int, pad: int, length: int, count: int) -> tuple[slice, slice]:
    """Return, of one axis, the windows whose element *place* is no padding, and the elements.

    >>> span(0, 2, 1, 6, 3)
    (slice(1, 3, None), slice(1, 4, 2))
    """
    first = max(0, -(-(pad - place) // stride))
    last = min(count, (length - 1 + pad - place) // stride + 1)
    if last <= first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + place - pad
    return slice(first, last), slice(start, start + (last - 1 - first) * stride + 1, stride)


def taps(
    kernel: Pair, stride: Pair, padding: Pair, image: Pair, windows: Pair
) -> Iterator[tuple[Any, Any]]:
    """Yield, for each place in the window, the index of windows and the index of elements."""
    for i in range(kernel[0]):
        rows = span(i, stride[0], padding[0], image[0], windows[0])
        for j in range(kernel[1]):
            columns = span(j, stride[1], padding[1], image[1], windows[1])
            yield (..., rows[0], columns[0]), (..., rows[1], columns[1])


def counts(x: Array, kernel: Pair, stride: Pair, padding: Pair) -> Pair:
    """Return how many windows fit along the two axes of x (N, C, H, W)."""
    h, w = ((n + 2 * p - k) // s + 1 for n, k, s, p in zip(x.shape[2:], kernel, stride, padding))
    return h, w


def like(x: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """Return a new array (N, C, *) of *shape*, its channels last in memory if those of x are."""
    if x.strides[1] < x.strides[3]:
        n, c, h, w = shape
        return np.empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)
    return np.empty(shape, dtype)


def over_images(x: Array, work: Callable[[slice], None]) -> None:
    """Call *work* for runs of images, on all threads."""
    n = x.shape[0]
    many = max(1, min(CHUNK // max(1, x[:1].size), -(-n // 2)))
    share(lambda i: work(slice(i * many, (i + 1) * many)), -(-n // many))


def _max_pool2d(
    x: Array, *, kernel_size: Pair, stride: Pair, padding: Pair, out: Array = None
) -> Array:
    size = counts(x, kernel_size, stride, padding)
    y = like(x, (*x.shape[:2], *size), x.dtype) if out is None else out
    lowest = -np.inf if x.dtype.kind in "fV" else np.iinfo(x.dtype).min

    def work(at: slice) -> None:
        images, found = x[at], y[at]
        fresh = padding == (0, 0)
        if not fresh:
            found[...] = lowest
        for windows, elements in taps(kernel_size, stride, padding, x.shape[2:], size):
            if fresh:
                np.copyto(found, images[elements])
                fresh = False
            else:
                place = found[windows]
                np.maximum(place, images[elements], out=place)

    over_images(x, work)
    return y


def _max_pool2d_gradient(
    g: Array, x: Array, y: Array, *, kernel_size: Pair, stride: Pair, padding: Pair,
    out: Array = None,
) -> Array:  # fmt: skip
    found = like(x, x.shape, g.dtype) if out is None else out
    apart = all(s >= k for s, k in zip(stride, kernel_size))
    if not (g.shape == y.shape and g.strides == y.strides):
        g = _as_lies(g, y)

    bits = np.dtype(f"i{g.itemsize}")

    def work(at: slice) -> None:
        images, total, slope, best = x[at], found[at], g[at], y[at]
        total[...] = 0
        nan = np.isnan(best).any() if best.dtype.kind == "f" else False
        taken = np.zeros_like(best, bool)
        for windows, elements in taps(kernel_size, stride, padding, x.shape[2:], y.shape[2:]):
            seen = images[elements]
            hit = seen == best[windows]
            if nan:
                hit |= np.isnan(seen)
            before = taken[windows]
            np.greater(hit, before, out=hit)
            before |= hit
            # all bits or none of g: many times quicker than writing where=hit
            mask = hit.view(np.int8).astype(bits)
            np.negative(mask, out=mask)
            place, mine = total[elements], slope[windows].view(bits)
            if apart:
                np.bitwise_and(mine, mask, out=place.view(bits))
            else:
                np.bitwise_and(mine, mask, out=mask)
                np.add(place, mask.view(g.dtype), out=place)

    over_images(x, work)
    return found


def _as_lies(g: Array, y: Array) -> Array:
    """Return g in the order in memory of y."""
    placed = np.empty_like(y, g.dtype)
    np.copyto(placed, g)
    return placed


def divisors(
    kernel: Pair, stride: Pair, padding: Pair, image: Pair, windows: Pair, dtype: Any
) -> Array:
    """Return how many elements each window has that are no padding, (OH, OW)."""
    found = np.zeros(windows, dtype)
    for index, _ in taps(kernel, stride, padding, image, windows):
        found[index] += 1
    return found


def _avg_pool2d(
    x: Array,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    out: Array = None,
) -> Array:
    size = counts(x, kernel_size, stride, padding)
    y = like(x, (*x.shape[:2], *size), x.dtype) if out is None else out
    by = x.dtype.type(kernel_size[0] * kernel_size[1])
    if not count_include_pad and padding != (0, 0):
        by = divisors(kernel_size, stride, padding, x.shape[2:], size, x.dtype)

    def work(at: slice) -> None:
        images, total = x[at], y[at]
        total[...] = 0
        for windows, elements in taps(kernel_size, stride, padding, x.shape[2:], size):
            place = total[windows]
            np.add(place, images[elements], out=place)
        np.divide(total, by, out=total)

    over_images(x, work)
    return y


def _avg_pool2d_gradient(
    g: Array,
    *,
    shape: tuple[int, ...],
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    count_include_pad: bool,
    out: Array = None,
) -> Array:
    found = like(g, shape, g.dtype) if out is None else out
    size = g.shape[2:]
    image = (shape[2], shape[3])
    by = g.dtype.type(kernel_size[0] * kernel_size[1])
    if not count_include_pad and padding != (0, 0):
        by = divisors(kernel_size, stride, padding, image, size, g.dtype)
    apart = all(s >= k for s, k in zip(stride, kernel_size))

    def work(at: slice) -> None:
        total = found[at]
        slope = np.divide(g[at], by)
        total[...] = 0
        for windows, elements in taps(kernel_size, stride, padding, image, size):
            if apart:
                total[elements] = slope[windows]
            else:
                place = total[elements]
                np.add(place, slope[windows], out=place)

    over_images(found, work)
    return found


KERNELS = {
    "max_pool2d": _max_pool2d,
    "max_pool2d_gradient": _max_pool2d_gradient,
    "avg_pool2d": _avg_pool2d,
    "avg_pool2d_gradient": _avg_pool2d_gradient,
}
