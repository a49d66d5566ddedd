"""Comparisons, logic and choice, elementwise; only `where` and `clip` carry gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import promote
from ..errors import DTypeError
from ..explain import explained
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import multiply
from .scalars import NUMBERS
from .table import Array, operator

__all__ = [
    "bitwise_and",
    "bitwise_invert",
    "bitwise_or",
    "bitwise_xor",
    "clip",
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "logical_not",
    "not_equal",
    "share",
    "where",
]


@operator
def equal(xp: Any, a: Array, b: Array) -> Any:
    """Say where a equals b; NaN equals nothing.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.equal(mi.Tensor([1, 2]), 2)
    Tensor([False,  True])
    """
    return xp.equal(a, b)


@operator
def not_equal(xp: Any, a: Array, b: Array) -> Any:
    """Say where a differs from b.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.not_equal(mi.Tensor([1, 2]), 2)
    Tensor([ True, False])
    """
    return xp.not_equal(a, b)


@operator
def less(xp: Any, a: Array, b: Array) -> Any:
    """Say where a is less than b.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.less(mi.Tensor([1, 2]), 2)
    Tensor([ True, False])
    """
    return xp.less(a, b)


@operator
def less_equal(xp: Any, a: Array, b: Array) -> Any:
    """Say where a is at most b.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.less_equal(mi.Tensor([1, 2]), 1)
    Tensor([ True, False])
    """
    return xp.less_equal(a, b)


@operator
def greater(xp: Any, a: Array, b: Array) -> Any:
    """Say where a is greater than b.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.greater(mi.Tensor([1, 2]), 1)
    Tensor([False,  True])
    """
    return xp.greater(a, b)


@operator
def greater_equal(xp: Any, a: Array, b: Array) -> Any:
    """Say where a is at least b.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.greater_equal(mi.Tensor([1, 2]), 2)
    Tensor([False,  True])
    """
    return xp.greater_equal(a, b)


@operator
def logical_not(xp: Any, x: Array) -> Any:
    """Say where an element is zero or False.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.logical_not(mi.Tensor([True, False]))
    Tensor([False,  True])
    """
    return xp.logical_not(x)


@operator
def bitwise_invert(xp: Any, x: Array) -> Any:
    """Invert bools, or each bit of integers.

    Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_invert(mi.Tensor([True, False]))
    Tensor([False,  True])
    """
    return xp.bitwise_invert(x)


@operator
def bitwise_and(xp: Any, a: Array, b: Array) -> Any:
    """Combine bools or the bits of integers by AND.

    Shapes: a and b broadcast. Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_and(mi.Tensor([True, True]), mi.Tensor([True, False]))
    Tensor([ True, False])
    """
    return xp.bitwise_and(a, b)


@operator
def bitwise_or(xp: Any, a: Array, b: Array) -> Any:
    """Combine bools or the bits of integers by OR.

    Shapes: a and b broadcast. Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_or(mi.Tensor([True, False]), mi.Tensor([False, False]))
    Tensor([ True, False])
    """
    return xp.bitwise_or(a, b)


@operator
def bitwise_xor(xp: Any, a: Array, b: Array) -> Any:
    """Combine bools or the bits of integers by exclusive OR.

    Shapes: a and b broadcast. Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_xor(mi.Tensor([True, False]), mi.Tensor([True, True]))
    Tensor([False,  True])
    """
    return xp.bitwise_xor(a, b)


@operator
def isnan(xp: Any, x: Array) -> Any:
    """Say where an element is not a number.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.isnan(mi.Tensor([1.0, float("nan")]))
    Tensor([False,  True])
    """
    return xp.isnan(x)


@operator
def isinf(xp: Any, x: Array) -> Any:
    """Say where an element is infinite.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.isinf(mi.Tensor([1.0, float("-inf")]))
    Tensor([False,  True])
    """
    return xp.isinf(x)


@operator
def isfinite(xp: Any, x: Array) -> Any:
    """Say where an element is neither infinite nor NaN.

    Dtype: bool.

    >>> import minima as mi
    >>> mi.isfinite(mi.Tensor([1.0, float("nan")]))
    Tensor([ True, False])
    """
    return xp.isfinite(x)


@operator
def share(xp: Any, a: Array, b: Array) -> Any:
    """Return 1 where a is greater than b, 1/2 where they are equal and 0 elsewhere.

    Shapes: a and b broadcast. Dtype: the promoted one. Gradient: 0 everywhere.

    >>> import minima as mi
    >>> mi.operators.share(mi.Tensor([1.0, 2.0, 3.0]), 2.0)
    Tensor([0. , 0.5, 1. ])
    """
    return (xp.astype(a > b, a.dtype) + xp.astype(a >= b, a.dtype)) * 0.5


@share.gradient(saves="")
def _(g: Tensor, y: Any, a: Any, b: Any) -> Any:
    return (lambda: multiply(g, 0.0)), (lambda: multiply(g, 0.0))


@operator(promotes=("a", "b"))
def where(xp: Any, condition: Array, a: Array, b: Array) -> Any:
    """Take from a where *condition* holds, else from b.

    Shapes: all three broadcast. Dtype: the promoted one of a and b.
    Gradient: exactly 0 for what is not taken, even beside NaN or infinity.

    >>> import minima as mi
    >>> mi.where(mi.Tensor([True, False]), mi.Tensor([1.0, 2.0]), 0.0)
    Tensor([1., 0.])
    """
    return xp.where(condition, a, b)


@where.prepare
def _(condition: Tensor, a: Tensor, b: Tensor) -> dict[str, Any]:
    if condition.dtype.kind != "b":
        raise DTypeError(
            f"where: the condition has dtype {condition.dtype}; expected bool, as from a comparison"
        )
    return {}


@where.gradient(saves="condition")
def _(g: Tensor, y: Any, condition: Tensor, a: Any, b: Any) -> Any:
    return None, (lambda: where(condition, g, 0.0)), (lambda: where(condition, 0.0, g))


@operator
def clip_(xp: Any, x: Array, min: float | None = None, max: float | None = None) -> Any:
    """Limit each element to [min, max]; None leaves that side open.

    Gradient: 1 within the limits and at them, 0 outside.

    >>> import minima as mi
    >>> mi.clip(mi.Tensor([-2.0, 0.5, 2.0]), -1, 1)
    Tensor([-1. ,  0.5,  1. ])
    """
    return xp.clip(x, min, max)


@clip_.prepare
def _(x: Tensor, min: float | None, max: float | None) -> dict[str, Any]:
    for name, limit in (("min", min), ("max", max)):
        if limit is not None and not isinstance(limit, int | float):
            raise DTypeError(
                f"clip: {name}={limit!r}; expected a Python number or None "
                "(in place, limits are no tensors: write x = mi.clip(x, ...))"
            )
        if x.dtype.kind in "iu" and isinstance(limit, float) and not limit.is_integer():
            raise DTypeError(
                f"clip: {name}={limit} does not fit into {x.dtype}; expected a whole number: "
                "cast the tensor first with .astype('float32')"
            )
    if x.dtype.kind in "iu":
        min, max = (None if n is None else int(n) for n in (min, max))
    return {"min": min, "max": max}


@clip_.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, min: float | None, max: float | None) -> Any:
    for limit, outside in ((min, less), (max, greater)):
        if limit is not None:
            g = where(outside(x, limit), 0.0, g)
    return g


@explained
def clip(x: TensorLike, min: Any = None, max: Any = None) -> Tensor:
    """Limit each element to [min, max]; None leaves that side open.

    Shapes: limits that are tensors broadcast with x. Dtype: as x. NaN in a limit gives NaN.
    Gradient: 1 within the limits and at them, 0 outside, where it goes to the limit.

    >>> import minima as mi
    >>> mi.clip(mi.Tensor([-2.0, 0.5, 2.0]), -1, 1)
    Tensor([-1. ,  0.5,  1. ])
    >>> mi.clip(mi.Tensor([-2.0, 0.5, 2.0]), min=mi.Tensor([0.0, 1.0, 1.0]))
    Tensor([0., 1., 2.])
    """
    if _is_array(min):
        x = _limited(x, min, greater_equal, "min")
        min = None
    elif _is_array(max):
        x = clip_(x, min, None)
        min = None
    if _is_array(max):
        return _limited(x, max, less_equal, "max")
    return clip_(x, min, max)


def _is_array(limit: Any) -> bool:
    return limit is not None and not isinstance(limit, NUMBERS)


def _limited(x: TensorLike, limit: TensorLike, within: Callable[..., Tensor], name: str) -> Tensor:
    """Put *limit*, a tensor, in the place of what does not lie *within* it."""
    t = as_tensor(x, operation="clip")
    bound = as_tensor(limit, device=t.device, operation="clip")
    if promote(bound.dtype, t.dtype).kind != t.dtype.kind:
        raise DTypeError(
            f"clip: {name} has dtype {bound.dtype}; expected {t.dtype}, as x has: use .astype"
        )
    bound = bound.astype(t.dtype)
    kept = within(t, bound)
    if t.dtype.kind == "f":
        kept = bitwise_or(kept, isnan(t))
    return where(kept, t, bound)
