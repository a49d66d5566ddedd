"""3x3 windows at stride 1 in 4 times fewer multiplications, as code: Winograd's F(4x4, 3x3).

A tile of 6x6 inputs gives 4x4 outputs. Transformed, each of its 36 elements is a product of
matrices over the channels. The transforms are sums of a few vectors of channels: tables of factors
say which, each in two steps, so that what two sums share is computed once.

Within 1e-5 of direct convolution, relative to the largest output. NaN and infinity reach all
outputs of a tile. Source: Lavin & Gray 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from .functions import TYPES
from .grids import Index, grid, multiply
from .packing import fill
from .sliding import Sliding, copy_pixels
from .tiles import KEPT, Nest, Operands, function, tile_shape

__all__ = ["ELEMENTS", "Tiling", "back_source", "factors_source", "forward_source", "weight_source"]

SCRATCH = 320 << 10  # bytes of transformed elements at a time
ELEMENTS = 36  # of a transformed tile
GAP = 16  # elements

Matrix = Sequence[Sequence[float]]
#: steps of each transform of six or fewer elements along one axis
INPUT: tuple[Matrix, ...] = (
    (
        (4, 0, -5, 0, 1, 0), (0, 0, -4, 0, 1, 0), (0, -4, 0, 1, 0, 0),
        (0, 0, -1, 0, 1, 0), (0, -1, 0, 1, 0, 0), (0, 4, 0, -5, 0, 1),
    ),
    (
        (1, 0, 0, 0, 0, 0), (0, 1, 1, 0, 0, 0), (0, 1, -1, 0, 0, 0),
        (0, 0, 0, 1, 2, 0), (0, 0, 0, 1, -2, 0), (0, 0, 0, 0, 0, 1),
    ),
)  # fmt: skip
OUTPUT: tuple[Matrix, ...] = (
    (
        (1, 0, 0, 0, 0, 0), (0, 1, 1, 0, 0, 0), (0, 1, -1, 0, 0, 0),
        (0, 0, 0, 1, 1, 0), (0, 0, 0, 1, -1, 0), (0, 0, 0, 0, 0, 1),
    ),
    ((1, 1, 0, 1, 0, 0), (0, 0, 1, 0, 2, 0), (0, 1, 0, 4, 0, 0), (0, 0, 1, 0, 8, 1)),
)  # fmt: skip
WEIGHT: tuple[Matrix, ...] = (
    (
        (1 / 4, 0, 0), (-1 / 6, 0, -1 / 6), (0, -1 / 6, 0),
        (1 / 24, 0, 1 / 6), (0, 1 / 12, 0), (0, 0, 1),
    ),
    (
        (1, 0, 0, 0, 0, 0), (0, 1, 1, 0, 0, 0), (0, 1, -1, 0, 0, 0),
        (0, 0, 0, 1, 1, 0), (0, 0, 0, 1, -1, 0), (0, 0, 0, 0, 0, 1),
    ),
)  # fmt: skip


def turned(steps: tuple[Matrix, ...]) -> tuple[Matrix, ...]:
    """Return the transposed transform."""
    return tuple(tuple(zip(*step)) for step in reversed(steps))


@dataclass(frozen=True)
class Tiling:
    """A convolution cut into rows of tiles, of which an item is so many."""

    s: Sliding

    @property
    def across(self) -> int:
        """Tiles in a row."""
        return -(-self.s.out[1] // 4)

    @property
    def down(self) -> int:
        """Rows of tiles of an image."""
        return -(-self.s.out[0] // 4)

    @property
    def lines(self) -> int:
        """Rows of tiles of all images."""
        return self.s.images * self.down

    @property
    def together(self) -> int:
        """Rows of tiles of an item."""
        each = ELEMENTS * self.across * (self.s.size[2] + self.s.out[2]) * 4
        return max(1, min(-(-self.lines // 2), SCRATCH // each))

    @property
    def items(self) -> int:
        """What the functions run over."""
        return -(-self.lines // self.together)

    @property
    def tiles(self) -> int:
        """Tiles of an item."""
        return self.together * self.across

    def plane(self, channels: int) -> int:
        """Return how far one element of all tiles is from the next.

        A cache line is left free, or all 36 would compete for the same lines of the cache.
        """
        return self.tiles * channels + GAP

    @property
    def margin(self) -> int:
        """Elements of what a row of tiles sees."""
        return 6 * (4 * self.across + 2) * self.s.size[2]

    def scratch(self, *, gradient: bool = False) -> int:
        """Return how many elements a call needs beside its operands."""
        copied = max(self.margin, 16 * self.across * self.s.out[2]) if gradient else self.margin
        return ELEMENTS * (self.plane(self.s.size[2]) + self.plane(self.s.out[2])) + copied


class Transforms(Nest):
    """Vectors of channels, and their transforms."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.lanes = kind, tile_shape(kind, 1 << 20).lanes
        self.vector = f"<{self.lanes} x {TYPES[kind]}>"

    def weighted(self, factors: Sequence[float], values: Sequence[str]) -> str:
        """Return the sum of *values* times *factors*, most of which are 0, 1 or -1."""
        terms = sorted(
            ((f, v) for f, v in zip(factors, values) if f), key=lambda term: (term[0] != 1, term[0])
        )
        (first, total), *rest = terms
        kind, lanes = self.kind, self.lanes
        if first != 1:
            total = self(f"fmul {self.vector} {total}, {self.constant(first, kind, lanes)}")
        for factor, value in rest:
            if abs(factor) == 1:
                how = "fadd" if factor == 1 else "fsub"
                total = self(f"{how} {self.vector} {total}, {value}")
            else:
                by = self.constant(factor, kind, lanes)
                total = self.multiply_add(value, by, total, kind, lanes)
        return total

    def along(self, steps: tuple[Matrix, ...], values: Sequence[str]) -> list[str]:
        """Return a line of *values*, transformed."""
        for step in steps:
            values = [self.weighted(factors, values) for factors in step]
        return list(values)

    def square(self, steps: tuple[Matrix, ...], rows: list[list[str]]) -> list[list[str]]:
        """Return a square of values, transformed along both axes."""
        half = zip(*(self.along(steps, column) for column in zip(*rows)))
        return [self.along(steps, row) for row in half]

    def vectors(self, count: int, body: Callable[[str | int], object]) -> None:
        """Write a loop over *count* channels, a vector at a time."""
        self.loop(0, count, body, self.lanes)


