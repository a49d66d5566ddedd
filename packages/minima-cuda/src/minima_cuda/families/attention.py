"""Attention and its gradient, tile by tile: weights are never in memory."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from minima.devices import Kernel

from ..geometry import Geometry, blocks
from ..launch import Launcher
from ..sources import Source
from .elementwise import merged_axes, spread_steps
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room

__all__ = ["KERNELS", "Tiles", "tiles_of"]

Array = Any
Shape = tuple[int, ...]

RUN_BYTES, OTHER, MOST_ROWS = 16, 32, 64
OWN_BYTES = 36 << 10  # of own rows in shared memory: with the rest, what every GPU has
WIDEST = 256  # elements of a row

#: struct Sizes of attention.cu
SIZES = np.dtype(
    [
        *((name, np.int64) for name in ("batch", "queries", "keys")),
        *((name, np.int64) for name in ("inner", "outer_step", "inner_step")),
        *((name, np.int64) for name in ("row_step", "column_step")),
        ("scale", np.float64),
        *((name, np.int32) for name in ("size", "width", "causal", "padding")),
    ]
)


class Tiles(NamedTuple):
    """How attention.cu is compiled, and the shared memory, in bytes, that its kernels need."""

    side: int
    parts: int
    shared: int

    def geometry(self, rows: int, batch: int) -> Geometry:
        """Return a grid with a block to a tile of *rows* of each matrix of a *batch*."""
        return Geometry((blocks(-(-rows // (16 * self.side)) * batch, 1),), (16, 16))


def tiles_of(rows: int, held: Shape, widest: int, itemsize: int) -> Tiles | None:
    """Return the tiles for matrices of *rows*, of which a block holds rows of the sizes *held*.

    *itemsize* is that of a number in computation. None: the rows are too long.

    >>> tiles_of(1000, (64,), 64, 4), tiles_of(5, (64, 64), 64, 4)
    (Tiles(side=4, parts=1, shared=35328), Tiles(side=1, parts=1, shared=19712))
    >>> tiles_of(1000, (300,), 300, 4) is None
    True
    """
    run = RUN_BYTES // itemsize
    chunk = 16 * run
    row = sum(-(-size // run) * run + run for size in held) * itemsize
    side = MOST_ROWS // 16 if itemsize == 4 else 2
    while side > 1 and (16 * side * row > OWN_BYTES or rows <= 8 * side):
        side //= 2
    if widest > WIDEST or 16 * side * row > OWN_BYTES:
        return None
    rest = (OTHER * (chunk + run) + 16 * side * (OTHER + run)) * itemsize
    return Tiles(side, -(-widest // chunk), 16 * side * row + rest)


def _mask_steps(xp: Any, mask: Array, lead: Shape, shape: Shape) -> tuple[Array, tuple[int, ...]]:
    """Return *mask* and its steps: (inner, outer_step, inner_step, row_step, column_step)."""
    wide = spread_steps((*lead, *shape), mask.shape, mask.strides, mask.itemsize)
    axes = merged_axes(lead, [wide[:-2]])
    if len(axes) > 2:
        mask = xp.ascontiguousarray(xp.broadcast_to(mask, (*lead, *mask.shape[-2:])))
        return _mask_steps(xp, mask, lead, shape)
    outer = axes[0][1][0] if len(axes) == 2 else 0
    return mask, (axes[-1][0], outer, axes[-1][1][0], *wide[-2:])


class _Call:
    """The arguments that all kernels of one call share."""

    def __init__(
        self, xp: Any, q: Array, k: Array, v: Array, mask: Array, causal: bool, scale: float
    ) -> None:
        self.dtype = q.dtype
        self.accumulator = np.dtype(ACCUMULATORS[q.dtype.name])
        lead, (self.rows, self.size), (self.keys, self.width) = (
            *(q.shape[:-2], q.shape[-2:]),
            v.shape[-2:],
        )
        self.batch = prod(lead)
        self.kind = 0 if mask is None else 1 if mask.dtype == bool else 2
        steps: tuple[int, ...] = (1, 0, 0, 0, 0)
        self.mask = q
        if mask is not None:
            seen = mask if self.kind == 1 else mask.astype(q.dtype, copy=False)
            seen = xp.ascontiguousarray(seen) if seen.ndim > 1 else xp.atleast_2d(seen)
            self.mask, steps = _mask_steps(xp, seen, lead, (self.rows, self.keys))
        self.sizes = np.zeros((), SIZES)
        values = (self.batch, self.rows, self.keys, *steps, scale, self.size, self.width, causal, 0)
        self.sizes[()] = values

    def tiles(self, rows: int, *held: int) -> Tiles | None:
        """Return `tiles_of` with blocks that own some of *rows*, of the sizes *held*."""
        widest = max(self.size, self.width)
        return tiles_of(rows, held, widest, self.accumulator.itemsize)

    def run(
        self, launcher: Launcher, name: str, rows: int, tiles: Tiles, inputs: Any, results: Any
    ) -> None:
        """Launch kernel *name* on *inputs* and the mask, for *results*."""
        defines = (("SIDE", tiles.side), ("PARTS", tiles.parts), ("MASK", self.kind))
        source = Source("attention", self.dtype.name, tuple((n, str(v)) for n, v in defines))
        grid, block = tiles.geometry(rows, self.batch)
        args = (*inputs, self.mask, *results, self.sizes[()])
        launcher.launch(source, name, grid, block, args, tiles.shared)


def _served(*arrays: Array) -> bool:
    """Say whether *arrays* are floating, of one dtype, and none is empty."""
    first = arrays[0].dtype
    return first.name in FLOATS and all(a.dtype == first and a.size for a in arrays)


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""

    def scaled_dot_product_attention(
        q: Array,
        k: Array,
        v: Array,
        mask: Array = None,
        *,
        causal: bool,
        scale: float,
        out: Array = None,
    ) -> Array:
        name, attrs = "scaled_dot_product_attention", {"causal": causal, "scale": scale}
        call = _Call(xp, q, k, v, mask, causal, scale) if _served(q, k, v) else None
        tiles = call.tiles(call.rows, call.size) if call else None
        if call is None or tiles is None:
            return by_reference(xp, name, (q, k, v, mask), attrs, out)
        arrays = [xp.ascontiguousarray(x) for x in (q, k, v)]
        y = room(xp, out, (*q.shape[:-1], v.shape[-1]), q.dtype, (*arrays, mask))
        call.run(launcher, "attention", call.rows, tiles, arrays, (y,))
        return into(out, y)

    def attention_gradient(
        g: Array,
        q: Array,
        k: Array,
        v: Array,
        mask: Array = None,
        *,
        causal: bool,
        scale: float,
        out: Array = None,
    ) -> Array:
        name, attrs = "attention_gradient", {"causal": causal, "scale": scale}
        call = _Call(xp, q, k, v, mask, causal, scale) if _served(g, q, k, v) else None
        forward = call.tiles(call.rows, call.size) if call else None
        of_rows = call.tiles(call.rows, call.size, call.width) if call else None
        if call is None or forward is None or of_rows is None:
            return by_reference(xp, name, (g, q, k, v, mask), attrs, out)
        of_keys = call.tiles(call.keys, call.size, call.width) or of_rows
        arrays = [xp.ascontiguousarray(x) for x in (g, q, k, v)]
        ends = (q.size, q.size + k.size)
        y = room(xp, out, (ends[1] + v.size,), q.dtype, (*arrays, mask))
        sums = [xp.empty((call.batch, call.rows), call.accumulator) for _ in range(2)]
        found = y[: ends[0]], y[ends[0] : ends[1]], y[ends[1] :]
        call.run(launcher, "attention_sums", call.rows, forward, arrays, sums)
        call.run(launcher, "attention_queries", call.rows, of_rows, arrays, (*sums, found[0]))
        call.run(launcher, "attention_keys", call.keys, of_keys, arrays, (*sums, *found[1:]))
        return into(out, y)

    return {
        "scaled_dot_product_attention": scaled_dot_product_attention,
        "attention_gradient": attention_gradient,
    }
