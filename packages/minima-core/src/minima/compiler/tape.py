"""What a function does, written down: every kernel launch, in order, on the buffers of one run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from .by_index import BY_INDEX, parted
from .live import Live
from .outline import Buffers

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["Launch", "Tape"]


class Launch:
    """One kernel launch: an operator, the buffers it reads, attributes, the buffer it gives.

    Buffers that the run made are known by their outlines, so that they need not outlive the run.

    *in_place* says that *output* is a buffer that existed before and was written. *call* is set
    instead of an operator's name for what is no operator: it is called with ``out=``.
    """

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
        "view",
    )

    def __init__(
        self,
        name: str,
        inputs: tuple[Any, ...],
        attrs: dict[str, Any],
        output: Any,
        *,
        in_place: bool = False,
        view: bool = False,
        call: Callable[..., Any] | None = None,
    ) -> None:
        self.name, self.inputs, self.attrs, self.output = name, inputs, attrs, output
        self.in_place, self.view, self.call = in_place, view, call
        self.line = self.phase = ""
        self.region: Any = None

    def __repr__(self) -> str:
        return f"<Launch {self.name}>"


class Tape:
    """The launches of one run of a function.

    *region*, set by optimisers, marks launches that do the same for another parameter.
    """

    def __init__(self, arguments: Sequence[Tensor] = ()) -> None:
        self.arguments = arguments
        self.launches: list[Launch] = []
        self.device: Any = None
        self.region: Any = None
        self.made: list[ref[Tensor]] = []
        self.buffers = Buffers()
        #: arrays of Tensors that are used as an index, by id
        self.indices: dict[int, Any] = {}
        self._fixed: set[int] = set()
        self.gradients: list[tuple[Tensor, bool]] = []
        self.prologue: list[Callable[[], None]] = []
        self.conditions: list[tuple[Callable[[], Any], Any, str]] = []
        self.expected: list[tuple[int, Callable[[Any], bool]]] = []
        self.owners: dict[int, Tensor] = {}
        self.broken = ""

    def launch(
        self,
        name: str,
        inputs: tuple[Any, ...],
        attrs: dict[str, Any],
        output: Any,
        device: Any,
        *,
        in_place: bool = False,
        view: bool = False,
        call: Callable[..., Any] | None = None,
    ) -> None:
        """Write a launch down."""
        if self.broken:
            return
        if device.base is not None:  # a batch: what runs are launches on the device below
            for value in attrs.values():
                if type(value) is Live:
                    value.constant()
            return
        if self.device is None:
            self.device = device
        elif device is not self.device:
            self.fail(f"{name} runs on {device}, what came before on {self.device}")
        if inputs and isinstance(inputs[0], tuple | list):
            inputs = tuple(inputs[0])
        if self.indices and name in BY_INDEX and "index" in attrs:
            index, arrays = parted(attrs["index"], self.indices)
            if arrays:
                name, attrs = BY_INDEX[name], {**attrs, "index": index}
                inputs += arrays
        given = [a for a in inputs if a is not None]
        inputs = tuple([self.buffers.known(a) for a in inputs])
        if in_place:
            output = self.buffers.known(output)
        else:
            fixed = name == "constant" or (bool(given) and all(id(a) in self._fixed for a in given))
            output = self.buffers.add(output, given[0] if view else None, keep=fixed)
            if fixed:
                self._fixed.add(id(output))
        entry = Launch(name, inputs, attrs, output, in_place=in_place, view=view, call=call)
        entry.line, entry.phase = caller()
        entry.region = self.region
        self.launches.append(entry)

    def copied_index(self, part: Any, device: Any) -> Any:
        """Return a copy of *part* of an index, which may be changed before backward reads it."""
        if id(part) not in self.indices:
            return part
        copy = device.kernels["copy"](part)
        self.launch("copy", (part,), {}, copy, device)
        self.indices[id(copy)] = copy
        return copy

    def track(self, tensor: Tensor) -> None:
        """Remember a Tensor that the run made, to see whether it outlives the run."""
        self.made.append(ref(tensor))

    def drop_own_leaves(self) -> None:
        """Forget the gradients of leaves that the run made for itself: nobody else sees them."""
        own = {id(t) for t in (reference() for reference in self.made) if t is not None}
        self.gradients = [(leaf, had) for leaf, had in self.gradients if id(leaf) not in own]

    def forget(self) -> None:
        """Let go of the run, of which there is a plan: live numbers hold on to the tape itself."""
        self.launches, self.buffers, self.arguments, self.indices = [], Buffers(), (), {}

    def fail(self, reason: str) -> None:
        """Give up: the run goes on eagerly, and no plan is made of it."""
        if not self.broken:
            self.broken = f"{reason}, at {user_line()}"

    def read(self, what: str) -> None:
        """Note that a value, which may differ from call to call, goes into Python."""
        self.fail(f"{what} reads a value of a tensor, on which the rest may depend")

    def own(self, *tensors: Tensor) -> None:
        """Say that the memory of *tensors*, parameters and their state, may be put elsewhere."""
        for tensor in tensors:
            self.owners[id(tensor._array)] = tensor

    def condition(self, probe: Callable[[], Any], value: Any, what: str) -> None:
        """Replay only while ``probe()`` gives *value*."""
        self.conditions.append((probe, value, what))

    def expect(self, tensor: Tensor, test: Callable[[Any], bool]) -> bool:
        """Replay only on arguments whose values pass *test*; False where that cannot be said.

        It can of an argument in the memory of NumPy that nothing has written to, and passes now.
        """
        array: Any = tensor._array
        places = [i for i, t in enumerate(self.arguments) if t._array is array]
        known = self.buffers.known(array)
        written = any(step.in_place and step.output is known for step in self.launches)
        if not places or written or not isinstance(array, np.ndarray) or not test(array):
            return False
        self.expected.append((places[0], test))
        return True

    def on_replay(self, action: Callable[[], None]) -> None:
        """Run *action* at the start of each replay, such as counting a step."""
        self.prologue.append(action)


def user_line() -> str:
    """Return ``file:line`` of the innermost caller that is not part of minima."""
    frame: FrameType | None = sys._getframe(1)
    last = ""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        last = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if name != "minima" and not name.startswith("minima."):
            return last
        frame = frame.f_back
    return last


#: module and function -> what goes on while it is on the stack
_PHASES = {
    ("minima.autograd.sweep", "sweep"): "backward",
    ("minima.optim.optimizer", "step"): "optimizer",
    ("minima.operators.inplace", "in_place"): "in place",
    ("minima.operators.inplace", "assign"): "in place",
}


def caller() -> tuple[str, str]:
    """Return the line as `user_line` does, and the phase: backward, optimizer, in place, forward.

    Within the others' reach, backward and optimizer win over in place.
    """
    frame: FrameType | None = sys._getframe(1)
    line, last, phase = "", "", "forward"
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        found = _PHASES.get((name, frame.f_code.co_name))
        if found is not None:
            phase = found
            if found != "in place":
                break
        last = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if not line and name != "minima" and not name.startswith("minima."):
            line = last
        frame = frame.f_back
    return line or (user_line() if frame is not None else last), phase


def plain(attrs: dict[str, Any]) -> dict[str, Any]:
    """Return *attrs* with live numbers replaced by their value now."""
    if any(type(v) is Live for v in attrs.values()):
        return {k: v.value if type(v) is Live else v for k, v in attrs.items()}
    return attrs
