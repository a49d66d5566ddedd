"""Convolution with 3x3 windows in 4 times fewer multiplications: Winograd's F(4x4, 3x3).

Each tile of 6x6 inputs gives 4x4 outputs, and each of its 36 transformed elements is a product of
matrices over the channels. Within 1e-5 of direct convolution, relative to the largest output.
NaN and infinity reach all outputs of a tile, not only those whose window holds them.

Source: Lavin & Gray 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from ..blas import BLAS
from ..threads import share
from .pieces import Piece, halves, padded, pieces
from .scratch import scratch

__all__ = ["suits_winograd", "winograd", "winograd_weight_gradient"]

Array = Any

CHUNK = 1 << 17  # transformed elements at a time
CHANNELS = 32  # from as many on, in and out, the transforms pay

_INPUT = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float64,
)
_WEIGHT = (
    np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64)
    / 24
)
_OUTPUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    np.float64,
)
#: the same on both axes at once: (36, 36), (36, 9), (16, 36)
INPUT, WEIGHT, OUTPUT = (np.kron(m, m).astype(np.float32) for m in (_INPUT, _WEIGHT, _OUTPUT))


def suits_winograd(x: Array, weight: Array, window: Any, y: Array) -> bool:
    """Say whether to convolve x by *weight* this way: in float32, and where it is quicker."""
    return bool(
        x.dtype == np.float32
        and window.kernel == (3, 3)
        and window.stride == (1, 1)
        and window.dilation == (1, 1)
        and min(weight.shape[:2]) >= CHANNELS
        and min(y.shape[1:3]) >= 4
        and y.shape[0] * y.shape[1] * y.shape[2] >= 256
    )


def tiles(x: Array, at: Piece, padding: tuple[int, int], across: int) -> Array:
    """Return the 6x6 tiles of a piece, transformed: (36, m * down * across, C)."""
    down, c = at.last - at.first, x.shape[3]
    top, left = 4 * at.first - padding[0], -padding[1]
    rows, columns = (top, top + 4 * down + 2), (left, left + 4 * across + 2)
    seen = padded(x, at, rows, columns, False, x.dtype)
    sn, sy, sx, sc = seen.strides
    m = seen.shape[0]
    view = as_strided(seen, (6, 6, m, down, across, c), (sy, sx, sn, 4 * sy, 4 * sx, sc))
    found = scratch("tiles", view.shape, x.dtype)
    np.copyto(found, view)
    made = scratch("transformed", (36, m * down * across, c), x.dtype)
    np.matmul(INPUT, found.reshape(36, -1), out=made.reshape(36, -1))
    return made


def winograd(x: Array, weight: Array, bias: Array, padding: tuple[int, int], y: Array) -> None:
    """Convolve x (N, H, W, C) by weight (3, 3, C, O) into y (N, OH, OW, O)."""
    n, height, width, o = y.shape
    c = x.shape[3]
    flat = np.ascontiguousarray(weight).reshape(9, c * o)
    with BLAS:  # threads of its own would still spin when the pool begins
        factors = np.matmul(WEIGHT, flat).reshape(36, c, o)
    down, across = -(-height // 4), -(-width // 4)
    parts = pieces(n, down, 9 * across * (c + o), CHUNK)

    def part(i: int) -> None:
        at = parts[i]
        made = tiles(x, at, padding, across)
        mixed = scratch("mixed", (36, made.shape[1], o), x.dtype)
        np.matmul(made, factors, out=mixed)
        found = scratch("tiles", (16, made.shape[1] * o), x.dtype)
        np.matmul(OUTPUT, mixed.reshape(36, -1), out=found)
        m, rows = at.stop - at.start, at.last - at.first
        images = found.reshape(4, 4, m, rows, across, o).transpose(2, 3, 0, 4, 1, 5)
        place = y[at.start : at.stop, 4 * at.first : 4 * at.last]
        put_tiles(images, place)
        if bias is not None:
            place += bias

    share(part, len(parts))


def put_tiles(images: Array, place: Array) -> None:
    """Write tiles (m, down, 4, across, 4, O) to place (m, H, W, O), which may be smaller."""
    m, down, _, across, _, o = images.shape
    _, h, w, _ = place.shape
    if (h, w) != (4 * down, 4 * across):
        whole = scratch("whole", (m, 4 * down, 4 * across, o), images.dtype)
        put_tiles(images, whole)
        np.copyto(place, whole[:, :h, :w])
        return
    sn, sy, sx, so = place.strides
    np.copyto(as_strided(place, images.shape, (sn, 4 * sy, sy, 4 * sx, sx, so)), images)


def winograd_weight_gradient(x: Array, g: Array, padding: tuple[int, int], out: Array) -> None:
    """Return the gradient of a weight, out (O, C, 3, 3), from x (N, H, W, C), g (N, OH, OW, O)."""
    n, height, width, o = g.shape
    c = x.shape[3]
    down, across = -(-height // 4), -(-width // 4)
    groups = halves(pieces(n, down, 9 * across * (c + o), CHUNK))
    totals = np.zeros((len(groups), 36, c, o), x.dtype)
    back = np.ascontiguousarray(OUTPUT.T)

    def part(i: int) -> None:
        for at in groups[i]:
            made = tiles(x, at, padding, across)
            slopes = scratch("slopes", (36, made.shape[1], o), x.dtype)
            blocks = output_tiles(g, at, across)
            np.matmul(back, blocks.reshape(16, -1), out=slopes.reshape(36, -1))
            one = scratch("mixed", (36, c, o), x.dtype)
            np.matmul(made.transpose(0, 2, 1), slopes, out=one)
            totals[i] += one

    share(part, len(groups))
    with BLAS:
        total = np.matmul(WEIGHT.T, np.add.reduce(totals, axis=0).reshape(36, c * o))
    np.copyto(out, total.reshape(3, 3, c, o).transpose(3, 2, 0, 1))


def output_tiles(g: Array, at: Piece, across: int) -> Array:
    """Return the 4x4 blocks of a piece of g: (4, 4, m, down, across, O)."""
    down = at.last - at.first
    seen = padded(g, at, (4 * at.first, 4 * at.last), (0, 4 * across), False, g.dtype)
    sn, sy, sx, so = seen.strides
    shape = (4, 4, seen.shape[0], down, across, g.shape[3])
    found = scratch("tiles", shape, g.dtype)
    np.copyto(found, as_strided(seen, shape, (sy, sx, sn, 4 * sy, 4 * sx, so)))
    return found
