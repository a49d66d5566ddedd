"""Print the schedule of a fused group as CUDA C++: the GPU's side of the one lowering.

A group without a reduction that it goes on with is one pass over its elements, after a reduction
for each sum that leaves it. One with such a reduction has a warp or a block walk along each row.
Sums over rows are taken in parts, which a second kernel adds up in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from minima.compiler.group import Cell, Group
from minima.compiler.loops import Loop, Pass, Schedule
from minima.compiler.scalar import Node

from .expressions import COMBINE, NAMES, SIZES, expression, identity, number
from .geometry import BLOCK, WARP, Geometry, blocks, over_elements
from .geometry import rows as over_rows
from .sources import TYPES, header

__all__ = ["NUMBERS", "Launch", "Printed", "Program", "Scratch", "number_source", "printed"]

WORKERS = 256  # at most, that share the rows of a group with sums over them
ENOUGH = 512  # blocks that fill any GPU
SHORT_ROW, MANY_ROWS = 1024, 64  # a warp walks a row up to the one, where there are the other
PART = 1024  # elements that a part of a sum has at least
NARROW = 1 << 30  # elements and bytes up to which 32 bits hold every index, and the step to it
COLUMNS = (WARP, 8)  # the block of a sum over columns
NUMBERS = "numbers"  # the argument that holds the live numbers, as doubles


@dataclass(frozen=True)
class Printed:
    """The text of a module, as a `sources.Source` has it."""

    file: str
    text: str


class Scratch(NamedTuple):
    """Memory that a program needs while it runs: its number, the kind and number of elements."""

    place: int
    kind: str
    size: int


class Launch(NamedTuple):
    """A kernel of a program; *args* are cells, `Scratch` and `NUMBERS`."""

    name: str
    grid: tuple[int, ...]
    block: tuple[int, ...]
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Program:
    """What a group is on a GPU: a module and launches in order."""

    source: Printed
    launches: tuple[Launch, ...]
    scratch: tuple[Scratch, ...]


def printed(group: Group) -> Program:
    """Return the kernels of *group*, and how to launch them."""
    return Printer(Schedule(group, keep=False)).program()


def number_source(dtype: str) -> Printed:
    """Return a module whose ``number`` writes one of the live numbers to an array without axes."""
    storage, accumulator = TYPES[dtype]
    text = (
        f"KERNEL number(const double* numbers, {storage}* y, Int32 place) {{\n"
        f"  if (first_element() == 0) *y = store<{storage}>({accumulator}(numbers[place]));\n}}\n"
    )
    return Printed("number.cu", header("groups.cuh") + '#line 1 "number.cu"\n' + text)


class Space:
    """Loops as one, along which a flat index runs; *index* names it, and prefixes theirs."""

    def __init__(self, loops: Sequence[Loop], index: str) -> None:
        self.loops, self.index = list(loops), index
        self.size = prod(loop.size for loop in loops)
        many = len(self.loops) > 1
        self.names = [f"{index}{n}" if many else index for n in range(len(self.loops))]

    def lines(self) -> list[str]:
        """Return the statements that find the index of each loop."""
        found, rest = [], self.index
        for n in range(len(self.loops) - 1, 0, -1):
            size, left = self.loops[n].size, f"{self.index}_{n}" if n > 1 else self.names[0]
            found.append(f"const At {left} = {rest} / {size}, {self.names[n]} = {rest} % {size};")
            rest = left
        return found


class Kernel:
    """The text of one kernel as it grows, and what it uses of cells and scratch."""

    def __init__(self, printer: Printer, spaces: Sequence[Space] = ()) -> None:
        self.printer, self.spaces = printer, list(spaces)
        self.lines: list[str] = []
        self.known: dict[Node, str] = {}
        self.used: dict[Any, str] = {}
        self._depth = 1

    def do(self, *lines: str) -> None:
        """Append statements."""
        self.lines += ["  " * self._depth + line for line in lines]

    def block(self, head: str, body: Callable[[], None]) -> None:
        """Append a block; what is computed inside is not known behind it."""
        known = dict(self.known)
        self.do(f"{head} {{")
        self._depth += 1
        body()
        self._depth -= 1
        self.do("}")
        self.known = known

    # ---- memory ----------------------------------------------------------------------------------
    def at(self, key: Any, spaces: Sequence[Space] | None = None) -> str:
        """Return the element of the cell or scratch *key* at the indices of the *spaces*."""
        name = self.used.setdefault(key, self.printer.name(key))
        size = SIZES[self.printer.kind(key)]
        terms = [str(self.printer.behind(key) // size)] if self.printer.behind(key) else []
        for space in self.spaces if spaces is None else spaces:
            for loop, index in zip(space.loops, space.names):
                stride = loop.strides.get(key, 0) // size
                if stride:
                    terms.append(index if stride == 1 else f"{index} * {stride}")
        return f"{name}[{' + '.join(terms) or '0'}]"

    def store(self, cell: Cell, value: str) -> None:
        """Write *value* where the cell does not run along an axis only at that axis' first index.

        Otherwise many threads would write the one element.
        """
        others = [
            f"{index} == 0"
            for space in self.spaces
            for loop, index in zip(space.loops, space.names)
            if not loop.strides.get(cell, 0) and loop.size > 1
        ]
        test = f"if ({' && '.join(others)}) " if others else ""
        self.do(f"{test}{self.at(cell)} = {value};")

    # ---- values ----------------------------------------------------------------------------------
    def compute(self, nodes: Sequence[Node]) -> None:
        """Append the computation of *nodes*, which are in order, unless they are known."""
        for node in nodes:
            if node not in self.known and node.op not in ("const", "reduce"):
                name = self.known[node] = f"v{node.number}"
                self.do(f"const {NAMES[node.kind]} {name} = {self._term(node)};")

    def value(self, node: Node) -> str:
        """Return the name, or the number, that is *node*."""
        return number(node.attr, node.kind) if node.op == "const" else self.known[node]

    def _term(self, node: Node) -> str:
        if node.op == "load":
            return self.at(node.attr)
        if node.op == "number":
            self.used[NUMBERS] = NUMBERS
            return f"{NUMBERS}[{node.attr[0]}]"
        if node.op == "index":
            return f"Int64({self._index(node)})"
        return expression(node, [self.value(a) for a in node.args])

    def _index(self, node: Node) -> str:
        for space in self.spaces:
            for loop, index in zip(space.loops, space.names):
                if node.attr in loop.axes:
                    return index
        return "0"

    def text(self, name: str, most: int) -> str:
        """Return the kernel."""
        parameters = ", ".join(self.printer.parameter(key) for key in self.used)
        head = f"KERNEL __launch_bounds__({most})\n{name}({parameters}) {{"
        return "\n".join([head, *self.lines, "}", ""])


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
            self._reduce(kept, reduced, cells, args, columns=last not in along)
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
    def _reduce(
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
        self._reduce(every, [over], cells, rooms, columns=False)

    # ---- rows ------------------------------------------------------------------------------------
    def _rows(self) -> None:
        """Write the walk along rows, then what is summed over them, then what waited."""
        Rows(self).write()
        late = {c: self.schedule.stores[c] for c in self.schedule.scalar_stores}
        self._passes(late)


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
            return Geometry((blocks(self.workers, COLUMNS[1]),), COLUMNS)
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
            self.printer._reduce(mine, rest, cells, rooms, columns=columns)

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


def _axes(cell: Cell) -> frozenset[int]:
    return frozenset(i for i, s in enumerate(cell[2]) if s)


def _together(loops: Sequence[Loop]) -> Loop:
    """Return one loop in the place of several that run along the same axes."""
    strides = {key: stride for loop in loops for key, stride in loop.strides.items()}
    return Loop(loops[0].size, strides, loops[0].axes)
