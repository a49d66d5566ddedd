"""Pooling: one number for each window of an image."""

from __future__ import annotations

from typing import Any

from minima import Tensor, adaptive_avg_pool2d, avg_pool2d, max_pool2d
from minima.errors import ArgumentError, ShapeError

from .arguments import check_floating, integer, pair
from .module import Module

__all__ = ["AdaptiveAvgPool2d", "AvgPool2d", "MaxPool2d"]


class _Pool2d(Module):
    """What both poolings share: the options and their checks."""

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = pair(name, "kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair(name, "stride", stride)
        self.padding = pair(name, "padding", padding, low=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ArgumentError(
                f"{name}: padding is {self.padding}; expected at most half of kernel_size "
                f"{self.kernel_size}"
            )

    def _check(self, x: Any) -> None:
        name = type(self).__name__
        check_floating(name, "input", x)
        if x.ndim != 4:
            raise ShapeError(f"{name}: input has shape {x.shape}; expected (N, C, H, W)")
        fits = zip(x.shape[2:], self.padding, self.kernel_size, strict=True)
        if any(n + 2 * p < k for n, p, k in fits):
            raise ShapeError(
                f"{name}: input has shape {x.shape}, smaller with padding {self.padding} than "
                f"kernel_size {self.kernel_size}"
            )

    def extra_repr(self) -> str:
        """Return the options."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxPool2d(_Pool2d):
    """Take the largest value of each window.

    Shapes: x (N, C, H, W) -> (N, C, H', W'), H' = (H + 2 * padding - kernel_size) // stride + 1.
    Gradient: all of it goes to the first largest value of each window.
    Raises: ArgumentError for padding over half of kernel_size, ShapeError for another number of
    axes or an image smaller than the window.

    >>> mi.nn.MaxPool2d(2)(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest values."""
        self._check(x)
        y: Tensor = max_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)
        return y


class AvgPool2d(_Pool2d):
    """Take the mean of each window; padding counts as zeros.

    Shapes: x (N, C, H, W) -> (N, C, H', W'), H' = (H + 2 * padding - kernel_size) // stride + 1.
    Raises: ArgumentError for padding over half of kernel_size, ShapeError for another number of
    axes or an image smaller than the window.

    >>> mi.nn.AvgPool2d(2, stride=1)(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 7, 7)
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        self._check(x)
        return avg_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)


class AdaptiveAvgPool2d(Module):
    """Take the mean of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * H / OH) to ceil((i + 1) * H / OH). A size of None is the input's.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW).
    Raises: ShapeError for another number of axes or an image without elements.

    >>> mi.nn.AdaptiveAvgPool2d((1, None))(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 1, 8)
    """

    def __init__(self, output_size: int | tuple[int | None, int | None] | None) -> None:
        super().__init__()
        given = output_size if isinstance(output_size, tuple | list) else (output_size,) * 2
        if len(given) != 2:
            raise ArgumentError(
                f"AdaptiveAvgPool2d: output_size is {output_size!r}; expected one integer or two, "
                "for rows and columns, or None for the input's"
            )
        self.output_size = tuple(
            None if n is None else integer("AdaptiveAvgPool2d", "output_size", n) for n in given
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        check_floating("AdaptiveAvgPool2d", "input", x)
        if x.ndim not in (3, 4) or 0 in x.shape[-2:]:
            raise ShapeError(
                f"AdaptiveAvgPool2d: input has shape {x.shape}; expected (N, C, H, W) or (C, H, W) "
                "with at least one row and column"
            )
        images = x if x.ndim == 4 else x.reshape((1, *x.shape))
        y = adaptive_avg_pool2d(images, self.output_size)
        return y[0] if x.ndim == 3 else y

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"
