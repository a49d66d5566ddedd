"""The gradients of recurrent layers as code: slopes of all steps, last first, then of the weight.

A tile of rows goes through all steps, as forward. What it leaves, the slopes of each step's
products, gives the weight's gradient in one product over steps and rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from .cells import Layer, Tiles, even_tiles, read
from .functions import TYPES
from .packing import columns_of
from .tiles import Nest, Operands, Shape, cut, function, product, tile_shape
from .units import Numbers, Strip

__all__ = ["Slopes", "bias_source", "slopes_source", "weight_source"]

CHUNK = 256  # rows of slopes that are summed before the sums go back to memory, about


class Slopes:
    """How the gradients of a layer are cut into tiles."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer

    @cached_property
    def shape(self) -> Shape:
        """The tiles of what is as wide as a state."""
        return tile_shape(self.layer.kind, self.layer.size)

    @cached_property
    def rows(self) -> Tiles:
        """The rows of the batch."""
        return even_tiles(self.layer.rows, self.shape.rows)

    @cached_property
    def weight_rows(self) -> Tiles:
        """The rows of the weight."""
        return Tiles(cut(self.layer.wide, self.shape.rows))

    @cached_property
    def vectors(self) -> Tiles:
        """The elements of all gates, a vector at a time."""
        full, rest = divmod(self.layer.wide, self.shape.lanes)
        pieces = [(0, self.shape.lanes, full), (full * self.shape.lanes, rest, 1)]
        return Tiles([p for p in pieces if p[1] and p[2]])

    @cached_property
    def columns(self) -> list[tuple[int, list[int], int]]:
        """Runs of vectors of a state: (first unit, elements of each vector, how many runs)."""
        return columns_of(self.shape, self.layer.size)


# ---- formulas ------------------------------------------------------------------------------------
def lstm_slopes(n: Numbers, *given: str) -> list[str]:
    """Return the slopes of i, f, g, o, and the gradient of the cell before, of one unit.

    Given: the gradients of h, c, i, f, g, o as results; c, i, f, g, o; the gradients of h and c
    from the step behind; the cell before.
    """
    g_h, g_c, g_i, g_f, g_z, g_o, c, i, f, z, o, of_h, of_c, before = given
    bent = n.tanh(c)
    of_h = n("add", of_h, g_h)
    of_c = n("add", n("add", of_c, g_c), n("mul", of_h, n("mul", n.bend(bent), o)))
    return [
        n("mul", n("add", g_i, n("mul", of_c, z)), n.share(i)),
        n("mul", n("add", g_f, n("mul", of_c, before)), n.share(f)),
        n("mul", n("add", g_z, n("mul", of_c, i)), n.bend(z)),
        n("mul", n("add", g_o, n("mul", of_h, bent)), n.share(o)),
        n("mul", of_c, f),
    ]


def gru_slopes(n: Numbers, *given: str) -> list[str]:
    """Return the slopes of r, z and n, that of n's hidden part, and the gradient of h before.

    Given: the gradients of h, r, z, n, s as results; r, z, n, s; the gradient of h from the step
    behind; h before.
    """
    g_h, g_r, g_z, g_n, g_s, r, z, new, s, of_h, before = given
    of_h = n("add", of_h, g_h)
    rest = n("mul", of_h, n("sub", n.one, z))
    of_n = n("mul", n("add", g_n, rest), n.bend(new))
    return [
        n("mul", n("add", g_r, n("mul", of_n, s)), n.share(r)),
        n("mul", n("add", g_z, n("mul", of_h, n("sub", before, new))), n.share(z)),
        of_n,
        n("add", g_s, n("mul", of_n, r)),
        n("mul", of_h, z),
    ]


# ---- slopes of all steps -------------------------------------------------------------------------
def slopes_source(layer: Layer) -> str:
    """Return the kernel that goes back through the steps.

    Table: gradient of the result, result, what was carried first (c, or h), weight, gradient of the
    gates, that of their hidden part (the same for an LSTM), those of h and c (h again for a GRU).
    It runs over the tiles of rows.
    """
    back = Back(layer)
    return function(back.nest, ["ptr"] * 8, back.steps)


