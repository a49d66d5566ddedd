"""Schedules made of schedules: one after the other, all at once, and a warm-up before one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from minima.errors import ArgumentError
from minima.nn.arguments import integer

from ..optimizer import Optimizer
from .base import LRScheduler, Number
from .factors import LinearLR
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR", "WarmupLR"]


class _Combined(LRScheduler):
    """Base of the schedules that hold others."""

    kept_out: ClassVar[tuple[str, ...]] = ("optimizer", "schedulers")
    schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        self.schedulers = list(schedulers)
        if not self.schedulers:
            raise ArgumentError(f"{name}: schedulers is empty; expected at least one")
        for i, one in enumerate(self.schedulers):
            known: Any = one
            if not isinstance(known, LRScheduler) or isinstance(known, ReduceLROnPlateau):
                raise ArgumentError(
                    f"{name}: schedulers[{i}] is a {type(one).__name__}; expected a schedule of "
                    "steps alone"
                )
            if one.optimizer is not (optimizer or self.schedulers[0].optimizer):
                raise ArgumentError(
                    f"{name}: schedulers[{i}] belongs to another optimiser; expected one for all"
                )
        self.optimizer = self.schedulers[0].optimizer

    def state_dict(self) -> dict[str, Any]:
        """Return what the rest depends on; "schedulers" has the state of each."""
        states = [one.state_dict() for one in self.schedulers]
        return {**super().state_dict(), "schedulers": states}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, of all schedules.

        Raises: StateDictError when it is not the state of such a schedule.
        """
        given = self.checked(state_dict)
        states = given.pop("schedulers")
        if len(states) != len(self.schedulers):
            raise ArgumentError(
                f"{type(self).__name__}: the state has {len(states)} schedules; expected "
                f"{len(self.schedulers)}"
            )
        vars(self).update(given)
        for one, state in zip(self.schedulers, states):
            one.load_state_dict(state)


class SequentialLR(_Combined):
    """Follow one schedule after the other: *milestones* are the steps at which the next begins.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> S = mi.optim.lr_scheduler
    >>> first = S.ConstantLR(optimizer, factor=0.5, total_iters=9)
    >>> schedule = S.SequentialLR(optimizer, [first, S.ExponentialLR(optimizer, 0.9)], [2])
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.9]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(schedulers, optimizer)
        self.milestones = [integer("SequentialLR", "milestones", m, low=0) for m in milestones]
        if len(self.milestones) != len(self.schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR: got {len(self.schedulers)} schedules and {len(self.milestones)} "
                "milestones; expected one milestone between two schedules"
            )
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # each schedule has taken its first step
            group["lr"] = group["initial_lr"]
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        for one in self.schedulers:
            one.last_epoch -= 1
        self.schedulers[0].step()

    def step(self, epoch: Number | None = None) -> None:
        """Go on to the next step of the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self.milestones, self.last_epoch)
        begins = turn > 0 and self.milestones[turn - 1] == self.last_epoch
        self.schedulers[turn].step(0 if begins else None)


class ChainedScheduler(_Combined):
    """Take a step of each of *schedulers* at every step: their factors multiply up.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> S = mi.optim.lr_scheduler
    >>> first = S.ConstantLR(optimizer, factor=0.5, total_iters=9)
    >>> schedule = S.ChainedScheduler([first, S.ExponentialLR(optimizer, 0.9)])
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.45]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._take(schedulers, optimizer)

    def step(self, epoch: Number | None = None) -> None:
        """Go on to the next step of all."""
        for one in self.schedulers:
            one.step()


class WarmupLR(SequentialLR):
    """Raise the rate along a line for *warmup_steps* steps, then follow *after*.

    It starts at *start_factor* times the first rate; without *after* the rate stays.

    Source: Goyal et al. 2017.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> cosine = mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> schedule = mi.optim.lr_scheduler.WarmupLR(optimizer, 2, after=cosine)
    >>> rates = schedule.get_last_lr()
    >>> for _ in range(4):
    ...     schedule.step()
    ...     rates += schedule.get_last_lr()
    >>> [round(rate, 3) for rate in rates]
    [0.0, 0.5, 1.0, 0.854, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        warmup_steps: int,
        after: LRScheduler | None = None,
        start_factor: float = 0.0,
    ) -> None:
        steps = integer("WarmupLR", "warmup_steps", warmup_steps)
        rise = LinearLR(optimizer, start_factor, 1.0, steps)
        rest = [] if after is None else [after]
        super().__init__(optimizer, [rise, *rest], [steps] * len(rest))
