"""Windows as many as wanted, evenly spread; and pooling undone."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from ..tensor import Tensor, TensorLike
from .axes import sizes
from .composed import composite
from .creation import zeros
from .indexing import getitem, put
from .manipulation import permute_dims, reshape
from .pooling import adaptive_avg_pool2d as adaptive_avg_pool2d_operator
from .pooling import max_pool2d as max_pool2d_operator
from .spatial import Size, batched, like
from .window_largest import Pooled, Sizes, along, largest_of, need_order

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

#: one number for all axes, or one for each; None stands for the size of x
OutputSize: TypeAlias = "int | Sequence[int | None] | None"


def _output(name: str, given: Any, space: Sizes) -> Sizes:
    """Return the sizes of the result."""
    if 0 in space:
        raise ShapeError(
            f"{name}: got x with sizes {space}; expected at least one element along each axis"
        )
    n = len(space)
    many = tuple(given) if isinstance(given, tuple | list) else (given,) * n
    if len(many) == n:
        many = tuple(k if wanted is None else wanted for wanted, k in zip(many, space))
    return sizes(name, many, n, 1, "output_size")


# ---- the mean ------------------------------------------------------------------------------------
@composite
def adaptive_avg_pool1d(x: TensorLike, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * L / OL) to ceil((i + 1) * L / OL): windows may overlap by one. A
    size of None is that of x.

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL). Dtype: as x; integers become float32.
    Raises: ShapeError for x without elements.

    >>> import minima as mi
    >>> mi.operators.adaptive_avg_pool1d(mi.Tensor([[0.0, 1.0, 2.0]]), 2)
    Tensor([[0.5, 1.5]])
    """
    return _adaptive_avg("adaptive_avg_pool1d", 1, x, output_size)


@composite
def adaptive_avg_pool2d(x: TensorLike, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * H / OH) to ceil((i + 1) * H / OH): windows may overlap by one. A
    size of None is that of x.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW). Dtype: as x; integers
    become float32. Raises: ShapeError for x without elements.

    >>> import minima as mi
    >>> mi.operators.adaptive_avg_pool2d(mi.reshape(mi.arange(6.0), (1, 2, 3)), (1, 2))
    Tensor([[[2., 3.]]])
    """
    return _adaptive_avg("adaptive_avg_pool2d", 2, x, output_size)


@composite
def adaptive_avg_pool3d(x: TensorLike, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows, evenly spread, as *output_size* says.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW). Windows,
    dtype and errors as `adaptive_avg_pool2d`.

    >>> import minima as mi
    >>> mi.operators.adaptive_avg_pool3d(mi.reshape(mi.arange(8.0), (1, 2, 2, 2)), (2, 1, 1))
    Tensor([[[[1.5]],
    <BLANKLINE>
             [[5.5]]]])
    """
    return _adaptive_avg("adaptive_avg_pool3d", 3, x, output_size)


def _adaptive_avg(name: str, n: int, x: Any, output_size: OutputSize) -> Tensor:
    image = batched(name, x, n)
    out = _output(name, output_size, image.shape[2:])
    if n == 2:
        return like(x, adaptive_avg_pool2d_operator(image, out), n)
    lead, space = image.shape[:2], image.shape[2:]
    if n == 1:
        y = adaptive_avg_pool2d_operator(reshape(image, (*lead, 1, *space)), (1, *out))
        return like(x, reshape(y, (*lead, *out)), n)
    y = reshape(image, (lead[0], lead[1] * space[0], *space[1:]))
    y = reshape(adaptive_avg_pool2d_operator(y, out[1:]), (*lead, space[0], prod(out[1:])))
    return like(x, reshape(adaptive_avg_pool2d_operator(y, (out[0], None)), (*lead, *out)), n)


