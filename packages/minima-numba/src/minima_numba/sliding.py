"""Convolution as code: windows that slide over an image are rows of a matrix that overlap.

With channels last, what a window sees in one row of the image is one run of memory, and the next
window's begins a few elements on. So a row of outputs is a sum, over the rows of the window, of
products of tiles; nothing is copied but an image's margin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from .functions import TYPES
from .grids import Index, grid, multiply
from .packing import columns_of, copy_row, fill, whole
from .tiles import KEPT, ZERO, Nest, Operands, cut, function, product, tile_shape

__all__ = [
    "Sliding",
    "copy_pixels",
    "forward_source",
    "pack_source",
    "unpack_source",
    "weight_source",
]

BLOCK = 1 << 16  # elements of an image, with its margin, at a time
LEAST = 4  # pieces of the work, if there are so few images

Pair = tuple[int, int]
Triple = tuple[int, int, int]
Quad = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sliding:
    """Windows over images; all strides in elements.

    *size* (H, W, C) and *strides* (N, H, W, C) are the input's, *start* is where, in the input, the
    first window begins, *out* (OH, OW, O) and *out_strides* (N, OH, OW) are the output's.
    """

    kind: str
    images: int
    size: Triple
    strides: Quad
    kernel: Pair
    stride: Pair
    start: Pair
    out: Triple
    out_strides: Triple
    bias: bool = False

    @property
    def run(self) -> int:
        """Elements that a window sees in one row."""
        return self.kernel[1] * self.size[2]

    @property
    def width(self) -> int:
        """Columns that a row of windows sees."""
        return (self.out[1] - 1) * self.stride[1] + self.kernel[1]

    def height(self, rows: int) -> int:
        """Rows of the input that so many *rows* of windows see."""
        return (rows - 1) * self.stride[0] + self.kernel[0]

    @cached_property
    def straight(self) -> bool:
        """Whether windows can be read where the image lies."""
        (h, w, c), (_, _, sx, sc), (top, left) = self.size, self.strides, self.start
        lies = sc == 1 and (self.kernel[1] == 1 or sx == c)
        inside = min(top, left) >= 0 and left + self.width <= w
        return lies and inside and top + self.height(self.out[0]) <= h

    @cached_property
    def block(self) -> int:
        """Rows of outputs that are computed at a time."""
        rows = max(1, self.out[0])
        if self.images < LEAST:
            rows = -(-rows * max(1, self.images) // LEAST)
        while rows > 1 and self.height(rows) * self.width * self.size[2] > BLOCK:
            rows = -(-rows // 2)
        return rows

    @property
    def blocks(self) -> int:
        """Blocks of one image."""
        return -(-self.out[0] // self.block)

    @property
    def items(self) -> int:
        """Blocks of all images: what the function of a kernel runs over."""
        return self.images * self.blocks

    @property
    def scratch(self) -> int:
        """Elements that a block with its margin takes; 0 where nothing is copied."""
        return 0 if self.straight else self.height(self.block) * self.width * self.size[2]

    @property
    def row(self) -> int:
        """How far the rows of what is read lie from each other."""
        return self.strides[1] if self.straight else self.width * self.size[2]

    @property
    def pixel(self) -> int:
        """The same of its columns."""
        return self.strides[2] if self.straight else self.size[2]

    @property
    def products(self) -> int:
        """Multiplications in all."""
        oh, ow, o = self.out
        return self.images * oh * ow * o * self.kernel[0] * self.run


class Block:
    """What a kernel knows of the block it works on: its first row, its rows, and the image."""

    def __init__(self, nest: Nest, s: Sliding, item: str, x: str, scratch: str) -> None:
        self.nest, self.s = nest, s
        if s.blocks == 1:
            self.image, self.first = item, "0"
            self.rows: str | int = s.out[0]
        else:
            self.image = nest(f"sdiv i64 {item}, {s.blocks}")
            which = nest(f"srem i64 {item}, {s.blocks}")
            self.first = str(nest.times(which, s.block))
            left = nest(f"sub i64 {s.out[0]}, {self.first}")
            nest.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
            self.rows = nest(f"call i64 @llvm.smin.i64(i64 {left}, i64 {s.block})")
        source = nest.at(x, nest.times(self.image, s.strides[0]), s.kind)
        if s.straight:
            down = nest.plus(nest.times(self.first, s.stride[0]), s.start[0])
            at = nest.plus(nest.times(down, s.strides[1]), s.start[1] * s.strides[2])
            self.seen = nest.at(source, at, s.kind)
        else:
            self.seen = scratch
            self._copy(source)

    def _copy(self, source: str) -> None:
        """Write loops that copy what the block sees, with zeros beyond the image's border."""
        nest, s = self.nest, self.s
        top = nest.plus(nest.times(self.first, s.stride[0]), s.start[0])
        count = nest.plus(nest.times(nest.plus(self.rows, -1), s.stride[0]), s.kernel[0])

        def row(r: str) -> None:
            place = nest.at(self.seen, nest.times(r, s.width * s.size[2]), s.kind)
            y = str(nest.plus(top, r))
            copy_pixels(nest, s.kind, source, place, y, s.size, s.strides, s.start[1], s.width)

        nest.loop(0, count, row)


