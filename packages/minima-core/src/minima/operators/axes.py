"""Axis arguments in their canonical form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentError, AxisRangeError, DTypeError

__all__ = ["canonical_axes", "canonical_axis", "kept_shape", "sizes", "whole"]


def canonical_axis(name: str, axis: Any, ndim: int) -> int:
    """Return *axis* counted from the front.

    Raises: AxisRangeError when the tensor has no such axis, DTypeError when it is no integer.

    >>> canonical_axis("sum", -1, 3)
    2
    """
    try:
        if axis is True or axis is False:
            raise TypeError
        index = axis.__index__()
    except (AttributeError, TypeError):
        raise DTypeError(f"{name}: got axis {axis!r}; expected an integer") from None
    if not -ndim <= index < ndim:
        raise AxisRangeError(
            f"{name}: axis {index} is out of range for {ndim} axes; expected -{ndim} to {ndim - 1}"
            if ndim
            else f"{name}: axis {index} is out of range: the tensor has shape ()"
        )
    return int(index) + ndim if index < 0 else int(index)


def canonical_axes(name: str, axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Return *axis*, an integer, several or None for all, as a tuple counted from the front.

    Raises: as `canonical_axis`; ArgumentError when an axis appears twice.

    >>> canonical_axes("sum", None, 2), canonical_axes("sum", (-1, 0), 3)
    ((0, 1), (2, 0))
    """
    if axis is None:
        return tuple(range(ndim))
    if not isinstance(axis, tuple | list):
        return (canonical_axis(name, axis, ndim),)
    found = tuple(canonical_axis(name, a, ndim) for a in axis)
    if len(set(found)) != len(found):
        raise ArgumentError(f"{name}: axis {tuple(axis)} names an axis twice")
    return found


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...]) -> tuple[int, ...]:
    """Return *shape* with size 1 along *axes*.

    >>> kept_shape((2, 3), (1,))
    (2, 1)
    """
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def sizes(name: str, value: Any, count: int, least: int, what: str) -> tuple[int, ...]:
    """Return *value*, one integer or *count* of them, as a tuple; each at least *least*.

    >>> sizes("conv2d", 3, 2, 1, "stride")
    (3, 3)
    """
    many = tuple(value) if isinstance(value, tuple | list) else (value,) * count
    if len(many) != count or not all(map(_is_integer, many)):
        raise DTypeError(f"{name}: got {what} {value!r}; expected an integer or {count} of them")
    if any(n < least for n in many):
        raise ArgumentError(f"{name}: got {what} {value!r}; expected at least {least}")
    return tuple(int(n) for n in many)


def whole(name: str, what: str, value: Any) -> int:
    """Return the integer *value*, which the error for another calls *what*.

    >>> whole("tril", "k", 1.5)
    Traceback (most recent call last):
    minima.errors.DTypeError: tril: got k 1.5; expected an integer
    """
    if not _is_integer(value):
        raise DTypeError(f"{name}: got {what} {value!r}; expected an integer")
    return int(value.__index__())


def _is_integer(value: Any) -> bool:
    try:
        value.__index__()
    except (AttributeError, TypeError):
        return False
    return not isinstance(value, bool)
