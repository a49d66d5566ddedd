"""The executor that needs nothing but NumPy: a plan as one straight function of ufunc calls."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from ..errors import DeviceError
from .by_index import write_by
from .live import Live
from .memory import allocate
from .plan import Plan, Step, Value

__all__ = ["Executable", "Writer", "numpy_executor"]

Executable = Callable[[list[Any]], list[Any]]

#: kernels beside NumPy's ufuncs that may write over the inputs named here as they read them
_ALIASES = {
    "relu": (0,),
    "relu_gradient": (0,),
    "sigmoid": (0,),
    "add_scaled": (0, 1),
    "addcmul": (0, 1, 2),
    "addcdiv": (0, 1, 2),
    "lerp": (0, 1),
    "clip": (0,),
    "softmax": (0,),
    "power_scalar": (0,),
}


def numpy_executor(plan: Plan) -> Executable:
    """Return a function that replays *plan* on the buffers of its inputs.

    It returns those outputs that lie over the inputs, in their order.

    Raises: DeviceError where buffers are no arrays of NumPy.
    """
    if not issubclass(plan.device.buffer, np.ndarray):
        raise DeviceError(
            f"compile: there is no executor for plans on {plan.device}: 'numpy' writes to memory "
            "of the host alone; install one for it, or do without compile"
        )
    writer = Writer(plan)
    plan.planned_bytes = allocate(plan, writer.may_alias)
    return writer.function()


class Writer:
    """Writes the source of a replay, a line for each step, and the objects that it names."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lines: list[str] = []
        #: called with a step's number and when it began and ended, in a replay that is measured
        self.watch: Callable[[int, float, float], None] | None = None
        self.names: dict[str, Any] = {"np": np}
        self._known: dict[int, str] = {}
        self._live: dict[Any, str] = {}
        self.warns = False  # whether a line calls NumPy, whose warnings a replay keeps down

    # ---- what the kernels can do -----------------------------------------------------------------
    def kernel(self, step: Step) -> Callable[..., Any]:
        """Return the kernel of *step*; the replay as a whole is quiet, so it need not be."""
        found = self.plan.device.kernels[step.name]
        return getattr(found, "quietened", found)  # type: ignore[no-any-return]

    def may_alias(self, step: Step, k: int) -> bool:
        """Say whether *step* may write over its k-th input."""
        if step.call is not None or step.name not in self.plan.device.writes:
            return False
        if isinstance(self.kernel(step), np.ufunc):
            return step.name != "matmul"
        return k in _ALIASES.get(step.name, ())

    # ---- names -----------------------------------------------------------------------------------
    def name(self, thing: Any, prefix: str) -> str:
        """Return the name under which the source knows *thing*."""
        found = self._known.get(id(thing))
        if found is None:
            found = self._known[id(thing)] = f"{prefix}{len(self.names)}"
            self.names[found] = thing
        return found

    def buffer(self, value: Value) -> str:
        """Return the name of the memory of *value*."""
        if value.dynamic:
            return f"x{value.number}"
        return self.name(self.place(value), "b")

    def place(self, value: Value) -> Any:
        """Return the array of *value*, making views over the place of their root."""
        if value.slot is None:
            if value.view is None:
                value.slot = value.array
            else:
                base = self.place(value.view.inputs[0])  # type: ignore[arg-type]
                value.slot = self.plan.device.kernels[value.view.name](base, **value.view.attrs)
        return value.slot

    def argument(self, value: Any) -> str:
        """Return the source of an attribute's value."""
        if type(value) is Live:
            name = self._live.get(value.key)
            if name is None:
                name = self._live[value.key] = f"live{len(self._live)}"
                self.lines.insert(0, f"{name} = {self.name(value.get, 'g')}()")
            return name
        if value is None or value is True or value is False or type(value) is int:
            return repr(value)
        return self.name(value, "c")

    # ---- steps -----------------------------------------------------------------------------------
    def function(self) -> Executable:
        """Return the compiled replay."""
        for action in self.plan.prologue:
            self.lines.append(f"{self.name(action, 'p')}()")
        prologue, self.lines = self.lines, []
        if self.watch is None:
            for step in self.plan.steps:
                self.step(step)
        else:
            self._watched_steps(self.watch)
        self.finish()
        inputs = dict.fromkeys(v for v in self.plan.inputs)
        unpack = [f"x{v.number} = inputs[{i}]" for i, v in enumerate(inputs)]
        given = [f"x{v.number}" for v in self.plan.outputs if v.dynamic]
        lines = [*unpack, *prologue, *self.lines, f"return [{', '.join(given)}]"]
        body = "".join(f"\n        {line}" for line in lines)
        names = [n for n in self.names if n != "np"]
        source = (
            f"def build({', '.join(['np', *names])}):\n"
            f"    def replay(inputs):{body}\n    return replay\n"
        )
        scope: dict[str, Any] = {}
        exec(compile(source, "<minima plan>", "exec"), scope)
        replay = scope["build"](**self.names)
        if self.watch is None:
            self.plan.source, self.plan.writer = source, type(self)
        if not self.warns:
            return replay  # type: ignore[no-any-return]
        ignore = np.errstate

        def run(inputs: list[Any]) -> list[Any]:
            with ignore(all="ignore"):
                return replay(inputs)  # type: ignore[no-any-return]

        return run

    def _watched_steps(self, watch: Callable[[int, float, float], None]) -> None:
        """Write all steps, with a look at the clock before and after each that runs a kernel."""
        mark, clock, number = self.name(watch, "w"), self.name(perf_counter, "w"), 0
        for step in self.plan.steps:
            if step.is_view:
                self.step(step)
                continue
            self.flush()
            self.lines.append(f"began = {clock}()")
            self.step(step)
            self.flush()
            self.lines.append(f"{mark}({number}, began, {clock}())")
            number += 1

    def flush(self) -> None:
        """Write what steps have left to be written together; nothing here."""

    def finish(self) -> None:
        """Write what comes when all steps are written; nothing here."""

    def step(self, step: Step) -> None:
        """Write the line of one step."""
        if step.is_view:
            if step.output.dynamic:
                kernel = self.name(self.plan.device.kernels[step.name], "k")
                options = self.options(step)
                source = self.buffer(step.inputs[0])  # type: ignore[arg-type]
                self.lines.append(f"x{step.output.number} = {kernel}({source}{options})")
            else:
                self.place(step.output)
            return
        self.warns = True
        out = self.buffer(step.output)
        special = _SPECIAL.get(step.name)
        if step.call is not None:
            self.lines.append(f"np.copyto({out}, {self.name(step.call, 'r')}())")
        elif special is None or not special(self, step, out):
            self.plain(step, out)

    def plain(self, step: Step, out: str) -> None:
        """Write a call of the kernel, with ``out`` where it takes it."""
        kernel = self.kernel(step)
        args = ", ".join("None" if v is None else self.buffer(v) for v in step.inputs)
        entry = _entry(step.name)
        if entry is not None and entry.variadic:
            args = f"({args},)"
        options = self.options(step)
        name = self.name(kernel, "k")
        if step.name in self.plan.device.writes:
            # a positional output is quicker, but not for maximum and minimum
            short = isinstance(kernel, np.ufunc) and kernel not in (np.maximum, np.minimum)
            place = f", {out}" if short else f"{options}, out={out}"
            self.lines.append(f"{name}({args}{place})")
        else:
            self.lines.append(f"np.copyto({out}, {name}({args}{options}))")

    def options(self, step: Step) -> str:
        """Return the attributes of *step* as keyword arguments."""
        return "".join(f", {k}={self.argument(v)}" for k, v in step.attrs.items())


