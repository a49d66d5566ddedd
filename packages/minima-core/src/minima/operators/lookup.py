"""Rows of a table, looked up by number, one by one or in bags."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from ..tensor import Tensor
from .arithmetic import divide, multiply
from .comparison import equal, not_equal, where
from .indexing import check_range, put
from .manipulation import astype, expand_dims
from .reduction import sum
from .table import Array, operator

__all__ = [
    "bag_largest",
    "bag_numbers",
    "embedding",
    "embedding_bag",
    "embedding_gradient",
]

MODES = ("sum", "mean", "max")


def _check_indices(name: str, indices: Tensor, count: int) -> None:
    """Raise unless *indices* are integers in 0 .. count - 1."""
    if indices.dtype.kind not in "iu":
        raise DTypeError(
            f"{name}: got indices of {indices.dtype}; expected integers: use .astype('int64')"
        )
    if indices._device.base is None:  # else the operator that runs on the batch looks
        check_range(name, np, indices._device.to_host(indices._array), count, "index")


def _check_padding(name: str, padding_idx: int | None, count: int) -> int | None:
    """Return *padding_idx* counted from the front."""
    if padding_idx is None:
        return None
    if not hasattr(padding_idx, "__index__") or not -count <= padding_idx < count:
        raise ArgumentError(
            f"{name}: got padding_idx {padding_idx!r}; expected None or an integer from "
            f"{-count} to {count - 1}"
        )
    return int(padding_idx) % count


# ---- one by one ----------------------------------------------------------------------------------
@operator(promotes=False)
def embedding(xp: Any, indices: Array, weight: Array, *, padding_idx: int | None = None) -> Any:
    """Return the rows of *weight* that *indices* name.

    Shapes: indices (*) integers, weight (V, D) -> (*, D). Dtype: as weight.
    Gradient: added up where a row is named more than once; the row *padding_idx* gets none.
    Raises: IndexRangeError for an index outside of 0 .. V - 1.

    >>> import minima as mi
    >>> mi.embedding(mi.Tensor([1, 0, 1]), mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    return xp.reshape(
        xp.take(weight, xp.reshape(indices, (-1,)), axis=0), (*indices.shape, *weight.shape[1:])
    )


@embedding.prepare
def _(indices: Tensor, weight: Tensor, padding_idx: int | None) -> dict[str, Any]:
    if weight.ndim != 2:
        raise ShapeError(f"embedding: got a weight of shape {weight.shape}; expected (V, D)")
    _check_indices("embedding", indices, weight.shape[0])
    return {"padding_idx": _check_padding("embedding", padding_idx, weight.shape[0])}


@embedding.gradient(saves="indices")
def _(g: Tensor, y: Any, indices: Tensor, weight: Any, padding_idx: int | None) -> Any:
    def of_weight() -> Tensor:
        return embedding_gradient(g, indices, weight.shape[0], padding_idx=padding_idx)

    return None, of_weight


@operator(promotes=False)
def embedding_gradient(
    xp: Any, g: Array, indices: Array, num_embeddings: int, *, padding_idx: int | None = None
) -> Any:
    """Add rows up at the places that *indices* name: the gradient of `embedding`.

    The order of additions is fixed by *indices*: the result is the same each time, bit for bit.

    Shapes: g (*, D), indices (*) integers -> (num_embeddings, D), 0 in the row *padding_idx*.

    >>> import minima as mi
    >>> mi.operators.embedding_gradient(mi.Tensor([[1.0], [2.0], [4.0]]), mi.Tensor([1, 0, 1]), 3)
    Tensor([[2.],
            [5.],
            [0.]])
    """
    rows = xp.reshape(g, (indices.size, g.shape[-1]))
    total = xp.zeros((num_embeddings, g.shape[-1]), dtype=g.dtype)
    xp.add.at(total, xp.reshape(indices, (-1,)), rows)
    if padding_idx is not None:
        total[padding_idx] = 0
    return total


@embedding_gradient.prepare
def _(g: Tensor, indices: Tensor, num_embeddings: int, padding_idx: int | None) -> dict[str, Any]:
    if g.shape[:-1] != indices.shape or not g.ndim:
        raise ShapeError(
            f"embedding_gradient: got g {g.shape} and indices {indices.shape}; expected g of "
            "shape (*, D) and indices (*)"
        )
    _check_indices("embedding_gradient", indices, num_embeddings)
    found = _check_padding("embedding_gradient", padding_idx, num_embeddings)
    return {"num_embeddings": int(num_embeddings), "padding_idx": found}


@embedding_gradient.gradient(saves="indices")
def _(
    gg: Tensor, y: Any, g: Any, indices: Tensor, num_embeddings: int, padding_idx: int | None
) -> Any:
    if padding_idx is not None:
        gg = put(gg, 0.0, (padding_idx,))
    return (lambda: embedding(indices, gg)), None


# ---- in bags -------------------------------------------------------------------------------------
def _reduced(xp: Any, ufunc: Any, rows: Any, numbers: Any, count: int, start: float) -> Any:
    """Return, for each bag, what *ufunc* makes of *start* and the rows of that number."""
    total = xp.full((count, *rows.shape[1:]), start, dtype=rows.dtype)
    ufunc.at(total, numbers, rows)
    return total


@operator(promotes=False)
def bag_numbers(xp: Any, offsets: Array, count: int) -> Any:
    """Return the number of the bag that each of *count* entries is in.

    Shapes: offsets (B) integers, where each bag begins -> (count). Gradient: none.

    >>> import minima as mi
    >>> mi.operators.bag_numbers(mi.Tensor([0, 2, 2]), 4)
    Tensor([0, 0, 2, 2])
    """
    places = xp.arange(count, dtype=offsets.dtype)
    return xp.astype(xp.searchsorted(offsets, places, side="right") - 1, "int64")


@bag_numbers.prepare
def _(offsets: Tensor, count: int) -> dict[str, Any]:
    _check_offsets("bag_numbers", offsets, int(count))
    return {"count": int(count)}


def _check_offsets(name: str, offsets: Tensor, count: int) -> None:
    """Raise unless *offsets* are integers that grow from 0 to at most *count*."""
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu":
        raise ShapeError(
            f"{name}: got offsets of shape {offsets.shape} and {offsets.dtype}; expected integers "
            "of shape (B)"
        )
    if offsets._device.base is not None:  # the operator that runs on the batch looks
        return
    values = offsets._device.to_host(offsets._array)
    fits = (
        values[0] == 0 and values[-1] <= count and bool((values[1:] >= values[:-1]).all())
        if values.size
        else not count
    )
    if not fits:
        raise IndexRangeError(
            f"{name}: got offsets {values.tolist()[:8]} for {count} entries; expected the first to "
            "be 0, none smaller than the one before, and none beyond the entries"
        )


@operator(promotes=("weight", "per_sample_weights"), floating=True)
def embedding_bag(
    xp: Any,
    indices: Array,
    offsets: Array,
    weight: Array,
    per_sample_weights: Array = None,
    *,
    mode: str = "mean",
    padding_idx: int | None = None,
) -> Any:
    """Return the sum, mean or elementwise maximum of the rows in each bag.

    Bag b holds the entries from offsets[b] to the next offset. *per_sample_weights* scale the rows
    of a sum. Entries equal to *padding_idx* count for nothing. A bag without entries gives 0.

    Shapes: indices (n) and offsets (B) integers, weight (V, D), per_sample_weights (n) or None
    -> (B, D). Dtype: as weight. Gradient: of a maximum, goes to the first largest.
    Raises: IndexRangeError for an index or offset out of range, ArgumentError for an unknown mode.

    >>> import minima as mi
    >>> weight = mi.Tensor([[1.0], [2.0], [4.0]])
    >>> mi.operators.embedding_bag(mi.Tensor([0, 1, 2]), mi.Tensor([0, 2]), weight)
    Tensor([[1.5],
            [4. ]])
    """
    numbers = bag_numbers.entry.reference(xp, offsets, indices.shape[0])
    rows, bags = xp.take(weight, indices, axis=0), offsets.shape[0]
    counted = xp.ones(indices.shape, dtype=weight.dtype)
    if padding_idx is not None:
        counted = xp.astype(indices != padding_idx, weight.dtype)
        out = -xp.inf if mode == "max" else 0.0
        rows = xp.where((indices != padding_idx)[:, None], rows, xp.full((), out, dtype=rows.dtype))
    if mode == "max":
        best = _reduced(xp, xp.maximum, rows, numbers, bags, -xp.inf)
        full = _reduced(xp, xp.add, counted, numbers, bags, 0.0)[:, None] > 0
        return xp.where(full, best, xp.zeros((), dtype=best.dtype))
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[:, None]
    total = _reduced(xp, xp.add, rows, numbers, bags, 0.0)
    if mode == "sum":
        return total
    count = _reduced(xp, xp.add, counted, numbers, bags, 0.0)
    return total / xp.maximum(count, xp.ones((), dtype=count.dtype))[:, None]


@embedding_bag.prepare
def _(
    indices: Tensor,
    offsets: Tensor,
    weight: Tensor,
    per_sample_weights: Tensor | None,
    mode: str,
    padding_idx: int | None,
) -> dict[str, Any]:
    if mode not in MODES:
        raise ArgumentError(f"embedding_bag: got mode {mode!r}; expected one of {', '.join(MODES)}")
    if weight.ndim != 2 or indices.ndim != 1:
        raise ShapeError(
            f"embedding_bag: got indices {indices.shape} and weight {weight.shape}; expected (n) "
            "and (V, D)"
        )
    if per_sample_weights is not None:
        if mode != "sum":
            raise ArgumentError(
                f"embedding_bag: got per_sample_weights with mode {mode!r}; expected mode 'sum'"
            )
        if per_sample_weights.shape != indices.shape:
            raise ShapeError(
                f"embedding_bag: got per_sample_weights of shape {per_sample_weights.shape}; "
                f"expected that of indices, {indices.shape}"
            )
    _check_indices("embedding_bag", indices, weight.shape[0])
    _check_offsets("embedding_bag", offsets, indices.shape[0])
    found = _check_padding("embedding_bag", padding_idx, weight.shape[0])
    return {"mode": mode, "padding_idx": found}


@embedding_bag.gradient(saves="indices offsets weight per_sample_weights")
def _(
    g: Tensor,
    y: Any,
    indices: Tensor,
    offsets: Tensor,
    weight: Tensor,
    per_sample_weights: Tensor | None,
    mode: str,
    padding_idx: int | None,
) -> Any:
    numbers = bag_numbers(offsets, indices.shape[0])
    if mode == "mean":
        g = divide(g, _counts(indices, numbers, offsets.shape[0], padding_idx, g))
    spread = embedding(numbers, g)
    scaled = spread
    if mode == "max":
        rows = embedding(indices, weight.detach())
        if padding_idx is not None:
            rows = where(expand_dims(equal(indices, padding_idx), 1), float("-inf"), rows)
        scaled = multiply(spread, bag_largest(rows, offsets))
    elif per_sample_weights is not None:
        scaled = multiply(spread, expand_dims(per_sample_weights, 1))

    def of_scales() -> Tensor:
        found = sum(multiply(spread, embedding(indices, weight)), 1)
        if padding_idx is None:
            return found
        return multiply(found, astype(not_equal(indices, padding_idx), found.dtype))

    return (
        None,
        None,
        lambda: embedding_gradient(scaled, indices, weight.shape[0], padding_idx=padding_idx),
        None if per_sample_weights is None else of_scales,
    )


def _counts(
    indices: Tensor, numbers: Tensor, bags: int, padding_idx: int | None, like: Tensor
) -> Tensor:
    """Return how many entries each bag is divided by: (B, 1), 1 for an empty one."""
    from .arithmetic import maximum

    counted = equal(indices, indices) if padding_idx is None else not_equal(indices, padding_idx)
    ones = expand_dims(astype(counted, like.dtype), 1)
    return maximum(embedding_gradient(ones, numbers, bags), 1.0)


@operator(promotes=False)
def bag_largest(xp: Any, rows: Array, offsets: Array) -> Any:
    """Return 1 at the first largest element of each column of each bag and 0 elsewhere.

    Shapes: rows (n, D), offsets (B) integers, where each bag begins -> (n, D). Dtype: as rows.
    Gradient: none.

    >>> import minima as mi
    >>> mi.operators.bag_largest(mi.Tensor([[1.0], [2.0], [2.0]]), mi.Tensor([0]))
    Tensor([[0.],
            [1.],
            [0.]])
    """
    count, bags = rows.shape[0], offsets.shape[0]
    numbers = bag_numbers.entry.reference(xp, offsets, count)
    best = _reduced(xp, xp.maximum, rows, numbers, bags, -xp.inf)
    places = xp.arange(count)[:, None]
    place = xp.where(rows == best[numbers], places, count)
    first = xp.full((bags, rows.shape[1]), count, dtype=place.dtype)
    xp.minimum.at(first, numbers, place)
    return xp.astype(places == first[numbers], rows.dtype)


@bag_largest.explain
def _(rows: Tensor, offsets: Tensor) -> str:
    return (
        f"got rows of shape {rows.shape} and offsets of shape {offsets.shape} and "
        f"{offsets.dtype}; expected (n, D) and integers of shape (B)"
    )
