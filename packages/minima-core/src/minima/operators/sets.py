"""Sets of values: the unique ones, where they are, and membership.

How many unique values there are is known only once they are found, so that the values are read to
the host; a compiled function that does so runs eagerly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..dtypes import promote
from ..records import Record
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import minimum
from .comparison import equal, logical_not
from .composed import composite
from .creation import full, made
from .gathering import take_along_axis
from .indexing import getitem
from .manipulation import astype, reshape
from .sorting import searchsorted, sort

__all__ = [
    "UniqueAll",
    "UniqueCounts",
    "UniqueInverse",
    "UniqueInverseCounts",
    "isin",
    "unique",
    "unique_all",
    "unique_consecutive",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class UniqueAll(Record):
    """What `unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(Record):
    """What `unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(Record):
    """What `unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


class UniqueInverseCounts(Record):
    """What `unique` returns with all of its options."""

    values: Tensor
    inverse_indices: Tensor
    counts: Tensor


Unique = Tensor | UniqueInverse | UniqueCounts | UniqueInverseCounts


def _found(x: TensorLike) -> UniqueAll:
    """Return the unique values of x, picked from it where each comes first, and the rest."""
    t = as_tensor(x)
    flat = reshape(t, (t.size,))
    _, first, inverse, counts = np.unique(
        flat.numpy(), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )

    def there(values: npt.NDArray[Any]) -> Tensor:
        return made(values.astype(np.int64), t.device)

    values = getitem(flat, (first,))
    return UniqueAll(values, there(first), there(inverse.reshape(t.shape)), there(counts))


@composite
def unique_all(x: TensorLike) -> UniqueAll:
    """Return the sorted unique values, where each comes first, what each element is, and counts.

    Indices are those of the flat tensor; *inverse_indices* has the shape of x. Each NaN is a value
    of its own. Gradient: that of the values, to where each comes first.

    >>> import minima as mi
    >>> mi.unique_all(mi.Tensor([3, 1, 3])).counts
    Tensor([1, 2])
    """
    return _found(x)


@composite
def unique_counts(x: TensorLike) -> UniqueCounts:
    """Return the sorted unique values, and how often each comes.

    Each NaN is a value of its own.

    >>> import minima as mi
    >>> mi.unique_counts(mi.Tensor([3, 1, 3]))
    UniqueCounts(values=Tensor([1, 3]), counts=Tensor([1, 2]))
    """
    found = _found(x)
    return UniqueCounts(found.values, found.counts)


@composite
def unique_inverse(x: TensorLike) -> UniqueInverse:
    """Return the sorted unique values, and which of them each element of x is.

    Each NaN is a value of its own.

    >>> import minima as mi
    >>> mi.unique_inverse(mi.Tensor([3, 1, 3]))
    UniqueInverse(values=Tensor([1, 3]), inverse_indices=Tensor([1, 0, 1]))
    """
    found = _found(x)
    return UniqueInverse(found.values, found.inverse_indices)


@composite
def unique_values(x: TensorLike) -> Tensor:
    """Return the sorted unique values; each NaN is one of its own.

    >>> import minima as mi
    >>> mi.unique_values(mi.Tensor([3, 1, 3]))
    Tensor([1, 3])
    """
    return _found(x).values


def _asked(found: Any, return_inverse: bool, return_counts: bool) -> Unique:
    """Return of values, inverse and counts what was asked for."""
    values, inverse, counts = found
    if return_inverse and return_counts:
        return UniqueInverseCounts(values, inverse, counts)
    if return_inverse:
        return UniqueInverse(values, inverse)
    return UniqueCounts(values, counts) if return_counts else values


@composite
def unique(x: TensorLike, *, return_inverse: bool = False, return_counts: bool = False) -> Unique:
    """Return the sorted unique values, with options also where each is and how often.

    A tensor, or with an option a tuple of values, *inverse_indices* in the shape of x, and counts.
    Each NaN is a value of its own. Gradient: that of the values, to where each comes first.

    >>> import minima as mi
    >>> mi.unique(mi.Tensor([3, 1, 3]))
    Tensor([1, 3])
    >>> mi.unique(mi.Tensor([3, 1, 3]), return_counts=True).counts
    Tensor([1, 2])
    """
    found = _found(x)
    parts = (found.values, found.inverse_indices, found.counts)
    return _asked(parts, return_inverse, return_counts)


@composite
def unique_consecutive(
    x: TensorLike, *, return_inverse: bool = False, return_counts: bool = False
) -> Unique:
    """Return the elements of the flat tensor that differ from the one before, in their order.

    With options as `unique`; counts are those of each run. Gradient: to the first of each run.

    >>> import minima as mi
    >>> mi.unique_consecutive(mi.Tensor([3, 3, 1, 3]))
    Tensor([3, 1, 3])
    """
    t = as_tensor(x)
    flat = reshape(t, (t.size,))
    numbers = flat.numpy()
    starts = np.concatenate([np.ones(min(t.size, 1), bool), numbers[1:] != numbers[:-1]])
    first = np.flatnonzero(starts)
    inverse = (np.cumsum(starts) - 1).reshape(t.shape).astype(np.int64)
    counts = np.diff(np.append(first, t.size)).astype(np.int64)
    parts = (getitem(flat, (first,)), made(inverse, t.device), made(counts, t.device))
    return _asked(parts, return_inverse, return_counts)


@composite
def isin(x1: TensorLike, x2: TensorLike, *, invert: bool = False) -> Tensor:
    """Say which elements of x1 are among those of x2; with *invert* which are not.

    NaN is among none. Shapes: that of x1. Dtype: bool; x1 and x2 are brought to one type.

    >>> import minima as mi
    >>> mi.isin(mi.Tensor([1, 2, 3]), mi.Tensor([3, 1]))
    Tensor([ True, False,  True])
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if not b.size:
        return full(a.shape, invert, device=a.device)
    dtype = promote(a.dtype, b.dtype)
    a, b = (reshape(t if t.dtype == dtype else astype(t, dtype), (t.size,)) for t in (a, b))
    ordered = sort(b.detach())
    place = minimum(searchsorted(ordered, a), b.size - 1)
    found = reshape(equal(take_along_axis(ordered, place, axis=0), a), as_tensor(x1).shape)
    return logical_not(found) if invert else found
