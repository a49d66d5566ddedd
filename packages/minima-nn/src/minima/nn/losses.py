"""Losses: modules that compare an output with targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima import Tensor, arange, asarray, cross_entropy, log_softmax, permute_dims, where
from minima.errors import DTypeError, IndexRangeError, ShapeError

from .arguments import check_choice, check_floating, real
from .module import Module

__all__ = ["CrossEntropyLoss", "MSELoss"]

REDUCTIONS = ("mean", "sum", "none")


class MSELoss(Module):
    """Compute (x - targets)**2: its mean, its sum or, with *reduction* "none", each.

    Shapes: x (*), targets (*) -> (), or (*) with "none".
    Raises: ArgumentError for another reduction, ShapeError when the shapes differ.

    >>> mi.nn.MSELoss()(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 4.0]))
    Tensor(2.)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = check_choice("MSELoss", "reduction", reduction, REDUCTIONS)

    def forward(self, x: Tensor, targets: Tensor) -> Tensor:
        """Return the loss."""
        check_floating("MSELoss", "input", x)
        if x.shape != targets.shape:
            raise ShapeError(
                f"MSELoss: input has shape {x.shape}, targets {targets.shape}; expected equal "
                "shapes: reshape one"
            )
        difference = x - targets
        return _reduced(difference * difference, self.reduction)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"reduction={self.reduction!r}"


