"""The softmax family and cross entropy on the cpu; large rows a piece at a time, on all threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import IndexRangeError
from ..threads import share
from .base import REFERENCES
from .cpu_normalization import PIECE, Rows, finished, form_of, place_of, slices
from .cpu_reduction import LONG, ones
from .scratch import scratch

__all__ = ["KERNELS"]

Array = Any
Axes = tuple[int, ...]


def in_rows(x: Array, axes: Axes) -> Rows | None:
    """Return the form of x with statistics over its last axes, if it is worth cutting up."""
    if x.size <= PIECE:
        return None
    form = form_of(x, axes)
    return form if isinstance(form, Rows) else None


# ---- softmax -------------------------------------------------------------------------------------
def by_rows(work: Callable[[Array, Array, Any], None], x: Array, axis: Any, out: Array) -> Array:
    """Call ``work(x, y, axis)``, which writes y along *axis*; on pieces of rows if that is much."""
    y = np.empty_like(x) if out is None else out
    form = in_rows(x, axis)
    if form is None:
        if x.size:
            work(x, y, axis)
        return y
    place, source = place_of(form, y, x.shape), form.view(x)
    pieces = form.pieces()
    share(lambda i: work(source[pieces[i]], place[pieces[i]], (1,)), len(pieces))
    return finished(form, place, y)


def total(y: Array, axis: Any) -> Array:
    """Return the sums of y along *axis*, kept."""
    if y.dtype.char in "fd" and axis == (y.ndim - 1,) and 16 <= y.shape[-1] <= LONG:
        return np.vecdot(y, ones(y.shape[-1], y.dtype))[..., None]
    return np.add.reduce(y, axis=axis, keepdims=True)


def _softmax(x: Array, *, axis: Axes, out: Array = None) -> Array:
    return by_rows(soften, x, axis, out)


def soften(x: Array, y: Array, axis: Axes) -> None:
    """Write the softmax of x to y."""
    np.divide(y, exponentials(x, y, axis), out=y)


def exponentials(x: Array, y: Array, axis: Axes) -> Array:
    """Write what is in proportion to the softmax of x to y; return its sums along *axis*.

    Where the sums of exp(x) are from 1 to far below the largest number they serve as they are: a
    share that is too small for the type then is so after a division as well. Else, and where
    there are NaN, the largest x of each sum is taken off first.
    """
    if x.dtype.char in "fd":
        apart = not np.may_share_memory(x, y)
        e = np.exp(x, out=y if apart else np.empty_like(y))
        sums = total(e, axis)
        if np.minimum.reduce(sums, axis=None) >= 1 and np.maximum.reduce(sums, axis=None) < 1e20:
            if not apart:
                np.copyto(y, e)
            return sums
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True), out=y)
    return total(np.exp(y, out=y), axis)


def _log_softmax(x: Array, *, axis: int, out: Array = None) -> Array:
    return by_rows(log_soften, x, (axis,), out)


def log_soften(x: Array, y: Array, axis: Axes) -> None:
    """Write the logarithm of the softmax of x to y."""
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True), out=y)
    e = np.exp(y, out=scratch("e", y.shape, y.dtype))
    np.subtract(y, np.log(total(e, axis)), out=y)


def _softmax_gradient(g: Array, y: Array, *, axis: Axes, out: Array = None) -> Array:
    found = np.empty_like(y) if out is None else out
    form = in_rows(y, axis)
    if form is None:
        product = np.multiply(g, y)
        total = np.add.reduce(product, axis=axis, keepdims=True)
        return np.multiply(np.subtract(g, total, out=found), y, out=found)
    place, slopes, values = place_of(form, found, y.shape), form.view(g), form.view(y)
    pieces = form.pieces()

    def part(i: int) -> None:
        slope, value, target = slopes[pieces[i]], values[pieces[i]], place[pieces[i]]
        np.subtract(slope, np.vecdot(slope, value)[:, None], out=target)
        np.multiply(target, value, out=target)

    share(part, len(pieces))
    return finished(form, place, found)


def _logsumexp(
    x: Array, *, axis: Axes, keepdims: bool, axes: None = None, out: Array = None
) -> Array:
    top = np.maximum.reduce(x, axis=axis, keepdims=True)
    safe = np.where(np.isfinite(top), top, x.dtype.type(0))
    z = np.subtract(x, safe)
    z = np.exp(z, out=z if z.ndim else None)
    total = np.log(np.add.reduce(z, axis=axis, keepdims=True)) + safe
    y = total if keepdims else total.squeeze(axis=axis)
    if out is None:
        return y
    np.copyto(out, y)
    return out


# ---- cross entropy -------------------------------------------------------------------------------
def check_range(name: str, indices: Array, classes: int) -> None:
    """Raise unless all *indices* are in 0 .. classes - 1.

    >>> check_range("cross_entropy", np.array([0, -1]), 3)
    Traceback (most recent call last):
    minima.errors.IndexRangeError: cross_entropy: got class -1; expected 0 to 2
    """
    if not indices.size:
        return
    # a negative number is a large one without its sign
    largest = np.maximum.reduce(indices.view(f"u{indices.itemsize}"), axis=None)
    if largest >= classes:
        low, high = indices.min(), indices.max()
        raise IndexRangeError(
            f"{name}: got class {low if low < 0 else high}; expected 0 to {classes - 1}"
        )


def kept_of(targets: Array, ignore_index: int | None) -> Array | None:
    """Return True where a target counts; None where all do.

    >>> kept_of(np.array([0, -100]), -100), kept_of(np.array([0, 1]), -100)
    (array([ True, False]), None)
    """
    if ignore_index is None:
        return None
    kept = targets != ignore_index
    return None if kept.all() else kept


def _cross_entropy(
    logits: Array,
    targets: Array,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int | None = None,
    out: Array = None,
) -> Array:
    if logits.ndim != 2 or not logits.size:
        attrs: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        attrs["ignore_index"] = ignore_index
        y = REFERENCES["cross_entropy"](np, logits, targets, **attrs)
        return y if out is None else _into(out, y)
    count, classes = logits.shape
    kept = kept_of(targets, ignore_index)
    if kept is not None:
        targets, count = np.where(kept, targets, targets.dtype.type(0)), np.count_nonzero(kept)
    check_range("cross_entropy", targets, classes)
    losses = np.empty(len(logits), logits.dtype)

    def part(at: slice) -> None:
        x = logits[at]
        top = np.maximum.reduce(x, axis=1, keepdims=True)
        z = np.subtract(x, top, out=scratch("z", x.shape, x.dtype))
        picked = z[np.arange(len(z)), targets[at]]
        if label_smoothing:
            picked *= 1.0 - label_smoothing
            picked += np.add.reduce(z, axis=1) * z.dtype.type(label_smoothing / classes)
        sums = total(np.exp(z, out=z), (1,))[:, 0]
        np.subtract(np.log(sums), picked, out=losses[at])

    pieces = slices(len(logits), classes) if logits.size > PIECE else [slice(None)]
    share(lambda i: part(pieces[i]), len(pieces))
    if kept is not None:
        losses[~kept] = 0
    if reduction == "none":
        return losses if out is None else _into(out, losses)
    y = np.add.reduce(losses, axis=0)
    if reduction == "mean":
        y /= losses.dtype.type(count)
    return y if out is None else _into(out, y)


def _cross_entropy_gradient(
    g: Array,
    logits: Array,
    targets: Array,
    *,
    reduction: str,
    label_smoothing: float,
    ignore_index: int | None = None,
    out: Array = None,
) -> Array:
    if logits.ndim != 2 or not logits.size:
        attrs: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        attrs["ignore_index"] = ignore_index
        y = REFERENCES["cross_entropy_gradient"](np, g, logits, targets, **attrs)
        return y if out is None else _into(out, y)
    count, classes = logits.shape
    number = logits.dtype.type
    y = np.empty_like(logits) if out is None else out
    kept = kept_of(targets, ignore_index)
    if kept is not None:
        targets, count = np.where(kept, targets, targets.dtype.type(0)), np.count_nonzero(kept)
    scale = g[:, None] if reduction == "none" else g
    if reduction == "mean":
        scale = scale / number(count)

    def part(at: slice) -> None:
        mine = scale[at] if reduction == "none" else scale
        np.multiply(y[at], mine / exponentials(logits[at], y[at], (1,)), out=y[at])
        if label_smoothing:
            y[at] -= mine * number(label_smoothing / classes)

    pieces = slices(len(logits), classes) if logits.size > PIECE else [slice(None)]
    share(lambda i: part(pieces[i]), len(pieces))
    picked = np.arange(len(logits)), targets
    y[picked] -= np.multiply(g if reduction == "none" else scale, number(1.0 - label_smoothing))
    if kept is not None:
        y[~kept] = 0
    return y


def _into(out: Array, value: Array) -> Array:
    np.copyto(out, value)
    return out


KERNELS = {
    "softmax": _softmax,
    "softmax_gradient": _softmax_gradient,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "cross_entropy": _cross_entropy,
    "cross_entropy_gradient": _cross_entropy_gradient,
}
