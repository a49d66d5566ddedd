"""Complex numbers: conjugates and parts.

The gradient of a complex tensor points where a real loss grows, as in PyTorch: with x = u + iv it
is dL/du + i dL/dv. So the gradient of ``y = f(x)``, f holomorphic, is g times the conjugate of
f'(x). A real tensor that takes part in a complex result gets the real part; the engine sees to it.
"""

from __future__ import annotations

from typing import Any, TypeVar

from ..tensor import Tensor, TensorLike
from .composed import composite
from .table import Array, operator, table_operator

__all__ = ["angle", "conj", "conjugate", "imag", "real"]

T = TypeVar("T")


@operator
def conjugate(xp: Any, x: Array) -> Any:
    """Return the complex conjugates in memory of their own; `conj` leaves real tensors alone.

    >>> import minima as mi
    >>> mi.operators.conjugate(mi.Tensor([1 + 2j]))
    Tensor([1.-2.j], dtype=complex64)
    """
    return xp.conj(x)


@conjugate.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return conjugated(g)


def conjugated(x: T) -> T:
    """Return the conjugate of a Tensor, a real one itself: what rules multiply a gradient by."""
    return conjugate(x) if x._array.dtype.kind == "c" else x  # type: ignore[attr-defined, return-value]


@composite
def conj(x: TensorLike) -> Tensor:
    """Return the complex conjugates; a real tensor itself.

    >>> import minima as mi
    >>> mi.conj(mi.Tensor([1 + 2j, 3 - 4j]))
    Tensor([1.-2.j, 3.+4.j], dtype=complex64)
    """
    return conjugated(x)  # type: ignore[return-value]


@operator
def real(xp: Any, x: Array) -> Any:
    """Return the real parts, in memory of their own.

    Dtype: float32 for complex64, float64 for complex128, else as x. Gradient: real.

    >>> import minima as mi
    >>> mi.real(mi.Tensor([1 + 2j, 3 - 4j]))
    Tensor([1., 3.])
    """
    return xp.asarray(xp.real(x), copy=True)


@real.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return g


@operator
def imag(xp: Any, x: Array) -> Any:
    """Return the imaginary parts, in memory of their own; 0 for real numbers.

    Dtype: float32 for complex64, float64 for complex128, else as x. Gradient: imaginary.

    >>> import minima as mi
    >>> mi.imag(mi.Tensor([1 + 2j, 3 - 4j]))
    Tensor([ 2., -4.])
    """
    return xp.asarray(xp.imag(x), copy=True)


@imag.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    multiply = table_operator("multiply")
    return multiply(g, 1j) if x.dtype.kind == "c" else multiply(g, 0.0)


@composite
def angle(x: TensorLike) -> Tensor:
    """Return the angle of complex numbers with the positive real axis, from -pi to pi.

    Dtype: as of `real`; integers become float32. Gradient: 0 at 0 and for real numbers.

    >>> import minima as mi
    >>> mi.operators.angle(mi.Tensor([1j, -1.0, 2.0]))
    Tensor([1.570796, 3.141593, 0.      ])
    """
    from .trigonometric import atan2

    return atan2(imag(x), real(x))
