"""The executor ``numba``: a plan as few calls of native programs, with Python only in between."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from math import prod
from typing import Any

import numpy as np

from minima.compiler.fusion import FusedStep, fuse
from minima.compiler.group import Cell, Memory
from minima.compiler.live import Live
from minima.compiler.loops import Schedule
from minima.compiler.memory import ALIGNMENT, allocate
from minima.compiler.numpy_executor import Executable, Writer
from minima.compiler.plan import Plan, Step, Value
from minima.operators.indexing import check_range
from minima.threads import get_num_threads

from .attention import ATTENTION
from .convolution import CONVOLUTIONS
from .driver import WORDS, copier, gemm, runner
from .embedding import EMBEDDINGS
from .jit import address_of
from .matmul import PRODUCTS, SPEED
from .pooling import POOLINGS
from .printer import SIZES, combine_source, kernel_source
from .products import product
from .recurrent import RECURRENT
from .stages import LONG, Builder, Call, Scratch, Stages, parts, span
from .team import Team, stage

__all__ = ["native"]

PARTS = 4  # of a group with sums
KERNELS: dict[str, Builder] = {
    **ATTENTION,
    **CONVOLUTIONS,
    **EMBEDDINGS,
    **POOLINGS,
    **PRODUCTS,
    **RECURRENT,
}


def native(plan: Plan) -> Executable:
    """Return a function that replays *plan* on the buffers of its inputs."""
    if plan.device.name != "cpu":
        raise _not_here(plan)
    fuse(plan)
    writer = NativeWriter(plan)
    plan.planned_bytes = allocate(plan, writer.may_alias)
    return writer.function()


def _not_here(plan: Plan) -> Exception:
    from minima.errors import DeviceError

    return DeviceError(
        f"compile: the executor 'numba' runs on the cpu, the tensors lie on {plan.device}; "
        "leave executor= out"
    )


class NativeWriter(Writer):
    """Writes what it can as records of native programs, and the rest as NumPy's executor does.

    Two small arrays pass what differs from call to call: addresses of inputs and live numbers. The
    first record of all copies them to where kernels look for them.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.memory = Memory(plan)
        self.records: list[list[int]] = []  # of the program that is being collected
        self.keep: list[Any] = []  # what native code points to
        self.addresses: dict[Value, int] = {}  # inputs, and their place in the array of arguments
        self.numbers: dict[Hashable, tuple[int, Live]] = {}
        self.copies: list[tuple[int, int, int]] = []  # to, number of the argument, added to it
        self.checked: set[tuple[Value, int]] = set()  # classes, and how many there are
        self.python: set[Value] = set()  # views of inputs that lines of Python read
        self.rooms: list[int] = []  # bytes of scratch that steps need, one after the other
        self.scratch: list[int] = []  # addresses of these
        self.team = Team()

    def function(self) -> Executable:
        """Return the compiled replay."""
        for step in self.plan.steps:
            if not step.is_view and self._record(step, dry=True) is None:
                for value in (*step.reads(), step.output):
                    self._wanted(value)
            for _, _, value, _ in _indices(step):
                self._wanted(value)
        for value in self.plan.outputs:
            self._wanted(value)
        run = super().function()
        vars(run)["keep"] = self.keep  # for as long as the replay itself
        return run

    def _wanted(self, value: Value) -> None:
        self.python.add(value)
        if value.view is not None and value.view.inputs[0] is not None:
            self._wanted(value.view.inputs[0])

    def step(self, step: Step) -> None:
        """Write one step, as a record if there is a native way."""
        if step.is_view:
            if not step.output.dynamic or step.output in self.python:
                super().step(step)
            return
        records = self._record(step)
        if records is None:
            self.flush()
            super().step(step)
        else:
            self.records += records

    def finish(self) -> None:
        """Write what is left to be written, and how the arguments get where they belong."""
        self.flush()
        inputs, numbers = list(self.addresses), list(self.numbers.values())
        if not self.copies:
            return
        words = np.zeros(len(inputs) + len(numbers), np.int64)
        table = np.array(
            [(to, words.ctypes.data + 8 * source, more) for to, source, more in self.copies],
            np.int64,
        )
        program = self._program([[copier(), table.ctypes.data, 0, len(table)]])
        self.keep += [words, table]
        view = memoryview(words.data)
        ints, floats = self.name(view, "w"), self.name(view.cast("B").cast("d"), "w")
        relaid = self.name(_relaid, "k")
        lines = []
        for value, i in self.addresses.items():
            x, strides = f"x{value.number}", self.name(value.array.strides, "c")
            lines.append(
                f"if {x}.strides != {strides}: {x} = {relaid}({x}, {self.name(value.array, 'c')})"
            )
            lines.append(f"{ints}[{i}] = {x}.__array_interface__['data'][0]")
        for i, live in numbers:
            lines.append(f"{floats}[{i}] = {self.argument(live)}")
        lines.append(f"{self.name(runner(), 'k')}({program}, 1)")
        first = len(self._live)  # the lines that read live numbers are put in front of all others
        self.lines[first:first] = lines

    # ---- records ---------------------------------------------------------------------------------
    def flush(self) -> None:
        """Write the call that runs the records so far."""
        if not self.records:
            return
        program, count = self._program(self.records), len(self.records)
        most = max(high if f == stage() else 1 for f, _, _, high in self.records)
        if most > 1:
            self.lines.append(f"{self.name(self.team.run, 'k')}({program}, {count}, {most})")
        else:
            self.lines.append(f"{self.name(runner(), 'k')}({program}, {count})")
        self.records = []

    def _program(self, records: list[list[int]]) -> int:
        array = np.array(records, np.int64).reshape(-1, WORDS)
        self.keep.append(array)
        return int(array.ctypes.data)

    def _record(self, step: Step, dry: bool = False) -> list[list[int]] | None:
        """Return the records of *step*, None where it has to be run from Python."""
        if isinstance(step, FusedStep):
            return [] if dry else self._fused(step)
        build = KERNELS.get(step.name) if step.call is None else None
        if build is None or not all(map(self._known_layout, (*step.reads(), step.output))):
            return None
        stages = build(step)
        if stages is None:
            return self._product(step, dry) if step.name == "matmul" else None
        self._reserve(stages)
        if dry:
            return []
        self._check(step)
        return self._stages(stages)

    def _reserve(self, stages: Stages) -> None:
        """Note how much scratch a step needs; all steps share it."""
        for i, scratch in enumerate(_scratches(stages)):
            if i == len(self.rooms):
                self.rooms.append(0)
            self.rooms[i] = max(self.rooms[i], scratch.size)

    def _stages(self, stages: Stages) -> list[list[int]]:
        """Return the records of *stages*, one each."""
        while len(self.scratch) < len(self.rooms):
            block = np.empty(self.rooms[len(self.scratch)] + ALIGNMENT, np.uint8)
            self.keep.append(block)
            start = int(block.ctypes.data)
            self.scratch.append(start + -start % ALIGNMENT)
        place = dict(zip(_scratches(stages), self.scratch))
        return [self._shared([self._called(call, place) for call in calls]) for calls in stages]

    def _called(self, call: Call, place: dict[Scratch, int]) -> list[int]:
        """Return the record of a call, its scratch at *place*."""
        entries = [place[e] if type(e) is Scratch else e for e in call.entries]
        return [address_of(call.source), self._table(entries), call.low, call.high]

    def _table(self, entries: list[Any]) -> int:
        """Return the address of a table of live numbers, plain numbers and addresses.

        An address is that of a value, or of so many bytes behind it.
        """
        table = np.zeros(max(len(entries), 1), np.int64)
        self.keep.append(table)
        for i, entry in enumerate(entries):
            place = table.ctypes.data + 8 * i
            if isinstance(entry, Live):
                found = self.numbers.get(entry.key)
                if found is None:
                    count = len(self.addresses) + len(self.numbers)
                    found = self.numbers[entry.key] = (count, entry)
                self.copies.append((place, found[0], 0))
                continue
            value, behind = entry if isinstance(entry, tuple) else (entry, 0)
            if not isinstance(value, Value):
                table[i] = value
            elif value.dynamic:
                root = value.root
                if root not in self.addresses:
                    self.addresses[root] = len(self.addresses) + len(self.numbers)
                behind += self.memory.address(value) - self.memory.address(root)
                self.copies.append((place, self.addresses[root], behind))
            else:
                table[i] = self.place(value).ctypes.data + behind
        return int(table.ctypes.data)

    def _check(self, step: Step) -> None:
        """Write the test that indices are in range, which kernels of loops do not make."""
        for name, noun, value, count in _indices(step):
            if (value, count) not in self.checked:
                if value.root.kind == "temp":
                    self.flush()
                self.checked.add((value, count))
                self.lines.append(
                    f"{self.name(_check_indices, 'k')}"
                    f"({name!r}, {noun!r}, {self.buffer(value)}, {count})"
                )

    def _fused(self, step: FusedStep) -> list[list[int]]:
        self._check(step)
        schedule = Schedule(step.group)
        address = address_of(kernel_source(schedule))
        memory, places = step.group.memory, step.group.places
        cells = {c: (places[c], memory.offset(places[c], c)) for c in schedule.cells}
        outermost = [*schedule.outer, *schedule.inner][:1]
        end = outermost[0].size if outermost else 1
        many = _parts(schedule, end)
        records, after = [], []
        for i in range(many):
            here: dict[Any, Any] = dict(cells)
            for cell in schedule.sums if i else ():  # one part adds to the sum itself
                count = _count(schedule, cell)
                here[cell] = self._scratch(count * SIZES[cell[3]])
                adder = address_of(combine_source(schedule.stores[cell].attr[0], cell[3]))
                after.append([adder, self._table([cells[cell], here[cell]]), 0, count])
            kept = [self._scratch(schedule.row * SIZES[n.kind]) for n in schedule.saved]
            table = self._table([*here.values(), *kept, *step.group.numbers.values()])
            records.append([address, table, *span(end, i, many)])
        return [self._shared(records), *after]

    def _scratch(self, size: int) -> int:
        """Return the address of *size* bytes."""
        block = np.empty(size, np.uint8)
        self.keep.append(block)
        return int(block.ctypes.data)

    def _shared(self, records: list[list[int]]) -> list[int]:
        """Return the record of a stage that runs *records* at the same time."""
        if len(records) == 1:
            return records[0]
        table = self._table([self.team.state, self._program(records)])
        return [stage(), table, 0, len(records)]

    def _product(self, step: Step, dry: bool) -> list[list[int]] | None:
        """Return the record of a matrix product, where BLAS can do it in place."""
        a, b, c = (*step.inputs, step.output)
        if a is None or b is None or not all(map(self._known_layout, (a, b, c))):
            return None
        found = product(a, b, c)
        library = gemm(c.dtype.str[1:]) if found is not None else None
        if found is None or library is None:
            return None
        if dry:
            return []
        entries, count = found
        table = self._table([library.function, *entries])
        many = parts(prod(c.shape) * a.shape[-1] / SPEED, count, 2 * get_num_threads())
        ranges = [span(count, i, many) for i in range(many)]
        return [self._shared([[library.address, table, low, high] for low, high in ranges])]

    def _known_layout(self, value: Value) -> bool:
        return self.memory.regular(self.memory.root(value))


