"""New tensors from sizes and values, with the names of the Array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd.mode import TAPE
from ..devices import Device
from ..devices import device as find_device
from ..dtypes import FLOAT32, INT64, as_dtype, weaken
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor, TensorLike, as_tensor, wrap

__all__ = ["arange", "empty", "eye", "full", "linspace", "ones", "ones_like", "zeros", "zeros_like"]

Place = str | Device | None


def made(values: npt.NDArray[Any], device: Place) -> Tensor:
    """Return the Tensor on *device* over values that were made for it."""
    place = find_device(device)
    out = wrap(place.from_host(values), place)
    tape = TAPE.get()
    if tape is not None:
        tape.launch("constant", (), {"values": values.copy()}, out._array, place)
        tape.track(out)
    return out


def full(
    shape: int | Sequence[int],
    fill_value: complex,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor of *shape* with *fill_value* everywhere.

    Dtype: float32 for a float, int64 for an int, bool for a bool, unless given.

    >>> import minima as mi
    >>> mi.full((2,), 7.0)
    Tensor([7., 7.])
    """
    sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if any(not hasattr(n, "__index__") or n < 0 for n in sizes):
        raise ShapeError(f"full: got shape {shape!r}; expected integers of at least 0")
    chosen = weaken(None, fill_value) if dtype is None else as_dtype(dtype)
    out = made(np.full(sizes, fill_value, chosen), device)
    return out.requires_grad_() if requires_grad else out


def zeros(
    shape: int | Sequence[int],
    *,
    dtype: npt.DTypeLike = FLOAT32,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return zeros.

    >>> import minima as mi
    >>> mi.zeros((2,))
    Tensor([0., 0.])
    """
    return full(shape, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones(
    shape: int | Sequence[int],
    *,
    dtype: npt.DTypeLike = FLOAT32,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ones.

    >>> import minima as mi
    >>> mi.ones((2,))
    Tensor([1., 1.])
    """
    return full(shape, 1, dtype=dtype, device=device, requires_grad=requires_grad)


def empty(
    shape: int | Sequence[int], *, dtype: npt.DTypeLike = FLOAT32, device: Place = None
) -> Tensor:
    """Return a tensor to be filled; its values are 0 until then.

    >>> import minima as mi
    >>> mi.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype=dtype, device=device)


def zeros_like(
    x: TensorLike, *, dtype: npt.DTypeLike | None = None, device: Place = None
) -> Tensor:
    """Return zeros of the shape, dtype and device of x.

    >>> import minima as mi
    >>> mi.zeros_like(mi.Tensor([1, 2]))
    Tensor([0, 0])
    """
    t = as_tensor(x, device=device)
    return zeros(t.shape, dtype=t.dtype if dtype is None else dtype, device=device or t.device)


def ones_like(x: TensorLike, *, dtype: npt.DTypeLike | None = None, device: Place = None) -> Tensor:
    """Return ones of the shape, dtype and device of x.

    >>> import minima as mi
    >>> mi.ones_like(mi.Tensor([1, 2]))
    Tensor([1, 1])
    """
    t = as_tensor(x, device=device)
    return ones(t.shape, dtype=t.dtype if dtype is None else dtype, device=device or t.device)


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
) -> Tensor:
    """Return evenly spaced numbers from *start* (0 if only one is given) up to, without, *stop*.

    Dtype: int64 when all are ints, else float32.

    >>> import minima as mi
    >>> mi.arange(3)
    Tensor([0, 1, 2])
    """
    if step == 0:
        raise ShapeError("arange: got step 0; expected another number")
    first, last = (0, start) if stop is None else (start, stop)
    whole = all(isinstance(n, int) for n in (first, last, step))
    chosen = (INT64 if whole else FLOAT32) if dtype is None else as_dtype(dtype)
    return made(np.arange(first, last, step).astype(chosen), device)


def linspace(
    start: float,
    stop: float,
    num: int,
    *,
    dtype: npt.DTypeLike = FLOAT32,
    device: Place = None,
    endpoint: bool = True,
) -> Tensor:
    """Return *num* evenly spaced numbers from *start* to *stop*.

    >>> import minima as mi
    >>> mi.linspace(0.0, 1.0, 3)
    Tensor([0. , 0.5, 1. ])
    """
    values = np.linspace(start, stop, num, endpoint=endpoint).astype(as_dtype(dtype))
    return made(values, device)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    *,
    k: int = 0,
    dtype: npt.DTypeLike = FLOAT32,
    device: Place = None,
) -> Tensor:
    """Return a matrix with ones on its *k*-th diagonal.

    >>> import minima as mi
    >>> mi.eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    if n_rows < 0:
        raise DTypeError(f"eye: got {n_rows} rows; expected at least 0")
    return made(np.eye(n_rows, n_cols, k, dtype=as_dtype(dtype)), device)
