"""Normalisation of each channel over a batch."""

from __future__ import annotations

import numpy.typing as npt

from minima import Tensor, batch_norm, init, layer_norm, no_grad
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from .arguments import check_channels, integer, real
from .module import Module
from .parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d"]


class RunningNorm(Module):
    """What the normalisations share that keep running figures; they say which shapes they take."""

    ndims: tuple[int, ...]
    layout: str
    num_features: int
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: str | Device | None,
        dtype: npt.DTypeLike,
        bias: bool,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.num_features = integer(name, "num_features", num_features)
        self.eps = real(name, "eps", eps, low=0.0)
        self.momentum = (
            None if momentum is None else real(name, "momentum", momentum, low=0.0, high=1.0)
        )
        self.affine, self.track_running_stats = bool(affine), bool(track_running_stats)

        def filled(value: float) -> Tensor:
            return init.constant(self.num_features, c=value, device=device, dtype=dtype)

        self.weight = Parameter(filled(1.0)) if affine else None
        self.bias = Parameter(filled(0.0)) if affine and bias else None
        tracked = self.track_running_stats
        self.register_buffer("running_mean", filled(0.0) if tracked else None)
        self.register_buffer("running_var", filled(1.0) if tracked else None)
        count = init.zeros(device=device, dtype="int64") if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the variance to 1, the count of batches to 0.

        >>> layer = mi.nn.BatchNorm1d(1)
        >>> _ = layer(mi.Tensor([[1.0], [3.0]]))
        >>> layer.reset_running_stats()
        >>> layer.running_mean, layer.num_batches_tracked.item()
        (Tensor([0.]), 0)
        """
        if self.running_mean is not None:
            with no_grad():
                self.running_mean.zero_()
                self.running_var.fill_(1.0)  # type: ignore[union-attr]
                self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Set the running figures to those of a new layer, the weight to 1, the bias to 0.

        >>> layer = mi.nn.BatchNorm2d(1)
        >>> _ = layer.weight.requires_grad_(False).fill_(5.0)
        >>> layer.reset_parameters()
        >>> layer.weight.tolist()
        [1.0]
        """
        self.reset_running_stats()
        with no_grad():
            for parameter, value in ((self.weight, 1.0), (self.bias, 0.0)):
                if parameter is not None:
                    parameter.fill_(value)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.num_features}, eps={self.eps:g}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(RunningNorm):
    """What the batch normalisations share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised: over the batch in training, by the running figures otherwise."""
        check_channels(type(self).__name__, x, self.ndims, self.layout, self.num_features)
        mean, var = self.running_mean, self.running_var
        if not self.training and mean is not None and var is not None:
            return batch_norm(x, mean, var, self.weight, self.bias, eps=self.eps)
        axes = (0, *range(2, x.ndim))
        if self.training:
            self._follow_batch(x, axes)
        weight, bias = (None if p is None else self._wide(p, x) for p in (self.weight, self.bias))
        return layer_norm(x, weight, bias, axes=axes, eps=self.eps)

    @staticmethod
    def _wide(parameter: Tensor, x: Tensor) -> Tensor:
        """Return a parameter (C,) as it broadcasts to x."""
        return parameter if x.ndim == 2 else parameter.reshape(-1, *(1,) * (x.ndim - 2))

    @no_grad()
    def _follow_batch(self, x: Tensor, axes: tuple[int, ...]) -> None:
        """Move the running figures towards mean and variance of x."""
        count = x.size // self.num_features
        if not count:  # nothing to follow
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
            return
        if count < 2:
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}, one value per channel; "
                "training needs at least 2: expected a larger batch, or eval()"
            )
        if self.running_mean is not None:
            self._follow(x.mean(axis=axes), x.var(axis=axes), count / (count - 1))

    @no_grad()
    def _follow(self, mean: Tensor, var: Tensor, unbiased: float) -> None:
        """Move the running figures towards those of a batch; the variance unbiased."""
        count: Tensor = self.num_batches_tracked  # type: ignore[assignment]
        count.add_(1)
        rate = 1.0 / count.item() if self.momentum is None else self.momentum
        for running, batch in ((self.running_mean, mean), (self.running_var, var * unbiased)):
            running.lerp_(batch.astype(running.dtype), rate)  # type: ignore[union-attr]


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    In training mean and biased variance are the batch's, and ``running_mean`` and ``running_var``
    (unbiased) move towards them by *momentum*, or with None become the average of all batches so
    far. In evaluation the running figures are used. Without *track_running_stats* there are none,
    without *affine* no weight and bias, without *bias* no bias. *dim* is another name of
    *num_features*.

    Shapes: x (B, C) or (B, C, L) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance of the batch, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or, in training, one value per channel.
    Source: Ioffe & Szegedy 2015, algorithms 1 and 2.

    >>> layer = mi.nn.BatchNorm1d(1)
    >>> layer(mi.Tensor([[1.0], [3.0]])).shape, layer.running_mean
    ((2, 1), Tensor([0.2]))
    """

    ndims = (2, 3)
    layout = "(B, C) or (B, C, L)"

    def __init__(
        self,
        num_features: int | None = None,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
        *,
        bias: bool = True,
        dim: int | None = None,
    ) -> None:
        if (num_features is None) == (dim is None):
            raise ArgumentError(
                f"BatchNorm1d: num_features is {num_features} and dim is {dim}, two names of the "
                "number of channels; expected one of them"
            )
        super().__init__(
            num_features if dim is None else dim,  # type: ignore[arg-type]
            eps,
            momentum,
            affine,
            track_running_stats,
            device,
            dtype,
            bias=bias,
        )

    @property
    def dim(self) -> int:
        """The number of channels, as num_features."""
        return self.num_features


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch and all pixels; otherwise as `BatchNorm1d`.

    Shapes: x (B, C, H, W) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance of the batch, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or, in training, one value per channel.
    Source: Ioffe & Szegedy 2015, section 3.2.

    >>> mi.nn.BatchNorm2d(3)(mi.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """

    ndims = (4,)
    layout = "(B, C, H, W)"


class BatchNorm3d(_BatchNorm):
    """Normalise each channel over the batch and all places of a volume; else as `BatchNorm1d`.

    Shapes: x (B, C, D, H, W) -> as x, C being *num_features*.
    Dtype: as x.
    Gradient: flows through mean and variance of the batch, never into the running figures.
    Raises: ShapeError when x has other axes or channels, or, in training, one value per channel.
    Source: Ioffe & Szegedy 2015, section 3.2.

    >>> mi.nn.BatchNorm3d(3)(mi.ones((2, 3, 2, 4, 4))).shape
    (2, 3, 2, 4, 4)
    """

    ndims = (5,)
    layout = "(B, C, D, H, W)"
