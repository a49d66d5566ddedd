"""Activations along an axis: shares that add up to 1, and halves that weight each other."""

from __future__ import annotations

from operator import index
from typing import Any

from minima import Tensor, log_softmax, softmax, softmin
from minima.errors import DTypeError, ShapeError

from . import functional as F
from .arguments import check_floating, named
from .module import Module

__all__ = ["GLU", "LogSoftmax", "Softmax", "Softmax2d", "Softmin", "SwiGLU"]


def _axis(owner: str, dim: Any) -> int:
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise DTypeError(f"{owner}: dim is {dim!r}; expected an integer")
    return index(dim)


def _check_axis(owner: str, x: Tensor, axis: int) -> None:
    check_floating(owner, "input", x)
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(
            f"{owner}: input has shape {x.shape}, which has no axis dim={axis}; expected "
            f"{-x.ndim} to {x.ndim - 1}"
        )


class Softmax(Module):
    """Apply y = e**x / sum of e**x along the axis *dim*, without overflow.

    *dim* is 1, the classes of (N, C, *), unless given here or in the call.

    Shapes: x (*) -> (*).
    Raises: ShapeError when x has no axis *dim*, DTypeError when x is not floating.

    >>> mi.nn.Softmax()(mi.Tensor([[1e4, 1e4]]))
    Tensor([[0.5, 0.5]])
    >>> mi.nn.Softmax(dim=0)(mi.Tensor([[1e4, 1e4]]))
    Tensor([[1., 1.]])
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = _axis("Softmax", dim)

    def forward(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Return the softmax of x along *dim*, or along the layer's where it is None."""
        axis = self.dim if dim is None else dim
        _check_axis("Softmax", x, axis)
        return softmax(x, axis=axis)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmin(Module):
    """Apply y = e**-x / sum of e**-x along the axis *dim*, without overflow.

    *dim* is 1, the classes of (N, C, *), unless given.

    Shapes: x (*) -> (*).
    Raises: ShapeError when x has no axis *dim*, DTypeError when x is not floating.

    >>> mi.nn.Softmin(dim=0)(mi.Tensor([0.0, 1e4]))
    Tensor([1., 0.])
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = _axis("Softmin", dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return the shares along the axis."""
        _check_axis("Softmin", x, self.dim)
        return softmin(x, axis=self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """Apply y = x - log(sum of e**x along the axis *dim*), without overflow.

    *dim* is 1, the classes of (N, C, *), unless given.

    Shapes: x (*) -> (*).
    Raises: ShapeError when x has no axis *dim*, DTypeError when x is not floating.

    >>> mi.nn.LogSoftmax(dim=0)(mi.Tensor([0.0, 1e4]))
    Tensor([-10000.,      0.])
    """

    def __init__(self, dim: int = 1) -> None:
        super().__init__()
        self.dim = _axis("LogSoftmax", dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logarithms of the shares along the axis."""
        _check_axis("LogSoftmax", x, self.dim)
        return log_softmax(x, axis=self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Apply softmax over the channels at each place of an image.

    Shapes: x (N, C, H, W) or (C, H, W) -> as x.
    Raises: ShapeError for another number of axes, DTypeError when x is not floating.

    >>> mi.nn.Softmax2d()(mi.zeros((2, 1, 1))).flatten()
    Tensor([0.5, 0.5])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the softmax of x over its channels."""
        check_floating("Softmax2d", "input", x)
        if x.ndim not in (3, 4):
            raise ShapeError(
                f"Softmax2d: input has shape {x.shape}; expected (N, C, H, W) or (C, H, W)"
            )
        return softmax(x, axis=-3)


class GLU(Module):
    """Apply y = a * sigmoid(b), a and b the halves of x along the axis *dim*.

    Shapes: x (*, 2 n, *) -> (*, n, *).
    Raises: ShapeError when x has no axis *dim* or an odd size there.
    Source: Dauphin et al. 2017.

    >>> mi.nn.GLU()(mi.Tensor([4.0, 0.0]))
    Tensor([2.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = _axis("GLU", dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return the one half weighted by the other."""
        _check_axis("GLU", x, self.dim)
        return named("GLU", F.glu, x, self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class SwiGLU(Module):
    """Apply y = a * sigmoid(a) * b, a and b the halves of x along the axis *dim*.

    Shapes: x (*, 2 n, *) -> (*, n, *).
    Raises: ShapeError when x has no axis *dim* or an odd size there.
    Source: Shazeer 2020.

    >>> mi.nn.SwiGLU()(mi.Tensor([1.0, 2.0]))
    Tensor([1.462117])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = _axis("SwiGLU", dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return the one half weighted by the other."""
        _check_axis("SwiGLU", x, self.dim)
        return named("SwiGLU", F.swiglu, x, self.dim)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"
