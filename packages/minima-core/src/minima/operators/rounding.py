"""Rounding and the bits of floating numbers, elementwise; constant but for steps."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, TensorLike
from .arithmetic import multiply
from .comparison import where
from .composed import composite
from .exponential import sign
from .manipulation import copy
from .table import Array, operator

__all__ = ["ceil", "copysign", "floor", "nextafter", "positive", "round", "signbit", "trunc"]


@operator(real=True)
def ceil(xp: Any, x: Array) -> Any:
    """Round towards infinity.

    Dtype: as x. Gradient: 0 everywhere.

    >>> import minima as mi
    >>> mi.ceil(mi.Tensor([-1.5, 0.4, 2.5]))
    Tensor([-1.,  1.,  3.])
    """
    return xp.asarray(x, copy=True) if x.dtype.kind in "iub" else xp.ceil(x)


@ceil.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return multiply(g, 0.0)


@operator(real=True)
def floor(xp: Any, x: Array) -> Any:
    """Round towards minus infinity.

    Dtype: as x. Gradient: 0 everywhere.

    >>> import minima as mi
    >>> mi.floor(mi.Tensor([-1.5, 0.4, 2.5]))
    Tensor([-2.,  0.,  2.])
    """
    return xp.asarray(x, copy=True) if x.dtype.kind in "iub" else xp.floor(x)


@floor.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return multiply(g, 0.0)


@operator(real=True)
def trunc(xp: Any, x: Array) -> Any:
    """Round towards 0.

    Dtype: as x. Gradient: 0 everywhere.

    >>> import minima as mi
    >>> mi.trunc(mi.Tensor([-1.5, 0.4, 2.5]))
    Tensor([-1.,  0.,  2.])
    """
    return xp.asarray(x, copy=True) if x.dtype.kind in "iub" else xp.trunc(x)


@trunc.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return multiply(g, 0.0)


@operator
def round(xp: Any, x: Array) -> Any:
    """Round to the nearest whole number, and to the even one of two that are equally near.

    Dtype: as x. Gradient: 0 everywhere.

    >>> import minima as mi
    >>> mi.round(mi.Tensor([-1.5, 0.4, 2.5]))
    Tensor([-2.,  0.,  2.])
    """
    return xp.asarray(x, copy=True) if x.dtype.kind in "iub" else xp.round(x)


@round.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return multiply(g, 0.0)


@operator(real=True)
def signbit(xp: Any, x: Array) -> Any:
    """Say where an element is negative, -0.0 included; see the sign of NaN too.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.signbit(mi.Tensor([-1.0, -0.0, 0.0]))
    Tensor([ True,  True, False])
    """
    return xp.signbit(x)


@operator(floating=True, real=True)
def copysign(xp: Any, a: Array, b: Array) -> Any:
    """Return a with the sign of b; that of -0.0 counts.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32.
    Gradient: of a it is 1 where the sign stays and -1 where it turns, 0 at 0; of b it is 0.

    >>> import minima as mi
    >>> mi.copysign(mi.Tensor([1.0, -2.0]), mi.Tensor([-0.0, 3.0]))
    Tensor([-1.,  2.])
    """
    return xp.copysign(a, b)


@copysign.gradient(saves="a b")
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    def of_size() -> Tensor:
        return multiply(g, where(signbit(b), -sign(a), sign(a)))

    return of_size, (lambda: multiply(g, 0.0))


@operator(floating=True, real=True)
def nextafter(xp: Any, a: Array, b: Array) -> Any:
    """Return the number of the type next to a on the way to b; a itself where they are equal.

    Shapes: a and b broadcast. Dtype: the promoted one; integers become float32. Gradient: none.

    >>> import minima as mi
    >>> mi.nextafter(mi.Tensor([1.0]), 2.0) - 1.0 == mi.finfo(mi.float32).eps
    Tensor([ True])
    """
    return xp.nextafter(a, b)


@composite
def positive(x: TensorLike) -> Tensor:
    """Return a copy of x.

    Gradient: 1.

    >>> import minima as mi
    >>> mi.positive(mi.Tensor([1.0, -2.0]))
    Tensor([ 1., -2.])
    """
    return copy(x)
