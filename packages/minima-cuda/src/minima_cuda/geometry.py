"""How many blocks of how many threads: one function per shape of work.

Kernels step through what a grid does not cover, so a grid may always be smaller than the work.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "BLOCK",
    "Geometry",
    "blocks",
    "grid_limit",
    "over_elements",
    "rows",
    "tiles",
]

BLOCK = 256  # threads where nothing else is asked for
WARP = 32
LARGEST_BLOCK = 1024
#: blocks of a grid along x, y and z that a GPU takes
GRID_LIMITS = (2**31 - 1, 65535, 65535)
#: blocks along x beyond which threads take several elements: many times what any GPU holds at once
ENOUGH_BLOCKS = 1 << 16


class Geometry(NamedTuple):
    """The grid, in blocks, and the block, in threads; each along x, y, z."""

    grid: tuple[int, ...]
    block: tuple[int, ...]


def grid_limit(axis: int) -> int:
    """Return the most blocks along x (0), y (1) or z (2).

    >>> grid_limit(0), grid_limit(2)
    (2147483647, 65535)
    """
    return GRID_LIMITS[axis]


def blocks(work: int, per_block: int, axis: int = 0) -> int:
    """Return how many blocks along *axis* to launch for *work* items, *per_block* in each.

    >>> blocks(1000, 256), blocks(10**6, 1, axis=1)
    (4, 65535)
    """
    return min(-(-work // per_block), GRID_LIMITS[axis])


def over_elements(count: int, per_thread: int = 1) -> Geometry:
    """Return a grid for *count* elements that threads step through along x.

    >>> over_elements(1000)
    Geometry(grid=(4,), block=(256,))
    >>> over_elements(10**12)
    Geometry(grid=(65536,), block=(256,))
    """
    return Geometry((min(blocks(count, BLOCK * per_thread), ENOUGH_BLOCKS),), (BLOCK,))


def rows(count: int, length: int, most: int = BLOCK) -> Geometry:
    """Return a grid with a block per row, which steps to the next row, for *count* rows.

    The block has whole warps, *most* threads where *length* elements give them work.

    >>> rows(10, 33)
    Geometry(grid=(10,), block=(64,))
    >>> rows(10, 5000, most=1024)
    Geometry(grid=(10,), block=(1024,))
    """
    threads = min(max(1, -(-length // WARP)) * WARP, most, LARGEST_BLOCK)
    return Geometry((blocks(count, 1),), (threads,))


def tiles(
    height: int,
    width: int,
    tile: tuple[int, int],
    block: tuple[int, ...],
    batch: int = 1,
) -> Geometry:
    """Return a grid of tiles (rows, columns): columns along x, rows along y, *batch* along z.

    Tiles beyond the limits along y and z are left to the kernel's loops.

    >>> tiles(100, 50, (64, 32), (16, 16), batch=8)
    Geometry(grid=(2, 2, 8), block=(16, 16))
    """
    grid = (blocks(width, tile[1]), blocks(height, tile[0], 1), blocks(batch, 1, 2))
    return Geometry(grid, block)
