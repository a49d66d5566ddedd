"""What kernels know of the windows that slide over an image."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["WINDOW", "Pair", "count_of", "window_of"]

Pair = tuple[int, int]

#: struct Window of window.cuh
WINDOW = np.dtype(
    [
        (name, np.int32, (2,))
        for name in ("size", "count", "kernel", "stride", "padding", "dilation")
    ]
)


def count_of(
    size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1)
) -> Pair:
    """Return how many windows fit into an image of *size* along y and x.

    >>> count_of((8, 9), (3, 3), (2, 1), (1, 0))
    (4, 7)
    """
    rows, columns = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)
    )
    return rows, columns


@lru_cache(maxsize=4096)
def window_of(
    size: Pair,
    count: Pair,
    kernel: Pair = (1, 1),
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
) -> Any:
    """Return the struct Window."""
    return np.array((size, count, kernel, stride, padding, dilation), WINDOW)[()]
