"""Schedules that go up and down: restarts, one cycle, many cycles."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, floor, pi
from typing import Any, ClassVar

from minima.errors import ArgumentError
from minima.nn.arguments import check_choice, integer, real

from ..optimizer import Group, Optimizer
from .base import LRScheduler, Number, numbers_for

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (1.0 + cos(pi * share))


def _line(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the rate fall to *eta_min* along half a cosine, again and again.

    The first fall takes *T_0* steps, each other *T_mult* times as many as the one before. Steps
    may be given as fractions: ``schedule.step(epoch + batch / batches)``.

    Source: Loshchilov & Hutter 2016.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(2):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        self.T_0 = integer("CosineAnnealingWarmRestarts", "T_0", T_0)
        self.T_mult = integer("CosineAnnealingWarmRestarts", "T_mult", T_mult)
        self.eta_min = real("CosineAnnealingWarmRestarts", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def closed(self, epoch: Number, base: Number) -> Number:
        """Return the rate after *epoch* steps of a group that started with *base*."""
        length = self.T_0
        if self.T_mult == 1:
            epoch = epoch % length
        while epoch >= length:
            epoch, length = epoch - length, length * self.T_mult
        return _cosine(base, self.eta_min, epoch / length)

    def step(self, epoch: Number | None = None) -> None:
        """Go on to the next step, or to *epoch*, which may be a fraction."""
        now = self.last_epoch + 1 if epoch is None else epoch
        if now < 0:
            raise ArgumentError(
                f"CosineAnnealingWarmRestarts: step({epoch!r}); expected a number of at least 0"
            )
        super().step(now)
        self.last_epoch = floor(now)


class _Momentum(LRScheduler):
    """Base of the schedules that move momentum against the rate."""

    cycle_momentum: bool

    def _check_momentum(self) -> None:
        if self.cycle_momentum and not all(
            "momentum" in g or "betas" in g for g in self.optimizer.param_groups
        ):
            raise ArgumentError(
                f"{type(self).__name__}: the optimiser has no momentum to move; pass "
                "cycle_momentum=False"
            )

    @staticmethod
    def _set_momentum(group: Group, value: float) -> None:
        if "betas" in group:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class OneCycleLR(_Momentum):
    """Raise the rate to *max_lr*, then let it fall far below where it began, in one cycle.

    It starts at max_lr / div_factor and ends at that divided by *final_div_factor*, after
    *total_steps*, or *epochs* times *steps_per_epoch*, steps; *pct_start* of them go up. Momentum
    (or the first of betas) moves the other way, from *max_momentum* to *base_momentum*, unless
    *cycle_momentum* is False. *three_phase* goes down as it went up, then to the end.

    Raises: ArgumentError for options out of range, or a step beyond the last.
    Source: Smith & Topin 2017.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0, momentum=0.9)
    >>> schedule = mi.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=11)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> round(schedule.get_last_lr()[0], 2), round(optimizer.param_groups[0]["momentum"], 2)
    (0.98, 0.85)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError(
                    f"{name}: got neither total_steps nor both epochs and steps_per_epoch"
                )
            total_steps = integer(name, "epochs", epochs) * integer(
                name, "steps_per_epoch", steps_per_epoch
            )
        self.total_steps = integer(name, "total_steps", total_steps)
        self.pct_start = real(name, "pct_start", pct_start, low=0.0, high=1.0)
        self.anneal_strategy = check_choice(
            name, "anneal_strategy", anneal_strategy, ("cos", "linear")
        )
        self.cycle_momentum, self.three_phase = cycle_momentum, three_phase
        count = len(optimizer.param_groups)
        tops = numbers_for(name, "max_lr", max_lr, count)
        starts = [top / real(name, "div_factor", div_factor) for top in tops]
        ends = [start / real(name, "final_div_factor", final_div_factor) for start in starts]
        low = numbers_for(name, "base_momentum", base_momentum, count)
        high = numbers_for(name, "max_momentum", max_momentum, count)
        self.turns = [self._turns(*of) for of in zip(starts, tops, ends)]
        self.momenta = [self._turns(h, lo, h, falls=False) for h, lo in zip(high, low)]
        self.optimizer = optimizer
        self._check_momentum()
        for group, start in zip(optimizer.param_groups, starts):
            if last_epoch == -1:
                group["initial_lr"] = start
        super().__init__(optimizer, last_epoch)

    def _turns(
        self, start: float, top: float, end: float, *, falls: bool = True
    ) -> list[tuple[float, float, float]]:
        """Return (last step, value there at its beginning, at its end) of each phase."""
        up, last = self.pct_start * self.total_steps - 1.0, self.total_steps - 1.0
        if not self.three_phase:
            return [(up, start, top), (last, top, end)]
        down = 2.0 * self.pct_start * self.total_steps - 2.0
        return [(up, start, top), (down, top, start), (last, start, end if falls else start)]

    def _value(self, turns: list[tuple[float, float, float]]) -> float:
        begin = 0.0
        for i, (last, start, end) in enumerate(turns):
            if self.last_epoch <= last or i == len(turns) - 1:
                share = (self.last_epoch - begin) / (last - begin)
                return (_cosine if self.anneal_strategy == "cos" else _line)(start, end, share)
            begin = last
        raise AssertionError

    def next_rates(self) -> list[Number]:
        """Return the rates of this step, after setting the momenta."""
        if self.last_epoch > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR: step {self.last_epoch + 1} of {self.total_steps}; expected no more "
                "steps than total_steps"
            )
        if self.cycle_momentum:
            for group, turns in zip(self.optimizer.param_groups, self.momenta):
                self._set_momentum(group, self._value(turns))
        return [self._value(turns) for turns in self.turns]


