"""Activations: layers without parameters that act on each element, or along one axis."""

from __future__ import annotations

from operator import index

from minima import Tensor, gelu, relu, sigmoid, softmax, tanh
from minima.errors import DTypeError, ShapeError

from .arguments import check_choice, check_floating
from .module import Module

__all__ = ["GELU", "ReLU", "Sigmoid", "Softmax", "Tanh"]


class ReLU(Module):
    """Apply y = max(x, 0).

    Shapes: x (*) -> (*).
    Gradient: 0 at x = 0.

    >>> mi.nn.ReLU()(mi.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0)."""
        return relu(x)


class Sigmoid(Module):
    """Apply y = 1 / (1 + e**-x), without overflow at large abs(x).

    Shapes: x (*) -> (*).

    >>> mi.nn.Sigmoid()(mi.Tensor([0.0, 1e4]))
    Tensor([0.5, 1. ])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 / (1 + e**-x)."""
        return sigmoid(x)


class Tanh(Module):
    """Apply y = tanh(x).

    Shapes: x (*) -> (*).

    >>> mi.nn.Tanh()(mi.Tensor([0.0, 1e4]))
    Tensor([0., 1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        return tanh(x)


class GELU(Module):
    """Apply y = x * P(X <= x), X normal; with *approximate* "tanh" the usual approximation.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when *approximate* is neither "none" nor "tanh".
    Source: Hendrycks & Gimpel 2016.

    >>> mi.nn.GELU(approximate="tanh")(mi.Tensor([0.0, 100.0]))
    Tensor([  0., 100.])
    """

    def __init__(self, *, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = check_choice("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, x: Tensor) -> Tensor:
        """Return gelu(x)."""
        return gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Return the option."""
        return f"approximate={self.approximate!r}"


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
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise DTypeError(f"Softmax: dim is {dim!r}; expected an integer")
        self.dim = index(dim)

    def forward(self, x: Tensor, dim: int | None = None) -> Tensor:
        """Return the softmax of x along *dim*, or along the layer's where it is None."""
        check_floating("Softmax", "input", x)
        axis = self.dim if dim is None else dim
        if not -x.ndim <= axis < x.ndim:
            raise ShapeError(
                f"Softmax: input has shape {x.shape}, which has no axis dim={axis}; the last axis "
                "is dim=-1"
            )
        return softmax(x, axis=axis)

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"
