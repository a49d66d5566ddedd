"""Extremes, quantiles beside NaN, covariances, and the most frequent element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float_for
from ..errors import ShapeError
from ..methods import Axis
from ..records import Record
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import divide, maximum, multiply, subtract
from .axes import canonical_axis
from .comparison import clip, not_equal, where
from .complex import conjugated, real
from .composed import alike, composite
from .creation import arange, full
from .cumulative import cummax
from .exponential import sqrt
from .gathering import take_along_axis
from .indexing import getitem
from .joining import concat
from .linear_algebra import matmul
from .manipulation import astype, expand_dims, permute_dims, reshape, squeeze
from .products import matrix_transpose
from .rearrangement import diagonal
from .reduction import argmax
from .reduction import max as largest
from .reduction import min as smallest
from .reduction import sum as total
from .sorting import Picked, argsort
from .statistics import histogram

__all__ = [
    "Range",
    "amax",
    "amin",
    "aminmax",
    "corrcoef",
    "cov",
    "histc",
    "mode",
]


# ---- extremes ------------------------------------------------------------------------------------
class Range(Record):
    """The smallest and the largest element."""

    min: Tensor
    max: Tensor


@composite
def amax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element along *axis*, one, several or None; NaN where there is one.

    PyTorch's and NumPy's name of `max`, which in PyTorch also returns indices.
    Gradient: shared evenly between equal ones. Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.amax(mi.Tensor([[1.0, 2.0], [4.0, 3.0]]), axis=(0, 1))
    Tensor(4.)
    """
    return largest(x, axis, keepdims)


