"""Samples of embeddings, one by one and in bags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, distinct, exactly, integers, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")


def _embedding(indices: Any, weight: Any, padding_idx: Any = None) -> Any:
    return weight[indices]


def _embedding_gradient(g: Any, indices: Any, num_embeddings: int, padding_idx: Any = None) -> Any:
    out = np.zeros((num_embeddings, g.shape[-1]))
    for place in np.ndindex(indices.shape):
        out[indices[place]] += g[place]
    if padding_idx is not None:
        out[padding_idx] = 0.0
    return out


def _single() -> Iterator[Sample]:
    for shape in ((3,), (2, 3), (), (0,), (40,)):
        indices = integers(*shape, low=0, high=5)
        yield Sample("embedding", _embedding, [indices, real(5, 2)])
        attrs = {"num_embeddings": 5}
        yield Sample("embedding_gradient", _embedding_gradient, [real(*shape, 2), indices], attrs)
    same = exactly(np.full(9, 1))
    attrs = {"num_embeddings": 3}
    yield Sample("embedding_gradient", _embedding_gradient, [real(9, 2), same], attrs, "one")
    every = exactly(np.arange(12)[::-1])
    attrs = {"num_embeddings": 12}
    yield Sample("embedding_gradient", _embedding_gradient, [real(12, 2), every], attrs, "each")
    padded = exactly([[0, 2], [2, 1]])
    yield Sample(
        "embedding",
        _embedding,
        [padded, real(3, 2)],
        {"padding_idx": -1},
        "padded",
        smooth=False,
        slopes=[None, [[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]],
    )
    attrs = {"num_embeddings": 3, "padding_idx": 2}
    yield Sample("embedding_gradient", _embedding_gradient, [real(2, 2, 2), padded], attrs)
    special = exactly([[nan, 1.0], [inf, -inf]])
    yield Sample("embedding", _embedding, [exactly([1, 0, 0]), special], {}, "special", False)


def _bags(values: Any, offsets: Any) -> list[Any]:
    return [values[a:b] for a, b in zip(offsets, [*offsets[1:], len(values)])]


def _bag_numbers(offsets: Any, count: int) -> Any:
    sizes: Any = np.diff([*offsets, count]) if len(offsets) else []
    return np.array([b for b, n in enumerate(sizes) for _ in range(n)], np.int64)


def _embedding_bag(
    indices: Any,
    offsets: Any,
    weight: Any,
    scales: Any = None,
    mode: str = "mean",
    padding_idx: Any = None,
) -> Any:
    out = np.zeros((len(offsets), weight.shape[1]))
    scales = np.ones(len(indices)) if scales is None else scales
    padding = None if padding_idx is None else padding_idx % len(weight)
    for b, places in enumerate(_bags(np.arange(len(indices)), offsets)):
        kept = [i for i in places if indices[i] != padding]
        if kept:
            rows = weight[indices[kept]] * scales[kept, None]
            out[b] = getattr(np, mode)(rows, axis=0)
    return out


def _bag_largest(rows: Any, offsets: Any) -> Any:
    out = np.zeros(rows.shape)
    for places in _bags(np.arange(len(rows)), offsets):
        if len(places):
            best = places[rows[places].argmax(0)]
            out[best, np.arange(rows.shape[1])] = 1.0
    return out


#: entries, and where the bags begin: ragged, with empty ones, even, one, none
BAGS: tuple[tuple[list[int], list[int]], ...] = (
    ([0, 2, 2, 1, 3, 0, 2], [0, 3, 3, 4]),
    ([0, 1, 2, 3, 0, 1], [0, 2, 4]),
    ([1, 1, 1], [0]),
    ([2, 1], [0, 2, 2]),
    ([], [0, 0]),
    ([], []),
)


def _in_bags() -> Iterator[Sample]:
    inputs: list[Any]
    for number, (entries, begins) in enumerate(BAGS):
        indices, offsets = exactly(entries, np.int64), exactly(begins, np.int64)
        count, note = len(entries), f"bags{number}"
        for mode in ("sum", "mean", "max"):
            for padding in (None, 2):
                if padding is not None and number:
                    continue
                attrs = {"mode": mode} | ({} if padding is None else {"padding_idx": padding})
                smooth = padding is None
                yield Sample(
                    "embedding_bag",
                    _embedding_bag,
                    [indices, offsets, distinct(4, 2), None],
                    attrs,
                    note,
                    smooth,
                )
        inputs = [indices, offsets, real(4, 2), real(count)]
        yield Sample("embedding_bag", _embedding_bag, inputs, {"mode": "sum"}, f"scaled{number}")
        yield Sample("bag_numbers", _bag_numbers, [offsets], {"count": count}, note)
        yield Sample("bag_largest", _bag_largest, [distinct(count, 2), offsets], {}, note)
    ties = exactly([[1.0], [2.0], [2.0]])
    yield Sample("bag_largest", _bag_largest, [ties, exactly([0])], {}, "ties")
    inputs = [exactly([0, 1, 2, 1]), exactly([0]), ties, None]
    slopes = [None, None, [[0.0], [1.0], [0.0]], None]
    yield Sample("embedding_bag", _embedding_bag, inputs, {"mode": "max"}, "ties", False, slopes)
    inputs = [exactly([2, 0, 2]), exactly([0, 2]), real(3, 1), None]
    attrs = {"mode": "mean", "padding_idx": 2}
    slopes = [None, None, [[1.0], [0.0], [0.0]], None]
    yield Sample("embedding_bag", _embedding_bag, inputs, attrs, "padded", False, slopes)


SAMPLES = [*_single(), *_in_bags()]
