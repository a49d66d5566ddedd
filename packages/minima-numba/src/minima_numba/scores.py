"""What becomes of the scores of a tile, and the kernels of attention and its gradient."""

from __future__ import annotations

from .functions import TYPES, call, combined, number
from .heads import Head, Heads, Layout
from .packing import copy_row, fill, whole
from .tiles import SIZES, Nest, function, tile_shape

__all__ = ["backward_source", "forward_source"]


class Scores(Head):
    """Writes softmax, and its gradient, of the scores of a tile."""

    def softmax(self, mask: str, layout: Layout | None, divide: bool) -> None:
        """Turn the scores of a tile into weights; leave 1 / sum in "factors", or *divide*."""
        nest, h, kind = self.nest, self.h, self.kind

        def row(r: str) -> None:
            here = nest.at(self.at["weights"], nest.times(r, h.width), kind)
            limit, seen = str(h.keys), str(whole(h.keys, h.shape.lanes))
            if h.causal:
                limit = self.smaller(nest.plus(nest.plus(self.first, r), 1), h.keys)
                above = nest.plus(limit, h.shape.lanes - 1)
                seen = nest(f"and i64 {above}, {-h.shape.lanes}")
            if layout is not None:
                start = nest.times(nest.plus(self.first, r), layout.row)
                self.masked(here, mask, start, layout.column, limit)
            top = self.largest(here, limit, seen)
            factor = self.exponentials(here, top, seen)
            fill(nest, kind, here, str(self.stop), first=seen)
            if divide:
                nest.loop(0, seen, lambda s: self.scaled(here, s, factor))
            else:
                place = nest.at(self.at["factors"], r, kind)
                nest.do(f"store {TYPES[kind]} {factor}, ptr {place}")

        nest.loop(0, self.rows, row)

    def scaled(self, here: str, s: str, factor: str) -> None:
        """Multiply one element."""
        place = self.nest.at(here, s, self.kind)
        value = self.nest.read(place, self.kind)
        value = self.nest(f"fmul {TYPES[self.kind]} {value}, {factor}")
        self.nest.do(f"store {TYPES[self.kind]} {value}, ptr {place}")

    def masked(self, here: str, mask: str, start: str | int, column: int, limit: str) -> None:
        """Add the row of the mask that begins at *start*, or hide what is False."""
        nest, name = self.nest, TYPES[self.kind]
        unit = "i8" if self.h.mask == "b1" else name

        def key(s: str) -> None:
            place = nest.at(here, s, self.kind)
            at = nest.plus(start, nest.times(s, column))
            given = nest(f"load {unit}, ptr {nest(f'getelementptr {unit}, ptr {mask}, i64 {at}')}")
            value = nest.read(place, self.kind)
            if unit == "i8":
                test = nest(f"icmp ne i8 {given}, 0")
                value = nest(
                    f"select i1 {test}, {name} {value}, {name} {number(float('-inf'), self.kind)}"
                )
            else:
                value = nest(f"fadd {name} {value}, {given}")
            nest.do(f"store {name} {value}, ptr {place}")

        nest.loop(0, limit, key)

    def largest(self, here: str, limit: str, seen: str) -> str:
        """Hide what lies between *limit* and *seen*; return the largest score, 0 for none."""
        nest, h, kind = self.nest, self.h, self.kind
        lanes, name = h.shape.lanes, TYPES[kind]
        vector, low = f"<{lanes} x {name}>", number(float("-inf"), kind)
        hidden = nest.spread(low, kind, lanes)
        bound = self.integers(limit)
        integers = f"<{lanes} x i32>"
        steps = ", ".join(f"i32 {i}" for i in range(lanes))

        def some(s: str, values: list[str]) -> list[str]:
            place = nest.at(here, s, kind)
            value = nest.read(place, kind, lanes)
            if h.causal or h.keys % lanes:
                index = nest(f"add {integers} {self.integers(s)}, <{steps}>")
                test = nest(f"icmp slt {integers} {index}, {bound}")
                value = nest(f"select <{lanes} x i1> {test}, {vector} {value}, {vector} {hidden}")
                nest.write(value, place, kind, lanes, lanes)
            test = nest(f"fcmp ogt {vector} {value}, {values[0]}")
            return [nest(f"select <{lanes} x i1> {test}, {vector} {value}, {vector} {values[0]}")]

        (found,) = nest.loop(0, seen, some, lanes, [(vector, hidden)])
        reduce = f"llvm.vector.reduce.fmax.v{lanes}f{8 * SIZES[kind]}"
        nest.declared.add(f"declare {name} @{reduce}({vector})")
        top = nest(f"call {name} @{reduce}({vector} {found})")
        size = nest.external(f"llvm.fabs.f{8 * SIZES[kind]}", kind, top)
        test = nest(f"fcmp olt {name} {size}, {number(float('inf'), kind)}")
        return nest(f"select i1 {test}, {name} {top}, {name} {number(0, kind)}")

    def integers(self, index: str) -> str:
        """Return a vector of which each element is *index*."""
        nest, vector = self.nest, f"<{self.h.shape.lanes} x i32>"
        one = nest(f"trunc i64 {index} to i32")
        one = nest(f"insertelement {vector} poison, i32 {one}, i64 0")
        return nest(f"shufflevector {vector} {one}, {vector} poison, {vector} zeroinitializer")

    def exponentials(self, here: str, top: str, seen: str) -> str:
        """Write exp(score - top); return 1 / sum."""
        nest, kind, name = self.nest, self.kind, TYPES[self.kind]

        def key(s: str, values: list[str]) -> list[str]:
            place = nest.at(here, s, kind)
            less = nest(f"fsub {name} {nest.read(place, kind)}, {top}")
            e = call(nest, "exp", kind, less)
            nest.do(f"store {name} {e}, ptr {place}")
            return [combined(nest, "sum", kind, values[0], e)]

        (total,) = nest.loop(0, seen, key, 1, [(name, number(0, kind))])
        none = nest(f"fcmp oeq {name} {total}, {number(0, kind)}")
        total = nest(f"select i1 {none}, {name} {number(1, kind)}, {name} {total}")
        return nest(f"fdiv {name} {number(1, kind)}, {total}")

    def slopes(self) -> None:
        """Turn the gradients of weights into those of scores: (slope - mean slope) * weight."""
        nest, h, kind, name = self.nest, self.h, self.kind, TYPES[self.kind]

        def row(r: str) -> None:
            weights, here = (
                nest.at(self.at[n], nest.times(r, h.width), kind) for n in ("weights", "slopes")
            )

            def both(s: str) -> tuple[str, str, str]:
                place = nest.at(here, s, kind)
                return place, nest.read(place, kind), nest.read(nest.at(weights, s, kind), kind)

            def add(s: str, values: list[str]) -> list[str]:
                _, slope, weight = both(s)
                each = nest(f"fmul contract {name} {slope}, {weight}")
                return [combined(nest, "sum", kind, values[0], each)]

            def less(s: str) -> None:
                place, slope, weight = both(s)
                value = nest(f"fmul {name} {nest(f'fsub {name} {slope}, {mean}')}, {weight}")
                nest.do(f"store {name} {value}, ptr {place}")

            (mean,) = nest.loop(0, str(self.stop), add, 1, [(name, number(0, kind))])
            nest.loop(0, str(self.stop), less)

        def none(r: str) -> None:
            for part in ("weights", "slopes"):
                fill(
                    nest, kind, nest.at(self.at[part], nest.times(r, h.width), kind), str(self.stop)
                )

        nest.loop(0, self.rows, row)
        nest.loop(self.rows, h.block, none)


