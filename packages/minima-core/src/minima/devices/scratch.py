"""Scratch: buffers that a kernel needs only while it works, kept by each thread for its next."""

from __future__ import annotations

from math import prod
from threading import local
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KEEP", "scratch"]

#: the largest buffer that is kept, in bytes; a thread keeps one for each name
KEEP = 4 << 20


class _Kept(local):
    def __init__(self) -> None:
        self.buffers: dict[str, npt.NDArray[np.uint8]] = {}


_kept = _Kept()


def scratch(name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array of arbitrary content that the next call with *name* may return again.

    >>> from minima.devices.scratch import scratch
    >>> scratch("columns", (2, 3), "float32").shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = prod(shape) * dtype.itemsize
    buffer = _kept.buffers.get(name)
    if buffer is None or buffer.size < size:
        buffer = np.empty(size, np.uint8)
        if size <= KEEP:
            _kept.buffers[name] = buffer
    return buffer[:size].view(dtype).reshape(shape)
