"""Outlines: arrays that say how a buffer lies in memory once the buffer itself is gone.

A plan asks for shapes, strides, types and distances, not for what a run computed. Outlines have
these and no memory of their own: all lie over one piece of address space that is never written.
"""

from __future__ import annotations

from math import prod
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

__all__ = ["Buffers", "address", "outline", "outline_like", "outline_view"]

_space: Any = np.empty(0, np.uint8)


def outline(shape: tuple[int, ...], dtype: Any, strides: tuple[int, ...] | None = None) -> Any:
    """Return an array of *shape*, laid out by *strides*, that has no memory and must not be read.

    >>> from minima.compiler.outline import outline
    >>> outline((1 << 20, 1 << 10), np.dtype("float32")).nbytes >> 30
    4
    """
    dtype = np.dtype(dtype)
    if strides is None:
        strides = tuple(dtype.itemsize * prod(shape[i + 1 :]) for i in range(len(shape)))
    below = sum((n - 1) * s for n, s in zip(shape, strides) if s < 0)
    above = sum((n - 1) * s for n, s in zip(shape, strides) if s > 0)
    space = _at_least(above - below + dtype.itemsize)
    return np.ndarray(shape, dtype, space, -below, strides)


def outline_like(array: Any) -> Any:
    """Return an outline with the shape and type of *array*, dense, its axes in the same order.

    >>> from minima.compiler.outline import outline_like
    >>> outline_like(np.ones((3, 8, 2))[:, ::2].T).strides
    (8, 16, 64)
    """
    order = sorted(range(array.ndim), key=lambda axis: (-abs(array.strides[axis]), axis))
    strides, size = [0] * array.ndim, array.dtype.itemsize
    for axis in reversed(order):
        strides[axis] = size
        size *= array.shape[axis]
    return outline(array.shape, array.dtype, tuple(strides))


def _at_least(size: int) -> Any:
    """Return address space of *size* bytes, one for all outlines."""
    global _space
    if _space.size < size:
        from mmap import ACCESS_READ, mmap

        _space = np.frombuffer(mmap(-1, 1 << max(20, size.bit_length()), access=ACCESS_READ), "u1")
    return _space


def outline_view(source: Any, whole: Any, part: Any) -> Any:
    """Return the outline that lies to the outline *whole* as the view *part* to its *source*."""
    space = whole.base
    behind = address(part) - address(source) + address(whole) - address(space)
    return np.ndarray(part.shape, part.dtype, space, behind, part.strides)


def address(array: Any) -> int:
    """Return where the first element of an array of the host, or of a GPU, lies."""
    interface = getattr(array, "__cuda_array_interface__", None)
    if interface is None:
        interface = array.__array_interface__
    place: int = interface["data"][0]
    return place


class Buffers:
    """The buffers that a run made, each with what a plan may know it by when it is gone.

    Constants and those of other devices than the cpu are kept themselves.
    """

    def __init__(self) -> None:
        self._alive: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self._outlines: dict[int, Any] = {}
        self._kept: dict[int, Any] = {}

    def __contains__(self, array: Any) -> bool:
        key = id(array)
        return key in self._kept or self._alive.get(key) is array

    def known(self, array: Any) -> Any:
        """Return what a plan knows *array* by: itself, unless the run made it."""
        made = array is not None and self._alive.get(id(array)) is array
        return self._outlines[id(array)] if made else array

    def add(self, array: Any, source: Any = None, *, keep: bool = False) -> Any:
        """Enter *array*, a view of *source* if that is given; return what it is known by."""
        whole = None if source is None else self.known(source)
        beyond = whole is not None and whole is source  # a view of what has no outline
        if keep or beyond or type(array) is not np.ndarray:
            self._alive.pop(id(array), None)
            self._kept[id(array)] = array
            return array
        if source is None:
            found = outline(array.shape, array.dtype, array.strides)
        else:
            found = outline_view(source, whole, array)
        self._alive[id(array)] = array
        self._outlines[id(array)] = found
        return found
