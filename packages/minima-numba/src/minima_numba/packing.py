"""Copies of matrices that kernels read: rows of whole vectors, zeros where the matrix ends."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from .functions import TYPES
from .tiles import Nest, Shape, function

__all__ = ["columns_of", "copy_row", "copy_source", "fill", "pack", "transposed", "whole"]

MOST = 4  # vectors of a row that are copied without a loop


def whole(count: int, lanes: int) -> int:
    """Return *count* rounded up to a multiple of *lanes*.

    >>> whole(5, 4)
    8
    """
    return -(-count // lanes) * lanes


def columns_of(shape: Shape, count: int) -> list[tuple[int, list[int], int]]:
    """Cut *count* columns into runs of vectors: (first, elements of each vector, how many runs).

    >>> columns_of(Shape(4, 2, 6), 19)
    [(0, [4, 4], 2), (16, [3], 1)]
    """
    step = shape.lanes * shape.vectors
    full, rest = divmod(count, step)
    found = [(0, [shape.lanes] * shape.vectors, full)] if full else []
    if rest:
        ends = range(0, rest, shape.lanes)
        found.append((full * step, [min(shape.lanes, rest - end) for end in ends], 1))
    return found


def fill(
    nest: Nest, kind: str, place: str, count: int | str, value: str = "0.0", first: int | str = 0
) -> None:
    """Write a loop that sets elements *first* .. *count* - 1 to *value*."""
    if first != count:
        store = f"store {TYPES[kind]} {value}, ptr"
        nest.loop(first, count, lambda i: nest.do(f"{store} {nest.at(place, i, kind)}"))


def copy_row(
    nest: Nest,
    kind: str,
    source: str,
    place: str,
    count: int | str,
    steps: tuple[int, int] = (1, 1),
    factor: str = "",
) -> None:
    """Write a loop that copies *count* elements, with their strides, times *factor*."""

    def element(i: str) -> None:
        value = nest.read(nest.at(source, nest.times(i, steps[0]), kind), kind)
        if factor:
            value = nest(f"fmul {TYPES[kind]} {value}, {factor}")
        nest.do(f"store {TYPES[kind]} {value}, ptr {nest.at(place, nest.times(i, steps[1]), kind)}")

    nest.loop(0, count, element)


def copy_source(kind: str, shape: Sequence[int], strides: Sequence[int]) -> str:
    """Return the kernel that copies an array, of two axes or more, to where its elements are dense.

    Table: source, place. It runs over the first axis.
    """
    nest = Nest()

    def axis(number: int, here: str, there: str) -> None:
        if number == len(shape) - 1:
            copy_row(nest, kind, here, there, shape[-1], (strides[-1], 1))
            return
        low, high = (0, shape[number]) if number else ("%low", "%high")
        row = prod(shape[number + 1 :])

        def inner(i: str) -> None:
            source = nest.at(here, nest.times(i, strides[number]), kind)
            axis(number + 1, source, nest.at(there, nest.times(i, row), kind))

        nest.loop(low, high, inner)

    return function(nest, ["ptr"] * 2, lambda source, place: axis(0, source, place))


def pack(
    nest: Nest,
    kind: str,
    lanes: int,
    source: str,
    strides: tuple[int, int],
    place: str,
    sizes: tuple[int, int],
    width: int,
) -> None:
    """Write loops that copy a matrix of *sizes* to rows of *width*, zeros after its columns."""
    (down, along), (rows, columns) = strides, sizes
    if down == 1 and along != 1 and min(rows, columns) >= lanes > 1:
        _turn(nest, kind, lanes, source, along, place, sizes, width)
    elif along == 1 and width <= MOST * lanes:
        _vectors(nest, kind, lanes, source, down, place, sizes, width)
        return
    else:

        def row(r: str) -> None:
            here = nest.at(source, nest.times(r, down), kind)
            there = nest.at(place, nest.times(r, width), kind)
            copy_row(nest, kind, here, there, columns, (along, 1))

        nest.loop(0, rows, row)
    if width > columns:
        nest.loop(
            0,
            rows,
            lambda r: fill(
                nest, kind, nest.at(place, nest.times(r, width), kind), width, first=columns
            ),
        )


def _vectors(
    nest: Nest,
    kind: str,
    lanes: int,
    source: str,
    down: int,
    place: str,
    sizes: tuple[int, int],
    width: int,
) -> None:
    """Copy a matrix whose rows are a few vectors."""
    rows, columns = sizes

    def row(r: str) -> None:
        here = nest.at(source, nest.times(r, down), kind)
        there = nest.at(place, nest.times(r, width), kind)
        for first in range(0, width, lanes):
            size, seen = min(lanes, width - first), max(0, min(lanes, columns - first))
            source_at, place_at = (nest.at(p, first, kind) for p in (here, there))
            if size == seen == 1:
                copy_row(nest, kind, source_at, place_at, 1)
            else:
                value = _widened(nest, kind, source_at, seen, size)
                nest.write(value, place_at, kind, size, size)

    nest.loop(0, rows, row)


def _widened(nest: Nest, kind: str, place: str, seen: int, size: int) -> str:
    """Return *seen* elements from *place* on as a vector of *size*, with zeros after them."""
    if not seen:
        return "zeroinitializer"
    if seen == 1:
        one, vector = nest.read(place, kind), f"<{size} x {TYPES[kind]}>"
        return nest(f"insertelement {vector} zeroinitializer, {TYPES[kind]} {one}, i64 0")
    value = nest.read(place, kind, seen)
    if seen == size:
        return value
    vector = f"<{seen} x {TYPES[kind]}>"
    order = ", ".join(f"i32 {min(i, seen)}" for i in range(size))
    return nest(
        f"shufflevector {vector} {value}, {vector} zeroinitializer, <{size} x i32> <{order}>"
    )


def _turn(
    nest: Nest,
    kind: str,
    lanes: int,
    source: str,
    along: int,
    place: str,
    sizes: tuple[int, int],
    width: int,
) -> None:
    """Copy a matrix whose columns lie in runs, in squares that are turned in registers."""
    rows, columns = (n - n % lanes for n in sizes)

    def square(c: str, r: str) -> None:
        here = nest.at(nest.at(source, nest.times(c, along), kind), r, kind)
        there = nest.at(nest.at(place, nest.times(r, width), kind), c, kind)
        given = [nest.read(nest.at(here, i * along, kind), kind, lanes) for i in range(lanes)]
        for i, value in enumerate(transposed(nest, kind, given)):
            nest.write(value, nest.at(there, i * width, kind), kind, lanes, lanes)

    def rest(c: str, first: int) -> None:
        here = nest.at(nest.at(source, nest.times(c, along), kind), first, kind)
        there = nest.at(nest.at(place, first * width, kind), c, kind)
        copy_row(nest, kind, here, there, sizes[0] - first, (1, width))

    nest.loop(0, columns, lambda c: nest.loop(0, rows, lambda r: square(c, r), lanes), lanes)
    if rows < sizes[0]:
        nest.loop(0, columns, lambda c: rest(c, rows))
    if columns < sizes[1]:
        nest.loop(columns, sizes[1], lambda c: rest(c, 0))


def transposed(nest: Nest, kind: str, rows: list[str]) -> list[str]:
    """Return the columns of a square of vectors, by exchanging ever larger blocks."""
    lanes = len(rows)
    vector, step = f"<{lanes} x {TYPES[kind]}>", 1

    def exchanged(a: str, b: str, picks: list[int]) -> str:
        order = ", ".join(f"i32 {i}" for i in picks)
        return nest(f"shufflevector {vector} {a}, {vector} {b}, <{lanes} x i32> <{order}>")

    while step < lanes:
        found = list(rows)
        for i in (i for i in range(lanes) if not i & step):
            a, b = rows[i], rows[i + step]
            low = [j if not j & step else lanes + j - step for j in range(lanes)]
            high = [j + step if not j & step else lanes + j for j in range(lanes)]
            found[i], found[i + step] = exchanged(a, b, low), exchanged(a, b, high)
        rows, step = found, 2 * step
    return rows
