"""What all schedules share: the rates they start from, the steps they count, their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from minima.errors import ArgumentError, DTypeError
from minima.nn.errors import StateDictError

from ..optimizer import Optimizer

__all__ = ["FactorLR", "LRScheduler"]

Number = float | int


class LRScheduler:
    """Base of the schedules: it sets ``group["lr"]`` of an optimiser from step to step.

    Each group's rate when the first schedule was made is kept in ``group["initial_lr"]``. A
    subclass defines ``closed(epoch, base)``, the rate after so many steps, or ``next_rates()``,
    the rates that follow the present ones; the latter can be chained with other schedules.

    *last_epoch*: the number of steps already done, -1 for none; otherwise groups must have
    "initial_lr".

    Raises: DTypeError when *optimizer* is none; ArgumentError for a resumed run whose groups
    have no "initial_lr".

    >>> class Halve(mi.optim.lr_scheduler.LRScheduler):
    ...     def closed(self, epoch, base):
    ...         return base * 0.5**epoch
    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = Halve(optimizer)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    #: attributes that `state_dict` leaves out
    kept_out: ClassVar[tuple[str, ...]] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise DTypeError(
                f"{name}: optimizer is a {type(optimizer).__name__}; expected one of minima.optim"
            )
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{name}: last_epoch is {last_epoch}, but group {i} has no 'initial_lr'; load "
                    "the optimiser's state first, or start with last_epoch=-1"
                )
        self.base_lrs: list[Number] = [g["initial_lr"] for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.step()

    # ---- what a subclass defines -----------------------------------------------------------------
    def closed(self, epoch: Number, base: Number) -> Number:
        """Return the rate after *epoch* steps of a group that started with *base*."""
        raise NotImplementedError(f"{type(self).__name__}: closed is not defined")

    def next_rates(self) -> list[Number]:
        """Return the rates after ``last_epoch`` steps, one for each group."""
        return [self.closed(self.last_epoch, base) for base in self.base_lrs]

    # ---- steps -----------------------------------------------------------------------------------
    def step(self, epoch: Number | None = None) -> None:
        """Go on to the next step, or to *epoch*, and set the rates."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch  # type: ignore[assignment]
        if epoch is None or type(self).closed is LRScheduler.closed:
            self.set_rates(self.next_rates())
        else:
            self.set_rates([self.closed(epoch, base) for base in self.base_lrs])

    def set_rates(self, rates: list[Number]) -> None:
        """Give each group its rate."""
        for group, rate in zip(self.optimizer.param_groups, rates):
            group["lr"] = rate

    def rates(self) -> list[Number]:
        """Return the present rates of the groups."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[Number]:
        """Return the rate of each group, as the last step set it."""
        return self.rates()

    # ---- state -----------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Return what the rest of the schedule depends on, as plain values.

        The optimiser is not in it, and no function.
        """
        return {
            name: value
            for name, value in vars(self).items()
            if name not in self.kept_out and not callable(value)
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state: steps go on as where it was taken. The rates are the optimiser's.

        Raises: StateDictError when it is not the state of such a schedule.
        """
        vars(self).update(self.checked(state_dict))

    def checked(self, state: Any) -> dict[str, Any]:
        """Return *state* as a dict; raise unless it has the names that `state_dict` gives."""
        expected = self.state_dict()
        given = dict(state) if isinstance(state, Mapping) else {}
        if given.keys() != expected.keys():
            raise StateDictError(
                f"{type(self).__name__}: the state has {sorted(given)}; expected {sorted(expected)}"
            )
        return given


class FactorLR(LRScheduler):
    """Base of the schedules that multiply the first rate by a factor.

    The rate is floor + (first rate - floor) * factor(epoch). Each step multiplies by the ratio of
    two factors, so schedules that share an optimiser multiply up.
    """

    floor: float = 0.0

    def factor(self, epoch: Number) -> float:
        """Return the factor after *epoch* steps; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__}: factor is not defined")

    def closed(self, epoch: Number, base: Number) -> Number:
        """Return the rate after *epoch* steps of a group that started with *base*."""
        return self.floor + (base - self.floor) * self.factor(epoch)

    def next_rates(self) -> list[Number]:
        """Return the present rates, by the ratio of this step's factor and the last one's."""
        before = self.factor(self.last_epoch - 1) if self.last_epoch > 0 else 1.0
        now = self.factor(self.last_epoch)
        if before == 0.0:  # there is no ratio: what there is keeps, and the rest grows again
            pairs = zip(self.rates(), self.base_lrs)
            return [rate + (base - self.floor) * now for rate, base in pairs]
        if now == before:
            return self.rates()
        return [self.floor + (rate - self.floor) * (now / before) for rate in self.rates()]


def functions_for(name: str, given: Any, count: int) -> list[Callable[[Number], float]]:
    """Return one function for each of *count* groups: *given* itself, or the list that it is."""
    found = list(given) if isinstance(given, list | tuple) else [given] * count
    if len(found) != count or not all(callable(f) for f in found):
        raise ArgumentError(
            f"{name}: lr_lambda is {given!r}; expected a function, or a list of {count}, one for "
            "each group"
        )
    return found


def numbers_for(name: str, option: str, given: Any, count: int) -> list[Number]:
    """Return one number for each of *count* groups: *given* itself, or the list that it is."""
    found = list(given) if isinstance(given, list | tuple) else [given] * count
    if len(found) != count:
        raise ArgumentError(
            f"{name}: {option} has {len(found)} values; expected one number, or {count}, one for "
            "each group"
        )
    return found
