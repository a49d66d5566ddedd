"""Statistics composed of sums, extremes and sorted elements, and the product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtypes import float_for
from ..errors import ArgumentError, DTypeError, ShapeError
from ..explain import explained
from ..methods import Axis
from ..records import Record
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import divide, multiply, subtract
from .axes import canonical_axes, canonical_axis, kept_shape, whole
from .comparison import equal, isnan, logical_not, where
from .complex import conjugated
from .composed import composite
from .creation import full, made
from .cumulative import cumulative_prod
from .exponential import sqrt
from .indexing import getitem, scatter
from .joining import concat
from .manipulation import astype, copy, permute_dims, reshape
from .rearrangement import flip
from .reduction import max as largest
from .reduction import min as smallest
from .reduction import sum, summed_as, var
from .table import Array, operator

__all__ = [
    "Histogram",
    "bincount",
    "diff",
    "histogram",
    "nanmax",
    "nanmean",
    "nanmin",
    "nansum",
    "prod",
    "ptp",
    "std",
]


# ---- products ------------------------------------------------------------------------------------
@operator
def prod_(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Multiply the elements along *axis*.

    Gradient: right beside zeros too, for it does not divide.

    >>> import minima as mi
    >>> mi.prod(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([3., 8.])
    """
    return xp.prod(x, axis=axis, keepdims=keepdims)


@prod_.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return {"axis": canonical_axes("prod", axis, x.ndim), "keepdims": bool(keepdims)}


@prod_.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Any:
    g = reshape(g, kept_shape(x.shape, axis))
    if not x.size or not axis:
        return multiply(g, full((), 1, dtype=g.dtype, device=g.device)) if x.size else x.detach()
    order = [a for a in range(x.ndim) if a not in axis] + list(axis)
    moved = permute_dims(x, order)
    rows = reshape(moved, (*moved.shape[: x.ndim - len(axis)], -1))
    others = reshape(_products_of_others(rows), moved.shape)
    back = [order.index(a) for a in range(x.ndim)]
    return multiply(conjugated(permute_dims(others, back)), g)


def _products_of_others(rows: Tensor) -> Tensor:
    """Return for each element the product of all others in its row."""
    ahead = cumulative_prod(rows[..., :-1], axis=-1, include_initial=True)
    behind = cumulative_prod(flip(rows[..., 1:], axis=-1), axis=-1, include_initial=True)
    return multiply(ahead, flip(behind, axis=-1))


@explained
def prod(
    x: TensorLike,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: npt.DTypeLike | None = None,
) -> Tensor:
    """Multiply the elements along *axis*, cast to *dtype* first if one is given.

    Dtype: as x; bools and small integers become int64, unsigned ones uint64. Gradient: right
    beside zeros too.

    >>> import minima as mi
    >>> mi.prod(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([3., 8.])
    """
    if dtype is None:
        return prod_(x, axis, keepdims)
    return summed_as(prod_, x, dtype, axis, keepdims)


# ---- spread --------------------------------------------------------------------------------------
@composite
def std(
    x: TensorLike, axis: Axis = None, keepdims: bool = False, *, correction: float = 0
) -> Tensor:
    """Return the standard deviation along *axis*, the square root of `var`.

    Dtype: as x; integers become float32. Gradient: 0 where all elements are equal.

    >>> import minima as mi
    >>> mi.std(mi.Tensor([[1.0, 2.0], [3.0, 6.0]]), axis=0)
    Tensor([1., 2.])
    """
    spread = var(x, axis, keepdims, correction=correction)
    none = equal(spread, 0)
    return where(none, 0.0, sqrt(where(none, 1.0, spread)))


@composite
def ptp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element along *axis* minus the smallest.

    Gradient: shared evenly between equal ones, as that of `max` and `min`.

    >>> import minima as mi
    >>> mi.ptp(mi.Tensor([1.0, 5.0, 3.0]))
    Tensor(4.)
    """
    return subtract(largest(x, axis, keepdims), smallest(x, axis, keepdims))


@composite
def diff(
    x: TensorLike,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: TensorLike | None = None,
    append: TensorLike | None = None,
) -> Tensor:
    """Return the differences of neighbours along *axis*, taken *n* times.

    *prepend* and *append* are joined to x first. Bools differ by exclusive or.
    Raises: ArgumentError for a negative *n*, ShapeError for a tensor without axes.

    >>> import minima as mi
    >>> mi.diff(mi.Tensor([1.0, 4.0, 9.0]))
    Tensor([3., 5.])
    """
    t = as_tensor(x)
    place = canonical_axis("diff", axis, t.ndim)
    if n < 0:
        raise ArgumentError(f"diff: got n={n}; expected at least 0")
    if n == 0:
        return copy(t)
    ends = [e if e is None else as_tensor(e) for e in (prepend, append)]
    joined = [e for e in (ends[0], t, ends[1]) if e is not None]
    t = concat(joined, axis=place) if len(joined) > 1 else t
    ahead = (slice(None),) * place
    for _ in range(n):
        after, before = t[*ahead, 1:], t[*ahead, :-1]
        t = after != before if t.dtype.kind == "b" else subtract(after, before)
    return t


# ---- without NaN ---------------------------------------------------------------------------------
@composite
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Add up the elements along *axis* that are not NaN.

    Gradient: 0 for NaN.

    >>> import minima as mi
    >>> mi.nansum(mi.Tensor([1.0, float("nan"), 2.0]))
    Tensor(3.)
    """
    return sum(_filled(as_tensor(x), 0), axis, keepdims)


