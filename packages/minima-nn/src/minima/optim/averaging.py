"""Means of a model's parameters over its steps: SWA, EMA, and what goes with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from math import cos, pi
from typing import Any

from minima import Tensor, no_grad
from minima.dtypes import is_floating
from minima.errors import ArgumentError
from minima.nn import Module
from minima.nn.arguments import check_choice, integer, real

from .lr_scheduler.base import LRScheduler, Number, numbers_for
from .optimizer import Optimizer

__all__ = ["EMA", "SWALR", "AveragedModel", "update_bn"]

#: (mean so far, new value, number of values so far) -> new mean
Average = Callable[[Tensor, Tensor, int], Tensor]
#: the same for lists of them, whose means it changes in place
MultiAverage = Callable[[list[Tensor], list[Tensor], int], None]


def equal_mean(mean: Tensor, value: Tensor, count: int) -> Tensor:
    """Return the mean of count + 1 values from that of *count* and one more."""
    return mean + (value - mean) / (count + 1)


class AveragedModel(Module):
    """A copy of a model whose parameters are means of the model's over its updates.

    Call ``update_parameters(model)`` after optimiser steps, and use the copy to evaluate. The
    mean is that of all updates (stochastic weight averaging) unless *avg_fn* gives another:
    ``avg_fn(mean, value, count)``, or ``multi_avg_fn(means, values, count)``, which changes all
    means in place. With *use_buffers* buffers are averaged too; else they are
    copied. ``module`` is the copy, ``n_averaged`` counts the updates.

    Raises: ArgumentError when both functions are given.
    Source: Izmailov et al. 2018.

    >>> model = mi.nn.Linear(1, 1, bias=False)
    >>> mean = mi.optim.AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     with mi.no_grad():
    ...         _ = model.weight.fill_(value)
    ...     mean.update_parameters(model)
    >>> mean.module.weight.tolist()
    [[2.0]]
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: MultiAverage | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError(
                "AveragedModel: avg_fn and multi_avg_fn are both given; expected one of them"
            )
        self.module = deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", Tensor(0))
        self.avg_fn, self.multi_avg_fn = avg_fn or equal_mean, multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return what the averaged model returns."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters that *model* has now into the means."""
        count = int(self.n_averaged)
        averaged: list[tuple[Tensor, Tensor]] = [
            *zip(self.module.parameters(), model.parameters(), strict=True)
        ]
        buffers = [*zip(self.module.buffers(), model.buffers(), strict=True)]
        copied: list[tuple[Tensor, Tensor]] = [] if self.use_buffers else [*buffers]
        if self.use_buffers:
            averaged += [pair for pair in buffers if is_floating(pair[0].dtype)]
            copied = [pair for pair in buffers if not is_floating(pair[0].dtype)]
        with no_grad():
            self._average(averaged, count)
            for mean, value in copied:
                mean.copy_(value.detach().to(mean.device))
            self.n_averaged.add_(1)

    def _average(self, pairs: list[tuple[Tensor, Tensor]], count: int) -> None:
        news = [value.detach().to(mean.device) for mean, value in pairs]
        if count and self.multi_avg_fn is not None:
            self.multi_avg_fn([mean.detach() for mean, _ in pairs], news, count)
            return
        for (mean, _), new in zip(pairs, news, strict=True):
            mean.copy_(new if count == 0 else self.avg_fn(mean.detach(), new, count))


class EMA(AveragedModel):
    """A copy of a model whose parameters follow the model's: mean = decay * mean + rest * value.

    Source: Polyak & Juditsky 1992; Tarvainen & Valpola 2017.

    >>> model = mi.nn.Linear(1, 1, bias=False)
    >>> mean = mi.optim.EMA(model, decay=0.75)
    >>> for value in (1.0, 3.0):
    ...     with mi.no_grad():
    ...         _ = model.weight.fill_(value)
    ...     mean.update_parameters(model)
    >>> mean.module.weight.tolist()
    [[1.5]]
    """

    def __init__(
        self, model: Module, decay: float = 0.999, device: Any = None, use_buffers: bool = False
    ) -> None:
        self.decay = real("EMA", "decay", decay, low=0.0, high=1.0)

        def average(mean: Tensor, value: Tensor, count: int) -> Tensor:
            return mean + (value - mean) * (1.0 - decay)

        super().__init__(model, device, average, use_buffers=use_buffers)


def update_bn(batches: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running figures of the model's batch norms anew, from *batches*.

    A batch that is a tuple or list gives its first item. The averaged model needs it, for its
    parameters have seen no data.

    >>> net = mi.nn.BatchNorm1d(1)
    >>> mi.optim.update_bn([mi.Tensor([[1.0], [3.0]])], net)
    >>> net.running_mean.tolist()
    [2.0]
    """
    modules: list[Any] = list(model.modules())
    found = [m for m in modules if hasattr(m, "running_mean") and hasattr(m, "momentum")]
    found = [m for m in found if m.running_mean is not None]
    if not found:
        return
    kept, training = [m.momentum for m in found], model.training
    with no_grad():
        for m in found:
            m.running_mean.zero_()
            m.running_var.fill_(1.0)
            m.num_batches_tracked.zero_()
            m.momentum = None
        try:
            model.train()
            for batch in batches:
                x = batch[0] if isinstance(batch, tuple | list) else batch
                model(x if device is None else x.to(device))
        finally:
            for m, momentum in zip(found, kept):
                m.momentum = momentum
            model.train(training)


class SWALR(LRScheduler):
    """Move the rate to *swa_lr* in *anneal_epochs* steps, along a cosine or line, and keep it.

    >>> optimizer = mi.optim.SGD([mi.nn.Parameter([1.0])], lr=1.0)
    >>> schedule = mi.optim.SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        self.anneal_strategy = check_choice(
            "SWALR", "anneal_strategy", anneal_strategy, ("cos", "linear")
        )
        self.anneal_epochs = integer("SWALR", "anneal_epochs", anneal_epochs, low=0)
        self.swa_lrs = numbers_for("SWALR", "swa_lr", swa_lr, len(optimizer.param_groups))
        super().__init__(optimizer, last_epoch)

    def next_rates(self) -> list[Number]:
        """Return the present rates, moved on: another schedule may have set them before."""
        before, now = self._share(self.last_epoch - 1), self._share(self.last_epoch)
        if before == 1.0:
            return [*self.swa_lrs]
        pairs = zip(self.rates(), self.swa_lrs)
        return [end + (rate - end) * (1.0 - now) / (1.0 - before) for rate, end in pairs]

    def _share(self, epoch: int) -> float:
        """Return which share of the way is behind after *epoch* steps."""
        done = min(1.0, max(0, epoch) / self.anneal_epochs) if self.anneal_epochs else 1.0
        return done if self.anneal_strategy == "linear" else (1.0 - cos(pi * done)) / 2.0