def forward_source(h: Heads, layouts: dict[str, Layout]) -> str:
    """Return the kernel that computes the tiles of all heads, one after the other.

    Table: queries, keys, values, mask, output, scratch.
    """
    nest, kind = Nest(), h.kind

    def body(q: str, k: str, v: str, mask: str, y: str, scratch: str) -> None:
        at = Scores(nest, h, scratch, False)

        def item(i: str) -> None:
            head, block = nest(f"sdiv i64 {i}, {h.blocks}"), nest(f"srem i64 {i}, {h.blocks}")
            begins = nest(f"icmp eq i64 {i}, %low")
            other = nest(f"icmp eq i64 {block}, 0")
            begins = nest(f"or i1 {begins}, {other}")
            nest.choose(begins, lambda: copy(head), lambda: None)
            at.begin(block)
            rows(at, q, layouts["q"], head, h.size, at.at["queries"])
            at.against_keys(at.at["queries"], h.size, at.at["keys"], at.at["weights"])
            weigh(at, mask, layouts.get("mask"), head, False)
            at.over_keys(at.at["weights"], at.at["values"], h.values)
            to = nest.at(y, at.offset(layouts["y"], head), kind)
            to = nest.at(to, nest.times(at.first, layouts["y"].row), kind)
            at.out(
                at.rows,
                h.values,
                to,
                layouts["y"],
                lambda r: nest.read(nest.at(at.at["factors"], r, kind), kind),
            )

        def copy(head: str) -> None:
            here = nest.at(k, at.offset(layouts["k"], head), kind)
            at.by_columns(here, layouts["k"], h.size, at.at["keys"])
            here = nest.at(v, at.offset(layouts["v"], head), kind)
            sizes = h.keys, h.values, h.length
            at.by_rows(here, layouts["v"], sizes, at.at["values"])

        nest.loop("%low", "%high", item)

    return function(nest, ["ptr"] * 6, body)