@composite
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean of the elements along *axis* that are not NaN; NaN over none.

    Dtype: as x; integers become float32. Gradient: 0 for NaN.

    >>> import minima as mi
    >>> mi.nanmean(mi.Tensor([1.0, float("nan"), 2.0]))
    Tensor(1.5)
    """
    t = as_tensor(x)
    t = astype(t, float_for(t.dtype), copy=False)
    count = sum(logical_not(isnan(t)), axis, keepdims)
    return divide(sum(_filled(t, 0), axis, keepdims), astype(count, t.dtype))


@composite
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element along *axis* that is not NaN; NaN over none.

    Gradient: shared evenly between equal ones, 0 for NaN.

    >>> import minima as mi
    >>> mi.nanmax(mi.Tensor([1.0, float("nan"), 2.0]))
    Tensor(2.)
    """
    return _of_numbers(largest, as_tensor(x), -float("inf"), axis, keepdims)


@composite
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element along *axis* that is not NaN; NaN over none.

    Gradient: shared evenly between equal ones, 0 for NaN.

    >>> import minima as mi
    >>> mi.nanmin(mi.Tensor([1.0, float("nan"), 2.0]))
    Tensor(1.)
    """
    return _of_numbers(smallest, as_tensor(x), float("inf"), axis, keepdims)


def _filled(t: Tensor, value: float) -> Tensor:
    """Return *t* with *value* for NaN."""
    return where(isnan(t), value, t) if t.dtype.kind in "fcV" else t


def _of_numbers(function: Any, t: Tensor, value: float, axis: Axis, keepdims: bool) -> Tensor:
    """Return an extreme of the numbers, NaN where there are none."""
    if t.dtype.kind not in "fV":
        return function(t, axis, keepdims)  # type: ignore[no-any-return]
    found = function(_filled(t, value), axis, keepdims)
    count = sum(logical_not(isnan(t)), axis, keepdims)
    return where(equal(count, 0), float("nan"), found)


# ---- counts --------------------------------------------------------------------------------------
@composite
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0) -> Tensor:
    """Count how often each of 0, 1, 2, ... comes in x, or add up the *weights* of each.

    The largest number decides the length, at least *minlength*; it is read, so that a compiled
    function that counts runs eagerly. Shapes: (n), (n) -> (m). Dtype: int64, or that of *weights*.
    Gradient: that of the *weights*.
    Raises: DTypeError unless x holds integers, ArgumentError for a negative one, ShapeError unless
    x has one axis and *weights* its shape.

    >>> import minima as mi
    >>> mi.bincount(mi.Tensor([0, 2, 2]))
    Tensor([1, 0, 2])
    """
    t = as_tensor(x)
    numbers = t.numpy()
    if numbers.dtype.kind not in "iub":
        raise DTypeError(f"bincount: got {t.dtype}; expected integers")
    if numbers.ndim != 1:
        raise ShapeError(f"bincount: got shape {t.shape}; expected one axis")
    if numbers.size and numbers.min() < 0:
        raise ArgumentError(f"bincount: got {numbers.min()}; expected numbers of at least 0")
    if whole("bincount", "minlength", minlength) < 0:
        raise ArgumentError(f"bincount: got minlength {minlength}; expected at least 0")
    length = max(int(numbers.max(initial=0)) + 1 if numbers.size else 0, minlength)
    return _counted("bincount", t, numbers.astype(np.int64), length, weights)


def _counted(
    name: str, t: Tensor, numbers: npt.NDArray[Any], length: int, weights: TensorLike | None
) -> Tensor:
    """Return how often each number below *length* comes, or the sum of its *weights*."""
    if weights is None:
        return made(np.bincount(numbers.ravel(), minlength=length).astype(np.int64), t.device)
    given = as_tensor(weights)
    if given.shape != t.shape:
        raise ShapeError(f"{name}: got weights of shape {given.shape} for {t.shape}")
    return scatter(given, (length,), (numbers,))


class Histogram(Record):
    """Counts, and the edges of the bins: one more than there are counts."""

    counts: Tensor
    edges: Tensor


@composite(real=True)
def histogram(
    x: TensorLike,
    bins: int | Sequence[float] = 10,
    range: tuple[float, float] | None = None,
    weights: TensorLike | None = None,
    density: bool = False,
) -> Histogram:
    """Count the elements of x in *bins* of one width, or between edges; or add up their *weights*.

    Bins take their lower edge, the last both. *range* is where they lie, by default from the
    smallest to the largest element; what lies outside does not count. *density* divides by the
    sum and the widths. The values are read. Dtype: int64, or that of *weights*; float32 with
    *density*. Gradient: that of the *weights*.
    Raises: ArgumentError for bins or a range that NumPy does not take.

    >>> import minima as mi
    >>> mi.histogram(mi.Tensor([1.0, 2.0, 2.5]), 2).counts
    Tensor([1, 2])
    """
    t = as_tensor(x)
    values = t.numpy() if t.dtype.kind != "b" else t.numpy().astype(np.uint8)
    try:
        edges = np.histogram_bin_edges(values, bins, range)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"histogram: {error}; got bins={bins}, range={range}") from None
    place = np.searchsorted(edges, values, side="right") - 1
    place = np.where(values == edges[-1], len(edges) - 2, place)
    inside = (values >= edges[0]) & (values <= edges[-1])
    length = len(edges) - 1
    place = np.where(inside, place, length)  # one bin for all else, left out below
    counts = getitem(_counted("histogram", t, place, length + 1, weights), slice(0, length))
    dtype = float_for(t.dtype)
    if density:
        counts = astype(counts, float_for(counts.dtype), copy=False)
        widths = made(np.diff(edges).astype(counts.dtype), t.device)
        counts = divide(counts, multiply(widths, sum(counts)))
    return Histogram(counts, made(edges.astype(dtype), t.device))