class CrossEntropyLoss(Module):
    """Compute -log softmax(x)[target] over the classes, axis 1 of x (axis 0 if it is the only).

    *targets* are class numbers, floats too where they are whole, or, of the shape of x, floats
    that say the probability of each class. *weight* (C,) scales each class's part; the mean is
    then the weighted one. Targets equal to *ignore_index* take no part. *label_smoothing* moves
    that much probability from the target to all classes evenly.

    Shapes: x (N, C, *) or (C,), targets (N, *) or () -> (), or as targets with reduction "none".
    Dtype: as x.
    Raises: ArgumentError for options out of range, ShapeError when shapes do not fit, DTypeError
    for fractional class numbers, IndexRangeError for one outside of 0 to C - 1.

    >>> loss = mi.nn.CrossEntropyLoss()
    >>> loss(mi.Tensor([[0.0, 0.0]]), mi.Tensor([1]))
    Tensor(0.693147)
    >>> loss(mi.Tensor([[0.0, 0.0]]), mi.Tensor([[0.5, 0.5]]))
    Tensor(0.693147)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        name = "CrossEntropyLoss"
        if weight is not None:
            weight = asarray(weight)
            check_floating(name, "weight", weight)
            if weight.ndim != 1:
                raise ShapeError(f"{name}: weight has shape {weight.shape}; expected (C,)")
        self.register_buffer("weight", weight)
        if isinstance(ignore_index, bool) or not hasattr(ignore_index, "__index__"):
            raise DTypeError(f"{name}: ignore_index is {ignore_index!r}; expected an integer")
        self.ignore_index = ignore_index
        self.reduction = check_choice(name, "reduction", reduction, REDUCTIONS)
        self.label_smoothing = real(name, "label_smoothing", label_smoothing, low=0.0, high=1.0)

    def forward(self, x: Tensor, targets: Any) -> Tensor:
        """Return the loss of the logits *x*."""
        check_floating("CrossEntropyLoss", "input", x)
        self._check_weight(x)
        targets = asarray(targets, device=None if isinstance(targets, Tensor) else x.device)
        if targets.shape == x.shape and targets.dtype.kind == "f":
            return self._of_probabilities(x, targets)
        targets = _class_numbers(x, targets)
        if self.weight is None and self.ignore_index < 0 and x.ndim > 1:
            # an ignored target is outside of 0 to C - 1, so that the operator refuses it
            try:
                return cross_entropy(
                    x, targets, reduction=self.reduction, label_smoothing=self.label_smoothing
                )
            except IndexRangeError:
                pass
        return self._of_classes(x, targets)

    def _check_weight(self, x: Tensor) -> None:
        classes = x.shape[min(1, x.ndim - 1)] if x.ndim else 0
        if self.weight is not None and self.weight.shape != (classes,):
            raise ShapeError(
                f"CrossEntropyLoss: weight has shape {self.weight.shape} for an input of shape "
                f"{x.shape}, which has {classes} classes; expected ({classes},)"
            )

    def _of_classes(self, x: Tensor, targets: Tensor) -> Tensor:
        """Return the loss where options, or ignored targets, need more than the operator has."""
        log_p = _rows(log_softmax(x, axis=min(1, x.ndim - 1)))
        flat = targets.reshape(-1)
        kept = flat != self.ignore_index
        chosen = where(kept, flat, 0)
        _check_range(chosen, log_p.shape[1])
        weight = None if self.weight is None else self.weight.astype(x.dtype)
        scale = kept.astype(x.dtype)
        if weight is not None:
            scale = scale * weight[chosen]
        loss = -log_p[arange(flat.size, device=x.device), chosen] * scale
        if self.label_smoothing:
            spread = -(log_p if weight is None else log_p * weight).mean(axis=1)
            loss = (1.0 - self.label_smoothing) * loss + self.label_smoothing * spread
        loss = where(kept, loss, 0.0)
        if self.reduction == "mean":
            return loss.sum() / scale.sum()
        return _reduced(loss.reshape(targets.shape), self.reduction)

    def _of_probabilities(self, x: Tensor, targets: Tensor) -> Tensor:
        """Return the loss for targets that give the probability of each class."""
        log_p = _rows(log_softmax(x, axis=min(1, x.ndim - 1)))
        p, classes = _rows(targets), log_p.shape[1]
        if self.label_smoothing:
            p = p * (1.0 - self.label_smoothing) + self.label_smoothing / classes
        if self.weight is not None:
            p = p * self.weight.astype(x.dtype)
        loss = -(log_p * p).sum(axis=1)
        return _reduced(loss.reshape(x.shape[:1] * (x.ndim > 1) + x.shape[2:]), self.reduction)

    def extra_repr(self) -> str:
        """Return the options."""
        shown = f"reduction={self.reduction!r}"
        if self.ignore_index != -100:
            shown += f", ignore_index={self.ignore_index}"
        return shown + f", label_smoothing={self.label_smoothing:g}" * bool(self.label_smoothing)


def _reduced(loss: Tensor, reduction: str) -> Tensor:
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _rows(x: Tensor) -> Tensor:
    """Return (N, C, *) as (N * product of *, C)."""
    if x.ndim > 2:
        x = permute_dims(x, (0, *range(2, x.ndim), 1))
    return x.reshape(-1, x.shape[-1])


def _class_numbers(x: Tensor, targets: Tensor) -> Tensor:
    """Return *targets* as integers of the shape that fits the logits *x*."""
    expected = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if x.ndim == 0 or targets.shape != expected:
        raise ShapeError(
            f"CrossEntropyLoss: input has shape {x.shape}, targets {targets.shape}; expected class "
            f"numbers of shape {expected} or floating probabilities of shape {x.shape}"
        )
    if targets.dtype.kind in "iu":
        return targets
    if targets.dtype.kind != "f":
        raise DTypeError(
            f"CrossEntropyLoss: targets have dtype {targets.dtype}; expected whole numbers, as "
            'targets.astype("int64")'
        )
    values = targets.detach().numpy()
    whole = np.isfinite(values) & (values == np.floor(values))
    if not whole.all():
        where_not = np.unravel_index(int(np.argmin(whole)), whole.shape)
        raise DTypeError(
            f"CrossEntropyLoss: target {values[where_not]} is no class number; expected whole "
            f"numbers, or floating probabilities of shape {x.shape}"
        )
    return targets.astype("int64")


def _check_range(targets: Tensor, classes: int) -> None:
    if targets.size == 0:
        return
    low, high = targets.min().item(), targets.max().item()
    if low < 0 or high >= classes:
        wrong = low if low < 0 else high
        raise IndexRangeError(
            f"CrossEntropyLoss: target {wrong} is no class; expected 0 to {classes - 1}, as the "
            f"input has {classes} classes"
        )
