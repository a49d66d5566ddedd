"""Indices that a replay finds out of range: noted on the GPU, told when it is waited for.

A graph can wait for nothing, so its kernels cannot raise. What one of them finds lies in the GPU's
memory until the values of some array, or `synchronize`, are asked for: then it is raised, as faults
of kernels are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minima.compiler.fusion import FusedStep
from minima.compiler.plan import Step, Value
from minima.errors import IndexRangeError

from .geometry import over_elements
from .launch import Launcher
from .sources import TYPES, header
from .text import Printed

__all__ = ["Checks", "Wanted", "wanted_of"]


class Wanted(NamedTuple):
    """What has to hold: all *indices*, each a *noun*, of operator *name* are below *bound*.

    *ignored* is one that may be there beside them.
    """

    name: str
    noun: str
    indices: Value
    bound: int
    ignored: int


#: operators that read at indices: which input these are, what one is called, and their bound
_INDICES: dict[str, tuple[int, str, Callable[[Step], int]]] = {
    "cross_entropy": (1, "class", lambda step: _length(step.inputs[0], 1)),
    "one_hot": (0, "class", lambda step: int(step.attrs["num_classes"])),
    "embedding": (0, "index", lambda step: _length(step.inputs[1], 0)),
    "embedding_bag": (0, "index", lambda step: _length(step.inputs[2], 0)),
}


def _length(value: Value | None, axis: int) -> int:
    shape = () if value is None else value.shape
    return shape[axis if len(shape) > axis else 0]


def wanted_of(step: Step) -> Iterator[Wanted]:
    """Yield what has to hold of the indices in memory that *step*, or a part of it, reads."""
    read = set(step.reads())
    for part in step.group.steps if isinstance(step, FusedStep) else [step]:
        if part.name not in _INDICES:
            continue
        place, noun, bound_of = _INDICES[part.name]
        indices, bound = part.inputs[place], bound_of(part)
        ignored = part.attrs.get("ignore_index") or 0
        if indices is None or indices not in read or indices.dtype.name not in TYPES:
            continue
        if bound > 0 and indices.dtype.kind in "iu" and indices.nbytes:
            yield Wanted(part.name, noun, indices, bound, ignored)


def source_of(dtype: str) -> Printed:
    """Return a module whose ``check`` notes an index out of range; 0, which none is, for none."""
    text = (
        f"KERNEL check(const {TYPES[dtype][0]}* indices, Int64* found, Index count, Index bound,\n"
        "             Index ignored) {\n"
        "  for (Index i = first_element(); i < count; i += element_step()) {\n"
        "    const Index index = indices[i];\n"
        "    if ((index < 0 || index >= bound) && index != ignored) {\n"
        "      atomicExch(reinterpret_cast<UInt64*>(found), UInt64(index));\n"
        "    }\n  }\n}\n"
    )
    return Printed("check.cu", header("groups.cuh") + '#line 1 "check.cu"\n' + text)


class Checks:
    """What the replays of one plan found out of range, in the memory of a GPU."""

    def __init__(self, device: Any, launcher: Launcher) -> None:
        self.device, self.launcher = device, launcher
        self.entries: list[tuple[Wanted, str]] = []
        self.found: Any = None

    def make_room(self) -> None:
        """Make the memory, once all entries are there; any stream may read it from then on."""
        xp = self.device.xp
        if self.entries:
            self.found = xp.zeros((len(self.entries),), np.int64)
            xp.cuda.get_current_stream(self.device.index).synchronize()

    def add(self, wanted: Wanted, line: str, indices: Any) -> Callable[[], object]:
        """Return what launches the check of *wanted* on the array *indices*."""
        number = len(self.entries)
        self.entries.append((wanted._replace(indices=None), line))  # type: ignore[arg-type]
        source, xp, launch = source_of(indices.dtype.name), self.device.xp, self.launcher.launch
        sizes = tuple(map(np.int64, (indices.size, wanted.bound, wanted.ignored)))

        def run() -> None:
            flat = xp.ascontiguousarray(indices)
            args = (flat, self.found[number : number + 1], *sizes)
            launch(source, "check", *over_elements(indices.size), args)

        return run

    def ask(self) -> None:
        """Raise, once, what replays have found that the current stream is done with.

        Raises: IndexRangeError, with the operator, the index and the line.
        """
        found = self.device.xp.asnumpy(self.found)
        if found.any():
            self.found[...] = 0
            number = int(np.flatnonzero(found)[0])
            wanted, line = self.entries[number]
            raise IndexRangeError(
                f"{wanted.name}: got {wanted.noun} {found[number]}; expected 0 to "
                f"{wanted.bound - 1}; found in a replay of what is compiled at {line}, when "
                "the GPU was waited for"
            )
