"""Pooling to a given size, and pooling undone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

from minima import Tensor
from minima.errors import ArgumentError, DTypeError, ShapeError

from . import functional as F
from .arguments import SPACE, check_space, flag, integer, named, several
from .convolution import Size
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

#: one size for all axes, or one for each; None stands for the input's
OutputSize: TypeAlias = "int | Sequence[int | None] | None"


class _Adaptive(Module):
    """What both kinds of adaptive pooling share: the sizes and their checks."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Any]]

    def __init__(self, output_size: OutputSize) -> None:
        super().__init__()
        name, n = type(self).__name__, self.axes
        given = output_size if isinstance(output_size, tuple | list) else (output_size,) * n
        if len(given) != n:
            raise ArgumentError(
                f"{name}: output_size is {output_size!r}; expected one integer or {n}, for "
                f"({SPACE[n]}), or None for the input's"
            )
        self.output_size = tuple(
            None if m is None else integer(name, "output_size", m) for m in given
        )

    def forward(self, x: Tensor) -> Any:
        """Return one number for each window."""
        name = type(self).__name__
        check_space(name, x, self.axes)
        return named(name, type(self).function, x, self.output_size)

    def extra_repr(self) -> str:
        """Return the size."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """Take the mean of as many windows of a line as *output_size* says; see `AdaptiveAvgPool2d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL).

    >>> mi.nn.AdaptiveAvgPool1d(2)(mi.Tensor([[0.0, 1.0, 2.0]]))
    Tensor([[0.5, 1.5]])
    """

    axes = 1
    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_Adaptive):
    """Take the mean of as many windows, evenly spread, as *output_size* says.

    Window i goes from floor(i * H / OH) to ceil((i + 1) * H / OH). A size of None is the input's.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW).
    Raises: ShapeError for another number of axes or an image without elements.

    >>> mi.nn.AdaptiveAvgPool2d((1, None))(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 1, 8)
    """

    axes = 2
    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_Adaptive):
    """Take the mean of as many windows of a volume as *output_size* says; see `AdaptiveAvgPool2d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW).

    >>> mi.nn.AdaptiveAvgPool3d(1)(mi.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 1, 1, 1)
    """

    axes = 3
    function = staticmethod(F.adaptive_avg_pool3d)


class _AdaptiveMax(_Adaptive):
    """What `AdaptiveMaxPool1d` and its kind share."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = flag(type(self).__name__, "return_indices", return_indices)

    def forward(self, x: Tensor) -> Any:
        """Return the largest values, and with return_indices where they are."""
        name = type(self).__name__
        check_space(name, x, self.axes)
        return named(name, type(self).function, x, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """Take the largest of as many windows of a line as *output_size* says.

    Otherwise as `AdaptiveMaxPool2d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL).

    >>> mi.nn.AdaptiveMaxPool1d(2)(mi.Tensor([[0.0, 1.0, 2.0]]))
    Tensor([[1., 2.]])
    """

    axes = 1
    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """Take the largest of as many windows, evenly spread, as *output_size* says.

    The windows are those of `AdaptiveAvgPool2d`. With *return_indices* the result is (values, int64
    places in H * W).

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW).
    Gradient: goes to the first largest value of a window.
    Raises: ShapeError for another number of axes or an image without elements.

    >>> mi.nn.AdaptiveMaxPool2d((1, None))(mi.ones((1, 3, 8, 8))).shape
    (1, 3, 1, 8)
    """

    axes = 2
    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """Take the largest of as many windows of a volume as *output_size* says.

    Otherwise as `AdaptiveMaxPool2d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW).

    >>> mi.nn.AdaptiveMaxPool3d(1)(mi.ones((2, 3, 4, 4, 4))).shape
    (2, 3, 1, 1, 1)
    """

    axes = 3
    function = staticmethod(F.adaptive_max_pool3d)


class _MaxUnpool(Module):
    """What `MaxUnpool1d` and its kind share."""

    axes: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        name, n = type(self).__name__, self.axes
        self.kernel_size = several(name, "kernel_size", kernel_size, n)
        self.stride = self.kernel_size if stride is None else several(name, "stride", stride, n)
        self.padding = several(name, "padding", padding, n, low=0)

    def forward(
        self, x: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        """Return zeros with x at *indices*, of size *output_size* where several are possible."""
        name, n = type(self).__name__, self.axes
        check_space(name, x, n)
        if not isinstance(indices, Tensor):
            raise DTypeError(
                f"{name}: indices is a {type(indices).__name__}; expected a Tensor of integers"
            )
        if output_size is not None and len(output_size) not in (n, x.ndim):
            raise ShapeError(
                f"{name}: output_size is {tuple(output_size)}; expected ({SPACE[n]}) or as many "
                f"sizes as the input {x.shape} has"
            )
        how = (self.kernel_size, self.stride, self.padding, output_size)
        return named(name, type(self).function, x, indices, *how)

    def extra_repr(self) -> str:
        """Return the windows."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpool):
    """Put values where `MaxPool1d` found them, and zeros elsewhere; otherwise as `MaxUnpool2d`.

    Shapes: x and indices (N, C, L) or (C, L) -> (N, C, L') or (C, L').

    >>> mi.nn.MaxUnpool1d(2)(mi.Tensor([[3.0, 5.0]]), mi.Tensor([[1, 2]]))
    Tensor([[0., 3., 5., 0.]])
    """

    axes = 1
    function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpool):
    """Put values where `MaxPool2d` with return_indices found them, and zeros elsewhere.

    The call takes the wanted *output_size* too: with a stride several sizes are pooled to the same.

    Shapes: x and indices (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'),
    H' = (H - 1) * stride - 2 * padding + kernel_size.
    Gradient: that at *indices*.
    Raises: ShapeError when sizes do not fit, ArgumentError for an *output_size* out of reach,
    IndexRangeError for an index outside of the result.

    >>> pool, unpool = mi.nn.MaxPool2d(2, return_indices=True), mi.nn.MaxUnpool2d(2)
    >>> unpool(*pool(mi.Tensor([[[1.0, 2.0], [4.0, 3.0]]])))
    Tensor([[[0., 0.],
             [4., 0.]]])
    """

    axes = 2
    function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpool):
    """Put values where `MaxPool3d` found them, and zeros elsewhere; otherwise as `MaxUnpool2d`.

    Shapes: x and indices (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or
    (C, D', H', W').

    >>> mi.nn.MaxUnpool3d((1, 1, 2))(mi.Tensor([[[[4.0]]]]), mi.Tensor([[[[1]]]]))
    Tensor([[[[0., 4.]]]])
    """

    axes = 3
    function = staticmethod(F.max_unpool3d)
