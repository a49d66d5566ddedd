"""Kernels of the cpu device for `minima.operators.attention`.

Scores exist for one tile at a time: some queries, each with all the keys that it sees, so that a
tile's softmax is complete and nothing has to be rescaled when the next one comes, as it would have
to be if keys were cut as well. Many short sequences make one tile, a long one makes many; threads
take tiles in turn. The gradient computes the tiles again.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ..threads import share

__all__ = ["KERNELS"]

Array = Any
Tile = tuple[slice, slice, slice]

TILE = 1 << 17  # scores of a tile: half of a core's second-level cache as float32
ROWS = 16  # queries of a tile at least: fewer make the products slow


def tiles(shape: tuple[int, ...], keys: int) -> Iterator[Tile]:
    """Yield the parts of queries (A, B, L, E), by A, B and L, that are computed together."""
    a, b, rows = shape[:3]
    one = max(rows * keys, 1)
    some = min(rows, max(TILE // max(keys, 1), ROWS)) if one > TILE else rows
    heads = max(min(b, TILE // one), 1)
    many = max(TILE // (one * b), 1) if heads == b else 1
    for i in range(0, a, many):
        for j in range(0, b, heads):
            for r in range(0, rows, some or 1):
                yield slice(i, i + many), slice(j, j + heads), slice(r, min(r + some, rows))


def _quads(arrays: tuple[Array, ...], mask: Array) -> Iterator[tuple[list[Array], Array]]:
    """Yield *arrays* and *mask* as views with four axes: those before are gone through."""
    lead = arrays[0].shape[:-4]
    for index in np.ndindex(lead):
        part = mask
        if mask is not None and lead:
            many = mask.reshape((1,) * (len(lead) + 4 - mask.ndim) + mask.shape)
            part = many[tuple(i if n > 1 else 0 for i, n in zip(index, many.shape))]
        yield [_four(x[index]) for x in arrays], None if part is None else _four(part)


def _four(x: Array) -> Array:
    """Return x with four axes, those in front of size 1."""
    return x.reshape((1,) * (4 - x.ndim) + x.shape)


def _seen(mask: Array, tile: Tile, stop: int) -> Array:
    """Return the part of *mask*, whose axes may have size 1, that belongs to a tile."""
    parts = [
        part if n > 1 else slice(None)
        for n, part in zip(mask.shape, (*tile, slice(0, stop)), strict=True)
    ]
    return mask[tuple(parts)]


def _weights(
    q: Array, k: Array, mask: Array, tile: Tile, stop: int, causal: bool
) -> tuple[Array, Array]:
    """Return exp(scores - their largest) of a tile, and the sum of each row."""
    scores = np.matmul(q, k.swapaxes(-1, -2))
    if mask is not None:
        part = _seen(mask, tile, stop)
        if part.dtype.kind == "b":
            np.copyto(scores, -np.inf, where=~part)
        else:
            np.add(scores, part, out=scores, casting="same_kind")
    rows = tile[2]
    if causal and stop > rows.start + 1:
        later = np.arange(stop) > np.arange(rows.start, rows.stop)[:, None]
        np.copyto(scores, -np.inf, where=later)
    top = np.maximum.reduce(scores, axis=-1, keepdims=True)
    if mask is not None or not np.isfinite(top).all():
        top[~np.isfinite(top)] = 0
    np.subtract(scores, top, out=scores)
    np.exp(scores, out=scores)
    total = np.add.reduce(scores, axis=-1, keepdims=True)
    total[total == 0] = 1
    return scores, total


def _attention(
    q: Array,
    k: Array,
    v: Array,
    mask: Array = None,
    *,
    causal: bool,
    scale: float,
    out: Array = None,
) -> Array:
    if out is None:
        out = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
    if not k.shape[-2]:
        out.fill(0)
        return out
    for arrays, part in _quads((q, k, v, out), mask):
        _attention_tiles(arrays, part, causal, scale)
    return out


def _attention_tiles(arrays: list[Array], mask: Array, causal: bool, scale: float) -> None:
    """Write the attention of q, k and v, the first three of *arrays*, to the last."""
    q, k, v, out = arrays
    scale = q.dtype.type(scale)
    cut = list(tiles(q.shape, k.shape[2]))

    def one(number: int) -> None:
        tile = cut[number]
        a, b, rows = tile
        stop = min(rows.stop, k.shape[2]) if causal else k.shape[2]
        weights, total = _weights(q[tile] * scale, k[a, b, :stop], mask, tile, stop, causal)
        part = out[tile]
        np.matmul(weights, v[a, b, :stop], out=part)
        np.divide(part, total, out=part)

    share(one, len(cut))


def _attention_gradient(
    g: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: Array = None,
    *,
    causal: bool,
    scale: float,
    out: Array = None,
) -> Array:
    sizes = [prod(x.shape) for x in (q, k, v)]
    if out is None:
        out = np.empty(sum(sizes), q.dtype)
    ends = (sizes[0], sizes[0] + sizes[1])
    found = [part.reshape(x.shape) for part, x in zip(np.split(out, ends), (q, k, v), strict=True)]
    out.fill(0)
    if k.shape[-2]:
        for arrays, part in _quads((g, q, k, v, *found), mask):
            _gradient_tiles(arrays, part, causal, scale)
    return out


def _gradient_tiles(arrays: list[Array], mask: Array, causal: bool, scale: float) -> None:
    """Write, or for keys and values add, the gradients to the last three of *arrays*."""
    g, q, k, v, of_q, of_k, of_v = arrays
    scale = q.dtype.type(scale)
    heads: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles(q.shape, k.shape[2]):
        heads.setdefault((tile[0].start, tile[1].start), []).append(tile)
    cut = list(heads.values())  # tiles that add to the same gradients stay together

    def one(tile: Tile) -> None:
        a, b, rows = tile
        stop = min(rows.stop, k.shape[2]) if causal else k.shape[2]
        keys, values, scaled, slope = k[a, b, :stop], v[a, b, :stop], q[tile] * scale, g[tile]
        weights, total = _weights(scaled, keys, mask, tile, stop, causal)
        np.divide(weights, total, out=weights)
        of_v[a, b, :stop] += np.matmul(weights.swapaxes(-1, -2), slope)
        along = np.matmul(slope, values.swapaxes(-1, -2))
        np.subtract(along, np.vecdot(along, weights)[..., None], out=along)
        np.multiply(along, weights, out=along)
        np.multiply(np.matmul(along, keys), scale, out=of_q[tile])
        of_k[a, b, :stop] += np.matmul(along.swapaxes(-1, -2), scaled)

    share(lambda number: list(map(one, cut[number])), len(cut))


#: all of them take ``out=``
KERNELS = {
    "scaled_dot_product_attention": _attention,
    "attention_gradient": _attention_gradient,
}
