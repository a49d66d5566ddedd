"""The executor ``cuda``: a plan as one CUDA graph, whose fused groups are kernels of their own.

The first replay launches each kernel and fills a pool of memory; the second is captured, and from
then on a replay is: arguments and live numbers copied to where the graph looks for them, random
numbers drawn, one launch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minima.compiler.function import CompileWarning
from minima.compiler.fusion import FusedStep, fuse
from minima.compiler.live import Live
from minima.compiler.memory import allocate, placed
from minima.compiler.numpy_executor import Executable
from minima.compiler.outline import outline, outline_view
from minima.compiler.plan import Plan, Step, Value
from minima.errors import DeviceError
from minima.hookspec import hookimpl
from minima.operators.table import TABLE

from .checks import Checks, wanted_of
from .expressions import SIZES
from .launch import GpuLauncher
from .printer import printed
from .text import NUMBERS, Scratch, number_source

if TYPE_CHECKING:
    from minima.registry import Registrar

__all__ = ["MINIMA_API", "executor", "minima_register_executors"]

MINIMA_API = 1


@hookimpl
def minima_register_executors(registry: Registrar) -> None:
    """Offer the executor ``cuda``."""
    registry.add("cuda", executor)


class Launched(NamedTuple):
    """What one step does in a replay; *reason* says why a graph cannot hold it, if it cannot."""

    name: str
    line: str
    run: Callable[[], object]
    reason: str = ""


def executor(plan: Plan) -> Executable:
    """Return a function that replays *plan* on the buffers of its inputs.

    Raises: DeviceError when the plan's tensors do not lie on a GPU.
    """
    if plan.device.name != "cuda":
        raise DeviceError(
            f"compile: the executor 'cuda' runs on cuda, the tensors lie on {plan.device}; "
            "leave executor= out"
        )
    replay: Executable = plan.device.guard.run("compile", Replay, plan)
    return replay


vars(executor)["devices"] = ("cuda",)


# ---- the plan, as the compiler wants it ----------------------------------------------------------
def forget_values(plan: Plan) -> None:
    """Put outlines in the place of the buffers of the captured run, which hold memory."""
    known: dict[Value, Any] = {}

    def outlined(value: Value) -> Any:
        if value in known or value.root.kind == "external" or isinstance(value.array, np.ndarray):
            return known.get(value, value.array)
        array, source = value.array, None if value.view is None else value.view.inputs[0]
        if source is None:
            known[value] = outline(array.shape, array.dtype, array.strides)
        else:
            known[value] = outline_view(source.array, outlined(source), array)
        return known[value]

    for step in plan.steps:
        for value in (*step.reads(), step.output):
            outlined(value)
    for value in (*plan.inputs, *plan.outputs, *(v for _, v in plan.gradients)):
        outlined(value)
    for value, array in known.items():
        value.array = array


def draws_first(plan: Plan) -> None:
    """Let random numbers be drawn before all else, so that a graph need not draw them."""
    first = [s for s in plan.steps if s.call is not None and not s.in_place]
    plan.steps = [*first, *(s for s in plan.steps if s not in first)]


class Numbers:
    """The live numbers of a plan, as doubles on the GPU, each asked for once for a replay."""

    def __init__(self, xp: Any) -> None:
        self.xp = xp
        self.getters: list[Callable[[], Any]] = []
        self._array: Any = None
        self._last: Any = None

    def take(self, numbers: list[Any]) -> int:
        """Return the place from which on the *numbers*, live or plain, will lie."""
        place = len(self.getters)
        self.getters += [n.get if isinstance(n, Live) else partial(float, n) for n in numbers]
        return place

    def array(self) -> Any:
        """Return the array; no more numbers can be taken."""
        if self._array is None:
            self._array = self.xp.empty((max(1, len(self.getters)),), np.float64)
        return self._array

    def update(self) -> None:
        """Copy the numbers to the GPU, if any has changed."""
        if self.getters:
            now = np.array([get() for get in self.getters], np.float64)
            if self._last is None or not np.array_equal(now, self._last, equal_nan=True):
                self.array().set(now)
                self._last = now


# ---- the replay ----------------------------------------------------------------------------------
class Replay:
    """A plan on one GPU; called with the buffers of its inputs, it returns outputs over them."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.device, self.xp = plan, plan.device, plan.device.xp
        self.launcher = vars(self.device).setdefault("launcher", GpuLauncher(self.xp))
        self.numbers = Numbers(self.xp)
        self.inputs = list(dict.fromkeys(plan.inputs))
        written = plan.written()
        self.written = [i for i, v in enumerate(self.inputs) if v in written]
        forget_values(plan)
        fuse(plan)
        draws_first(plan)
        plan.planned_bytes = allocate(plan, lambda step, i: False, self._bytes)
        for value in self.inputs:
            block = self._bytes(max(1, value.nbytes))
            value.slot = placed(block, 0, value)
        self.given = [self.place(v) for v in plan.outputs if v.dynamic]
        launched = plan.launches()
        self.programs = {s: printed(s.group) for s in launched if isinstance(s, FusedStep)}
        needed = [sum(map(_bytes_of, p.scratch)) for p in self.programs.values()]
        self.room = self._bytes(max(needed, default=0) or 1)
        self.checks = Checks(self.device, self.launcher)
        self.steps = [part for s in launched for part in (*self._checked(s), self._launched(s))]
        self.checks.make_room()
        self.drawn = sum(1 for s in launched if s.call is not None and not s.in_place)
        plan.source = "\n".join(dict.fromkeys(self._texts()))
        self.graph: Graph | None = Graph(self.xp, self.device.index)
        self.replays = 0
        for step in self.steps:
            if step.reason:
                self._give_up(step, step.reason)
                break

    def __call__(self, arrays: list[Any]) -> list[Any]:
        """Replay the plan on *arrays*."""
        found: list[Any] = self.device.guard.run("replay", self._replay, arrays)
        return found

    def _replay(self, arrays: list[Any]) -> list[Any]:
        for action in self.plan.prologue:
            action()
        copy = self.device.write
        for value, array in zip(self.inputs, arrays):
            copy(value.slot, ..., array)
        self.numbers.update()
        for step in self.steps[: self.drawn]:
            step.run()
        self._run()
        if self.checks.entries:
            stream = self.xp.cuda.get_current_stream(self.device.index)
            self.device.unasked.setdefault(self.checks, set()).add(stream)
        for i in self.written:
            copy(arrays[i], ..., self.inputs[i].slot)
        return self.given

    def _run(self) -> None:
        """Do what comes after the draws: by the graph, or step by step where there is none."""
        self.replays += 1
        rest = self.steps[self.drawn :]
        if self.graph is not None and self.replays == 1:
            self.graph.rehearse(rest)
            return
        if self.graph is not None and self.replays == 2:
            failed = self.graph.capture(rest)
            if failed is not None:
                self._give_up(failed[0], str(failed[1]))
        if self.graph is not None:
            self.graph.launch()
            return
        for step in rest:
            step.run()

    def _give_up(self, step: Launched, reason: str) -> None:
        """Launch step by step from now on, and say so once."""
        self.graph = None
        where = f", at {step.line}" if step.line else ""
        warnings.warn(
            f"compile: no CUDA graph can hold {step.name}{where}, and each replay launches kernel "
            f"by kernel: {reason}",
            CompileWarning,
            stacklevel=2,
        )

    # ---- memory ----------------------------------------------------------------------------------
    def _bytes(self, size: int) -> Any:
        return self.xp.empty((size,), np.uint8)

    def place(self, value: Value) -> Any:
        """Return the array of *value*, making views over the place of their root."""
        if value.slot is None:
            source = None if value.view is None else value.view.inputs[0]
            if source is not None:
                kernel = self.device.kernels[value.view.name]  # type: ignore[union-attr]
                value.slot = kernel(self.place(source), **value.view.attrs)  # type: ignore[union-attr]
            elif isinstance(value.array, np.ndarray):  # a constant of the compiler's
                value.slot = self.device.from_host(value.array)
            else:
                value.slot = value.array
        return value.slot

    def _texts(self) -> Iterator[str]:
        for step, program in self.programs.items():
            text = program.source.text
            yield f"// {step.name}\n{text[text.rindex('typedef') :]}"

    # ---- steps -----------------------------------------------------------------------------------
    def _checked(self, step: Step) -> Iterator[Launched]:
        """Yield the checks of the indices that *step* reads, which go in front of it."""
        for wanted in wanted_of(step):
            run = self.checks.add(wanted, step.line, self.place(wanted.indices))
            yield Launched("check", step.line, run)

    def _launched(self, step: Step) -> Launched:
        """Return how *step* is run."""
        if isinstance(step, FusedStep):
            return Launched(step.name, step.line, self._fused(step))
        name = step.name
        out, write = self.place(step.output), self.device.write
        if step.call is not None:
            draw = step.call
            reason = "it draws into memory that other steps use too" if step.in_place else ""
            return Launched(name, step.line, lambda: write(out, ..., draw()), reason)
        if name == "scalar":
            return Launched(name, step.line, self._number(step, out))
        if name == "constant":
            values = self.device.from_host(step.attrs["values"])
            return Launched(name, step.line, lambda: write(out, ..., values))
        inputs = [None if v is None else self.place(v) for v in step.inputs]
        if name == "write":
            index = step.attrs["index"]
            return Launched(name, step.line, lambda: write(out, index, inputs[1]))
        return self._kernel(step, inputs, out)

    def _kernel(self, step: Step, inputs: list[Any], out: Any) -> Launched:
        """Return how a step runs that has a kernel of the device."""
        kernel, write = self.device.kernels[step.name], self.device.write
        entry = TABLE.get(step.name)
        args = [tuple(inputs)] if entry is not None and entry.variadic else inputs
        live = {k: v for k, v in step.attrs.items() if isinstance(v, Live)}
        attrs = {k: v for k, v in step.attrs.items() if k not in live}
        reason = ""
        if live:
            reason = f"it takes {', '.join(live)} as a number that differs from replay to replay"

        def run() -> None:
            now = {k: v.get() for k, v in live.items()}
            if step.name in self.device.writes:
                kernel(*args, **attrs, **now, out=out)
            else:
                write(out, ..., kernel(*args, **attrs, **now))

        return Launched(step.name, step.line, run, reason)

    def _number(self, step: Step, out: Any) -> Callable[[], object]:
        place = self.numbers.take([step.attrs["value"]])
        source, launch = number_source(out.dtype.name), self.launcher.launch

        def run() -> None:
            args = (self.numbers.array(), out, np.int32(place))
            launch(source, "number", (1,), (32,), args)

        return run

    def _fused(self, step: FusedStep) -> Callable[[], object]:
        program = self.programs[step]
        first = self.numbers.take(list(step.group.numbers.values()))
        rooms, end = {}, 0
        for scratch in program.scratch:
            part = self.room[end : end + scratch.size * SIZES[scratch.kind]]
            rooms[scratch] = part.view(np.dtype("bool" if scratch.kind == "b1" else scratch.kind))
            end += _bytes_of(scratch)
        places = {c: self.place(v) for c, v in step.group.places.items()}
        launch = self.launcher.launch

        def argument(key: Any) -> Any:
            if key == NUMBERS:
                return self.numbers.array()[first:]
            return rooms[key] if isinstance(key, Scratch) else places[key]

        def run() -> None:
            for name, grid, block, keys in program.launches:
                launch(program.source, name, grid, block, [argument(k) for k in keys])

        return run