class Back:
    """What writes the kernel that goes back."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.slopes, self.nest = layer, Slopes(layer), Nest()
        self.numbers = Numbers(self.nest, layer.kind)

    def steps(
        self,
        g: str,
        y: str,
        first: str,
        weight: str,
        gates: str,
        hidden: str,
        of_h: str,
        of_c: str,
    ) -> None:
        """Write the loop over all steps, the last one first."""
        layer, nest, kind = self.layer, self.nest, self.layer.kind
        self.strip = Strip(nest, kind, self.slopes.shape.lanes, self.slopes.shape.vectors, 19)
        carried = (of_h, of_c) if layer.long else (of_h,)
        zero = f"store {TYPES[kind]} 0.0, ptr"

        def clear(row: str, rows: int) -> None:
            for place in carried:
                here = nest.at(place, nest.times(row, layer.size), kind)
                count = rows * layer.size
                nest.loop(0, count, lambda i, p=here: nest.do(f"{zero} {nest.at(p, i, kind)}"))

        def step(u: str) -> None:
            t = nest(f"sub i64 {layer.steps - 1}, {u}")
            grad, out = (nest.at(p, nest.times(t, layer.state), kind) for p in (g, y))
            kept = nest.at(out, layer.carried - layer.state, kind)
            before = nest(f"select i1 {nest(f'icmp eq i64 {t}, 0')}, ptr {first}, ptr {kept}")
            places = [
                nest.at(p, nest.times(t, layer.rows * layer.wide), kind) for p in (gates, hidden)
            ]

            def tile(row: str, rows: int) -> None:
                sources = [grad, out, *carried, before]
                nest.loop(0, rows, lambda m: self.row(nest.plus(row, m), sources, places))

            self.slopes.rows.each(nest, tile)
            self.products(places[1], weight, of_h)

        self.slopes.rows.each(nest, clear)
        nest.loop(0, layer.steps, step)

    def row(self, row: str | int, sources: list[str], places: list[str]) -> None:
        """Write the slopes of one row."""
        layer, nest, kind, lanes = self.layer, self.nest, self.layer.kind, self.slopes.shape.lanes
        made = layer.steps * layer.state
        results = layer.gates + 2  # of forward, h among them
        for unit, widths, runs in self.slopes.columns:

            def block(b: str, unit: int = unit, widths: list[int] = widths) -> None:
                u = nest.plus(nest.times(b, len(widths) * lanes), unit)
                at = nest.plus(nest.times(row, layer.size), u)
                grad, out, *rest = (nest.at(p, at, kind) for p in sources)
                given = [nest.at(grad, k * made, kind) for k in range(results)]
                given += [nest.at(out, k * made, kind) for k in range(1, results)]
                vectors = [read(nest, kind, lanes, p, widths) for p in (*given, *rest)]
                cell = lstm_slopes if layer.long else gru_slopes
                *found, last = self.strip.map(vectors, lambda *x: cell(self.numbers, *x))
                there = [
                    nest.at(nest.at(p, nest.times(row, layer.wide), kind), u, kind) for p in places
                ]
                for k in range(layer.gates):
                    self.write(found[k], nest.at(there[0], k * layer.size, kind), widths)
                    if not layer.long:
                        value = found[3] if k == 2 else found[k]
                        self.write(value, nest.at(there[1], k * layer.size, kind), widths)
                self.write(last, rest[len(rest) - 2], widths)

            nest.loop(0, runs, block)

    def products(self, hidden: str, weight: str, of_h: str) -> None:
        """Write the loops that give the gradient of the states before."""
        layer, nest, kind, shape = self.layer, self.nest, self.layer.kind, self.slopes.shape
        for unit, widths, runs in self.slopes.columns:

            def block(b: str, unit: int = unit, widths: list[int] = widths) -> None:
                u = nest.plus(nest.times(b, len(widths) * shape.lanes), unit)
                factors = nest.at(weight, u, kind)

                def tile(row: str, rows: int) -> None:
                    here = nest.at(nest.at(of_h, nest.times(row, layer.size), kind), u, kind)
                    out = [nest.at(here, m * layer.size, kind) for m in range(rows)]
                    start = [["zeroinitializer"] * len(widths)] * rows
                    if not layer.long:
                        start = [read(nest, kind, shape.lanes, place, widths) for place in out]
                    left = nest.at(hidden, nest.times(row, layer.wide), kind)
                    ops = Operands(left, layer.wide, 1, factors, layer.weight_row, layer.wide)
                    sums = product(nest, kind, shape.lanes, widths, ops, start)
                    for values, place in zip(sums, out):
                        self.write(values, place, widths)

                self.slopes.rows.each(nest, tile)

            nest.loop(0, runs, block)

    def write(self, vectors: Sequence[str], place: str, widths: list[int]) -> None:
        """Write vectors to *place*."""
        write(self.nest, self.layer.kind, self.slopes.shape.lanes, vectors, place, widths)


def write(
    nest: Nest, kind: str, lanes: int, vectors: Sequence[str], place: str, widths: list[int]
) -> None:
    """Write vectors, of *widths* elements, to *place*."""
    for v, (vector, width) in enumerate(zip(vectors, widths)):
        nest.write(vector, nest.at(place, v * lanes, kind), kind, width, lanes)


# ---- the weight and the bias ---------------------------------------------------------------------
def weight_source(layer: Layer) -> str:
    """Return the kernel that sums slopes times states before, over all steps and rows.

    Table: slopes, h, result, gradient of the weight. It runs over the tiles of the weight's rows.
    """
    nest, kind, slopes = Nest(), layer.kind, Slopes(layer)
    lanes, size = slopes.shape.lanes, layer.size
    chunk = max(1, CHUNK // layer.rows)  # steps
    rest = layer.steps - 1
    nest.declared.add("declare i64 @llvm.smin.i64(i64, i64)")

    def body(hidden: str, h: str, y: str, total: str) -> None:
        def tile(row: str, rows: int, left: str, right: str, count: str | int, first: bool) -> None:
            for unit, widths, runs in slopes.columns:

                def block(b: str, unit: int = unit, widths: list[int] = widths) -> None:
                    u = nest.plus(nest.times(b, len(widths) * lanes), unit)
                    here = nest.at(nest.at(total, nest.times(row, size), kind), u, kind)
                    out = [nest.at(here, m * size, kind) for m in range(rows)]
                    start = [["zeroinitializer"] * len(widths)] * rows
                    if not first:
                        start = [read(nest, kind, lanes, place, widths) for place in out]
                    ops = Operands(
                        nest.at(left, row, kind),
                        1,
                        layer.wide,
                        nest.at(right, u, kind),
                        size,
                        layer.rows,
                        ((count, layer.rows * layer.wide, layer.state),),
                    )
                    sums = product(nest, kind, lanes, widths, ops, start)
                    for values, place in zip(sums, out):
                        write(nest, kind, lanes, values, place, widths)

                nest.loop(0, runs, block)

        def steps(c: str) -> None:
            done = nest.times(c, chunk)
            count = nest(
                f"call i64 @llvm.smin.i64(i64 {nest(f'sub i64 {rest}, {done}')}, i64 {chunk})"
            )
            after = nest.plus(done, 1)
            left = nest.at(hidden, nest.times(after, layer.rows * layer.wide), kind)
            right = nest.at(y, nest.times(done, layer.state), kind)
            slopes.weight_rows.each(nest, lambda r, n: tile(r, n, left, right, count, False))

        slopes.weight_rows.each(nest, lambda r, n: tile(r, n, hidden, h, 1, True))
        nest.loop(0, -(-rest // chunk), steps)

    return function(nest, ["ptr"] * 4, body)


def bias_source(layer: Layer) -> str:
    """Return the kernel that sums slopes over all steps and rows.

    Table: slopes, gradient of the bias. It runs over vectors.
    """
    nest, kind, slopes = Nest(), layer.kind, Slopes(layer)
    vector = f"<{slopes.shape.lanes} x {TYPES[kind]}>"

    def body(hidden: str, total: str) -> None:
        def column(first: str, width: int) -> None:
            def row(r: str, sums: list[str]) -> list[str]:
                place = nest.at(nest.at(hidden, nest.times(r, layer.wide), kind), first, kind)
                value = nest.read(place, kind, width, slopes.shape.lanes)
                return [nest(f"fadd {vector} {sums[0]}, {value}")]

            rows = layer.steps * layer.rows
            (found,) = nest.loop(0, rows, row, carried=[(vector, "zeroinitializer")])
            place = nest.at(total, first, kind)
            nest.write(found, place, kind, width, slopes.shape.lanes)

        slopes.vectors.each(nest, column)

    return function(nest, ["ptr"] * 2, body)
