"""Losses that are worth one operator."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .activation import softmax, softmax_gradient
from .arithmetic import divide, multiply
from .comparison import not_equal
from .creation import ones
from .indexing import check_integers, check_range
from .manipulation import expand_dims
from .reduction import sum as total
from .table import Array, operator

__all__ = ["cross_entropy", "cross_entropy_gradient"]

REDUCTIONS = ("mean", "sum", "none")


@operator(promotes=("logits",), floating=True, real=True)
def cross_entropy(
    xp: Any,
    logits: Array,
    targets: Array,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Any:
    """Return -log softmax(logits) at the target class of each sample.

    Shapes: logits (N, C, *), targets (N, *) integers -> () or, with reduction "none", (N, *);
    logits (C), targets () too. *label_smoothing* mixes the target with the uniform distribution.
    The loss where targets are *ignore_index* is 0; the mean is that of the others.
    Dtype: as logits. Raises: ShapeError, IndexRangeError for a class outside of 0 .. C - 1.

    >>> import minima as mi
    >>> mi.operators.cross_entropy(mi.Tensor([[0.0, 0.0]]), mi.Tensor([1]))
    Tensor(0.693147)
    """
    axis = 1 if logits.ndim > 1 else 0
    kept = None if ignore_index is None else targets != ignore_index
    if kept is not None:
        targets = xp.where(kept, targets, xp.zeros_like(targets))
    check_range("cross_entropy", xp, targets, logits.shape[axis])
    z = logits - xp.max(logits, axis=axis, keepdims=True) if logits.size else logits
    norm = xp.log(xp.sum(xp.exp(z), axis=axis))
    picked = xp.take_along_axis(z, xp.expand_dims(targets, axis=axis), axis=axis)
    losses = norm - xp.squeeze(picked, axis=axis) * (1.0 - label_smoothing)
    if label_smoothing:
        losses = losses - xp.sum(z, axis=axis) * (label_smoothing / logits.shape[axis])
    if kept is not None:
        losses = xp.where(kept, losses, xp.zeros_like(losses))
    if reduction == "none":
        return losses
    summed = xp.sum(losses)
    return summed / _count(xp, targets, kept, summed.dtype) if reduction == "mean" else summed


def _count(xp: Any, targets: Array, kept: Array | None, dtype: Any) -> Any:
    """Return how many targets count, what the mean divides by."""
    if not targets.size:
        return float("nan")
    return targets.size if kept is None else xp.astype(xp.sum(kept), dtype)


@cross_entropy.prepare
def _(
    logits: Tensor,
    targets: Tensor,
    reduction: str,
    label_smoothing: float,
    ignore_index: int | None,
) -> dict[str, Any]:
    if reduction not in REDUCTIONS:
        raise ArgumentError(
            f"cross_entropy: got reduction {reduction!r}; expected one of {', '.join(REDUCTIONS)}"
        )
    if not 0.0 <= label_smoothing <= 1.0:
        raise ArgumentError(
            f"cross_entropy: got label_smoothing {label_smoothing}; expected 0 to 1"
        )
    expected = logits.shape[:1] + logits.shape[2:] if logits.ndim > 1 else ()
    if not logits.ndim or targets.shape != expected:
        raise ShapeError(
            f"cross_entropy: got logits {logits.shape} and targets {targets.shape}; expected "
            "logits (N, C, *) and targets (N, *)"
        )
    check_integers("cross_entropy", targets)
    return {
        "reduction": reduction,
        "label_smoothing": float(label_smoothing),
        "ignore_index": _ignored(ignore_index, targets),
    }


def _ignored(value: int | None, targets: Tensor) -> int | None:
    """Return *value* as an int, or None where no target can be it."""
    limits = np.iinfo(targets.dtype)
    return index(value) if value is not None and limits.min <= value <= limits.max else None


@cross_entropy.gradient(saves="logits targets")
def _(g: Tensor, y: Any, logits: Tensor, targets: Tensor, **attrs: Any) -> Any:
    return cross_entropy_gradient(g, logits, targets, **attrs), None


@operator(promotes=("g", "logits"), floating=True, real=True)
def cross_entropy_gradient(
    xp: Any,
    g: Array,
    logits: Array,
    targets: Array,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    ignore_index: int | None = None,
) -> Any:
    """Return the gradient of `cross_entropy` with respect to the logits.

    It is softmax(logits) less the wanted distribution, times g, divided by the number of samples
    with reduction "mean". Shapes: g as the loss -> as logits.

    >>> import minima as mi
    >>> g, logits = mi.Tensor(1.0), mi.Tensor([[0.0, 0.0]])
    >>> mi.operators.cross_entropy_gradient(g, logits, mi.Tensor([1]))
    Tensor([[ 0.5, -0.5]])
    """
    axis = 1 if logits.ndim > 1 else 0
    classes = logits.shape[axis]
    order = xp.reshape(xp.arange(classes), (-1,) + (1,) * (logits.ndim - axis - 1))
    wanted = xp.astype(xp.expand_dims(targets, axis=axis) == order, logits.dtype)
    if label_smoothing:
        wanted = wanted * (1.0 - label_smoothing) + label_smoothing / classes
    slope = softmax.entry.reference(xp, logits, axis) - wanted
    if ignore_index is not None:
        kept = targets != ignore_index
        if reduction == "mean":
            g = g / _count(xp, targets, kept, g.dtype)
        share = xp.expand_dims(g, axis=axis) if reduction == "none" else g
        some = xp.expand_dims(kept, axis=axis)
        return xp.where(some, share * slope, xp.zeros_like(slope))
    if reduction == "mean":
        g = g * (1.0 / targets.size if targets.size else float("nan"))
    return (xp.expand_dims(g, axis=axis) if reduction == "none" else g) * slope


@cross_entropy_gradient.prepare
def _(g: Tensor, logits: Tensor, targets: Tensor, **attrs: Any) -> dict[str, Any]:
    return attrs


@cross_entropy_gradient.gradient(saves="g logits targets")
def _(gg: Tensor, y: Any, g: Tensor, logits: Tensor, targets: Tensor, **attrs: Any) -> Any:
    axis = 1 if logits.ndim > 1 else 0
    each = attrs["reduction"] == "none"

    def of_g() -> Tensor:
        one = ones(g.shape, dtype=g.dtype, device=g.device)
        slope = cross_entropy_gradient(one, logits, targets, **attrs)
        return total(multiply(gg, slope), axis if each else None)

    def of_logits() -> Tensor:
        scale = expand_dims(g, axis) if each else g
        count: Any = targets.size or float("nan")
        if attrs["ignore_index"] is not None:
            kept = not_equal(targets, attrs["ignore_index"]).astype(g.dtype)
            scale, count = multiply(scale, expand_dims(kept, axis)), total(kept)
        if attrs["reduction"] == "mean":
            scale = divide(scale, count)
        return multiply(softmax_gradient(gg, softmax(logits, axis), axis), scale)

    return of_g, of_logits, None
