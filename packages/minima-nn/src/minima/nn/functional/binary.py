"""Losses of answers that are yes or no, each for itself."""

from __future__ import annotations

from minima import Tensor, finfo, log, log1p, log_sigmoid, power, sigmoid, softplus, where
from minima.amp import autocasts
from minima.errors import ShapeError
from minima.operators.scalars import only_real

from ..arguments import check_floating, real
from .reduction import check_reduction, check_same, reduced

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin_loss",
    "sigmoid_focal_loss",
    "soft_margin_loss",
]

INF = float("inf")


@autocasts("float32")
def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return -(target log(input) + (1 - target) log(1 - input)), logarithms not below -100.

    NaN where input is outside of 0 to 1. *weight*, which broadcasts, scales each.
    Shapes: input (*), target (*) -> (), or (*) with reduction "none".
    Gradient: (input - target) / max(input (1 - input), 1e-12).
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> mi.nn.functional.binary_cross_entropy(mi.Tensor([0.5, 1.0]), mi.Tensor([1.0, 1.0]))
    Tensor(0.346574)
    """
    name = "binary_cross_entropy"
    check_reduction(name, reduction)
    check_same(name, input=input, target=target)
    only_real(name, input, target)
    fixed, rest = input.detach(), 1.0 - input.detach()
    edge = fixed * rest < 1e-12
    inner = where(edge, 0.5, input)
    yes = where(edge, _floored(fixed), log(inner))
    no = where(edge, _floored(rest), log1p(-inner))
    steep = min(1e12, finfo(input.dtype).max)
    slope = where(edge, (fixed - target.detach()) * steep, 0.0)
    loss = slope * (input - fixed) - (target * yes + (1.0 - target) * no)
    return reduced(_scaled(name, loss, weight), reduction)


def _floored(x: Tensor) -> Tensor:
    """Return log(x), at least -100; NaN below 0."""
    level = log(where(x > 0, x, 1.0))
    level = where(x > 0, where(level < -100.0, -100.0, level), -100.0)
    return where(x < 0, float("nan"), level)


def _scaled(name: str, loss: Tensor, weight: Tensor | None) -> Tensor:
    if weight is None:
        return loss
    check_floating(name, "weight", weight)
    _check_fits(name, "weight", weight, loss)
    return loss * weight


def _check_fits(name: str, argument: str, t: Tensor, x: Tensor) -> None:
    fits = all(n in (1, m) for n, m in zip(t.shape[::-1], x.shape[::-1]))
    if t.ndim > x.ndim or not fits:
        raise ShapeError(
            f"{name}: {argument} has shape {t.shape}; expected one that broadcasts to the input's, "
            f"{x.shape}"
        )


@autocasts("float32")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return `binary_cross_entropy` of sigmoid(input), exact where that is 0 or 1.

    *weight*, which broadcasts, scales each; *pos_weight*, which broadcasts, the part of the target.
    Shapes: input (*), target (*) -> (), or (*) with reduction "none".
    Raises: ShapeError when shapes do not fit, ArgumentError for another reduction.

    >>> mi.nn.functional.binary_cross_entropy_with_logits(mi.Tensor([1e3]), mi.Tensor([1.0]))
    Tensor(0.)
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(name, reduction)
    check_same(name, input=input, target=target)
    bend = softplus(-input, threshold=INF)
    if pos_weight is not None:
        check_floating(name, "pos_weight", pos_weight)
        _check_fits(name, "pos_weight", pos_weight, input)
        bend = bend * ((pos_weight - 1.0) * target + 1.0)
    return reduced(_scaled(name, (1.0 - target) * input + bend, weight), reduction)


@autocasts("float32")
def sigmoid_focal_loss(
    inputs: Tensor,
    targets: Tensor,
    alpha: float = 0.25,
    gamma: float = 2.0,
    *,
    reduction: str = "none",
) -> Tensor:
    """Return the cross entropy of sigmoid(inputs) times (1 - p)**gamma, p the target's share.

    *alpha*, unless negative, scales positive targets and 1 - alpha the rest.
    Shapes: inputs (*), targets (*) -> (*), or () with reduction "mean" or "sum".
    Raises: ShapeError when shapes differ, ArgumentError for options out of range.
    Source: Lin et al. 2017.

    >>> mi.nn.functional.sigmoid_focal_loss(mi.Tensor([0.0]), mi.Tensor([1.0]), -1.0)
    Tensor([0.173287])
    """
    name = "sigmoid_focal_loss"
    check_reduction(name, reduction)
    check_same(name, inputs=inputs, targets=targets)
    alpha = real(name, "alpha", alpha, high=1.0)
    gamma = real(name, "gamma", gamma, low=0.0)
    missed = sigmoid(inputs) * (1.0 - targets) + sigmoid(-inputs) * targets
    loss = (1.0 - targets) * inputs + softplus(-inputs, threshold=INF)
    loss = loss * power(missed, gamma) if gamma else loss
    if alpha >= 0.0:
        loss = loss * (targets * alpha + (1.0 - targets) * (1.0 - alpha))
    return reduced(loss, reduction)


@autocasts("float32")
def soft_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return log(1 + exp(-target * input)), target being 1 or -1.

    Shapes: input (*), target (*) -> (), or (*) with reduction "none".
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> mi.nn.functional.soft_margin_loss(mi.Tensor([0.0]), mi.Tensor([1.0]))
    Tensor(0.693147)
    """
    check_reduction("soft_margin_loss", reduction)
    check_same("soft_margin_loss", input=input, target=target)
    return reduced(softplus(-target * input, threshold=INF), reduction)


@autocasts("float32")
def multilabel_soft_margin_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """Return the binary cross entropy of sigmoid(input), its mean over the classes, the last axis.

    *weight* (C,), which broadcasts, scales each class's part.
    Shapes: input (*, C), target (*, C) -> (), or (*) with reduction "none".
    Raises: ShapeError when shapes do not fit, ArgumentError for another reduction.

    >>> mi.nn.functional.multilabel_soft_margin_loss(mi.zeros((1, 2)), mi.ones((1, 2)))
    Tensor(0.693147)
    """
    name = "multilabel_soft_margin_loss"
    check_reduction(name, reduction)
    check_same(name, input=input, target=target)
    if not input.ndim:
        raise ShapeError(f"{name}: input has shape (); expected (*, C)")
    loss = -(target * log_sigmoid(input) + (1.0 - target) * log_sigmoid(-input))
    return reduced(_scaled(name, loss, weight).sum(axis=-1) / input.shape[-1], reduction)
