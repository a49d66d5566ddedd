"""Normalisation: zero mean and unit variance, over a batch or within one example."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from minima import Tensor, batch_norm, init, layer_norm, no_grad
from minima.devices import Device
from minima.errors import ShapeError

from .arguments import check_channels, check_floating, integer, real
from .module import Module
from .parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "LayerNorm", "LayerNorm1d"]


class LayerNorm1d(Module):
    """Normalise each example over its features: y = (x - mean) / sqrt(var + eps) * weight + bias.

    *dim* is the size C of the last axis, or (C, H, W), over all of which an image is normalised.
    The variance is the biased one.

    Shapes: x (B, C) or (L, B, C), or (B, C, H, W) with dim=(C, H, W) -> as x; weight and bias as
    dim.
    Dtype: as x.
    Raises: ShapeError when x has other axes.
    Source: Ba, Kiros & Hinton 2016.

    >>> mi.nn.LayerNorm1d(2)(mi.Tensor([[1.0, 3.0]])).numpy().round(2)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        dim: int | Sequence[int],
        eps: float = 1e-5,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        sizes = dim if isinstance(dim, tuple | list) else (dim,)
        self.dim = tuple(integer("LayerNorm1d", "dim", n) for n in sizes)
        if len(self.dim) not in (1, 3):
            raise ShapeError(f"LayerNorm1d: dim is {dim!r}; expected C or (C, H, W)")
        self.eps = real("LayerNorm1d", "eps", eps, low=0.0)
        self.weight = Parameter(init.ones(*self.dim, device=device, dtype=dtype))
        self.bias = Parameter(init.zeros(*self.dim, device=device, dtype=dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised over its features."""
        check_floating("LayerNorm1d", "input", x)
        n = len(self.dim)
        if x.shape[-n:] != self.dim or x.ndim not in ((2, 3) if n == 1 else (4,)):
            expected = (
                f"(B, {self.dim[0]}) or (L, B, {self.dim[0]}); for images (B, C, H, W) give "
                "dim=(C, H, W)"
                if n == 1
                else f"(B, {', '.join(map(str, self.dim))})"
            )
            raise ShapeError(f"LayerNorm1d: input has shape {x.shape}; expected {expected}")
        return layer_norm(x, self.weight, self.bias, axes=tuple(range(-n, 0)), eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.dim[0] if len(self.dim) == 1 else self.dim}, eps={self.eps:g}"


class LayerNorm(Module):
    """Normalise over the last axes: y = (x - mean) / sqrt(var + eps) * weight + bias.

    *normalized_shape* is the size of the last axis, or the sizes of several. The variance is the
    biased one. Without *elementwise_affine* there are no weight and bias, without *bias* no bias.

    Shapes: x (*, *normalized_shape) -> as x; weight and bias as normalized_shape.
    Dtype: as x.
    Raises: ShapeError when the last axes of x have other sizes.
    Source: Ba, Kiros & Hinton 2016.

    >>> mi.nn.LayerNorm(2)(mi.Tensor([[1.0, 3.0]])).numpy().round(2)
    array([[-1.,  1.]], dtype=float32)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        given = normalized_shape
        many = given if isinstance(given, tuple | list) else (given,)
        self.normalized_shape = tuple(integer("LayerNorm", "normalized_shape", n) for n in many)
        if not self.normalized_shape:
            raise ShapeError("LayerNorm: normalized_shape is empty; expected at least one size")
        self.eps = real("LayerNorm", "eps", eps, low=0.0)
        self.elementwise_affine = bool(elementwise_affine)
        shape, place = self.normalized_shape, {"device": device, "dtype": dtype}
        affine = self.elementwise_affine
        self.weight = Parameter(init.ones(*shape, **place)) if affine else None
        self.bias = Parameter(init.zeros(*shape, **place)) if affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised over its last axes."""
        check_floating("LayerNorm", "input", x)
        n = len(self.normalized_shape)
        if x.shape[-n:] != self.normalized_shape:
            expected = ", ".join(map(str, self.normalized_shape))
            raise ShapeError(f"LayerNorm: input has shape {x.shape}; expected (*, {expected})")
        return layer_norm(x, self.weight, self.bias, axes=tuple(range(-n, 0)), eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps:g}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class _BatchNorm(Module):
    """What the batch normalisations share; the subclasses say which shapes they take."""

    ndims: tuple[int, ...]
    layout: str
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        dim: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        *,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.dim = self.num_features = integer(name, "dim", dim)
        self.eps = real(name, "eps", eps, low=0.0)
        self.momentum = (
            None if momentum is None else real(name, "momentum", momentum, low=0.0, high=1.0)
        )
        self.affine, self.track_running_stats = affine, track_running_stats

        def filled(value: float) -> Tensor:
            return init.constant(self.dim, c=value, device=device, dtype=dtype)

        self.weight = Parameter(filled(1.0)) if affine else None
        self.bias = Parameter(filled(0.0)) if affine else None
        tracked = track_running_stats
        self.register_buffer("running_mean", filled(0.0) if tracked else None)
        self.register_buffer("running_var", filled(1.0) if tracked else None)
        count = init.zeros(device=device, dtype="int64") if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised: over the batch in training, by the running figures otherwise."""
        check_channels(type(self).__name__, x, self.ndims, self.layout, self.dim)
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
        count = x.size // self.dim
        if count < 2:
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}, one value per channel; "
                "training needs at least 2: a larger batch, or eval()"
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

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.dim}, eps={self.eps:g}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalise each feature over the batch: y = (x - mean) / sqrt(var + eps) * weight + bias.

    In training mean and biased variance are the batch's, and ``running_mean`` and ``running_var``
    (unbiased) move towards them by *momentum*, or with None become the average of all batches so
    far. In evaluation the running figures are used. Without *track_running_stats* there are none,
    without *affine* no weight and bias.

    Shapes: x (B, C) or (B, C, L) -> as x, C being *dim*.
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

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        *,
        affine: bool = True,
        track_running_stats: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(
            integer("BatchNorm2d", "num_features", num_features),
            eps,
            momentum,
            affine=affine,
            track_running_stats=track_running_stats,
            device=device,
            dtype=dtype,
        )
