"""Images in other sizes; channels as places, and windows as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from minima import Tensor
from minima.errors import ArgumentError, DTypeError, ShapeError

from . import functional as F
from .arguments import check_choice, check_floating, check_space, integer, named, pair, real
from .convolution import Size
from .module import Module

__all__ = [
    "ChannelShuffle",
    "Fold",
    "PixelShuffle",
    "PixelUnshuffle",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
]

#: a number for all axes, or one for each
Factor: TypeAlias = "float | Sequence[float]"

_MODES = ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")
_SMOOTH = ("linear", "bilinear", "bicubic", "trilinear")


# ---- sizes ---------------------------------------------------------------------------------------
class Upsample(Module):
    """Give lines, images or volumes another *size*, or *scale_factor* times their own.

    *mode*, *align_corners* and *recompute_scale_factor* are those of
    `minima.nn.functional.interpolate`.

    Shapes: x (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> as many axes, sizes rounded down.
    Raises: ArgumentError unless one of *size* and *scale_factor* is given, or for options that the
    mode does not take; ShapeError for axes that the mode does not take.

    >>> mi.nn.Upsample(scale_factor=2, mode="linear")(mi.Tensor([[[0.0, 4.0]]]))
    Tensor([[[0., 1., 3., 4.]]])
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: Factor | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.mode = check_choice(name, "mode", mode, _MODES)
        if (size is None) == (scale_factor is None):
            raise ArgumentError(
                f"{name}: size is {size!r} and scale_factor {scale_factor!r}; expected one of the "
                "two"
            )
        self.size = None if size is None else _all(name, "size", size, integer)
        self.scale_factor = (
            None if scale_factor is None else _all(name, "scale_factor", scale_factor, _positive)
        )
        if align_corners is not None and mode not in _SMOOTH:
            raise ArgumentError(
                f"{name}: align_corners is {align_corners!r} and mode {mode!r}; expected None, or "
                f"one of the modes {', '.join(_SMOOTH)}"
            )
        if recompute_scale_factor and scale_factor is None:
            raise ArgumentError(
                f"{name}: recompute_scale_factor is {recompute_scale_factor!r} and scale_factor "
                "None; expected both, or neither"
            )
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, x: Tensor) -> Tensor:
        """Return x in the other size."""
        name = type(self).__name__
        check_floating(name, "input", x)
        return named(
            name,
            F.interpolate,
            x,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        """Return the size or the factor, and the mode."""
        size = self.scale_factor if self.size is None else self.size
        what = "scale_factor" if self.size is None else "size"
        return f"{what}={size}, mode={self.mode!r}"


def _all(name: str, argument: str, value: Any, check: Any) -> Any:
    """Return *value*, checked: one number, or each of several."""
    if isinstance(value, tuple | list):
        return tuple(check(name, argument, v) for v in value)
    return check(name, argument, value)


def _positive(name: str, argument: str, value: Any) -> float:
    number = real(name, argument, value)
    if number <= 0:
        raise ArgumentError(f"{name}: {argument} is {value!r}; expected a number above 0")
    return number


class _Upsampling(Upsample):
    """What `UpsamplingNearest2d` and `UpsamplingBilinear2d` share: they are for images alone."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the images in the other size."""
        name = type(self).__name__
        check_floating(name, "input", x)
        if x.ndim != 4:
            raise ShapeError(f"{name}: input has shape {x.shape}; expected (N, C, H, W)")
        return super().forward(x)


class UpsamplingNearest2d(_Upsampling):
    """Give images another size, each pixel being the one that is nearest; as `Upsample`.

    Shapes: x (N, C, H, W) -> (N, C, H', W').

    >>> mi.nn.UpsamplingNearest2d(scale_factor=2)(mi.Tensor([[[[1.0, 2.0]]]]))
    Tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(self, size: Size | None = None, scale_factor: Factor | None = None) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(_Upsampling):
    """Give images another size, pixels in between being means; the corners stay where they are.

    Shapes: x (N, C, H, W) -> (N, C, H', W').

    >>> mi.nn.UpsamplingBilinear2d(size=(1, 3))(mi.Tensor([[[[1.0, 2.0]]]]))
    Tensor([[[[1. , 1.5, 2. ]]]])
    """

    def __init__(self, size: Size | None = None, scale_factor: Factor | None = None) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)


# ---- channels as places --------------------------------------------------------------------------
class PixelShuffle(Module):
    """Make images r = *upscale_factor* times as large from r * r times as many channels.

    Shapes: x (*, C * r * r, H, W) -> (*, C, H * r, W * r).
    Raises: ShapeError when r * r does not divide the channels.
    Source: Shi et al. 2016.

    >>> mi.nn.PixelShuffle(2)(mi.arange(4.0).reshape(4, 1, 1))
    Tensor([[[0., 1.],
             [2., 3.]]])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = integer("PixelShuffle", "upscale_factor", upscale_factor)

    def forward(self, x: Tensor) -> Tensor:
        """Return the larger images."""
        _check_tensor("PixelShuffle", x)
        return named("PixelShuffle", F.pixel_shuffle, x, self.upscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Undo `PixelShuffle`: places within r * r pixels, r = *downscale_factor*, become channels.

    Shapes: x (*, C, H * r, W * r) -> (*, C * r * r, H, W).
    Raises: ShapeError when r does not divide the sizes.
    Source: Shi et al. 2016.

    >>> mi.nn.PixelUnshuffle(2)(mi.ones((1, 4, 6))).shape
    (4, 2, 3)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = integer("PixelUnshuffle", "downscale_factor", downscale_factor)

    def forward(self, x: Tensor) -> Tensor:
        """Return the smaller images."""
        _check_tensor("PixelUnshuffle", x)
        return named("PixelUnshuffle", F.pixel_unshuffle, x, self.downscale_factor)

    def extra_repr(self) -> str:
        """Return the factor."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Deal the channels out in turn from *groups* groups.

    Shapes: x (N, C, *) -> the same.
    Raises: ShapeError when *groups* does not divide C.
    Source: Zhang et al. 2018.

    >>> mi.nn.ChannelShuffle(2)(mi.arange(4.0).reshape(1, 4, 1)).flatten()
    Tensor([0., 2., 1., 3.])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = integer("ChannelShuffle", "groups", groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with its channels in another order."""
        _check_tensor("ChannelShuffle", x)
        if x.ndim < 3:
            raise ShapeError(f"ChannelShuffle: input has shape {x.shape}; expected (N, C, *)")
        return named("ChannelShuffle", F.channel_shuffle, x, self.groups)

    def extra_repr(self) -> str:
        """Return the number of groups."""
        return f"groups={self.groups}"


def _check_tensor(name: str, x: Any) -> None:
    if not isinstance(x, Tensor):
        raise DTypeError(
            f"{name}: input is a {type(x).__name__}; expected a Tensor: minima.Tensor(x)"
        )


# ---- windows as columns --------------------------------------------------------------------------
class Unfold(Module):
    """Take the windows of images as columns (im2col).

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C * kernel area, L) or (C * kernel area, L), L the
    number of windows.
    Raises: ShapeError when x has other axes or no window fits.

    >>> mi.nn.Unfold((1, 2))(mi.Tensor([[[1.0, 2.0, 3.0]]]))
    Tensor([[1., 2.],
            [2., 3.]])
    """

    def __init__(
        self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = pair(name, "kernel_size", kernel_size)
        self.dilation = pair(name, "dilation", dilation)
        self.padding = pair(name, "padding", padding, low=0)
        self.stride = pair(name, "stride", stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return the columns."""
        check_space("Unfold", x, 2)
        for i in (0, 1):
            reach = self.dilation[i] * (self.kernel_size[i] - 1) + 1
            if x.shape[i - 2] + 2 * self.padding[i] < reach:
                raise ShapeError(
                    f"Unfold: input has shape {x.shape}, smaller with padding {self.padding} than "
                    f"kernel_size {self.kernel_size}, dilation {self.dilation}; expected a larger "
                    "input or a smaller window"
                )
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return named("Unfold", F.unfold, x, *how)

    def extra_repr(self) -> str:
        """Return the windows."""
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )


class Fold(Unfold):
    """Add columns up into images, where their windows lie (col2im): the transpose of `Unfold`.

    Shapes: x (N, C * kernel area, L) or (C * kernel area, L) -> (N, C, H, W) or (C, H, W) with
    (H, W) = *output_size*.
    Raises: ShapeError unless L is the number of windows that fit into it.

    >>> mi.nn.Fold((1, 3), (1, 2))(mi.Tensor([[1.0, 2.0], [2.0, 3.0]]))
    Tensor([[[1., 4., 3.]]])
    """

    def __init__(
        self,
        output_size: Size,
        kernel_size: Size,
        dilation: Size = 1,
        padding: Size = 0,
        stride: Size = 1,
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = pair("Fold", "output_size", output_size)
        for i in (0, 1):
            reach = self.dilation[i] * (self.kernel_size[i] - 1) + 1
            if self.output_size[i] + 2 * self.padding[i] < reach:
                raise ShapeError(
                    f"Fold: output_size is {self.output_size}, smaller with padding "
                    f"{self.padding} than kernel_size {self.kernel_size}, dilation "
                    f"{self.dilation}; expected a larger image or a smaller window"
                )

    def forward(self, x: Tensor) -> Tensor:
        """Return the images."""
        check_floating("Fold", "input", x)
        how = (self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
        return named("Fold", F.fold, x, *how)

    def extra_repr(self) -> str:
        """Return the size and the windows."""
        return f"output_size={self.output_size}, {super().extra_repr()}"
