"""Circular and hyperbolic functions and their inverses, elementwise.

`sin`, `cos` and `tanh`, which plans fuse, are with the exponentials.
"""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .arithmetic import divide, multiply, negative
from .comparison import equal, where
from .complex import conjugated
from .exponential import sqrt, square
from .table import Array, operator

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cosh",
    "hypot",
    "sinh",
    "tan",
]


@operator(floating=True)
def tan(xp: Any, x: Array) -> Any:
    """Return the tangent of angles in radians.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.tan(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 1.557408])
    """
    return xp.tan(x)


@tan.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return multiply(g, conjugated(square(y) + 1.0))


@operator(floating=True)
def sinh(xp: Any, x: Array) -> Any:
    """Return the hyperbolic sine.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.sinh(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 1.175201])
    """
    return xp.sinh(x)


@sinh.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, conjugated(cosh(x)))


@operator(floating=True)
def cosh(xp: Any, x: Array) -> Any:
    """Return the hyperbolic cosine.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.cosh(mi.Tensor([0.0, 1.0]))
    Tensor([1.      , 1.543081])
    """
    return xp.cosh(x)


@cosh.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, conjugated(sinh(x)))


@operator(floating=True)
def asin(xp: Any, x: Array) -> Any:
    """Return the angle, from -pi/2 to pi/2, whose sine is x; NaN beyond -1 and 1.

    Dtype: as x; integers become float32. Gradient: inf at -1 and 1.

    >>> import minima as mi
    >>> mi.asin(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 1.570796])
    """
    return xp.asin(x)


@asin.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(sqrt(1.0 - square(x))))


@operator(floating=True)
def acos(xp: Any, x: Array) -> Any:
    """Return the angle, from 0 to pi, whose cosine is x; NaN beyond -1 and 1.

    Dtype: as x; integers become float32. Gradient: -inf at -1 and 1.

    >>> import minima as mi
    >>> mi.acos(mi.Tensor([0.0, 1.0]))
    Tensor([1.570796, 0.      ])
    """
    return xp.acos(x)


@acos.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return negative(divide(g, conjugated(sqrt(1.0 - square(x)))))


@operator(floating=True)
def atan(xp: Any, x: Array) -> Any:
    """Return the angle, from -pi/2 to pi/2, whose tangent is x.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.atan(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.785398])
    """
    return xp.atan(x)


@atan.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(square(x) + 1.0))


@operator(floating=True)
def asinh(xp: Any, x: Array) -> Any:
    """Return the number whose hyperbolic sine is x.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.asinh(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.881374])
    """
    return xp.asinh(x)


@asinh.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(sqrt(square(x) + 1.0)))


@operator(floating=True)
def acosh(xp: Any, x: Array) -> Any:
    """Return the number, at least 0, whose hyperbolic cosine is x; NaN below 1.

    Dtype: as x; integers become float32. Gradient: inf at 1.

    >>> import minima as mi
    >>> mi.acosh(mi.Tensor([1.0, 2.0]))
    Tensor([0.      , 1.316958])
    """
    return xp.acosh(x)


@acosh.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(multiply(sqrt(x - 1.0), sqrt(x + 1.0))))


@operator(floating=True)
def atanh(xp: Any, x: Array) -> Any:
    """Return the number whose hyperbolic tangent is x; infinite at -1 and 1, NaN beyond.

    Dtype: as x; integers become float32. Gradient: inf at -1 and 1.

    >>> import minima as mi
    >>> mi.atanh(mi.Tensor([0.0, 0.5]))
    Tensor([0.      , 0.549306])
    """
    return xp.atanh(x)


@atanh.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(1.0 - square(x)))


@operator(floating=True, real=True)
def atan2(xp: Any, a: Array, b: Array) -> Any:
    """Return the angle, from -pi to pi, of the point whose ordinate is a and whose abscissa is b.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.
    Gradient: 0 at the origin.

    >>> import minima as mi
    >>> mi.atan2(mi.Tensor([1.0, 0.0]), mi.Tensor([1.0, -1.0]))
    Tensor([0.785398, 3.141593])
    """
    return xp.atan2(a, b)


@atan2.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    size = square(a) + square(b)
    scaled = where(equal(size, 0.0), 0.0, divide(g, size))
    return (lambda: multiply(scaled, b)), (lambda: negative(multiply(scaled, a)))


@operator(floating=True, real=True)
def hypot(xp: Any, a: Array, b: Array) -> Any:
    """Return the length of the hypotenuse, sqrt(a**2 + b**2), without overflow on the way.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.
    Gradient: 0 where both are 0.

    >>> import minima as mi
    >>> mi.hypot(mi.Tensor([3.0, 5.0]), mi.Tensor([4.0, 12.0]))
    Tensor([ 5., 13.])
    """
    return xp.hypot(a, b)


@hypot.gradient(saves="a b y")
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Any:
    scaled = divide(g, where(equal(y, 0.0), 1.0, y))
    return (lambda: multiply(scaled, a)), (lambda: multiply(scaled, b))
