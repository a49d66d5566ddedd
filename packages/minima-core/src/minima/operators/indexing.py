"""Reading and writing parts of a tensor, with NumPy's indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd.mode import GRAD, TAPE
from ..dtypes import FLOAT32, as_dtype
from ..errors import ArgumentError, DTypeError, IndexRangeError
from ..tensor import Tensor
from .manipulation import reshape
from .table import Array, operator

__all__ = ["getitem", "one_hot", "put", "scatter"]


def _canonical(name: str, index: Any) -> tuple[Any, ...]:
    """Return *index* as a tuple of what NumPy takes, Tensors replaced by their buffers."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(_part(name, p) for p in parts)


def _kept(index: tuple[Any, ...], *inputs: Tensor) -> tuple[Any, ...]:
    """Return *index* as the gradient will need it: later changes of its arrays must not count."""
    if _basic(index) or not GRAD.get() or TAPE.get() is not None:
        return index
    if all(t._node is None for t in inputs):
        return index
    copy = inputs[0]._device.kernels["copy"]
    return tuple(
        p.copy() if isinstance(p, np.ndarray) else copy(p) if hasattr(p, "shape") else p
        for p in index
    )


def _part(name: str, part: Any) -> Any:
    if isinstance(part, Tensor):
        if part.dtype.kind not in "iub":
            raise DTypeError(f"{name}: got an index of {part.dtype}; expected integers or bools")
        return part._array
    if isinstance(part, list | tuple):
        return np.asarray(part) if part else np.asarray(part, np.int64)
    if isinstance(part, np.ndarray) or part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, bool | np.bool):
        return np.asarray(part)
    if hasattr(part, "__index__"):
        return int(part)
    raise DTypeError(
        f"{name}: got the index {part!r}; expected integers, slices, ..., None, or arrays of "
        "integers or bools"
    )


def _basic(index: tuple[Any, ...]) -> bool:
    """Say whether *index* picks each element at most once, so that it is a view."""
    return all(type(p) is int or p is None or p is Ellipsis or type(p) is slice for p in index)


def _is_mask(part: Any) -> bool:
    """Say whether *part* is an array of bools, which takes as many axes as it has."""
    return getattr(getattr(part, "dtype", None), "kind", "") == "b"


def _check(name: str, shape: tuple[int, ...], index: tuple[Any, ...]) -> None:
    """Raise, naming axis, index and size, when an integer of *index* is out of range."""
    used = sum(p.ndim if _is_mask(p) else 1 for p in index if p is not None)
    used -= sum(p is Ellipsis for p in index)
    if used > len(shape):
        raise IndexRangeError(
            f"{name}: got {used} indices for shape {shape}; expected at most {len(shape)}"
        )
    axis = 0
    for p in index:
        if p is Ellipsis:
            axis += len(shape) - used
        elif p is not None:
            wide = p.ndim if _is_mask(p) else 1
            if type(p) is int and not -shape[axis] <= p < shape[axis]:
                raise IndexRangeError(
                    f"{name}: index {p} is out of range for axis {axis} of size {shape[axis]}; "
                    f"expected {-shape[axis]} to {shape[axis] - 1}"
                )
            axis += wide


@operator(promotes=False, view=True)
def getitem(xp: Any, x: Array, index: Any) -> Any:
    """Return ``x[index]`` with NumPy's meaning: a view for integers and slices, else a copy.

    Gradient: added up where an element is picked more than once.
    Raises: IndexRangeError, naming axis, index and size.

    >>> import minima as mi
    >>> mi.Tensor([1.0, 2.0, 3.0])[[0, 2, 2]]
    Tensor([1., 3., 3.])
    """
    return x[index]


@getitem.prepare
def _(x: Tensor, index: Any) -> dict[str, Any]:
    parts = _canonical("getitem", index)
    _check("getitem", x.shape, parts)
    if _basic(parts) and Ellipsis not in parts:
        parts += (
            Ellipsis,
        )  # or NumPy gives a number, no view, where an integer stands for each axis
    return {"index": _kept(parts, x)}


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
    if _basic(index):
        out[index] = x
    else:
        xp.add.at(out, index, x)
    return out


@scatter.prepare
def _(x: Tensor, shape: tuple[int, ...], index: Any) -> dict[str, Any]:
    parts = _canonical("scatter", index)
    _check("scatter", shape, parts)
    return {"shape": tuple(shape), "index": _kept(parts, x)}


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
    out[index] = value
    return out


@put.prepare
def _(x: Tensor, value: Tensor, index: Any) -> dict[str, Any]:
    parts = _canonical("put", index)
    _check("put", x.shape, parts)
    return {"index": _kept(parts, x, value)}


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
