"""New tensors from sizes and values, with the names of the Array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd.mode import TAPE
from ..conversion import as_tensor, check_range
from ..devices import Device
from ..devices import device as find_device
from ..dtypes import FLOAT32, INT64, DType, as_dtype, weaken
from ..errors import ArgumentError, DTypeError, MinimaError, ShapeError
from ..explain import explained
from ..tensor import Tensor, TensorLike, wrap
from .axes import whole
from .comparison import where
from .composed import composite
from .manipulation import broadcast_to, reshape

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]

Place = str | Device | None


def made(values: npt.NDArray[Any], device: Place, requires_grad: bool = False) -> Tensor:
    """Return the Tensor on *device* over values that were made for it."""
    place = find_device(device)
    out = wrap(place.from_host(values), place)
    tape = TAPE.get()
    if tape is not None:
        tape.launch("constant", (), {"values": values.copy()}, out._array, place)
        tape.track(out)
    return out.requires_grad_() if requires_grad else out


def _given(dtype: npt.DTypeLike | None, otherwise: DType) -> DType:
    """Return the dtype asked for, or, for None, *otherwise*."""
    return otherwise if dtype is None else as_dtype(dtype)


def _sizes(operation: str, shape: Any) -> tuple[int, ...]:
    """Return *shape* as sizes: one integer, or a sequence of them."""
    try:
        sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        sizes = tuple(n.__index__() for n in sizes)
    except (TypeError, AttributeError, MinimaError):
        sizes = (-1,)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"{operation}: got shape {shape!r}; expected integers of at least 0")
    return sizes


@explained
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
    Raises: ShapeError for a negative size, DTypeError for a value that does not fit.

    >>> import minima as mi
    >>> mi.full((2,), 7.0)
    Tensor([7., 7.])
    """
    sizes = _sizes("full", shape)
    value: Any = fill_value
    if isinstance(value, Tensor):
        dtype = value.dtype if dtype is None else dtype
        fill_value = value.item()
    chosen = weaken(None, fill_value) if dtype is None else as_dtype(dtype)
    if isinstance(fill_value, int | float | complex):
        check_range("full", np.asarray(fill_value), chosen)
    try:
        values = np.full(sizes, fill_value, chosen)
    except (TypeError, ValueError, OverflowError) as error:
        raise DTypeError(
            f"full: the value {fill_value!r} does not fit into {chosen} ({error}); "
            "give another dtype"
        ) from None
    return made(values, device, requires_grad)


