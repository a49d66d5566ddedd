"""Where the plan's own buffers lie: one block of memory, reused as values come and go."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from .plan import Plan, Step, Value

__all__ = ["Lifetimes", "allocate", "release"]

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


class Lifetimes:
    """For each root of the plan's own memory: the steps that first write and last read it."""

    def __init__(self, plan: Plan) -> None:
        self.first: dict[Value, int] = {}
        self.last: dict[Value, int] = {}
        end = len(plan.steps)
        for i, step in enumerate(plan.steps):
            for value in (*step.reads(), *step.writes()):
                root = value.root
                if root.kind == "temp" and root.slot is None:
                    self.first.setdefault(root, i)
                    self.last[root] = i
        for root in plan.kept():
            if root.kind == "temp":
                self.last[root] = end


def allocate(plan: Plan, may_alias: Callable[[Step, int], bool]) -> int:
    """Give each root of the plan's own a place; return the bytes of all of them together.

    *may_alias(step, i)* says whether the step may write over its i-th input as it reads it.
    """
    lives = Lifetimes(plan)
    shared = _in_place(plan, lives, may_alias)
    free: list[tuple[int, int]] = []  # (offset, size) of holes below the top
    top = 0
    places: dict[Value, tuple[int, int]] = {}
    ending: dict[int, list[Value]] = {}
    owner = {root: _owner(root, shared) for root in lives.first}
    last: dict[Value, int] = {}
    for root, i in lives.last.items():
        last[owner[root]] = max(last.get(owner[root], 0), i)
    for root, i in last.items():
        ending.setdefault(i, []).append(root)
    for i, step in enumerate(plan.steps):
        for root in dict.fromkeys(v.root for v in step.writes()):
            if lives.first.get(root) == i and owner[root] is root and not step.is_view:
                size = -(-max(root.nbytes, 1) // ALIGNMENT) * ALIGNMENT
                offset, top, free = _take(size, top, free)
                places[root] = (offset, size)
        for done in ending.get(i, ()):
            if done in places:
                free = _give(places[done], free)
    block = np.empty(top + ALIGNMENT, np.uint8)
    start = -block.ctypes.data % ALIGNMENT
    for root in lives.first:
        offset = places[owner[root]][0] + start
        root.slot = _buffer(block, offset, root)
    plan.values[id(block)] = plan.new_value(block, "external")
    return top


def release() -> None:
    """Give memory that was freed back to the system, where the C library does so when asked."""
    with suppress(AttributeError, OSError, TypeError):  # only glibc has it, others have no need
        ctypes.CDLL(None).malloc_trim(0)


def _buffer(block: Any, offset: int, root: Value) -> Any:
    """Return the array of *root* in *block*, with the strides order that the run gave it."""
    array = root.array
    order = sorted(range(array.ndim), key=lambda a: (-array.strides[a], a))
    flat = block[offset : offset + root.nbytes].view(array.dtype)
    shaped = flat.reshape([array.shape[a] for a in order])
    return shaped.transpose(np.argsort(order)) if array.ndim else shaped.reshape(())


def _in_place(
    plan: Plan, lives: Lifetimes, may_alias: Callable[[Step, int], bool]
) -> dict[Value, Value]:
    """Return, for values that can take over a buffer that dies with the step, whose it is."""
    shared: dict[Value, Value] = {}
    for i, step in enumerate(plan.steps):
        out = step.output
        if out.root is not out or out.kind != "temp" or step.in_place or lives.first.get(out) != i:
            continue
        for k, value in enumerate(step.inputs):
            if (
                value is not None
                and value.root is value
                and value.kind == "temp"
                and lives.last.get(value) == i
                and value.shape == out.shape
                and value.dtype == out.dtype
                and value.array.strides == out.array.strides
                and sum(v is not None and v.root is value for v in step.inputs) == 1
                and may_alias(step, k)
            ):
                shared[out] = value
                break
    return shared


def _owner(root: Value, shared: dict[Value, Value]) -> Value:
    while root in shared:
        root = shared[root]
    return root


def _take(
    size: int, top: int, free: list[tuple[int, int]]
) -> tuple[int, int, list[tuple[int, int]]]:
    """Return the place of *size* bytes: the smallest hole that they fit into, else the top."""
    fits = [hole for hole in free if hole[1] >= size]
    if not fits:
        if free and free[-1][0] + free[-1][1] == top:  # the last hole reaches the top: grow it
            offset = free[-1][0]
            return offset, offset + size, free[:-1]
        return top, top + size, free
    offset, room = min(fits, key=lambda hole: (hole[1], hole[0]))
    rest = [hole for hole in free if hole != (offset, room)]
    if room > size:
        rest = sorted([*rest, (offset + size, room - size)])
    return offset, top, rest


def _give(place: tuple[int, int], free: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the holes with *place* among them, neighbours joined."""
    joined: list[tuple[int, int]] = []
    for offset, size in sorted([*free, place]):
        if joined and joined[-1][0] + joined[-1][1] == offset:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((offset, size))
    return joined
