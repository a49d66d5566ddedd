"""Losses that are worth one operator."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .activation import softmax
from .arithmetic import multiply, subtract
from .indexing import check_classes, one_hot
from .manipulation import expand_dims, permute_dims
from .table import Array, operator

__all__ = ["cross_entropy"]

REDUCTIONS = ("mean", "sum", "none")


@operator(promotes=("logits",), floating=True)
def cross_entropy(
    xp: Any,
    logits: Array,
    targets: Array,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return -log softmax(logits) at the target class of each sample.

    Shapes: logits (N, C, *), targets (N, *) integers -> () or, with reduction "none", (N, *);
    logits (C), targets () too. *label_smoothing* mixes the target with the uniform distribution.
    Dtype: as logits. Raises: ShapeError, IndexRangeError for a class outside of 0 .. C - 1.

    >>> import minima as mi
    >>> mi.operators.cross_entropy(mi.Tensor([[0.0, 0.0]]), mi.Tensor([1]))
    Tensor(0.693147)
    """
    axis = 1 if logits.ndim > 1 else 0
    z = logits - xp.max(logits, axis=axis, keepdims=True) if logits.size else logits
    total = xp.log(xp.sum(xp.exp(z), axis=axis))
    picked = xp.take_along_axis(z, xp.expand_dims(targets, axis=axis), axis=axis)
    losses = total - xp.squeeze(picked, axis=axis) * (1.0 - label_smoothing)
    if label_smoothing:
        losses = losses - xp.sum(z, axis=axis) * (label_smoothing / logits.shape[axis])
    if reduction == "none":
        return losses
    summed = xp.sum(losses)
    return summed / (targets.size or float("nan")) if reduction == "mean" else summed


@cross_entropy.prepare
def _(logits: Tensor, targets: Tensor, reduction: str, label_smoothing: float) -> dict[str, Any]:
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
    check_classes("cross_entropy", targets, logits.shape[1 if logits.ndim > 1 else 0])
    return {"reduction": reduction, "label_smoothing": float(label_smoothing)}


@cross_entropy.gradient(saves="logits targets")
def _(
    g: Tensor,
    y: Any,
    logits: Tensor,
    targets: Tensor,
    reduction: str,
    label_smoothing: float,
) -> Any:
    axis = 1 if logits.ndim > 1 else 0
    classes = logits.shape[axis]
    wanted = one_hot(targets, classes, g.dtype)
    if logits.ndim > 2:
        order = (0, wanted.ndim - 1, *range(1, wanted.ndim - 1))
        wanted = permute_dims(wanted, order)
    if label_smoothing:
        wanted = wanted * (1.0 - label_smoothing) + label_smoothing / classes
    slope = subtract(softmax(logits, axis), wanted)
    if reduction == "mean":
        g = multiply(g, 1.0 / targets.size if targets.size else float("nan"))
    return multiply(expand_dims(g, axis) if reduction == "none" else g, slope), None
