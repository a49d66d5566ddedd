"""Accumulation on the cpu, by NumPy's own walks along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["KERNELS"]

Array = Any


def cumulative_sum(x: Array, *, axis: int, out: Array = None) -> Array:
    """Return the sums of all elements up to each."""
    return np.cumsum(x, axis=axis, out=out)


def cumulative_prod(x: Array, *, axis: int, out: Array = None) -> Array:
    """Return the products of all elements up to each."""
    return np.cumprod(x, axis=axis, out=out)


def cumulative_argmax(x: Array, *, axis: int, smallest: bool, out: Array = None) -> Array:
    """Return the index of the last extreme up to each: the last element equal to it, or NaN."""
    extreme = (np.minimum if smallest else np.maximum).accumulate(x, axis=axis)
    place = np.arange(x.shape[axis]).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    last = np.where((x == extreme) | (x != x), place, 0)
    return np.maximum.accumulate(last, axis=axis, out=out)


KERNELS = {
    "cumulative_argmax": cumulative_argmax,
    "cumulative_prod": cumulative_prod,
    "cumulative_sum": cumulative_sum,
}
