"""Convolution of images."""

from __future__ import annotations

from math import sqrt

import numpy.typing as npt

from minima import Tensor, conv2d, init
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from .arguments import check_channels, check_choice, integer, pair
from .module import Module
from .parameter import Parameter

__all__ = ["Conv2d"]

Size = int | tuple[int, int]


class Conv2d(Module):
    """Apply *out_channels* filters to each window of an image (a cross-correlation).

    *padding* is a number of zeros on each side, "valid" (none) or "same" (as many as keep the
    size; needs stride 1; with an even window the last side gets one more). Parameters start
    uniform in +-1 / sqrt(in_channels / groups * kernel area), as PyTorch's.

    Shapes: x (N, in_channels, H, W) -> (N, out_channels, H', W'), H' = (H + 2 * padding -
    dilation * (kernel_size - 1) - 1) // stride + 1; weight (out_channels, in_channels / groups,
    *kernel_size); bias (out_channels,).
    Raises: ArgumentError for options that do not fit each other, ShapeError when x has other axes
    or channels or is smaller than the window.

    >>> mi.nn.Conv2d(3, 8, 3, padding="same")(mi.ones((1, 3, 10, 10))).shape
    (1, 8, 10, 10)
    >>> mi.nn.Conv2d(3, 8, (3, 5), stride=2)
    Conv2d(3, 8, kernel_size=(3, 5), stride=(2, 2))
    """

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        *,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.in_channels = integer("Conv2d", "in_channels", in_channels)
        self.out_channels = integer("Conv2d", "out_channels", out_channels)
        self.kernel_size = pair("Conv2d", "kernel_size", kernel_size)
        self.stride = pair("Conv2d", "stride", stride)
        self.dilation = pair("Conv2d", "dilation", dilation)
        self.groups = integer("Conv2d", "groups", groups)
        self.padding_mode = check_choice("Conv2d", "padding_mode", padding_mode, ("zeros",))
        self.padding = _padding(padding, self.stride)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError(
                f"Conv2d: groups is {self.groups}; expected a divisor of in_channels "
                f"{self.in_channels} and out_channels {self.out_channels}"
            )
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        bound = 1.0 / sqrt(shape[1] * shape[2] * shape[3])

        def uniform(*sizes: int) -> Parameter:
            return Parameter(init.rand(*sizes, low=-bound, high=bound, device=device, dtype=dtype))

        self.weight = uniform(*shape)
        self.bias = uniform(self.out_channels) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered images."""
        check_channels("Conv2d", x, (4,), "(N, C, H, W)", self.in_channels)
        windows = [d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        before, after = self._zeros(windows)
        sizes = zip(x.shape[2:], before, after, windows, strict=True)
        if any(n + b + a < w for n, b, a, w in sizes):
            raise ShapeError(
                f"Conv2d: input has shape {x.shape}, smaller with padding {self.padding!r} than "
                f"the window {tuple(windows)} of kernel_size {self.kernel_size}"
            )
        y = conv2d(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=after,
            dilation=self.dilation,
            groups=self.groups,
        )
        if before == after:
            return y
        # "same" with an even window: the first row or column came from one zero too many before
        return y[:, :, after[0] - before[0] :, after[1] - before[1] :]

    def _zeros(self, windows: list[int]) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return how many zeros go before and how many after the rows and the columns."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if self.padding == "same":
            rows, columns = (w - 1 for w in windows)
            return (rows // 2, columns // 2), (rows - rows // 2, columns - columns // 2)
        return self.padding, self.padding  # type: ignore[return-value]

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not the default."""
        shown = [
            f"{self.in_channels}, {self.out_channels}",
            f"kernel_size={self.kernel_size}, stride={self.stride}",
        ]
        defaults = {"padding": (0, 0), "dilation": (1, 1), "groups": 1}
        shown += [f"{n}={getattr(self, n)!r}" for n, d in defaults.items() if getattr(self, n) != d]
        return ", ".join(shown + ([] if self.bias is not None else ["bias=False"]))


def _padding(padding: Size | str, stride: tuple[int, int]) -> tuple[int, int] | str:
    if not isinstance(padding, str):
        return pair("Conv2d", "padding", padding, low=0)
    check_choice("Conv2d", "padding", padding, ("valid", "same"))
    if padding == "same" and stride != (1, 1):
        raise ArgumentError(
            f"Conv2d: padding is 'same' and stride {stride}; expected stride 1, or padding in zeros"
        )
    return padding