def copy_pixels(
    nest: Nest,
    kind: str,
    image: str,
    place: str,
    y: str,
    size: Triple,
    strides: Quad,
    first: int,
    width: int,
) -> None:
    """Copy *width* pixels of row y of an image, from column *first* on; beyond it are zeros."""
    h, w, c = size
    left, right = max(0, -first), max(0, first + width - w)
    inner = max(0, width - left - right)
    if not inner:
        left, right = width, 0

    def clear(place: str, pixels: int) -> None:
        if pixels:
            fill(nest, kind, place, pixels * c)

    def inside() -> None:
        at = nest.plus(nest.times(y, strides[1]), max(0, first) * strides[2])
        clear(place, left)
        source, there = nest.at(image, at, kind), nest.at(place, left * c, kind)
        copy_run(nest, kind, source, there, inner, c, strides)
        clear(nest.at(place, (left + inner) * c, kind), right)

    if h and inner:
        nest.choose(nest(f"icmp ult i64 {y}, {h}"), inside, lambda: clear(place, width))
    else:
        clear(place, width)


def copy_run(
    nest: Nest, kind: str, source: str, place: str, count: int, c: int, strides: Quad
) -> None:
    """Copy *count* pixels of *c* channels to where they lie one behind the other."""
    _, _, sx, sc = strides
    if sc == 1 and sx == c:
        copy_row(nest, kind, source, place, count * c)
        return

    def pixel(x: str) -> None:
        here = nest.at(source, nest.times(x, sx), kind)
        copy_row(nest, kind, here, nest.at(place, nest.times(x, c), kind), c)

    def channel(k: str) -> None:
        here, there = nest.at(source, nest.times(k, sc), kind), nest.at(place, k, kind)
        copy_row(nest, kind, here, there, count, (sx, c))

    if sc == 1:
        nest.loop(0, count, pixel)
    else:
        nest.loop(0, c, channel)


@lru_cache(KEPT)
def forward_source(s: Sliding) -> str:
    """Return the kernel that computes blocks of outputs.

    Table: input, packed weight, bias (as packed), output, scratch for one block.
    """
    nest, kind = Nest(), s.kind
    _, ow, o = s.out
    shape = tile_shape(kind, o)
    lanes, packed = shape.lanes, whole(o, shape.lanes)

    def body(x: str, weight: str, bias: str, y: str, scratch: str) -> None:
        def item(i: str) -> None:
            at = Block(nest, s, i, x, scratch)
            place = nest.at(y, nest.times(at.image, s.out_strides[0]), kind)
            place = nest.at(place, nest.times(at.first, s.out_strides[1]), kind)
            for first, widths, runs in columns_of(shape, o):
                nest.loop(0, runs, lambda r, f=first, w=widths: run(at, place, f, w, r))

        def run(at: Block, place: str, first: int, widths: list[int], r: str) -> None:
            column = nest.plus(nest.times(r, len(widths) * lanes), first)
            factors, shifts = (nest.at(p, column, kind) for p in (weight, bias))
            start = [ZERO for _ in widths]
            if s.bias:
                start = [
                    nest.read(nest.at(shifts, v * lanes, kind), kind, lanes)
                    for v in range(len(widths))
                ]

            def row(r: str) -> None:
                seen = nest.at(at.seen, nest.times(r, s.stride[0] * s.row), kind)
                out = nest.at(nest.at(place, column, kind), nest.times(r, s.out_strides[1]), kind)
                for pixel, rows, count in cut(ow, shape.rows):

                    def tile(t: str, pixel: int = pixel, rows: int = rows) -> None:
                        p = nest.plus(nest.times(t, rows), pixel)
                        ops = Operands(
                            nest.at(seen, nest.times(p, s.stride[1] * s.pixel), kind),
                            s.stride[1] * s.pixel,
                            1,
                            factors,
                            packed,
                            s.run,
                            ((s.kernel[0], s.row, s.run * packed),),
                        )
                        full = [lanes] * len(widths)
                        sums = product(nest, kind, lanes, full, ops, [start] * rows)
                        here = nest.at(out, nest.times(p, s.out_strides[2]), kind)
                        for m, values in enumerate(sums):
                            for v, (value, width) in enumerate(zip(values, widths)):
                                to = nest.at(here, m * s.out_strides[2] + v * lanes, kind)
                                nest.write(value, to, kind, width, lanes)

                    nest.loop(0, count, tile)

            nest.loop(0, at.rows, row)

        nest.loop("%low", "%high", item)

    return function(nest, ["ptr"] * 5, body)


