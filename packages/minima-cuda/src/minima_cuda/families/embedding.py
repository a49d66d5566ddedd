"""Rows of a table, looked up by number, and added up at them in a fixed order."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np

from minima.devices import Kernel
from minima.operators.indexing import check_range

from ..geometry import over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room
from .softmax import capturing

__all__ = ["KERNELS"]

Array = Any

NUMBERS = {"int32": "Int32", "int64": "Int64"}
ONES = (*FLOATS, "int32", "int64", "uint8", "bool")  # dtypes of one_hot's result
MODES = ("sum", "mean", "max")
RUN = 1024  # keys that a block sorts, with half as many threads
LEAST_OF_CHUNK = 32
MOST = 2**31 - 1  # rows, and entries, that fit into a key
NO_ROW = np.int64(-(2**63))


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""

    def source(table: Array, numbers: Array) -> Source | None:
        """Return the source for arrays of these types; None if kernels do not serve them."""
        if table.dtype.name not in FLOATS or numbers.dtype.name not in NUMBERS:
            return None
        return Source("embedding", table.dtype.name, (("I", NUMBERS[numbers.dtype.name]),))

    def embedding(
        indices: Array, weight: Array, *, padding_idx: int | None = None, out: Array = None
    ) -> Array:
        of = source(weight, indices)
        if of is None or weight.ndim != 2:
            attrs = {"padding_idx": padding_idx}
            return by_reference(xp, "embedding", [indices, weight], attrs, out)
        rows, width = weight.shape
        y = room(xp, out, (*indices.shape, width), weight.dtype, [indices, weight])
        if y.size:
            numbers = (np.int64(indices.size), np.int64(rows), np.int64(width))
            args = (*map(xp.ascontiguousarray, (indices, weight)), y, *numbers)
            run = 16 // y.itemsize if width % (16 // y.itemsize) == 0 else 1
            launcher.launch(of, "embedding_forward", *over_elements(y.size // run), args)
        return into(out, y)

    def embedding_gradient(
        g: Array,
        indices: Array,
        num_embeddings: int,
        *,
        padding_idx: int | None = None,
        out: Array = None,
    ) -> Array:
        of = source(g, indices)
        if of is None or max(num_embeddings, indices.size) >= MOST - RUN:
            attrs = {"num_embeddings": num_embeddings, "padding_idx": padding_idx}
            return by_reference(xp, "embedding_gradient", [g, indices], attrs, out)
        y = room(xp, out, (num_embeddings, g.shape[-1]), g.dtype, [g, indices])
        y.fill(0)
        if y.size and indices.size:
            skipped = -1 if padding_idx is None else padding_idx % num_embeddings
            keys = _sorted_keys(of, xp.ascontiguousarray(indices), num_embeddings, skipped)
            _add_up(of, xp.ascontiguousarray(g), keys, y)
        return into(out, y)

    def _sorted_keys(of: Source, indices: Array, rows: int, skipped: int) -> Array:
        """Return (row, place) of each entry, ascending, as one number each."""
        count = np.int64(indices.size)
        keys, merged = xp.empty(indices.size, np.uint64), None
        args = (indices, keys, count, np.int64(rows), np.int64(skipped))
        launcher.launch(of, "sort_runs", (-(-indices.size // RUN),), (RUN // 2,), args)
        length = RUN
        while length < indices.size:
            merged = xp.empty(indices.size, np.uint64) if merged is None else merged
            pair = (keys, merged, count, np.int64(length))
            launcher.launch(of, "merge_runs", *over_elements(indices.size), pair)
            keys, merged, length = merged, keys, 2 * length
        return keys

    def _add_up(of: Source, g: Array, keys: Array, y: Array) -> None:
        """Add the rows of g up into y, which is 0; the order depends on *keys* alone."""
        width, count = y.shape[1], keys.size
        length = max(LEAST_OF_CHUNK, isqrt(count))
        chunks = -(-count // length)
        ends = xp.empty((chunks, 2, width), ACCUMULATORS[y.dtype.name])
        numbers = tuple(map(np.int64, (count, length, chunks, width)))
        grid, block = over_elements(chunks * width)
        launcher.launch(of, "sum_chunks", grid, block, (g, keys, y, ends, *numbers))
        if chunks > 1:
            launcher.launch(of, "join_chunks", grid, block, (keys, ends, y, *numbers))

    def embedding_bag(
        indices: Array,
        offsets: Array,
        weight: Array,
        per_sample_weights: Array = None,
        *,
        mode: str = "mean",
        padding_idx: int | None = None,
        out: Array = None,
    ) -> Array:
        of, scales = source(weight, indices), per_sample_weights
        scaled = scales is not None
        if (
            of is None
            or offsets.dtype.name not in NUMBERS
            or (scaled and scales.dtype != weight.dtype)
        ):
            arrays = [indices, offsets, weight, scales]
            attrs = {"mode": mode, "padding_idx": padding_idx}
            return by_reference(xp, "embedding_bag", arrays, attrs, out)
        rows, width = weight.shape
        bags, inputs = offsets.shape[0], [indices, offsets, weight, scales]
        y = room(xp, out, (bags, width), weight.dtype, inputs)
        if y.size:
            offsets = offsets.astype(indices.dtype)
            arrays = [indices, offsets, weight, scales if scaled else weight]
            skipped = NO_ROW if padding_idx is None else padding_idx % rows
            numbers = map(np.int64, (indices.size, bags, rows, width, skipped))
            flags = (np.int32(MODES.index(mode)), np.int32(scaled))
            args = (*map(xp.ascontiguousarray, arrays), y, *numbers, *flags)
            launcher.launch(of, "embedding_bag", *over_elements(y.size), args)
        return into(out, y)

    def bag_numbers(offsets: Array, count: int, out: Array = None) -> Array:
        if offsets.dtype.name not in NUMBERS:
            return by_reference(xp, "bag_numbers", [offsets], {"count": count}, out)
        y = room(xp, out, (count,), np.dtype(np.int64), [offsets])
        if y.size:
            of = Source("embedding", "float32", (("I", NUMBERS[offsets.dtype.name]),))
            numbers = (np.int64(count), np.int64(offsets.size))
            args = (xp.ascontiguousarray(offsets), y, *numbers)
            launcher.launch(of, "bag_numbers", *over_elements(count), args)
        return into(out, y)

    def bag_largest(rows: Array, offsets: Array, out: Array = None) -> Array:
        of = source(rows, offsets)
        if of is None:
            return by_reference(xp, "bag_largest", [rows, offsets], {}, out)
        y = room(xp, out, rows.shape, rows.dtype, [rows, offsets])
        if y.size:
            bags, (count, width) = offsets.size, rows.shape
            numbers = map(np.int64, (count, bags, width))
            args = (*map(xp.ascontiguousarray, (rows, offsets)), y, *numbers)
            launcher.launch(of, "bag_largest", *over_elements(bags * width), args)
        return into(out, y)

    def one_hot(
        indices: Array, num_classes: int, dtype: Any = np.float32, out: Array = None
    ) -> Array:
        if not capturing(xp):  # else what replays it has checked
            check_range("one_hot", xp, indices, num_classes)
        dtype = np.dtype(dtype)
        if dtype.name not in ONES or indices.dtype.name not in NUMBERS:
            attrs = {"num_classes": num_classes, "dtype": dtype}
            return by_reference(xp, "one_hot", [indices], attrs, out)
        y = room(xp, out, (*indices.shape, num_classes), dtype, [indices])
        if y.size:
            of = Source("embedding", dtype.name, (("I", NUMBERS[indices.dtype.name]),))
            args = (xp.ascontiguousarray(indices), y, np.int64(y.size), np.int64(num_classes))
            launcher.launch(of, "one_hot", *over_elements(y.size), args)
        return into(out, y)

    return {
        kernel.__name__: kernel
        for kernel in (
            embedding,
            embedding_gradient,
            embedding_bag,
            bag_numbers,
            bag_largest,
            one_hot,
        )
    }
