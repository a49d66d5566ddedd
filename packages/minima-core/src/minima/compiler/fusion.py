"""The pass that puts steps into groups, each of which becomes one loop."""

from __future__ import annotations

from contextlib import suppress
from heapq import heappop, heappush
from math import prod

from .decompose import RECOMPUTED, decompose
from .group import Group, Memory
from .loops import Schedule
from .lowering import LOWERINGS
from .plan import Plan, Step, Value
from .scalar import Unfit

__all__ = ["FusedStep", "fuse"]

MAX_STEPS = 48  # of one group
MAX_NEIGHBOURS = 4  # groups that read the same buffer, tried for each step


class FusedStep(Step):
    """One launch that does the work of the steps of *group*; it writes several values."""

    __slots__ = ("group", "outputs")

    def __init__(self, group: Group, stores: list[Value], loads: list[Value]) -> None:
        names = "+".join(dict.fromkeys(s.name for s in group.steps))
        first = group.steps[0]
        super().__init__(names, tuple(loads), {}, stores[0], line=first.line, region=first.region)
        self.group, self.outputs = group, stores

    def writes(self) -> list[Value]:
        """Return the values that the step writes."""
        return self.outputs

    def write_over(self, value: Value, output: Value) -> bool:
        """Let *output* take the place of *value*, which is read here for the last time, if it can.

        It can where each element of *value* is read at the index at which it is written, in no pass
        after that.
        """
        schedule = Schedule(self.group)
        read = [c for c in schedule.cells if c[0] == value.number]
        last = schedule.passes[-1].stores if schedule.passes else []
        written = [c for c in last if c[0] == output.number]
        if len(read) != 1 or len(written) != 1 or value.number in {c[0] for c in schedule.stores}:
            return False
        [old], [new] = read, written
        everywhere = {axis for axis, stride in enumerate(new[2]) if stride} >= self.group.looped()
        if old[2:] != new[2:] or not everywhere or schedule.stores[new].op == "reduce":
            return False
        self.group.rename(new, old)
        return True

    def __repr__(self) -> str:
        return f"{self.outputs} = {self.name}{list(self.inputs)}"


Pair = tuple[int, Step]


class Unit:
    """Steps that run at one place in the order: a group, or one step that is in none."""

    def __init__(self, memory: Memory, pairs: list[Pair]) -> None:
        self.numbers, self.steps = [n for n, _ in pairs], [s for _, s in pairs]
        self.before: set[Unit] = set()
        self.after: set[Unit] = set()
        self.group: Group | None = None
        lower = LOWERINGS.get(self.steps[-1].name)
        if lower is not None:
            with suppress(Unfit):
                self.group = Group.of(memory, self.steps, lower.shape(self.steps[-1]))

    @property
    def pairs(self) -> list[Pair]:
        """The steps with their numbers in the plan."""
        return list(zip(self.numbers, self.steps))

    def __lt__(self, other: Unit) -> bool:
        return self.numbers[-1] < other.numbers[-1]


