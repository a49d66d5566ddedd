"""Steps that read rows of a table, or add rows up in it, as native kernels."""

from __future__ import annotations

from functools import lru_cache

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .functions import TYPES
from .packing import columns_of, copy_row, fill
from .stages import Call, Stages, collapsed, parts, span, strides
from .tiles import KEPT, Nest, function, tile_shape

__all__ = ["EMBEDDINGS"]

SPEED = 2e9  # elements that a thread copies in a second, about
COLUMNS = 32  # that one part adds up: whole cache lines

Pair = tuple[int, int]


class Rows:
    """Walks over rows and the place in a table that an index gives each."""

    def __init__(self, kind: str, indices: Value, rows: Pair, table: Pair) -> None:
        self.nest, self.kind, self.rows, self.table = Nest(), kind, rows, table
        self.size = indices.dtype.itemsize
        _, self.step = collapsed(indices.shape, strides(indices)) or (0, 0)

    def place(self, indices: str, i: str) -> str | int:
        """Return where in the table, in elements, the row of index number *i* begins."""
        nest, kind = self.nest, f"i{8 * self.size}"
        at = nest(f"getelementptr {kind}, ptr {indices}, i64 {nest.times(i, self.step)}")
        found = nest(f"load {kind}, ptr {at}")
        found = nest(f"sext {kind} {found} to i64") if self.size < 8 else found
        return nest.times(found, self.table[0])

    def taken(self, columns: int) -> str:
        """Return the kernel that copies rows of the table. Table: indices, table, rows."""
        nest, kind = self.nest, self.kind

        def body(indices: str, table: str, rows: str) -> None:
            def one(i: str) -> None:
                here = nest.at(table, self.place(indices, i), kind)
                there = nest.at(rows, nest.times(i, self.rows[0]), kind)
                copy_row(nest, kind, here, there, columns, (self.table[1], self.rows[1]))

            nest.loop("%low", "%high", one)

        return function(nest, ["ptr"] * 3, body)

    def added(self, sizes: tuple[int, int, int], padding: int | None) -> str:
        """Return the kernel that adds rows up in some columns of the table.

        *sizes*: how many rows, rows of the table, columns. Table: indices, rows, table.
        """
        nest, kind, name = self.nest, self.kind, TYPES[self.kind]
        count, many, columns = sizes

        def body(indices: str, rows: str, table: str) -> None:
            low, high = (str(nest.times(end, COLUMNS)) for end in ("%low", "%high"))
            nest.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
            high = nest(f"call i64 @llvm.smin.i64(i64 {high}, i64 {columns})")

            def clear(v: str | int) -> None:
                fill(
                    nest, kind, nest.at(table, nest.times(v, self.table[0]), kind), high, first=low
                )

            def one(i: str) -> None:
                there = nest.at(table, self.place(indices, i), kind)
                here = nest.at(rows, nest.times(i, self.rows[0]), kind)

                def element(c: str) -> None:
                    place = nest.at(there, c, kind)
                    value = nest.read(nest.at(here, nest.times(c, self.rows[1]), kind), kind)
                    total = nest(f"fadd {name} {nest.read(place, kind)}, {value}")
                    nest.do(f"store {name} {total}, ptr {place}")

                nest.loop(low, high, element)

            nest.loop(0, many, clear)
            nest.loop(0, count, one)
            if padding is not None:
                clear(padding)

        return function(nest, ["ptr"] * 3, body)


def _suits(indices: Value, rows: Value, table: Value) -> bool:
    kinds = {v.dtype.str[1:] for v in (rows, table)}
    full = all(v.array.size for v in (indices, rows, table))
    return kinds in ({"f4"}, {"f8"}) and full and indices.dtype.str[1:] in ("i4", "i8")


def _walk(indices: Value, rows: Value, table: Value) -> tuple[Rows, int] | None:
    """Return what walks over *rows*, and how many these are."""
    steps = strides(rows)
    lies = collapsed(rows.shape[:-1], steps[:-1])
    if lies is None or collapsed(indices.shape, strides(indices)) is None:
        return None
    down, along = strides(table)
    kind = rows.dtype.str[1:]
    return Rows(kind, indices, (lies[1], steps[-1]), (down, along)), lies[0]


def _forward(step: Step) -> Stages | None:
    indices, table = step.inputs
    rows = step.output
    if indices is None or table is None or not _suits(indices, rows, table):
        return None
    found = _walk(indices, rows, table)
    if found is None:
        return None
    walk, count = found
    columns = table.shape[1]
    source = walk.taken(columns)
    many = parts(count * columns / SPEED, count, get_num_threads())
    return [[Call(source, (indices, table, rows), *span(count, i, many)) for i in range(many)]]


