"""Replays with a clock: how long each kernel of a plan takes, for `minima.profiler`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.mode import PROFILE
from .cost import moved, phase
from .plan import Plan

__all__ = ["Stopwatch", "measured"]


class Stopwatch:
    """Adds up the *seconds* of each launch of a plan over so many *replays*."""

    def __init__(self, plan: Plan) -> None:
        self.steps = plan.launches()
        self.bytes = [moved(step) for step in self.steps]
        self.seconds = [0.0] * len(self.steps)
        self.replays = 0
        self.run: Callable[[list[Any]], list[Any]] | None = None

    def mark(self, number: int, began: float, ended: float) -> None:
        """Note one launch; tell the profile that is on."""
        self.seconds[number] += ended - began
        profile = PROFILE.get()
        if profile is not None:
            step = self.steps[number]
            shape = str(list(step.output.shape))
            profile.add(step.name, phase(step), step.line, began, ended, self.bytes[number], shape)

    def mean(self, number: int) -> float | None:
        """Return the mean seconds of a launch, None before the first replay that was measured."""
        return self.seconds[number] / self.replays if self.replays else None


def measured(plan: Plan, run: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    """Return what replays *plan* with a clock; *run* where its executor has no way to."""
    if plan.writer is None:
        return run
    watch = plan.stopwatch
    if watch is None:
        watch = Stopwatch(plan)
        writer = plan.writer(plan)
        writer.watch = watch.mark
        token = PROFILE.set(None)
        try:
            watch.run = writer.function()
        finally:
            PROFILE.reset(token)
        plan.stopwatch = watch
    watch.replays += 1
    return watch.run or run