def _lines(nest: Transforms, t: Tiling, item: str, body: Callable[[str, str, str], object]) -> str:
    """Write a loop over the rows of tiles of an item; body gets number, image and row in it."""
    first = nest(f"mul nsw i64 {item}, {t.together}")
    left = nest(f"sub i64 {t.lines}, {first}")
    nest.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
    count = nest(f"call i64 @llvm.smin.i64(i64 {left}, i64 {t.together})")

    def line(k: str) -> None:
        at = nest.plus(first, k)
        body(k, nest(f"udiv i64 {at}, {t.down}"), nest(f"urem i64 {at}, {t.down}"))

    nest.loop(0, count, line)
    return count


def _seen(
    nest: Transforms,
    source: str,
    place: str,
    row: str,
    rows: int,
    width: int,
    of: tuple[tuple[int, int, int], tuple[int, int, int, int], tuple[int, int]],
) -> None:
    """Copy what a row of tiles sees of an image, *rows* by *width*; zeros beyond its border."""
    (h, w, c), strides, (top, left) = of
    start = nest.plus(nest.times(row, 4), top)

    def one(r: str) -> None:
        here = nest.at(place, nest.times(r, width * c), nest.kind)
        y = nest.plus(start, r)
        copy_pixels(nest, nest.kind, source, here, str(y), (h, w, c), strides, left, width)

    nest.loop(0, rows, one)


def _transform(
    nest: Transforms,
    t: Tiling,
    copied: str,
    place: str,
    k: str,
    channels: int,
    side: int,
    steps: tuple[Matrix, ...],
) -> None:
    """Write the tiles of a row, transformed: element e of tile i to (e, i, channels) of *place*."""
    width, kind = 4 * t.across + side - 4, nest.kind

    def tile(i: str) -> None:
        here = nest.at(copied, nest.times(i, 4 * channels), kind)
        there = nest.plus(nest.times(k, t.across), i)
        there = nest.at(place, nest.times(there, channels), kind)

        def vector(v: str | int) -> None:
            rows = [
                [
                    nest.read(
                        nest.at(nest.at(here, v, kind), (y * width + x) * channels, kind),
                        kind,
                        nest.lanes,
                    )
                    for x in range(side)
                ]
                for y in range(side)
            ]
            to = nest.at(there, v, kind)
            for e, value in enumerate(chain(*nest.square(steps, rows))):
                at = nest.at(to, e * t.plane(channels), kind)
                nest.write(value, at, kind, nest.lanes, nest.lanes)

        nest.vectors(channels, vector)

    nest.loop(0, t.across, tile)


