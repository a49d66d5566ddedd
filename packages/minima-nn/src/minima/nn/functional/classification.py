"""Losses between shares or scores of classes and the classes themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima import (
    Tensor,
    asarray,
    exp,
    log,
    log_softmax,
    where,
)
from minima import cross_entropy as operator
from minima.amp import autocasts
from minima.dtypes import is_floating
from minima.errors import DTypeError, ShapeError
from minima.operators.scalars import only_real

from ..arguments import check_choice, check_floating, real
from .reduction import check_classes, check_reduction, check_same, check_weight, chosen, reduced

__all__ = [
    "cross_entropy",
    "kl_div",
    "nll_loss",
]

#: what is ignored unless the user says what
DEFAULT = -100


@autocasts("float32")
def cross_entropy(
    input: Tensor,
    target: Any,
    weight: Tensor | None = None,
    *,
    ignore_index: int = DEFAULT,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return -log softmax(input)[target] over the classes, axis 1 (axis 0 if it is the only).

    *target* are class numbers, floats too where they are whole, or, of the shape of input, floats
    that say the probability of each class. *weight* (C,) scales each class's part; the mean is
    then the weighted one. Targets equal to *ignore_index* take no part. *label_smoothing* moves
    that much probability from the target to all classes evenly.

    Shapes: input (N, C, *) or (C,), target (N, *) or () -> (), or as target with "none".
    Dtype: as input.
    Raises: ArgumentError for options out of range, ShapeError when shapes do not fit, DTypeError
    for fractional class numbers, IndexRangeError for one outside of 0 to C - 1.

    >>> mi.nn.functional.cross_entropy(mi.Tensor([[0.0, 0.0]]), mi.Tensor([1]))
    Tensor(0.693147)
    """
    name = "cross_entropy"
    check_reduction(name, reduction)
    smoothing = real(name, "label_smoothing", label_smoothing, low=0.0, high=1.0)
    check_floating(name, "input", input)
    axis = min(1, input.ndim - 1)
    if input.ndim:
        check_weight(name, "weight", weight, input.shape[axis], input)
    target = asarray(target, device=None if isinstance(target, Tensor) else input.device)
    weight = None if weight is None else weight.astype(input.dtype)
    if target.shape == input.shape and is_floating(target.dtype):
        return _of_probabilities(input, target, weight, reduction, smoothing)
    target = _class_numbers(input, target)
    check_classes(name, input, target)
    options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    if weight is None and not _unread(target):
        ignored = None if _none_is(ignore_index, target) else ignore_index
        return operator(input, target, ignore_index=ignored, **options)
    kept = target != ignore_index
    if weight is None:
        loss = operator(input, where(kept, target, 0), reduction="none", label_smoothing=smoothing)
        loss = where(kept, loss, 0.0)
        mean = reduction == "mean"
        return loss.sum() / kept.astype(loss.dtype).sum() if mean else reduced(loss, reduction)
    loss, scale = _weighted(input, where(kept, target, 0), weight, smoothing)
    loss, scale = where(kept, loss, 0.0), where(kept, scale, 0.0)
    return loss.sum() / scale.sum() if reduction == "mean" else reduced(loss, reduction)


def _unread(target: Tensor) -> bool:
    """Say whether a plan is being made on a device whose memory `_none_is` would have to wait for.

    The loss is composed there of parts that fuse.
    """
    from minima.autograd.mode import TAPE

    return TAPE.get() is not None and not isinstance(target._array, np.ndarray)


def _none_is(ignore_index: int, target: Tensor) -> bool:
    """Say whether, in all calls of a plan that is being made, no target is *ignore_index*.

    The plan then has a loss that fuses; a call with another target makes a plan of its own.
    """
    from minima.autograd.mode import TAPE

    tape = TAPE.get()
    if tape is None or ignore_index >= 0:  # a class of its own: likely to be there
        return False
    return tape.expect(target, lambda targets: bool((targets != ignore_index).all()))


def _along(weight: Tensor, ndim: int) -> Tensor:
    """Return one number for each class as it broadcasts to (N, C, *) or (C,)."""
    return weight.reshape(weight.shape[0], *(1,) * (ndim - 2))


