"""The kernel of a group that goes on with a reduction: a warp or a block walks along each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minima.compiler.group import Cell
from minima.compiler.loops import Loop, Pass

from .expressions import COMBINE, NAMES, SIZES, identity
from .geometry import BLOCK, Geometry, blocks
from .geometry import rows as over_rows
from .text import Kernel, Scratch, Space

if TYPE_CHECKING:
    from .printer import Printer

__all__ = ["Rows"]

WORKERS = 256  # at most, that share the rows of a group with sums over them
SHORT_ROW, MANY_ROWS = 1024, 64  # a warp walks a row up to the one, where there are the other
WARPS = (32, 8)  # the block of rows that a warp walks


class Rows:
    """The kernel of a group that goes on with a reduction along its rows."""

    def __init__(self, printer: Printer) -> None:
        self.printer, self.schedule = printer, printer.schedule
        schedule = self.schedule
        self.rows, self.row = Space(schedule.outer, "r"), Space(schedule.inner, "i")
        self.kernel = Kernel(printer, [self.rows, self.row])
        self.sums: dict[Cell, Scratch] = {}
        self.each = any(loop.strides[c] for loop in schedule.outer for c in schedule.sums)
        self.short = self.row.size <= SHORT_ROW and self.rows.size >= MANY_ROWS
        self.workers = self.rows.size
        if schedule.sums and not self.each:
            self.workers = min(self.rows.size, WORKERS)

    def write(self) -> None:
        """Add the kernel, and those that add up its sums."""
        printer, kernel, schedule = self.printer, self.kernel, self.schedule
        for cell in schedule.sums:
            length = 1 if cell in schedule.row_sums else self.row.size
            self.sums[cell] = printer.room(schedule.stores[cell].kind, self.workers * length)
        geometry = self._geometry()
        kernel.compute(schedule.scalars)
        kernel.do("const At worker = At(blockIdx.x) * blockDim.y + threadIdx.y;")
        step = str(self.workers) if schedule.sums else "At(gridDim.x) * blockDim.y"
        kernel.do(f"const At step = {step};")
        end = self.workers if schedule.sums else self.rows.size
        kernel.do(f"const At start = worker < {end} ? worker : {self.rows.size};")
        held = [] if self.each else schedule.row_sums
        for cell in held:
            node = schedule.stores[cell]
            first = identity(node.attr[0], node.kind)
            kernel.do(f"{NAMES[node.kind]} total_{printer.name(cell)} = {first};")
        kernel.block(f"for (At r = start; r < {self.rows.size}; r += step)", self._one)
        for cell in held:
            value = f"total_{printer.name(cell)}"
            test = f"if (threadIdx.x == 0 && worker < {self.workers})"
            kernel.do(f"{test} {self._part(cell, 'worker', '')} = {value};")
        printer.emit("rows", kernel, geometry)
        self._add_up()

    def _geometry(self) -> Geometry:
        if self.short:
            return Geometry((blocks(self.workers, WARPS[1]),), WARPS)
        return over_rows(self.workers, self.row.size, 2 * BLOCK)

    def _part(self, cell: Cell, worker: str, element: str) -> str:
        """Return where a part of the sum of *cell* lies."""
        room = self.sums[cell]
        name = self.kernel.used.setdefault(room, self.printer.name(room))
        return f"{name}[{worker} * {self.row.size} + {element}]" if element else f"{name}[{worker}]"

    def _one(self) -> None:
        """Write what happens with one row."""
        kernel, schedule = self.kernel, self.schedule
        kernel.do(*self.rows.lines())
        for one in schedule.passes:
            kernel.compute(one.values)
            if one.elements or one.stores or one.sums or one.reduces:
                self._pass(one)
        for cell in schedule.row_sums:
            node = schedule.stores[cell]
            value = kernel.value(node.args[0])
            if self.each:
                kernel.do(f"if (threadIdx.x == 0) {self._part(cell, 'r', '')} = {value};")
            else:
                total = f"total_{self.printer.name(cell)}"
                kernel.do(f"{total} = {COMBINE[node.attr[0]]}({total}, {value});")
        if schedule.row_stores:  # what they write was read before a reduction, which waits
            for cell in schedule.row_stores:
                kernel.compute([schedule.stores[cell]])
            kernel.block("if (threadIdx.x == 0)", self._row_stores)

    def _row_stores(self) -> None:
        for cell in self.schedule.row_stores:
            self.kernel.spaces = [self.rows]
            self.kernel.store(cell, self.kernel.value(self.schedule.stores[cell]))
            self.kernel.spaces = [self.rows, self.row]

    def _pass(self, one: Pass) -> None:
        """Write one walk along the row."""
        kernel = self.kernel
        for node in one.reduces:
            first = identity(node.attr[0], node.kind)
            kernel.do(f"{NAMES[node.kind]} v{node.number} = {first};")

        def element() -> None:
            kernel.do(*self.row.lines())
            kernel.compute(one.elements)
            for node in one.reduces:
                total, value = f"v{node.number}", kernel.value(node.args[0])
                kernel.do(f"{total} = {COMBINE[node.attr[0]]}({total}, {value});")
            for cell in one.sums:
                self._add(cell)
            for cell in one.stores:
                kernel.store(cell, kernel.value(self.schedule.stores[cell]))

        kernel.do("#pragma unroll 2")  # left alone, NVRTC unrolls some by more than fits registers
        kernel.block(f"for (At i = threadIdx.x; i < {self.row.size}; i += blockDim.x)", element)
        for node in one.reduces:
            rest = f"{identity(node.attr[0], node.kind)}, {COMBINE[node.attr[0]]}"
            kernel.do(f"v{node.number} = row_reduce(v{node.number}, {rest});")
            kernel.known[node] = f"v{node.number}"

    def _add(self, cell: Cell) -> None:
        """Write what puts an element of this row into a part of a sum over rows."""
        node = self.schedule.stores[cell]
        value = self.kernel.value(node.args[0])
        if self.each:
            self.kernel.do(f"{self._part(cell, 'r', 'i')} = {value};")
            return
        place = self._part(cell, "worker", "i")
        again = f"{COMBINE[node.attr[0]]}({place}, {value})"
        self.kernel.do(f"{place} = r == worker ? {value} : {again};")

    def _add_up(self) -> None:
        """Write the sums of the parts, those along the same axes together."""
        alike: dict[Any, list[Cell]] = {}
        for cell in self.sums:
            kept = tuple(bool(loop.strides[cell]) for loop in self._spread(cell))
            alike.setdefault((kept, cell in self.schedule.row_sums), []).append(cell)
        for (kept, _), cells in alike.items():
            loops = [self._spread(c) for c in cells]
            every = [
                Loop(
                    one[0].size,
                    {k: s for loop in one for k, s in loop.strides.items()},
                    one[0].axes,
                )
                for one in zip(*loops)
            ]
            mine = [loop for loop, stays in zip(every, kept) if stays]
            rest = [loop for loop, stays in zip(every, kept) if not stays]
            rooms = [self.sums[c] for c in cells]
            columns = bool(kept) and kept[-1]
            self.printer.reduce(mine, rest, cells, rooms, columns=columns)

    def _spread(self, cell: Cell) -> list[Loop]:
        """Return the loops over the parts of the sum of *cell*."""
        room, outer = self.sums[cell], list(self.schedule.outer)
        inner = [] if cell in self.schedule.row_sums else self.schedule.inner
        if not self.each:
            outer = [Loop(self.workers, dict.fromkeys(self.schedule.cells, 0), ())]
        found, step = [], SIZES[room.kind]
        for loop in reversed([*outer, *inner]):
            strides: dict[Any, int] = {cell: loop.strides[cell], room: step}
            found.append(Loop(loop.size, strides, loop.axes))
            step *= loop.size
        return found[::-1]


def _together(loops: Sequence[Loop]) -> Loop:
    """Return one loop in the place of several that run along the same axes."""
    strides = {key: stride for loop in loops for key, stride in loop.strides.items()}
    return Loop(loops[0].size, strides, loops[0].axes)