def _scratches(stages: Stages) -> list[Scratch]:
    """Return the scratch of all stages, each once."""
    entries = (e for stage in stages for call in stage for e in call.entries)
    return list(dict.fromkeys(e for e in entries if type(e) is Scratch))


def seconds(schedule: Schedule) -> float:
    """Return about how long one thread takes."""
    costly = [n for p in schedule.passes for n in p.elements if n.costly]
    each = sum(0.08e-9 if n.kind == "f4" or n.op in ("div", "sqrt") else 5e-9 for n in costly)
    return schedule.elements * (each + 0.03e-9 * len(schedule.cells) * len(schedule.passes))


def _parts(schedule: Schedule, end: int) -> int:
    """Return into how many parts the outermost loop is divided."""
    if not schedule.divisible or seconds(schedule) < LONG or get_num_threads() == 1:
        return 1
    sums = schedule.sums
    if any(not _dense(schedule, cell) for cell in sums):
        return 1
    # how many sums are added up must not depend on the number of threads
    return min(PARTS if sums else get_num_threads(), end)


def _count(schedule: Schedule, cell: Cell) -> int:
    """Return how many elements *cell* has."""
    return prod(n for n, s in zip(schedule.group.domain, cell[2]) if s)


def _dense(schedule: Schedule, cell: Cell) -> bool:
    """Say whether the elements of *cell* fill the memory between the first and the last."""
    steps = [(n - 1) * s for n, s in zip(schedule.group.domain, cell[2])]
    size = SIZES[cell[3]]
    return min(steps) >= 0 and sum(steps) + size == _count(schedule, cell) * size


