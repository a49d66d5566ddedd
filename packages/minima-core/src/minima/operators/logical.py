"""Logic of truth values, and shifts of the bits of integers, elementwise."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, TensorLike
from .comparison import bitwise_and, bitwise_or, bitwise_xor, not_equal
from .composed import composite
from .table import Array, operator

__all__ = ["bitwise_left_shift", "bitwise_right_shift", "logical_and", "logical_or", "logical_xor"]


def _truth(x: Any) -> Tensor:
    return x if x.dtype.kind == "b" else not_equal(x, 0)


@composite
def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """Say where both are true, that is, not zero.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.logical_and(mi.Tensor([True, True, False]), mi.Tensor([1, 0, 0]))
    Tensor([ True, False, False])
    """
    return bitwise_and(_truth(a), _truth(b))


@composite
def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """Say where at least one is true, that is, not zero.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.logical_or(mi.Tensor([True, True, False]), mi.Tensor([1, 0, 0]))
    Tensor([ True,  True, False])
    """
    return bitwise_or(_truth(a), _truth(b))


@composite
def logical_xor(a: TensorLike, b: TensorLike) -> Tensor:
    """Say where exactly one is true, that is, not zero.

    Shapes: a and b broadcast. Dtype: bool.

    >>> import minima as mi
    >>> mi.logical_xor(mi.Tensor([True, True, False]), mi.Tensor([1, 0, 0]))
    Tensor([False,  True, False])
    """
    return bitwise_xor(_truth(a), _truth(b))


@operator
def bitwise_left_shift(xp: Any, a: Array, b: Array) -> Any:
    """Shift the bits of a to the left by b places: multiply by 2**b.

    Shapes: a and b broadcast. Dtype: the promoted one. Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_left_shift(mi.Tensor([1, 4]), 1)
    Tensor([2, 8])
    """
    return xp.bitwise_left_shift(a, b)


@operator
def bitwise_right_shift(xp: Any, a: Array, b: Array) -> Any:
    """Shift the bits of a to the right by b places: divide by 2**b, towards minus infinity.

    Shapes: a and b broadcast. Dtype: the promoted one. Raises: DTypeError for floats.

    >>> import minima as mi
    >>> mi.bitwise_right_shift(mi.Tensor([1, 4]), 1)
    Tensor([0, 2])
    """
    return xp.bitwise_right_shift(a, b)
