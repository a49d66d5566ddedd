"""Rewrites of a plan that change no result: what is dead, double or constant goes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from .live import Live
from .plan import Plan, Step, Value

__all__ = ["PASSES", "common", "constants", "dead", "fold", "fold_writes"]


def constants(plan: Plan) -> None:
    """Keep buffers of fixed values, which nothing writes, instead of filling them each time."""
    written = plan.written() | plan.kept()
    rest = []
    for step in plan.steps:
        if step.name == "constant" and step.output not in written:
            step.output.kind, step.output.constant = "external", True
        else:
            rest.append(step)
    plan.steps = rest


def fold(plan: Plan) -> None:
    """Run once, now, what only depends on fixed values."""
    written = plan.written() | plan.kept()
    rest = []
    for step in plan.steps:
        inputs = list(step.reads())
        fixed = inputs and all(v.constant for v in inputs) and step.call is None
        live = any(isinstance(v, Live) for v in step.attrs.values())
        if fixed and not live and not step.in_place and step.output.root not in written:
            step.output.kind, step.output.constant = "external", True
            if step.is_view:
                step.output.view = None
            step.output.root = step.output
        else:
            rest.append(step)
    plan.steps = rest


def dead(plan: Plan) -> None:
    """Drop steps whose result nobody reads."""
    live = plan.kept()
    rest: list[Step] = []
    for step in reversed(plan.steps):
        root = step.output.root
        outside = root.kind != "temp"
        if (step.in_place and outside) or root in live or (outside and step.is_view):
            if step.is_view and outside and not _used(step.output, rest, plan):
                continue
            rest.append(step)
            live.update(v.root for v in step.reads())
    rest.reverse()
    plan.steps = [s for s in rest if not s.is_view or _used(s.output, rest, plan)]


def _used(value: Value, steps: list[Step], plan: Plan) -> bool:
    """Say whether *value* itself is read, written or kept."""
    if value in plan.outputs or any(value is v for _, v in plan.gradients):
        return True
    return any(value in s.inputs or (s.in_place and s.output is value) for s in steps)


def common(plan: Plan) -> None:
    """Compute once what two steps compute from the same values."""
    written = plan.written()
    version: dict[Value, int] = {}
    known: dict[Hashable, Value] = {}
    same: dict[Value, Value] = {}
    rest = []
    for step in plan.steps:
        step.inputs = tuple(None if v is None else same.get(v, v) for v in step.inputs)
        step.output = same.get(step.output, step.output) if step.in_place else step.output
        if step.in_place:
            version[step.output.root] = version.get(step.output.root, 0) + 1
        elif step.call is None:
            attrs = frozen(step.attrs)
            key = (
                step.name,
                attrs,
                tuple(None if v is None else (v.number, version.get(v.root)) for v in step.inputs),
            )
            before = known.get(key) if attrs is not None else None
            placed = step.output.kind != "temp"  # its memory is where others look for it
            if (
                before is not None
                and not placed
                and not ({before.root, step.output.root} & written)
            ):
                same[step.output] = before
                continue
            if attrs is not None and before is None and step.output.root not in written:
                known[key] = step.output
        rest.append(step)
    plan.steps = rest
    _rename(plan, same)


def _rename(plan: Plan, same: dict[Value, Value]) -> None:
    """Put other values in place of some, wherever these stand."""
    if not same:
        return

    def root(value: Value) -> Value:
        while value in same:
            value = same[value]
        return value

    for step in plan.steps:
        step.inputs = tuple(None if v is None else root(v) for v in step.inputs)
        out = step.output
        if out.view is step and step.inputs[0] is not None:
            out.root = step.inputs[0].root
    plan.outputs = [root(v) for v in plan.outputs]
    plan.gradients = [(leaf, root(v)) for leaf, v in plan.gradients]
    for value in plan.values.values():
        while value.root in same:
            value.root = same[value.root]


def frozen(attrs: dict[str, Any]) -> Hashable | None:
    """Return *attrs* as something to compare by, or None where that cannot be told."""
    try:
        return tuple((k, _frozen(v)) for k, v in sorted(attrs.items()))
    except TypeError:
        return None


def _frozen(value: Any) -> Hashable:
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, Live):
        return ("live", value.key)
    if isinstance(value, tuple | list):
        return (type(value).__name__, *map(_frozen, value))
    hash(value)
    return (type(value).__name__, value)


def fold_writes(plan: Plan) -> None:
    """Let a step write where its result would be copied to right afterwards."""
    readers: dict[Value, int] = {}
    for step in plan.steps:
        for value in step.reads():
            readers[value] = readers.get(value, 0) + 1
    kept = plan.kept()
    rest: list[Step] = []
    for step in plan.steps:
        last = rest[-1] if rest else None
        if (
            last is not None
            and step.name == "write"
            and step.attrs["index"] in (..., (...,))
            and step.inputs[1] is last.output
            and last.output.root is last.output
            and not last.in_place
            and readers[last.output] == 1
            and last.output not in kept
            and last.output.shape == step.output.shape
            and last.output.dtype == step.output.dtype
            and not step.output.dynamic
            and all(v.root is not step.output.root for v in last.reads())
        ):
            last.output, last.in_place = step.output, True
            continue
        rest.append(step)
    plan.steps = rest


#: in the order in which they run
PASSES: tuple[Callable[[Plan], None], ...] = (constants, fold, common, dead, fold_writes)