class Fusion:
    """The units of a plan, and what has to run before what."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.memory = plan, Memory(plan)
        self.units: dict[Unit, None] = {}
        self._touched: dict[Value, list[tuple[Value, Unit, bool]]] = {}
        self._aliases: dict[Unit, Unit] = {}
        self._pending: dict[Value, Pair] = {}  # steps that are computed where they are needed

    def run(self) -> None:
        """Build the groups and put the steps of the plan in their order."""
        for number, step in enumerate(self.plan.steps):
            if not step.is_view:
                self._place(number, step)
        self.plan.steps = self._ordered()

    # ---- what has to run before what -------------------------------------------------------------
    def _place(self, number: int, step: Step) -> None:
        """Enter *step*, and with it what is computed anew for it."""
        if step.region is RECOMPUTED:
            self._pending[step.output] = (number, step)
            return
        pairs = self._needed_by(step)
        unit = Unit(self.memory, [*pairs, (number, step)])
        if unit.group is None and pairs:
            for pair in pairs:
                self._pending.pop(pair[1].output, None)
                self._enter(Unit(self.memory, [pair]))
            unit = Unit(self.memory, [(number, step)])
        self._enter(unit)

    def _needed_by(self, step: Step) -> list[Pair]:
        """Return the pending steps whose values *step* reads, and those that these need."""
        found: dict[int, Step] = {}
        todo = [step]
        while todo:
            for value in todo.pop().reads():
                while value not in self._pending and value.view is not None:
                    value = value.view.inputs[0]  # type: ignore[assignment]
                pair = self._pending.get(value)
                if pair is not None and pair[0] not in found:
                    found[pair[0]] = pair[1]
                    todo.append(pair[1])
        return sorted(found.items())

    def _enter(self, unit: Unit) -> None:
        """Find what has to run before *unit*, and what it can be merged with."""
        self.units[unit] = None
        neighbours: list[Unit] = []
        made = {s.output for s in unit.steps[:-1]}
        reads = [v for s in unit.steps for v in s.reads()]
        reads = [v for v in dict.fromkeys(reads) if v not in self.memory.numbers and v not in made]
        output = unit.steps[-1].output
        for value in reads:
            for other, source, wrote in self._touched.get(self.memory.root(value), ()):
                source = self._unit(source)
                if wrote and self.memory.overlap(value, other):
                    self._order(source, unit)
                    neighbours.append(source)
                elif value is other and value.shape and not wrote:
                    neighbours.append(source)
        for other, source, _ in self._touched.get(self.memory.root(output), ()):
            if self.memory.overlap(output, other):
                self._order(self._unit(source), unit)
                neighbours.append(self._unit(source))
        for value in reads:
            self._touched.setdefault(self.memory.root(value), []).append((value, unit, False))
        self._touched.setdefault(self.memory.root(output), []).append((output, unit, True))
        if unit.group is not None:
            self._join(unit, neighbours)

    def _unit(self, unit: Unit) -> Unit:
        while unit in self._aliases:
            unit = self._aliases[unit]
        return unit

    def _order(self, first: Unit, then: Unit) -> None:
        if first is not then:
            first.after.add(then)
            then.before.add(first)

    def _join(self, unit: Unit, neighbours: list[Unit]) -> None:
        """Merge *unit* with those of the units around it that it fits to, the latest first."""
        tried = 0
        for other in sorted(dict.fromkeys(neighbours), reverse=True):
            other = self._unit(other)
            if other is unit or other.group is None:
                continue
            linked = other in unit.before
            tried += not linked
            if not linked and tried > MAX_NEIGHBOURS:
                continue
            group = self._together(other, unit)
            if group is not None:
                unit = self._merge(other, unit, group)

    def _together(self, a: Unit, b: Unit) -> Group | None:
        """Return the group of both units' steps, if there can be one."""
        if len(a.steps) + len(b.steps) > MAX_STEPS or a.group is None or b.group is None:
            return None
        pairs = sorted(dict(a.pairs + b.pairs).items())
        shapes = [a.group.domain, b.group.domain]
        domain = max(shapes, key=lambda shape: (prod(shape), len(shape)))
        if self._between(a, b):
            return None
        try:
            return Group.of(self.memory, [s for _, s in pairs], domain)
        except Unfit:
            return None

    def _between(self, a: Unit, b: Unit) -> bool:
        """Say whether a third unit has to run after one of the two and before the other."""
        for start, goal in ((a, b), (b, a)):
            seen = {u for u in start.after if u is not goal and u is not start}
            todo = list(seen)
            while todo:
                for unit in todo.pop().after:
                    if unit is goal:
                        return True
                    if unit not in seen:
                        seen.add(unit)
                        todo.append(unit)
        return False

    def _merge(self, a: Unit, b: Unit, group: Group) -> Unit:
        """Make *b* part of *a*."""
        pairs = sorted(dict(a.pairs + b.pairs).items())
        a.numbers, a.steps = [n for n, _ in pairs], [s for _, s in pairs]
        a.group = group
        for unit in b.before:
            unit.after.discard(b)
            self._order(unit, a)
        for unit in b.after:
            unit.before.discard(b)
            self._order(a, unit)
        self._aliases[b] = a
        del self.units[b]
        return a

    # ---- the new plan ----------------------------------------------------------------------------
    def _ordered(self) -> list[Step]:
        """Return the steps of all units in an order that keeps what must be kept."""
        self._needed = self._used_outside()
        self._kept = {self.memory.root(v) for v in self.plan.kept()}
        waiting = {unit: len(unit.before) for unit in self.units}
        ready = [unit for unit, count in waiting.items() if not count]
        ready.sort()
        steps: list[Step] = []
        shown: set[Value] = set()
        while ready:
            unit = heappop(ready)
            for step in self._steps(unit):
                for value in step.reads():
                    self._show(value, steps, shown)
                self._show(step.output, steps, shown)
                steps.append(step)
            for after in unit.after:
                waiting[after] -= 1
                if not waiting[after]:
                    heappush(ready, after)
        for value in (*self.plan.outputs, *(v for _, v in self.plan.gradients)):
            self._show(value, steps, shown)
        numbers = self.memory.numbers
        read = {v for s in steps for v in s.reads()}
        kept = self.plan.kept()
        return [
            s
            for s in steps
            if s.output not in numbers or s.output in read or self.memory.root(s.output) in kept
        ]

    def _show(self, value: Value, steps: list[Step], shown: set[Value]) -> None:
        """Put the step that makes the view *value*, and those before it, where it is first used."""
        if value.view is None or value in shown:
            return
        shown.add(value)
        source = value.view.inputs[0]
        if source is not None:
            self._show(source, steps, shown)
        steps.append(value.view)

    def _used_outside(self) -> dict[Value, set[Unit]]:
        """Return, for each root, the units that read it, and None's stand-in for the outside."""
        users: dict[Value, set[Unit]] = {}
        for root, entries in self._touched.items():
            users[root] = {self._unit(unit) for _, unit, wrote in entries if not wrote}
        return users

    def _steps(self, unit: Unit) -> list[Step]:
        """Return the step of a group, or what the unit had where a loop would not help."""
        group = unit.group
        if group is None:
            return unit.steps
        for cell in list(group.stores):
            root = self.memory.root(group.places[cell])
            if (
                root.kind == "temp"
                and root not in self._kept
                and self._needed.get(root, set()) <= {unit}
            ):
                del group.stores[cell]
        stores = [group.places[cell] for cell in group.stores]
        if not stores:
            return []
        needed = _leaves(group)
        loads = [group.places[cell] for cell in group.loads if cell in needed]
        return [FusedStep(group, stores, loads)]


def _leaves(group: Group) -> set[object]:
    """Return the cells that the stores of *group* depend on."""
    found: set[object] = set()
    seen: set[int] = set()
    todo = list(group.stores.values())
    while todo:
        node = todo.pop()
        if node.number not in seen:
            seen.add(node.number)
            todo += node.args
            if node.op == "load":
                found.add(node.attr)
    return found


def fuse(plan: Plan) -> None:
    """Put the steps of *plan* into groups, so that values used only inside of one need no buffer.

    Elementwise steps, updates in place, reductions along rows with what comes before and after
    them, and reductions whose result leaves the group. A group is made only where the order of
    writes and reads of each memory stays right.
    """
    decompose(plan)
    Fusion(plan).run()