def _weighted(
    input: Tensor, classes: Tensor, weight: Tensor, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Return the losses, scaled by the weights of their classes, and those weights."""
    axis = min(1, input.ndim - 1)
    wide = _along(weight, input.ndim)
    scale = chosen("cross_entropy", wide + input.detach() * 0.0, classes)
    loss = operator(input, classes, reduction="none") * scale
    if smoothing:
        spread = -(log_softmax(input, axis) * wide).mean(axis=axis)
        loss = loss * (1.0 - smoothing) + spread * smoothing
    return loss, scale


def _of_probabilities(
    input: Tensor, p: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    """Return the loss for targets that give the probability of each class."""
    axis = min(1, input.ndim - 1)
    classes = input.shape[axis]
    if smoothing:
        p = p * (1.0 - smoothing) + smoothing / classes
    if weight is not None:
        p = p * _along(weight, input.ndim)
    loss = -(log_softmax(input, axis) * p).sum(axis=axis)
    return reduced(loss, reduction)


def _class_numbers(x: Tensor, target: Tensor) -> Tensor:
    """Return *target* as integers, where it holds whole numbers of the shape that fits *x*."""
    expected = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if x.ndim == 0 or target.shape != expected:
        raise ShapeError(
            f"cross_entropy: input has shape {x.shape}, target {target.shape}; expected class "
            f"numbers of shape {expected} or floating probabilities of shape {x.shape}"
        )
    if target.dtype.kind in "iu":
        return target
    if not is_floating(target.dtype):
        raise DTypeError(
            f"cross_entropy: target has dtype {target.dtype}; expected whole numbers, as "
            'target.astype("int64")'
        )
    values = target.detach().numpy()
    whole = np.isfinite(values) & (values == np.floor(values))
    if not whole.all():
        where_not = np.unravel_index(int(np.argmin(whole)), whole.shape)
        raise DTypeError(
            f"cross_entropy: target {values[where_not]} is no class number; expected whole "
            f"numbers, or floating probabilities of shape {x.shape}"
        )
    return target.astype("int64")


@autocasts("float32")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Return -input[target] for logarithms of shares, over the classes, axis 1 (or the only axis).

    *weight* (C,) scales each class's part; the mean is then the weighted one. Targets equal to
    *ignore_index* take no part.

    Shapes: input (N, C, *) or (C,), target (N, *) or () -> (), or as target with "none".
    Raises: ShapeError, DTypeError, ArgumentError; IndexRangeError for no class.

    >>> mi.nn.functional.nll_loss(mi.Tensor([[-1.0, -2.0]]), mi.Tensor([1]))
    Tensor(2.)
    """
    check_reduction("nll_loss", reduction)
    check_classes("nll_loss", input, target)
    check_weight("nll_loss", "weight", weight, input.shape[min(1, input.ndim - 1)], input)
    kept = target != ignore_index
    classes = where(kept, target, 0)
    loss, scale = -chosen("nll_loss", input, classes), kept.astype(input.dtype)
    if weight is not None:
        wide = _along(weight.astype(input.dtype), input.ndim) + input.detach() * 0.0
        of_class = chosen("nll_loss", wide, classes)
        loss, scale = loss * of_class, where(kept, of_class, 0.0)
    loss = where(kept, loss, 0.0)
    return loss.sum() / scale.sum() if reduction == "mean" else reduced(loss, reduction)


@autocasts("float32")
def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """Return target * (log(target) - input), input being logarithms of shares.

    With *log_target* target holds logarithms too. *reduction* "batchmean" divides the sum by the
    size of axis 0: the divergence; "mean" by the number of elements.
    Shapes: input (*), target (*) -> (), or (*) with "none".
    Gradient: that of -target * input where target is 0.
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> mi.nn.functional.kl_div(mi.Tensor([[-1.0, -2.0]]), mi.Tensor([[0.0, 1.0]]), reduction="sum")
    Tensor(2.)
    """
    check_choice("kl_div", "reduction", reduction, ("mean", "sum", "none", "batchmean"))
    check_same("kl_div", input=input, target=target)
    only_real("kl_div", input, target)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        some = target > 0
        loss = where(some, target * log(where(some, target, 1.0)), 0.0) - target * input
    if reduction == "batchmean":
        return loss.sum() / (input.shape[0] if input.ndim else 1)
    return reduced(loss, reduction)
