"""Activations that pull x towards 0."""

from __future__ import annotations

from ..errors import ArgumentError
from ..tensor import Tensor, TensorLike
from .arithmetic import add, divide, multiply, subtract
from .comparison import greater, less, less_equal, where
from .composed import composite
from .exponential import abs, tanh

__all__ = ["hardshrink", "softshrink", "softsign", "tanhshrink"]


@composite(real=True)
def hardshrink(x: TensorLike, lambd: float = 0.5) -> Tensor:
    """Return x where abs(x) is above *lambd*, else 0.

    Gradient: 0 at the limits.

    >>> import minima as mi
    >>> mi.hardshrink(mi.Tensor([-1.0, 0.25, 2.0]))
    Tensor([-1.,  0.,  2.])
    """
    return where(less_equal(abs(x), lambd), 0.0, x)


@composite(real=True)
def softshrink(x: TensorLike, lambd: float = 0.5) -> Tensor:
    """Return x moved towards 0 by *lambd*, and 0 where that passes it.

    Gradient: 0 at the limits. Raises: ArgumentError for a negative *lambd*.

    >>> import minima as mi
    >>> mi.softshrink(mi.Tensor([-1.0, 0.25, 2.0]))
    Tensor([-0.5,  0. ,  1.5])
    """
    if lambd < 0:
        raise ArgumentError(f"softshrink: got lambd {lambd}; expected a number of at least 0")
    middle = multiply(x, 0.0)  # NaN where x is
    below = where(less(x, -lambd), add(x, lambd), middle)
    return where(greater(x, lambd), subtract(x, lambd), below)


@composite
def tanhshrink(x: TensorLike) -> Tensor:
    """Return x - tanh(x).

    >>> import minima as mi
    >>> mi.tanhshrink(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.238406])
    """
    return subtract(x, tanh(x))


@composite
def softsign(x: TensorLike) -> Tensor:
    """Return x / (1 + abs(x)).

    >>> import minima as mi
    >>> mi.softsign(mi.Tensor([-1.0, 3.0]))
    Tensor([-0.5 ,  0.75])
    """
    return divide(x, add(abs(x), 1.0))
