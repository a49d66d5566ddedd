"""Pooling: one number for each window of a line, an image or a volume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minima import Tensor
from minima.errors import ArgumentError, ShapeError

from . import functional as F
from .arguments import check_space, flag, integer, named, real, several
from .convolution import Size
from .module import Module

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]


class _Pool(Module):
    """What the poolings share: where the windows lie, and the checks.

    *axes* is the number of axes that they move along, *function* what computes the result.
    """

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]

    def _windows(
        self,
        kernel_size: Size,
        stride: Size | None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        name, n = type(self).__name__, self.axes
        self.kernel_size = several(name, "kernel_size", kernel_size, n)
        self.stride = self.kernel_size if stride is None else several(name, "stride", stride, n)
        self.padding = several(name, "padding", padding, n, low=0)
        self.dilation = several(name, "dilation", dilation, n)
        self.ceil_mode = flag(name, "ceil_mode", ceil_mode)
        sizes = zip(self.dilation, self.kernel_size, strict=True)
        self._reach = tuple(d * (k - 1) + 1 for d, k in sizes)
        if any(2 * p > r for p, r in zip(self.padding, self._reach, strict=True)):
            raise ArgumentError(
                f"{name}: padding is {self.padding}; expected at most half of kernel_size "
                f"{self.kernel_size}"
            )

    def _check(self, x: Any) -> None:
        name = type(self).__name__
        check_space(name, x, self.axes)
        for i, size in enumerate(x.shape[-self.axes :]):
            beyond = self.stride[i] - 1 if self.ceil_mode else 0
            if size + 2 * self.padding[i] + beyond < self._reach[i]:
                raise ShapeError(
                    f"{name}: input has shape {x.shape}, smaller with padding {self.padding} than "
                    f"kernel_size {self.kernel_size}, dilation {self.dilation}; expected a larger "
                    "input or a smaller window"
                )

    def extra_repr(self) -> str:
        """Return the windows, and the options that are not the default."""
        shown = f"kernel_size={self.kernel_size}, stride={self.stride}"
        if hasattr(self, "norm_type"):
            shown = f"norm_type={self.norm_type:g}, {shown}"
        else:
            shown += f", padding={self.padding}"
        defaults: dict[str, Any] = {"dilation": (1,) * self.axes, "ceil_mode": False}
        defaults |= {"return_indices": False, "count_include_pad": True, "divisor_override": None}
        others = {k: getattr(self, k, d) for k, d in defaults.items()}
        return shown + "".join(f", {k}={v!r}" for k, v in others.items() if v != defaults[k])


# ---- the largest ---------------------------------------------------------------------------------
class _MaxPool(_Pool):
    """What `MaxPool1d` and its kind share."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self._windows(kernel_size, stride, padding, dilation, ceil_mode)
        self.return_indices = flag(type(self).__name__, "return_indices", return_indices)

    def forward(self, x: Tensor) -> Any:
        """Return the largest values, and with return_indices where they are."""
        self._check(x)
        # one number where there is one: the function then takes the operator without windows
        dilation = 1 if max(self.dilation) == 1 else self.dilation
        how = (self.kernel_size, self.stride, self.padding, dilation)
        last = (self.ceil_mode, self.return_indices)
        return named(type(self).__name__, type(self).function, x, *how, *last)


