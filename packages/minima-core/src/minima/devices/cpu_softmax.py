"""The softmax family and cross entropy on the cpu; large rows a piece at a time, on all threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import IndexRangeError
from ..threads import share
from .base import REFERENCES
from .cpu_normalization import PIECE, Rows, finished, form_of, place_of

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
def _softmax(x: Array, *, axis: Axes, out: Array = None) -> Array:
    y = np.empty_like(x) if out is None else out
    form = in_rows(x, axis)
    if form is None:
        if x.size:
            soften(x, y, axis)
        return y
    place, source = place_of(form, y, x.shape), form.view(x)
    pieces = form.pieces()
    share(lambda i: soften(source[pieces[i]], place[pieces[i]], 1), len(pieces))
    return finished(form, place, y)


def soften(x: Array, y: Array, axis: Any) -> None:
    """Write the softmax of x to y."""
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True), out=y)
    np.exp(y, out=y)
    np.divide(y, np.add.reduce(y, axis=axis, keepdims=True), out=y)


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


def _log_softmax(x: Array, *, axis: int, out: Array = None) -> Array:
    y = np.empty_like(x) if out is None else out
    if not x.size:
        return y
    np.subtract(x, np.maximum.reduce(x, axis=axis, keepdims=True), out=y)
    total = np.add.reduce(np.exp(y), axis=axis, keepdims=True)
    return np.subtract(y, np.log(total), out=y)


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


def _cross_entropy(
    logits: Array, targets: Array, *, reduction: str, label_smoothing: float, out: Array = None
) -> Array:
    if logits.ndim != 2 or not logits.size:
        attrs = {"reduction": reduction, "label_smoothing": label_smoothing}
        y = REFERENCES["cross_entropy"](np, logits, targets, **attrs)
        return y if out is None else _into(out, y)
    count, classes = logits.shape
    check_range("cross_entropy", targets, classes)
    z = logits - np.maximum.reduce(logits, axis=1, keepdims=True)
    losses = z[np.arange(count), targets]
    if label_smoothing:
        losses *= 1.0 - label_smoothing
        losses += np.add.reduce(z, axis=1) * z.dtype.type(label_smoothing / classes)
    total = np.add.reduce(np.exp(z, out=z), axis=1)
    np.subtract(np.log(total, out=total), losses, out=losses)
    if reduction == "none":
        return losses if out is None else _into(out, losses)
    y = np.add.reduce(losses, axis=0)
    if reduction == "mean":
        y /= z.dtype.type(count)
    return y if out is None else _into(out, y)


def _cross_entropy_gradient(
    g: Array,
    logits: Array,
    targets: Array,
    *,
    reduction: str,
    label_smoothing: float,
    out: Array = None,
) -> Array:
    if logits.ndim != 2 or not logits.size:
        attrs = {"reduction": reduction, "label_smoothing": label_smoothing}
        y = REFERENCES["cross_entropy_gradient"](np, g, logits, targets, **attrs)
        return y if out is None else _into(out, y)
    count, classes = logits.shape
    number = logits.dtype.type
    y = np.empty_like(logits) if out is None else out
    np.subtract(logits, np.maximum.reduce(logits, axis=1, keepdims=True), out=y)
    np.exp(y, out=y)
    scale = g[:, None] if reduction == "none" else g
    if reduction == "mean":
        scale = scale / number(count)
    np.multiply(y, scale / np.add.reduce(y, axis=1, keepdims=True), out=y)
    if label_smoothing:
        y -= scale * number(label_smoothing / classes)
    picked = np.arange(count), targets
    y[picked] -= np.multiply(g if reduction == "none" else scale, number(1.0 - label_smoothing))
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
