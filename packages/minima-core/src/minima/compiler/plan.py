"""Plan: the launches of a captured run as steps on values, ready to be rewritten and replayed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..devices import CPU
from .tape import Launch, Tape

if TYPE_CHECKING:
    from .timing import Stopwatch

__all__ = ["Plan", "Step", "Value"]


class Value:
    """One buffer of a plan.

    *kind* says where its memory comes from: "input" (an argument of the call), "external" (a
    buffer that lives outside, such as a parameter) or "temp" (the plan's own). *root* is the
    value whose memory it lies over, itself unless it is a view; *view* the step that makes it.
    """

    __slots__ = ("array", "constant", "kind", "number", "root", "slot", "view")

    def __init__(self, array: Any, kind: str, number: int) -> None:
        self.array, self.kind, self.number = array, kind, number
        self.root: Value = self
        self.view: Step | None = None
        self.constant = False
        self.slot: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of elements along each axis."""
        return self.array.shape  # type: ignore[no-any-return]

    @property
    def dtype(self) -> Any:
        """Type of the elements."""
        return self.array.dtype

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return int(np.prod(self.array.shape, dtype=np.int64)) * int(self.array.dtype.itemsize)

    @property
    def dynamic(self) -> bool:
        """Whether the memory differs from call to call."""
        return self.root.kind == "input"

    def __repr__(self) -> str:
        return f"%{self.number}:{self.dtype}{list(self.shape)}"


class Step:
    """One launch of a plan: *name* on *inputs* gives *output* (written in place if *in_place*)."""

    __slots__ = (
        "attrs",
        "call",
        "in_place",
        "inputs",
        "line",
        "name",
        "output",
        "phase",
        "region",
    )

    def __init__(
        self,
        name: str,
        inputs: tuple[Value | None, ...],
        attrs: dict[str, Any],
        output: Value,
        *,
        in_place: bool = False,
        call: Callable[..., Any] | None = None,
        line: str = "",
        region: Hashable = None,
        phase: str = "",
    ) -> None:
        self.name, self.inputs, self.attrs, self.output = name, inputs, attrs, output
        self.in_place, self.call, self.line, self.region = in_place, call, line, region
        self.phase = phase

    @property
    def is_view(self) -> bool:
        """Whether the step makes a view and launches nothing."""
        return self.output.view is self

    def reads(self) -> Iterator[Value]:
        """Yield the values that the step reads."""
        for value in self.inputs:
            if value is not None:
                yield value

    def writes(self) -> list[Value]:
        """Return the values that the step writes: one, but for fused steps."""
        return [self.output]

    def __repr__(self) -> str:
        sign = "<-" if self.in_place else "="
        args = ", ".join(map(repr, self.inputs))
        return f"{self.output!r} {sign} {self.name}({args})"


class Plan:
    """Steps, the values of the arguments, and those that outlive a replay.

    *outputs* are the values that the function returns; *gradients* the leaves whose ``grad`` a
    replay sets, with its value; *prologue* what Python does before each replay.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.steps: list[Step] = []
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self.gradients: list[tuple[Any, Value]] = []
        self.prologue: list[Callable[[], None]] = []
        self.planned_bytes = 0
        self.source = ""
        #: what writes the replay, so that it can be written again with a clock in it
        self.writer: Any = None
        self.stopwatch: Stopwatch | None = None
        self.values: dict[int, Value] = {}
        self._externals: dict[int, Value] = {}
        self._count = 0

    def new_value(self, array: Any, kind: str = "temp") -> Value:
        """Return a new value over *array*."""
        self._count += 1
        return Value(array, kind, self._count)

    def value(self, array: Any) -> Value:
        """Return the value of a buffer of the captured run; an external one if it is new."""
        found = self.values.get(id(array))
        if found is None:
            found = self.values[id(array)] = self.new_value(array, "external")
            base = array
            while isinstance(getattr(base, "base", None), type(array)):
                base = base.base
            found.root = self._externals.setdefault(id(base), found)
        return found

    def add(self, launch: Launch) -> None:
        """Append the step of a launch."""
        inputs = tuple(None if a is None else self.value(a) for a in launch.inputs)
        if launch.in_place:
            output = self.value(launch.output)
        else:
            output = self.values[id(launch.output)] = self.new_value(launch.output)
        step = Step(
            launch.name,
            inputs,
            launch.attrs,
            output,
            in_place=launch.in_place,
            call=launch.call,
            line=launch.line,
            region=launch.region,
            phase=launch.phase,
        )
        if launch.view and inputs[0] is not None:
            output.root, output.view = inputs[0].root, step
        self.steps.append(step)

    @classmethod
    def of(cls, tape: Tape, inputs: list[Any], outputs: list[Any]) -> Plan:
        """Return the plan of a captured run; *inputs* and *outputs* are its buffers."""
        plan, known = cls(tape.device or CPU), tape.buffers.known
        for array in map(known, inputs):
            value = plan.values.get(id(array))
            if value is None:
                value = plan.values[id(array)] = plan.new_value(array, "input")
            plan.inputs.append(value)
        for launch in tape.launches:
            plan.add(launch)
        plan.outputs = [plan.value(known(a)) for a in outputs]
        plan.prologue = list(tape.prologue)
        seen = {}
        for leaf, _ in tape.gradients:
            if leaf.grad is not None:
                seen[id(leaf)] = (leaf, plan.value(known(leaf.grad._array)))
        plan.gradients = [entry for entry in seen.values() if entry[1].root.kind == "temp"]
        return plan

    def kept(self) -> set[Value]:
        """Return the roots whose memory is read after a replay."""
        roots = {v.root for v in self.outputs}
        return roots | {value.root for _, value in self.gradients}

    def written(self) -> set[Value]:
        """Return the roots that some step writes in place."""
        return {s.output.root for s in self.steps if s.in_place}

    def launches(self) -> list[Step]:
        """Return the steps that run a kernel."""
        return [s for s in self.steps if not s.is_view]

    def describe(self) -> str:
        """Return in words the kernels in order, the buffers and their bytes, and times.

        A kernel's predicted time is that of the memory it moves or of its products, whichever is
        longer, at this machine's measured speeds; measured times are there once a replay has run
        inside of `minima.profiler.profile`.

        >>> @mi.compile
        ... def norm(x):
        ...     return mi.sqrt((x * x).sum())
        >>> for _ in range(2):
        ...     y = norm(mi.Tensor([3.0, 4.0]))
        >>> print(norm.plans[0].describe().split(":")[0])
        plan on cpu
        """
        from .describe import describe

        return describe(self)

    def picture(self, file: str | None = None) -> str:
        """Return the plan as a graph in DOT; with *file*, as in "plan.svg", draw it there too.

        Raises: ArgumentError when *file* has no format that Graphviz draws or Graphviz is missing.

        >>> @mi.compile
        ... def half(x):
        ...     return x / 2
        >>> for _ in range(2):
        ...     y = half(mi.Tensor([3.0]))
        >>> half.plans[0].picture().splitlines()[0]
        'digraph plan {'
        """
        from .picture import draw, picture

        dot = picture(self)
        if file is not None:
            draw(dot, file)
        return dot
