"""Loops around instructions, and the product of a tile: what matrix kernels are made of.

A tile of the result stays in registers while the sum runs: of each step a few vectors of the right
operand are read, and each number of the left one meets them all. Neither operand needs to lie as
a matrix does: rows of the left one may overlap, as the windows of a convolution do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import llvmlite.binding as llvm

from .functions import TYPES, Code, number
from .jit import UNROLLED_ALREADY

__all__ = [
    "KEPT",
    "SIZES",
    "ZERO",
    "Nest",
    "Operands",
    "Shape",
    "cut",
    "function",
    "product",
    "tile_shape",
]

SIZES = {"f4": 4, "f8": 8}
KEPT = 256  # texts of each sort of kernel: layers alike have the same
ZERO = "zeroinitializer"  # of a vector
ROUND = 48  # multiply-adds in a round of the inner loop, about

Body = Callable[[str, list[str]], Sequence[str]]


class Nest(Code):
    """Instructions with loops; *block* is the label of the one that is being written."""

    def __init__(self) -> None:
        super().__init__()
        self.block = "entry"

    def loop(
        self,
        low: str | int,
        high: str | int,
        body: Callable[..., object],
        step: int = 1,
        carried: Sequence[tuple[str, str]] = (),
    ) -> list[str]:
        """Write ``for index in range(low, high, step)``; return what is carried at its end.

        *carried* are types and first values; then *body(index, values)* returns the next ones.
        """
        label = self.name()[1:]
        index, after, test = (self.name() for _ in range(3))
        values = [self.name() for _ in carried]
        before, self.block = self.block, f"{label}b"
        outer, self.lines = self.lines, []
        following = body(index, values) if carried else body(index)
        inner, self.lines = self.lines, outer
        last = self.block
        self.do(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.do(f"{index} = phi i64 [ {low}, %{before} ], [ {after}, %{last} ]")
        for (kind, first), value, new in zip(carried, values, following or ()):  # type: ignore[call-overload]
            self.do(f"{value} = phi {kind} [ {first}, %{before} ], [ {new}, %{last} ]")
        self.do(f"{test} = icmp slt i64 {index}, {high}")
        self.do(f"br i1 {test}, label %{label}b, label %{label}x")
        self.lines += [f"{label}b:", *inner]
        self.do(f"{after} = add nsw i64 {index}, {step}")
        self.do(f"br label %{label}")
        self.lines.append(f"{label}x:")
        self.block = f"{label}x"
        return values

    def choose(self, test: str, yes: Callable[[], object], no: Callable[[], object]) -> None:
        """Write ``if test: yes() else: no()``."""
        label = self.name()[1:]
        self.do(f"br i1 {test}, label %{label}y, label %{label}n")
        for end, body in (("y", yes), ("n", no)):
            self.lines.append(f"{label}{end}:")
            self.block = label + end
            body()
            self.do(f"br label %{label}x")
        self.lines.append(f"{label}x:")
        self.block = f"{label}x"

    def at(self, pointer: str, index: str | int, kind: str) -> str:
        """Return the address of an element behind *pointer*."""
        if index == 0:
            return pointer
        return self(f"getelementptr inbounds {TYPES[kind]}, ptr {pointer}, i64 {index}")

    def times(self, index: str | int, count: int) -> str | int:
        """Return index * count, as a number where both are."""
        if isinstance(index, int):
            return index * count
        return index if count == 1 else self(f"mul nsw i64 {index}, {count}")

    def plus(self, index: str | int, more: str | int) -> str | int:
        """Return index + more, as a number where both are."""
        if isinstance(index, int) and isinstance(more, int):
            return index + more
        return index if more == 0 else self(f"add nsw i64 {index}, {more}")

    def read(self, pointer: str, kind: str, lanes: int = 0, whole: int = 0) -> str:
        """Return the number at *pointer*, or a vector of *lanes*, widened to *whole* if given."""
        size, name = SIZES[kind], TYPES[kind]
        if not lanes:
            return self(f"load {name}, ptr {pointer}, align {size}")
        if lanes == 1:  # vectors of one are a corner in which LLVM stumbles
            return self.spread(self.read(pointer, kind), kind, whole)
        found = self(f"load <{lanes} x {name}>, ptr {pointer}, align {size}")
        if whole <= lanes:
            return found
        order = ", ".join(f"i32 {min(i, lanes - 1)}" for i in range(whole))
        kinds = f"<{lanes} x {name}> {found}, <{lanes} x {name}> poison"
        return self(f"shufflevector {kinds}, <{whole} x i32> <{order}>")

    def write(self, value: str, pointer: str, kind: str, lanes: int, whole: int) -> None:
        """Write the first *lanes* of a vector of *whole*."""
        size, name = SIZES[kind], TYPES[kind]
        if lanes == 1:
            one = self(f"extractelement <{whole} x {name}> {value}, i64 0")
            self.do(f"store {name} {one}, ptr {pointer}, align {size}")
            return
        if lanes < whole:
            order = ", ".join(f"i32 {i}" for i in range(lanes))
            kinds = f"<{whole} x {name}> {value}, <{whole} x {name}> poison"
            value = self(f"shufflevector {kinds}, <{lanes} x i32> <{order}>")
        self.do(f"store <{lanes} x {name}> {value}, ptr {pointer}, align {size}")

    def constant(self, value: float, kind: str, lanes: int) -> str:
        """Return a vector of which each element is *value*."""
        return f"<{', '.join([f'{TYPES[kind]} {number(value, kind)}'] * lanes)}>"

    def spread(self, value: str, kind: str, lanes: int) -> str:
        """Return a vector of which each element is *value*."""
        vector = f"<{lanes} x {TYPES[kind]}>"
        one = self(f"insertelement {vector} poison, {TYPES[kind]} {value}, i64 0")
        return self(
            f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer"
        )

    def multiply_add(self, a: str, b: str, c: str, kind: str, lanes: int) -> str:
        """Return a * b + c of vectors, rounded once."""
        vector, name = f"<{lanes} x {TYPES[kind]}>", f"llvm.fma.v{lanes}f{8 * SIZES[kind]}"
        self.declared.add(f"declare {vector} @{name}({vector}, {vector}, {vector})")
        return self(f"call {vector} @{name}({vector} {a}, {vector} {b}, {vector} {c})")


def function(nest: Nest, entries: Sequence[str], body: Callable[..., object]) -> str:
    """Return a module whose ``k(table, low, high)`` runs *body* on the entries of the table.

    *entries* are their types, "ptr" or "i64"; body gets their names.
    """
    lines, nest.lines = nest.lines, []
    names = []
    for i, kind in enumerate(entries):
        place = nest(f"getelementptr inbounds i64, ptr %table, i64 {i}")
        names.append(nest(f"load {kind}, ptr {place}"))
    body(*names)
    lines += ["define void @k(ptr %table, i64 %low, i64 %high) nounwind {", "entry:"]
    return "\n".join(
        [UNROLLED_ALREADY, *sorted(nest.declared), *lines, *nest.lines, "  ret void", "}", ""]
    )


# ---- tiles ---------------------------------------------------------------------------------------
class Shape(NamedTuple):
    """Of a tile: the *lanes* of a vector, the vectors in a row, and the most rows."""

    lanes: int
    vectors: int
    rows: int


@cache
def registers() -> tuple[int, int]:
    """Return how many bytes a vector register of this processor holds, and how many there are."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512vl"):
        return 64, 32
    if features.get("avx"):
        return 32, 16
    return 16, 32 if "neon" in features else 16


