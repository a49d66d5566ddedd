"""Order: sorting, the largest k, and where values belong among sorted ones.

The indices come from `argsort`, which has no gradient, and the values are picked by them.
"""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..records import Record
from ..tensor import Tensor, TensorLike, as_tensor
from .axes import canonical_axis
from .composed import composite
from .gathering import take_along_axis
from .indexing import getitem
from .manipulation import squeeze
from .table import Array, operator

__all__ = ["Picked", "argsort", "kthvalue", "searchsorted", "sort", "topk"]


class Picked(Record):
    """Values picked along an axis, and their indices there."""

    values: Tensor
    indices: Tensor


@operator
def argsort(
    xp: Any, x: Array, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Any:
    """Return the indices that sort x along *axis*.

    Equal elements keep their order, whether or not *stable* asks for it; NaN counts as larger than
    any number. Dtype: int64. Gradient: none.
    Raises: ShapeError for a tensor without axes.

    >>> import minima as mi
    >>> mi.argsort(mi.Tensor([2.0, 3.0, 1.0]))
    Tensor([2, 0, 1])
    """
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    back = (*(slice(None),) * axis, slice(None, None, -1))
    return x.shape[axis] - 1 - xp.argsort(x[back], axis=axis, kind="stable")[back]


@argsort.prepare
def _(x: Tensor, axis: int, descending: bool, stable: bool) -> dict[str, Any]:
    place = canonical_axis("argsort", axis, x.ndim)
    return {"axis": place, "descending": bool(descending), "stable": bool(stable)}


@composite
def sort(x: TensorLike, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """Return the elements in order along *axis*.

    NaN counts as larger than any number. Gradient: to where each element came from; equal ones
    keep their order.
    Raises: ShapeError for a tensor without axes.

    >>> import minima as mi
    >>> mi.sort(mi.Tensor([2.0, 3.0, 1.0]), descending=True)
    Tensor([3., 2., 1.])
    """
    t = as_tensor(x)
    place = canonical_axis("sort", axis, t.ndim)
    indices = argsort(t.detach(), axis=place, descending=descending, stable=stable)
    return take_along_axis(t, indices, axis=place)


@composite
def topk(
    x: TensorLike, k: int, axis: int = -1, *, largest: bool = True, sorted: bool = True
) -> Picked:
    """Return the *k* largest elements along *axis*, or the smallest, and their indices.

    The first is the most extreme; without *sorted* they keep the order that they have in x. Of
    equal elements the first are taken; NaN counts as larger than any number. Gradient: to the
    elements that were picked.
    Raises: ShapeError when the axis is shorter than *k*, ArgumentError when *k* is negative.

    >>> import minima as mi
    >>> mi.topk(mi.Tensor([2.0, 3.0, 1.0]), 2)
    Picked(values=Tensor([3., 2.]), indices=Tensor([1, 0]))
    """
    t = as_tensor(x)
    place = canonical_axis("topk", axis, t.ndim)
    _reaches("topk", t, place, k, 0)
    order = argsort(t.detach(), axis=place, descending=largest)
    indices = getitem(order, (*(slice(None),) * place, slice(0, k)))
    if not sorted:
        indices = take_along_axis(indices, argsort(indices, axis=place), axis=place)
    return Picked(take_along_axis(t, indices, axis=place), indices)


@composite
def kthvalue(x: TensorLike, k: int, axis: int = -1, keepdims: bool = False) -> Picked:
    """Return the *k*-th smallest element along *axis*, counted from 1, and its index.

    NaN counts as larger than any number. Gradient: to the element that was picked.
    Raises: ShapeError when the axis is shorter than *k*, ArgumentError when *k* is below 1.

    >>> import minima as mi
    >>> mi.kthvalue(mi.Tensor([2.0, 3.0, 1.0]), 2)
    Picked(values=Tensor(2.), indices=Tensor(0))
    """
    t = as_tensor(x)
    place = canonical_axis("kthvalue", axis, t.ndim)
    _reaches("kthvalue", t, place, k, 1)
    order = argsort(t.detach(), axis=place)
    indices = getitem(order, (*(slice(None),) * place, slice(k - 1, k)))
    values = take_along_axis(t, indices, axis=place)
    return Picked(*(v if keepdims else squeeze(v, place) for v in (values, indices)))


def _reaches(name: str, t: Tensor, axis: int, k: int, least: int) -> None:
    """Raise unless there are *k* elements along *axis*, and *k* is at least *least*."""
    if k < least:
        raise ArgumentError(f"{name}: got k={k}; expected at least {least}")
    if k > t.shape[axis]:
        raise ShapeError(
            f"{name}: got k={k} for axis {axis} of size {t.shape[axis]}; expected at most that"
        )


@operator(promotes=("x1", "x2"))
def searchsorted(xp: Any, x1: Array, x2: Array, sorter: Array = None, *, side: str = "left") -> Any:
    """Return where to put each of x2 into x1, which is sorted, so that it stays so.

    *side* "left" gives the first such index, "right" the one after the last. *sorter* are indices
    that sort x1, where it is not. Shapes: (n), (*) -> (*). Dtype: int64. Gradient: none.
    Raises: ShapeError unless x1 and *sorter* have one axis, of one size.

    >>> import minima as mi
    >>> mi.searchsorted(mi.Tensor([1.0, 2.0, 2.0]), mi.Tensor([0.0, 2.0]))
    Tensor([0, 1])
    """
    return xp.searchsorted(x1, x2, side=side, sorter=sorter)


@searchsorted.prepare
def _(x1: Tensor, x2: Tensor, sorter: Tensor | None, side: str) -> dict[str, Any]:
    if x1.ndim != 1 or (sorter is not None and sorter.shape != x1.shape):
        also = "" if sorter is None else f" and a sorter of shape {sorter.shape}"
        raise ShapeError(
            f"searchsorted: got sorted values of shape {x1.shape}{also}; expected one axis"
        )
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: got side={side!r}; expected 'left' or 'right'")
    return {"side": side}
