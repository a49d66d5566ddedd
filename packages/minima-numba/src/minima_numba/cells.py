"""Recurrent layers as code: each tile of a batch's rows goes through a step at a time.

Rows do not depend on each other, so whoever has some takes them through all steps. Of a step the
products of all gates for one block of units are made at once, and what the gates give is computed
while they are at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .functions import TYPES
from .packing import columns_of, transposed
from .tiles import Nest, Operands, Shape, cut, function, product, tile_shape
from .units import Numbers, Strip, Vectors

__all__ = ["Layer", "Tiles", "even_tiles", "forward_source", "pack_source", "read"]


@dataclass(frozen=True)
class Layer:
    """A layer in one direction.

    *strides* (T, N) of the projected inputs, and how far rows of the weight lie from each other,
    are in elements.
    """

    kind: str
    gates: int
    steps: int
    rows: int
    size: int
    strides: tuple[int, int] = (0, 0)
    bias: bool = False
    weight_row: int = 0

    @property
    def wide(self) -> int:
        """Elements of all gates of one row."""
        return self.gates * self.size

    @property
    def state(self) -> int:
        """Elements of the states of all rows."""
        return self.rows * self.size

    @property
    def long(self) -> bool:
        """Whether it is an LSTM, and not a GRU."""
        return self.gates == 4

    @property
    def carried(self) -> int:
        """Where in the result what is carried beside the products begins: c, or h."""
        return self.steps * self.state if self.long else 0

    @cached_property
    def lanes(self) -> int:
        """Elements of a vector."""
        return tile_shape(self.kind, self.size).lanes

    @cached_property
    def _vectors(self) -> int:
        """Vectors that a tile has room for."""
        shape = tile_shape(self.kind, self.gates * self.lanes)
        return shape.rows * shape.vectors

    @cached_property
    def block(self) -> int:
        """Vectors of units at a time: with few rows two, or sums would wait for each other."""
        needed = -(-self.size // self.lanes)
        return 2 if needed > 1 and self._vectors >= 2 * self.gates * self.rows else 1

    @property
    def blocks(self) -> list[tuple[int, list[int], int]]:
        """The units, as the forward kernel cuts them, as `columns_of` gives them."""
        return columns_of(Shape(self.lanes, self.block, 1), self.size)

    @property
    def packed(self) -> int:
        """Elements of the packed weight."""
        vectors = sum(len(widths) * runs for _, widths, runs in self.blocks)
        return vectors * self.lanes * self.gates * self.size

    @cached_property
    def tiles(self) -> Tiles:
        """The rows, as the forward kernel cuts them."""
        return even_tiles(self.rows, max(1, self._vectors // (self.gates * self.block)))


class Tiles:
    """Rows cut into *pieces* as `cut` does; the tiles are numbered from 0 to *count* - 1."""

    def __init__(self, pieces: list[tuple[int, int, int]]) -> None:
        self.pieces = pieces
        self.count = sum(count for _, _, count in pieces)

    def each(self, nest: Nest, body: Callable[[str, int], object]) -> None:
        """Write *body(first row, rows)* for the tiles from %low to %high."""
        before = 0
        nest.declared |= {f"declare i64 @llvm.s{how}.i64(i64, i64)" for how in ("max", "min")}
        for first, rows, count in self.pieces:
            low = nest(f"call i64 @llvm.smax.i64(i64 %low, i64 {before})")
            high = nest(f"call i64 @llvm.smin.i64(i64 %high, i64 {before + count})")

            def tile(i: str, first: int = first, rows: int = rows, before: int = before) -> None:
                body(str(nest.plus(nest.times(nest.plus(i, -before), rows), first)), rows)

            nest.loop(low, high, tile)
            before += count


def even_tiles(rows: int, most: int) -> Tiles:
    """Return tiles of at most *most* rows: a few more than needed, to share them among threads.

    >>> even_tiles(32, 6).pieces, even_tiles(12, 6).pieces
    ([(0, 4, 8)], [(0, 6, 2)])
    """
    count = -(-rows // most)
    if count > 2:
        count += -count % 4
    return Tiles(cut(rows, -(-rows // count)))


# ---- the weight ----------------------------------------------------------------------------------
def pack_source(layer: Layer, strides: tuple[int, int]) -> str:
    """Return the kernel that packs a weight (G * H, H) as (block of units, H, G, block).

    Beyond the last unit it leaves numbers that nobody reads. Table: weight, place. It runs over
    gates.
    """
    nest, kind, lanes = Nest(), layer.kind, layer.lanes
    size = layer.size

    def body(weight: str, place: str) -> None:
        def gate(g: str) -> None:
            source = nest.at(weight, nest.times(g, size * strides[0]), kind)
            for first, widths, runs in layer.blocks:

                def block(b: str, first: int = first, widths: list[int] = widths) -> None:
                    vectors = len(widths) * lanes
                    there = nest.at(place, first * layer.wide, kind)
                    there = nest.at(there, nest.times(b, vectors * layer.wide), kind)
                    there = nest.at(there, nest.times(g, vectors), kind)
                    unit = nest.plus(nest.times(b, vectors), first)
                    here = nest.at(source, nest.times(unit, strides[0]), kind)
                    for v, width in enumerate(widths):
                        column(
                            nest.at(here, v * lanes * strides[0], kind),
                            nest.at(there, v * lanes, kind),
                            width,
                            layer.gates * vectors,
                        )

                nest.loop(0, runs, block)

        def column(here: str, there: str, width: int, step: int) -> None:
            """Turn so many rows of the weight into a column of vectors."""
            for first, depth, runs in (
                (0, lanes, size // lanes),
                (size - size % lanes, size % lanes, 1),
            ):

                def square(i: str, first: int = first, depth: int = depth) -> None:
                    k = nest.plus(nest.times(i, lanes), first)
                    source = nest.at(here, nest.times(k, strides[1]), kind)
                    rows = [
                        nest.read(
                            nest.at(source, min(m, width - 1) * strides[0], kind),
                            kind,
                            depth,
                            lanes,
                        )
                        for m in range(lanes)
                    ]
                    to = nest.at(there, nest.times(k, step), kind)
                    for m, vector in enumerate(transposed(nest, kind, rows)[:depth]):
                        nest.write(vector, nest.at(to, m * step, kind), kind, lanes, lanes)

                if depth:
                    nest.loop(0, runs, square)

        nest.loop("%low", "%high", gate)

    return function(nest, ["ptr"] * 2, body)


# ---- forward -------------------------------------------------------------------------------------
def lstm_step(n: Numbers, i: str, f: str, g: str, o: str, c: str) -> list[str]:
    """Return h, c, and the gates i, f, g, o of one unit."""
    i, f, o = (n.sigmoid(x) for x in (i, f, o))
    g = n.tanh(g)
    c = n("add", n("mul", f, c), n("mul", i, g))
    return [n("mul", o, n.tanh(c)), c, i, f, g, o]


def gru_step(n: Numbers, r: str, z: str, s: str, d: str, h: str) -> list[str]:
    """Return h, and r, z, n, s of one unit."""
    r, z = n.sigmoid(r), n.sigmoid(z)
    new = n.tanh(n("add", d, n("mul", r, s)))
    return [n("add", n("mul", n("sub", h, new), z), new), r, z, new, s]


def forward_source(layer: Layer) -> str:
    """Return the kernel of a layer: an LSTM where there are four gates, else a GRU.

    Table: projected inputs, h, what else is carried (c, or h again), packed weight, bias, result.
    It runs over the tiles of rows.
    """
    forward = Forward(layer)
    return function(forward.nest, ["ptr"] * 6, forward.steps)


class Forward:
    """What writes the kernel of a layer."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.nest = layer, Nest()
        self.numbers = Numbers(self.nest, layer.kind)

    def steps(self, gates: str, h: str, c: str, weight: str, bias: str, y: str) -> None:
        """Write the loop over all steps."""
        layer, nest, kind = self.layer, self.nest, self.layer.kind
        rows = max(rows for _, rows, _ in layer.tiles.pieces)
        self.strip = Strip(nest, kind, layer.lanes, rows * layer.block, 11)

        def step(t: str) -> None:
            given = nest.at(gates, nest.times(t, layer.strides[0]), kind)
            out = nest.at(y, nest.times(t, layer.state), kind)
            first = nest(f"icmp eq i64 {t}, 0")
            h_before, c_before = (
                nest(f"select i1 {first}, ptr {state}, ptr {nest.at(out, behind, kind)}")
                for state, behind in ((h, -layer.state), (c, layer.carried - layer.state))
            )
            for unit, widths, runs in layer.blocks:

                def block(b: str, unit: int = unit, widths: list[int] = widths) -> None:
                    u = nest.plus(nest.times(b, len(widths) * layer.lanes), unit)
                    factors = nest.at(weight, nest.times(u, layer.wide), kind)
                    shifts = nest.at(bias, u, kind)

                    def tile(row: str, rows: int) -> None:
                        place = nest.plus(nest.times(row, layer.size), u)
                        here = nest.at(given, nest.times(row, layer.strides[1]), kind)
                        left = nest.at(h_before, nest.times(row, layer.size), kind)
                        inputs = self.inputs(nest.at(here, u, kind), rows, widths)
                        sums = self.products(left, factors, shifts, inputs, widths)
                        before = nest.at(c_before, place, kind)
                        self.results(sums, inputs, before, nest.at(out, place, kind), widths)

                    layer.tiles.each(nest, tile)

                nest.loop(0, runs, block)

        nest.loop(0, layer.steps, step)

    def inputs(self, here: str, rows: int, widths: list[int]) -> list[Vectors]:
        """Return, of each row, the vectors of each gate that were given."""
        size, stride = self.layer.size, self.layer.strides[1]
        return [
            [
                self.read(self.nest.at(here, m * stride + g * size, self.layer.kind), widths)
                for g in range(self.layer.gates)
            ]
            for m in range(rows)
        ]

    def products(
        self, left: str, factors: str, shifts: str, inputs: list[Vectors], widths: list[int]
    ) -> list[list[str]]:
        """Return, of each row, the vectors of each gate with what the state before adds.

        To the last gate of a GRU what was given is not added: r comes in between.
        """
        layer, nest, kind, lanes = self.layer, self.nest, self.layer.kind, self.layer.lanes
        shift = [["zeroinitializer"] * len(widths)] * layer.gates
        if layer.bias:
            places = [nest.at(shifts, g * layer.size, kind) for g in range(layer.gates)]
            shift = [self.read(place, widths) for place in places]

        def start(row: Vectors) -> list[str]:
            found = [v for gate in row for v in gate]
            if layer.bias:
                vector = f"<{lanes} x {TYPES[kind]}>"
                extra = [v for gate in shift for v in gate]
                found = [nest(f"fadd {vector} {a}, {b}") for a, b in zip(found, extra)]
            return found if layer.long else [*found[: 2 * len(widths)], *shift[2]]

        full = [lanes] * (layer.gates * len(widths))
        ops = Operands(left, layer.size, 1, factors, len(full) * lanes, layer.size)
        return product(nest, kind, lanes, full, ops, [start(row) for row in inputs])

    def results(
        self,
        sums: list[list[str]],
        inputs: list[Vectors],
        before: str,
        out: str,
        widths: list[int],
    ) -> None:
        """Write what the gates give."""
        layer, nest, kind, count = self.layer, self.nest, self.layer.kind, len(widths)
        given = [[v for row in sums for v in row[g * count :][:count]] for g in range(layer.gates)]
        if not layer.long:
            given.append([v for row in inputs for v in row[2]])
        places = [nest.at(before, m * layer.size, kind) for m in range(len(sums))]
        given.append([v for place in places for v in self.read(place, widths)])
        cell = lstm_step if layer.long else gru_step
        made = layer.steps * layer.state
        for k, found in enumerate(self.strip.map(given, lambda *x: cell(self.numbers, *x))):
            for i, vector in enumerate(found):
                m, v = divmod(i, count)
                to = nest.at(out, k * made + m * layer.size + v * layer.lanes, kind)
                nest.write(vector, to, kind, widths[v], layer.lanes)

    def read(self, place: str, widths: list[int]) -> list[str]:
        """Return the vectors that lie at *place*."""
        return read(self.nest, self.layer.kind, self.layer.lanes, place, widths)


def read(nest: Nest, kind: str, lanes: int, place: str, widths: Sequence[int]) -> list[str]:
    """Return the vectors that lie at *place*, of *widths* elements."""
    return [
        nest.read(nest.at(place, v * lanes, kind), kind, width, lanes)
        for v, width in enumerate(widths)
    ]