def _bytes_of(scratch: Scratch) -> int:
    """Return the bytes of *scratch*, up to where the next one may begin."""
    return -(-scratch.size * SIZES[scratch.kind] // 16) * 16


class Graph:
    """A CUDA graph: steps rehearsed, captured, and launched together.

    What the steps allocate comes from a pool of its own: capturing must not ask the driver for
    memory, and nobody else may get what the graph will write to.
    """

    def __init__(self, cupy: Any, index: int) -> None:
        self._cupy, self._index = cupy, index
        self._stream = cupy.cuda.Stream(non_blocking=True)
        self._pool = cupy.cuda.MemoryPool()
        self._graph: Any = None

    def _current(self) -> Any:
        return self._cupy.cuda.get_current_stream(self._index)

    def rehearse(self, steps: list[Launched]) -> None:
        """Run *steps* on the stream that they will be captured on, in order with the current."""
        raw = self._current()
        cuda = self._cupy.cuda
        self._stream.wait_event(raw.record())
        with cuda.using_allocator(self._pool.malloc), self._stream:
            for step in steps:
                step.run()
        raw.wait_event(self._stream.record())

    def capture(self, steps: list[Launched]) -> tuple[Launched, BaseException] | None:
        """Capture *steps*; return the step that cannot be, and why, or None."""
        cuda = self._cupy.cuda
        failed = None
        with cuda.using_allocator(self._pool.malloc), self._stream:
            # what other threads do meanwhile, such as asking for memory, is their affair
            self._stream.begin_capture(cuda.runtime.streamCaptureModeThreadLocal)
            for step in steps:
                try:
                    step.run()
                except Exception as error:  # whatever it is, the step tells when it runs by itself
                    failed = step, error
                    break
            with suppress(*((cuda.runtime.CUDARuntimeError,) if failed else ())):
                self._graph = self._stream.end_capture()
        return failed

    def launch(self) -> None:
        """Launch the graph on the current stream."""
        self._graph.launch(self._current())
