"""A result cut into tiles: the loops over these, and a tile that is written or added to."""

from __future__ import annotations

from collections.abc import Callable

from .packing import columns_of
from .tiles import ZERO, Nest, Operands, Shape, cut, product

__all__ = ["Index", "grid", "multiply"]

Index = str | int


def grid(
    nest: Nest,
    shape: Shape,
    count: int,
    width: int,
    one: Callable[[Index, int, Index, list[int]], object],
) -> None:
    """Write loops over the tiles of *count* rows: *one* of their row, rows, column, vectors."""
    for first, rows, many in cut(count, shape.rows):
        for column, vectors, runs in columns_of(shape, width):
            step = len(vectors) * shape.lanes

            def row(
                t: str,
                first: int = first,
                rows: int = rows,
                column: int = column,
                vectors: list[int] = vectors,
                runs: int = runs,
                step: int = step,
            ) -> None:
                r = nest.plus(nest.times(t, rows), first)
                nest.loop(
                    0,
                    runs,
                    lambda u: one(r, rows, nest.plus(nest.times(u, step), column), vectors),
                )

            nest.loop(0, many, row)


def multiply(
    nest: Nest,
    kind: str,
    lanes: int,
    vectors: list[int],
    rows: int,
    ops: Operands,
    place: str,
    row: int,
    add: bool = False,
) -> None:
    """Write a tile's product to *place*, whose rows are *row* apart, or *add* it.

    There whole vectors are written; *vectors* are the elements of each that are there to read.
    """
    places = [
        [nest.at(place, m * row + v * lanes, kind) for v in range(len(vectors))]
        for m in range(rows)
    ]
    start = [[nest.read(p, kind, lanes) if add else ZERO for p in line] for line in places]
    sums = product(nest, kind, lanes, vectors, ops, start)
    for line, values in zip(places, sums):
        for p, value in zip(line, values):
            nest.write(value, p, kind, lanes, lanes)