@lru_cache(KEPT)
def factors_source(kind: str, channels: int, out: int) -> str:
    """Return the kernel that transforms a packed weight (9, C, O) to (36, C, O).

    Table: packed weight, place. It runs over C.
    """
    nest = Transforms(kind)

    def body(weight: str, place: str) -> None:
        def row(c: str) -> None:
            here, there = (nest.at(p, nest.times(c, out), kind) for p in (weight, place))

            def vector(v: str | int) -> None:
                source = nest.at(here, v, kind)
                rows = [
                    [
                        nest.read(
                            nest.at(source, (3 * y + x) * channels * out, kind), kind, nest.lanes
                        )
                        for x in range(3)
                    ]
                    for y in range(3)
                ]
                to = nest.at(there, v, kind)
                for e, value in enumerate(chain(*nest.square(WEIGHT, rows))):
                    nest.write(
                        value, nest.at(to, e * channels * out, kind), kind, nest.lanes, nest.lanes
                    )

            nest.vectors(out, vector)

        nest.loop("%low", "%high", row)

    return function(nest, ["ptr"] * 2, body)


@lru_cache(KEPT)
def back_source(kind: str, channels: int, out: int, parts: int) -> str:
    """Return the kernel that turns sums (36, C, O) of *parts* into the packed weight's (9, C, O).

    Table: place, then the parts. It runs over C.
    """
    nest = Transforms(kind)

    def body(place: str, *given: str) -> None:
        def row(c: str) -> None:
            there = nest.at(place, nest.times(c, out), kind)

            def vector(v: str | int) -> None:
                values = []
                for e in range(ELEMENTS):
                    at = nest.plus(nest.plus(nest.times(c, out), v), e * channels * out)
                    total = nest.read(nest.at(given[0], at, kind), kind, nest.lanes)
                    for part in given[1:]:
                        more = nest.read(nest.at(part, at, kind), kind, nest.lanes)
                        total = nest(f"fadd {nest.vector} {total}, {more}")
                    values.append(total)
                rows = [values[6 * y : 6 * y + 6] for y in range(6)]
                to = nest.at(there, v, kind)
                for e, value in enumerate(chain(*nest.square(turned(WEIGHT), rows))):
                    nest.write(
                        value, nest.at(to, e * channels * out, kind), kind, nest.lanes, nest.lanes
                    )

            nest.vectors(out, vector)

        nest.loop("%low", "%high", row)

    return function(nest, ["ptr"] * (parts + 1), body)


@lru_cache(KEPT)
def forward_source(t: Tiling) -> str:
    """Return the kernel that convolves rows of tiles.

    Table: input, transformed weight (36, C, O), bias, output, scratch.
    """
    s = t.s
    nest, kind = Transforms(s.kind), s.kind
    (_, ow, o), c = s.out, s.size[2]

    def body(x: str, factors: str, bias: str, y: str, scratch: str) -> None:
        mixed = nest.at(scratch, ELEMENTS * t.plane(c), kind)
        copied = nest.at(mixed, ELEMENTS * t.plane(o), kind)

        def item(i: str) -> None:
            def line(k: str, image: str, row: str) -> None:
                source = nest.at(x, nest.times(image, s.strides[0]), kind)
                _seen(nest, source, copied, row, 6, 4 * t.across + 2, (s.size, s.strides, s.start))
                _transform(nest, t, copied, scratch, k, c, 6, INPUT)

            _lines(nest, t, i, line)
            nest.loop(0, ELEMENTS, lambda e: _products(nest, t, e, scratch, factors, mixed))
            _lines(nest, t, i, lambda k, image, row: back(k, image, row))

        def back(k: str, image: str, row: str) -> None:
            place = nest.at(y, nest.times(image, s.out_strides[0]), kind)
            place = nest.at(place, nest.times(nest.times(row, 4), s.out_strides[1]), kind)
            whole, rest = divmod(ow, 4)

            def tile(width: int) -> Callable[[str], None]:
                return lambda i: _outputs(nest, t, mixed, bias, place, (k, i, row), width)

            nest.loop(0, whole, tile(4))
            if rest:
                nest.loop(whole, whole + 1, tile(rest))

        nest.loop("%low", "%high", item)

    return function(nest, ["ptr"] * 5, body)


def _products(nest: Transforms, t: Tiling, e: str, scratch: str, factors: str, mixed: str) -> None:
    """Multiply element number e of all tiles by that of the weight."""
    kind, c, o = nest.kind, t.s.size[2], t.s.out[2]
    shape = tile_shape(kind, o)
    a = nest.at(scratch, nest.times(e, t.plane(c)), kind)
    b = nest.at(factors, nest.times(e, c * o), kind)
    to = nest.at(mixed, nest.times(e, t.plane(o)), kind)

    def one(m: Index, rows: int, column: Index, vectors: list[int]) -> None:
        left, right = nest.at(a, nest.times(m, c), kind), nest.at(b, column, kind)
        place = nest.at(nest.at(to, nest.times(m, o), kind), column, kind)
        ops = Operands(left, c, 1, right, o, c)
        multiply(nest, kind, shape.lanes, vectors, rows, ops, place, o)

    grid(nest, shape, t.tiles, o, one)