def _entry(name: str) -> Any:
    from ..operators.table import TABLE

    return TABLE.get(name)


# ---- steps that NumPy has a shorter way for ------------------------------------------------------
def _write(w: Writer, step: Step, out: str) -> bool:
    value = w.buffer(step.inputs[1])  # type: ignore[arg-type]
    index = step.attrs["index"]
    if index in (..., (...,)):
        w.lines.append(f"np.copyto({out}, {value})")
    else:
        w.lines.append(f"{out}[{w.name(index, 'c')}] = {value}")
    return True


def _put_by(w: Writer, step: Step, out: str) -> bool:
    x, *others = (w.buffer(v) for v in step.reads())
    name = "assign" if step.in_place else "put"
    if not step.in_place:
        w.lines.append(f"np.copyto({out}, {x})")
    elif step.inputs[0] is not step.output:
        return False
    args = ", ".join([repr(name), out, *others])
    w.lines.append(f"{w.name(write_by, 'k')}({args}{w.options(step)})")
    return True


def _constant(w: Writer, step: Step, out: str) -> bool:
    w.lines.append(f"np.copyto({out}, {w.name(step.attrs['values'], 'c')})")
    return True


def _scalar(w: Writer, step: Step, out: str) -> bool:
    w.lines.append(f"{out}[()] = {w.argument(step.attrs['value'])}")
    return True


def _reduction(ufunc: np.ufunc) -> Callable[[Writer, Step, str], bool]:
    def special(w: Writer, step: Step, out: str) -> bool:
        if step.inputs[0].dtype.kind == "V":  # type: ignore[union-attr]  # bfloat16 loses too much
            return False
        reduce = w.name(ufunc.reduce, "k")
        x = w.buffer(step.inputs[0])  # type: ignore[arg-type]
        axis, keep = w.name(step.attrs["axis"], "c"), step.attrs["keepdims"]
        w.lines.append(f"{reduce}({x}, {axis}, None, {out}, {keep})")
        return True

    return special


def _relu(w: Writer, step: Step, out: str) -> bool:
    x = step.inputs[0]
    zero = w.name(np.zeros((), x.dtype), "c")  # type: ignore[union-attr]
    w.lines.append(f"np.maximum({w.buffer(x)}, {zero}, out={out})")  # type: ignore[arg-type]
    return True


_SPECIAL: dict[str, Callable[[Writer, Step, str], bool]] = {
    "write": _write,
    "put_by": _put_by,
    "constant": _constant,
    "scalar": _scalar,
    "sum": _reduction(np.add),
    "max": _reduction(np.maximum),
    "min": _reduction(np.minimum),
    "relu": _relu,
}
