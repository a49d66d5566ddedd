"""The transpose of convolution: from a small image to a larger one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from minima import Tensor
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from . import functional as F
from .arguments import SPACE, check_choice, check_space, integer, named
from .convolution import Filters, Size

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


class _ConvTranspose(Filters):
    """What the transposes share; the subclasses say along how many axes."""

    transposed = True
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        padding_mode: str = "zeros",
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        sizes = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        sizes.update(output_padding=output_padding, dilation=dilation)
        self._options(in_channels, out_channels, **sizes)
        self.padding_mode = check_choice(name, "padding_mode", padding_mode, ("zeros",))
        together = zip(self.output_padding, self.stride, self.dilation, strict=True)
        if any(e >= max(s, d) for e, s, d in together):
            raise ArgumentError(
                f"{name}: output_padding is {self.output_padding}; expected it to be smaller than "
                f"stride {self.stride} or dilation {self.dilation}"
            )
        self._parameters(groups, bias, device, dtype)

    def forward(self, x: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """Return what the filters make of x, of size *output_size* where several are possible."""
        name = type(self).__name__
        check_space(name, x, self.axes, self.in_channels)
        small = self._smallest(x)
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(x, tuple(output_size), small)
        if any(m + e < 1 for m, e in zip(small, extra, strict=True)):
            raise ShapeError(
                f"{name}: input has shape {x.shape}, of which padding {self.padding} leaves "
                f"nothing; expected a larger input or less padding"
            )
        how = (self.stride, self.padding, extra, self.groups, self.dilation)
        return named(name, type(self).function, x, self.weight, self.bias, *how)

    def _smallest(self, x: Tensor) -> tuple[int, ...]:
        """Return the sizes of the result without output_padding."""
        sizes = zip(x.shape[-self.axes :], self.stride, self.padding, self._windows(), strict=True)
        return tuple((n - 1) * s - 2 * p + w for n, s, p, w in sizes)

    def _extra(self, x: Tensor, wanted: tuple[int, ...], small: tuple[int, ...]) -> tuple[int, ...]:
        """Return the output_padding with which the result has the sizes *wanted*."""
        name, n = type(self).__name__, self.axes
        if len(wanted) not in (n, x.ndim):
            raise ShapeError(
                f"{name}: output_size is {wanted}; expected ({SPACE[n]}) or as many sizes as the "
                f"input {x.shape} has"
            )
        sizes = tuple(integer(name, "output_size", m) for m in wanted[-n:])
        extra = tuple(m - least for m, least in zip(sizes, small, strict=True))
        if any(not 0 <= e < s for e, s in zip(extra, self.stride, strict=True)):
            most = tuple(m + s - 1 for m, s in zip(small, self.stride, strict=True))
            raise ArgumentError(
                f"{name}: output_size is {sizes}; expected sizes from {small} to {most} for an "
                f"input of shape {x.shape}"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """Add filters up along a line, as large as x says; otherwise as `ConvTranspose2d`.

    Shapes: x (N, in_channels, L) or (in_channels, L) -> (N, out_channels, L') or
    (out_channels, L'); weight (in_channels, out_channels / groups, *kernel_size).

    >>> mi.nn.ConvTranspose1d(3, 8, 3, stride=2)(mi.ones((2, 3, 10))).shape
    (2, 8, 21)
    """

    axes = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTranspose):
    """Add filters up over an image, as large as x says: the gradient of `Conv2d` for its input.

    *padding* cuts off so many elements on each side, *output_padding* adds some at the end: with a
    stride several sizes have the same convolution. The call takes the wanted *output_size* too.
    Parameters start uniform in +-1 / sqrt(out_channels / groups * kernel area), as PyTorch's.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W) -> (N, out_channels, H', W') or
    (out_channels, H', W'), H' = (H - 1) * stride - 2 * padding + dilation * (kernel_size - 1) +
    output_padding + 1; weight (in_channels, out_channels / groups, *kernel_size).
    Raises: ArgumentError for options that do not fit each other or an *output_size* out of reach,
    ShapeError when x has other axes or channels.

    >>> layer = mi.nn.ConvTranspose2d(3, 8, 3, stride=2, padding=1)
    >>> layer(mi.ones((1, 3, 4, 4))).shape, layer(mi.ones((1, 3, 4, 4)), (8, 7)).shape
    ((1, 8, 7, 7), (1, 8, 8, 7))
    """

    axes = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTranspose):
    """Add filters up in a volume, as large as x says; otherwise as `ConvTranspose2d`.

    Shapes: x (N, in_channels, D, H, W) or (in_channels, D, H, W) -> (N, out_channels, D', H', W')
    or (out_channels, D', H', W'); weight (in_channels, out_channels / groups, *kernel_size).

    >>> mi.nn.ConvTranspose3d(1, 2, (1, 2, 3))(mi.ones((1, 4, 4, 4))).shape
    (2, 4, 5, 6)
    """

    axes = 3
    function = staticmethod(F.conv_transpose3d)