def _outputs(
    nest: Transforms,
    t: Tiling,
    mixed: str,
    bias: str,
    place: str,
    at: tuple[str, str, str],
    width: int,
) -> None:
    """Transform a tile back and write it, as far as it is inside of the image."""
    kind, s = nest.kind, t.s
    k, i, row = at
    o = s.out[2]
    tile = nest.times(nest.plus(nest.times(k, t.across), i), o)
    here = nest.at(mixed, tile, kind)
    there = nest.at(place, nest.times(nest.times(i, 4), s.out_strides[2]), kind)

    def vector(v: str | int) -> None:
        source = nest.at(here, v, kind)
        values = [
            nest.read(nest.at(source, e * t.plane(o), kind), kind, nest.lanes)
            for e in range(ELEMENTS)
        ]
        rows = nest.square(OUTPUT, [values[6 * y : 6 * y + 6] for y in range(6)])
        shift = nest.read(nest.at(bias, v, kind), kind, nest.lanes) if s.bias else ""
        to = nest.at(there, v, kind)
        for y, line in enumerate(rows):

            def put(y: int = y, line: list[str] = line) -> None:
                for x, value in enumerate(line[:width]):
                    if shift:
                        value = nest(f"fadd {nest.vector} {value}, {shift}")
                    place = nest.at(to, y * s.out_strides[1] + x * s.out_strides[2], kind)
                    nest.write(value, place, kind, nest.lanes, nest.lanes)

            if y >= s.out[0] % 4 > 0:
                inside = nest.plus(nest.times(row, 4), y)
                test = nest(f"icmp slt i64 {inside}, {s.out[0]}")
                nest.choose(test, put, lambda: None)
            else:
                put()

    nest.vectors(o, vector)


@lru_cache(KEPT)
def weight_source(t: Tiling) -> str:
    """Return the kernel that adds up what rows of tiles give the transformed weight.

    Table: input, gradient of the output, sum (36, C, O), scratch.
    """
    s = t.s
    nest, kind = Transforms(s.kind), s.kind
    (oh, ow, o), c = s.out, s.size[2]

    def body(x: str, g: str, total: str, scratch: str) -> None:
        slopes = nest.at(scratch, ELEMENTS * t.plane(c), kind)
        copied = nest.at(slopes, ELEMENTS * t.plane(o), kind)
        fill(nest, kind, total, ELEMENTS * c * o)

        def item(i: str) -> None:
            def line(k: str, image: str, row: str) -> None:
                source = nest.at(x, nest.times(image, s.strides[0]), kind)
                _seen(nest, source, copied, row, 6, 4 * t.across + 2, (s.size, s.strides, s.start))
                _transform(nest, t, copied, scratch, k, c, 6, INPUT)
                slope = nest.at(g, nest.times(image, s.out_strides[0]), kind)
                of = (oh, ow, o), (*s.out_strides, 1), (0, 0)
                _seen(nest, slope, copied, row, 4, 4 * t.across, of)
                _transform(nest, t, copied, slopes, k, o, 4, turned(OUTPUT))

            count = _lines(nest, t, i, line)
            done = nest.times(count, t.across)

            def rest(e: str) -> None:  # of tiles that the last item does not have
                for place, n in ((scratch, c), (slopes, o)):
                    here = nest.at(place, nest.times(e, t.plane(n)), kind)
                    fill(nest, kind, here, t.tiles * n, first=nest.times(done, n))

            nest.loop(0, ELEMENTS, rest)
            nest.loop(0, ELEMENTS, lambda e: _sums(nest, t, e, scratch, slopes, total))

        nest.loop("%low", "%high", item)

    return function(nest, ["ptr"] * 4, body)


def _sums(nest: Transforms, t: Tiling, e: str, made: str, slopes: str, total: str) -> None:
    """Add the products of element number e of all tiles to the sum."""
    kind, c, o = nest.kind, t.s.size[2], t.s.out[2]
    shape = tile_shape(kind, o)
    a = nest.at(made, nest.times(e, t.plane(c)), kind)
    b = nest.at(slopes, nest.times(e, t.plane(o)), kind)
    to = nest.at(total, nest.times(e, c * o), kind)

    def one(m: Index, rows: int, column: Index, vectors: list[int]) -> None:
        left, right = nest.at(a, m, kind), nest.at(b, column, kind)
        place = nest.at(nest.at(to, nest.times(m, o), kind), column, kind)
        ops = Operands(left, 1, c, right, o, t.tiles)
        multiply(nest, kind, shape.lanes, vectors, rows, ops, place, o, add=True)

    grid(nest, shape, c, o, one)