def tile_shape(kind: str, columns: int, most: int = 4) -> Shape:
    """Return the shape of tiles for a result with so many *columns*.

    Of vectors in a row there are as many, up to *most*, as divide the columns evenly.
    """
    size, count = registers()
    lanes = size // SIZES[kind]
    while lanes > 2 and lanes // 2 >= columns:
        lanes //= 2
    needed = -(-columns // lanes)
    limit = min(most, 4 if count > 16 else 2)
    vectors = max(v for v in range(1, limit + 1) if needed % v == 0 or v == 1)
    return Shape(lanes, vectors, max(1, (count - 2 - vectors) // vectors))


def cut(count: int, most: int) -> list[tuple[int, int, int]]:
    """Cut *count* into nearly equal pieces of at most *most*: (first, size, how many) of each size.

    >>> cut(32, 13)
    [(0, 11, 2), (22, 10, 1)]
    """
    if not count:
        return []
    pieces = -(-count // most)
    size, larger = divmod(count, pieces)
    found = [(0, size + 1, larger), (larger * (size + 1), size, pieces - larger)]
    return [entry for entry in found if entry[2]]


class Operands(NamedTuple):
    """What a tile is the product of; all strides in elements.

    Left: element (row, k) lies at a + row * a_row + k * a_step. Right: row k at b + k * b_step.
    The sum over k runs *depth* steps, and again for each round of the *outer* loops: how many, and
    how far both operands move.
    """

    a: str
    a_row: int
    a_step: int
    b: str
    b_step: int
    depth: int
    outer: tuple[tuple[int | str, int, int], ...] = ()


def product(
    nest: Nest, kind: str, lanes: int, widths: Sequence[int], ops: Operands, start: list[list[str]]
) -> list[list[str]]:
    """Return start + left @ right, row by row; *widths* are the elements of each vector in use."""
    rows, vector = len(start), f"<{lanes} x {TYPES[kind]}>"
    many = rows * len(widths)
    unroll = max(1, min(8, ROUND // max(1, many)))

    def step(a: str, b: str, sums: list[str]) -> list[str]:
        """Write one k."""
        right = [
            nest.read(nest.at(b, v * lanes, kind), kind, width, lanes)
            for v, width in enumerate(widths)
        ]
        found = []
        for m in range(rows):
            left = nest.spread(nest.read(nest.at(a, m * ops.a_row, kind), kind), kind, lanes)
            for v, one in enumerate(right):
                found.append(nest.multiply_add(left, one, sums[m * len(widths) + v], kind, lanes))
        return found

    def steps(a: str, b: str, sums: list[str], count: int) -> list[str]:
        for u in range(count):
            sums = step(nest.at(a, u * ops.a_step, kind), nest.at(b, u * ops.b_step, kind), sums)
        return sums

    def moved(a: str, b: str, index: str | int, by: tuple[int, int]) -> tuple[str, str]:
        return (
            nest.at(a, nest.times(index, by[0]), kind),
            nest.at(b, nest.times(index, by[1]), kind),
        )

    def inner(a: str, b: str, sums: list[str]) -> list[str]:
        whole = ops.depth - ops.depth % unroll

        def body(k: str, sums: list[str]) -> list[str]:
            return steps(*moved(a, b, k, (ops.a_step, ops.b_step)), sums, unroll)

        if whole > unroll:
            sums = nest.loop(0, whole, body, unroll, [(vector, s) for s in sums])
        else:
            sums = steps(a, b, sums, whole)
        return steps(*moved(a, b, whole, (ops.a_step, ops.b_step)), sums, ops.depth - whole)

    def around(level: int, a: str, b: str, sums: list[str]) -> list[str]:
        if level == len(ops.outer):
            return inner(a, b, sums)
        count, *by = ops.outer[level]
        if count == 1:
            return around(level + 1, a, b, sums)

        def body(i: str, sums: list[str]) -> list[str]:
            return around(level + 1, *moved(a, b, i, (by[0], by[1])), sums)

        return nest.loop(0, count, body, 1, [(vector, s) for s in sums])

    flat = [s for row in start for s in row]
    if ops.depth:
        flat = around(0, ops.a, ops.b, flat)
    return [flat[m * len(widths) : (m + 1) * len(widths)] for m in range(rows)]
