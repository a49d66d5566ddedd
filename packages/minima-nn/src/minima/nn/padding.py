"""Padding: more elements around lines, images and volumes."""

from __future__ import annotations

import math
from operator import index
from typing import Any, ClassVar, TypeAlias

from minima import Tensor, pad
from minima.errors import ArgumentError, DTypeError, ShapeError

from .arguments import check_reach, check_space, named, real
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

#: one number for all sides, or (before, after) of the last axis, then of the one before, ...
Widths: TypeAlias = "int | tuple[int, ...]"


class _Pad(Module):
    """What the padding layers share: *axes* is the number of axes, *mode* what stands around.

    ``padding`` holds the number of elements before and after, first of the last axis, then of the
    one before. Negative numbers cut off.
    """

    axes: ClassVar[int]
    mode: ClassVar[str]
    value: float = 0.0

    def __init__(self, padding: Widths) -> None:
        super().__init__()
        name, count = type(self).__name__, 2 * self.axes
        many = padding if isinstance(padding, tuple | list) else (padding,) * count
        if len(many) != count:
            raise ArgumentError(
                f"{name}: padding is {padding!r}; expected one integer or {count}, before and "
                "after each axis, the last axis first"
            )
        if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in many):
            raise DTypeError(f"{name}: padding is {padding!r}; expected integers")
        self.padding = tuple(index(n) for n in many)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with more elements around it."""
        name, n, widths = type(self).__name__, self.axes, self.padding
        check_space(name, x, n, floating=False)
        around = [(widths[i], widths[i + 1]) for i in range(0, 2 * n, 2)][::-1]
        check_reach(name, x, around, self.mode)
        if any(m + a + b < 1 for m, (a, b) in zip(x.shape[-n:], around, strict=True)):
            raise ShapeError(
                f"{name}: input has shape {x.shape}, of which padding {widths} leaves nothing; "
                "expected at least one element along each axis"
            )
        whole = [(0, 0)] * (x.ndim - n) + around
        return named(name, pad, x, whole, self.mode, self.value if self.mode == "constant" else 0)

    def extra_repr(self) -> str:
        """Return the widths."""
        return str(self.padding)


# ---- a number ------------------------------------------------------------------------------------
class _ConstantPad(_Pad):
    """What `ConstantPad1d` and its kind share."""

    mode = "constant"

    def __init__(self, padding: Widths, value: float) -> None:
        super().__init__(padding)
        self.value = _number(type(self).__name__, value)

    def extra_repr(self) -> str:
        """Return the widths and the value."""
        return f"padding={self.padding}, value={self.value:g}"


def _number(name: str, value: Any) -> float:
    """Return *value*, a number, which may be infinite or NaN."""
    isnan = isinstance(value, float) and math.isnan(value)
    return value if isnan else real(name, "value", value)


class ConstantPad1d(_ConstantPad):
    """Put *value* around lines; *padding* is (left, right) or one number for both.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L'). Dtype: as x.
    Raises: ShapeError when x has other axes, or negative numbers cut off all of it.

    >>> mi.nn.ConstantPad1d((2, 1), 9.0)(mi.Tensor([[1.0, 2.0]]))
    Tensor([[9., 9., 1., 2., 9.]])
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """Put *value* around images; *padding* is (left, right, top, bottom) or one number.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W'). Dtype: as x.
    Raises: ShapeError when x has other axes, or negative numbers cut off all of it.

    >>> mi.nn.ConstantPad2d((0, -1, 1, 0), 9.0)(mi.Tensor([[[1.0, 2.0]]]))
    Tensor([[[9.],
             [1.]]])
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """Put *value* around volumes; *padding* is (left, right, top, bottom, front, back) or a number.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').
    Dtype: as x. Raises: ShapeError when x has other axes, or negative numbers cut off all of it.

    >>> mi.nn.ConstantPad3d(1, 9.0)(mi.ones((2, 1, 1, 1))).shape
    (2, 3, 3, 3)
    """

    axes = 3


class ZeroPad1d(_Pad):
    """Put zeros around lines; otherwise as `ConstantPad1d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L').

    >>> mi.nn.ZeroPad1d((2, 1))(mi.Tensor([[1.0, 2.0]]))
    Tensor([[0., 0., 1., 2., 0.]])
    """

    axes = 1
    mode = "constant"


class ZeroPad2d(_Pad):
    """Put zeros around images; otherwise as `ConstantPad2d`.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    >>> mi.nn.ZeroPad2d((0, 0, 1, 0))(mi.Tensor([[[1.0, 2.0]]]))
    Tensor([[[0., 0.],
             [1., 2.]]])
    """

    axes = 2
    mode = "constant"


class ZeroPad3d(_Pad):
    """Put zeros around volumes; otherwise as `ConstantPad3d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.ZeroPad3d(1)(mi.ones((2, 1, 1, 1))).shape
    (2, 3, 3, 3)
    """

    axes = 3
    mode = "constant"


# ---- of the input itself -------------------------------------------------------------------------
class ReflectionPad1d(_Pad):
    """Mirror lines at both ends, which are not repeated; *padding* as in `ConstantPad1d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L'). Dtype: as x.
    Gradient: added up where an element stands more than once.
    Raises: ShapeError when x has other axes, or a width is not smaller than its axis.

    >>> mi.nn.ReflectionPad1d(2)(mi.Tensor([[1.0, 2.0, 3.0]]))
    Tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """Mirror images at their borders; *padding* as in `ConstantPad2d`, else as `ReflectionPad1d`.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    >>> mi.nn.ReflectionPad2d((1, 0, 0, 0))(mi.Tensor([[[1.0, 2.0]]]))
    Tensor([[[2., 1., 2.]]])
    """

    axes = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """Mirror volumes at their borders; *padding* as in `ConstantPad3d`, else as `ReflectionPad1d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.ReflectionPad3d(1)(mi.ones((1, 2, 2, 2))).shape
    (1, 4, 4, 4)
    """

    axes = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """Repeat the ends of lines; *padding* as in `ConstantPad1d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L'). Dtype: as x.
    Gradient: added up where an element stands more than once.
    Raises: ShapeError when x has other axes, or negative numbers cut off all of it.

    >>> mi.nn.ReplicationPad1d(2)(mi.Tensor([[1.0, 2.0]]))
    Tensor([[1., 1., 1., 2., 2., 2.]])
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """Repeat the borders of images; *padding* as in `ConstantPad2d`, else as `ReplicationPad1d`.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    >>> mi.nn.ReplicationPad2d((1, 0, 0, 0))(mi.Tensor([[[1.0, 2.0]]]))
    Tensor([[[1., 1., 2.]]])
    """

    axes = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """Repeat the borders of volumes; *padding* as in `ConstantPad3d`, else as `ReplicationPad1d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.ReplicationPad3d(1)(mi.ones((1, 2, 2, 2))).shape
    (1, 4, 4, 4)
    """

    axes = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """Go on at the other end of lines; *padding* as in `ConstantPad1d`.

    Shapes: x (N, C, L) or (C, L) -> (N, C, L') or (C, L'). Dtype: as x.
    Gradient: added up where an element stands more than once.
    Raises: ShapeError when x has other axes, or a width is larger than its axis.

    >>> mi.nn.CircularPad1d(2)(mi.Tensor([[1.0, 2.0, 3.0]]))
    Tensor([[2., 3., 1., 2., 3., 1., 2.]])
    """

    axes = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """Go on at the other end of images; *padding* as in `ConstantPad2d`, else as `CircularPad1d`.

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, H', W') or (C, H', W').

    >>> mi.nn.CircularPad2d((1, 0, 0, 0))(mi.Tensor([[[1.0, 2.0]]]))
    Tensor([[[2., 1., 2.]]])
    """

    axes = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """Go on at the other end of volumes; *padding* as in `ConstantPad3d`, else as `CircularPad1d`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, D', H', W') or (C, D', H', W').

    >>> mi.nn.CircularPad3d(1)(mi.ones((1, 2, 2, 2))).shape
    (1, 4, 4, 4)
    """

    axes = 3
    mode = "circular"
