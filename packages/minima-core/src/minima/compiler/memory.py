"""Where the plan's own buffers lie: one block of memory, reused as values come and go."""

from __future__ import annotations

import ctypes
from bisect import insort
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from .outline import address
from .plan import Plan, Step, Value

__all__ = ["Lifetimes", "allocate", "placed", "release"]

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


def allocate(
    plan: Plan,
    may_alias: Callable[[Step, int], bool],
    empty: Callable[[int], Any] = lambda size: np.empty(size, np.uint8),
) -> int:
    """Give each root of the plan's own a place; return the bytes of all of them together.

    *may_alias(step, i)* says whether the step may write over its i-th input as it reads it;
    *empty* returns a buffer of so many bytes on the plan's device.
    """
    lives = Lifetimes(plan)
    shared = _in_place(plan, lives, may_alias)
    owner = {root: _owner(root, shared) for root in lives.first}
    spans: dict[Value, Span] = {}
    for root, first in lives.first.items():
        begin, end, size = spans.get(owner[root], (first, 0, _room(root)))
        spans[owner[root]] = (min(begin, first), max(end, lives.last[root]), size)
    places, top = min((_arranged(spans, order) for order in _ORDERS), key=lambda found: found[1])
    block = empty(top + ALIGNMENT)
    start = -address(block) % ALIGNMENT
    for root in lives.first:
        root.slot = placed(block, places[owner[root]] + start, root)
    plan.values[id(block)] = plan.new_value(block, "external")
    return top


def release() -> None:
    """Give memory that was freed back to the system, where the C library does so when asked."""
    with suppress(AttributeError, OSError, TypeError):  # only glibc has it, others have no need
        ctypes.CDLL(None).malloc_trim(0)


def placed(block: Any, offset: int, root: Value) -> Any:
    """Return the array of *root* in *block*, with the strides order that the run gave it."""
    array = root.array
    order = sorted(range(array.ndim), key=lambda a: (-array.strides[a], a))
    flat = block[offset : offset + root.nbytes].view(array.dtype)
    shaped = flat.reshape([array.shape[a] for a in order])
    back = [order.index(axis) for axis in range(array.ndim)]
    return shaped.transpose(*back) if array.ndim else shaped.reshape(())


def _in_place(
    plan: Plan, lives: Lifetimes, may_alias: Callable[[Step, int], bool]
) -> dict[Value, Value]:
    """Return, for values that can take over a buffer that dies with the step, whose it is."""
    shared: dict[Value, Value] = {}
    for i, step in enumerate(plan.steps):
        write_over = getattr(step, "write_over", None)  # a fused step writes several values
        for out in () if step.in_place else step.writes():
            if out.root is not out or out.kind != "temp" or lives.first.get(out) != i:
                continue
            for k, value in enumerate(step.inputs):
                if value is None or not _dies(value, step, lives.last.get(value) == i):
                    continue
                if value in shared.values() or not _alike(value, out):
                    continue
                if may_alias(step, k) if write_over is None else write_over(value, out):
                    shared[out] = value
                    break
    return shared


def _dies(value: Value, step: Step, last: bool) -> bool:
    """Say whether *value* is a whole buffer that *step* reads once, and nobody after it."""
    once = sum(v is not None and v.root is value for v in step.inputs) == 1
    return last and once and value.root is value and value.kind == "temp"


def _alike(a: Value, b: Value) -> bool:
    """Say whether two values lie in memory in the same way."""
    return a.shape == b.shape and a.dtype == b.dtype and a.array.strides == b.array.strides


def _owner(root: Value, shared: dict[Value, Value]) -> Value:
    while root in shared:
        root = shared[root]
    return root


def _room(root: Value) -> int:
    """Return the bytes that a buffer takes with what makes the next one begin at a cache line."""
    return -(-max(root.nbytes, 1) // ALIGNMENT) * ALIGNMENT


#: the first and the last step that a buffer is there for, and its bytes
Span = tuple[int, int, int]
#: orders in which buffers are given their places; which one wastes less differs from plan to plan
_ORDERS: tuple[Callable[[Span], tuple[int, ...]], ...] = (
    lambda span: (-span[2], span[0]),
    lambda span: (-span[2] * (span[1] - span[0] + 1), span[0]),
)


def _arranged(
    spans: dict[Value, Span], order: Callable[[Span], tuple[int, ...]]
) -> tuple[dict[Value, int], int]:
    """Return where each buffer begins, and the bytes of all together.

    In *order*, each takes the smallest gap that it fits into among those that live when it does.
    """
    places: dict[Value, int] = {}
    taken: list[tuple[int, int, int, int]] = []  # from, to; first and last step
    for root, (first, last, size) in sorted(spans.items(), key=lambda entry: order(entry[1])):
        gaps, free = [], 0
        for start, end, begin, until in taken:
            if begin <= last and first <= until:
                if start - free >= size:
                    gaps.append((start - free, free))
                free = max(free, end)
        places[root] = at = min(gaps)[1] if gaps else free
        insort(taken, (at, at + size, first, last))
    return places, max((end for _, end, _, _ in taken), default=0)
