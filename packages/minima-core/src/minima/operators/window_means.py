"""The mean and the norm of each window in one to three dimensions."""

from __future__ import annotations

from math import inf, prod
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..tensor import Tensor, TensorLike
from .arithmetic import multiply
from .axes import sizes
from .comparison import equal, where
from .composed import composite
from .creation import made
from .padding import pad
from .pooling import avg_pool2d as avg_pool2d_operator
from .spatial import Size, batched, like
from .window_largest import (
    Sizes,
    Windows,
    along,
    ends,
    find_windows,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "lp_pool3d"]

_LARGEST = (max_pool1d, max_pool2d, max_pool3d)


@composite
def avg_pool1d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window; *stride* is the kernel's size unless given.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too, without
    what is beyond; with *count_include_pad* the zeros of *padding* are counted.

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL). Dtype: as x; integers become float32.
    Raises: ShapeError when no window fits, ArgumentError for too much padding.

    >>> import minima as mi
    >>> mi.operators.avg_pool1d(mi.Tensor([[1.0, 3.0, 2.0, 6.0, 4.0]]), 2, ceil_mode=True)
    Tensor([[2., 4., 4.]])
    """
    options = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool("avg_pool1d", 1, x, count_include_pad, None, *options)


@composite
def avg_pool2d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window; *stride* is the kernel's size unless given.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too, without
    what is beyond; with *count_include_pad* the zeros of *padding* are counted. *divisor_override*
    is what sums are divided by instead of the count.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW). Dtype: as x; integers
    become float32. Raises: ShapeError when no window fits, ArgumentError for too much padding.

    >>> import minima as mi
    >>> mi.operators.avg_pool2d(mi.Tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), 2)
    Tensor([[[[2.5]]]])
    """
    image: Any = x
    plain = image.ndim == 4 and not ceil_mode and divisor_override is None
    if plain and image.size:  # the operator checks all of it
        how = (kernel_size, stride, padding)
        return avg_pool2d_operator(image, *how, count_include_pad=count_include_pad)
    options = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool("avg_pool2d", 2, image, count_include_pad, divisor_override, *options)


@composite
def avg_pool3d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window; *stride* is the kernel's size unless given.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW). Options,
    dtype and errors as `avg_pool2d`.

    >>> import minima as mi
    >>> mi.operators.avg_pool3d(mi.reshape(mi.arange(8.0), (1, 2, 2, 2)), 2)
    Tensor([[[[3.5]]]])
    """
    options = (kernel_size, stride, padding, 1, ceil_mode)
    return _avg_pool("avg_pool3d", 3, x, count_include_pad, divisor_override, *options)


def _avg_pool(
    name: str, n: int, x: Any, include_pad: bool, divisor: int | None, *options: Any
) -> Tensor:
    image = batched(name, x, n)
    found = find_windows(name, image.shape[2:], *options)
    if divisor is not None and (not hasattr(divisor, "__index__") or not divisor):
        raise ArgumentError(f"{name}: got divisor_override {divisor!r}; expected an integer, not 0")
    if divisor is None and not any(found.beyond):
        how = (found.kernel, found.stride, found.padding)
        y = along(avg_pool2d_operator, image, n, *how, count_include_pad=include_pad)
        return like(x, y, n)
    image = pad(image, ends(found, all_around=True))
    y = along(avg_pool2d_operator, image, n, found.kernel, found.stride)
    counts = divisor if divisor is not None else _counts(found, x.shape[-n:], include_pad)
    scale = np.asarray(prod(found.kernel) / counts, y.dtype)
    return like(x, multiply(y, made(scale, y.device)), n)


def _counts(found: Windows, space: Sizes, include_pad: bool) -> Any:
    """Return the number of elements that count in each window, of the shape of the result."""
    total = np.ones(())
    for i, size in enumerate(space):
        place, around = found.places(i), found.padding[i] if include_pad else 0
        count = ((place >= -around) & (place < size + around)).sum(0)
        total = total[..., None] * count
    return total


# ---- a norm --------------------------------------------------------------------------------------
@composite
def lp_pool1d(
    x: TensorLike,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (sum of x**p)**(1 / p) of each window, p being *norm_type*.

    With p inf it is the largest magnitude, with -inf the smallest.

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL). Dtype: as x; integers become float32.
    Gradient: 0 where a sum is 0 and p > 1, though the root's slope there is infinite.
    Raises: ShapeError when no window fits, ArgumentError for a *norm_type* of 0.

    >>> import minima as mi
    >>> mi.operators.lp_pool1d(mi.Tensor([[3.0, 4.0]]), 2, 2)
    Tensor([[5.]])
    """
    return _lp_pool("lp_pool1d", 1, x, norm_type, kernel_size, stride, ceil_mode)


@composite
def lp_pool2d(
    x: TensorLike,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (sum of x**p)**(1 / p) of each window, p being *norm_type*.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW). All else as `lp_pool1d`.

    >>> import minima as mi
    >>> mi.operators.lp_pool2d(mi.Tensor([[[3.0], [4.0]]]), 2, (2, 1))
    Tensor([[[5.]]])
    """
    return _lp_pool("lp_pool2d", 2, x, norm_type, kernel_size, stride, ceil_mode)


@composite
def lp_pool3d(
    x: TensorLike,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """Return (sum of x**p)**(1 / p) of each window, p being *norm_type*.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW). All else as
    `lp_pool1d`.

    >>> import minima as mi
    >>> mi.operators.lp_pool3d(mi.ones((1, 2, 2, 1)), 2, (2, 2, 1))
    Tensor([[[[2.]]]])
    """
    return _lp_pool("lp_pool3d", 3, x, norm_type, kernel_size, stride, ceil_mode)


def _lp_pool(
    name: str, n: int, x: Any, p: float, kernel: Size, stride: Size | None, ceil_mode: bool
) -> Tensor:
    if not p:
        raise ArgumentError(f"{name}: got norm_type 0; expected another number")
    if abs(p) == inf:  # the largest, or the smallest
        sign = 1 if p > 0 else -1
        largest: Any = _LARGEST[n - 1](sign * abs(x), kernel, stride, ceil_mode=ceil_mode)
        return largest * sign  # type: ignore[no-any-return]
    mean = _avg_pool(name, n, x**p, True, None, kernel, stride, 0, 1, ceil_mode)
    total = multiply(mean, prod(sizes(name, kernel, n, 1, "kernel_size")))
    if p <= 1:
        return total ** (1.0 / p)
    nothing = equal(total, 0)
    return where(nothing, 0.0, where(nothing, 1.0, total) ** (1.0 / p))
