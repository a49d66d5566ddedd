"""Picking and placing whole rows, and adding up what goes to one place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..explain import explained
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, divide, floor_divide, maximum, multiply, subtract
from .axes import canonical_axis
from .comparison import bitwise_and, bitwise_or, equal, isnan, less, not_equal, where
from .composed import composite
from .creation import arange, full, ones_like, zeros_like
from .cumulative import cumulative_sum
from .gathering import (
    _as,
    _common,
    _corner,
    _need_bools,
    _need_corner,
    _need_integers,
    _of_index,
    along,
    scatter_along_axis,
    take,
    take_along_axis,
)
from .indexing import getitem, put
from .joining import array_split, concat
from .manipulation import astype, broadcast_to, copy, reshape
from .norms import _vector_norm
from .rearrangement import repeat
from .sorting import argsort

__all__ = [
    "dsplit",
    "hsplit",
    "index_copy",
    "index_fill",
    "masked_scatter",
    "renorm",
    "repeat_interleave",
    "scatter_reduce",
    "select",
    "vsplit",
]


# ---- parts ---------------------------------------------------------------------------------------
@composite
def select(x: TensorLike, axis: int, index: int) -> Tensor:
    """Return the part of x with one *index* along *axis*, which goes: a view.

    Raises: IndexRangeError for an index out of range.

    >>> import minima as mi
    >>> mi.select(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, 0)
    Tensor([1., 3.])
    """
    t = as_tensor(x)
    place = canonical_axis("select", axis, t.ndim)
    try:
        at = index.__index__()
    except (AttributeError, TypeError):
        raise DTypeError(f"select: got index {index!r}; expected an integer") from None
    return getitem(t, (*(slice(None),) * place, at))


@composite
def hsplit(x: TensorLike, parts: int | list[int]) -> tuple[Tensor, ...]:
    """Cut x along its second axis, or the only one, into equal *parts*, or before each index.

    Raises: ShapeError where the parts would not be equal, or for a tensor without axes.

    >>> import minima as mi
    >>> mi.hsplit(mi.Tensor([[1.0, 2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    t = as_tensor(x)
    return _equal_parts("hsplit", t, parts, 1, 0 if t.ndim == 1 else 1)


@composite
def vsplit(x: TensorLike, parts: int | list[int]) -> tuple[Tensor, ...]:
    """Cut x along its first axis into equal *parts*, or before each index.

    Raises: ShapeError where the parts would not be equal, or for fewer than two axes.

    >>> import minima as mi
    >>> mi.vsplit(mi.Tensor([[1.0], [2.0]]), 2)
    (Tensor([[1.]]), Tensor([[2.]]))
    """
    return _equal_parts("vsplit", as_tensor(x), parts, 2, 0)


@composite
def dsplit(x: TensorLike, parts: int | list[int]) -> tuple[Tensor, ...]:
    """Cut x along its third axis into equal *parts*, or before each index.

    Raises: ShapeError where the parts would not be equal, or for fewer than three axes.

    >>> import minima as mi
    >>> [part.shape for part in mi.dsplit(mi.ones((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _equal_parts("dsplit", as_tensor(x), parts, 3, 2)


def _equal_parts(name: str, t: Tensor, parts: Any, least: int, axis: int) -> tuple[Tensor, ...]:
    if t.ndim < least:
        raise ShapeError(f"{name}: got shape {t.shape}; expected at least {least} axes")
    if not isinstance(parts, tuple | list) and (parts < 1 or t.shape[axis] % parts):
        raise ShapeError(
            f"{name}: cannot cut axis {axis} of size {t.shape[axis]} into {parts} equal parts; "
            "use array_split"
        )
    return array_split(t, parts, axis)


@explained
def repeat_interleave(
    x: TensorLike, repeats: int | TensorLike | None = None, *, axis: int | None = None
) -> Tensor:
    """Return each element of x along *axis* (None: of the flat tensor) repeated, as `repeat` does.

    PyTorch's name, and its other form: without *repeats*, x says how often each of 0, 1, 2, ...
    comes. Numbers of repetitions are read. Gradient: added up over the repetitions.
    Raises: as `repeat`.

    >>> import minima as mi
    >>> mi.repeat_interleave(mi.Tensor([1.0, 2.0]), mi.Tensor([1, 3]))
    Tensor([1., 2., 2., 2.])
    >>> mi.repeat_interleave(mi.Tensor([1, 0, 2]))
    Tensor([0, 2, 2])
    """
    if repeats is not None:
        return repeat(x, repeats, axis=axis)
    counts = as_tensor(x)
    if counts.ndim != 1:
        raise ShapeError(
            f"repeat_interleave: got repeats of shape {counts.shape}; expected one axis"
        )
    return repeat(arange(counts.size, device=counts.device), counts, axis=0)


# ---- changed copies ------------------------------------------------------------------------------
@composite
def index_copy(x: TensorLike, axis: int, index: TensorLike, source: TensorLike) -> Tensor:
    """Return x with the rows of *source* in the place of its rows *index* along *axis*.

    Shapes: *index* (n,); *source* as x, but of size n along *axis*. Dtype: as x. Gradient: that of
    what was overwritten is 0; where a row is named twice, it is undefined.
    Raises: ShapeError where *source* does not fit, IndexRangeError for an index out of range.

    >>> import minima as mi
    >>> mi.index_copy(mi.zeros(3), 0, mi.Tensor([2, 0]), mi.Tensor([1.0, 5.0]))
    Tensor([5., 0., 1.])
    """
    t, i, values = as_tensor(x), as_tensor(index), as_tensor(source)
    place = canonical_axis("index_copy", axis, t.ndim)
    wanted = tuple(i.size if d == place else n for d, n in enumerate(t.shape))
    if values.shape != wanted:
        raise ShapeError(
            f"index_copy: got rows of shape {values.shape} for {i.size} along axis {place} of "
            f"shape {t.shape}; expected {wanted}"
        )
    at = along("index_copy", t, place, reshape(i, (-1,)) if not i.ndim else i)
    return put(t, _as(t, values, "index_copy"), at)


@composite
def index_fill(x: TensorLike, axis: int, index: TensorLike, value: TensorLike) -> Tensor:
    """Return x with *value*, a number, in all of its rows *index* along *axis*.

    Dtype: as x. Gradient: that of what was overwritten is 0.
    Raises: ShapeError unless *value* is one number, IndexRangeError for an index out of range.

    >>> import minima as mi
    >>> mi.index_fill(mi.zeros((2, 3)), 1, mi.Tensor([0, 2]), 7.0)
    Tensor([[7., 0., 7.],
            [7., 0., 7.]])
    """
    t, new = as_tensor(x), as_tensor(value)
    if new.ndim:
        raise ShapeError(f"index_fill: got a value of shape {new.shape}; expected one number")
    return put(t, _as(t, new, "index_fill"), along("index_fill", t, axis, index))


@composite
def masked_scatter(x: TensorLike, mask: TensorLike, source: TensorLike) -> Tensor:
    """Return x with the first elements of *source*, one after the other, where *mask* is True.

    Shapes: x and *mask* broadcast; of *source* the order of the elements counts. Dtype: as x.
    Gradient: 0 for what was replaced, and for elements of *source* that were not taken.
    Raises: DTypeError unless *mask* holds bools, IndexRangeError where *source* has too few.

    >>> import minima as mi
    >>> mi.masked_scatter(mi.zeros(3), mi.Tensor([True, False, True]), mi.Tensor([1.0, 2.0]))
    Tensor([1., 0., 2.])
    """
    t, m, values = as_tensor(x), as_tensor(mask), as_tensor(source)
    _need_bools("masked_scatter", m)
    shape = _common("masked_scatter", t, m)
    t, m = broadcast_to(t, shape), broadcast_to(m, shape)
    if not t.size:
        return copy(t)
    values = reshape(_as(t, values, "masked_scatter"), (values.size,))
    counted = cumulative_sum(astype(reshape(m, (m.size,)), np.int64), axis=0)
    if values.size:
        there = subtract(counted, 1)
    else:  # one in the place of none: out of range where one is taken
        values, there = zeros_like(reshape(t, (t.size,))[:1]), counted
    picked = take(values, maximum(there, 0), axis=0)
    return where(m, reshape(picked, shape), t)


@composite
def renorm(x: TensorLike, p: float, axis: int, maxnorm: float) -> Tensor:
    """Return x with each part along *axis* scaled down to a p-norm of *maxnorm* at most.

    Dtype: as x. Gradient: through the norms of the parts that are scaled.
    Raises: ArgumentError for a negative *maxnorm*.

    >>> import minima as mi
    >>> mi.renorm(mi.Tensor([[3.0, 4.0], [0.3, 0.4]]), 2, 0, 1.0)
    Tensor([[0.6, 0.8],
            [0.3, 0.4]])
    """
    t = as_tensor(x)
    if maxnorm < 0:
        raise ArgumentError(f"renorm: got maxnorm={maxnorm}; expected at least 0")
    place = canonical_axis("renorm", axis, t.ndim)
    others = tuple(d for d in range(t.ndim) if d != place)
    norms = _vector_norm("renorm", t, others, True, p)
    over = less(maxnorm, norms)
    scale = where(over, divide(maxnorm, add(where(over, norms, 1.0), 1e-7)), 1.0)
    return multiply(t, scale)


# ---- what goes to one place ----------------------------------------------------------------------
_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@composite
def scatter_reduce(
    x: TensorLike,
    axis: int,
    index: TensorLike,
    src: TensorLike,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """Return x where each element is the *reduce* of itself and all of *src* that lead to it.

    *reduce*: "sum", "prod", "mean", "amax" or "amin". Without *include_self* x counts only where
    nothing leads. Shapes: *index* and *src* as in `scatter_add`. Dtype: as x; means of integers are
    rounded down. Gradient: of equal extremes shared evenly; that of a product right beside zeros.
    Raises: ArgumentError for another *reduce*; ShapeError, DTypeError, IndexRangeError where
    *index* does not fit.

    >>> import minima as mi
    >>> i, src = mi.Tensor([0, 2, 2]), mi.Tensor([1.0, 2.0, 4.0])
    >>> mi.scatter_reduce(mi.ones(3), 0, i, src, "prod")
    Tensor([1., 1., 8.])
    """
    if reduce not in _REDUCTIONS:
        raise ArgumentError(f"scatter_reduce: got {reduce!r}; expected one of {_REDUCTIONS}")
    t, i = as_tensor(x), as_tensor(index)
    _need_integers("scatter_reduce", i)
    place = _need_corner("scatter_reduce", t, i, axis)
    values = _as(t, _of_index("scatter_reduce", as_tensor(src), i), "scatter_reduce")
    corner = _corner(t, i, place)
    part = getitem(t, corner)
    n = part.shape[place]
    if not part.size:
        return copy(t)
    i = where(less(i, 0), add(i, n), i)
    if include_self:
        own = reshape(arange(n, device=t.device), (n,) + (1,) * (t.ndim - place - 1))
        i = concat([broadcast_to(own, part.shape), astype(i, np.int64)], axis=place)
        values = concat([part, values], axis=place)
    if not i.size:
        return copy(t)
    out = _reduced(reduce, values, i, part.shape, place)
    if not include_self:
        out = where(equal(_count(i, part.shape, place), 0), part, out)
    return out if part.shape == t.shape else put(t, out, corner)


def _count(i: Tensor, shape: tuple[int, ...], axis: int) -> Tensor:
    """Return how many of *i* lead to each place."""
    return scatter_along_axis(astype(ones_like(i), np.int64), i, shape, axis)


def _reduced(how: str, values: Tensor, i: Tensor, shape: tuple[int, ...], axis: int) -> Tensor:
    """Return the *how* of the values of each place, anything where there is none."""
    if how in ("sum", "mean"):
        out = scatter_along_axis(values, i, shape, axis)
        if how == "sum":
            return out
        count = astype(maximum(_count(i, shape, axis), 1), out.dtype)
        return (divide if out.dtype.kind in "fcV" else floor_divide)(out, count)
    if how == "prod":
        order = argsort(i, axis=axis)
        groups = take_along_axis(i, order, axis=axis)
        products = _running_products(take_along_axis(values, order, axis=axis), groups, axis)
        return _placed(products, groups, _ends(groups, axis), shape, axis)
    best = _extremes(values.detach(), i, shape, axis, largest=how == "amax")
    if values.dtype.kind not in "fV" or not values.requires_grad:
        return best
    mine = take_along_axis(best, i, axis=axis)
    ties = bitwise_or(equal(values, mine), bitwise_and(isnan(values), isnan(mine)))
    ties = ties.detach()
    count = scatter_along_axis(astype(ties, values.dtype), i, shape, axis)
    shares = divide(where(ties, values, 0.0), take_along_axis(count, i, axis=axis))
    sums = scatter_along_axis(shares, i, shape, axis)  # the extreme, but for rounding
    exact = sums.detach()
    gap = where(equal(exact, best), 0.0, subtract(best, exact))
    return add(sums, gap)


def _before(t: Tensor, axis: int, step: int, fill: Any) -> Tensor:
    """Return *t* moved by *step* along *axis*, with *fill* ahead."""
    lead = (slice(None),) * axis
    size = t.shape[axis]
    shape = tuple(step if d == axis else n for d, n in enumerate(t.shape))
    ahead = full(shape, fill, dtype=t.dtype, device=t.device)
    return concat([ahead, getitem(t, (*lead, slice(0, size - step)))], axis=axis)


def _ends(groups: Tensor, axis: int) -> Tensor:
    """Say which of the ordered *groups* are the last of their kind."""
    lead = (slice(None),) * axis
    shape = tuple(1 if d == axis else n for d, n in enumerate(groups.shape))
    last = full(shape, True, device=groups.device)
    differ = not_equal(
        getitem(groups, (*lead, slice(1, None))), getitem(groups, (*lead, slice(0, -1)))
    )
    return concat([differ, last], axis=axis)


def _running_products(values: Tensor, groups: Tensor, axis: int) -> Tensor:
    """Return the products of the values of a group up to each, in log2(size) steps."""
    step = 1
    while step < values.shape[axis]:
        together = equal(groups, _before(groups, axis, step, -1))
        values = where(together, multiply(values, _before(values, axis, step, 1)), values)
        step *= 2
    return values


def _placed(
    values: Tensor, groups: Tensor, chosen: Tensor, shape: tuple[int, ...], axis: int
) -> Tensor:
    """Return the one value of each group that is *chosen* at its place."""
    return scatter_along_axis(where(chosen, values, zeros_like(values)), groups, shape, axis)


def _extremes(
    values: Tensor, i: Tensor, shape: tuple[int, ...], axis: int, *, largest: bool
) -> Tensor:
    """Return the extreme of the values of each place; NaN where one of them is."""
    order = argsort(values, axis=axis)
    values, i = (take_along_axis(t, order, axis=axis) for t in (values, i))
    order = argsort(i, axis=axis)  # stable: within a group the values stay in order
    values, groups = (take_along_axis(t, order, axis=axis) for t in (values, i))
    last = _placed(values, groups, _ends(groups, axis), shape, axis)
    if largest:
        return last
    first = not_equal(groups, _before(groups, axis, 1, -1))
    least = _placed(values, groups, first, shape, axis)
    return where(isnan(last), last, least) if values.dtype.kind in "fV" else least
