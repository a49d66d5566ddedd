"""Logarithms to other bases and functions that come up around them, elementwise."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, TensorLike, as_tensor
from .activation import sigmoid
from .arithmetic import add, divide, multiply, power, subtract
from .comparison import (
    bitwise_and,
    bitwise_or,
    equal,
    isfinite,
    isnan,
    less,
    less_equal,
    where,
)
from .complex import conjugated, real
from .composed import alike, composite
from .exponential import exp, log, log1p, sqrt
from .manipulation import copy
from .table import Array, operator

__all__ = [
    "exp2",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logit",
    "nan_to_num",
    "reciprocal",
    "rsqrt",
    "xlogy",
]

_LOG_2 = 0.6931471805599453
_LOG_10 = 2.302585092994046


@operator(floating=True)
def log2(xp: Any, x: Array) -> Any:
    """Return the logarithm to base 2; -inf at 0, NaN below, without a warning.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log2(mi.Tensor([1.0, 8.0]))
    Tensor([0., 3.])
    """
    return xp.log2(x)


@log2.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(multiply(x, _LOG_2)))


@operator(floating=True)
def log10(xp: Any, x: Array) -> Any:
    """Return the logarithm to base 10; -inf at 0, NaN below, without a warning.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log10(mi.Tensor([1.0, 1000.0]))
    Tensor([0., 3.])
    """
    return xp.log10(x)


@log10.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return divide(g, conjugated(multiply(x, _LOG_10)))


@operator(floating=True, real=True)
def logaddexp(xp: Any, a: Array, b: Array) -> Any:
    """Return log(exp(a) + exp(b)), without overflow on the way.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.
    Gradient: sigmoid(a - b) and sigmoid(b - a), so NaN where both are the same infinity.

    >>> import minima as mi
    >>> mi.logaddexp(mi.Tensor([0.0, 1.0]), 0.0)
    Tensor([0.693147, 1.313262])
    """
    return xp.logaddexp(a, b)


@logaddexp.of_complex
def _(a: Tensor, b: Tensor) -> Tensor:
    larger = less(real(b), real(a))
    top, low = where(larger, a, b), where(larger, b, a)
    finite = isfinite(top)
    gap = where(finite, subtract(low, where(finite, top, 0.0)), -float("inf"))
    return add(top, log1p(exp(gap)))


@logaddexp.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    return (
        lambda: multiply(g, sigmoid(subtract(a, b))),
        lambda: multiply(g, sigmoid(subtract(b, a))),
    )


@composite
def logaddexp2(a: TensorLike, b: TensorLike) -> Tensor:
    """Return log2(2**a + 2**b), without overflow on the way.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.

    >>> import minima as mi
    >>> mi.logaddexp2(mi.Tensor([0.0, 3.0]), 0.0)
    Tensor([1.      , 3.169925])
    """
    a, b = alike(a, b, floating=True)
    return multiply(logaddexp(multiply(a, _LOG_2), multiply(b, _LOG_2)), 1 / _LOG_2)


@composite
def exp2(x: TensorLike) -> Tensor:
    """Return 2 to the power of each element.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.exp2(mi.Tensor([0.0, 3.0]))
    Tensor([1., 8.])
    """
    return power(2.0, x)


@composite
def reciprocal(x: TensorLike) -> Tensor:
    """Return 1 / x; inf at 0, without a warning.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.reciprocal(mi.Tensor([2.0, -4.0]))
    Tensor([ 0.5 , -0.25])
    """
    return divide(1.0, x)


@composite
def rsqrt(x: TensorLike) -> Tensor:
    """Return 1 / sqrt(x); inf at 0, NaN below, without a warning.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.rsqrt(mi.Tensor([4.0, 0.25]))
    Tensor([0.5, 2. ])
    """
    return divide(1.0, sqrt(x))


@composite
def logit(x: TensorLike) -> Tensor:
    """Return log(x / (1 - x)), the inverse of `sigmoid`; infinite at 0 and 1, NaN beyond.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.logit(mi.Tensor([0.5, 0.0]))
    Tensor([  0., -inf])
    """
    return subtract(log(x), log1p(multiply(x, -1.0)))


@composite
def xlogy(a: TensorLike, b: TensorLike) -> Tensor:
    """Return a * log(b), and 0 where a is 0 unless b is NaN.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.
    Gradient: where a is 0, that of b is 0 and that of a is log(b), or 0 where that is not finite.

    >>> import minima as mi
    >>> mi.xlogy(mi.Tensor([0.0, 2.0]), mi.Tensor([0.0, 1.0]))
    Tensor([0., 0.])
    """
    a, b = alike(a, b, floating=True)
    nothing = bitwise_and(equal(a, 0), bitwise_or(less_equal(b, 0), equal(b, float("inf"))))
    return multiply(a, log(where(nothing, 1.0, b)))


@composite
def nan_to_num(
    x: TensorLike,
    nan: float = 0.0,
    posinf: float | None = None,
    neginf: float | None = None,
) -> Tensor:
    """Put numbers in the place of NaN and infinity.

    *posinf* and *neginf* are the largest and the smallest number of the type unless given.
    Dtype: as x; integers stay as they are. Gradient: 0 for what was replaced.

    >>> import minima as mi
    >>> mi.nan_to_num(mi.Tensor([1.0, float("nan"), float("inf")]), posinf=9.0)
    Tensor([1., 0., 9.])
    """
    from ..datatypes import finfo

    kind = as_tensor(x).dtype
    if kind.kind in "biu":
        return copy(x)
    limits = finfo(kind)
    high = limits.max if posinf is None else posinf
    low = limits.min if neginf is None else neginf
    x = where(isnan(x), nan, x)
    x = where(equal(x, float("inf")), high, x)
    return where(equal(x, float("-inf")), low, x)
