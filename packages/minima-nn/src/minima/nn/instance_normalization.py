"""Normalisation of each channel of each sample."""

from __future__ import annotations

import numpy.typing as npt

from minima import Tensor
from minima.devices import Device
from minima.errors import ShapeError

from . import functional as F
from .arguments import check_floating, named
from .batch_normalization import RunningNorm

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(RunningNorm):
    """What the instance normalisations share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised: by its own figures, or in evaluation by the running ones, if any."""
        name, ndim = type(self).__name__, self.ndims[0]
        check_floating(name, "input", x)
        if x.ndim not in (ndim, ndim - 1) or x.shape[1 - ndim] != self.num_features:
            raise ShapeError(
                f"{name}: input has shape {x.shape}; expected {self.layout} with C = "
                f"{self.num_features}"
            )
        single = x.ndim < ndim
        y = named(
            name,
            F.instance_norm,
            x.reshape((1, *x.shape)) if single else x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return y.reshape(x.shape) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sample: y = (x - mean) / sqrt(var + eps) * weight + bias.

    Mean and biased variance are over the places of one channel of one sample. With *affine* there
    are weight and bias, of a number for each channel, or without *bias* a weight alone. With
    *track_running_stats* running figures move in training towards the mean over the samples (the
    variance unbiased) by *momentum*, and are used in evaluation.

    Shapes: x (N, C, L) or (C, L) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or one value per channel.
    Source: Ulyanov, Vedaldi & Lempitsky 2016.

    >>> mi.nn.InstanceNorm1d(2, eps=1e-12)(mi.Tensor([[1.0, 3.0], [5.0, 9.0]]))
    Tensor([[-1.,  1.],
            [-1.,  1.]])
    """

    ndims = (3,)
    layout = "(N, C, L) or (C, L)"


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image over its pixels; otherwise as `InstanceNorm1d`.

    Shapes: x (N, C, H, W) or (C, H, W) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or one value per channel.
    Source: Ulyanov, Vedaldi & Lempitsky 2016.

    >>> mi.nn.InstanceNorm2d(3, affine=True)(mi.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)
    layout = "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(_InstanceNorm):
    """Normalise each channel of each volume over its places; otherwise as `InstanceNorm1d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or one value per channel.
    Source: Ulyanov, Vedaldi & Lempitsky 2016.

    >>> mi.nn.InstanceNorm3d(3)(mi.ones((3, 2, 4, 4))).shape
    (3, 2, 4, 4)
    """

    ndims = (5,)
    layout = "(N, C, D, H, W) or (C, D, H, W)"
