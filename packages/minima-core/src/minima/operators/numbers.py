"""Elementwise functions of numbers: parts, angles, larger and smaller ones, closeness."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..explain import explained
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, divide, maximum, minimum, multiply, power, remainder, subtract
from .comparison import (
    bitwise_and,
    bitwise_or,
    equal,
    greater,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    where,
)
from .complex import imag
from .composed import alike, composite
from .creation import full
from .exponential import abs as size
from .exponential import sin
from .manipulation import astype
from .reduction import all as every
from .rounding import floor, trunc

__all__ = [
    "allclose",
    "deg2rad",
    "float_power",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "heaviside",
    "isclose",
    "isneginf",
    "isposinf",
    "isreal",
    "ldexp",
    "rad2deg",
    "sinc",
]

_PI = 3.141592653589793


# ---- parts ---------------------------------------------------------------------------------------
@composite
def fmod(a: TensorLike, b: TensorLike) -> Tensor:
    """Return what remains of a / b with the sign of a; `remainder` has that of b.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: 1 for a, minus the whole part of
    a / b for b.

    >>> import minima as mi
    >>> mi.fmod(mi.Tensor([5.0, -5.0]), 3.0)
    Tensor([ 2., -2.])
    """
    a, b = alike(a, b)
    if a.dtype.kind in "bu":
        return remainder(a, b)
    below = less(a, 0)
    rest = remainder(where(below, -a, a), where(less(b, 0), -b, b))
    return where(below, -rest, rest)


@composite
def frac(x: TensorLike) -> Tensor:
    """Return the part of each element behind the point, with its sign; NaN for infinity.

    Dtype: as x. Gradient: 1.

    >>> import minima as mi
    >>> mi.frac(mi.Tensor([1.25, -1.25]))
    Tensor([ 0.25, -0.25])
    """
    return subtract(x, trunc(x))


# ---- powers --------------------------------------------------------------------------------------
@composite
def float_power(a: TensorLike, b: TensorLike) -> Tensor:
    """Return a to the power of b in floating numbers, integers too.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32 (in NumPy and
    PyTorch all become float64: use ``.astype("float64")``). Gradient: that of `power`.

    >>> import minima as mi
    >>> mi.float_power(mi.Tensor([2, 4]), -1)
    Tensor([0.5 , 0.25])
    """
    a, b = alike(a, b, floating=True)
    return power(a, b)


@composite
def ldexp(a: TensorLike, b: TensorLike) -> Tensor:
    """Return a times 2 to the power of b.

    Shapes: a and b broadcast. Dtype: that of a beside b; integers become float32. Gradient: 2**b
    for a; that of b, where it is floating, is the result times log(2).

    >>> import minima as mi
    >>> mi.ldexp(mi.Tensor([1.0, 3.0]), mi.Tensor([2, -1]))
    Tensor([4. , 1.5])
    """
    a, b = alike(a, b, floating=True)
    half = floor(multiply(b, 0.5))  # 2**b itself may overflow where the result does not
    return multiply(multiply(a, power(2.0, half)), power(2.0, subtract(b, half)))


# ---- steps, waves and angles ---------------------------------------------------------------------
@composite
def heaviside(a: TensorLike, b: TensorLike) -> Tensor:
    """Return 0 where a is negative, 1 where it is positive, b where it is 0, NaN for NaN.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: none for a; 1 for b where a is 0.

    >>> import minima as mi
    >>> mi.heaviside(mi.Tensor([-2.0, 0.0, 3.0]), 0.5)
    Tensor([0. , 0.5, 1. ])
    """
    a, b = alike(a, b)
    a = a.detach()
    step = where(isnan(a), a, astype(greater(a, 0), a.dtype))
    return where(equal(a, 0), b, step)


@composite
def sinc(x: TensorLike) -> Tensor:
    """Return sin(pi x) / (pi x), which is 1 at 0.

    Dtype: as x; integers become float32. Gradient: 0 at 0.

    >>> import minima as mi
    >>> mi.sinc(mi.Tensor([0.0, 0.5]))
    Tensor([1.     , 0.63662])
    """
    (t,) = alike(x, floating=True)
    none = equal(t, 0)
    angle = multiply(where(none, 1.0, t), _PI)
    return where(none, 1.0, divide(sin(angle), angle))


@composite
def deg2rad(x: TensorLike) -> Tensor:
    """Return angles in radians that are given in degrees.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.deg2rad(mi.Tensor([180.0, 90.0]))
    Tensor([3.141593, 1.570796])
    """
    (t,) = alike(x, floating=True)
    return multiply(t, _PI / 180)


@composite
def rad2deg(x: TensorLike) -> Tensor:
    """Return angles in degrees that are given in radians.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.rad2deg(mi.Tensor([0.0, mi.pi]))
    Tensor([  0., 180.])
    """
    (t,) = alike(x, floating=True)
    return multiply(t, 180 / _PI)


# ---- the larger and the smaller, but for NaN -----------------------------------------------------
@composite
def fmax(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the larger of a and b, or the other where one is NaN; `maximum` is NaN there.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: half to each where they are
    equal, none for NaN beside a number.

    >>> import minima as mi
    >>> mi.fmax(mi.Tensor([1.0, float("nan")]), 0.0)
    Tensor([1., 0.])
    """
    return maximum(*_numbers(a, b))


