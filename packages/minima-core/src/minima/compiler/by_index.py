"""Indexing by tensors as a plan does it: the indices are inputs and may change from call to call.

Eager code keeps the arrays of an index within it, as an attribute. A tape takes those that came
from Tensors out: what it writes down are the kernels here, whose *index* has a `Place` for each.
"""

from __future__ import annotations

from typing import Any

from ..devices.base import REFERENCES

Index = tuple[Any, ...]

__all__ = ["BY_INDEX", "Place", "parted", "write_by"]

#: launch -> the kernel that takes the arrays of its index as inputs
BY_INDEX = {"getitem": "getitem_by", "scatter": "scatter_by", "put": "put_by", "write": "put_by"}


class Place(int):
    """The number of the array that stands in an index here."""


def parted(index: Any, arrays: dict[int, Any]) -> tuple[Index, tuple[Any, ...]]:
    """Return *index* with a `Place` for each of those *arrays*, by id, that it holds, and these.

    >>> a = np.array([1, 2])
    >>> parted((..., a), {id(a): a})
    ((Ellipsis, 0), (array([1, 2]),))
    """
    found: list[Any] = []
    parts: list[Any] = []
    for p in index if isinstance(index, tuple) else (index,):
        if id(p) in arrays:
            parts.append(Place(len(found)))
            found.append(p)
        else:
            parts.append(p)
    return tuple(parts), tuple(found)


def _whole(index: Index, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(arrays[p] if type(p) is Place else p for p in index)


def getitem_by(xp: Any, x: Any, *arrays: Any, index: Index) -> Any:
    """Return ``x[index]`` with *arrays* in their places, as `getitem` does."""
    return REFERENCES["getitem"](xp, x, _whole(index, arrays))


def scatter_by(xp: Any, x: Any, *arrays: Any, shape: tuple[int, ...], index: Index) -> Any:
    """Return zeros of *shape* with x added at *index*, as `scatter` does."""
    return REFERENCES["scatter"](xp, x, shape, _whole(index, arrays))


def put_by(xp: Any, x: Any, value: Any, *arrays: Any, index: Index) -> Any:
    """Return a copy of x with *value* at *index*, as `put` does."""
    return REFERENCES["put"](xp, x, value, _whole(index, arrays))


def write_by(name: str, out: Any, value: Any, *arrays: Any, index: Index) -> None:
    """Write *value* at *index* of the NumPy array *out*: `put_by` without a copy.

    Raises: IndexRangeError, ShapeError as the operation *name* does.
    """
    from ..operators.indices import fault

    parts = _whole(index, arrays)
    try:
        out[parts] = value
    except (IndexError, ValueError) as error:
        raise fault(name, out.shape, parts, error, value.shape) from None


REFERENCES.update(getitem_by=getitem_by, scatter_by=scatter_by, put_by=put_by)
