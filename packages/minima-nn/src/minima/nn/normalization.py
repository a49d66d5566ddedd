"""Normalisation within one example: over its features, groups of channels, or near channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from minima import (
    Tensor,
    group_norm,
    init,
    layer_norm,
    local_response_norm,
    no_grad,
    rms_norm,
)
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from .arguments import check_floating, integer, real
from .functional.normalization import check_group
from .module import Module
from .parameter import Parameter

__all__ = ["GroupNorm", "LayerNorm", "LayerNorm1d", "LocalResponseNorm", "RMSNorm"]


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
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.normalized_shape = sizes("LayerNorm", normalized_shape)
        self.eps = real("LayerNorm", "eps", eps, low=0.0)
        self.elementwise_affine = bool(elementwise_affine)
        shape, place = self.normalized_shape, {"device": device, "dtype": dtype}
        affine = self.elementwise_affine
        self.weight = Parameter(init.ones(*shape, **place)) if affine else None
        self.bias = Parameter(init.zeros(*shape, **place)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0.

        >>> mi.nn.LayerNorm(2).reset_parameters()
        """
        _refill((self.weight, 1.0), (self.bias, 0.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised over its last axes."""
        check_last("LayerNorm", x, self.normalized_shape)
        axes = tuple(range(-len(self.normalized_shape), 0))
        return layer_norm(x, self.weight, self.bias, axes=axes, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps:g}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class RMSNorm(Module):
    """Divide by the root of the mean square over the last axes: y = x / rms * weight.

    rms = sqrt(mean(x**2) + eps). *normalized_shape* is the size of the last axis, or the sizes of
    several; *eps* None is the smallest number that changes 1 in the dtype of x. Without
    *elementwise_affine* there is no weight.

    Shapes: x (*, *normalized_shape) -> as x; weight as normalized_shape.
    Dtype: as x.
    Raises: ShapeError when the last axes of x have other sizes.
    Source: Zhang & Sennrich 2019.

    >>> mi.nn.RMSNorm(2, eps=0.0)(mi.Tensor([3.0, 4.0]))
    Tensor([0.848528, 1.131371], grad_fn=<multiply>)
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.normalized_shape = sizes("RMSNorm", normalized_shape)
        self.eps = None if eps is None else real("RMSNorm", "eps", eps, low=0.0)
        self.elementwise_affine = bool(elementwise_affine)
        weight = init.ones(*self.normalized_shape, device=device, dtype=dtype)
        self.weight = Parameter(weight) if self.elementwise_affine else None

    def reset_parameters(self) -> None:
        """Set the weight to 1.

        >>> mi.nn.RMSNorm(2).reset_parameters()
        """
        _refill((self.weight, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return x over the root of its mean square."""
        check_last("RMSNorm", x, self.normalized_shape)
        axes = tuple(range(-len(self.normalized_shape), 0))
        return rms_norm(x, self.weight, axes=axes, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Normalise groups of channels: y = (x - mean) / sqrt(var + eps) * weight + bias.

    The channels are cut into *num_groups* groups of equal size; mean and biased variance are those
    of a group, over all places. Without *affine* there are no weight and bias, without *bias* no
    bias.

    Shapes: x (N, num_channels, *) -> as x; weight and bias (num_channels,).
    Dtype: as x.
    Raises: ArgumentError when num_groups does not divide num_channels, ShapeError when x has other
    channels.
    Source: Wu & He 2018.

    >>> mi.nn.GroupNorm(2, 4, affine=False, eps=1e-12)(mi.Tensor([[1.0, 3.0, 5.0, 5.0]]))
    Tensor([[-1.,  1.,  0.,  0.]])
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_groups = integer("GroupNorm", "num_groups", num_groups)
        self.num_channels = integer("GroupNorm", "num_channels", num_channels)
        if self.num_channels % self.num_groups:
            raise ArgumentError(
                f"GroupNorm: num_channels is {num_channels} and num_groups is {num_groups}; "
                "expected groups of equal size: num_groups has to divide num_channels"
            )
        self.eps = real("GroupNorm", "eps", eps, low=0.0)
        self.affine = bool(affine)
        size = self.num_channels
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(init.ones(size, **place)) if affine else None
        self.bias = Parameter(init.zeros(size, **place)) if affine and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0.

        >>> mi.nn.GroupNorm(1, 2).reset_parameters()
        """
        _refill((self.weight, 1.0), (self.bias, 0.0))

    def forward(self, x: Tensor) -> Tensor:
        """Return x normalised in groups."""
        check_floating("GroupNorm", "input", x)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeError(
                f"GroupNorm: input has shape {x.shape}; expected (N, {self.num_channels}, *), as "
                f"num_channels is {self.num_channels}"
            )
        check_group("GroupNorm", x, self.num_groups)
        return group_norm(x, self.num_groups, self.weight, self.bias, eps=self.eps)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps:g}, affine={self.affine}"


class LocalResponseNorm(Module):
    """Divide by what the near channels show: y = x / (k + alpha * mean of squares)**beta.

    The mean is over *size* channels around each, zeros outside.

    Shapes: x (N, C, *) -> as x, of 3 axes or more.
    Dtype: as x.
    Raises: ArgumentError when size is below 1, ShapeError when x has fewer axes.
    Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3.

    >>> mi.nn.LocalResponseNorm(1, alpha=1.0, beta=1.0)(mi.Tensor([[[1.0], [2.0]]])).flatten()
    Tensor([0.5, 0.4])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        name = "LocalResponseNorm"
        self.size = integer(name, "size", size)
        self.alpha, self.beta = real(name, "alpha", alpha), real(name, "beta", beta)
        self.k = real(name, "k", k)

    def forward(self, x: Tensor) -> Tensor:
        """Return x over what its near channels show."""
        check_floating("LocalResponseNorm", "input", x)
        if x.ndim < 3:
            raise ShapeError(
                f"LocalResponseNorm: input has shape {x.shape}; expected (N, C, *), of 3 axes or "
                "more"
            )
        return local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"{self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}"


def sizes(owner: str, given: Any) -> tuple[int, ...]:
    """Return *given*, the size of the last axis or the sizes of several, as a tuple."""
    many = tuple(given) if isinstance(given, tuple | list) else (given,)
    if not many:
        raise ShapeError(f"{owner}: normalized_shape is empty; expected at least one size")
    return tuple(integer(owner, "normalized_shape", n) for n in many)


def check_last(owner: str, x: Any, expected: tuple[int, ...]) -> None:
    """Raise unless *x* is floating and its last axes have the sizes *expected*."""
    check_floating(owner, "input", x)
    if x.shape[-len(expected) :] != expected:
        shown = ", ".join(map(str, expected))
        raise ShapeError(f"{owner}: input has shape {x.shape}; expected (*, {shown})")


@no_grad()
def _refill(*parameters: tuple[Parameter | None, float]) -> None:
    for parameter, value in parameters:
        if parameter is not None:
            parameter.fill_(value)
