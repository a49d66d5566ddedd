"""Picking and placing elements by tensors of integers or bools.

`take_along_axis` and its gradient are operators; all else is an index made of tensors, see
`getitem` and `put`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.mode import TAPE
from ..dtypes import as_dtype
from ..errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from ..methods import Axis
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add
from .axes import canonical_axis
from .comparison import not_equal, where
from .composed import composite
from .creation import arange, made
from .indexing import getitem, put, scatter
from .inplace import check_cast
from .manipulation import broadcast_to, reshape
from .masks import mask_and_value
from .reduction import sum as total
from .table import Array, operator

__all__ = [
    "argwhere",
    "count_nonzero",
    "gather",
    "index_add",
    "index_select",
    "index_update",
    "masked_fill",
    "masked_select",
    "nonzero",
    "put_along_axis",
    "scatter_add",
    "scatter_along_axis",
    "take",
    "take_along_axis",
]


# ---- one axis, an index for each element ---------------------------------------------------------
@operator(promotes=False)
def take_along_axis(xp: Any, x: Array, indices: Array, axis: int = -1) -> Any:
    """Return, at each place of *indices*, the element of x with that index along *axis*.

    Shapes: x and indices have as many axes; all but *axis* broadcast. Indices count from the end
    where they are negative. Gradient: added up where an element is picked more than once.
    Raises: IndexRangeError for an index out of range.

    >>> import minima as mi
    >>> mi.take_along_axis(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), mi.Tensor([[1], [0]]), axis=1)
    Tensor([[2.],
            [3.]])
    """
    _check_indices("take_along_axis", xp, indices, axis, x.shape[axis])
    return xp.take_along_axis(x, indices, axis=axis)


@take_along_axis.prepare
def _(x: Tensor, indices: Tensor, axis: int) -> dict[str, Any]:
    _need_integers("take_along_axis", indices)
    place = canonical_axis("take_along_axis", axis, x.ndim)
    pairs = list(zip(x.shape, indices.shape))
    if len(x.shape) != len(indices.shape) or any(
        n != m and 1 not in (n, m) for d, (n, m) in enumerate(pairs) if d != place
    ):
        raise ShapeError(
            f"take_along_axis: got indices of shape {indices.shape} for shape {x.shape}; expected "
            f"as many axes, and equal sizes, or 1, but along axis {place}"
        )
    return {"axis": place}


@take_along_axis.gradient(saves="indices")
def _(g: Tensor, y: Any, x: Any, indices: Tensor, axis: int) -> Any:
    return (lambda: scatter_along_axis(g, indices, x.shape, axis)), None


@operator(promotes=False)
def scatter_along_axis(
    xp: Any, x: Array, indices: Array, shape: Sequence[int], axis: int = -1
) -> Any:
    """Return zeros of *shape* with x added at *indices* along *axis*.

    It is the gradient of `take_along_axis`, with the same shapes.

    >>> import minima as mi
    >>> mi.operators.scatter_along_axis(mi.Tensor([1.0, 2.0, 4.0]), mi.Tensor([0, 2, 2]), (3,))
    Tensor([1., 0., 6.])
    """
    _check_indices("scatter_along_axis", xp, indices, axis, shape[axis])
    out = xp.zeros(shape, dtype=x.dtype)
    places: list[Any] = []
    for d, n in enumerate(shape):
        grid = (
            indices if d == axis else xp.reshape(xp.arange(n), (n,) + (1,) * (len(shape) - d - 1))
        )
        places.append(grid)
    xp.add.at(out, tuple(places), x)
    return out


@scatter_along_axis.prepare
def _(x: Tensor, indices: Tensor, shape: Sequence[int], axis: int) -> dict[str, Any]:
    _need_integers("scatter_along_axis", indices)
    sizes = tuple(int(n) for n in shape)
    place = canonical_axis("scatter_along_axis", axis, len(sizes))
    if indices.ndim != len(sizes):
        raise ShapeError(
            f"scatter_along_axis: got indices of shape {indices.shape} for shape {sizes}; expected "
            "as many axes"
        )
    return {"shape": sizes, "axis": place}


@scatter_along_axis.gradient(saves="indices")
def _(g: Tensor, y: Any, x: Any, indices: Tensor, shape: tuple[int, ...], axis: int) -> Any:
    return (lambda: take_along_axis(g, indices, axis)), None


def _check_indices(name: str, xp: Any, indices: Any, axis: int, size: int) -> None:
    """Raise, from inside of a kernel, unless all *indices* lie within *axis* of *size*."""
    if indices.size:
        low, high = int(xp.min(indices)), int(xp.max(indices))
        if low < -size or high >= size:
            raise IndexRangeError(
                f"{name}: index {low if low < -size else high} is out of range for axis {axis} of "
                f"size {size}; expected "
                + (f"{-size} to {size - 1}" if size else "none, for the axis is empty")
            )


def _need_integers(name: str, indices: Tensor) -> None:
    if indices.dtype.kind not in "iu":
        raise DTypeError(
            f"{name}: got indices of {indices.dtype}; expected integers: use .astype('int64')"
        )


def _corner(x: Tensor, index: Tensor, axis: int) -> tuple[slice, ...]:
    """Return the part of x that *index* reaches: all of *axis*, else its first elements."""
    return tuple(
        slice(0, n if d == axis else m) for d, (n, m) in enumerate(zip(x.shape, index.shape))
    )


def _need_corner(name: str, x: Tensor, index: Tensor, axis: int) -> int:
    place = canonical_axis(name, axis, x.ndim)
    if index.ndim != x.ndim or any(
        m > n for d, (n, m) in enumerate(zip(x.shape, index.shape)) if d != place
    ):
        raise ShapeError(
            f"{name}: got an index of shape {index.shape} for shape {x.shape}; expected as many "
            f"axes, none longer but axis {place}"
        )
    return place


@composite
def gather(x: TensorLike, axis: int, index: TensorLike) -> Tensor:
    """Return, at each place of *index*, the element of x with that index along *axis*.

    Shapes: that of *index*, which has as many axes as x and is longer along *axis* only: for
    ``axis=1`` it is ``out[i, j] = x[i, index[i, j]]``. Gradient: added up where picked repeatedly.
    Raises: ShapeError, DTypeError, IndexRangeError where *index* does not fit.

    >>> import minima as mi
    >>> mi.gather(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, mi.Tensor([[0, 0], [1, 0]]))
    Tensor([[1., 1.],
            [4., 3.]])
    """
    t, i = as_tensor(x), as_tensor(index)
    place = _need_corner("gather", t, i, axis)
    return take_along_axis(getitem(t, _corner(t, i, place)), i, place)


@composite
def scatter_add(x: TensorLike, axis: int, index: TensorLike, src: TensorLike) -> Tensor:
    """Return x with each element of *src* added at its *index* along *axis*.

    Shapes: *index* as in `gather`; of *src* the part of the shape of *index* counts. Gradient: to
    x as it is, to *src* what its place has.

    >>> import minima as mi
    >>> mi.scatter_add(mi.zeros(3), 0, mi.Tensor([0, 2, 2]), mi.Tensor([1.0, 2.0, 4.0]))
    Tensor([1., 0., 6.])
    """
    t, i, values = as_tensor(x), as_tensor(index), as_tensor(src)
    place = _need_corner("scatter_add", t, i, axis)
    part = _corner(t, i, place)
    shape = tuple(s.stop for s in part)
    placed = scatter_along_axis(_of_index("scatter_add", values, i), i, shape, place)
    return add(t, placed if shape == t.shape else scatter(placed, t.shape, part))


def _of_index(name: str, src: Tensor, index: Tensor) -> Tensor:
    """Return the part of *src* of the shape of *index*; a number stands for all of it."""
    if src.ndim == 0:
        return broadcast_to(src, index.shape)
    if src.ndim != index.ndim or any(n < m for n, m in zip(src.shape, index.shape)):
        raise ShapeError(
            f"{name}: got values of shape {src.shape} for an index of shape {index.shape}; "
            "expected as many axes, none shorter"
        )
    return src if src.shape == index.shape else getitem(src, tuple(map(slice, index.shape)))


@composite
def put_along_axis(
    x: TensorLike, indices: TensorLike, values: TensorLike, axis: int = -1
) -> Tensor:
    """Return x with *values* at *indices* along *axis*, as `take_along_axis` picks them.

    Shapes: *values* broadcast to where the indices lead. Dtype: as x. Gradient: that of what was
    overwritten is 0; where a place is named twice, it is undefined.

    >>> import minima as mi
    >>> mi.put_along_axis(mi.zeros((2, 2)), mi.Tensor([[1], [0]]), 5.0, axis=1)
    Tensor([[0., 5.],
            [5., 0.]])
    """
    t, i = as_tensor(x), as_tensor(indices)
    _need_integers("put_along_axis", i)
    place = canonical_axis("put_along_axis", axis, t.ndim)
    if i.ndim != t.ndim:
        raise ShapeError(
            f"put_along_axis: got indices of shape {i.shape} for shape {t.shape}; expected as many "
            "axes"
        )
    parts = [
        i if d == place else reshape(arange(n, device=t.device), (n,) + (1,) * (t.ndim - d - 1))
        for d, n in enumerate(t.shape)
    ]
    return put(t, _as(t, as_tensor(values), "put_along_axis"), tuple(parts))


def placed(t: Tensor, axis: int, index: TensorLike, src: TensorLike) -> tuple[Any, Tensor]:
    """Return where `Tensor.scatter_` writes, as an index into *t*, and what."""
    i = as_tensor(index, device=t.device, operation="scatter")
    _need_integers("scatter", i)
    place = _need_corner("scatter", t, i, axis)
    values = as_tensor(src, device=t.device, operation="scatter")
    parts = [
        i if d == place else reshape(arange(n, device=t.device), (n,) + (1,) * (t.ndim - d - 1))
        for d, n in enumerate(i.shape)
    ]
    return tuple(parts), _of_index("scatter", values, i)


def along(name: str, t: Any, axis: int, index: TensorLike) -> tuple[Any, ...]:
    """Return the index that picks *index*, integers in one axis, along *axis* of *t*."""
    i = as_tensor(index, device=t.device, operation=name)
    _need_integers(name, i)
    if i.ndim > 1:
        raise ShapeError(f"{name}: got an index of shape {i.shape}; expected one axis")
    return (*(slice(None),) * canonical_axis(name, axis, t.ndim), i)


# ---- whole rows ----------------------------------------------------------------------------------
@composite
def take(x: TensorLike, indices: TensorLike, *, axis: int | None = None) -> Tensor:
    """Return the parts of x with *indices* along *axis*; None takes x as one row.

    Shapes: *axis* is replaced by those of *indices*. Gradient: added up where an index repeats.

    >>> import minima as mi
    >>> mi.take(mi.Tensor([1.0, 2.0, 3.0]), mi.Tensor([2, 2, 0]), axis=0)
    Tensor([3., 3., 1.])
    """
    t, i = as_tensor(x), as_tensor(indices)
    _need_integers("take", i)
    if axis is None:
        t, axis = reshape(t, (-1,) if t.size else (0,)), 0
    place = canonical_axis("take", axis, t.ndim)
    return t[(*(slice(None),) * place, i)]


@composite
def index_select(x: TensorLike, axis: int, index: TensorLike) -> Tensor:
    """Return the parts of x with the indices of *index*, which has one axis, along *axis*.

    >>> import minima as mi
    >>> mi.index_select(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), 1, mi.Tensor([1, 1]))
    Tensor([[2., 2.],
            [4., 4.]])
    """
    t, i = as_tensor(x), as_tensor(index)
    if i.ndim > 1:
        raise ShapeError(f"index_select: got an index of shape {i.shape}; expected one axis")
    return take(t, reshape(i, (-1,)) if not i.ndim else i, axis=axis)


# ---- NumPy's indices -----------------------------------------------------------------------------
@composite
def index_update(x: TensorLike, index: Any, value: TensorLike) -> Tensor:
    """Return x with *value*, broadcast, at ``x[index]``; x itself stays as it is.

    Dtype: as x. Gradient: that of what was overwritten is 0. See `getitem` for what an index is.

    >>> import minima as mi
    >>> mi.index_update(mi.zeros(3), slice(1, None), mi.Tensor([1.0, 2.0]))
    Tensor([0., 1., 2.])
    """
    t = as_tensor(x)
    new = _as(t, as_tensor(value), "index_update")
    masked = mask_and_value(t, index, new) if TAPE.get() is not None else None
    return put(t, new, index) if masked is None else where(masked[0], masked[1], t)


@composite
def index_add(x: TensorLike, index: Any, value: TensorLike) -> Tensor:
    """Return x with *value*, broadcast, added at ``x[index]``: as often as an index repeats.

    Dtype: as x. Gradient: to *value* what its place has.

    >>> import minima as mi
    >>> mi.index_add(mi.zeros(3), [0, 2, 2], mi.Tensor([1.0, 2.0, 4.0]))
    Tensor([1., 0., 6.])
    """
    t = as_tensor(x)
    return add(t, scatter(_as(t, as_tensor(value), "index_add"), t.shape, index))


def _as(t: Tensor, value: Tensor, name: str) -> Tensor:
    """Return *value* in the dtype of *t*."""
    if value.dtype == t.dtype:
        return value
    check_cast(name, value, t.dtype)
    return value.astype(t.dtype)


# ---- masks ---------------------------------------------------------------------------------------
def _need_bools(name: str, mask: Tensor) -> None:
    if mask.dtype.kind != "b":
        raise DTypeError(f"{name}: got a mask of {mask.dtype}; expected bools, as of x > 0")


@composite
def masked_select(x: TensorLike, mask: TensorLike) -> Tensor:
    """Return the elements of x where *mask* is True, in one axis; the two broadcast.

    >>> import minima as mi
    >>> mi.masked_select(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), mi.Tensor([True, False]))
    Tensor([1., 3.])
    """
    t, m = as_tensor(x), as_tensor(mask)
    _need_bools("masked_select", m)
    shape = _common("masked_select", t, m)
    return getitem(broadcast_to(t, shape), broadcast_to(m, shape))


@composite
def masked_fill(x: TensorLike, mask: TensorLike, value: TensorLike) -> Tensor:
    """Return x with *value* where *mask* is True; they broadcast.

    Dtype: as x. Gradient: 0 where x is replaced.

    >>> import minima as mi
    >>> mi.masked_fill(mi.Tensor([1.0, 2.0]), mi.Tensor([True, False]), 0.0)
    Tensor([0., 2.])
    """
    t, m = as_tensor(x), as_tensor(mask)
    _need_bools("masked_fill", m)
    _common("masked_fill", t, m)
    return where(m, _as(t, as_tensor(value), "masked_fill"), t)


def _common(name: str, t: Tensor, mask: Tensor) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(t.shape, mask.shape)
    except ValueError:
        raise ShapeError(
            f"{name}: a mask of shape {mask.shape} and shape {t.shape} do not broadcast; expected "
            "equal sizes, or 1, in each axis counted from the last"
        ) from None


@composite
def argwhere(x: TensorLike) -> Tensor:
    """Return the indices of the elements that are not 0, a row for each.

    Shapes: (n, ndim). Dtype: int64. Gradient: none.

    >>> import minima as mi
    >>> mi.argwhere(mi.Tensor([[1.0, 0.0], [0.0, 2.0]]))
    Tensor([[0, 0],
            [1, 1]])
    """
    t = as_tensor(x)
    return made(np.argwhere(t.numpy()).astype(np.int64, copy=False), t.device)


@composite
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Return the indices of the elements that are not 0: a tensor for each axis.

    Dtype: int64. Gradient: none. Raises: ArgumentError for a tensor without axes.

    >>> import minima as mi
    >>> mi.nonzero(mi.Tensor([0.0, 3.0, 4.0]))
    (Tensor([1, 2]),)
    """
    t = as_tensor(x)
    if not t.ndim:
        raise ArgumentError("nonzero: got shape (); expected at least one axis")
    return tuple(made(i.astype(np.int64, copy=False), t.device) for i in np.nonzero(t.numpy()))


@composite
def count_nonzero(x: TensorLike, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return how many elements along *axis* (None: all axes) are not 0; NaN is not.

    Dtype: int64. Gradient: none.

    >>> import minima as mi
    >>> mi.count_nonzero(mi.Tensor([[1.0, 0.0], [3.0, 2.0]]), axis=0)
    Tensor([2, 1])
    """
    t = as_tensor(x)
    there = t if t.dtype.kind == "b" else not_equal(t, 0)
    return total(there.astype(as_dtype("int64")), axis, keepdims)