class MaxPool1d(_MaxPool):
    """Take the largest value of each window of a line; otherwise as `MaxPool2d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L').

    >>> mi.nn.MaxPool1d(3, 2, ceil_mode=True)(mi.ones((2, 3, 6))).shape
    (2, 3, 3)
    """

    axes = 1
    function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPool):
    """Take the largest value of each window.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too. With
    *return_indices* the result is (values, int64 places in H * W), as `MaxUnpool2d` takes them.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'), H' = (H + 2 * padding -
    dilation * (kernel_size - 1) - 1) // stride + 1.
    Gradient: all of it goes to the first largest value of each window.
    Raises: ArgumentError for padding over half of kernel_size, ShapeError for another number of
    axes or an image smaller than the window.

    >>> mi.nn.MaxPool2d(2)(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    axes = 2
    function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPool):
    """Take the largest value of each window of a volume; otherwise as `MaxPool2d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.MaxPool3d((1, 2, 2))(mi.ones((1, 3, 4, 4, 4))).shape
    (1, 3, 4, 2, 2)
    """

    axes = 3
    function = staticmethod(F.max_pool3d)


# ---- the mean ------------------------------------------------------------------------------------
class AvgPool1d(_Pool):
    """Take the mean of each window of a line; otherwise as `AvgPool2d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L').

    >>> mi.nn.AvgPool1d(2)(mi.Tensor([[1.0, 3.0, 5.0, 9.0]]))
    Tensor([[2., 7.]])
    """

    axes = 1
    function = staticmethod(F.avg_pool1d)

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self._windows(kernel_size, stride, padding, 1, ceil_mode)
        self.count_include_pad = flag(type(self).__name__, "count_include_pad", count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        """Return the means."""
        self._check(x)
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return named(type(self).__name__, type(self).function, x, *how, *self._divisor())

    def _divisor(self) -> tuple[int | None, ...]:
        """Return what else the function takes."""
        return ()


class _AvgPool(AvgPool1d):
    """What `AvgPool2d` and `AvgPool3d` share."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = (
            None
            if divisor_override is None
            else integer(type(self).__name__, "divisor_override", divisor_override)
        )

    def _divisor(self) -> tuple[int | None, ...]:
        return (self.divisor_override,)


class AvgPool2d(_AvgPool):
    """Take the mean of each window; padding counts as zeros, unless *count_include_pad* is False.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too, without
    what is beyond. *divisor_override* is what sums are divided by instead of the count.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'),
    H' = (H + 2 * padding - kernel_size) // stride + 1.
    Raises: ArgumentError for padding over half of kernel_size, ShapeError for another number of
    axes or an image smaller than the window.

    >>> mi.nn.AvgPool2d(2, stride=1)(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 7, 7)
    """

    axes = 2
    function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPool):
    """Take the mean of each window of a volume; otherwise as `AvgPool2d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.AvgPool3d(2, divisor_override=1)(mi.ones((1, 2, 2, 2)))
    Tensor([[[[8.]]]])
    """

    axes = 3
    function = staticmethod(F.avg_pool3d)


# ---- a norm --------------------------------------------------------------------------------------
class _LPPool(_Pool):
    """What `LPPool1d` and its kind share."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.norm_type = real(name, "norm_type", norm_type)
        if not self.norm_type:
            raise ArgumentError(f"{name}: norm_type is {norm_type!r}; expected another number")
        self._windows(kernel_size, stride, ceil_mode=ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        """Return the norms."""
        self._check(x)
        how = (self.norm_type, self.kernel_size, self.stride, self.ceil_mode)
        return named(type(self).__name__, type(self).function, x, *how)


class LPPool1d(_LPPool):
    """Take (sum of x**p)**(1 / p) of each window of a line; otherwise as `LPPool2d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L').

    >>> mi.nn.LPPool1d(2, 2)(mi.Tensor([[3.0, 4.0]]))
    Tensor([[5.]])
    """

    axes = 1
    function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPool):
    """Take (sum of x**p)**(1 / p) of each window, p being *norm_type*.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'),
    H' = (H - kernel_size) // stride + 1.
    Gradient: 0 where a sum is 0 and p > 1, though the slope of the root there is infinite.
    Raises: ArgumentError for a *norm_type* of 0, ShapeError for another number of axes or an image
    smaller than the window.

    >>> mi.nn.LPPool2d(1, 2)(mi.ones((1, 2, 2)))
    Tensor([[[4.]]])
    """

    axes = 2
    function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPool):
    """Take (sum of x**p)**(1 / p) of each window of a volume; otherwise as `LPPool2d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.LPPool3d(1, (1, 2, 2))(mi.ones((1, 2, 2, 2)))
    Tensor([[[[4.]],
    <BLANKLINE>
             [[4.]]]])
    """

    axes = 3
    function = staticmethod(F.lp_pool3d)
