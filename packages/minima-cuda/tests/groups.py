"""Fused groups of captured functions, run by the kernels that are printed for them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from emulator import EmulatorLauncher

from minima.compiler import replay
from minima.compiler.function import compile
from minima.compiler.fusion import FusedStep, fuse
from minima.compiler.memory import allocate
from minima.compiler.numpy_executor import Executable, Writer
from minima.compiler.plan import Plan, Step, Value
from minima_cuda.printer import printed
from minima_cuda.text import NUMBERS, Program, Scratch


def run(launcher: Any, step: FusedStep, program: Program, array: Any) -> None:
    """Launch the kernels of *step*; *array* returns the buffer of a value."""
    rooms = {s: _poisoned(s) for s in program.scratch}
    numbers = np.array([live.get() for live in step.group.numbers.values()], np.float64)

    def argument(key: Any) -> Any:
        if isinstance(key, Scratch):
            return rooms[key]
        return numbers if key == NUMBERS else array(step.group.places[key])

    for name, grid, block, args in program.launches:
        launcher.launch(program.source, name, grid, block, [argument(a) for a in args])


def _poisoned(scratch: Scratch) -> Any:
    """Return scratch in which nothing can be mistaken for a result."""
    array = np.empty(scratch.size, "bool" if scratch.kind == "b1" else scratch.kind)
    array.view(np.uint8)[...] = 0xFF
    return array


class Emulated(Writer):
    """NumPy's executor, but for fused steps: their kernels run on the emulator."""

    launcher: Any
    programs: list[Program]

    def step(self, step: Step) -> None:
        if not isinstance(step, FusedStep):
            super().step(step)
            return
        program = printed(step.group)
        self.programs.append(program)

        def launch(*arrays: Any) -> None:
            place = dict(zip(values, arrays))
            run(self.launcher, step, program, place.__getitem__)

        values: list[Value] = list(dict.fromkeys(step.group.places.values()))
        names = ", ".join(map(self.buffer, values))
        self.lines.append(f"{self.name(launch, 'k')}({names})")


def emulated(
    monkeypatch: Any, schedule: str | int = "forward", launcher: Any = None
) -> list[Program]:
    """Have plans run on an emulator from now on; return the list that their programs go to."""
    programs: list[Program] = []
    writer = type("Emulated", (Emulated,), {"programs": programs})
    writer.launcher = launcher or EmulatorLauncher(schedule)

    def executor(plan: Plan) -> Executable:
        fuse(plan)
        made = writer(plan)
        plan.planned_bytes = allocate(plan, made.may_alias)
        return made.function()

    monkeypatch.setattr(replay, "find_executor", lambda *_: executor)
    return programs


class Captured(Exception):
    """The plan is printed; it need not run."""


def captured(monkeypatch: Any) -> list[Program]:
    """Have plans printed and not run from now on; return the list that their programs go to."""
    programs: list[Program] = []

    def executor(plan: Plan) -> Executable:
        fuse(plan)
        programs.extend(printed(s.group) for s in plan.launches() if isinstance(s, FusedStep))
        raise Captured

    monkeypatch.setattr(replay, "find_executor", lambda *_: executor)
    return programs


def capture(function: Any, given: Any) -> None:
    """Capture *function*, for `captured`."""
    run = compile(function)
    run(*given)
    with suppress(Captured):
        run(*given)
