"""Normalisation on the cpu: a piece at a time through all its steps, while it is in the cache.

Two forms have kernels of their own: statistics of rows, over the last axes (layer norm), and of
channels, over all axes but one (batch norm), the channels last in memory or in planes. All else,
and float16, goes to the reference kernel.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..threads import share
from .base import REFERENCES
from .cpu_reduction import ones, sums_of_rows
from .scratch import scratch

__all__ = ["KERNELS"]

Array = Any
Axes = tuple[int, ...]

PIECE = 1 << 18  # elements at a time; with less, threads wait for each other between the steps
SMALL = 1 << 16  # elements that one thread is through with before another has begun
WIDE = 4096  # rows of memory that are shorter are joined


class Rows:
    """Arrays (*, n) with statistics over n: each piece has its own."""

    def __init__(self, shape: tuple[int, ...], axes: Axes) -> None:
        self.count = prod(shape[a] for a in axes)
        self.shape = (prod(shape) // max(self.count, 1), self.count)
        self.axes = axes

    def view(self, x: Array) -> Array:
        """Return x as the form takes it; a copy where its memory is in another order."""
        return x.reshape(self.shape)

    def vector(self, v: Array, shape: tuple[int, ...]) -> Array:
        """Return what broadcasts to *shape*, such as a weight, for one row; None if it cannot."""
        many = len(self.axes)
        if v.shape == shape[len(shape) - many :]:
            return v.reshape(self.count)
        if any(n != 1 for n in v.shape[: max(0, v.ndim - many)]):
            return None
        last = v.reshape(v.shape[max(0, v.ndim - many) :])
        return np.broadcast_to(last, shape[len(shape) - many :]).reshape(self.count)

    def pieces(self) -> list[slice]:
        """Return the parts that are computed one after the other."""
        return slices(self.shape[0], self.count)

    def total(self, x: Array) -> Array:
        """Return the sums of a piece."""
        return sums_of_rows(x)

    def dot(self, a: Array, b: Array) -> Array:
        """Return the sums of a * b of a piece."""
        return np.vecdot(a, b)

    def spread(self, v: Array) -> Array:
        """Return statistics as they broadcast to a piece."""
        return v[:, None]


class Columns:
    """Arrays (*, C) with statistics over all but C; short rows are joined to longer ones."""

    def __init__(self, shape: tuple[int, ...], axis: int) -> None:
        self.channels = shape[axis]
        rows = prod(shape) // max(self.channels, 1)
        self.join = 1
        while rows % (2 * self.join) == 0 and 2 * self.join * self.channels <= WIDE and rows:
            self.join *= 2
        self.shape = (rows // self.join, self.join * self.channels)
        self.axis, self.count = axis, rows

    def view(self, x: Array) -> Array:
        """Return x as the form takes it."""
        return np.moveaxis(x, self.axis, -1).reshape(self.shape)

    def pieces(self) -> list[slice]:
        """Return the parts that are computed one after the other."""
        return slices(*self.shape)

    def size(self, piece: Array) -> int:
        """Return how many elements of each channel a piece has."""
        return int(piece.shape[0]) * self.join

    def total(self, x: Array) -> Array:
        """Return the sums of a piece."""
        sums = ones(x.shape[0], x.dtype) @ x
        return sums.reshape(self.join, self.channels).sum(axis=0)

    def dot(self, a: Array, b: Array) -> Array:
        """Return the sums of a * b of a piece."""
        return self.total(np.multiply(a, b, out=scratch("product", a.shape, a.dtype)))

    def spread(self, v: Array) -> Array:
        """Return one number for each channel as they broadcast to a piece."""
        return np.tile(v, self.join) if self.join > 1 else v


class Planes(Columns):
    """Arrays (N, C, *) with statistics over all but C, each channel a plane of memory."""

    def __init__(self, shape: tuple[int, ...], axis: int) -> None:
        before = prod(shape[:axis])
        after = prod(shape[axis + 1 :])
        self.channels = shape[axis]
        self.shape = (before, self.channels, after)  # type: ignore[assignment]
        self.axis, self.count, self.join = axis, before * after, after

    def view(self, x: Array) -> Array:
        """Return x as the form takes it."""
        return x.reshape(self.shape)

    def pieces(self) -> list[slice]:
        """Return the parts that are computed one after the other."""
        return slices(self.shape[0], self.channels * self.join)

    def total(self, x: Array) -> Array:
        """Return the sums of a piece."""
        return (x @ ones(self.join, x.dtype)).sum(axis=0)

    def dot(self, a: Array, b: Array) -> Array:
        """Return the sums of a * b of a piece."""
        return np.vecdot(a, b).sum(axis=0)

    def spread(self, v: Array) -> Array:
        """Return one number for each channel as they broadcast to a piece."""
        return v[:, None]


def slices(rows: int, row_size: int) -> list[slice]:
    """Return the pieces of so many rows."""
    if rows * row_size <= SMALL:
        return [slice(0, rows)]
    many = max(1, min(PIECE // max(1, row_size), -(-rows // 2)))
    return [slice(i, i + many) for i in range(0, rows, many)]


def form_of(x: Array, axes: Axes) -> Rows | Columns | None:
    """Return the form that fits x and the axes of its statistics, or None."""
    if x.dtype.char not in "fd" or not x.size:
        return None
    if sorted(axes) == list(range(x.ndim - len(axes), x.ndim)) and axes:
        return Rows(x.shape, tuple(sorted(axes)))
    kept = [i for i in range(x.ndim) if i not in axes]
    if len(kept) != 1 or x.ndim < 2:
        return None
    (axis,) = kept
    if x.shape[axis] == 1 or axis == x.ndim - 1 or x.strides[axis] == x.itemsize:
        return Columns(x.shape, axis)
    return Planes(x.shape, axis)


def channel_vector(v: Array, x: Array, axis: int) -> Array:
    """Return what broadcasts to x and differs by channel alone, as (C,); None if it does not."""
    full = (1,) * (x.ndim - v.ndim) + v.shape
    if any(n != 1 for i, n in enumerate(full) if i != axis):
        return None
    return np.broadcast_to(v.reshape(full[axis]), x.shape[axis])


def factor(form: Rows | Columns, v: Array, x: Array) -> Array:
    """Return a weight or bias as it broadcasts to a piece; None if it does not fit the form."""
    if isinstance(form, Rows):
        return form.vector(v, x.shape)
    found = channel_vector(v, x, form.axis)
    return None if found is None else form.spread(found)


def place_of(form: Rows | Columns, out: Array, shape: tuple[int, ...]) -> Array:
    """Return the memory of *out* as the form takes it, or new memory if it lies otherwise."""
    view = form.view(out)
    if np.may_share_memory(view, out):
        return view
    return np.empty(form.shape, out.dtype)


def moments(form: Columns, x: Array) -> tuple[Array, Array]:
    """Return mean and variance of each channel of x, which has the shape of *form*.

    Each piece is centred by its own mean, so that a large mean costs no precision.
    """
    pieces = form.pieces()
    means, squares, sizes = (
        np.empty((len(pieces), form.channels), x.dtype),
        np.empty((len(pieces), form.channels), x.dtype),
        np.empty((len(pieces), 1), x.dtype),
    )

    def part(i: int) -> None:
        piece = x[pieces[i]]
        sizes[i] = form.size(piece)
        means[i] = form.total(piece) / sizes[i]
        centred = np.subtract(
            piece, form.spread(means[i]), out=scratch("centred", piece.shape, x.dtype)
        )
        squares[i] = form.dot(centred, centred)

    share(part, len(pieces))
    mean = np.sum(means * sizes, axis=0) / x.dtype.type(form.count)
    squares += (means - mean) ** 2 * sizes
    return mean, np.sum(squares, axis=0) / x.dtype.type(form.count)


def row_moments(form: Rows, piece: Array, centred: Array, eps: float) -> Array:
    """Write *piece* less its mean to *centred*; return 1 / sqrt(variance + eps) of its rows."""
    number = piece.dtype.type(form.count)
    np.subtract(piece, form.spread(form.total(piece) / number), out=centred)
    return 1 / np.sqrt(form.dot(centred, centred) / number + piece.dtype.type(eps))


# ---- forward -------------------------------------------------------------------------------------
def _layer_norm(
    x: Array, weight: Array = None, bias: Array = None, *, axes: Axes, eps: float, out: Array = None
) -> Array:
    form = form_of(x, axes)
    given = [None if form is None or v is None else factor(form, v, x) for v in (weight, bias)]
    if form is None or any(v is not None and f is None for v, f in zip((weight, bias), given)):
        return _by_reference("layer_norm", (x, weight, bias), {"axes": axes, "eps": eps}, out)
    y = np.empty_like(x) if out is None else out
    place, source = place_of(form, y, x.shape), form.view(x)
    pieces = form.pieces()
    if isinstance(form, Columns):
        mean, variance = moments(form, source)
        centre, scale = form.spread(mean), form.spread(1 / np.sqrt(variance + x.dtype.type(eps)))
        if given[0] is not None:
            scale, given[0] = scale * given[0], None

    def part(i: int) -> None:
        target = place[pieces[i]]
        if isinstance(form, Rows):
            slope = form.spread(row_moments(form, source[pieces[i]], target, eps))
        else:
            np.subtract(source[pieces[i]], centre, out=target)
            slope = scale
        np.multiply(target, slope, out=target)
        if given[0] is not None:
            np.multiply(target, given[0], out=target)
        if given[1] is not None:
            np.add(target, given[1], out=target)

    share(part, len(pieces))
    return finished(form, place, y)


def finished(form: Rows | Columns, place: Array, y: Array) -> Array:
    """Copy *place*, if it is not the memory of *y*, there; return y."""
    if not np.may_share_memory(place, y):
        if isinstance(form, Columns) and not isinstance(form, Planes):
            moved = np.moveaxis(y, form.axis, -1)
            np.copyto(moved, place.reshape(moved.shape))
        else:
            np.copyto(y, place.reshape(y.shape))
    return y


def _batch_norm(
    x: Array,
    mean: Array,
    var: Array,
    weight: Array = None,
    bias: Array = None,
    *,
    eps: float,
    out: Array = None,
) -> Array:
    form = form_of(x, tuple(i for i in range(x.ndim) if i != 1))
    if not isinstance(form, Columns):
        return _by_reference("batch_norm", (x, mean, var, weight, bias), {"eps": eps}, out)
    y = np.empty_like(x) if out is None else out
    place, source = place_of(form, y, x.shape), form.view(x)
    scale = 1 / np.sqrt(var + x.dtype.type(eps))
    scale = form.spread(scale if weight is None else scale * weight)
    centre = form.spread(mean)
    shift = None if bias is None else form.spread(bias)
    pieces = form.pieces()

    def part(i: int) -> None:
        target = place[pieces[i]]
        np.subtract(source[pieces[i]], centre, out=target)
        np.multiply(target, scale, out=target)
        if shift is not None:
            np.add(target, shift, out=target)

    share(part, len(pieces))
    return finished(form, place, y)


# ---- backward ------------------------------------------------------------------------------------
def _layer_norm_gradient(
    g: Array, x: Array, weight: Array = None, *, axes: Axes, eps: float, out: Array = None
) -> Array:
    form = form_of(x, axes)
    given = None if form is None or weight is None else factor(form, weight, x)
    if form is None or (weight is not None and given is None):
        attrs = {"axes": axes, "eps": eps}
        return _by_reference("layer_norm_gradient", (g, x, weight), attrs, out)
    y = np.empty_like(x) if out is None else out
    place, source, slopes = place_of(form, y, x.shape), form.view(x), form.view(g)
    number = x.dtype.type(form.count)
    pieces = form.pieces()
    if isinstance(form, Columns):
        scale, along, level, centre = _channel_sums(form, source, slopes, given, eps)

    def part(i: int) -> None:
        target, piece = place[pieces[i]], source[pieces[i]]
        if isinstance(form, Rows):
            centred = scratch("centred", piece.shape, x.dtype)
            inverse = row_moments(form, piece, centred, eps)
            slope = slopes[pieces[i]]
            if given is not None:
                slope = np.multiply(slope, given, out=target)
            mean = form.total(slope) / number
            part_along = form.dot(slope, centred) * inverse * inverse / number
            np.multiply(centred, part_along[:, None], out=centred)
            np.subtract(slope, centred, out=target)
            np.subtract(target, mean[:, None], out=target)
            np.multiply(target, inverse[:, None], out=target)
            return
        centred = np.subtract(piece, centre, out=scratch("centred", piece.shape, x.dtype))
        np.multiply(centred, along, out=centred)
        np.multiply(slopes[pieces[i]], scale, out=target)
        np.subtract(target, centred, out=target)
        np.subtract(target, level, out=target)

    share(part, len(pieces))
    return finished(form, place, y)


def _channel_sums(
    form: Columns, x: Array, g: Array, weight: Array, eps: float
) -> tuple[Array, Array, Array, Array]:
    """Return scale, along, level and centre: the gradient is g scale - along (x - centre) - level.

    Each is spread as a piece needs it.
    """
    mean, variance = moments(form, x)
    totals = slope_sums(form, x, g, form.spread(mean))
    number = x.dtype.type(form.count)
    inverse = 1 / np.sqrt(variance + x.dtype.type(eps))
    scale = form.spread(inverse)
    if weight is not None:
        scale = scale * weight
    along = form.spread(totals[0] * inverse * inverse / number) * scale
    level = form.spread(totals[1] / number) * scale
    return scale, along, level, form.spread(mean)


def slope_sums(form: Columns, x: Array, g: Array, centre: Array) -> Array:
    """Return, for each channel, the sums of g * (x - centre) and of g: (2, C)."""
    pieces = form.pieces()
    sums = np.empty((len(pieces), 2, form.channels), x.dtype)

    def part(i: int) -> None:
        piece, slope = x[pieces[i]], g[pieces[i]]
        centred = np.subtract(piece, centre, out=scratch("centred", piece.shape, x.dtype))
        sums[i, 0] = form.dot(slope, centred)
        sums[i, 1] = form.total(slope)

    share(part, len(pieces))
    return np.sum(sums, axis=0)


def _layer_norm_affine_gradient(
    g: Array, x: Array, *, shape: tuple[int, ...], axes: Axes, eps: float, out: Array = None
) -> Array:
    form = form_of(x, axes)
    fits = form is not None and factor(form, np.broadcast_to(x.dtype.type(1), shape), x) is not None
    if form is None or not fits:
        attrs = {"shape": shape, "axes": axes, "eps": eps}
        return _by_reference("layer_norm_affine_gradient", (g, x), attrs, out)
    source, slopes = form.view(x), form.view(g)
    if isinstance(form, Columns):
        mean, variance = moments(form, source)
        sums = slope_sums(form, source, slopes, form.spread(mean))
        sums[0] /= np.sqrt(variance + x.dtype.type(eps))
        full = [n if i == form.axis else 1 for i, n in enumerate(x.shape)]
    else:
        sums = row_sums(form, source, slopes, eps)
        full = list(x.shape[x.ndim - len(axes) :])
    sums = sums.reshape(2, *full)
    lead = (1,) * (sums.ndim - 1 - len(shape))
    reduced = tuple(
        i + 1 for i, n in enumerate(full) if n != 1 and (*lead, *shape)[i - len(full)] == 1
    )
    sums = np.add.reduce(sums, axis=reduced) if reduced else sums
    sums = sums.reshape(2, *shape)
    if out is None:
        return sums
    np.copyto(out, sums)
    return out


def row_sums(form: Rows, x: Array, g: Array, eps: float) -> Array:
    """Return, for each element of a row, the sums of g times x normalised, and of g: (2, n)."""
    pieces = form.pieces()
    runs = [
        pieces[i : i + -(-len(pieces) // 8)] for i in range(0, len(pieces), -(-len(pieces) // 8))
    ]
    sums = np.zeros((len(runs), 2, form.count), x.dtype)

    def part(i: int) -> None:
        for at in runs[i]:
            piece, slope = x[at], g[at]
            centred = scratch("centred", piece.shape, x.dtype)
            inverse = row_moments(form, piece, centred, eps)
            np.multiply(centred, slope, out=centred)
            sums[i, 0] += inverse @ centred
            sums[i, 1] += ones(len(piece), x.dtype) @ slope

    share(part, len(runs))
    return np.sum(sums, axis=0)


# ---- reductions ----------------------------------------------------------------------------------
def _var(x: Array, *, axis: Axes, keepdims: bool, correction: float, out: Array = None) -> Array:
    attrs = {"axis": axis, "keepdims": keepdims, "correction": correction}
    form = form_of(x, axis)
    if form is None or form.count <= correction:
        return _by_reference("var", (x,), attrs, out)
    source = form.view(x)
    if isinstance(form, Columns):
        found = moments(form, source)[1]
        found *= x.dtype.type(form.count / (form.count - correction))
    else:
        pieces = form.pieces()
        found = np.empty(form.shape[0], x.dtype)
        number = x.dtype.type(form.count)

        def part(i: int) -> None:
            piece = source[pieces[i]]
            centred = scratch("centred", piece.shape, x.dtype)
            np.subtract(piece, form.spread(form.total(piece) / number), out=centred)
            found[pieces[i]] = form.dot(centred, centred)

        share(part, len(pieces))
        found /= x.dtype.type(form.count - correction)
    kept = tuple(1 if i in axis else n for i, n in enumerate(x.shape))
    rest = kept if keepdims else tuple(n for i, n in enumerate(x.shape) if i not in axis)
    found = found.reshape(rest)
    if out is None:
        return found
    np.copyto(out, found)
    return out


def _by_reference(name: str, inputs: tuple[Array, ...], attrs: dict[str, Any], out: Array) -> Array:
    """Run the reference kernel of operator *name*."""
    y = REFERENCES[name](np, *inputs, **attrs)
    if out is None:
        return y
    np.copyto(out, y)
    return out


KERNELS = {
    "layer_norm": _layer_norm,
    "layer_norm_gradient": _layer_norm_gradient,
    "layer_norm_affine_gradient": _layer_norm_affine_gradient,
    "batch_norm": _batch_norm,
    "var": _var,
}