def _gradient(step: Step) -> Stages | None:
    """Each part adds up some columns of all rows, so the order of sums is that of the rows."""
    rows, indices = step.inputs
    table = step.output
    if indices is None or rows is None or not _suits(indices, rows, table):
        return None
    found = _walk(indices, rows, table)
    if found is None or found[0].table[1] != 1:
        return None
    walk, count = found
    many, columns = table.shape
    items = -(-columns // COLUMNS)
    source = walk.added((count, many, columns), step.attrs["padding_idx"])
    pieces = parts((count + many) * columns / SPEED, items, get_num_threads())
    return [[Call(source, (indices, rows, table), *span(items, i, pieces)) for i in range(pieces)]]


def _bag(step: Step) -> Stages | None:
    """Add up, or take the mean of, the rows of each bag."""
    indices, offsets, table, weights = step.inputs
    rows = step.output
    if indices is None or offsets is None or table is None or weights is not None:
        return None
    mode, padding = step.attrs["mode"], step.attrs["padding_idx"]
    straight = all(v.array.flags.c_contiguous for v in (indices, offsets, table, rows))
    if mode == "max" or not straight or not _suits(indices, rows, table):
        return None
    if offsets.dtype != indices.dtype or not offsets.array.size:
        return None
    (count,), (bags, columns) = indices.shape, rows.shape
    kind, size = rows.dtype.str[1:], indices.dtype.itemsize
    source = bags_source(kind, size, count, bags, columns, mode == "mean", padding)
    many = parts((count + bags) * columns / SPEED, bags, get_num_threads())
    entries = (indices, offsets, table, rows)
    return [[Call(source, entries, *span(bags, i, many)) for i in range(many)]]


@lru_cache(KEPT)
def bags_source(
    kind: str, size: int, count: int, bags: int, columns: int, mean: bool, padding: int | None
) -> str:
    """Return the kernel of bags of rows of a table; table: indices, offsets, table, results.

    Offsets beyond the indices, which have *size* bytes, are taken as their end.
    """
    nest, integer = Nest(), f"i{8 * size}"
    shape = tile_shape(kind, columns)
    lanes, vector = shape.lanes, f"<{shape.lanes} x {TYPES[kind]}>"
    nest.declared |= {f"declare i64 @llvm.{n}.i64(i64, i64)" for n in ("smin", "smax")}

    def integer_at(base: str, i: str | int) -> str:
        found = nest(f"load {integer}, ptr {nest(f'getelementptr {integer}, ptr {base}, i64 {i}')}")
        return nest(f"sext {integer} {found} to i64") if size < 8 else found

    def bound(base: str, i: str) -> str:
        low = nest(f"call i64 @llvm.smax.i64(i64 {integer_at(base, i)}, i64 0)")
        return nest(f"call i64 @llvm.smin.i64(i64 {low}, i64 {count})")

    def body(indices: str, offsets: str, table: str, results: str) -> None:
        def bag(b: str) -> None:
            first = bound(offsets, b)
            following = nest.plus(b, 1)
            last = nest(f"icmp eq i64 {following}, {bags}")
            inside = nest(f"select i1 {last}, i64 {b}, i64 {following}")
            end = nest(f"select i1 {last}, i64 {count}, i64 {bound(offsets, inside)}")
            there = nest.at(results, nest.times(b, columns), kind)
            for start, widths, runs in columns_of(shape, columns):

                def run(r: str, start: int = start, widths: list[int] = widths) -> None:
                    at = nest.plus(nest.times(r, len(widths) * lanes), start)
                    add(nest.at(table, at, kind), nest.at(there, at, kind), first, end, widths)

                nest.loop(0, runs, run)

        def add(source: str, place: str, first: str, end: str, widths: list[int]) -> None:
            def row(i: str, sums: list[str]) -> list[str]:
                index = integer_at(indices, i)
                here = nest.at(source, nest.times(index, columns), kind)
                found = []
                for v, width in enumerate(widths):
                    value = nest.read(nest.at(here, v * lanes, kind), kind, width, lanes)
                    found.append(nest(f"fadd {vector} {sums[v]}, {value}"))
                if padding is None:
                    return found
                skip = nest(f"icmp eq i64 {index}, {padding}")
                kept = zip(sums, found)
                found = [nest(f"select i1 {skip}, {vector} {a}, {vector} {b}") for a, b in kept]
                one = nest(f"select i1 {skip}, i64 0, i64 1")
                return [*found, nest(f"add i64 {sums[-1]}, {one}")]

            carried = [(vector, "zeroinitializer")] * len(widths)
            counted = [] if padding is None else [("i64", "0")]
            *sums, length = [*nest.loop(first, end, row, 1, carried + counted), ""][
                : len(widths) + 1
            ]
            if mean:
                length = length or nest(f"sub i64 {end}, {first}")
                length = nest(f"call i64 @llvm.smax.i64(i64 {length}, i64 1)")
                by = nest.spread(nest(f"sitofp i64 {length} to {TYPES[kind]}"), kind, lanes)
                sums = [nest(f"fdiv {vector} {s}, {by}") for s in sums]
            for v, (value, width) in enumerate(zip(sums, widths)):
                nest.write(value, nest.at(place, v * lanes, kind), kind, width, lanes)

        nest.loop("%low", "%high", bag)

    return function(nest, ["ptr"] * 4, body)


EMBEDDINGS = {"embedding": _forward, "embedding_gradient": _gradient, "embedding_bag": _bag}