class CyclicLR(_Momentum):
    """Move the rate between *base_lr* and *max_lr*, up and down, in cycles of equal length.

    *mode*: "triangular"; "triangular2", each cycle half as high as the one before; "exp_range",
    lower by gamma to the number of steps. *scale_fn*, a function of the number of the cycle or,
    with *scale_mode* "iterations", of the step, takes the place of the mode. Momentum (or the
    first of betas) moves the other way unless *cycle_momentum* is False.

    Source: Smith 2015.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0, momentum=0.9)
    >>> schedule = mi.optim.lr_scheduler.CyclicLR(optimizer, 0.0, 1.0, step_size_up=4)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    kept_out: ClassVar[tuple[str, ...]] = ("optimizer", "scale_fn")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[Any], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name, count = "CyclicLR", len(optimizer.param_groups)
        up = integer(name, "step_size_up", step_size_up)
        down = up if step_size_down is None else integer(name, "step_size_down", step_size_down)
        self.total_size, self.step_ratio = float(up + down), up / (up + down)
        self.mode = check_choice(name, "mode", mode, ("triangular", "triangular2", "exp_range"))
        self.gamma, self.scale_fn = real(name, "gamma", gamma), scale_fn
        by_step = scale_mode == "iterations" if scale_fn else mode == "exp_range"
        check_choice(name, "scale_mode", scale_mode, ("cycle", "iterations"))
        self.scale_mode = "iterations" if by_step else "cycle"
        self.cycle_momentum = cycle_momentum
        self.lows = numbers_for(name, "base_lr", base_lr, count)
        self.max_lrs = numbers_for(name, "max_lr", max_lr, count)
        self.base_momentums = numbers_for(name, "base_momentum", base_momentum, count)
        self.max_momentums = numbers_for(name, "max_momentum", max_momentum, count)
        self.optimizer = optimizer
        self._check_momentum()
        for group, low in zip(optimizer.param_groups, self.lows):
            if last_epoch == -1:
                group["initial_lr"] = low
        super().__init__(optimizer, last_epoch)

    def _scale(self, place: float) -> float:
        if self.scale_fn is not None:
            return self.scale_fn(place)
        if self.mode == "triangular2":
            return float(1.0 / 2.0 ** (place - 1.0))
        return 1.0 if self.mode == "triangular" else float(self.gamma**place)

    def next_rates(self) -> list[Number]:
        """Return the rates of this step, after setting the momenta."""
        cycle = floor(1.0 + self.last_epoch / self.total_size)
        within = 1.0 + self.last_epoch / self.total_size - cycle
        ratio = self.step_ratio
        height = within / ratio if within <= ratio else (within - 1.0) / (ratio - 1.0)
        scale = height * self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            of_groups = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums)
            for group, low, high in of_groups:
                self._set_momentum(group, high - (high - low) * scale)
        return [low + (high - low) * scale for low, high in zip(self.lows, self.max_lrs)]