def _length(place: int, axis: int) -> Callable[[Step], int]:
    """Return what tells the size of an input along *axis*."""

    def length(step: Step) -> int:
        value = step.inputs[place]
        return value.shape[axis if len(value.shape) > axis else 0] if value is not None else 0

    return length


#: steps that read at indices: which input these are, what one is called, and how many there may be
_INDICES: dict[str, tuple[int, str, Callable[[Step], int]]] = {
    "cross_entropy": (1, "class", _length(0, 1)),
    "one_hot": (0, "class", lambda step: int(step.attrs["num_classes"])),
    "embedding": (0, "index", _length(1, 0)),
    "embedding_gradient": (1, "index", lambda step: int(step.attrs["num_embeddings"])),
    "embedding_bag": (0, "index", _length(2, 0)),
}


def _indices(step: Step) -> Iterator[tuple[str, str, Value, int]]:
    """Yield, for the parts of a group that read at indices, name, noun, indices and their bound."""
    for part in step.group.steps if isinstance(step, FusedStep) else [step]:
        if part.name in _INDICES:
            place, noun, bound = _INDICES[part.name]
            value = part.inputs[place]
            if value is not None:
                yield part.name, noun, value, bound(part)


def _check_indices(name: str, noun: str, indices: Any, count: int) -> None:
    """Raise unless all *indices* are below *count* and not negative, which as unsigned is one."""
    if (indices.view(f"u{indices.itemsize}") >= count).any():
        check_range(name, np, indices, count, noun)


def _relaid(x: Any, like: Any) -> Any:
    """Return *x* with the strides that the plan was made for."""
    out = np.empty_like(like)
    np.copyto(out, x)
    return out
