"""Convolution of lines, images and volumes."""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import Any, ClassVar, TypeAlias

import numpy.typing as npt

from minima import Tensor, init, pad
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from . import functional as F
from .arguments import check_choice, check_reach, check_space, flag, integer, named, several
from .module import Module
from .parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d"]

#: one integer for all axes, or one for each
Size: TypeAlias = "int | tuple[int, ...]"

MODES = ("zeros", "reflect", "replicate", "circular")


class Filters(Module):
    """What convolutions and their transposes share: options, parameters and how they start.

    *axes* is the number of axes that the windows move along, *function* what computes the result.
    ``kernel_size``, ``stride`` and the like are tuples of that many integers. Parameters start
    uniform in +-1 / sqrt(fan_in), as PyTorch's.
    """

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]
    transposed: ClassVar[bool] = False
    bias: Parameter | None

    def _options(self, in_channels: int, out_channels: int, **sizes: Any) -> None:
        """Check and keep the numbers of channels, and the *sizes* along the axes."""
        name = type(self).__name__
        self.in_channels = integer(name, "in_channels", in_channels)
        self.out_channels = integer(name, "out_channels", out_channels)
        for key, value in sizes.items():
            low = 0 if "padding" in key else 1
            setattr(self, key, several(name, key, value, self.axes, low=low))

    def _parameters(
        self, groups: int, bias: bool, device: str | Device | None, dtype: npt.DTypeLike
    ) -> None:
        name = type(self).__name__
        self.groups = integer(name, "groups", groups)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"{name}: groups is {self.groups}; expected a divisor of in_channels "
                f"{self.in_channels} and out_channels {self.out_channels}"
            )
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        shape = (first, second // self.groups, *self.kernel_size)
        bound = 1.0 / sqrt(prod(shape[1:]))

        def uniform(*sizes: int) -> Parameter:
            return Parameter(init.rand(*sizes, low=-bound, high=bound, device=device, dtype=dtype))

        self.weight = uniform(*shape)
        self.bias = uniform(self.out_channels) if flag(name, "bias", bias) else None

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as for a new layer.

        >>> mi.nn.Conv1d(2, 3, 2).reset_parameters()
        """
        bound = 1.0 / sqrt(prod(self.weight.shape[1:]))
        for _, parameter in self._own_parameters():
            init.uniform_(parameter, -bound, bound)

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    def _windows(self) -> tuple[int, ...]:
        """Return how many elements a window reaches over, along each axis."""
        return tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the default."""
        shown = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}, stride={self.stride}",
        ]
        none, one = (0,) * self.axes, (1,) * self.axes
        defaults: dict[str, Any] = {"padding": none, "output_padding": none, "dilation": one}
        defaults |= {"groups": 1, "padding_mode": "zeros"}
        shown += [
            f"{n}={getattr(self, n)!r}" for n, d in defaults.items() if getattr(self, n, d) != d
        ]
        return ", ".join(shown + ([] if self.bias is not None else ["bias=False"]))


class _Conv(Filters):
    """What the convolutions share; the subclasses say along how many axes."""

    padding: tuple[int, ...] | str

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        sizes = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
        self._options(in_channels, out_channels, **sizes)
        self.padding_mode = check_choice(name, "padding_mode", padding_mode, MODES)
        self.padding = self._padding(padding)
        self._parameters(groups, bias, device, dtype)

    def _padding(self, padding: Size | str) -> tuple[int, ...] | str:
        name = type(self).__name__
        if not isinstance(padding, str):
            return several(name, "padding", padding, self.axes, low=0)
        check_choice(name, "padding", padding, ("valid", "same"))
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ArgumentError(
                f"{name}: padding is 'same' and stride {self.stride}; expected stride 1, or "
                "padding in numbers"
            )
        return padding

    def _around(self) -> list[tuple[int, int]]:
        """Return how many elements of padding go before and after x, along each axis."""
        if self.padding == "valid":
            return [(0, 0)] * self.axes
        if self.padding == "same":
            return [((w - 1) // 2, w // 2) for w in self._windows()]
        return [(p, p) for p in self.padding]  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        """Return what the filters make of x."""
        name, n, padding = type(self).__name__, self.axes, self.padding
        check_space(name, x, n, self.in_channels)
        around = self._around()
        check_reach(name, x, around, self.padding_mode)
        windows = self._windows()
        sizes = zip(x.shape[-n:], around, windows, strict=True)
        if any(size + a + b < w for size, (a, b), w in sizes):
            raise ShapeError(
                f"{name}: input has shape {x.shape}, smaller with padding {padding!r} than the "
                f"window {windows} of kernel_size {self.kernel_size}; expected a larger input or "
                "more padding"
            )
        if self.padding_mode != "zeros":
            x = pad(x, [(0, 0)] * (x.ndim - n) + around, self.padding_mode)
            padding = (0,) * n
        how = (self.stride, padding, self.dilation, self.groups)
        return named(name, type(self).function, x, self.weight, self.bias, *how)


class Conv1d(_Conv):
    """Apply *out_channels* filters to each window of a line; otherwise as `Conv2d`.

    Shapes: x (N, in_channels, L) or (in_channels, L) -> (N, out_channels, L') or
    (out_channels, L'); weight (out_channels, in_channels / groups, *kernel_size).

    >>> mi.nn.Conv1d(3, 8, 3, padding=2, padding_mode="circular")(mi.ones((2, 3, 10))).shape
    (2, 8, 12)
    """

    axes = 1
    function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """Apply *out_channels* filters to each window of an image (a cross-correlation).

    *padding* is a number of elements on each side, "valid" (none) or "same" (as many as keep the
    size; needs stride 1; with an even window the last side gets one more). They are zeros, or by
    *padding_mode* the image itself: mirrored ("reflect"), its border ("replicate") or its other
    end ("circular"). Parameters start uniform in +-1 / sqrt(in_channels / groups * kernel area),
    as PyTorch's.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W) -> (N, out_channels, H', W') or
    (out_channels, H', W'), H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1;
    weight (out_channels, in_channels / groups, *kernel_size); bias (out_channels,).
    Raises: ArgumentError for options that do not fit each other, ShapeError when x has other axes
    or channels or is smaller than the window.

    >>> mi.nn.Conv2d(3, 8, 3, padding="same")(mi.ones((1, 3, 10, 10))).shape
    (1, 8, 10, 10)
    >>> mi.nn.Conv2d(3, 8, (3, 5), stride=2)
    Conv2d(3, 8, kernel_size=(3, 5), stride=(2, 2))
    """

    axes = 2
    function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """Apply *out_channels* filters to each window of a volume; otherwise as `Conv2d`.

    Shapes: x (N, in_channels, D, H, W) or (in_channels, D, H, W) -> (N, out_channels, D', H', W')
    or (out_channels, D', H', W'); weight (out_channels, in_channels / groups, *kernel_size).

    >>> mi.nn.Conv3d(1, 2, (1, 2, 3))(mi.ones((1, 4, 4, 4))).shape
    (2, 4, 3, 2)
    """

    axes = 3
    function = staticmethod(F.conv3d)