@composite
def amin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element along *axis*, one, several or None; NaN where there is one.

    PyTorch's and NumPy's name of `min`, which in PyTorch also returns indices.
    Gradient: shared evenly between equal ones. Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.amin(mi.Tensor([[1.0, 2.0], [4.0, 3.0]]), axis=(0, 1))
    Tensor(1.)
    """
    return smallest(x, axis, keepdims)


@composite
def aminmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Range:
    """Return the smallest and the largest element along *axis*.

    Gradient: shared evenly between equal ones. Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.aminmax(mi.Tensor([2.0, 1.0, 3.0]))
    Range(min=Tensor(1.), max=Tensor(3.))
    """
    return Range(smallest(x, axis, keepdims), largest(x, axis, keepdims))


@composite
def mode(x: TensorLike, axis: int = -1, keepdims: bool = False) -> Picked:
    """Return the most frequent element along *axis* and the last index where it is.

    Of several that are as frequent the smallest. Gradient: to the element at the index.
    Raises: ShapeError over no elements.

    >>> import minima as mi
    >>> mi.mode(mi.Tensor([3.0, 1.0, 3.0, 2.0]))
    Picked(values=Tensor(3.), indices=Tensor(2))
    """
    t = as_tensor(x)
    place = canonical_axis("mode", axis, t.ndim)
    n = t.shape[place]
    if not n:
        raise ShapeError(f"mode: axis {place} of shape {t.shape} is empty; expected an element")
    last = permute_dims(t.detach(), [*(d for d in range(t.ndim) if d != place), place])
    order = argsort(last, axis=-1)
    ordered = take_along_axis(last, order, axis=-1)
    numbers = arange(n, device=t.device)
    changes = not_equal(getitem(ordered, (..., slice(1, None))), getitem(ordered, (..., slice(-1))))
    ahead = full((*last.shape[:-1], 1), True, device=t.device)
    starts = cummax(where(concat([ahead, changes], axis=-1), numbers, 0), axis=-1).values
    longest = argmax(subtract(numbers, starts), axis=-1, keepdims=True)
    index = expand_dims(squeeze(take_along_axis(order, longest, axis=-1), -1), place)
    values = take_along_axis(t, index, axis=place)
    return Picked(*(v if keepdims else squeeze(v, place) for v in (values, index)))


# ---- covariances ---------------------------------------------------------------------------------
@composite
def cov(
    x: TensorLike,
    *,
    correction: float = 1,
    fweights: TensorLike | None = None,
    aweights: TensorLike | None = None,
) -> Tensor:
    """Return the covariances of the rows of x, whose columns are observations.

    Divided by their number less *correction*. *fweights* say how often each observation was made,
    *aweights* how much it counts. Shapes: (m, n) -> (m, m); (n,) -> (). Dtype: as x; integers
    become float32.
    Raises: ShapeError for more than two axes, or weights that are not one for each observation.

    >>> import minima as mi
    >>> mi.cov(mi.Tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    (t,) = alike(x, floating=True)
    if t.ndim > 2:
        raise ShapeError(f"cov: got shape {t.shape}; expected (variables, observations)")
    rows = t if t.ndim == 2 else reshape(t, (1, t.size))
    n = rows.shape[1]
    counts = _weights("fweights", fweights, rows)
    parts = _weights("aweights", aweights, rows)
    weights = [w for w in (counts, parts) if w is not None]
    w = weights[0] if weights else None
    if len(weights) == 2:
        w = multiply(*weights)
    mass: Any = float(n) if w is None else total(w)
    weighted = rows if w is None else multiply(rows, w)
    apart = subtract(rows, divide(total(weighted, axis=1, keepdims=True), mass))
    lost: Any = correction
    if parts is not None and w is not None:
        lost = divide(multiply(total(multiply(w, parts)), correction), mass)
    weighted = apart if w is None else multiply(apart, w)
    found = matmul(weighted, matrix_transpose(conjugated(apart)))
    rest = max(mass - correction, 0.0) if isinstance(mass, float) else maximum(mass - lost, 0.0)
    found = divide(found, rest)
    return found if t.ndim == 2 else reshape(found, ())


def _weights(name: str, given: Any, rows: Tensor) -> Tensor | None:
    if given is None:
        return None
    if given.shape != rows.shape[1:]:
        raise ShapeError(
            f"cov: got {name} of shape {given.shape} for {rows.shape[1]} observations; expected "
            "one for each"
        )
    return astype(
        given, np.zeros((), rows.dtype).real.dtype if rows.dtype.kind == "c" else rows.dtype
    )


@composite
def corrcoef(x: TensorLike) -> Tensor:
    """Return the correlations of the rows of x, whose columns are observations; at most 1.

    Shapes: (m, n) -> (m, m); (n,) -> (). Dtype: as x; integers become float32. A row that does not
    vary has NaN.
    Raises: ShapeError for more than two axes.

    >>> import minima as mi
    >>> mi.corrcoef(mi.Tensor([[0.0, 1.0, 2.0], [4.0, 2.0, 0.0]]))
    Tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    found = cov(x)
    if not found.ndim:
        return divide(found, found)
    spread = sqrt(real(diagonal(found)))
    found = divide(divide(found, expand_dims(spread, 1)), expand_dims(spread, 0))
    return found if found.dtype.kind == "c" else clip(found, -1.0, 1.0)


# ---- counts --------------------------------------------------------------------------------------
@composite
def histc(x: TensorLike, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Count the elements of x in *bins* of one width between *min* and *max*.

    Equal ends stand for the smallest and the largest element. What lies outside does not count.
    `histogram` returns the edges too. The values are read. Dtype: as x; integers become float32.
    Gradient: none.
    Raises: ArgumentError for ends in the wrong order or that are not finite.

    >>> import minima as mi
    >>> mi.histc(mi.Tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    Tensor([0., 2., 1., 0.])
    """
    t = as_tensor(x).detach()
    low, high = float(min), float(max)
    if low == high and t.size:
        low, high = float(smallest(t)), float(largest(t))
    if low == high:
        low, high = low - 1, high + 1
    return astype(histogram(t, bins, (low, high)).counts, float_for(t.dtype))
