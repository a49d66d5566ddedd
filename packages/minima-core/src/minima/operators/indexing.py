"""Reading and writing parts of a tensor, with NumPy's indices."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ..dtypes import FLOAT32, as_dtype
from ..errors import ArgumentError, DTypeError, IndexRangeError
from ..tensor import Tensor
from .indices import canonical, fault, is_basic, kept
from .manipulation import reshape
from .table import Array, operator

__all__ = ["getitem", "one_hot", "put", "scatter"]


@operator(promotes=False, view=True)
def getitem(xp: Any, x: Array, index: Any) -> Any:
    """Return ``x[index]`` with NumPy's meaning: a view for integers and slices, else a copy.

    Integers, slices, ``...``, None, and arrays, lists or Tensors of integers or bools, mixed.
    Gradient: added up where an element is picked more than once.
    Raises: IndexRangeError, naming axis, index and size, also for an element of an array and for a
    mask of another shape; DTypeError for what is no index.

    >>> import minima as mi
    >>> mi.Tensor([1.0, 2.0, 3.0])[[0, 2, 2]]
    Tensor([1., 3., 3.])
    """
    try:
        return x[index]
    except (IndexError, ValueError) as error:
        raise fault("getitem", x.shape, index, error) from None


@getitem.prepare
def _(x: Tensor, index: Any) -> dict[str, Any]:
    return {"index": kept(canonical("getitem", index, x.shape, x._device), x)}


@getitem.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, index: tuple[Any, ...]) -> Any:
    return scatter(g, x.shape, index)


@operator(promotes=False)
def scatter(xp: Any, x: Array, shape: tuple[int, ...], index: Any) -> Any:
    """Return zeros of *shape* with x added at *index*: the gradient of `getitem`.

    >>> import minima as mi
    >>> mi.operators.scatter(mi.Tensor([1.0, 2.0, 4.0]), (3,), ([0, 2, 2],))
    Tensor([1., 0., 6.])
    """
    out = xp.zeros(shape, dtype=x.dtype)
    try:
        if is_basic(index):
            out[index] = x
        else:
            xp.add.at(out, index, x)
    except (IndexError, ValueError) as error:
        raise fault("scatter", shape, index, error, x.shape) from None
    return out


@scatter.prepare
def _(x: Tensor, shape: tuple[int, ...], index: Any) -> dict[str, Any]:
    parts = canonical("scatter", index, shape, x._device)
    return {"shape": tuple(shape), "index": kept(parts, x)}


@scatter.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    return getitem(g, index)


@operator
def put(xp: Any, x: Array, value: Array, index: Any) -> Any:
    """Return a copy of x with *value*, broadcast, written at *index*.

    Gradient: that of what was overwritten is 0. Where *index* names an element twice, one of
    the values stays and only unique indices have a defined gradient.

    >>> import minima as mi
    >>> mi.operators.put(mi.Tensor([1.0, 2.0, 3.0]), 9.0, 1)
    Tensor([1., 9., 3.])
    """
    out = xp.asarray(x, copy=True)
    try:
        out[index] = value
    except (IndexError, ValueError) as error:
        raise fault("put", x.shape, index, error, value.shape) from None
    return out


@put.prepare
def _(x: Tensor, value: Tensor, index: Any) -> dict[str, Any]:
    return {"index": kept(canonical("put", index, x.shape, x._device), x, value)}


@put.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, value: Any, index: tuple[Any, ...]) -> Any:
    def written() -> Tensor:
        part = getitem(g, index)
        lead = value.ndim - part.ndim
        if lead > 0:  # NumPy takes a value with leading axes of size 1
            part = reshape(part, (1,) * lead + part.shape)
        return part

    return (lambda: put(g, 0.0, index)), written


@operator(promotes=False)
def one_hot(xp: Any, indices: Array, num_classes: int, dtype: npt.DTypeLike = FLOAT32) -> Any:
    """Return rows with a 1 at each index and 0 elsewhere.

    Shapes: indices (*) -> (*, num_classes). Gradient: none.
    Raises: IndexRangeError when an index is not in 0 .. num_classes - 1.

    >>> import minima as mi
    >>> mi.one_hot(mi.Tensor([0, 2]), 3)
    Tensor([[1., 0., 0.],
            [0., 0., 1.]])
    """
    check_range("one_hot", xp, indices, num_classes)
    return xp.astype(indices[..., None] == xp.arange(num_classes), dtype)


@one_hot.prepare
def _(indices: Tensor, num_classes: int, dtype: npt.DTypeLike) -> dict[str, Any]:
    if not hasattr(num_classes, "__index__") or num_classes < 1:
        raise ArgumentError(f"one_hot: got {num_classes!r} classes; expected a positive integer")
    check_integers("one_hot", indices)
    return {"num_classes": int(num_classes), "dtype": as_dtype(dtype)}


def check_integers(name: str, indices: Tensor) -> None:
    """Raise unless *indices* are integers.

    >>> import minima as mi
    >>> check_integers("one_hot", mi.Tensor([0.5]))
    Traceback (most recent call last):
    minima.errors.DTypeError: one_hot: got class indices of float32; expected integers: use \
.astype('int64')
    """
    if indices.dtype.kind not in "iu":
        raise DTypeError(
            f"{name}: got class indices of {indices.dtype}; expected integers: use .astype('int64')"
        )


def check_range(name: str, xp: Any, indices: Any, classes: int, noun: str = "class") -> None:
    """Raise, from inside of a kernel, unless all *indices* are in 0 .. classes - 1.

    *noun* is what the error calls one of them.

    >>> check_range("one_hot", np, np.array([0, 3]), 3)
    Traceback (most recent call last):
    minima.errors.IndexRangeError: one_hot: got class 3; expected 0 to 2
    """
    if indices.size:
        low, high = int(xp.min(indices)), int(xp.max(indices))
        if low < 0 or high >= classes:
            raise IndexRangeError(
                f"{name}: got {noun} {low if low < 0 else high}; expected 0 to {classes - 1}"
            )
