"""Quantiles of sorted elements: of all of them, or of those that are not NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor
from math import prod as product
from typing import Any

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..methods import Axis
from ..tensor import Tensor, TensorLike
from . import rounding
from .arithmetic import add, maximum, multiply, subtract
from .axes import canonical_axes, kept_shape
from .comparison import equal, isnan, logical_not, where
from .composed import alike, composite
from .creation import full
from .gathering import take_along_axis
from .joining import stack
from .manipulation import astype, permute_dims, reshape
from .reduction import sum as total
from .sorting import sort

__all__ = ["median", "nanmedian", "nanquantile", "quantile"]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")
#: a share from 0 to 1 -> the quantile of each row
Taken = Callable[[float], Tensor]


@composite(real=True)
def quantile(
    x: TensorLike,
    q: float | Sequence[float] | Tensor,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    method: str = "linear",
) -> Tensor:
    """Return what a share *q* of the elements along *axis* does not exceed.

    Between two elements *method* "linear" weighs them, "lower", "higher" and "nearest" take one,
    "midpoint" their mean. NaN where there is one. Several *q* make a new first axis.
    Dtype: as x; integers become float32. Gradient: to the elements that were taken, of equal ones
    in their order.
    Raises: ArgumentError for *q* outside of 0 .. 1 or another *method*, ShapeError over no
    elements.

    >>> import minima as mi
    >>> mi.quantile(mi.Tensor([1.0, 2.0, 3.0, 4.0]), [0.25, 0.5])
    Tensor([1.75, 2.5 ])
    """
    return _quantiles("quantile", x, q, axis, keepdims, method, _of_all)


@composite
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the middle element along *axis* in order, the mean of both where there are two.

    As NumPy's; PyTorch's is ``kthvalue(x, (n + 1) // 2)``. NaN where there is one.
    Dtype: as x; integers become float32. Gradient: to the elements that were taken.
    Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.median(mi.Tensor([1.0, 4.0, 2.0, 3.0]))
    Tensor(2.5)
    """
    return quantile(x, 0.5, axis, keepdims)


@composite
def nanquantile(
    x: TensorLike,
    q: float | Sequence[float] | Tensor,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    method: str = "linear",
) -> Tensor:
    """Return what a share *q* of the elements along *axis* that are not NaN does not exceed.

    As `quantile`; NaN where all are. Several *q* make a new first axis.
    Dtype: as x; integers become float32. Gradient: to the elements that were taken, 0 for NaN.
    Raises: ArgumentError for *q* outside of 0 .. 1 or another *method*, ShapeError over no
    elements.

    >>> import minima as mi
    >>> mi.nanquantile(mi.Tensor([1.0, float("nan"), 2.0]), 0.25)
    Tensor(1.25)
    """
    return _quantiles("nanquantile", x, q, axis, keepdims, method, _of_numbers)


@composite
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the median of the elements along *axis* that are not NaN; NaN where all are.

    The mean of both where there are two, as NumPy's and `median`. Dtype: as x; integers become
    float32. Gradient: to the elements that were taken, 0 for NaN.
    Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.nanmedian(mi.Tensor([1.0, float("nan"), 2.0, 5.0]))
    Tensor(2.)
    """
    return nanquantile(x, 0.5, axis, keepdims)


def _quantiles(
    name: str,
    x: Any,
    q: Any,
    axis: Axis,
    keepdims: bool,
    method: str,
    of: Callable[[Tensor, str], Taken],
) -> Tensor:
    """Return the quantiles *q* along *axis*, as *of* takes them from floating rows."""
    shares = np.asarray(q.numpy() if isinstance(q, Tensor) else q, np.float64)
    if shares.ndim > 1 or not bool(np.all((shares >= 0) & (shares <= 1))):
        raise ArgumentError(f"{name}: got q={q}; expected numbers from 0 to 1, along one axis")
    if method not in _METHODS:
        raise ArgumentError(f"{name}: got method={method!r}; expected one of {_METHODS}")
    (x,) = alike(x, floating=True)
    axes = canonical_axes(name, axis, x.ndim)
    rest = [a for a in range(x.ndim) if a not in axes]
    count = product(x.shape[a] for a in axes)
    if not count:
        raise ShapeError(
            f"{name}: there is nothing to choose from along axis {axes} of shape {x.shape}; "
            "expected at least one element"
        )
    rows = reshape(permute_dims(x, [*rest, *axes]), (*(x.shape[a] for a in rest), count))
    shape = kept_shape(x.shape, axes) if keepdims else rows.shape[:-1]
    take = of(rows, method)
    found = [reshape(take(float(share)), shape) for share in shares.ravel()]
    if not shares.ndim:
        return found[0]
    if found:
        return stack(found, axis=0)
    return full((0, *shape), 0.0, dtype=x.dtype, device=x.device)


def _of_all(rows: Tensor, method: str) -> Taken:
    """Take from all elements; NaN where there is one."""
    ordered = sort(rows)
    last = ordered[..., -1:]
    ordered = where(isnan(last), last, ordered)
    return lambda share: _between(ordered, share, method)


def _of_numbers(rows: Tensor, method: str) -> Taken:
    """Take from the elements that are not NaN; NaN where all are."""
    ordered = sort(rows)  # NaN last
    there = total(logical_not(isnan(rows.detach())), axis=-1, keepdims=True)
    ordered = where(equal(there, 0), float("nan"), ordered)  # no gradient to NaN
    last = astype(maximum(subtract(there, 1), 0), np.float64)
    return lambda share: _share(ordered, multiply(last, share), method)


def _between(ordered: Tensor, q: float, method: str) -> Tensor:
    """Return the *q*-th quantile of rows in order."""
    exact = q * (ordered.shape[-1] - 1)
    low, high = floor(exact), ceil(exact)
    if method == "nearest":
        low = high = round(exact)
    elif method in ("lower", "higher"):
        low = high = low if method == "lower" else high
    if low == high:
        return ordered[..., low]
    a, b = ordered[..., low], ordered[..., high]
    weight = 0.5 if method == "midpoint" else exact - low
    return add(multiply(a, 1.0 - weight), multiply(b, weight))


def _share(ordered: Tensor, exact: Tensor, method: str) -> Tensor:
    """Return what is at the places *exact* of each row, which lie between two elements."""
    low, high = rounding.floor(exact), rounding.ceil(exact)
    if method == "nearest":
        low = high = rounding.round(exact)
    elif method in ("lower", "higher"):
        low = high = low if method == "lower" else high
    a, b = (take_along_axis(ordered, astype(p, np.int64), axis=-1) for p in (low, high))
    if low is high:
        return a
    weight = subtract(exact, low)
    if method == "midpoint":
        weight = where(equal(weight, 0), 0.0, 0.5)
    weight = astype(weight, ordered.dtype)
    mean = add(multiply(a, subtract(1.0, weight)), multiply(b, weight))
    return where(equal(weight, 0), a, mean)
