"""A schedule that waits for a figure to get better no more."""

from __future__ import annotations

from math import inf
from typing import Any

from minima import Tensor
from minima.errors import ArgumentError
from minima.nn.arguments import check_choice, integer, real

from ..optimizer import Optimizer
from .base import LRScheduler, Number, numbers_for

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Multiply the rate by *factor* when a figure was not better for more than *patience* steps.

    *mode* "min": lower is better, "max": higher. Better means by a *threshold*, a share of the
    best so far ("rel") or an amount ("abs"). After a change *cooldown* steps are not counted.
    The rate does not fall below *min_lr*, nor by less than *eps*.

    Raises: ArgumentError for a factor of 1 or more, or another option out of range.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    >>> for loss in (1.0, 1.0, 1.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        self.mode = check_choice(name, "mode", mode, ("min", "max"))
        self.factor = real(name, "factor", factor, below=1.0)
        self.patience = integer(name, "patience", patience, low=0)
        self.threshold = real(name, "threshold", threshold)
        self.threshold_mode = check_choice(name, "threshold_mode", threshold_mode, ("rel", "abs"))
        self.cooldown = integer(name, "cooldown", cooldown, low=0)
        self.eps = real(name, "eps", eps)
        self.min_lrs = numbers_for(name, "min_lr", min_lr, len(optimizer.param_groups))
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def next_rates(self) -> list[Number]:
        """Return the present rates."""
        return self.rates()

    def step(self, metrics: Any = None, epoch: Number | None = None) -> None:  # type: ignore[override]
        """Take the figure *metrics* of another step; lower the rates if it is time to.

        Raises: ArgumentError without a figure.
        """
        if metrics is None:
            if self.last_epoch == -1:  # of the constructor
                self.last_epoch = 0
                return
            raise ArgumentError(
                "ReduceLROnPlateau: step() got no figure; expected step(loss), as of a validation"
            )
        figure = float(metrics.item() if isinstance(metrics, Tensor) else metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else int(epoch)
        if self._better(figure):
            self.best, self.num_bad_epochs = figure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _reduce(self) -> None:
        lowered = [max(r * self.factor, low) for r, low in zip(self.rates(), self.min_lrs)]
        pairs = zip(self.rates(), lowered)
        self.set_rates([new if old - new > self.eps else old for old, new in pairs])

    def _better(self, figure: float) -> bool:
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "rel":
            limit = self.best * (1.0 + sign * self.threshold)
        else:
            limit = self.best + sign * self.threshold
        return sign * figure > sign * limit
