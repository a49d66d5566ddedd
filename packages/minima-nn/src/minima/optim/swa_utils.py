"""PyTorch's module of averaged models, by its name; `minima.optim` has the same and `EMA`."""

from __future__ import annotations

from collections.abc import Callable

from minima import Tensor, no_grad
from minima.nn.arguments import real

from .averaging import SWALR, Average, AveragedModel, MultiAverage, equal_mean, update_bn

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the function that moves a mean to a value by the share 1 - *decay*.

    >>> from minima.optim.swa_utils import get_ema_avg_fn
    >>> get_ema_avg_fn(0.75)(mi.Tensor([1.0]), mi.Tensor([3.0]), 1)
    Tensor([1.5])
    """
    decay = real("get_ema_avg_fn", "decay", decay, low=0.0, high=1.0)
    return lambda mean, value, count: mean + (value - mean) * (1.0 - decay)


def get_swa_avg_fn() -> Average:
    """Return the function that gives all values the same weight.

    >>> from minima.optim.swa_utils import get_swa_avg_fn
    >>> get_swa_avg_fn()(mi.Tensor([1.0]), mi.Tensor([3.0]), 1)
    Tensor([2.])
    """
    return equal_mean


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """Return `get_ema_avg_fn` for lists, whose means it changes in place.

    >>> from minima.optim.swa_utils import get_ema_multi_avg_fn
    >>> means = [mi.Tensor([1.0])]
    >>> get_ema_multi_avg_fn(0.75)(means, [mi.Tensor([3.0])], 1)
    >>> means
    [Tensor([1.5])]
    """
    return _each(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> MultiAverage:
    """Return `get_swa_avg_fn` for lists, whose means it changes in place.

    >>> from minima.optim.swa_utils import get_swa_multi_avg_fn
    >>> means = [mi.Tensor([1.0])]
    >>> get_swa_multi_avg_fn()(means, [mi.Tensor([3.0])], 1)
    >>> means
    [Tensor([2.])]
    """
    return _each(equal_mean)


def _each(average: Average) -> Callable[[list[Tensor], list[Tensor], int], None]:
    def change(means: list[Tensor], values: list[Tensor], count: int) -> None:
        with no_grad():
            for mean, value in zip(means, values, strict=True):
                mean.copy_(average(mean, value, count))

    return change
