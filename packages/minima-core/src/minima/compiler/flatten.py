"""Optimiser steps on one flat buffer instead of one parameter after another.

The launches of each parameter's update (a region of the tape) that do the same on another
parameter are merged into launches over flat buffers, of which parameters, gradients and state
become parts. A Tensor keeps its identity and values; only where they lie changes.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable
from typing import Any

import numpy as np

from .outline import outline
from .passes import frozen
from .plan import Plan, Step, Value

__all__ = ["ELEMENTWISE", "flatten_updates"]

#: operators whose result at a place depends on their inputs at that place alone
ELEMENTWISE = frozenset(
    "add subtract multiply divide negative maximum minimum square sign abs sqrt exp expm1 log "
    "log1p tanh sin cos erf power power_scalar relu relu_gradient sigmoid gelu clip add_scaled "
    "addcmul addcdiv lerp copy write where share equal not_equal less less_equal greater "
    "greater_equal logical_not isnan isinf isfinite".split()
)


class Segment:
    """The steps that update one parameter, and the values that they work on, in order."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = steps
        self.lanes: list[Value] = []  # values of the parameter's shape
        self.inner: set[Value] = set()
        self.shape: tuple[int, ...] = ()
        self.dtype: Any = None
        self.fits = self._scan()

    def _scan(self) -> bool:
        """Find the lanes; say whether the segment can be merged with others."""
        scalars = {s.output for s in self.steps if s.name == "scalar"}
        work = [s for s in self.steps if s.name != "scalar"]
        if not work:
            return False
        self.shape, self.dtype = work[-1].output.shape, work[-1].output.dtype
        if not self.shape:
            return False
        for step in work:
            if step.name not in ELEMENTWISE or step.call is not None or step.is_view:
                return False
            if step.name == "write" and step.attrs["index"] not in (..., (...,)):
                return False
            for value in (*step.inputs, step.output):
                if value is None or value.dynamic:
                    return False
                if value in scalars or (not value.shape and value.constant):
                    continue
                if value.shape != self.shape or value.dtype != self.dtype:
                    return False
                if value not in self.lanes:
                    self.lanes.append(value)
            if not step.in_place:
                self.inner.add(step.output)
        return True

    def signature(self) -> Hashable:
        """Return what two segments must have in common to be merged."""
        numbers = {v: i for i, v in enumerate(self.lanes)}
        scalars: dict[Value, Hashable] = {
            s.output: frozen(s.attrs) for s in self.steps if s.name == "scalar"
        }

        def symbol(value: Value) -> Hashable:
            if value in numbers:
                return numbers[value]
            return scalars.get(value, ("number", value.array.item(), str(value.dtype)))

        steps = []
        for s in self.steps:
            if s.name == "scalar":
                continue
            attrs = frozen({k: v for k, v in s.attrs.items() if v is not ...})
            inputs = tuple(symbol(v) for v in s.inputs)  # type: ignore[arg-type]
            steps.append((s.name, attrs, s.in_place, inputs, symbol(s.output)))
        return (str(self.dtype), tuple(steps))


def flatten_updates(plan: Plan, owners: dict[int, Any]) -> None:
    """Merge updates; *owners* maps the ids of buffers that may move to their Tensors."""
    for segments in _alike(plan):
        _merge(plan, segments, owners)


def _alike(plan: Plan) -> list[list[Segment]]:
    """Return groups of segments, two or more, that do the same."""
    regions: dict[Hashable, list[Step]] = {}
    for step in plan.steps:
        if step.region is not None:
            regions.setdefault(step.region, []).append(step)
    groups: dict[Hashable, list[Segment]] = {}
    for region, steps in regions.items():
        segment = Segment(steps)
        if segment.fits:
            key = (region[:2], segment.signature())  # type: ignore[index]
            groups.setdefault(key, []).append(segment)
    return [g for g in groups.values() if len(g) > 1]


