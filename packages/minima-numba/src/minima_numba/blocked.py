"""Products of matrices as code: blocks of the right one are copied to where tiles read them.

A block is a run of k and some panels, each as many columns as a tile has. It stays in the cache
while tiles of all rows pass over it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .packing import columns_of, copy_row, pack, whole
from .tiles import ZERO, Nest, Operands, Shape, cut, function, product, tile_shape

__all__ = ["Matrices", "source"]

DEPTH = 256  # of k in a block, at most
WIDTH = 256  # columns of a block, about
HEIGHT = 256  # rows that pass over a block, about
LOW = 32  # rows at least: fewer do not pay for a block's copy
PARTS = 4  # of a product with more multiplications than
LARGE = 1 << 19

Pair = tuple[int, int]


@dataclass(frozen=True)
class Matrices:
    """c = a @ b, of sizes m, n and k; strides in elements, of *a* and *b* by rows and columns."""

    kind: str
    m: int
    n: int
    k: int
    a: Pair
    b: Pair
    c_row: int
    bias: bool = False

    @property
    def shape(self) -> Shape:
        """The vectors of a tile."""
        return tile_shape(self.kind, self.n)

    @property
    def panel(self) -> int:
        """Columns of a panel."""
        return self.shape.lanes * self.shape.vectors

    @property
    def panels(self) -> int:
        """How many there are."""
        return -(-self.n // self.panel)

    @property
    def tiles(self) -> list[tuple[int, int, int]]:
        """The rows of tiles, as `cut` gives them."""
        return cut(self.m, self.shape.rows)

    @property
    def depths(self) -> list[tuple[int, int, int]]:
        """The same of the runs of k."""
        return cut(self.k, DEPTH)

    @property
    def grid(self) -> Pair:
        """Into how many parts rows and columns are divided; it does not depend on threads."""
        rows, columns = -(-self.m // HEIGHT), min(self.panels, -(-self.n // WIDTH))
        while rows * columns < PARTS and self.products > LARGE:
            wide, tall = 2 * columns <= self.panels, self.m // rows >= 2 * LOW
            if tall and (self.turned or not wide):  # columns would copy the rows of tiles again
                rows *= 2
            elif wide:
                columns *= 2
            else:
                break
        return rows, columns

    @property
    def items(self) -> int:
        """Parts in all."""
        return self.grid[0] * self.grid[1]

    @property
    def turned(self) -> bool:
        """Whether rows of a tile have to be copied too: a row's elements lie apart."""
        return self.a[1] != 1 and self.k > 1

    @property
    def height(self) -> int:
        """How far the columns of copied rows lie from each other; no addresses that collide."""
        most = -(-sum(t[2] for t in self.tiles) // self.grid[0]) * self.tiles[0][1]
        return whole(most, self.shape.lanes) + self.shape.lanes

    @property
    def scratch(self) -> int:
        """Elements of a block and, where it is copied, of the rows of a tile."""
        depth = self.depths[0][1]
        panels = -(-self.panels // self.grid[1])
        return depth * (panels * self.panel + (self.height if self.turned else 0))

    @property
    def products(self) -> int:
        """Multiplications in all."""
        return self.m * self.n * self.k


def source(x: Matrices) -> str:
    """Return the kernel that computes parts of a product.

    Table: a, b, bias, c, scratch. It runs over the parts of `Matrices.grid`.
    """
    nest = Nest()

    def body(*names: str) -> None:
        nest.loop("%low", "%high", Part(nest, x, *names).write)

    return function(nest, ["ptr"] * 5, body)


class Part:
    """Writes what computes one part: some rows of some panels."""

    def __init__(
        self, nest: Nest, x: Matrices, a: str, b: str, bias: str, c: str, scratch: str
    ) -> None:
        self.nest, self.x, self.kind = nest, x, x.kind
        self.a, self.b, self.bias, self.c, self.block = a, b, bias, c, scratch
        self.rows = nest.at(scratch, x.scratch - x.depths[0][1] * x.height, x.kind)

    def write(self, item: str) -> None:
        """Write the part number *item*."""
        nest, x = self.nest, self.x
        down, across = x.grid
        row, column = nest(f"sdiv i64 {item}, {across}"), nest(f"srem i64 {item}, {across}")
        self.first, self.last = self.span(row, sum(t[2] for t in x.tiles), down)
        self.low, self.high = self.span(column, x.panels, across)
        for number, (begin, depth, count) in enumerate(x.depths):
            if not number:
                self.round("0", depth, first=True)
                begin, count = depth, count - 1
            if count:
                nest.loop(
                    0,
                    count,
                    lambda i, b=begin, d=depth: self.round(nest.plus(nest.times(i, d), b), d),
                )

    def span(self, part: str, size: int, parts: int) -> tuple[str, str]:
        """Return where *part* of so many begins and ends."""
        if parts == 1:
            return "0", str(size)
        nest = self.nest
        ends = [part, str(nest.plus(part, 1))]
        low, high = (nest(f"sdiv i64 {nest.times(end, size)}, {parts}") for end in ends)
        return low, high

    def within(self, low: str, high: str, first: int, count: int) -> tuple[str, str]:
        """Return the part of *low* .. *high* that lies in *first* .. *first* + *count*."""
        nest = self.nest
        nest.declared |= {f"declare i64 @llvm.s{how}.i64(i64, i64)" for how in ("min", "max")}
        return (
            nest(f"call i64 @llvm.smax.i64(i64 {low}, i64 {first})"),
            nest(f"call i64 @llvm.smin.i64(i64 {high}, i64 {first + count})"),
        )

    def round(self, begin: str | int, depth: int, first: bool = False) -> None:
        """Write one run of k: copy the block, then compute all tiles."""
        nest, x = self.nest, self.x
        self.copy(begin, depth)
        if x.turned:
            self.copy_rows(begin, depth)
        number = 0
        for start, rows, count in x.tiles:
            low, high = self.within(self.first, self.last, number, count)

            def tile(t: str, start: int = start, rows: int = rows, number: int = number) -> None:
                row = nest.plus(nest.times(nest.plus(t, -number), rows), start)
                self.tile(row, rows, begin, depth, first)

            nest.loop(low, high, tile)
            number += count

    def copy(self, begin: str | int, depth: int) -> None:
        """Copy the block's panels."""
        nest, x = self.nest, self.x
        source = nest.at(self.b, nest.times(begin, x.b[0]), self.kind)
        number = 0
        for _, widths, count in columns_of(x.shape, x.n):
            low, high = self.within(self.low, self.high, number, count)

            def panel(p: str, columns: int = sum(widths)) -> None:
                here = nest.at(source, nest.times(p, x.panel * x.b[1]), self.kind)
                there = nest.at(self.block, self.place(p, depth), self.kind)
                sizes = depth, columns
                pack(nest, self.kind, x.shape.lanes, here, x.b, there, sizes, x.panel)

            nest.loop(low, high, panel)
            number += count

    def copy_rows(self, begin: str | int, depth: int) -> None:
        """Copy the rows of all tiles, column by column."""
        nest, x, kind = self.nest, self.x, self.kind
        self.top, end = self.row(self.first), self.row(self.last)
        count = nest(f"sub i64 {end}, {self.top}")
        source = nest.at(self.a, nest.times(self.top, x.a[0]), kind)
        source = nest.at(source, nest.times(begin, x.a[1]), kind)

        def column(i: str) -> None:
            here = nest.at(source, nest.times(i, x.a[1]), kind)
            there = nest.at(self.rows, nest.times(i, x.height), kind)
            copy_row(nest, kind, here, there, count, (x.a[0], 1))

        nest.loop(0, depth, column)

    def row(self, tile: str) -> str:
        """Return the first row of a tile."""
        nest = self.nest
        (_, rows, count), *others = self.x.tiles
        if not others:
            return str(nest.times(tile, rows))
        _, high = self.within("0", tile, 0, count)
        more = nest(f"sub i64 {tile}, {high}")
        return str(nest.plus(nest.times(high, rows), nest.times(more, others[0][1])))

    def place(self, p: str, depth: int) -> str | int:
        """Return where in the block panel *p* begins."""
        nest = self.nest
        return nest.times(nest(f"sub i64 {p}, {self.low}"), depth * self.x.panel)

    def tile(self, row: str | int, rows: int, begin: str | int, depth: int, first: bool) -> None:
        """Write the tiles of *rows* from *row* on, one after the other."""
        nest, x, kind = self.nest, self.x, self.kind
        left = nest.at(
            nest.at(self.a, nest.times(row, x.a[0]), kind), nest.times(begin, x.a[1]), kind
        )
        steps = x.a
        if x.turned:
            left = nest.at(self.rows, nest.plus(row, nest(f"sub i64 0, {self.top}")), kind)
            steps = (1, x.height)
        number = 0
        for _, widths, count in columns_of(x.shape, x.n):
            low, high = self.within(self.low, self.high, number, count)

            def one(p: str, widths: list[int] = widths) -> None:
                right = nest.at(self.block, self.place(p, depth), kind)
                ops = Operands(left, *steps, right, x.panel, depth)
                column = nest.times(p, x.panel)
                place = nest.at(nest.at(self.c, nest.times(row, x.c_row), kind), column, kind)
                self.multiply(ops, widths, rows, place, column, first)

            nest.loop(low, high, one)
            number += count

    def multiply(
        self,
        ops: Operands,
        widths: list[int],
        rows: int,
        place: str,
        column: str | int,
        first: bool,
    ) -> None:
        """Write one tile: what is there already, or the bias, and the product."""
        nest, x, kind, lanes = self.nest, self.x, self.kind, self.x.shape.lanes
        places = [
            [nest.at(place, m * x.c_row + v * lanes, kind) for v in range(len(widths))]
            for m in range(rows)
        ]
        if not first:
            start = [
                [nest.read(p, kind, w, lanes) for p, w in zip(line, widths)] for line in places
            ]
        elif x.bias:
            at = [
                nest.at(self.bias, nest.plus(column, v * lanes), kind) for v in range(len(widths))
            ]
            start = [[nest.read(p, kind, w, lanes) for p, w in zip(at, widths)]] * rows
        else:
            start = [[ZERO] * len(widths)] * rows
        sums = product(nest, kind, lanes, [lanes] * len(widths), ops, start)
        for line, values in zip(places, sums):
            for p, value, width in zip(line, values, widths):
                nest.write(value, p, kind, width, lanes)
