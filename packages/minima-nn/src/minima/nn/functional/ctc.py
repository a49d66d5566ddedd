"""The loss of a sequence of labels that may lie anywhere along a longer one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from minima import (
    Tensor,
    arange,
    clip,
    concat,
    equal,
    expand_dims,
    finfo,
    full,
    logsumexp,
    maximum,
    not_equal,
    stack,
    where,
)
from minima.amp import autocasts
from minima.autograd.mode import TAPE
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from minima.operators.creation import made

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
    classes = x.shape[2]
    if integer(NAME, "blank", blank, low=0) >= classes:
        raise ArgumentError(f"{NAME}: blank is {blank}; expected at most {classes - 1}")
    given = (targets, input_lengths, target_lengths)
    labels, shown, lengths = _followed(x, *given, blank) or _read(x, *given, blank, alone)
    wide = x.astype("float32") if x.dtype.itemsize < 4 else x
    loss = _paths(wide, labels, shown, lengths, blank)
    loss = where(loss > -0.5 * _least(wide), 0.0 if zero_infinity else float("inf"), loss)
    loss = loss.astype(x.dtype)
    if reduction == "mean":
        return (loss / maximum(lengths, 1).astype(x.dtype)).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.reshape(()) if alone else loss


def _read(
    x: Tensor, targets: Any, input_lengths: Any, target_lengths: Any, blank: int, alone: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels (N, longest), blank beyond each one's length, and both lengths (N,)."""
    tape = TAPE.get()
    if tape is not None and any(
        isinstance(v, np.ndarray) for v in (targets, input_lengths, target_lengths)
    ):
        tape.fail(f"{NAME} takes NumPy arrays, data from outside; pass Tensors as arguments")
    steps, samples, classes = x.shape
    shown = _lengths("input_lengths", input_lengths, samples, steps, alone)
    lengths = _lengths("target_lengths", target_lengths, samples, None, alone)
    labels = _padded(targets, lengths, samples, blank, alone)
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0 or high >= classes:
        raise IndexRangeError(
            f"{NAME}: target {low if low < 0 else high} is no class; expected 0 to {classes - 1}"
        )
    return made(labels, x.device), made(shown, x.device), made(lengths, x.device)


def _followed(
    x: Tensor, targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Return what `_read` does, by operators, while a plan is made of padded targets.

    None otherwise. The plan is for arguments that are lengths and classes.
    """
    tape = TAPE.get()
    given = (targets, input_lengths, target_lengths)
    if tape is None or not all(isinstance(t, Tensor) and t.dtype.kind in "iu" for t in given):
        return None
    steps, samples, classes = x.shape
    longest = targets.shape[-1] if targets.ndim == 2 else -1
    if targets.shape != (samples, longest) or any(t.shape != (samples,) for t in given[1:]):
        return None
    most = (classes - 1, steps, longest)
    if not all(tape.expect(t, partial(_within, most=n)) for t, n in zip(given, most)):
        return None
    labels, shown, lengths = (t.detach().astype("int64") for t in given)
    there = arange(longest, device=x.device) < expand_dims(lengths, 1)
    return where(there, labels, blank), shown, lengths


def _within(values: Any, most: int) -> bool:
    return not values.size or bool(values.min() >= 0 and values.max() <= most)


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


def _paths(x: Tensor, labels: Tensor, shown: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """Return -log of the sum over all spellings, of step after step: the forward variables."""
    (steps, samples, _), device = x.shape, x.device
    blanks = full(labels.shape, blank, dtype="int64", device=device)
    pairs = stack([blanks, labels], axis=2).reshape((samples, -1))
    two = full((samples, 2), blank, dtype="int64", device=device)
    spelled = concat([pairs, two[:, :1]], axis=1)
    width = spelled.shape[1]
    before = concat([two, spelled], axis=1)[:, :width]
    may_skip = not_equal(spelled, blank) & not_equal(spelled, before)
    last, order = expand_dims(lengths, 1) * 2, arange(width, device=device)
    at_end = equal(order, last) | (equal(order, last - 1) & (last > 0))
    active = arange(steps, device=device).reshape((steps, 1, 1)) < expand_dims(shown, 1)
    never = _least(x) * 4 * (steps + 1)

    columns = arange(samples, device=device).reshape((samples, 1))
    scores = clip(x[:, columns, spelled], min=_least(x))
    wall = full((samples, 2), never, dtype=x.dtype, device=device)
    alpha = where(order < 1, full((samples, 1), 0.0, dtype=x.dtype, device=device), never)
    for step in range(steps):
        walled = concat([wall, alpha], axis=1)
        skipped = where(may_skip, walled[:, :width], never)
        sources = stack([alpha, walled[:, 1 : width + 1], skipped], axis=0)
        alpha = where(active[step], logsumexp(sources, axis=0) + scores[step], alpha)
    return -logsumexp(where(at_end, alpha, never), axis=1)


def _least(x: Tensor) -> float:
    """Return what stands for -infinity in one step: a number, so that differences are not NaN."""
    return -finfo(x.dtype).max / (16 * (x.shape[0] + 1))
