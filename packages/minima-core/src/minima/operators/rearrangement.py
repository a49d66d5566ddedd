"""Elements in another place: axes moved, reversed, rolled, repeated, diagonals read and written.

All but `diagonal` is composed of other operators; what only changes strides is a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..methods import Axis
from ..tensor import Tensor, TensorLike, as_tensor
from .axes import canonical_axes, canonical_axis, whole
from .composed import composite
from .indexing import getitem, scatter
from .joining import concat
from .manipulation import broadcast_to, copy, expand_dims, permute_dims, reshape
from .table import Array, operator

__all__ = [
    "diag",
    "diag_embed",
    "diagonal",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "movedim",
    "narrow",
    "ravel",
    "repeat",
    "roll",
    "rot90",
    "swapaxes",
    "tile",
    "unflatten",
    "unsqueeze",
]


# ---- axes ----------------------------------------------------------------------------------------
@composite
def moveaxis(
    x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> Tensor:
    """Return a view with the axes *source* at *destination*, the others in their order.

    Raises: ShapeError for an axis that x lacks, ArgumentError unless both name as many axes, each
    once.

    >>> import minima as mi
    >>> mi.moveaxis(mi.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    t = as_tensor(x)
    given = canonical_axes("moveaxis", source, t.ndim)
    wanted = canonical_axes("moveaxis", destination, t.ndim)
    if len(given) != len(wanted):
        raise ArgumentError(
            f"moveaxis: got {len(given)} axes to move, {source}, and {len(wanted)} places, "
            f"{destination}; expected as many of both"
        )
    order = [a for a in range(t.ndim) if a not in given]
    for place, axis in sorted(zip(wanted, given)):
        order.insert(place, axis)
    return permute_dims(t, order)


@composite
def movedim(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return a view with the axes *source* at *destination*; another name of `moveaxis`.

    >>> import minima as mi
    >>> mi.movedim(mi.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return moveaxis(x, source, destination)


@composite
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Return a view with two axes in each other's place.

    >>> import minima as mi
    >>> mi.swapaxes(mi.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    t = as_tensor(x)
    order = list(range(t.ndim))
    i, j = (canonical_axis("swapaxes", a, t.ndim) for a in (axis1, axis2))
    order[i], order[j] = j, i
    return permute_dims(t, order)


@composite
def unsqueeze(x: TensorLike, axis: int) -> Tensor:
    """Return a view with a new axis of size 1 at *axis*; another name of `expand_dims`.

    >>> import minima as mi
    >>> mi.unsqueeze(mi.Tensor([1.0, 2.0]), 1).shape
    (2, 1)
    """
    return expand_dims(x, axis)


@composite
def ravel(x: TensorLike) -> Tensor:
    """Return all elements along one axis: a view where the layout allows it.

    >>> import minima as mi
    >>> mi.ravel(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 2., 3., 4.])
    """
    return reshape(x, (-1,)) if as_tensor(x).size else reshape(x, (0,))


@composite
def unflatten(x: TensorLike, axis: int, sizes: Sequence[int]) -> Tensor:
    """Split one axis into several of *sizes*, of which one may be -1: the inverse of `flatten`.

    Raises: ShapeError when the sizes do not multiply to that of the axis.

    >>> import minima as mi
    >>> mi.unflatten(mi.zeros((2, 6)), 1, (3, -1)).shape
    (2, 3, 2)
    """
    t = as_tensor(x)
    place = canonical_axis("unflatten", axis, t.ndim)
    size, wanted = t.shape[place], tuple(sizes)
    known = prod(n for n in wanted if n != -1)
    if wanted.count(-1) == 1 and known > 0 and size % known == 0:
        wanted = tuple(size // known if n == -1 else n for n in wanted)
    if prod(wanted) != size or any(n < 0 for n in wanted):
        raise ShapeError(
            f"unflatten: cannot split axis {place} of shape {t.shape}, of size {size}, into "
            f"{tuple(sizes)}; expected sizes that multiply to {size}, at most one of them -1"
        )
    return reshape(t, t.shape[:place] + wanted + t.shape[place + 1 :])


# ---- order along axes ----------------------------------------------------------------------------
@composite
def flip(x: TensorLike, *, axis: Axis = None) -> Tensor:
    """Return a view with the elements along *axis* (None: all axes) in reverse.

    >>> import minima as mi
    >>> mi.flip(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    Tensor([[2., 1.],
            [4., 3.]])
    """
    t = as_tensor(x)
    axes = canonical_axes("flip", axis, t.ndim)
    if not axes:
        return t
    return getitem(t, tuple(slice(None, None, -1 if a in axes else 1) for a in range(t.ndim)))


@composite
def fliplr(x: TensorLike) -> Tensor:
    """Return a view with the columns, axis 1, in reverse.

    >>> import minima as mi
    >>> mi.fliplr(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[2., 1.],
            [4., 3.]])
    """
    return flip(x, axis=1)


@composite
def flipud(x: TensorLike) -> Tensor:
    """Return a view with the rows, axis 0, in reverse.

    >>> import minima as mi
    >>> mi.flipud(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[3., 4.],
            [1., 2.]])
    """
    return flip(x, axis=0)


@composite
def rot90(x: TensorLike, k: int = 1, axes: Sequence[int] = (0, 1)) -> Tensor:
    """Return a view turned *k* times by 90 degrees in the plane of *axes*, from the first.

    >>> import minima as mi
    >>> mi.rot90(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[2., 4.],
            [1., 3.]])
    """
    t = as_tensor(x)
    plane = canonical_axes("rot90", tuple(axes), t.ndim)
    if len(plane) != 2:
        raise ArgumentError(f"rot90: got axes {tuple(axes)}; expected two of them")
    first, second = plane
    turned = {
        0: lambda: t,
        1: lambda: swapaxes(flip(t, axis=second), first, second),
        2: lambda: flip(t, axis=plane),
        3: lambda: flip(swapaxes(t, first, second), axis=second),
    }
    return turned[k % 4]()


@composite
def roll(x: TensorLike, shift: int | Sequence[int], *, axis: Axis = None) -> Tensor:
    """Move the elements by *shift* along *axis*; what leaves at one end enters at the other.

    With *axis* None the flat tensor is rolled, and given its shape again.
    Raises: ArgumentError unless there is one shift, or as many as axes.

    >>> import minima as mi
    >>> mi.roll(mi.Tensor([1.0, 2.0, 3.0, 4.0]), 1)
    Tensor([4., 1., 2., 3.])
    """
    t = as_tensor(x)
    if axis is None:
        many = shift if isinstance(shift, tuple | list) else (shift,)
        if len(many) != 1:
            raise ArgumentError(f"roll: got shifts {shift} without axis; expected one of each")
        return reshape(roll(ravel(t), many[0], axis=0), t.shape)
    wanted = axis if isinstance(axis, tuple | list) else (axis,)
    axes = [canonical_axis("roll", a, t.ndim) for a in wanted]
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ArgumentError(
            f"roll: got {len(shifts)} shifts, {shift}, for {len(axes)} axes, {axis}; "
            "expected one shift, or as many as axes"
        )
    for place, by in zip(axes, shifts):
        size = t.shape[place]
        cut = -int(by) % size if size else 0
        if cut:
            ahead = (slice(None),) * place
            ends = (slice(cut, None), slice(None, cut))
            t = concat([getitem(t, (*ahead, end)) for end in ends], axis=place)
    return copy(t) if t is x else t  # never x itself, whatever the shifts are


@composite
def narrow(x: TensorLike, axis: int, start: int, length: int) -> Tensor:
    """Return a view of *length* indices along *axis*, from *start* on.

    Raises: ShapeError when they do not lie within the axis.

    >>> import minima as mi
    >>> mi.narrow(mi.Tensor([1.0, 2.0, 3.0, 4.0]), 0, 1, 2)
    Tensor([2., 3.])
    """
    t = as_tensor(x)
    place = canonical_axis("narrow", axis, t.ndim)
    size = t.shape[place]
    first = start + size if start < 0 else start
    if not 0 <= first <= first + length <= size:
        raise ShapeError(
            f"narrow: got start {start} and length {length} for axis {place} of size {size}; "
            "expected indices within it"
        )
    return getitem(t, (*(slice(None),) * place, slice(first, first + length)))


# ---- repetition ----------------------------------------------------------------------------------
@composite
def repeat(x: TensorLike, repeats: int | TensorLike, *, axis: int | None = None) -> Tensor:
    """Return each element along *axis* (None: of the flat tensor) repeated.

    *repeats* is a number, or an array or tensor of integers, one for each element; its values
    decide the result's shape and are therefore read. Gradient: added up over the repetitions.
    Raises: ArgumentError for a negative number, DTypeError for one that is no integer, ShapeError
    unless there is one for each element.

    >>> import minima as mi
    >>> mi.repeat(mi.Tensor([1.0, 2.0]), 2)
    Tensor([1., 1., 2., 2.])
    >>> mi.repeat(mi.Tensor([1.0, 2.0]), mi.Tensor([1, 3]))
    Tensor([1., 2., 2., 2.])
    """
    t = as_tensor(x)
    if axis is None:
        t, axis = ravel(t), 0
    place = canonical_axis("repeat", axis, t.ndim)
    counts = repeats.numpy() if isinstance(repeats, Tensor) else np.asarray(repeats)
    if counts.dtype.kind not in "iu" and counts.size:
        raise DTypeError(f"repeat: got repeats of {counts.dtype}; expected integers")
    if counts.size and counts.min() < 0:
        raise ArgumentError(f"repeat: got {counts.min()} repeats; expected at least 0")
    size = t.shape[place]
    if counts.size == 1:
        n, kept = int(counts.ravel()[0]), t.shape
        if n == 1:
            return copy(t)
        wide = broadcast_to(expand_dims(t, place + 1), (*kept[: place + 1], n, *kept[place + 1 :]))
        return reshape(wide, (*kept[:place], size * n, *kept[place + 1 :]))
    if counts.shape != (size,):
        raise ShapeError(
            f"repeat: got repeats of shape {counts.shape} for axis {place} of size {size}; "
            f"expected one number or shape ({size},)"
        )
    index = np.repeat(np.arange(size), counts.astype(np.int64))
    return getitem(t, (*(slice(None),) * place, index))


@composite
def tile(x: TensorLike, repetitions: int | Sequence[int]) -> Tensor:
    """Return copies of x side by side, as many along each of the last axes as *repetitions* says.

    Missing axes of x are added in front. Gradient: added up over the copies.
    Raises: ArgumentError for a negative number.

    >>> import minima as mi
    >>> mi.tile(mi.Tensor([1.0, 2.0]), (2, 2))
    Tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    t = as_tensor(x)
    given = tuple(repetitions) if isinstance(repetitions, tuple | list) else (repetitions,)
    if any(n < 0 for n in given):
        raise ArgumentError(f"tile: got repetitions {given}; expected numbers of at least 0")
    ndim = max(t.ndim, len(given))
    shape = (1,) * (ndim - t.ndim) + t.shape
    times = (1,) * (ndim - len(given)) + given
    if set(times) <= {1}:
        return copy(reshape(t, shape))
    apart = reshape(t, [n for size in shape for n in (1, size)])
    wide = broadcast_to(apart, [n for pair in zip(times, shape) for n in pair])
    return reshape(wide, [n * size for n, size in zip(times, shape)])


# ---- diagonals -----------------------------------------------------------------------------------
@operator(view=True)
def diagonal(xp: Any, x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return a read-only view of the diagonals in the planes of *axis1* and *axis2*.

    The diagonal is the last axis; element i has index i on axis1 and i + *offset* on axis2.

    >>> import minima as mi
    >>> mi.diagonal(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return xp.diagonal(x, offset=offset, axis1=axis1, axis2=axis2)


@diagonal.prepare
def _(x: Tensor, offset: int, axis1: int, axis2: int) -> dict[str, Any]:
    first, second = canonical_axes("diagonal", (axis1, axis2), x.ndim)
    return {"offset": int(offset), "axis1": first, "axis2": second}


@diagonal.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    return _on_diagonal(g, (x.shape[axis1], x.shape[axis2]), offset, axis1, axis2)


def _on_diagonal(
    values: Tensor, plane: tuple[int, int], offset: int, axis1: int, axis2: int
) -> Tensor:
    """Return zeros with *values* on the diagonals of new axes of the sizes *plane*."""
    count, lead = values.shape[-1], values.shape[:-1]
    rows = np.arange(count) + max(0, -offset)
    columns = np.arange(count) + max(0, offset)
    spread = scatter(values, (*lead, *plane), (..., rows, columns))
    order = list(range(len(lead)))
    for place, axis in sorted(((axis1, len(lead)), (axis2, len(lead) + 1))):
        order.insert(place, axis)
    return permute_dims(spread, order)


@composite
def diag_embed(x: TensorLike, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Tensor:
    """Return zeros with the last axis of x on the diagonals of the new axes *axis1* and *axis2*.

    Shapes: (*, n) -> (*, m, m) with m = n + abs(offset).

    >>> import minima as mi
    >>> mi.diag_embed(mi.Tensor([1.0, 2.0]))
    Tensor([[1., 0.],
            [0., 2.]])
    """
    t = as_tensor(x)
    if not t.ndim:
        raise ShapeError("diag_embed: got shape (); expected at least one axis")
    first, second = canonical_axes("diag_embed", (axis1, axis2), t.ndim + 1)
    size = t.shape[-1] + abs(whole("diag_embed", "offset", offset))
    return _on_diagonal(t, (size, size), offset, first, second)


@composite
def diag(x: TensorLike, k: int = 0) -> Tensor:
    """Return the *k*-th diagonal of a matrix, or a matrix with a vector on it.

    Raises: ShapeError for another number of axes.

    >>> import minima as mi
    >>> mi.diag(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    Tensor([2.])
    """
    t = as_tensor(x)
    if t.ndim == 1:
        return diag_embed(t, k)
    if t.ndim == 2:
        return diagonal(t, k)
    raise ShapeError(f"diag: got shape {t.shape}; expected one axis or two")
