"""Losses that are worth one operator."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor
from .activation import softmax, softmax_gradient
from .arithmetic import multiply
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
    check_range("cross_entropy", xp, targets, logits.shape[axis])
    z = logits - xp.max(logits, axis=axis, keepdims=True) if logits.size else logits
    norm = xp.log(xp.sum(xp.exp(z), axis=axis))
    picked = xp.take_along_axis(z, xp.expand_dims(targets, axis=axis), axis=axis)
    losses = norm - xp.squeeze(picked, axis=axis) * (1.0 - label_smoothing)
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
    check_integers("cross_entropy", targets)
    return {"reduction": reduction, "label_smoothing": float(label_smoothing)}


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
    if reduction == "mean":
        g = g * (1.0 / targets.size if targets.size else float("nan"))
    return (xp.expand_dims(g, axis=axis) if reduction == "none" else g) * slope


@cross_entropy_gradient.prepare
def _(
    g: Tensor, logits: Tensor, targets: Tensor, reduction: str, label_smoothing: float
) -> dict[str, Any]:
    return {"reduction": reduction, "label_smoothing": label_smoothing}


@cross_entropy_gradient.gradient(saves="g logits targets")
def _(
    gg: Tensor,
    y: Any,
    g: Tensor,
    logits: Tensor,
    targets: Tensor,
    reduction: str,
    label_smoothing: float,
) -> Any:
    axis = 1 if logits.ndim > 1 else 0
    scale = expand_dims(g, axis) if reduction == "none" else g
    if reduction == "mean":
        scale = multiply(scale, 1.0 / targets.size if targets.size else float("nan"))

    def of_g() -> Tensor:
        one = ones(g.shape, dtype=g.dtype, device=g.device)
        slope = cross_entropy_gradient(
            one, logits, targets, reduction=reduction, label_smoothing=label_smoothing
        )
        return total(multiply(gg, slope), axis if reduction == "none" else None)

    return (
        of_g,
        lambda: multiply(softmax_gradient(gg, softmax(logits, axis), axis), scale),
        None,
    )
