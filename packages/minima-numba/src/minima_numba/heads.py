"""Attention as code: some queries of a head at a time, their weights of all keys in a tile.

A head's keys and values are copied first, keys by columns, so that products read vectors. A tile
holds each query's weights of all the keys that it sees: its softmax is complete, and what the
gradient needs of it is computed again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from .grids import Index, grid, multiply
from .packing import copy_row, fill, pack, whole
from .tiles import Nest, Operands, Shape, cut, tile_shape

__all__ = ["Head", "Heads", "Index", "Layout"]

ROWS = 32  # queries of a tile
APART = 16  # parts of the scratch begin at multiples of so many elements


@dataclass(frozen=True)
class Layout:
    """Strides of an operand, in elements: of the axes in front, of rows, of columns."""

    lead: tuple[int, ...]
    row: int
    column: int


@dataclass(frozen=True)
class Heads:
    """Attention of *lead* heads: *queries* and *keys* of *size* elements, values of *values*.

    *mask* is the kind of the mask's elements, "" where there is none.
    """

    kind: str
    lead: tuple[int, ...]
    queries: int
    keys: int
    size: int
    values: int
    causal: bool
    scale: float
    mask: str = ""

    @cached_property
    def block(self) -> int:
        """Queries of a tile."""
        return -(-self.queries // self.blocks)

    @cached_property
    def blocks(self) -> int:
        """Tiles of a head."""
        return -(-self.queries // ROWS)

    @cached_property
    def shape(self) -> Shape:
        """The vectors in which weights are computed."""
        return tile_shape(self.kind, self.keys, 2)

    @property
    def panel(self) -> int:
        """Keys that are copied together."""
        return self.shape.lanes * self.shape.vectors

    @property
    def length(self) -> int:
        """Keys, in whole panels."""
        return whole(self.keys, self.panel)

    @property
    def width(self) -> int:
        """How far rows of a tile lie from each other; not at addresses that a cache confuses."""
        return self.length + self.shape.lanes

    @cached_property
    def wide_size(self) -> int:
        """The size in whole vectors."""
        return whole(self.size, tile_shape(self.kind, self.size).lanes)

    @cached_property
    def wide_values(self) -> int:
        """The values in whole vectors."""
        return whole(self.values, tile_shape(self.kind, self.values).lanes)

    @property
    def many(self) -> int:
        """The number of heads."""
        found = 1
        for n in self.lead:
            found *= n
        return found

    @property
    def products(self) -> int:
        """Multiplications of the forward kernel, about."""
        found = self.many * self.queries * self.keys * (self.size + self.values)
        return found // 2 if self.causal else found

    def rooms(self, backward: bool) -> dict[str, int]:
        """Return the elements of each part of the scratch."""
        wide = max(self.wide_size, self.wide_values)
        found = {
            "keys": self.size * self.length,  # by columns
            "weights": self.block * self.width,
            "queries": self.block * self.wide_size,
            "out": self.block * wide,
            "factors": self.block,
        }
        if not backward:
            return found | {"values": self.length * self.wide_values}
        return found | {
            "values": self.values * self.length,  # by columns
            "key_rows": self.length * self.wide_size,
            "slopes": self.block * self.width,
            "g": self.block * self.wide_values,
            "of_keys": self.length * self.wide_size,
            "of_values": self.length * self.wide_values,
        }

    def scratch(self, backward: bool) -> int:
        """Return the elements of the scratch."""
        return sum(whole(n, APART) for n in self.rooms(backward).values())


class Head:
    """Writes what both kernels do with one head; *at* are the parts of the scratch."""

    def __init__(self, nest: Nest, h: Heads, scratch: str, backward: bool) -> None:
        self.nest, self.h, self.kind = nest, h, h.kind
        self.at: dict[str, str] = {}
        place = 0
        for name, count in h.rooms(backward).items():
            self.at[name] = nest.at(scratch, place, h.kind)
            place += whole(count, APART)

    # ---- places ----------------------------------------------------------------------------------
    def offset(self, layout: Layout, head: str) -> str | int:
        """Return where, in elements, the matrix of *head* begins."""
        nest, left = self.nest, head
        found: str | int = 0
        for n, stride in reversed([*zip(self.h.lead, layout.lead)]):
            if n > 1:
                found = nest.plus(found, nest.times(nest(f"srem i64 {left}, {n}"), stride))
                left = nest(f"sdiv i64 {left}, {n}")
        return found

    def smaller(self, a: str | int, b: str | int) -> str:
        """Return the smaller of two indices."""
        self.nest.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
        return self.nest(f"call i64 @llvm.smin.i64(i64 {a}, i64 {b})")

    def begin(self, block: str) -> None:
        """Note which tile is written: its first query, its queries, the panels that they see."""
        nest, h = self.nest, self.h
        self.first = str(nest.times(block, h.block))
        self.rows = self.smaller(nest(f"sub i64 {h.queries}, {self.first}"), h.block)
        self.panels: str | int = h.length // h.panel
        if h.causal:
            seen = nest.plus(nest.plus(self.first, self.rows), h.panel - 1)
            self.panels = self.smaller(nest(f"sdiv i64 {seen}, {h.panel}"), self.panels)
        self.stop = nest.times(self.panels, h.panel)

    # ---- copies ----------------------------------------------------------------------------------
    def by_columns(self, source: str, layout: Layout, count: int, place: str) -> None:
        """Copy a row for each key to panels of columns."""
        nest, h, kind = self.nest, self.h, self.kind
        lanes, strides = h.shape.lanes, (layout.column, layout.row)
        full, rest = divmod(h.keys, h.panel)

        def panel(p: str | int, columns: int) -> None:
            here = nest.at(source, nest.times(p, h.panel * layout.row), kind)
            there = nest.at(place, nest.times(p, h.panel * count), kind)
            pack(nest, kind, lanes, here, strides, there, (count, columns), h.panel)

        if full:
            nest.loop(0, full, lambda p: panel(p, h.panel))
        if rest:
            panel(full, rest)

    def by_rows(
        self,
        source: str,
        layout: Layout,
        sizes: tuple[str | int, int, int],
        place: str,
        factor: str = "",
    ) -> None:
        """Copy so many rows and columns to *place*; the third size is how many rows are there."""
        nest, kind = self.nest, self.kind
        rows, columns, there_are = sizes
        width = whole(columns, tile_shape(kind, columns).lanes)

        def row(r: str) -> None:
            here = nest.at(source, nest.times(r, layout.row), kind)
            there = nest.at(place, nest.times(r, width), kind)
            copy_row(nest, kind, here, there, columns, (layout.column, 1), factor)
            if width > columns:
                fill(nest, kind, there, width, first=columns)

        nest.loop(0, rows, row)
        if rows != there_are:
            behind = nest.times(rows, width)
            fill(nest, kind, place, there_are * width, first=behind)

    def out(
        self,
        rows: str | int,
        columns: int,
        place: str,
        layout: Layout,
        factor: Callable[[str], str],
    ) -> None:
        """Copy what products left in "out", each row times a factor."""
        nest, kind = self.nest, self.kind
        width = whole(columns, tile_shape(kind, columns).lanes)

        def row(r: str) -> None:
            here = nest.at(self.at["out"], nest.times(r, width), kind)
            there = nest.at(place, nest.times(r, layout.row), kind)
            copy_row(nest, kind, here, there, columns, (1, layout.column), factor(r))

        nest.loop(0, rows, row)

    # ---- products --------------------------------------------------------------------------------
    def against_keys(self, a: str, size: int, b: str, tile: str) -> None:
        """Write the products of the rows at *a* with all keys' at *b*, which lie by columns."""
        nest, h, kind = self.nest, self.h, self.kind
        lanes, width = h.shape.lanes, whole(size, tile_shape(kind, size).lanes)

        def panel(p: str) -> None:
            right = nest.at(b, nest.times(p, size * h.panel), kind)
            there = nest.at(tile, nest.times(p, h.panel), kind)
            for first, rows, count in cut(h.block, h.shape.rows):

                def some(t: str, first: int = first, rows: int = rows) -> None:
                    r = nest.plus(nest.times(t, rows), first)
                    left = nest.at(a, nest.times(r, width), kind)
                    ops = Operands(left, width, 1, right, h.panel, size)
                    place = nest.at(there, nest.times(r, h.width), kind)
                    vectors = [lanes] * h.shape.vectors
                    multiply(nest, kind, lanes, vectors, rows, ops, place, h.width)

                nest.loop(0, count, some)

        nest.loop(0, self.panels, panel)

    def over_keys(self, tile: str, b: str, size: int) -> None:
        """Write to "out" the products of a tile with the rows of keys at *b*."""
        nest, h, kind = self.nest, self.h, self.kind
        shape = tile_shape(kind, size)
        width = whole(size, shape.lanes)

        def one(r: Index, rows: int, c: Index, vectors: list[int]) -> None:
            ops = Operands(
                nest.at(tile, nest.times(r, h.width), kind),
                h.width,
                1,
                nest.at(b, c, kind),
                width,
                h.panel,
                ((self.panels, h.panel, h.panel * width),),
            )
            place = nest.at(nest.at(self.at["out"], nest.times(r, width), kind), c, kind)
            multiply(nest, kind, shape.lanes, vectors, rows, ops, place, width)

        grid(nest, shape, h.block, width, one)

    def over_queries(self, tile: str, b: str, size: int, place: str) -> None:
        """Add to the rows of keys at *place* the products of a tile's columns with rows at *b*."""
        nest, h, kind = self.nest, self.h, self.kind
        shape = tile_shape(kind, size)
        width = whole(size, shape.lanes)

        def panel(p: str) -> None:
            left = nest.at(tile, nest.times(p, h.panel), kind)
            there = nest.at(place, nest.times(p, h.panel * width), kind)

            def one(r: Index, rows: int, c: Index, vectors: list[int]) -> None:
                ops = Operands(
                    nest.at(left, r, kind), 1, h.width, nest.at(b, c, kind), width, h.block
                )
                here = nest.at(nest.at(there, nest.times(r, width), kind), c, kind)
                multiply(nest, kind, shape.lanes, vectors, rows, ops, here, width, add=True)

            grid(nest, shape, h.panel, width, one)

        nest.loop(0, self.panels, panel)
