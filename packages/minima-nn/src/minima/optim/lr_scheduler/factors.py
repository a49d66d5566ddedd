"""Schedules that are one formula of the step: steps, powers, lines and a cosine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from math import cos, pi
from typing import Any, ClassVar

from minima.nn.arguments import integer, real

from ..optimizer import Optimizer
from .base import FactorLR, LRScheduler, Number, functions_for

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]


class StepLR(FactorLR):
    """Multiply the rate by *gamma* every *step_size* steps.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = integer("StepLR", "step_size", step_size)
        self.gamma = real("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return gamma to the number of steps that were reached."""
        return float(self.gamma ** (epoch // self.step_size))


class MultiStepLR(FactorLR):
    """Multiply the rate by *gamma* at each of the *milestones*, numbers of steps.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for _ in range(3):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = sorted(integer("MultiStepLR", "milestones", m, low=0) for m in milestones)
        self.gamma = real("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return gamma to the number of milestones that were reached."""
        return float(self.gamma ** bisect_right(self.milestones, epoch))


class ExponentialLR(FactorLR):
    """Multiply the rate by *gamma* at each step.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = real("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return gamma to the number of steps."""
        return float(self.gamma**epoch)


class ConstantLR(FactorLR):
    """Multiply the rate by *factor* for the first *total_iters* steps.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.first = real("ConstantLR", "factor", factor, low=0.0, high=1.0)
        self.total_iters = integer("ConstantLR", "total_iters", total_iters, low=0)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return the factor, or 1 once *total_iters* are over."""
        return self.first if epoch < self.total_iters else 1.0


class LinearLR(FactorLR):
    """Move the factor of the rate from *start_factor* to *end_factor* in *total_iters* steps.

    With the values that it has unless told otherwise, this is a warm-up.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = real("LinearLR", "start_factor", start_factor, low=0.0, high=1.0)
        self.end_factor = real("LinearLR", "end_factor", end_factor, low=0.0, high=1.0)
        self.total_iters = integer("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return the factor on the line, and then its end."""
        done = min(epoch, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class PolynomialLR(FactorLR):
    """Let the rate fall to 0 in *total_iters* steps, as (1 - step / total_iters) ** power.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = integer("PolynomialLR", "total_iters", total_iters)
        self.power = real("PolynomialLR", "power", power)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return the power of the share of steps that are left."""
        return float((1.0 - min(epoch, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(FactorLR):
    """Let the rate fall to *eta_min* in *T_max* steps, along half a cosine.

    Source: Loshchilov & Hutter 2016, without restarts.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> schedule.step()
    >>> [round(rate, 6) for rate in schedule.get_last_lr()]
    [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = integer("CosineAnnealingLR", "T_max", T_max)
        self.floor = self.eta_min = real("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def factor(self, epoch: Number) -> float:
        """Return the cosine, between 1 and 0."""
        if epoch % (2 * self.T_max) == self.T_max:
            return 0.0  # exactly, for what comes next is a ratio to it
        return (1.0 + cos(pi * epoch / self.T_max)) / 2.0


class LambdaLR(LRScheduler):
    """Multiply the first rate by what a function says for each step.

    *lr_lambda* gets the number of steps done; a list has a function for each group.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    kept_out: ClassVar[tuple[str, ...]] = ("optimizer", "lr_lambdas")

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[Any], float] | list[Callable[[Any], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", [None]))
        self.lr_lambdas = functions_for(type(self).__name__, lr_lambda, groups)
        super().__init__(optimizer, last_epoch)

    def next_rates(self) -> list[Number]:
        """Return the first rates, each times its function's value."""
        pairs = zip(self.base_lrs, self.lr_lambdas)
        return [base * function(self.last_epoch) for base, function in pairs]


class MultiplicativeLR(LambdaLR):
    """Multiply the present rate, at each step but the first, by what a function says.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def next_rates(self) -> list[Number]:
        """Return the present rates, each times its function's value."""
        return self.rates() if self.last_epoch <= 0 else self._multiplied()

    def _multiplied(self) -> list[Number]:
        pairs = zip(self.rates(), self.lr_lambdas)
        return [rate * function(self.last_epoch) for rate, function in pairs]

    def step(self, epoch: Number | None = None) -> None:
        """Go on to the next step, or to *epoch*, of which 0 multiplies too, and set the rates."""
        if epoch is None:
            return super().step()
        self.last_epoch = epoch  # type: ignore[assignment]
        return self.set_rates(self._multiplied())
