"""Sums, products and extremes of all elements up to each, along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from ..errors import ShapeError
from ..explain import explained
from ..records import Record
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import multiply
from .axes import canonical_axis
from .composed import composite
from .composition import vjp
from .creation import full
from .gathering import take_along_axis
from .indexing import getitem
from .joining import concat
from .manipulation import copy, reshape
from .rearrangement import flip
from .reduction import summed_as
from .special import logaddexp
from .table import Array, operator

__all__ = [
    "Extremes",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_argmax",
    "cumulative_prod",
    "cumulative_sum",
    "logcumsumexp",
]


def _part(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """Return the index of the elements from *start* to *stop* along *axis*."""
    return (*(slice(None),) * axis, slice(start, stop))


def doubled(function: Callable[[Tensor, Tensor], Tensor], x: Tensor, axis: int) -> Tensor:
    """Return what *function*, which is associative, makes of all elements up to each.

    The ranges double in each of log2(n) steps, so that it can be differentiated to any order.

    >>> import minima as mi
    >>> from minima.operators.cumulative import doubled
    >>> doubled(mi.multiply, mi.Tensor([1.0, 2.0, 3.0]), 0)
    Tensor([1., 2., 6.])
    """
    size, step = x.shape[axis], 1
    while step < size:
        ahead = getitem(x, _part(axis, None, size - step))
        joined = function(ahead, getitem(x, _part(axis, step, None)))
        x = concat([getitem(x, _part(axis, None, step)), joined], axis=axis)
        step *= 2
    return x if size > 1 else copy(x)


def _axis(name: str, x: Tensor, axis: int | None) -> int:
    """Return *axis*, which may be None for a tensor of one axis."""
    if axis is None and x.ndim > 1:
        raise ShapeError(
            f"{name}: got shape {x.shape} without axis; expected one, or a tensor of one axis"
        )
    return canonical_axis(name, 0 if axis is None else axis, x.ndim)


def _standard(
    kernel: Callable[..., Tensor],
    x: TensorLike,
    axis: int | None,
    dtype: npt.DTypeLike | None,
    include_initial: bool,
    initial: int,
) -> Tensor:
    """Run *kernel* with the keywords of the standard."""
    name = "cumulative_prod" if initial else "cumulative_sum"
    t = as_tensor(x, operation=name)
    place = _axis(name, t, axis)
    out = kernel(t, place) if dtype is None else summed_as(kernel, t, dtype, place)
    if not include_initial:
        return out
    shape = tuple(1 if a == place else n for a, n in enumerate(t.shape))
    return concat([full(shape, initial, dtype=out.dtype, device=t.device), out], axis=place)


@operator
def cumulative_sum_(xp: Any, x: Array, axis: int) -> Any:
    """Return the sums of all elements up to each along *axis*.

    >>> import minima as mi
    >>> mi.cumulative_sum(mi.Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 3., 6.])
    """
    return xp.cumsum(x, axis=axis)


@cumulative_sum_.prepare
def _(x: Tensor, axis: int) -> dict[str, Any]:
    return {"axis": canonical_axis("cumulative_sum", axis, x.ndim)}


@cumulative_sum_.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: int) -> Any:
    return flip(cumulative_sum_(flip(g, axis=axis), axis), axis=axis)


@explained
def cumulative_sum(
    x: TensorLike,
    *,
    axis: int | None = None,
    dtype: npt.DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Return the sums of all elements up to each along *axis*, which one axis need not name.

    *include_initial* puts the sum of no elements, 0, in front. *dtype*: x is cast to it first.
    Dtype: as x; bools and small integers become int64, or uint64.
    Raises: ShapeError without *axis* unless x has one axis.

    >>> import minima as mi
    >>> mi.cumulative_sum(mi.Tensor([1.0, 2.0, 3.0]), include_initial=True)
    Tensor([0., 1., 3., 6.])
    """
    return _standard(cumulative_sum_, x, axis, dtype, include_initial, 0)


@operator
def cumulative_prod_(xp: Any, x: Array, axis: int) -> Any:
    """Return the products of all elements up to each along *axis*.

    Gradient: right beside zeros too, for it does not divide.

    >>> import minima as mi
    >>> mi.cumulative_prod(mi.Tensor([1.0, 2.0, 3.0]))
    Tensor([1., 2., 6.])
    """
    return xp.cumprod(x, axis=axis)


@cumulative_prod_.prepare
def _(x: Tensor, axis: int) -> dict[str, Any]:
    return {"axis": canonical_axis("cumulative_prod", axis, x.ndim)}


@cumulative_prod_.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, axis: int) -> Any:
    return vjp(lambda t: doubled(multiply, t, axis), (x,), g)


