"""Exponentials, logarithms, roots, circular and hyperbolic functions, elementwise."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .arithmetic import divide, multiply, negative, subtract
from .complex import conjugated, real
from .table import Array, operator

__all__ = [
    "abs",
    "cos",
    "erf",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sign",
    "sin",
    "sqrt",
    "square",
    "tanh",
]


@operator(floating=True)
def exp(xp: Any, x: Array) -> Any:
    """Return e to the power of each element.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.exp(mi.Tensor([0.0, 1.0]))
    Tensor([1.      , 2.718282])
    """
    return xp.exp(x)


@exp.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return multiply(g, conjugated(y))


@operator(floating=True)
def expm1(xp: Any, x: Array) -> Any:
    """Return exp(x) - 1, exact for small x.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.expm1(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 1.718282])
    """
    if x.dtype.kind != "c":
        return xp.expm1(x)
    # at 0, infinity and NaN the signs and parts are those of exp, as the standard wants them
    return xp.where(xp.isfinite(x) & (x != 0), xp.expm1(x), xp.exp(x) - 1.0)


@expm1.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return multiply(g, conjugated(y) + 1.0)


@operator(floating=True)
def log(xp: Any, x: Array) -> Any:
    """Return the natural logarithm; -inf at 0, NaN below, without a warning.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log(mi.Tensor([1.0, 2.0]))
    Tensor([0.      , 0.693147])
    """
    return xp.log(x)


@log.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(x))


@operator(floating=True)
def log1p(xp: Any, x: Array) -> Any:
    """Return log(1 + x), exact for small x.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log1p(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.693147])
    """
    return xp.log1p(x)


@log1p.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(x) + 1.0)


@operator(floating=True)
def sqrt(xp: Any, x: Array) -> Any:
    """Return the square root; NaN below 0, without a warning.

    Dtype: as x; integers become float32. Gradient: inf at 0.

    >>> import minima as mi
    >>> mi.sqrt(mi.Tensor([4.0, 9.0]))
    Tensor([2., 3.])
    """
    return xp.sqrt(x)


@sqrt.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return divide(multiply(g, 0.5), conjugated(y))


@operator
def square(xp: Any, x: Array) -> Any:
    """Return each element times itself.

    >>> import minima as mi
    >>> mi.square(mi.Tensor([2.0, -3.0]))
    Tensor([4., 9.])
    """
    return xp.square(x)


@square.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, multiply(conjugated(x), 2.0))


@operator
def abs(xp: Any, x: Array) -> Any:
    """Return the absolute value.

    Dtype: as x; that of the parts of a complex x. Gradient: the sign of x, so 0 at 0.

    >>> import minima as mi
    >>> mi.abs(mi.Tensor([2.0, -3.0]))
    Tensor([2., 3.])
    """
    return xp.abs(x)


@abs.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, sign(x))


@operator
def sign(xp: Any, x: Array) -> Any:
    """Return -1, 0 or 1 as each element is negative, zero or positive; NaN stays NaN.

    Of a complex x: x / abs(x), and 0 at 0. Gradient: 0 everywhere for a real x, and 0 at 0.

    >>> import minima as mi
    >>> mi.sign(mi.Tensor([2.0, 0.0, -3.0]))
    Tensor([ 1.,  0., -1.])
    """
    return xp.sign(x)


@sign.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    if x.dtype.kind != "c":
        return multiply(g, 0.0)
    from .comparison import equal, where

    unit, size = sign(x), abs(x)
    along = real(multiply(g, conjugated(unit)))  # what changes the size alone
    turn = divide(subtract(g, multiply(unit, along)), where(equal(size, 0), 1.0, size))
    return where(equal(size, 0), 0.0, turn)


@operator(floating=True)
def sin(xp: Any, x: Array) -> Any:
    """Return the sine of angles in radians.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.sin(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.841471])
    """
    return xp.sin(x)


@sin.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, cos(conjugated(x)))


@operator(floating=True)
def cos(xp: Any, x: Array) -> Any:
    """Return the cosine of angles in radians.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.cos(mi.Tensor([0.0, 1.0]))
    Tensor([1.      , 0.540302])
    """
    return xp.cos(x)


@cos.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return negative(multiply(g, sin(conjugated(x))))


@operator(floating=True)
def tanh(xp: Any, x: Array) -> Any:
    """Return the hyperbolic tangent.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.tanh(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.761594])
    """
    return xp.tanh(x)


@tanh.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    y = conjugated(y)
    return multiply(g, subtract(1.0, multiply(y, y)))


#: erf(x) / x in powers of x**2 for |x| <= 1: Chebyshev interpolation at 60 digits
_INNER_64 = (
    1.1283791670955126,
    -0.37612638903183543,
    0.1128379167094513,
    -0.026866170643256995,
    0.005223977607269946,
    -0.0008548325982543225,
    0.00012055295112667001,
    -1.4924740785377576e-05,
    1.6447471190594618e-06,
    -1.6208829856810202e-07,
    1.3721520406351094e-08,
    -7.798543850549947e-10,
)
#: erfc(x) exp(x**2) in powers of u, which is -1 at x = 1 and 1 at x = 6.2
_OUTER_64 = (
    0.20531371419116834,
    -0.15529869480353647,
    0.050760191404713384,
    -0.013207468697945552,
    0.002625542155131429,
    -0.0003592167235375327,
    2.2018105522843174e-05,
    2.6496701181227537e-06,
    -6.367192567271264e-07,
    -2.9890209357760425e-09,
    1.340691880246335e-08,
    -3.834932584485671e-10,
    -3.140788968338751e-10,
    9.385097830272865e-12,
    7.65729341674029e-12,
)
#: the same to the precision of float32
_INNER_32 = (
    1.1283791658815026,
    -0.3761262690358044,
    0.11283597463488053,
    -0.026854328796067244,
    0.005189311942686617,
    -0.0008018854992786387,
    7.882497110086663e-05,
)
#: the same to the precision of float32
_OUTER_32 = (
    0.20531371893803643,
    -0.15529840573431541,
    0.050760039059518945,
    -0.013209781955217166,
    0.002626307613963501,
    -0.0003545874886091954,
    2.0781324263526694e-05,
)
_LOW, _HIGH = -0.5, 3.2 / 9.2  # (x - 3) / (x + 3) at x = 1 and x = 6.2


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    total = x * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3::-1]:
        total = total * x + c
    return total


@operator(floating=True, real=True)
def erf(xp: Any, x: Array) -> Any:
    """Return the error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.

    Within 3e-7 of the true value in float32, 3e-16 in float64, relative. Dtype: as x; integers
    become float32.

    >>> import minima as mi
    >>> mi.erf(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.842701])
    """
    wide = x.dtype.itemsize > 4
    inner, outer = (_INNER_64, _OUTER_64) if wide else (_INNER_32, _OUTER_32)
    size = xp.minimum(xp.abs(x), 6.0)
    within = x * _polynomial(inner, xp.square(xp.minimum(size, 1.0)))
    size = xp.maximum(size, 1.0)
    t = (size - 3.0) / (size + 3.0)
    u = t * (2 / (_HIGH - _LOW)) - (_HIGH + _LOW) / (_HIGH - _LOW)
    beyond = 1.0 - _polynomial(outer, u) * xp.exp(-size * size)
    return xp.where(xp.abs(x) < 1.0, within, xp.sign(x) * beyond)


@erf.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, multiply(exp(negative(square(x))), 1.1283791670955126))
