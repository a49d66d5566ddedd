"""Losses between numbers: what a model predicts and what was measured."""

from __future__ import annotations

import math

from minima import Tensor, abs, clip, exp, expand_dims, full_like, log, where
from minima.amp import autocasts
from minima.errors import ArgumentError, ShapeError
from minima.operators.scalars import only_real

from ..arguments import check_floating, real
from .reduction import check_reduction, check_same, reduced

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


@autocasts("float32")
def mse_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return (input - target)**2: its mean, its sum or, with *reduction* "none", each.

    *weight* scales each; the mean is then the weighted one.
    Shapes: input (*), target (*), weight (*) -> (), or (*) with "none".
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> mi.nn.functional.mse_loss(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 4.0]))
    Tensor(2.)
    """
    check_reduction("mse_loss", reduction)
    check_same("mse_loss", input=input, target=target)
    only_real("mse_loss", input, target)
    difference = input - target
    return _weighted("mse_loss", difference * difference, weight, reduction)


@autocasts("float32")
def l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", weight: Tensor | None = None
) -> Tensor:
    """Return abs(input - target): its mean, its sum or, with *reduction* "none", each.

    *weight* scales each; the mean is then the weighted one. Shapes and errors: as `mse_loss`.
    Gradient: 0 where input equals target.

    >>> mi.nn.functional.l1_loss(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 4.0]))
    Tensor(1.)
    """
    check_reduction("l1_loss", reduction)
    check_same("l1_loss", input=input, target=target)
    return _weighted("l1_loss", abs(input - target), weight, reduction)


def _weighted(name: str, loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    if weight is None:
        return reduced(loss, reduction)
    check_same(name, input=loss, weight=weight)
    loss = loss * weight
    return loss.sum() / weight.sum() if reduction == "mean" else reduced(loss, reduction)


@autocasts("float32")
def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """Return d**2 / (2 beta) where d = abs(input - target) is below *beta*, else d - beta / 2.

    With beta = 0 it is `l1_loss`. Shapes and errors: as `mse_loss`; ArgumentError for beta < 0.
    Source: Girshick 2015.

    >>> mi.nn.functional.smooth_l1_loss(mi.Tensor([1.0, 2.0]), mi.Tensor([0.0, 2.0]))
    Tensor(0.25)
    """
    check_reduction("smooth_l1_loss", reduction)
    check_same("smooth_l1_loss", input=input, target=target)
    only_real("smooth_l1_loss", input, target)
    beta = real("smooth_l1_loss", "beta", beta, low=0.0)
    difference = input - target
    size = abs(difference)
    if not beta:
        return reduced(size, reduction)
    bend = difference * difference * (0.5 / beta)
    return reduced(where(size < beta, bend, size - 0.5 * beta), reduction)


@autocasts("float32")
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """Return d**2 / 2 where d = abs(input - target) is at most *delta*, else delta (d - delta / 2).

    *weight* scales each; the mean stays over their number, other than in `mse_loss`.
    Shapes and errors: as `mse_loss`; ArgumentError unless delta > 0. Source: Huber 1964.

    >>> mi.nn.functional.huber_loss(mi.Tensor([3.0, 2.0]), mi.Tensor([0.0, 2.0]), delta=2.0)
    Tensor(2.)
    """
    check_reduction("huber_loss", reduction)
    check_same("huber_loss", input=input, target=target)
    only_real("huber_loss", input, target)
    if not real("huber_loss", "delta", delta) > 0.0:
        raise ArgumentError(f"huber_loss: delta is {delta}; expected a number above 0")
    difference = input - target
    size = abs(difference)
    bend = difference * difference * 0.5
    loss = where(size <= delta, bend, (size - 0.5 * delta) * delta)
    if weight is not None:
        check_same("huber_loss", input=input, weight=weight)
        loss = loss * weight
    return reduced(loss, reduction)


@autocasts("float32")
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Return -log of the Poisson distribution's probability of *target*, up to log(target!).

    It is exp(input) - target * input with *log_input*, else input - target * log(input + eps).
    *full* adds Stirling's approximation of log(target!) where target > 1.
    Shapes and errors: as `mse_loss`.

    >>> mi.nn.functional.poisson_nll_loss(mi.Tensor([0.0]), mi.Tensor([2.0]))
    Tensor(1.)
    """
    check_reduction("poisson_nll_loss", reduction)
    check_same("poisson_nll_loss", input=input, target=target)
    if log_input:
        loss = exp(input) - target * input
    else:
        loss = input - target * log(input + real("poisson_nll_loss", "eps", eps))
    if full:
        large = target > 1
        t = where(large, target, 1)
        loss = loss + where(large, t * log(t) - t + 0.5 * log(t * (2.0 * math.pi)), 0.0)
    return reduced(loss, reduction)


@autocasts("float32")
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Return -log of the normal distribution's density at *target*, up to a constant.

    It is (log(v) + (input - target)**2 / v) / 2 with v = max(var, eps); the gradient of v passes
    to *var* wherever it lies. *full* adds the constant, log(2 pi) / 2.

    Shapes: input (*), target (*), var (*) or without the last axis, or of size 1 there, or one
    number -> (), or (*) with reduction "none". Raises: ShapeError when shapes do not fit,
    ArgumentError for a negative variance or eps <= 0. Source: Nix & Weigend 1994.

    >>> one = mi.ones(1)
    >>> mi.nn.functional.gaussian_nll_loss(mi.Tensor([3.0]), one, one)
    Tensor(2.)
    """
    name = "gaussian_nll_loss"
    check_reduction(name, reduction)
    check_same(name, input=input, target=target)
    if not real(name, "eps", eps) > 0.0:
        raise ArgumentError(f"{name}: eps is {eps}; expected a number above 0")
    var = full_like(input, real(name, "var", var)) if not isinstance(var, Tensor) else var
    check_floating(name, "var", var)
    if var.shape != input.shape:
        if var.shape == input.shape[:-1] and input.ndim:
            var = expand_dims(var, -1)
        elif not input.ndim or var.shape != (*input.shape[:-1], 1):
            raise ShapeError(
                f"{name}: input has shape {input.shape}, var {var.shape}; expected that shape, or "
                "one without the last axis or of size 1 there"
            )
    if var.size and float(var.detach().min().item()) < 0.0:
        raise ArgumentError(f"{name}: var has a negative element; expected variances, 0 or above")
    v = clip(var.detach(), min=eps) + (var - var.detach())
    difference = input - target
    loss = (log(v) + difference * difference / v) * 0.5
    return reduced(loss + 0.5 * math.log(2.0 * math.pi) if full else loss, reduction)