@composite
def fmin(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the smaller of a and b, or the other where one is NaN; `minimum` is NaN there.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: half to each where they are
    equal, none for NaN beside a number.

    >>> import minima as mi
    >>> mi.fmin(mi.Tensor([1.0, float("nan")]), 0.0)
    Tensor([0., 0.])
    """
    return minimum(*_numbers(a, b))


def _numbers(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Return both, each with the other in the place of NaN."""
    a, b = alike(a, b)
    if a.dtype.kind in "biu":
        return a, b
    return where(isnan(a), b, a), where(isnan(b), a, b)


# ---- questions -----------------------------------------------------------------------------------
@composite
def isclose(
    a: TensorLike,
    b: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> Tensor:
    """Say where ``abs(a - b) <= atol + rtol * abs(b)``, or both are the same infinity.

    With *equal_nan* NaN is close to NaN. Shapes: a and b broadcast. Dtype: bool. Gradient: none.

    >>> import minima as mi
    >>> mi.isclose(mi.Tensor([1.0, 2.0]), mi.Tensor([1.000001, 2.1]))
    Tensor([ True, False])
    """
    a, b = (t.detach() for t in alike(a, b))
    if a.dtype.kind in "biu":
        a, b = astype(a, np.float64), astype(b, np.float64)
    near = less_equal(size(subtract(a, b)), add(multiply(size(b), rtol), atol))
    close = bitwise_or(bitwise_and(near, isfinite(b)), equal(a, b))
    return bitwise_or(close, bitwise_and(isnan(a), isnan(b))) if equal_nan else close


@explained
def allclose(
    a: TensorLike,
    b: TensorLike,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    equal_nan: bool = False,
) -> bool:
    """Say whether all elements of a and b are close, as `isclose` does for each: True or False.

    It reads the values, so that a compiled function that asks runs eagerly.

    >>> import minima as mi
    >>> mi.allclose(mi.Tensor([1.0, 2.0]), mi.Tensor([1.000001, 2.0]))
    True
    """
    return bool(every(isclose(a, b, rtol, atol, equal_nan)))


@composite
def isposinf(x: TensorLike) -> Tensor:
    """Say where x is positive infinity.

    Dtype: bool. Gradient: none.

    >>> import minima as mi
    >>> mi.isposinf(mi.Tensor([float("inf"), -float("inf"), 1.0]))
    Tensor([ True, False, False])
    """
    return bitwise_and(isinf(x), greater(x, 0))


@composite
def isneginf(x: TensorLike) -> Tensor:
    """Say where x is negative infinity.

    Dtype: bool. Gradient: none.

    >>> import minima as mi
    >>> mi.isneginf(mi.Tensor([float("inf"), -float("inf"), 1.0]))
    Tensor([False,  True, False])
    """
    return bitwise_and(isinf(x), less(x, 0))


@composite
def isreal(x: TensorLike) -> Tensor:
    """Say where x has no imaginary part; everywhere unless it is complex.

    Dtype: bool. Gradient: none.

    >>> import minima as mi
    >>> mi.isreal(mi.Tensor([1.0 + 2.0j, 3.0 + 0.0j]))
    Tensor([False,  True])
    """
    t = as_tensor(x)
    if t.dtype.kind == "c":
        return equal(imag(t), 0)
    return full(t.shape, True, device=t.device)