@explained
def zeros(
    shape: int | Sequence[int],
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return zeros.

    Dtype: float32 unless given.

    >>> import minima as mi
    >>> mi.zeros((2,))
    Tensor([0., 0.])
    """
    chosen = _given(dtype, FLOAT32)
    return full(shape, 0, dtype=chosen, device=device, requires_grad=requires_grad)


@explained
def ones(
    shape: int | Sequence[int],
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ones.

    Dtype: float32 unless given.

    >>> import minima as mi
    >>> mi.ones((2,))
    Tensor([1., 1.])
    """
    chosen = _given(dtype, FLOAT32)
    return full(shape, 1, dtype=chosen, device=device, requires_grad=requires_grad)


@explained
def empty(
    shape: int | Sequence[int],
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor to be filled; its values are 0 until then.

    Dtype: float32 unless given.

    >>> import minima as mi
    >>> mi.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype=dtype, device=device, requires_grad=requires_grad)


@explained
def full_like(
    x: TensorLike,
    fill_value: complex,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return *fill_value* everywhere in the shape, dtype and device of x.

    >>> import minima as mi
    >>> mi.full_like(mi.Tensor([1, 2]), 7)
    Tensor([7, 7])
    """
    t = as_tensor(x, device=device)
    how: dict[str, Any] = {"dtype": _given(dtype, t.dtype), "device": device or t.device}
    return full(t.shape, fill_value, **how, requires_grad=requires_grad)


@explained
def zeros_like(
    x: TensorLike,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return zeros of the shape, dtype and device of x.

    >>> import minima as mi
    >>> mi.zeros_like(mi.Tensor([1, 2]))
    Tensor([0, 0])
    """
    return full_like(x, 0, dtype=dtype, device=device, requires_grad=requires_grad)


@explained
def ones_like(
    x: TensorLike,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return ones of the shape, dtype and device of x.

    >>> import minima as mi
    >>> mi.ones_like(mi.Tensor([1, 2]))
    Tensor([1, 1])
    """
    return full_like(x, 1, dtype=dtype, device=device, requires_grad=requires_grad)


@explained
def empty_like(
    x: TensorLike,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a tensor to be filled, of the shape, dtype and device of x; its values are 0.

    >>> import minima as mi
    >>> mi.empty_like(mi.Tensor([1, 2])).dtype
    dtype('int64')
    """
    return zeros_like(x, dtype=dtype, device=device, requires_grad=requires_grad)


@explained
def arange(
    start: float,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return evenly spaced numbers from *start* (0 if only one is given) up to, without, *stop*.

    Dtype: int64 when all are ints, else float32.

    >>> import minima as mi
    >>> mi.arange(3)
    Tensor([0, 1, 2])
    """
    if step == 0:
        raise ArgumentError("arange: got step 0; expected another number")
    first, last = (0, start) if stop is None else (start, stop)
    whole = all(hasattr(n, "__index__") for n in (first, last, step))
    chosen = _given(dtype, INT64 if whole else FLOAT32)
    exact = chosen if whole and chosen.kind in "iu" else None  # in others a step may vanish
    return made(np.arange(first, last, step, dtype=exact).astype(chosen), device, requires_grad)


@explained
def linspace(
    start: complex,
    stop: complex,
    num: int,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    endpoint: bool = True,
    requires_grad: bool = False,
) -> Tensor:
    """Return *num* evenly spaced numbers from *start* to *stop*, the last of them if *endpoint*.

    Dtype: float32, or complex64 where an end is complex, unless given.

    >>> import minima as mi
    >>> mi.linspace(0.0, 1.0, 3)
    Tensor([0. , 0.5, 1. ])
    """
    if num < 0:
        raise ArgumentError(f"linspace: got {num} numbers; expected at least 0")
    turns = complex in (type(start), type(stop))
    chosen = _given(dtype, np.dtype("complex64") if turns else FLOAT32)
    values = np.linspace(start, stop, num, endpoint=endpoint).astype(chosen)
    return made(values, device, requires_grad)


@explained
def eye(
    n_rows: int,
    n_cols: int | None = None,
    *,
    k: int = 0,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a matrix with ones on its *k*-th diagonal.

    Dtype: float32 unless given.

    >>> import minima as mi
    >>> mi.eye(2)
    Tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns = _sizes("eye", (n_rows, n_rows if n_cols is None else n_cols))
    values = np.eye(rows, columns, k, dtype=_given(dtype, FLOAT32))
    return made(values, device, requires_grad)


# ---- from other tensors --------------------------------------------------------------------------
def meshgrid(*arrays: TensorLike, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Return the coordinates of a grid: each array of one axis, repeated along all the others'.

    Shapes: arrays (N1,), (N2,), ... -> (N2, N1, ...) each, or (N1, N2, ...) with
    ``indexing="ij"``. Gradient: sums over the axes that were added.
    Raises: ArgumentError for another *indexing*, ShapeError for more than one axis.

    >>> import minima as mi
    >>> a, b = mi.meshgrid(mi.Tensor([1, 2]), mi.Tensor([3, 4]))
    >>> a
    Tensor([[1, 2],
            [1, 2]])
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: got indexing={indexing!r}; expected 'xy' or 'ij'")
    given = [as_tensor(a, operation="meshgrid") for a in arrays]
    if any(t.ndim > 1 for t in given):
        raise ShapeError(
            f"meshgrid: got shapes {[t.shape for t in given]}; expected arrays of one axis"
        )
    if len({t.dtype for t in given}) > 1:
        raise DTypeError(
            f"meshgrid: got dtypes {[str(t.dtype) for t in given]}; expected one: use .astype"
        )
    count = len(given)
    axes = list(range(count))
    if indexing == "xy" and count > 1:
        axes[0], axes[1] = 1, 0
    shape = [1] * count
    for t, axis in zip(given, axes):
        shape[axis] = t.size
    ones_but = [tuple(n if i == a else 1 for i, n in enumerate(shape)) for a in axes]
    return tuple(broadcast_to(reshape(t, s), tuple(shape)) for t, s in zip(given, ones_but))


@composite
def tril(x: TensorLike, *, k: int = 0) -> Tensor:
    """Return the lower triangles of matrices: zeros above the *k*-th diagonal.

    Shapes: x (*, M, N) -> (*, M, N). Dtype: as x. Gradient: 0 above the diagonal.
    Raises: ShapeError for fewer than two axes.

    >>> import minima as mi
    >>> mi.tril(mi.ones((2, 2)))
    Tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle("tril", x, k, lower=True)


@composite
def triu(x: TensorLike, *, k: int = 0) -> Tensor:
    """Return the upper triangles of matrices: zeros below the *k*-th diagonal.

    Shapes: x (*, M, N) -> (*, M, N). Dtype: as x. Gradient: 0 below the diagonal.
    Raises: ShapeError for fewer than two axes.

    >>> import minima as mi
    >>> mi.triu(mi.ones((2, 2)))
    Tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle("triu", x, k, lower=False)


def _triangle(operation: str, x: Any, k: int, *, lower: bool) -> Tensor:
    """Keep what lies on one side of a diagonal, that included."""
    if x.ndim < 2:
        raise ShapeError(f"{operation}: got shape {x.shape}; expected at least two axes")
    k = whole(operation, "k", k)
    rows, columns = x.shape[-2:]
    mask = np.tri(rows, columns, k if lower else k - 1, dtype=bool)
    kept = made(mask if lower else ~mask, x.device)
    return where(kept, x, False if x.dtype.kind == "b" else 0)
