"""Arithmetic between tensors, elementwise, with broadcasting."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .complex import conjugated
from .table import Array, operator

__all__ = [
    "add",
    "add_scaled",
    "addcdiv",
    "addcmul",
    "divide",
    "floor_divide",
    "lerp",
    "maximum",
    "minimum",
    "multiply",
    "negative",
    "pow",
    "power",
    "power_scalar",
    "remainder",
    "subtract",
]


@operator
def add(xp: Any, a: Array, b: Array) -> Any:
    """Add two tensors.

    Shapes: a and b broadcast. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.add(mi.Tensor([1.0, 2.0]), 3)
    Tensor([4., 5.])
    """
    return xp.add(a, b)


@add.gradient(saves="")
def _(g: Tensor, y: Any, a: Any, b: Any) -> Any:
    return g, g


@operator
def subtract(xp: Any, a: Array, b: Array) -> Any:
    """Subtract b from a.

    Shapes: a and b broadcast. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.subtract(mi.Tensor([1.0, 2.0]), 3)
    Tensor([-2., -1.])
    """
    return xp.subtract(a, b)


@subtract.gradient(saves="")
def _(g: Tensor, y: Any, a: Any, b: Any) -> Any:
    return g, lambda: negative(g)


@operator
def multiply(xp: Any, a: Array, b: Array) -> Any:
    """Multiply two tensors elementwise.

    Shapes: a and b broadcast. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.multiply(mi.Tensor([1.0, 2.0]), 3)
    Tensor([3., 6.])
    """
    return xp.multiply(a, b)


@multiply.gradient(saves={"a": "b", "b": "a"})
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    return (lambda: multiply(g, conjugated(b))), (lambda: multiply(g, conjugated(a)))


@operator(floating=True)
def divide(xp: Any, a: Array, b: Array) -> Any:
    """Divide a by b elementwise; x / 0 is inf or NaN, without a warning.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.

    >>> import minima as mi
    >>> mi.divide(mi.Tensor([1.0, 2.0]), 4)
    Tensor([0.25, 0.5 ])
    """
    return xp.divide(a, b)


@divide.gradient(saves={"a": "b", "b": "b y"})
def _(g: Tensor, y: Tensor, a: Any, b: Tensor) -> Any:
    b = conjugated(b)
    return (lambda: divide(g, b)), (lambda: negative(divide(multiply(g, conjugated(y)), b)))


@operator
def floor_divide(xp: Any, a: Array, b: Array) -> Any:
    """Divide a by b and round towards minus infinity.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: 0.

    >>> import minima as mi
    >>> mi.floor_divide(mi.Tensor([7, -7]), 2)
    Tensor([ 3, -4])
    """
    return xp.floor_divide(a, b)


@floor_divide.gradient(saves="")
def _(g: Tensor, y: Any, a: Any, b: Any) -> Any:
    return (lambda: multiply(g, 0.0)), (lambda: multiply(g, 0.0))


@operator
def remainder(xp: Any, a: Array, b: Array) -> Any:
    """Return what `floor_divide` leaves; it has the sign of b.

    Shapes: a and b broadcast. Dtype: the promoted one.
    Gradient: that of a - floor_divide(a, b) * b, whose jumps it does not see.

    >>> import minima as mi
    >>> mi.remainder(mi.Tensor([7, -7]), 4)
    Tensor([3, 1])
    """
    return xp.remainder(a, b)


@remainder.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    return g, (lambda: negative(multiply(g, floor_divide(a, b))))


@operator
def negative(xp: Any, x: Array) -> Any:
    """Negate each element.

    >>> import minima as mi
    >>> mi.negative(mi.Tensor([1.0, -2.0]))
    Tensor([-1.,  2.])
    """
    return xp.negative(x)


@negative.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return negative(g)


@operator
def power(xp: Any, a: Array, b: Array) -> Any:
    """Raise a to the power b elementwise.

    Shapes: a and b broadcast. Dtype: the promoted one; integers take no negative powers.
    Gradient: with respect to a it is 0 where b is 0; with respect to b it is 0 where a is 0.

    >>> import minima as mi
    >>> mi.power(mi.Tensor([1.0, 2.0, 3.0]), 2)
    Tensor([1., 4., 9.])
    """
    return xp.pow(a, b)


@power.gradient
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Any:
    from .comparison import equal, where
    from .exponential import log

    def of_base() -> Tensor:
        slope = multiply(b, power(a, subtract(b, 1)))
        return multiply(g, conjugated(where(equal(b, 0), 0.0, slope)))

    def of_exponent() -> Tensor:
        safe = where(equal(a, 0), 1.0, a)
        return multiply(g, conjugated(multiply(y, log(safe))))

    return of_base, of_exponent


pow = power  # the standard's name


@operator
def power_scalar(xp: Any, x: Array, scalar: float) -> Any:
    """Raise each element to the power of one Python number; the power 0.5 is `sqrt`.

    Dtype: as x; an integer tensor with a fractional or negative power becomes float32.
    Gradient: scalar * x**(scalar - 1), and 0 for scalar 0.

    >>> import minima as mi
    >>> mi.operators.power_scalar(mi.Tensor([1.0, 2.0, 3.0]), 2)
    Tensor([1., 4., 9.])
    """
    return xp.sqrt(x) if scalar == 0.5 else xp.pow(x, scalar)


@power_scalar.prepare
def _(x: Tensor, scalar: float) -> dict[str, Any]:
    from ..errors import DTypeError

    if isinstance(scalar, bool) or not isinstance(scalar, int | float):
        raise DTypeError(f"power_scalar: got the exponent {scalar!r}; expected a Python number")
    if x.dtype.kind == "b":
        raise DTypeError("power_scalar: got bools; cast first with .astype('int64')")
    if x.dtype.kind in "iub" and (scalar < 0 or int(scalar) != scalar):
        raise DTypeError(
            f"power_scalar: {x.dtype} to the power {scalar} is not whole; "
            "cast first with .astype('float32')"
        )
    return {"scalar": int(scalar) if x.dtype.kind in "iub" else scalar}


@power_scalar.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, scalar: float) -> Any:
    if scalar == 0:
        return multiply(g, 0.0)
    if scalar == 1:
        return g
    slope = x if scalar == 2 else power_scalar(x, scalar - 1)
    return multiply(g, conjugated(multiply(slope, float(scalar))))


@operator
def maximum(xp: Any, a: Array, b: Array) -> Any:
    """Return the larger of two elements; NaN where either is NaN.

    Shapes: a and b broadcast. Dtype: the promoted one.
    Gradient: goes to the larger; equal elements get half each.

    >>> import minima as mi
    >>> mi.maximum(mi.Tensor([1.0, 5.0]), 3)
    Tensor([3., 5.])
    """
    return xp.maximum(a, b)


@maximum.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    from .comparison import share

    return (lambda: multiply(g, share(a, b))), (lambda: multiply(g, share(b, a)))


@operator
def minimum(xp: Any, a: Array, b: Array) -> Any:
    """Return the smaller of two elements; NaN where either is NaN.

    Shapes: a and b broadcast. Dtype: the promoted one.
    Gradient: goes to the smaller; equal elements get half each.

    >>> import minima as mi
    >>> mi.minimum(mi.Tensor([1.0, 5.0]), 3)
    Tensor([1., 3.])
    """
    return xp.minimum(a, b)


@minimum.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    from .comparison import share

    return (lambda: multiply(g, share(b, a))), (lambda: multiply(g, share(a, b)))


# ---- sums of products, which optimisers are made of ----------------------------------------------
@operator
def add_scaled(xp: Any, a: Array, b: Array, *, value: float = 1) -> Any:
    """Return a + value * b.

    Shapes: a and b broadcast. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.operators.add_scaled(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 1.0]), value=0.5)
    Tensor([1.5, 2.5])
    """
    return a + b * value


@add_scaled.gradient(saves="")
def _(g: Tensor, y: Any, a: Any, b: Any, value: float) -> Any:
    return g, lambda: multiply(g, value)


@operator
def addcmul(xp: Any, x: Array, a: Array, b: Array, *, value: float = 1) -> Any:
    """Return x + value * a * b.

    Shapes: x, a and b broadcast. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.operators.addcmul(mi.ones(2), mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0]), value=0.5)
    Tensor([2.5, 5. ])
    """
    return x + a * b * value


@addcmul.gradient(saves="a b")
def _(g: Tensor, y: Any, x: Any, a: Tensor, b: Tensor, value: float) -> Any:
    return (
        g,
        lambda: multiply(multiply(g, conjugated(b)), value),
        lambda: multiply(multiply(g, conjugated(a)), value),
    )


@operator(floating=True)
def addcdiv(xp: Any, x: Array, a: Array, b: Array, *, value: float = 1) -> Any:
    """Return x + value * a / b.

    Shapes: x, a and b broadcast. Dtype: the promoted one; integers become float32.

    >>> import minima as mi
    >>> mi.operators.addcdiv(mi.ones(2), mi.Tensor([1.0, 2.0]), mi.Tensor([2.0, 4.0]), value=4)
    Tensor([3., 3.])
    """
    return x + a / b * value


@addcdiv.gradient(saves="a b")
def _(g: Tensor, y: Any, x: Any, a: Tensor, b: Tensor, value: float) -> Any:
    scaled = multiply(g, value)
    a, b = conjugated(a), conjugated(b)
    return (
        g,
        lambda: divide(scaled, b),
        lambda: negative(divide(multiply(scaled, a), multiply(b, b))),
    )


@operator(floating=True)
def lerp(xp: Any, start: Array, end: Array, *, weight: float) -> Any:
    """Return start + weight * (end - start).

    Shapes: start and end broadcast. Dtype: the promoted one; integers become float32.

    >>> import minima as mi
    >>> mi.operators.lerp(mi.Tensor([0.0, 2.0]), mi.Tensor([1.0, 4.0]), weight=0.5)
    Tensor([0.5, 3. ])
    """
    return start + (end - start) * weight


@lerp.gradient(saves="")
def _(g: Tensor, y: Any, start: Any, end: Any, weight: float) -> Any:
    return (lambda: multiply(g, 1 - weight)), (lambda: multiply(g, weight))
