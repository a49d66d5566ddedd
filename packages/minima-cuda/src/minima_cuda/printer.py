"""Print the schedule of a fused group as CUDA C++: the GPU's side of the one lowering.

A group without a reduction that it goes on with is one pass over its elements, after a reduction
for each sum that leaves it. One with such a reduction has a warp or a block walk along each row.
Sums over rows are taken in parts, which a second kernel adds up in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from math import prod
from typing import Any

from minima.compiler.group import Cell, Group
from minima.compiler.loops import Loop, Schedule
from minima.compiler.scalar import Node

from .expressions import COMBINE, NAMES, SIZES, identity
from .geometry import WARP, Geometry, blocks, over_elements
from .rows import Rows
from .sources import header
from .text import NUMBERS, Kernel, Launch, Printed, Program, Scratch, Space

__all__ = ["Printer", "printed"]

ENOUGH = 512  # blocks that fill any GPU
PART = 1024  # elements that a part of a sum has at least
NARROW = 1 << 30  # elements and bytes up to which 32 bits hold every index, and the step to it
COLUMNS = (WARP, 8)  # the block of a sum over columns


def printed(group: Group) -> Program:
    """Return the kernels of *group*, and how to launch them."""
    return Printer(Schedule(group, keep=False)).program()


class Printer:
    """Writes the kernels of one schedule; see `printed`."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.group = schedule, schedule.group
        self.names = {cell: f"c{i}" for i, cell in enumerate(schedule.cells)}
        self.texts: list[str] = []
        self.launches: list[Launch] = []
        self.scratch: list[Scratch] = []

    def program(self) -> Program:
        """Return the whole."""
        used = {a for n in self.schedule.needed for a in n.args if a.op == "reduce"}
        if used or any(map(self.schedule.after_reduce, self._plain().values())):
            self._rows()
        else:
            self._flat()
        wide = "Int32" if self._narrow() else "Index"
        body = header("groups.cuh") + f'#line 1 "group"\ntypedef {wide} At;\n\n'
        text = body + "\n".join(self.texts)
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        text = text.replace('#line 1 "group"', f'#line 1 "group_{key}.cu"')
        source = Printed(f"group_{key}.cu", text)
        return Program(source, tuple(self.launches), tuple(self.scratch))

    def _narrow(self) -> bool:
        spans = [
            sum(abs(s) * (n - 1) for n, s in zip(self.group.domain, c[2]))
            for c in self.schedule.cells
        ]
        sizes = [SIZES[s.kind] * s.size for s in self.scratch]
        return max(self.schedule.elements, *spans, *sizes, 0) < NARROW

    def _plain(self) -> dict[Cell, Node]:
        """Return what is stored and is no reduction itself."""
        return {c: n for c, n in self.schedule.stores.items() if n.op != "reduce"}

    # ---- names -----------------------------------------------------------------------------------
    def name(self, key: Any) -> str:
        """Return the name of the parameter for a cell or scratch."""
        return f"s{key.place}" if isinstance(key, Scratch) else self.names[key]

    def kind(self, key: Any) -> str:
        """Return the kind of its elements."""
        return str(key.kind if isinstance(key, Scratch) else key[3])

    def behind(self, key: Any) -> int:
        """Return how many bytes behind the start of the argument it begins."""
        if isinstance(key, Scratch):
            return 0
        return self.group.memory.offset(self.group.places[key], key)

    def parameter(self, key: Any) -> str:
        """Return the declaration of the parameter for a cell, scratch or the live numbers."""
        if key == NUMBERS:
            return "const double* __restrict__ numbers"
        const = "" if isinstance(key, Scratch) or key in self.schedule.stores else "const "
        return f"{const}{NAMES[self.kind(key)]}* __restrict__ {self.name(key)}"

    def room(self, kind: str, count: int) -> Scratch:
        """Return new scratch."""
        self.scratch.append(Scratch(len(self.scratch), kind, count))
        return self.scratch[-1]

    def emit(self, name: str, kernel: Kernel, geometry: Geometry) -> None:
        """Add a kernel and its launch."""
        name = f"{name}{len(self.launches)}"
        self.texts.append(kernel.text(name, prod(geometry.block)))
        self.launches.append(Launch(name, *geometry, tuple(kernel.used)))

    def before(self, roots: Sequence[Node]) -> list[Node]:
        """Return the nodes that *roots* are computed from, and themselves, in order."""
        found, todo = set(roots), list(roots)
        while todo:
            for node in todo.pop().args:
                if node not in found:
                    found.add(node)
                    todo.append(node)
        return sorted(found, key=lambda n: n.number)

    def loops(self, axes: frozenset[int]) -> list[Loop]:
        """Return the loops along *axes*, in the order of memory."""
        return self.schedule.loops([a for a in self.group.order() if a in axes])

    # ---- a pass over the elements ----------------------------------------------------------------
    def _flat(self) -> None:
        """Write the sums, of what is there before anything is stored, and then the passes."""
        alike: dict[Any, list[Cell]] = {}
        for cell, node in self.schedule.stores.items():
            if node.op == "reduce":
                alike.setdefault((node.attr[1], node.args[0].axes), []).append(cell)
        for (along, axes), cells in alike.items():
            kept, reduced = self.loops(axes - along), self.loops(along)
            last = [a for a in self.group.order() if a in axes][-1]
            args = [self.schedule.stores[c].args[0] for c in cells]
            self.reduce(kept, reduced, cells, args, columns=last not in along)
        self._passes(self._plain())

    def _passes(self, stores: dict[Cell, Node]) -> None:
        """Write passes over the elements, as few as there can be.

        What is read along more axes than it is written waits until all threads have read it.
        """
        while stores:
            axes = max(map(_axes, stores), key=len)
            axes = axes.union(*(_axes(c) for c in stores if c not in self.group.loads))
            now = {c: n for c, n in stores.items() if c not in self.group.loads or _axes(c) == axes}
            stores = {c: n for c, n in stores.items() if c not in now}
            self._elements(Space(self.loops(axes), "i"), now)

    def _elements(self, space: Space, stores: dict[Cell, Node]) -> None:
        """Write one pass."""
        kernel, nodes = Kernel(self, [space]), self.before(list(stores.values()))

        def body() -> None:
            kernel.do(*space.lines())
            kernel.compute(nodes)
            for cell, node in stores.items():
                kernel.store(cell, kernel.value(node))

        if not any(c in self.group.loads and not _axes(c) for c in stores):
            kernel.compute([n for n in nodes if not n.axes])  # else the thread that writes reads
        head = f"At i = At(first_element()); i < {space.size}; i += At(element_step())"
        kernel.block(f"for ({head})", body)
        self.emit("elements", kernel, over_elements(space.size))

    # ---- sums ------------------------------------------------------------------------------------
    def reduce(
        self,
        kept: list[Loop],
        reduced: list[Loop],
        cells: list[Cell],
        args: list[Node] | list[Scratch],
        *,
        columns: bool,
    ) -> None:
        """Write the reduction of *args* to *cells* along the loops *reduced*, in parts if long.

        *columns*: neighbours in memory lie along a kept axis.
        """
        k, r = Space(kept, "k"), Space(reduced, "r")
        across = blocks(k.size, COLUMNS[0] if columns else COLUMNS[1])
        parts = max(1, min(ENOUGH // across, r.size * (COLUMNS[0] if columns else 1) // PART))
        chunk = -(-r.size // parts)
        parts = -(-r.size // chunk)
        nodes = [self.schedule.stores[c] for c in cells]
        rooms = [self.room(n.kind, parts * k.size) for n in nodes] if parts > 1 else []
        kernel = Kernel(self, [k, r])
        totals = [f"total{i}" for i in range(len(nodes))]
        values = [a for a in args if isinstance(a, Node)]
        needed = self.before(values)
        outer = frozenset(a for loop in kept for a in loop.axes)

        def fold() -> None:
            kernel.do(*r.lines())
            kernel.compute(needed)
            for node, arg, total in zip(nodes, args, totals):
                value = kernel.value(arg) if isinstance(arg, Node) else kernel.at(arg)
                kernel.do(f"{total} = {COMBINE[node.attr[0]]}({total}, {value});")

        def walk() -> None:
            thread, step = (
                ("threadIdx.y", "blockDim.y") if columns else ("threadIdx.x", "blockDim.x")
            )
            kernel.compute([n for n in needed if n.axes <= outer])
            kernel.block(f"for (At r = begin + {thread}; r < end; r += {step})", fold)

        def result() -> None:
            kernel.do(*k.lines())
            for node, total in zip(nodes, totals):
                first = identity(node.attr[0], node.kind)
                kernel.do(f"{NAMES[node.kind]} {total} = {first};")
            if columns:
                kernel.block(f"if (k < {k.size})", walk)
            else:
                walk()
            for node, total in zip(nodes, totals):
                how = COMBINE[node.attr[0]]
                rest = how if columns else f"{identity(node.attr[0], node.kind)}, {how}"
                call = "column_reduce" if columns else "row_reduce"
                kernel.do(f"{total} = {call}({total}, {rest});")
            one = f"threadIdx.y == 0 && k < {k.size}" if columns else "threadIdx.x == 0"
            kernel.block(f"if ({one})", write)

        def column() -> None:
            kernel.do("const At k = first + threadIdx.x;")
            result()

        def write() -> None:
            for i, (cell, total) in enumerate(zip(cells, totals)):
                if rooms:
                    name = kernel.used.setdefault(rooms[i], self.name(rooms[i]))
                    kernel.do(f"{name}[At(blockIdx.y) * {k.size} + k] = {total};")
                else:
                    kernel.do(f"{kernel.at(cell, [k])} = {total};")

        kernel.compute([n for n in needed if not n.axes])
        kernel.do(
            f"const At begin = At(blockIdx.y) * {chunk}, "
            f"end = begin + {chunk} < {r.size} ? begin + {chunk} : {r.size};"
        )
        if columns:
            kernel.do("const At step = At(gridDim.x) * blockDim.x;")
            head = f"At first = At(blockIdx.x) * blockDim.x; first < {k.size}; first += step"
            kernel.block(f"for ({head})", column)
        else:
            kernel.do("const At step = At(gridDim.x) * blockDim.y;")
            head = f"At k = At(blockIdx.x) * blockDim.y + threadIdx.y; k < {k.size}; k += step"
            kernel.block(f"for ({head})", result)
        self.emit("columns" if columns else "sums", kernel, Geometry((across, parts), COLUMNS))
        if rooms:
            self._finish(cells, rooms, kept, k.size, parts)

    def _finish(
        self, cells: list[Cell], rooms: list[Scratch], kept: list[Loop], count: int, parts: int
    ) -> None:
        """Write the second stage: the sums of the parts."""
        every, step = [], count
        for loop in kept:
            step //= loop.size
            here: dict[Any, int] = {s: step * SIZES[s.kind] for s in rooms}
            every.append(Loop(loop.size, {**loop.strides, **here}, loop.axes))
        across: dict[Any, int] = {s: count * SIZES[s.kind] for s in rooms}
        over = Loop(parts, across, ())
        self.reduce(every, [over], cells, rooms, columns=False)

    # ---- rows ------------------------------------------------------------------------------------
    def _rows(self) -> None:
        """Write the walk along rows, then what is summed over them, then what waited."""
        Rows(self).write()
        late = {c: self.schedule.stores[c] for c in self.schedule.scalar_stores}
        self._passes(late)


def _axes(cell: Cell) -> frozenset[int]:
    return frozenset(i for i, s in enumerate(cell[2]) if s)