@lru_cache(KEPT)
def weight_source(s: Sliding) -> str:
    """Return the kernel that adds up what blocks of outputs give the weight.

    Table: input, gradient of the output, sum (kh, kw * C, O in whole vectors), scratch.
    """
    nest, kind = Nest(), s.kind
    _, ow, o = s.out
    shape = tile_shape(kind, o)
    lanes, packed = shape.lanes, whole(o, shape.lanes)

    def body(x: str, g: str, total: str, scratch: str) -> None:
        size = s.kernel[0] * s.run * packed
        fill(nest, kind, total, size)

        def item(i: str) -> None:
            at = Block(nest, s, i, x, scratch)
            slope = nest.at(g, nest.times(at.image, s.out_strides[0]), kind)
            slope = nest.at(slope, nest.times(at.first, s.out_strides[1]), kind)

            def window_row(k: str) -> None:
                seen = nest.at(at.seen, nest.times(k, s.row), kind)
                here = nest.at(total, nest.times(k, s.run * packed), kind)

                def one(row: Index, rows: int, column: Index, vectors: list[int]) -> None:
                    place = nest.at(nest.at(here, nest.times(row, packed), kind), column, kind)
                    ops = Operands(
                        nest.at(seen, row, kind),
                        1,
                        s.stride[1] * s.pixel,
                        nest.at(slope, column, kind),
                        s.out_strides[2],
                        ow,
                        ((at.rows, s.stride[0] * s.row, s.out_strides[1]),),
                    )
                    multiply(nest, kind, lanes, vectors, rows, ops, place, packed, add=True)

                grid(nest, shape, s.run, o, one)

            nest.loop(0, s.kernel[0], window_row)

        nest.loop("%low", "%high", item)

    return function(nest, ["ptr"] * 4, body)


@lru_cache(KEPT)
def pack_source(kind: str, sizes: Quad, strides: Quad) -> str:
    """Return the kernel that copies a weight to where the others read it.

    To (a, b, c, n in whole vectors) from elements with *strides* along a, b, c, n; the rest is 0.
    Table: source, place. It runs over a.
    """
    nest = Nest()
    _, b, c, n = sizes
    packed = whole(n, tile_shape(kind, n).lanes)

    def body(source: str, place: str) -> None:
        def row(indices: Sequence[str]) -> None:
            here, there = source, place
            for index, stride, count in zip(indices, strides, (b * c * packed, c * packed, packed)):
                here = nest.at(here, nest.times(index, stride), kind)
                there = nest.at(there, nest.times(index, count), kind)
            copy_row(nest, kind, here, there, n, (strides[3], 1))
            fill(nest, kind, there, packed, first=n)

        nest.loop(
            "%low",
            "%high",
            lambda i: nest.loop(0, b, lambda j: nest.loop(0, c, lambda k: row((i, j, k)))),
        )

    return function(nest, ["ptr"] * 2, body)


@lru_cache(KEPT)
def unpack_source(kind: str, sizes: Quad, strides: Quad, parts: int) -> str:
    """Return the kernel that adds up packed sums of *parts* into elements with *strides*.

    Table: place, then the parts. It runs over a.
    """
    nest = Nest()
    _, b, c, n = sizes
    packed = whole(n, tile_shape(kind, n).lanes)

    def body(place: str, *given: str) -> None:
        def element(i: str, j: str, k: str, m: str) -> None:
            at = nest.plus(nest.times(nest.plus(nest.times(i, b), j), c), k)
            at = nest.plus(nest.times(at, packed), m)
            there = place
            for index, stride in zip((i, j, k, m), strides):
                there = nest.at(there, nest.times(index, stride), kind)
            total = nest.read(nest.at(given[0], at, kind), kind)
            for part in given[1:]:
                value = nest.read(nest.at(part, at, kind), kind)
                total = nest(f"fadd {TYPES[kind]} {total}, {value}")
            nest.do(f"store {TYPES[kind]} {total}, ptr {there}")

        def inner(i: str, j: str) -> None:
            nest.loop(0, c, lambda k: nest.loop(0, n, lambda m: element(i, j, k, m)))

        nest.loop("%low", "%high", lambda i: nest.loop(0, b, lambda j: inner(i, j)))

    return function(nest, ["ptr"] * (parts + 1), body)
