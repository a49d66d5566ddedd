"""Kernels of the cpu device for `minima.operators.lookup`.

NumPy adds rows up at repeated indices one element at a time. Here they are sorted by index, and
neighbours with the same index are added pairwise, all at once, until each index is left once: as
many rounds as the most frequent index has bits. The order is fixed, so are the results.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import IndexRangeError

__all__ = ["KERNELS"]

Array = Any


def _take(table: Array, indices: Array, out: Array = None) -> Array:
    """Return the rows that *indices* name; NumPy is slow at it where it checks while it writes."""
    if out is None:
        return table[indices]
    if indices.size:
        low, high = int(indices.min()), int(indices.max())
        if low < 0 or high >= len(table):
            raise IndexRangeError(
                f"embedding: got index {low if low < 0 else high}; expected 0 to {len(table) - 1}"
            )
    return np.take(table, indices, axis=0, out=out, mode="clip")


def _embedding(
    indices: Array, weight: Array, *, padding_idx: int | None, out: Array = None
) -> Array:
    return _take(weight, indices, out)


def _sum_runs(rows: Array, at: Array, keys: Array) -> tuple[Array, Array]:
    """Add up the rows ``rows[at]`` whose neighbouring *keys* are equal, in place.

    Returns where in *rows* the sums lie, and their keys, each once.
    """
    while True:
        new = np.empty(len(keys), bool)
        new[:1] = True
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        if new.all():
            return at, keys
        place = np.arange(len(keys))
        odd = (place - np.maximum.accumulate(np.where(new, place, 0))) & 1 == 1
        second = np.flatnonzero(odd)
        rows[at[second - 1]] += rows[at[second]]
        at, keys = at[~odd], keys[~odd]


def _sum_at(rows: Array, numbers: Array, out: Array) -> Array:
    """Add each of *rows*, which are written over, to the row of *out* that its number names."""
    if numbers.size and numbers.size <= 8:  # a step of inference: sorting costs more than it saves
        np.add.at(out, numbers, rows)
        return out
    order = np.argsort(numbers, kind="stable")
    at, keys = _sum_runs(rows, order, numbers[order])
    out[keys] = rows[at]
    return out


def _embedding_gradient(
    g: Array,
    indices: Array,
    *,
    num_embeddings: int,
    padding_idx: int | None,
    out: Array = None,
) -> Array:
    width = g.shape[-1]
    if out is None:
        out = np.zeros((num_embeddings, width), g.dtype)
    else:
        out.fill(0)
    _sum_at(np.array(g.reshape(indices.size, width), order="C"), indices.reshape(-1), out)
    if padding_idx is not None:
        out[padding_idx] = 0
    return out


def _bag_numbers(offsets: Array, *, count: int, out: Array = None) -> Array:
    if out is None:
        out = np.empty(count, np.int64)
    ends = np.append(offsets[1:], count)
    out[:] = np.repeat(np.arange(len(offsets)), ends - offsets)
    return out


def _embedding_bag(
    indices: Array,
    offsets: Array,
    weight: Array,
    per_sample_weights: Array = None,
    *,
    mode: str,
    padding_idx: int | None,
    out: Array = None,
) -> Array:
    if out is None:
        out = np.empty((len(offsets), weight.shape[1]), weight.dtype)
    if padding_idx is not None:
        kept = indices != padding_idx
        offsets = np.append(0, np.cumsum(kept))[offsets]  # how many are kept before each bag
        indices = indices[kept]
        if per_sample_weights is not None:
            per_sample_weights = per_sample_weights[kept]
    rows = _take(weight, indices)
    if per_sample_weights is not None:
        rows *= per_sample_weights[:, None]
    count = np.diff(offsets, append=len(indices))
    filled = count > 0
    ufunc = np.maximum if mode == "max" else np.add
    size = int(count[0]) if len(count) else 0
    if size and len(indices) == size * len(count) and (count == size).all():
        ufunc.reduce(rows.reshape(len(count), size, -1), axis=1, out=out)
    else:
        out[~filled] = 0
        if mode == "max":
            out[filled] = np.maximum.reduceat(rows, offsets[filled], axis=0) if len(rows) else 0
        else:
            out[filled] = 0
            numbers = np.repeat(np.arange(len(count)), count)
            at, keys = _sum_runs(rows, np.arange(len(rows)), numbers)
            out[keys] = rows[at]
    if mode == "mean":
        out /= np.maximum(count, 1).astype(out.dtype)[:, None]
    return out


#: all of them take ``out=``
KERNELS = {
    "embedding": _embedding,
    "embedding_gradient": _embedding_gradient,
    "bag_numbers": _bag_numbers,
    "embedding_bag": _embedding_bag,
}
