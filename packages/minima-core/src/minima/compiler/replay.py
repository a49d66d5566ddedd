"""A plan made ready to run: under which conditions, on which buffers, with which results."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from ..autograd.mode import PROFILE
from ..devices import Device
from ..errors import DeviceError, PluginError
from ..tensor import Tensor, wrap
from .flatten import flatten_updates
from .guards import Guards
from .memory import release
from .numpy_executor import Executable, numpy_executor
from .passes import PASSES, constants
from .plan import Plan, Value
from .tape import Tape
from .timing import measured

__all__ = ["BEST", "Replay", "Runnable", "copied", "find_executor"]

#: executors that are taken unasked before all others, the best first
BEST = ("numba",)


def find_executor(name: str | None, device: Device | None = None) -> Callable[[Plan], Executable]:
    """Return the executor called *name*; None takes the best there is for plans on *device*.

    That is the one in the environment's ``MINIMA_EXECUTOR`` if it runs there, else the first that
    is installed, works and names the device in its attribute ``devices``, those of `BEST` before
    others, else "numpy".

    Raises: PluginError when no executor has that name, DeviceError when it does not run there.
    """
    from .. import registry

    asked = name or os.environ.get("MINIMA_EXECUTOR")
    if asked == "numpy":
        return numpy_executor
    if asked:
        found: Callable[[Plan], Executable] = registry.lookup("executor", asked)
        places = getattr(found, "devices", None)
        if device is None or places is None or device.name in places:
            return found
        if name:
            raise DeviceError(
                f"compile: the executor {name!r} runs on {', '.join(places)}, "
                f"the tensors lie on {device}; leave executor= out"
            )
    known = registry.names("executor")
    for candidate in (*(n for n in BEST if n in known), *(n for n in known if n not in BEST)):
        with suppress(PluginError):  # a broken one is told of by ``minima plugins``
            found = registry.lookup("executor", candidate)
            if device is not None and device.name in getattr(found, "devices", ()):
                return found
    return numpy_executor


def prepare(plan: Plan, owners: dict[int, Any], executor: str | None) -> Executable:
    """Rewrite *plan*, moving the memory of *owners* where that helps; return its executable."""
    token = PROFILE.set(None)  # kernels as they are, not as a profile sees them
    try:
        constants(plan)
        flatten_updates(plan, owners)
        for rewrite in PASSES:
            rewrite(plan)
        release()  # what the captured run used, before the plan gets memory of its own
        run = find_executor(executor, plan.device)(plan)
        release()  # and what it took to compile
        return run
    finally:
        PROFILE.reset(token)


def copied(array: Any, device: Device) -> Any:
    """Return *array* in memory of its own, on its device."""
    return array.copy() if type(array) is np.ndarray else device.receive(array, device)


class Runnable:
    """A plan made ready to run: from the buffers of its inputs to those of its outputs."""

    def __init__(self, plan: Plan, owners: dict[int, Any], executor: str | None) -> None:
        self.run = prepare(plan, owners, executor)
        self._distinct = [plan.inputs.index(v) for v in dict.fromkeys(plan.inputs)]
        self._outputs = [None if v.dynamic else place(v) for v in plan.outputs]

    def __call__(self, arrays: list[Any], run: Executable | None = None) -> list[Any]:
        """Run the plan, or *run* in its place, on *arrays*, one for each input."""
        given = iter((run or self.run)([arrays[i] for i in self._distinct]))
        return [next(given) if a is None else a for a in self._outputs]


def place(value: Value) -> Any:
    """Return the buffer of a value whose memory is the same in each call."""
    return value.array if value.slot is None else value.slot


class Replay:
    """A plan and what it depends on: surroundings, conditions, gradients that are there or not."""

    def __init__(
        self,
        plan: Plan,
        tape: Tape,
        guards: Callable[[], Guards],
        grads: dict[int, Tensor | None],
        arguments: list[Tensor],
        owners: dict[int, Any],
        executor: str | None,
    ) -> None:
        self.plan = plan
        self.conditions = [(probe, value) for probe, value, _ in tape.conditions]
        self.expected = tape.expected
        self.runnable = Runnable(plan, owners, executor)
        self.guards = guards()
        number = {id(t): i for i, t in enumerate(arguments)}
        #: leaves, or places of arguments, and the gradient that a replay gives them
        self.gradients = [
            (leaf, number.get(id(leaf)), place(value)) for leaf, value in plan.gradients
        ]
        self._set = [
            (leaf, wrap(array, leaf._device)) for leaf, i, array in self.gradients if i is None
        ]
        self._given = [(i, array) for _, i, array in self.gradients if i is not None]
        #: leaves whose gradient must be there, or not, when a call begins, for the plan to fit
        self.entry: list[tuple[Tensor, Any]] = []
        self._without: list[int] = []  # arguments that must come without one
        for leaf, had in tape.gradients:
            before = grads.get(id(leaf))
            if had is not (before is not None):
                continue
            if id(leaf) in number:
                self._without.append(number[id(leaf)])
            else:
                self.entry.append((leaf, None if before is None else before._array))

    def fits(self, arguments: list[Tensor]) -> bool:
        """Say whether everything that the plan depends on is as it was, for *arguments*."""
        if not self.guards.hold():
            return False
        for leaf, array in self.entry:
            now = leaf.grad
            if now is None:
                if array is not None:
                    return False
            elif now._array is not array:
                return False
        if any(arguments[i].grad is not None for i in self._without):
            return False
        if not all(test(arguments[i]._array) for i, test in self.expected):
            return False
        return not self.conditions or all(probe() == value for probe, value in self.conditions)

    def __call__(self, arguments: list[Tensor]) -> list[Any]:
        """Replay on *arguments*; return the buffers of the results."""
        run = None if PROFILE.get() is None else measured(self.plan, self.runnable.run)
        results = self.runnable([t._array for t in arguments], run)
        for leaf, gradient in self._set:
            leaf.grad = gradient
        for i, array in self._given:
            arguments[i].grad = wrap(copied(array, self.plan.device), self.plan.device)
        return results
