"""Normalisation within one sample: of groups, channels, rows and neighbouring channels."""

from __future__ import annotations

import numpy as np

from ..errors import ArgumentError, ShapeError
from ..methods import Axis
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, divide, multiply
from .arithmetic import power_scalar as power
from .axes import canonical_axes
from .composed import alike, composite
from .creation import zeros
from .exponential import sqrt, square
from .indexing import getitem
from .joining import concat
from .manipulation import reshape
from .normalization import expect_factors, layer_norm
from .reduction import mean

__all__ = ["group_norm", "instance_norm", "local_response_norm", "rms_norm"]


@composite
def rms_norm(
    x: TensorLike,
    weight: TensorLike | None = None,
    *,
    axes: Axis = -1,
    eps: float | None = None,
) -> Tensor:
    """Return x / sqrt(mean(x**2) + eps) along *axes*, times weight.

    *eps* is the dtype's spacing at 1 unless given. Shapes: weight broadcasts against x.
    Source: Zhang & Sennrich 2019.

    >>> import minima as mi
    >>> mi.rms_norm(mi.Tensor([3.0, 4.0]), eps=0.0)
    Tensor([0.848528, 1.131371])
    """
    x = as_tensor(x)
    if eps is None:
        eps = float(np.finfo(x.dtype if x.dtype.kind in "fc" else np.float32).eps)
    axes = canonical_axes("rms_norm", axes, x.ndim)
    expect_factors("rms_norm", "weight", weight, x)
    if weight is not None:
        x, weight = alike(x, weight)
    y = divide(x, sqrt(add(mean(square(x), axes, True), eps)))
    return y if weight is None else multiply(y, weight)


@composite
def group_norm(
    x: TensorLike,
    num_groups: int,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    eps: float = 1e-5,
) -> Tensor:
    """Return x with mean 0 and variance 1 within each group of channels, times weight, plus bias.

    Shapes: x (N, C, *); weight and bias (C). Raises: ShapeError where C is no multiple of
    *num_groups*. Source: Wu & He 2018.

    >>> import minima as mi
    >>> mi.group_norm(mi.Tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=1e-12)
    Tensor([[-1.,  1.,  0.,  0.]])
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"group_norm: got x {x.shape}; expected (N, C, *)")
    samples, channels, *rest = x.shape
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(
            f"group_norm: got x {x.shape} and num_groups {num_groups}; expected channels, on axis "
            "1, that are a multiple of it"
        )
    groups = (num_groups, channels // num_groups)
    parts = [_of_channels("group_norm", t, x, (*groups, *(1,) * len(rest))) for t in (weight, bias)]
    split = reshape(x, (samples, *groups, *rest))
    return reshape(layer_norm(split, *parts, axes=tuple(range(2, x.ndim + 1)), eps=eps), x.shape)


@composite
def instance_norm(
    x: TensorLike,
    weight: TensorLike | None = None,
    bias: TensorLike | None = None,
    *,
    eps: float = 1e-5,
) -> Tensor:
    """Return x with mean 0 and variance 1 within each channel of a sample, times weight, plus bias.

    Shapes: x (N, C, *) with at least one axis after C; weight and bias (C).
    Source: Ulyanov, Vedaldi & Lempitsky 2016.

    >>> import minima as mi
    >>> mi.instance_norm(mi.Tensor([[[1.0, 3.0], [5.0, 5.0]]]), eps=1e-12)
    Tensor([[[-1.,  1.],
             [ 0.,  0.]]])
    """
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"instance_norm: got x {x.shape}; expected (N, C, *), of 3 axes or more")
    shape = (x.shape[1], *(1,) * (x.ndim - 2))
    parts = [_of_channels("instance_norm", t, x, shape) for t in (weight, bias)]
    return layer_norm(x, *parts, axes=tuple(range(2, x.ndim)), eps=eps)


def _of_channels(
    name: str, t: TensorLike | None, x: Tensor, shape: tuple[int, ...]
) -> Tensor | None:
    """Return one number for each channel in a shape that broadcasts."""
    if t is None:
        return None
    t = as_tensor(t)
    if t.shape != (x.shape[1],):
        raise ShapeError(
            f"{name}: got weight or bias {t.shape} for x {x.shape}; expected ({x.shape[1]},)"
        )
    return reshape(t, shape)


@composite(real=True)
def local_response_norm(
    x: TensorLike, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """Return x / (k + alpha * mean of x**2 over *size* channels around)**beta.

    Beyond the first and last channel there are zeros, which the mean counts.
    Shapes: x (N, C, *), of 3 axes or more. Raises: ArgumentError for a size below 1.
    Source: Krizhevsky, Sutskever & Hinton 2012.

    >>> import minima as mi
    >>> mi.local_response_norm(mi.Tensor([[[1.0], [2.0]]]), 1, alpha=1.0, beta=1.0)
    Tensor([[[0.5],
             [0.4]]])
    """
    x = as_tensor(x)
    if x.ndim < 3:
        raise ShapeError(f"local_response_norm: got x {x.shape}; expected (N, C, *)")
    if size < 1:
        raise ArgumentError(f"local_response_norm: got size {size}; expected at least 1")
    channels = x.shape[1]
    before, after = (
        zeros((x.shape[0], n, *x.shape[2:]), dtype=x.dtype, device=x.device)
        for n in (size // 2, (size - 1) // 2)
    )
    squares = concat([before, square(x), after], axis=1)
    near = getitem(squares, (slice(None), slice(channels)))
    for shift in range(1, size):
        near = add(near, getitem(squares, (slice(None), slice(shift, shift + channels))))
    return divide(x, power(add(multiply(near, alpha / size), k), beta))