def rows(
    at: Scores, source: str, layout: Layout, head: str, size: int, place: str, scaled: bool = True
) -> None:
    """Copy the rows of the tile's queries, times the scale."""
    here = at.nest.at(source, at.offset(layout, head), at.kind)
    here = at.nest.at(here, at.nest.times(at.first, layout.row), at.kind)
    factor = number(at.h.scale, at.kind) if scaled else ""
    at.by_rows(here, layout, (at.rows, size, at.h.block), place, factor)


def weigh(at: Scores, mask: str, layout: Layout | None, head: str, divide: bool) -> None:
    """Turn scores into weights, with the part of *mask* that belongs to *head*."""
    if layout is not None:
        unit = "i8" if at.h.mask == "b1" else TYPES[at.kind]
        mask = at.nest(f"getelementptr {unit}, ptr {mask}, i64 {at.offset(layout, head)}")
    at.softmax(mask, layout, divide)


def backward_source(h: Heads, layouts: dict[str, Layout]) -> str:
    """Return the kernel that computes the gradients of whole heads.

    Table: gradient, queries, keys, values, mask, the gradients of these three, scratch.
    """
    nest, kind = Nest(), h.kind

    def body(g: str, q: str, k: str, v: str, mask: str, *rest: str) -> None:
        of_q, of_k, of_v, scratch = rest
        at = Scores(nest, h, scratch, True)
        place = at.at

        def head(i: str) -> None:
            keys = nest.at(k, at.offset(layouts["k"], i), kind)
            at.by_columns(keys, layouts["k"], h.size, place["keys"])
            at.by_rows(keys, layouts["k"], (h.keys, h.size, h.length), place["key_rows"])
            values = nest.at(v, at.offset(layouts["v"], i), kind)
            at.by_columns(values, layouts["v"], h.values, place["values"])
            fill(nest, kind, place["of_keys"], h.length * h.wide_size)
            fill(nest, kind, place["of_values"], h.length * h.wide_values)
            nest.loop(0, h.blocks, lambda b: tile(i, b))
            finish(i, place["of_keys"], h.size, of_k)
            finish(i, place["of_values"], h.values, of_v)

        def tile(i: str, block: str) -> None:
            at.begin(block)
            rows(at, q, layouts["q"], i, h.size, place["queries"])
            rows(at, g, layouts["g"], i, h.values, place["g"], scaled=False)
            at.against_keys(place["queries"], h.size, place["keys"], place["weights"])
            weigh(at, mask, layouts.get("mask"), i, True)
            at.against_keys(place["g"], h.values, place["values"], place["slopes"])
            at.slopes()
            at.over_queries(place["weights"], place["g"], h.values, place["of_values"])
            at.over_queries(place["slopes"], place["queries"], h.size, place["of_keys"])
            at.over_keys(place["slopes"], place["key_rows"], h.size)
            row = nest.plus(nest.times(i, h.queries), at.first)
            to = nest.at(of_q, nest.times(row, h.size), kind)
            layout = Layout((), h.size, 1)
            at.out(at.rows, h.size, to, layout, lambda r: number(h.scale, kind))

        def finish(i: str, source: str, size: int, to: str) -> None:
            width = whole(size, tile_shape(kind, size).lanes)
            there = nest.at(to, nest.times(i, h.keys * size), kind)
            nest.loop(
                0,
                h.keys,
                lambda s: copy_row(
                    nest,
                    kind,
                    nest.at(source, nest.times(s, width), kind),
                    nest.at(there, nest.times(s, size), kind),
                    size,
                ),
            )

        nest.loop("%low", "%high", head)

    return function(nest, ["ptr"] * 9, body)
