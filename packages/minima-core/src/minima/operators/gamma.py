"""The logarithm of the gamma function and its derivatives, elementwise."""

from __future__ import annotations

from math import factorial, inf, pi
from typing import Any

from ..errors import ArgumentError
from ..tensor import Tensor, TensorLike
from .arithmetic import multiply
from .composed import composite
from .table import Array, operator

__all__ = ["digamma", "lgamma", "polygamma"]

#: Bernoulli's numbers B2, B4, ...
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)
#: from there on the asymptotic series are exact; for `lgamma`, where the shift is taken off
#: again, the less the better
_SHIFT, _NEAR = 10, 7


def _single(xp: Any, x: Array) -> Any:
    """Return x, float16 as float32."""
    return xp.astype(x, "float32") if x.dtype.itemsize < 4 else x


def _to_pole(xp: Any, x: Array) -> Any:
    """Return pi times how far x is from the nearest whole number."""
    return (x - xp.round(x)) * pi


@operator(floating=True, real=True)
def lgamma(xp: Any, x: Array) -> Any:
    """Return the logarithm of the absolute value of the gamma function; inf at 0, -1, -2, ...

    Dtype: as x; integers become float32. Gradient: `digamma`.

    >>> import minima as mi
    >>> mi.lgamma(mi.Tensor([0.5, 5.0]))
    Tensor([0.572365, 3.178054])
    """
    wide = _single(xp, x)
    far = xp.where(wide < 0.5, 1.0 - wide, wide)  # reflected
    near = far < _NEAR
    product = near_far = xp.where(near, far, 1.0)
    for k in range(1, _NEAR):
        product = product * xp.where(near, near_far + k, 1.0)
    z = xp.where(near, far + _NEAR, far)
    total = (z - 0.5) * xp.log(z) - z + 0.9189385332046727
    for k, b in enumerate(_BERNOULLI, start=1):
        total = total + b / (2 * k * (2 * k - 1)) / xp.pow(z, 2 * k - 1)
    total = total - xp.log(product)
    sine = xp.abs(xp.sin(_to_pole(xp, wide)))
    found = xp.where(wide < 0.5, xp.log(pi / sine) - total, total)
    return xp.astype(xp.where(xp.isinf(wide), inf, found), x.dtype)


@lgamma.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return multiply(g, polygamma(x, 0))


def _cotangent(n: int) -> list[int]:
    """Return the polynomial in cot(z), highest power first, that is its derivative of order n."""
    powers = [0, 1]
    for _ in range(n):  # (c**k)' = -k * (c**(k - 1) + c**(k + 1))
        slope = [0] * (len(powers) + 1)
        for k, coefficient in enumerate(powers[1:], start=1):
            slope[k - 1] -= k * coefficient
            slope[k + 1] -= k * coefficient
        powers = slope
    return powers[::-1]


@operator(floating=True, real=True)
def polygamma(xp: Any, x: Array, n: int) -> Any:
    """Return the derivative of order n of `digamma`.

    At 0, -1, -2, ... odd orders are inf, even ones infinite of either sign, or NaN. Dtype: as x;
    integers become float32. Gradient: the next order. Raises: ArgumentError for a negative order.

    >>> import minima as mi
    >>> mi.polygamma(mi.Tensor([1.0, 2.0]), 1)
    Tensor([1.644934, 0.644934])
    """
    wide = _single(xp, x)
    far = xp.where(wide < 0.5, 1.0 - wide, wide)  # reflected
    sign = -1.0 if n == 0 else 1.0
    z = far + _SHIFT
    if n == 0:
        total = xp.log(z) - 0.5 / z
    else:
        total = factorial(n - 1) / xp.pow(z, n) + factorial(n) / 2 / xp.pow(z, n + 1)
    for k, b in enumerate(_BERNOULLI, start=1):
        total = total + sign * b * factorial(2 * k + n - 1) / factorial(2 * k) / xp.pow(
            z, 2 * k + n
        )
    for k in range(_SHIFT):
        total = total + sign * factorial(n) / xp.pow(far + k, n + 1)
    away = _to_pole(xp, wide)
    if n == 0:
        found = xp.where(wide < 0.5, total - pi * xp.cos(away) / xp.sin(away), total)
    elif n == 1:
        found = xp.where(wide < 0.5, xp.square(pi / xp.sin(away)) - total, total)
    else:
        cotangent = xp.cos(away) / xp.sin(away)
        turned, *rest = _cotangent(n)
        for coefficient in rest:
            turned = turned * cotangent + coefficient
        found = xp.where(wide < 0.5, -total - pi ** (n + 1) * turned, total if n % 2 else -total)
    return xp.astype(found, x.dtype)


@polygamma.prepare
def _(x: Tensor, n: Any) -> dict[str, Any]:
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ArgumentError(f"polygamma: got the order {n!r}; expected an integer of at least 0")
    return {"n": n}


@polygamma.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, n: int) -> Any:
    return multiply(g, polygamma(x, n + 1))


@composite
def digamma(x: TensorLike) -> Tensor:
    """Return the derivative of `lgamma`; infinite or NaN at 0, -1, -2, ...

    Dtype: as x; integers become float32. Gradient: `polygamma` of order 1.

    >>> import minima as mi
    >>> mi.digamma(mi.Tensor([1.0, 2.0]))
    Tensor([-0.577216,  0.422784])
    """
    return polygamma(x, 0)
