"""Sums and extremes on the cpu: rows in memory as dot products, large ones on all threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from ..threads import share

__all__ = ["KERNELS", "LONG", "ones", "sums_of_rows"]

Array = Any
Axes = tuple[int, ...]

LONG = 4096  # elements of one dot product: in many lanes of a few dozen each
SMALL = 1 << 13  # elements that NumPy has added up before they are seen as rows
LARGE = 1 << 20  # elements that are worth the threads


@lru_cache(maxsize=64)
def ones(count: int, dtype: Any) -> Array:
    """Return that many ones, kept: a sum is a product with them."""
    found = np.ones(count, dtype)
    found.flags.writeable = False
    return found


def sums_of_rows(x: Array) -> Array:
    """Return the sums of x (rows, n) along its rows, float32 or float64.

    >>> sums_of_rows(np.ones((2, 5000)))
    array([5000., 5000.])
    """
    n = x.shape[1]
    if n <= LONG:
        return np.vecdot(x, ones(n, x.dtype))
    full = n // LONG * LONG
    blocks = x[:, :full].reshape(len(x), full // LONG, LONG)
    found = np.add.reduce(np.vecdot(blocks, ones(LONG, x.dtype)), axis=1)
    return found if full == n else found + np.vecdot(x[:, full:], ones(n - full, x.dtype))


def as_rows(x: Array, axis: Axes) -> Array | None:
    """Return x seen as (rows, n), n along *axis*, if that is how x lies in memory."""
    if (
        not x.flags.c_contiguous
        or not x.size
        or sorted(axis) != list(range(x.ndim - len(axis), x.ndim))
    ):
        return None
    n = prod(x.shape[x.ndim - len(axis) :])
    return x.reshape(-1, n)


def over_rows(reduce: Callable[[Array], Array], rows: Array) -> Array:
    """Return ``reduce(rows)``, which gives a number for each row; in parts if that is much."""
    count, n = rows.shape
    if rows.size < LARGE:
        return reduce(rows)
    if count == 1:  # parts of the row instead
        cut = n // (2 * LONG) * LONG
        ends = np.empty((2, 1), rows.dtype)

        def half(i: int) -> None:
            ends[i] = reduce(rows[:, cut * i : n if i else cut])

        share(half, 2)
        return reduce(ends.T)
    many = max(1, min(LARGE // 2 // n, -(-count // 2)))
    found = np.empty(count, rows.dtype)

    def part(i: int) -> None:
        found[i * many : (i + 1) * many] = reduce(rows[i * many : (i + 1) * many])

    share(part, -(-count // many))
    return found


def _finished(found: Array, x: Array, axis: Axes, keepdims: bool, out: Array) -> Array:
    """Return what was found for each row in the shape of the result."""
    rest = x.shape[: x.ndim - len(axis)]
    found = found.reshape(rest + (1,) * len(axis) if keepdims else rest)
    if out is None:
        return found
    np.copyto(out, found)
    return out


def _sum(x: Array, *, axis: Axes, keepdims: bool, out: Array = None) -> Array:
    rows = as_rows(x, axis) if x.size >= SMALL and x.dtype.char in "fd" else None
    if rows is None or rows.shape[1] < 16:
        return np.add.reduce(x, axis=axis, keepdims=keepdims, out=out)
    return _finished(over_rows(sums_of_rows, rows), x, axis, keepdims, out)


def _mean(x: Array, *, axis: Axes, keepdims: bool, out: Array = None) -> Array:
    total = _sum(x, axis=axis, keepdims=keepdims)
    count = prod(x.shape[a] for a in axis)
    return np.divide(total, x.dtype.type(count or np.nan), out=out)


def _extreme(ufunc: Any) -> Callable[..., Array]:
    def reduce(rows: Array) -> Array:
        return ufunc.reduce(rows, axis=1)

    def kernel(x: Array, *, axis: Axes, keepdims: bool, out: Array = None) -> Array:
        rows = as_rows(x, axis) if x.size >= LARGE else None
        if rows is None:
            return ufunc.reduce(x, axis=axis, keepdims=keepdims, out=out)
        return _finished(over_rows(reduce, rows), x, axis, keepdims, out)

    return kernel


KERNELS = {
    "sum": _sum,
    "mean": _mean,
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
}
