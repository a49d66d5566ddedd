"""The loss of a sequence of labels that may lie anywhere along a longer one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minima import (
    Tensor,
    arange,
    asarray,
    clip,
    concat,
    expand_dims,
    full,
    logsumexp,
    stack,
    where,
)
from minima.amp import autocasts
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError

from ..arguments import check_floating, integer
from .reduction import check_reduction

__all__ = ["ctc_loss"]

NAME = "ctc_loss"


@autocasts("float32")
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor | Sequence[int],
    target_lengths: Tensor | Sequence[int],
    blank: int = 0,
    *,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return -log of the probability that a sequence of shares spells the targets.

    A spelling says each label of the targets in their order, any number of times in a row, with
    the class *blank* anywhere between, and always between two equal labels. With *reduction*
    "mean" each loss is divided by its number of targets before the mean over the batch. A target
    longer than its sequence allows has loss infinity, and 0 with *zero_infinity*; gradient 0.

    Shapes: log_probs (T, N, C) or (T, C), logarithms of shares; targets (N, S) padded or, one
    after the other, (sum of target_lengths,); lengths (N,) or () -> (), or (N,) with "none".
    Gradient: the exact one of log_probs, minus each label's share of all spellings.
    Raises: ShapeError, DTypeError, ArgumentError for lengths that do not fit, IndexRangeError for
    a target that is no class. Source: Graves et al. 2006.

    >>> shares = mi.log_softmax(mi.zeros((2, 1, 2)))
    >>> mi.exp(-mi.nn.functional.ctc_loss(shares, mi.Tensor([[1]]), [2], [1]))
    Tensor(0.75)
    """
    check_reduction(NAME, reduction)
    check_floating(NAME, "log_probs", log_probs)
    if log_probs.ndim not in (2, 3):
        raise ShapeError(
            f"{NAME}: log_probs has shape {log_probs.shape}; expected (T, N, C) or (T, C)"
        )
    alone = log_probs.ndim == 2
    x = expand_dims(log_probs, 1) if alone else log_probs
    steps, samples, classes = x.shape
    if integer(NAME, "blank", blank, low=0) >= classes:
        raise ArgumentError(f"{NAME}: blank is {blank}; expected at most {classes - 1}")
    shown = _lengths("input_lengths", input_lengths, samples, steps, alone)
    lengths = _lengths("target_lengths", target_lengths, samples, None, alone)
    labels = _padded(targets, lengths, samples, blank, alone)
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    loss = _paths(wide, labels, shown, lengths, blank)
    loss = where(loss > -0.5 * _least(wide), 0.0 if zero_infinity else float("inf"), loss)
    loss = loss.astype(x.dtype)
    if reduction == "mean":
        counts = asarray(np.maximum(lengths, 1), device=x.device).astype(x.dtype)
        return (loss / counts).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.reshape(()) if alone else loss


def _lengths(name: str, given: Any, samples: int, most: int | None, alone: bool) -> Any:
    """Return lengths as an array (N,)."""
    values = given.detach().numpy() if isinstance(given, Tensor) else np.asarray(given)
    if values.size and values.dtype.kind not in "iu":
        raise DTypeError(f"{NAME}: {name} has dtype {values.dtype}; expected integers")
    if values.shape != (samples,) and not (alone and values.shape == ()):
        raise ShapeError(f"{NAME}: {name} has shape {values.shape}; expected ({samples},)")
    values = values.reshape(-1).astype(np.int64)
    if values.size and (values.min() < 0 or (most is not None and values.max() > most)):
        limit = "at least 0" if most is None else f"0 to {most}, the steps of log_probs"
        raise ArgumentError(f"{NAME}: {name} are {values.tolist()}; expected {limit}")
    return values


def _padded(targets: Any, lengths: Any, samples: int, blank: int, alone: bool) -> Any:
    """Return the targets as an array (N, S), blank beyond each one's length."""
    values = targets.detach().numpy() if isinstance(targets, Tensor) else np.asarray(targets)
    if values.size and values.dtype.kind not in "iu":
        raise DTypeError(f"{NAME}: targets have dtype {values.dtype}; expected integers")
    longest = int(lengths.max(initial=0))
    found = np.full((samples, longest), blank, np.int64)
    if values.ndim == 1 and (not alone or values.size == lengths.sum()):
        if values.size != lengths.sum():
            raise ShapeError(
                f"{NAME}: targets has shape {values.shape}; expected ({lengths.sum()},), as "
                f"target_lengths are {lengths.tolist()}, or (N, S)"
            )
        rows = np.split(values, np.cumsum(lengths)[:-1]) if samples else []
    else:
        values = values.reshape(1, -1) if alone and values.ndim == 1 else values
        if values.ndim != 2 or values.shape[0] != samples or values.shape[1] < longest:
            raise ShapeError(
                f"{NAME}: targets has shape {values.shape}; expected ({samples}, S), S at least "
                f"{longest}, as target_lengths are {lengths.tolist()}"
            )
        rows = [row[:n] for row, n in zip(values, lengths)]
    for place, row in zip(found, rows):
        place[: row.size] = row
    return found


def _paths(x: Tensor, labels: Any, shown: Any, lengths: Any, blank: int) -> Tensor:
    """Return -log of the sum over all spellings, of step after step: the forward variables."""
    steps, samples, classes = x.shape
    spelled = np.full((samples, 2 * labels.shape[1] + 1), blank, np.int64)
    spelled[:, 1::2] = labels
    skips = np.zeros(spelled.shape, bool)
    skips[:, 2:] = (spelled[:, 2:] != blank) & (spelled[:, 2:] != spelled[:, :-2])
    last = 2 * lengths[:, None]
    order = np.arange(spelled.shape[1])
    ends = (order == last) | ((order == last - 1) & (last > 0))
    never = _least(x) * 4 * (steps + 1)

    device = x.device
    scores = _scores(x, spelled, classes)
    wall = full((samples, 2), never, dtype=x.dtype, device=device)
    may_skip, at_end = (asarray(a, device=device) for a in (skips, ends))
    active = asarray(np.arange(steps)[:, None, None] < shown[:, None], device=device)
    start = np.where(order < 1, 0.0, never) + np.zeros((samples, 1))
    alpha = asarray(start.astype(x.dtype), device=device)
    width = spelled.shape[1]
    for step in range(steps):
        walled = concat([wall, alpha], axis=1)
        skipped = where(may_skip, walled[:, :width], never)
        sources = stack([alpha, walled[:, 1 : width + 1], skipped], axis=0)
        alpha = where(active[step], logsumexp(sources, axis=0) + scores[step], alpha)
    return -logsumexp(where(at_end, alpha, never), axis=1)


def _scores(x: Tensor, spelled: Any, classes: int) -> Tensor:
    """Return (T, N, 2 S + 1), what x says of each place of what is spelled."""
    low, high = int(spelled.min(initial=0)), int(spelled.max(initial=0))
    if low < 0 or high >= classes:
        raise IndexRangeError(
            f"{NAME}: target {low if low < 0 else high} is no class; expected 0 to {classes - 1}"
        )
    samples = arange(spelled.shape[0], device=x.device)
    found = x[:, expand_dims(samples, 1), asarray(spelled, device=x.device)]
    return clip(found, min=_least(x))


def _least(x: Tensor) -> float:
    """Return what stands for -infinity in one step: a number, so that differences are not NaN."""
    return -float(np.finfo(x.dtype).max) / (16 * (x.shape[0] + 1))
