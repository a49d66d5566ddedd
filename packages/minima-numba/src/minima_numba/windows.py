"""Pooling as code: for each window, vectors of channels, the largest or the sum of them.

Channels are last in memory. A place of the window that lies beyond the border is met at the
nearest element inside, which the window holds too, so the largest stays the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from .functions import TYPES
from .packing import columns_of, fill
from .tiles import KEPT, SIZES, Nest, function, tile_shape

__all__ = ["Pooling", "largest_source", "mean_source", "spread_source", "where_source"]

Pair = tuple[int, int]
Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Pooling:
    """Windows over images: sizes, and strides in elements of images, of results, of their slopes.

    *size* (H, W, C) and *strides* (N, H, W) are the images', *count* (OH, OW) are the windows, and
    *out* and *slope* their strides (N, OH, OW); *total* are those of the images' gradient.
    """

    kind: str
    images: int
    size: Triple
    strides: Triple
    kernel: Pair
    stride: Pair
    padding: Pair
    count: Pair
    out: Triple
    slope: Triple = (0, 0, 0)
    total: Triple = (0, 0, 0)

    @property
    def apart(self) -> bool:
        """Whether no two windows share an element."""
        far = all(s >= k for s, k in zip(self.stride, self.kernel))
        return far and self.padding == (0, 0)

    @property
    def filled(self) -> bool:
        """Whether each element of an image is in one window."""
        (h, w, _), (oh, ow) = self.size, self.count
        whole = (oh * self.kernel[0], ow * self.kernel[1]) == (h, w)
        return self.apart and self.stride == self.kernel and whole


class Windows(Nest):
    """The loops over windows and channels."""

    def __init__(self, p: Pooling) -> None:
        super().__init__()
        self.p = p
        self.lanes = tile_shape(p.kind, 1 << 20).lanes

    @property
    def vector(self) -> str:
        """The type of vectors."""
        return f"<{self.lanes} x {TYPES[self.p.kind]}>"

    def each(self, body: Callable[[str, str, str], object]) -> None:
        """Write loops over the windows of image *low* to *high*: body gets image, row, column."""
        oh, ow = self.p.count
        self.loop(
            "%low",
            "%high",
            lambda n: self.loop(0, oh, lambda y: self.loop(0, ow, lambda x: body(n, y, x))),
        )

    def channels(self, body: Callable[[str, int], object]) -> None:
        """Write a loop over vectors of channels: body gets the first and how many there are."""
        for first, widths, runs in columns_of(
            tile_shape(self.p.kind, self.p.size[2], 1), self.p.size[2]
        ):
            width = widths[0]

            def run(r: str, first: int = first, width: int = width) -> None:
                body(str(self.plus(self.times(r, width), first)), width)

            self.loop(0, runs, run)

    def place(self, base: str, strides: Triple, at: tuple[str, str, str]) -> str:
        """Return where the channels of an element begin."""
        for index, stride in zip(at, strides):
            base = self.at(base, self.times(index, stride), self.p.kind)
        return base

    def start(self, axis: int, window: str) -> str | int:
        """Return the first row or column of a window, which may be negative."""
        return self.plus(self.times(window, self.p.stride[axis]), -self.p.padding[axis])

    def inside(self, axis: int, start: str | int, place: int) -> str:
        """Return the element that a place of a window meets."""
        index = self.plus(start, place)
        if self.p.padding[axis]:
            for name, bound in (("smax", 0), ("smin", self.p.size[axis] - 1)):
                self.declared.add(f"declare i64 @llvm.{name}.i64(i64, i64)")
                index = self(f"call i64 @llvm.{name}.i64(i64 {index}, i64 {bound})")
        return str(index)

    def taps(self, image: str, strides: Triple, y: str, x: str) -> list[str]:
        """Return the addresses of the elements of a window of *image*."""
        top, left = self.start(0, y), self.start(1, x)
        rows = [self.inside(0, top, i) for i in range(self.p.kernel[0])]
        across = [self.inside(1, left, j) for j in range(self.p.kernel[1])]
        return [self.place(image, strides, ("0", r, c)) for r in rows for c in across]

    def pick(self, test: str, yes: str, no: str) -> str:
        """Return *yes* where *test* holds, else *no*."""
        bits = f"<{self.lanes} x i1>"
        return self(f"select {bits} {test}, {self.vector} {yes}, {self.vector} {no}")


@lru_cache(KEPT)
def largest_source(p: Pooling) -> str:
    """Return the kernel that takes the largest of each window; table: images, results."""
    nest = Windows(p)
    name = f"llvm.maximum.v{nest.lanes}f{8 * SIZES[p.kind]}"
    nest.declared.add(f"declare {nest.vector} @{name}({nest.vector}, {nest.vector})")

    def body(images: str, results: str) -> None:
        def window(n: str, y: str, x: str) -> None:
            taps = nest.taps(nest.place(images, p.strides, (n, "0", "0")), p.strides, y, x)
            to = nest.place(results, p.out, (n, y, x))

            def vector(c: str, width: int) -> None:
                found = ""
                for tap in taps:
                    one = nest.read(nest.at(tap, c, p.kind), p.kind, width, nest.lanes)
                    pair = f"{nest.vector} {found}, {nest.vector} {one}"
                    found = nest(f"call {nest.vector} @{name}({pair})") if found else one
                nest.write(found, nest.at(to, c, p.kind), p.kind, width, nest.lanes)

            nest.channels(vector)

        nest.each(window)

    return function(nest, ["ptr"] * 2, body)


@lru_cache(KEPT)
def where_source(p: Pooling) -> str:
    """Return the kernel that gives each slope to the first largest of its window.

    Table: images, results, slopes, place of the images' gradient, whose images have no gaps.
    """
    nest = Windows(p)
    bits = f"<{nest.lanes} x i1>"

    def body(images: str, results: str, slopes: str, total: str) -> None:
        h, w, c = p.size
        if not p.filled:
            nest.loop(
                "%low",
                "%high",
                lambda n: fill(nest, p.kind, nest.place(total, p.total, (n, "0", "0")), h * w * c),
            )

        def window(n: str, y: str, x: str) -> None:
            taps, places = (
                nest.taps(nest.place(base, s, (n, "0", "0")), s, y, x)
                for base, s in ((images, p.strides), (total, p.total))
            )
            best, slope = (
                nest.place(base, s, (n, y, x)) for base, s in ((results, p.out), (slopes, p.slope))
            )

            def vector(k: str, width: int) -> None:
                top, g = (
                    nest.read(nest.at(base, k, p.kind), p.kind, width, nest.lanes)
                    for base in (best, slope)
                )
                free = ""
                for tap, place in zip(taps, places):
                    seen = nest.read(nest.at(tap, k, p.kind), p.kind, width, nest.lanes)
                    none = nest(f"fcmp uno {nest.vector} {seen}, {seen}")  # NaN is the largest
                    same = nest(f"fcmp oeq {nest.vector} {seen}, {top}")
                    hit = nest(f"or {bits} {none}, {same}")
                    mine = nest(f"and {bits} {hit}, {free}") if free else hit
                    other = nest(f"xor {bits} {hit}, {_ones(nest.lanes)}")
                    free = nest(f"and {bits} {free}, {other}") if free else other
                    given = nest.pick(mine, g, "zeroinitializer")
                    to = nest.at(place, k, p.kind)
                    if not p.apart:
                        before = nest.read(to, p.kind, width, nest.lanes)
                        given = nest(f"fadd {nest.vector} {before}, {given}")
                    nest.write(given, to, p.kind, width, nest.lanes)

            nest.channels(vector)

        nest.each(window)

    return function(nest, ["ptr"] * 4, body)


def _ones(lanes: int) -> str:
    return f"<{', '.join(['i1 true'] * lanes)}>"


@lru_cache(KEPT)
def mean_source(p: Pooling) -> str:
    """Return the kernel that takes the mean of each window, without padding.

    Table: images, results.
    """
    nest = Windows(p)

    def body(images: str, results: str) -> None:
        def window(n: str, y: str, x: str) -> None:
            top, left = str(nest.start(0, y)), str(nest.start(1, x))
            first = nest.place(images, p.strides, (n, top, left))
            to = nest.place(results, p.out, (n, y, x))

            def vector(c: str, width: int) -> None:
                here = nest.at(first, c, p.kind)

                def row(i: str, sums: list[str]) -> list[str]:
                    line = nest.at(here, nest.times(i, p.strides[1]), p.kind)

                    def element(j: str, sums: list[str]) -> list[str]:
                        at = nest.at(line, nest.times(j, p.strides[2]), p.kind)
                        one = nest.read(at, p.kind, width, nest.lanes)
                        return [nest(f"fadd {nest.vector} {sums[0]}, {one}")]

                    carried = [(nest.vector, "zeroinitializer")]
                    (line_sum,) = nest.loop(0, p.kernel[1], element, 1, carried)
                    return [nest(f"fadd {nest.vector} {sums[0]}, {line_sum}")]

                carried = [(nest.vector, "zeroinitializer")]
                (total,) = nest.loop(0, p.kernel[0], row, 1, carried)
                by = nest.constant(p.kernel[0] * p.kernel[1], p.kind, nest.lanes)
                mean = nest(f"fdiv {nest.vector} {total}, {by}")
                nest.write(mean, nest.at(to, c, p.kind), p.kind, width, nest.lanes)

            nest.channels(vector)

        nest.each(window)

    return function(nest, ["ptr"] * 2, body)


@lru_cache(KEPT)
def spread_source(p: Pooling) -> str:
    """Return the kernel that spreads each slope evenly over its window; these fill the image.

    Table: slopes, place of the images' gradient.
    """
    nest = Windows(p)

    def body(slopes: str, total: str) -> None:
        def window(n: str, y: str, x: str) -> None:
            top, left = str(nest.start(0, y)), str(nest.start(1, x))
            first = nest.place(total, p.strides, (n, top, left))
            slope = nest.place(slopes, p.slope, (n, y, x))

            def vector(c: str, width: int) -> None:
                by = nest.constant(p.kernel[0] * p.kernel[1], p.kind, nest.lanes)
                g = nest.read(nest.at(slope, c, p.kind), p.kind, width, nest.lanes)
                share = nest(f"fdiv {nest.vector} {g}, {by}")
                here = nest.at(first, c, p.kind)

                def row(i: str) -> None:
                    line = nest.at(here, nest.times(i, p.strides[1]), p.kind)
                    nest.loop(
                        0,
                        p.kernel[1],
                        lambda j: nest.write(
                            share,
                            nest.at(line, nest.times(j, p.strides[2]), p.kind),
                            p.kind,
                            width,
                            nest.lanes,
                        ),
                    )

                nest.loop(0, p.kernel[0], row)

            nest.channels(vector)

        nest.each(window)

    return function(nest, ["ptr"] * 2, body)