@explained
def cumulative_prod(
    x: TensorLike,
    *,
    axis: int | None = None,
    dtype: npt.DTypeLike | None = None,
    include_initial: bool = False,
) -> Tensor:
    """Return the products of all elements up to each along *axis*, which one axis need not name.

    *include_initial* puts the product of no elements, 1, in front. *dtype*: x is cast to it first.
    Dtype: as x; bools and small integers become int64, or uint64. Gradient: right beside zeros
    too.
    Raises: ShapeError without *axis* unless x has one axis.

    >>> import minima as mi
    >>> mi.cumulative_prod(mi.Tensor([1.0, 2.0, 3.0]), include_initial=True)
    Tensor([1., 1., 2., 6.])
    """
    return _standard(cumulative_prod_, x, axis, dtype, include_initial, 1)


@composite
def cumsum(x: TensorLike, axis: int | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return the sums of all elements up to each along *axis* (None: of the flat tensor).

    >>> import minima as mi
    >>> mi.cumsum(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    Tensor([[1., 3.],
            [3., 7.]])
    """
    t = as_tensor(x)
    if axis is None:
        t, axis = reshape(t, (t.size,)), 0
    return cumulative_sum(t, axis=axis, dtype=dtype)


@composite
def cumprod(
    x: TensorLike, axis: int | None = None, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """Return the products of all elements up to each along *axis* (None: of the flat tensor).

    >>> import minima as mi
    >>> mi.cumprod(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    Tensor([[ 1.,  2.],
            [ 3., 12.]])
    """
    t = as_tensor(x)
    if axis is None:
        t, axis = reshape(t, (t.size,)), 0
    return cumulative_prod(t, axis=axis, dtype=dtype)


# ---- extremes ------------------------------------------------------------------------------------
@operator
def cumulative_argmax(xp: Any, x: Array, axis: int, smallest: bool = False) -> Any:
    """Return the index, along *axis*, of the largest element up to each, or of the *smallest*.

    Of equal elements it is the last; NaN is taken before any number. Dtype: int64. Gradient: none.

    >>> import minima as mi
    >>> mi.operators.cumulative_argmax(mi.Tensor([1.0, 3.0, 2.0, 3.0]), axis=0)
    Tensor([0, 1, 1, 3])
    """
    size, step = x.shape[axis], 1
    place = [1] * x.ndim
    place[axis] = size
    index = xp.broadcast_to(xp.reshape(xp.arange(size, dtype="int64"), place), x.shape)
    while step < size:
        start, end, rest = (_part(axis, a, b) for a, b in ((0, step), (0, -step), (step, None)))
        a, b = x[end], x[rest]
        later = ((b <= a) if smallest else (b >= a)) | (b != b)
        x = xp.concat([x[start], xp.where(later, b, a)], axis=axis)
        index = xp.concat([index[start], xp.where(later, index[rest], index[end])], axis=axis)
        step *= 2
    return xp.asarray(index, copy=True)


@cumulative_argmax.prepare
def _(x: Tensor, axis: int, smallest: bool) -> dict[str, Any]:
    return {
        "axis": canonical_axis("cumulative_argmax", axis, x.ndim),
        "smallest": bool(smallest),
    }


class Extremes(Record):
    """The extremes up to each element, and where they are along the axis."""

    values: Tensor
    indices: Tensor


@composite
def cummax(x: TensorLike, axis: int = -1) -> Extremes:
    """Return the largest of all elements up to each along *axis*, and its index.

    NaN from the first NaN on. Gradient: to the element at the index, which of equal ones is the
    last.

    >>> import minima as mi
    >>> mi.cummax(mi.Tensor([1.0, 3.0, 2.0])).values
    Tensor([1., 3., 3.])
    """
    t = as_tensor(x)
    place = canonical_axis("cummax", axis, t.ndim)
    indices = cumulative_argmax(t.detach(), place)
    return Extremes(take_along_axis(t, indices, axis=place), indices)


@composite
def cummin(x: TensorLike, axis: int = -1) -> Extremes:
    """Return the smallest of all elements up to each along *axis*, and its index.

    NaN from the first NaN on. Gradient: to the element at the index, which of equal ones is the
    last.

    >>> import minima as mi
    >>> mi.cummin(mi.Tensor([3.0, 1.0, 2.0])).values
    Tensor([3., 1., 1.])
    """
    t = as_tensor(x)
    place = canonical_axis("cummin", axis, t.ndim)
    indices = cumulative_argmax(t.detach(), place, smallest=True)
    return Extremes(take_along_axis(t, indices, axis=place), indices)


@composite
def logcumsumexp(x: TensorLike, axis: int = -1) -> Tensor:
    """Return the logarithms of the sums of exp of all elements up to each along *axis*.

    Each range has a maximum of its own that is taken off, so that nothing overflows or is lost.

    >>> import minima as mi
    >>> mi.logcumsumexp(mi.Tensor([1000.0, 1000.0]))
    Tensor([1000.    , 1000.6932])
    """
    t = as_tensor(x)
    return doubled(logaddexp, t, canonical_axis("logcumsumexp", axis, t.ndim))