def _merge(plan: Plan, segments: list[Segment], owners: dict[int, Any]) -> None:
    """Put the steps of all *segments* into one flat run of steps, where that is safe."""
    first = segments[0]
    members = {id(s) for segment in segments for s in segment.steps}
    count = len(first.lanes)
    if any(len(set(s.lanes)) != count for s in segments):
        return
    lanes = [[s.lanes[i] for s in segments] for i in range(count)]
    if any(len(set(lane)) != len(lane) for lane in lanes):
        return
    inner = [lane[0] in first.inner for lane in lanes]
    for lane, own in zip(lanes, inner):
        if not own and not all(_movable(v, plan, owners) for v in lane):
            return
    if not _undisturbed(plan, segments, members):
        return
    sizes = [int(np.prod(s.shape)) for s in segments]
    flat: dict[Value, Value] = {}
    gathers: list[Step] = []
    for lane, own in zip(lanes, inner):
        if own:
            flat[lane[0]] = plan.new_value(outline((sum(sizes),), first.dtype))
        elif lane[0].kind == "external":
            array = _gathered([owners[id(v.array)] for v in lane], sizes, first.dtype)
            flat[lane[0]] = plan.new_value(array, "external")
            for v, part in zip(lane, _parts(array, sizes, segments)):
                v.array = part
                v.root = flat[lane[0]]
            _renew_views(plan, set(lane))
        else:
            array = np.empty(sum(sizes), first.dtype)
            flat[lane[0]] = whole = plan.new_value(array, "external")
            for v, part in zip(lane, _parts(array, sizes, segments)):
                gathers += _placed(plan, v, part, whole)
    merged = _merged_steps(first, flat)
    last = max(i for i, s in enumerate(plan.steps) if id(s) in members)
    plan.steps = [
        *(s for s in plan.steps[: last + 1] if id(s) not in members),
        *gathers,
        *merged,
        *plan.steps[last + 1 :],
    ]


def _movable(value: Value, plan: Plan, owners: dict[int, Any]) -> bool:
    """Say whether the memory of *value* may be put elsewhere."""
    if value.kind == "temp":
        return True
    tensor = owners.get(id(value.array))
    if tensor is None or tensor._array is not value.array:
        return False
    array = value.array
    if not isinstance(array, np.ndarray):
        return False
    shared = tensor._version is not None and sys.getrefcount(tensor._version) > 2
    if not array.flags.c_contiguous or shared:
        return False
    return array.base is None or isinstance(array.base, FlatBuffer)


def _undisturbed(plan: Plan, segments: list[Segment], members: set[int]) -> bool:
    """Say whether all segments can run at the place of the last one."""
    touched = {v.root for s in segments for v in s.lanes}
    places = [i for i, s in enumerate(plan.steps) if id(s) in members]
    for step in plan.steps[places[0] : places[-1]]:
        if id(step) in members:
            continue
        if step.output.root in touched or any(v.root in touched for v in step.reads()):
            return False
    return True


class FlatBuffer(np.ndarray[Any, Any]):
    """The memory of many Tensors in one; known by its class."""


def _parts(array: Any, sizes: list[int], segments: list[Segment]) -> list[Any]:
    ends = np.cumsum(sizes)
    return [array[end - size : end].reshape(s.shape) for end, size, s in zip(ends, sizes, segments)]


def _gathered(tensors: list[Any], sizes: list[int], dtype: Any) -> Any:
    """Return one flat array that holds *tensors* in order, moving them there if need be."""
    first = tensors[0]._array
    base = first.base
    start = first.ctypes.data
    if isinstance(base, FlatBuffer):
        addresses = np.cumsum([start, *(s * dtype.itemsize for s in sizes)])[:-1]
        if all(t._array.ctypes.data == a for t, a in zip(tensors, addresses)):
            offset = (start - base.ctypes.data) // dtype.itemsize
            return np.asarray(base)[offset : offset + sum(sizes)]
    owner = np.empty(sum(sizes), dtype).view(FlatBuffer)
    end = 0
    for tensor, size in zip(tensors, sizes):
        # plain to kernels, while its base tells where it lies
        part = np.ndarray(tensor.shape, dtype, buffer=owner, offset=end * dtype.itemsize)
        np.copyto(part, tensor._array)
        tensor._array = part
        end += size
    return np.asarray(owner)


def _renew_views(plan: Plan, moved: set[Value]) -> None:
    """Make the views of what was moved anew, so that nothing holds on to its old memory."""
    for step in plan.steps:
        source = step.inputs[0] if step.is_view else None
        if source in moved and source is not None:
            step.output.array = plan.device.kernels[step.name](source.array, **step.attrs)
            moved.add(step.output)


def _placed(plan: Plan, value: Value, part: Any, whole: Value) -> list[Step]:
    """Put a temporary into its part of a flat buffer; return steps that copy where it cannot be."""
    producer = next((s for s in plan.steps if s.output is value and not s.in_place), None)
    own = value.root is value and producer is not None and not producer.is_view
    if own and value.array.flags.c_contiguous:
        value.slot, value.root, value.kind = part, whole, "external"
        return []
    target = plan.new_value(part, "external")
    target.root = whole
    for i, (leaf, found) in enumerate(plan.gradients):
        if found is value:
            plan.gradients[i] = (leaf, target)
    return [Step("write", (target, value), {"index": ...}, target, in_place=True)]


def _merged_steps(first: Segment, flat: dict[Value, Value]) -> list[Step]:
    """Return the steps of the first segment on flat values."""
    for step in first.steps:
        step.inputs = tuple(None if v is None else flat.get(v, v) for v in step.inputs)
        step.output = flat.get(step.output, step.output)
        step.region = None
    return first.steps
