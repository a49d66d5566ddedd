"""Images with their channels last, cut into pieces that fit the cache and have their margins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .scratch import scratch

__all__ = ["Piece", "channels_last", "halves", "padded", "pieces", "result"]

Array = Any


class Piece(NamedTuple):
    """Rows *first* to *last* of the images *start* to *stop*."""

    start: int
    stop: int
    first: int
    last: int


def channels_last(x: Array) -> Array:
    """Return x (N, C, H, W) seen as (N, H, W, C).

    >>> channels_last(np.zeros((1, 2, 3, 4))).shape
    (1, 3, 4, 2)
    """
    return x.transpose(0, 2, 3, 1)


def result(shape: tuple[int, ...], dtype: Any, out: Array) -> Array:
    """Return *out*, or a new array of *shape* (N, C, H, W) in whose memory the channels are last.

    >>> channels_last(result((1, 2, 3, 4), "float32", None)).flags.c_contiguous
    True
    """
    if out is not None:
        return out
    n, c, h, w = shape
    return np.empty((n, h, w, c), dtype).transpose(0, 3, 1, 2)


def pieces(images: int, rows: int, row_size: int, limit: int) -> list[Piece]:
    """Cut *images* of *rows* rows into pieces of at most *limit* elements, if a row is that small.

    The cut depends on nothing else, so results are the same on any number of threads.

    >>> pieces(3, 10, 100, 2000)
    [Piece(start=0, stop=2, first=0, last=10), Piece(start=2, stop=3, first=0, last=10)]
    >>> pieces(1, 10, 100, 500)
    [Piece(start=0, stop=1, first=0, last=5), Piece(start=0, stop=1, first=5, last=10)]
    """
    size = max(1, rows * row_size)
    if size > limit and rows > 1:
        many = max(1, limit // max(1, row_size))
        cuts = [(r, min(rows, r + many)) for r in range(0, rows, many)]
        return [Piece(i, i + 1, first, last) for i in range(images) for first, last in cuts]
    many = max(1, limit // size)
    many = min(many, max(1, -(-images // 2)))  # at least two pieces, for two threads
    return [Piece(i, min(images, i + many), 0, rows) for i in range(0, images, many)]


def halves(parts: list[Piece], most: int = 8) -> list[list[Piece]]:
    """Return *parts* in at most *most* runs: of each run a thread makes one sum.

    >>> [len(run) for run in halves(pieces(10, 1, 1, 1))]
    [2, 2, 2, 2, 2]
    """
    many = max(1, -(-len(parts) // most))
    return [parts[i : i + many] for i in range(0, len(parts), many)]


def padded(
    x: Array, at: Piece, rows: tuple[int, int], columns: tuple[int, int], flat: bool, dtype: Any
) -> Array:
    """Return the images of a piece of x (N, H, W, C), cut to *rows* and *columns*, as *dtype*.

    Beyond the border stand zeros. With *flat* each channel is a plane of memory.

    >>> x = np.ones((1, 2, 2, 1))
    >>> padded(x, Piece(0, 1, 0, 2), (0, 3), (-1, 2), False, x.dtype)[0, :, :, 0]
    array([[0., 1., 1.],
           [0., 1., 1.],
           [0., 0., 0.]])
    """
    _, h, w, c = x.shape
    (top, bottom), (left, right) = rows, columns
    inner = min(top, left) >= 0 and bottom <= h and right <= w
    if inner and x.dtype == dtype:
        return x[at.start : at.stop, top:bottom, left:right]
    m, height, width = at.stop - at.start, bottom - top, right - left
    if flat:
        found = scratch("padded", (m, c, height, width), dtype).transpose(0, 2, 3, 1)
    else:
        found = scratch("padded", (m, height, width, c), dtype)
    y0, y1, x0, x1 = max(top, 0), min(bottom, h), max(left, 0), min(right, w)
    found[:, : y0 - top] = 0
    found[:, max(y1, top) - top :] = 0
    found[:, :, : x0 - left] = 0
    found[:, :, max(x1, left) - left :] = 0
    if y0 < y1 and x0 < x1:
        place = found[:, y0 - top : y1 - top, x0 - left : x1 - left]
        np.copyto(place, x[at.start : at.stop, y0:y1, x0:x1])
    return found