# ---- the largest ---------------------------------------------------------------------------------
@composite
def adaptive_max_pool1d(
    x: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Pooled:
    """Return the largest elements of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * L / OL) to ceil((i + 1) * L / OL): windows may overlap by one. A
    size of None is that of x. With *return_indices* the result is (values, int64 places of them).

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL). Gradient: goes to the first largest of
    a window. Raises: ShapeError for x without elements.

    >>> import minima as mi
    >>> mi.operators.adaptive_max_pool1d(mi.Tensor([[0.0, 4.0, 2.0]]), 2, return_indices=True)
    (Tensor([[4., 4.]]), Tensor([[1, 1]]))
    """
    return _adaptive_max("adaptive_max_pool1d", 1, x, output_size, return_indices)


@composite
def adaptive_max_pool2d(
    x: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Pooled:
    """Return the largest elements of as many windows, evenly spread, as *output_size* says.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW), places in H * W. All else
    as `adaptive_max_pool1d`.

    >>> import minima as mi
    >>> mi.operators.adaptive_max_pool2d(mi.reshape(mi.arange(6.0), (1, 2, 3)), (1, 2))
    Tensor([[[4., 5.]]])
    """
    return _adaptive_max("adaptive_max_pool2d", 2, x, output_size, return_indices)


@composite
def adaptive_max_pool3d(
    x: TensorLike, output_size: OutputSize, return_indices: bool = False
) -> Pooled:
    """Return the largest elements of as many windows, evenly spread, as *output_size* says.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW), places in
    D * H * W. All else as `adaptive_max_pool1d`.

    >>> import minima as mi
    >>> mi.operators.adaptive_max_pool3d(mi.reshape(mi.arange(8.0), (1, 2, 2, 2)), (None, 1, 1))
    Tensor([[[[3.]],
    <BLANKLINE>
             [[7.]]]])
    """
    return _adaptive_max("adaptive_max_pool3d", 3, x, output_size, return_indices)


def _adaptive_max(
    name: str, n: int, x: Any, output_size: OutputSize, return_indices: bool
) -> Pooled:
    image = batched(name, x, n)
    need_order(name, image)
    space = image.shape[2:]
    out = _output(name, output_size, space)
    if not return_indices and all(k % m == 0 for k, m in zip(space, out)):
        kernel = tuple(k // m for k, m in zip(space, out))
        return like(x, along(max_pool2d_operator, image, n, kernel, kernel, (0,) * n), n)
    seen = image
    number: Any = np.zeros((), np.int64)
    for i in range(n):  # (N, C, *, size, *) -> (N, C, *, windows, elements, *)
        places = _places(space[i], out[i])
        seen = getitem(seen, (slice(None),) * (2 + 2 * i) + (places,))
        number = number[..., None, None] * space[i] + places
    order = (*range(1, 2 * n, 2), *range(0, 2 * n, 2))
    seen = permute_dims(seen, (0, 1, *(2 + i for i in order)))
    elements = prod(seen.shape[2 : 2 + n])
    seen = reshape(seen, (*image.shape[:2], elements, prod(out)))
    number = number.transpose(order).reshape(1, 1, elements, prod(out))
    shape = (*image.shape[:2], *out)
    values, indices = (like(x, reshape(t, shape), n) for t in largest_of(seen, number, None))
    return (values, indices) if return_indices else values


def _places(size: int, out: int) -> Any:
    """Return the places of each window's elements, the last one again where there are fewer."""
    begin = np.arange(out) * size // out
    end = -(-(np.arange(out) + 1) * size // out)
    step = np.arange((end - begin).max())
    return np.minimum(begin[:, None] + step, end[:, None] - 1)


# ---- undone --------------------------------------------------------------------------------------
@composite
def max_unpool1d(
    x: TensorLike,
    indices: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return zeros with x at *indices*, as `max_pool1d` returns them.

    *output_size* says which of the sizes that pool to that of x is meant; (OL,) or a whole shape.

    Shapes: x and indices (N, C, L) or (C, L) -> (N, C, OL) or (C, OL) with
    OL = (L - 1) * stride - 2 * padding + kernel_size. Gradient: read at *indices*; where an index
    stands twice, each of the two gets it. Raises: ShapeError when sizes do not fit,
    IndexRangeError for an index outside of the result.

    >>> import minima as mi
    >>> mi.operators.max_unpool1d(mi.Tensor([[3.0, 5.0]]), mi.Tensor([[1, 2]]), 2)
    Tensor([[0., 3., 5., 0.]])
    """
    return _unpool("max_unpool1d", 1, x, indices, kernel_size, stride, padding, output_size)


@composite
def max_unpool2d(
    x: TensorLike,
    indices: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return zeros with x at *indices*, as `max_pool2d` returns them.

    Shapes: x and indices (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW), sizes and all
    else as `max_unpool1d`.

    >>> import minima as mi
    >>> mi.operators.max_unpool2d(mi.Tensor([[[4.0]]]), mi.Tensor([[[3]]]), 2)
    Tensor([[[0., 0.],
             [0., 4.]]])
    """
    return _unpool("max_unpool2d", 2, x, indices, kernel_size, stride, padding, output_size)


@composite
def max_unpool3d(
    x: TensorLike,
    indices: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Return zeros with x at *indices*, as `max_pool3d` returns them.

    Shapes: x and indices (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW),
    sizes and all else as `max_unpool1d`.

    >>> import minima as mi
    >>> mi.operators.max_unpool3d(mi.Tensor([[[[4.0]]]]), mi.Tensor([[[[1]]]]), (1, 1, 2))
    Tensor([[[[0., 4.]]]])
    """
    return _unpool("max_unpool3d", 3, x, indices, kernel_size, stride, padding, output_size)


def _unpool(
    name: str,
    n: int,
    x: Any,
    indices: Any,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Tensor:
    image, number = batched(name, x, n), batched(name, indices, n)
    if image.shape != number.shape:
        raise ShapeError(
            f"{name}: got x of shape {x.shape} and indices of shape {indices.shape}; expected "
            "equal ones"
        )
    if number.dtype.kind not in "iu":
        raise DTypeError(f"{name}: got indices of {number.dtype}; expected integers")
    k = sizes(name, kernel_size, n, 1, "kernel_size")
    s = sizes(name, kernel_size if stride is None else stride, n, 1, "stride")
    p = sizes(name, padding, n, 0, "padding")
    usual = tuple((m - 1) * a - 2 * b + c for m, a, b, c in zip(image.shape[2:], s, p, k))
    out = _unpooled(name, output_size, usual, s)
    lead = image.shape[:2]
    count, rows = prod(out), prod(lead)
    _check_places(name, number, count)
    flat_number = reshape(number, (rows, prod(image.shape[2:])))
    blank = zeros((rows, count), dtype=x.dtype, device=x.device)
    index = (np.arange(rows)[:, None], flat_number)
    y = put(blank, reshape(image, flat_number.shape), index)
    return like(x, reshape(y, (*lead, *out)), n)


def _unpooled(name: str, given: Any, usual: Sizes, stride: Sizes) -> Sizes:
    """Return the sizes of the result: those *given*, if they pool to that of x."""
    if given is None:
        out = usual
    else:
        out = tuple(int(m) for m in given)[-len(usual) :]
        fits = len(out) == len(usual) and all(abs(m - u) < s for m, u, s in zip(out, usual, stride))
        if not fits:
            raise ArgumentError(
                f"{name}: got output_size {tuple(given)}; expected sizes that differ from {usual} "
                f"by less than the stride {stride}"
            )
    if min(out) < 1:
        raise ShapeError(f"{name}: the output would have sizes {out}; expected at least 1")
    return out


def _check_places(name: str, number: Tensor, count: int) -> None:
    """Raise for an index outside of the result."""
    while number._device.base is not None:  # a batch, all of which has to fit
        number = number._array.outer
    values = number._device.to_host(number._array)
    if values.size and (values.min() < 0 or values.max() >= count):
        wrong = values.min() if values.min() < 0 else values.max()
        raise IndexRangeError(f"{name}: got index {int(wrong)}; expected 0 to {count - 1}")
