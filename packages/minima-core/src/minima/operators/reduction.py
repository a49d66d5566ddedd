"""Reductions along axes: ``axis`` is an integer, several, or None for all of them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy.typing as npt

from ..dtypes import as_dtype
from ..errors import ShapeError
from ..explain import explained
from ..methods import Axis
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import divide, multiply, subtract
from .axes import canonical_axes, canonical_axis, kept_shape
from .comparison import equal
from .manipulation import broadcast_to, reshape
from .table import Array, operator

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "max",
    "mean",
    "min",
    "sum",
    "summation",
    "var",
]


def _spread(t: Tensor, shape: tuple[int, ...], axis: tuple[int, ...]) -> Tensor:
    """Return *t*, reduced over *axis* of a tensor of *shape*, broadcast to that shape again."""
    kept = kept_shape(shape, axis)
    return broadcast_to(t if t.shape == kept else reshape(t, kept), shape)


@operator
def sum_(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Add up the elements along *axis*.

    Dtype: as x; bools and small integers become int64.

    >>> import minima as mi
    >>> mi.sum(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    return xp.sum(x, axis=axis, keepdims=keepdims)


@sum_.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return {"axis": canonical_axes("sum", axis, x.ndim), "keepdims": bool(keepdims)}


@sum_.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _spread(g, x.shape, axis)


@explained
def sum(
    x: TensorLike,
    axis: Axis = None,
    keepdims: bool = False,
    *,
    dtype: npt.DTypeLike | None = None,
) -> Tensor:
    """Add up the elements along *axis*, cast to *dtype* first if one is given.

    Dtype: as x; bools and small integers become int64, unsigned ones uint64.

    >>> import minima as mi
    >>> mi.sum(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    >>> mi.sum(mi.Tensor([True, True]), dtype="float32")
    Tensor(2.)
    """
    return sum_(x, axis, keepdims) if dtype is None else summed_as(sum_, x, dtype, axis, keepdims)


def summed_as(
    function: Callable[..., Tensor], x: TensorLike, dtype: npt.DTypeLike, *args: Any
) -> Tensor:
    """Return what *function* makes of x as *dtype*, in that type.

    >>> import minima as mi
    >>> from minima.operators.reduction import summed_as
    >>> summed_as(mi.sum, mi.Tensor([100, 100]), "int8")
    Tensor(-56, dtype=int8)
    """
    wanted, t = as_dtype(dtype), as_tensor(x)
    out = function(t if t.dtype == wanted else t.astype(wanted), *args)
    return out if out.dtype == wanted else out.astype(wanted)


@explained
def summation(x: TensorLike, axes: Axis = None, keepdims: bool = False) -> Tensor:
    """Add up the elements along *axes*; `sum` under the name that it has in the notebook.

    >>> import minima as mi
    >>> mi.operators.summation(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axes=(1,))
    Tensor([3., 7.])
    """
    return sum(x, axes, keepdims)


@operator(floating=True)
def mean(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the arithmetic mean along *axis*; NaN over no elements.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.mean(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([2., 3.])
    """
    count = prod(x.shape[a] for a in axis)  # type: ignore[union-attr]
    return xp.sum(x, axis=axis, keepdims=keepdims) / (count or float("nan"))


@mean.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return {"axis": canonical_axes("mean", axis, x.ndim), "keepdims": bool(keepdims)}


@mean.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    count = prod(x.shape[a] for a in axis)
    return _spread(multiply(g, 1.0 / count if count else 0.0), x.shape, axis)


@operator(floating=True)
def var(
    xp: Any, x: Array, axis: Axis = None, keepdims: bool = False, *, correction: float = 0
) -> Any:
    """Return the variance along *axis*: squared deviations summed, divided by n - *correction*.

    Dtype: as x, for complex numbers that of their parts; integers become float32. *correction* 1
    gives the unbiased estimate.

    >>> import minima as mi
    >>> mi.var(mi.Tensor([[1.0, 2.0], [3.0, 6.0]]), axis=0)
    Tensor([1., 4.])
    """
    count = prod(x.shape[a] for a in axis)  # type: ignore[union-attr]
    centred = x - xp.sum(x, axis=axis, keepdims=True) / (count or float("nan"))
    squares = xp.real(centred * xp.conj(centred)) if x.dtype.kind == "c" else centred * centred
    total = xp.sum(squares, axis=axis, keepdims=keepdims)
    return total / (count - correction if count > correction else float("nan"))


@var.prepare
def _(x: Tensor, axis: Axis, keepdims: bool, correction: float) -> dict[str, Any]:
    axes = canonical_axes("var", axis, x.ndim)
    return {"axis": axes, "keepdims": bool(keepdims), "correction": correction}


@var.gradient(saves="x")
def _(
    g: Tensor, y: Any, x: Tensor, axis: tuple[int, ...], keepdims: bool, correction: float
) -> Any:
    count = prod(x.shape[a] for a in axis)
    scale = 2.0 / (count - correction) if count > correction else float("nan")
    centred = subtract(x, mean(x, axis, True))
    return multiply(_spread(multiply(g, scale), x.shape, axis), centred)


def _extreme_prepare(name: str, x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    axes = canonical_axes(name, axis, x.ndim)
    if not prod(x.shape[a] for a in axes):
        raise ShapeError(
            f"{name}: there is nothing to choose from along axis {axes} of shape {x.shape}; "
            "expected at least one element"
        )
    return {"axis": axes, "keepdims": bool(keepdims)}


def _extreme_gradient(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...]) -> Tensor:
    """Share *g* evenly between the elements that are equal to the extreme *y*."""
    chosen = equal(x, _spread(y.detach(), x.shape, axis)).astype(g.dtype)
    return multiply(_spread(g, x.shape, axis), divide(chosen, sum(chosen, axis, True)))


@operator
def max(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest element along *axis*; NaN where there is one.

    Gradient: shared evenly between equal largest elements.
    Raises: ShapeError when there is nothing to choose from.

    >>> import minima as mi
    >>> mi.max(mi.Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=0)
    Tensor([3., 5.])
    """
    return xp.max(x, axis=axis, keepdims=keepdims)


@max.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return _extreme_prepare("max", x, axis, keepdims)


@max.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _extreme_gradient(g, y, x, axis)


@operator
def min(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the smallest element along *axis*; NaN where there is one.

    Gradient: shared evenly between equal smallest elements.
    Raises: ShapeError when there is nothing to choose from.

    >>> import minima as mi
    >>> mi.min(mi.Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=0)
    Tensor([1., 4.])
    """
    return xp.min(x, axis=axis, keepdims=keepdims)


@min.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return _extreme_prepare("min", x, axis, keepdims)


@min.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool) -> Any:
    return _extreme_gradient(g, y, x, axis)


@operator
def argmax(xp: Any, x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the index of the first largest element along *axis* (None: of the flat tensor).

    Dtype: int64. Gradient: none.

    >>> import minima as mi
    >>> mi.argmax(mi.Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    Tensor([1, 1])
    """
    return xp.argmax(x, axis=axis, keepdims=keepdims)


@argmax.prepare
def _(x: Tensor, axis: int | None, keepdims: bool) -> dict[str, Any]:
    _extreme_prepare("argmax", x, axis, keepdims)
    place = None if axis is None else canonical_axis("argmax", axis, x.ndim)
    return {"axis": place, "keepdims": bool(keepdims)}


@operator
def argmin(xp: Any, x: Array, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the index of the first smallest element along *axis* (None: of the flat tensor).

    Dtype: int64. Gradient: none.

    >>> import minima as mi
    >>> mi.argmin(mi.Tensor([[1.0, 5.0], [3.0, 4.0]]), axis=1)
    Tensor([0, 0])
    """
    return xp.argmin(x, axis=axis, keepdims=keepdims)


@argmin.prepare
def _(x: Tensor, axis: int | None, keepdims: bool) -> dict[str, Any]:
    _extreme_prepare("argmin", x, axis, keepdims)
    place = None if axis is None else canonical_axis("argmin", axis, x.ndim)
    return {"axis": place, "keepdims": bool(keepdims)}


@operator
def all(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Say whether every element along *axis* is true or nonzero.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.all(mi.Tensor([[True, False], [True, True]]), axis=1)
    Tensor([False,  True])
    """
    return xp.all(x, axis=axis, keepdims=keepdims)


@all.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return {"axis": canonical_axes("all", axis, x.ndim), "keepdims": bool(keepdims)}


@operator
def any(xp: Any, x: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """Say whether some element along *axis* is true or nonzero.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.any(mi.Tensor([[True, False], [False, False]]), axis=1)
    Tensor([ True, False])
    """
    return xp.any(x, axis=axis, keepdims=keepdims)


@any.prepare
def _(x: Tensor, axis: Axis, keepdims: bool) -> dict[str, Any]:
    return {"axis": canonical_axes("any", axis, x.ndim), "keepdims": bool(keepdims)}
