"""Samples of picking and placing whole rows, and of grids."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np

from .sample import Sample, bools, distinct, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")
SAMPLES: list[Sample] = []  # all are composed


def _select(x: Any, axis: int = 0, index: int = 0) -> Any:
    return np.take(x, index, axis)


def _parts() -> Iterator[Sample]:
    yield Sample("select", _select, [real(2, 3)], {"axis": 1, "index": -1})
    yield Sample("select", _select, [real(2, 0)], {"axis": 0, "index": 1})
    for name, shape, empty in (
        ("hsplit", (2, 4), (0, 4)), ("vsplit", (4, 2), (4, 0)), ("dsplit", (1, 2, 4), (1, 0, 4)),
    ):  # fmt: skip
        split = getattr(np, name)
        for parts in (2, [1, 3]):
            oracle = partial(_part, split)
            yield Sample(name, oracle, [real(*shape)], {"parts": parts}, output=1)
            yield Sample(name, oracle, [real(*empty)], {"parts": parts}, output=1)
    yield Sample("hsplit", partial(_part, np.hsplit), [real(4)], {"parts": 2}, output=1)


def _part(split: Any, x: Any, parts: Any) -> Any:
    return split(x, parts)[1]


def _index_copy(x: Any, axis: int, index: Any, source: Any) -> Any:
    out = np.array(x)
    out[(slice(None),) * axis + (index,)] = source
    return out


def _masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    mask = np.broadcast_to(mask, x.shape)
    out = np.array(x)
    out[mask] = source.ravel()[: mask.sum()]
    return out


def _copies() -> Iterator[Sample]:
    name = "index_copy"
    yield Sample(name, _index_copy, [real(3, 4), 1, exactly([2, 0]), real(3, 2)])
    yield Sample(name, _index_copy, [real(3), 0, exactly([-1]), real(1)])
    yield Sample(name, _index_copy, [real(3, 0), 0, exactly([1]), real(1, 0)])
    yield Sample(name, _index_copy, [real(3), 0, exactly([], np.int64), real(0)])
    name = "index_fill"
    yield Sample(name, _index_copy, [real(3, 4), 1, exactly([2, 0]), 5.0])
    yield Sample(name, _index_copy, [real(3), 0, exactly([-1, 1]), real()])
    yield Sample(name, _index_copy, [real(3, 0), 0, exactly([1]), 5.0])
    mask = exactly([[True, False, True], [False, True, True]])
    name = "masked_scatter"
    slopes: list[Any] = [[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], None, [1.0] * 4 + [0.0]]
    yield Sample(name, _masked_scatter, [real(2, 3), mask, real(5)], slopes=slopes)
    yield Sample(name, _masked_scatter, [real(2, 3), exactly([True, False, True]), real(3, 2)])
    yield Sample(name, _masked_scatter, [real(0), bools(0), real(2)])
    yield Sample(name, _masked_scatter, [real(2), exactly([False, False]), real(0)])


def _renorm(x: Any, p: float, axis: int, maxnorm: float) -> Any:
    others = tuple(d for d in range(x.ndim) if d != axis)
    norms = np.sum(np.abs(x) ** p, axis=others, keepdims=True) ** (1 / p)
    return x * np.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)


def _norms() -> Iterator[Sample]:
    for p, axis in ((2, 0), (1, 1), (3, 2)):
        attrs = {"p": p, "axis": axis, "maxnorm": 1.0}
        yield Sample("renorm", _renorm, [real(2, 3, 2)], attrs)
    yield Sample("renorm", _renorm, [real(0, 3)], {"p": 2, "axis": 1, "maxnorm": 1.0})
    whole = {"p": 2, "axis": 0, "maxnorm": 1.0}
    zeros = exactly([[0.0, 0.0], [0.1, 0.2]])
    yield Sample("renorm", _renorm, [zeros], whole, "zeros", False, [[[1.0, 1.0], [1.0, 1.0]]])


_EACH: dict[str, Any] = {
    "sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min,
}  # fmt: skip


def _scatter_reduce(
    x: Any, axis: int, index: Any, src: Any, reduce: str = "", include_self: bool = True
) -> Any:
    found: dict[Any, list[Any]] = {}
    for at in np.ndindex(*index.shape):
        place = (*at[:axis], int(index[at]) % x.shape[axis], *at[axis + 1 :])
        found.setdefault(place, []).append(src[at])
    out = np.array(x)
    for place, values in found.items():
        given = [x[place], *values] if include_self else values
        value = _EACH[reduce](given)
        out[place] = np.floor(value) if x.dtype.kind == "i" else value
    return out


def _places() -> Iterator[Sample]:
    name, many = "scatter_reduce", exactly([[0, 1, 0], [2, 2, 0], [0, 1, 1]])
    for reduce in _EACH:
        for mine in (True, False):
            attrs = {"reduce": reduce, "include_self": mine}
            inputs = [distinct(3, 4), 0, many, distinct(4, 3, shift=0.1)]
            yield Sample(name, _scatter_reduce, inputs, attrs)
            inputs = [distinct(2, 3, shift=0.1), 1, exactly([[-1, 0, 0, 2, 2]]), distinct(2, 5)]
            yield Sample(name, _scatter_reduce, inputs, attrs)
            inputs = [integers(3), 0, exactly([0, 0, 0, 1]), integers(4)]
            yield Sample(name, _scatter_reduce, inputs, attrs, "whole")
            yield Sample(name, _scatter_reduce, [real(3), 0, exactly([], "int64"), real(0)], attrs)
            special = [real(3), 0, exactly([0, 0, 1, 1]), exactly([1.0, nan, inf, 2.0])]
            yield Sample(name, _scatter_reduce, special, attrs, "special", False)
    ties = [exactly([2.0, 0.0]), 0, exactly([0, 0, 0, 1]), exactly([2.0, 1.0, 2.0, 5.0])]
    third = 1 / 3
    slopes: list[Any] = [[third, 0.0], None, None, [third, 0.0, third, 1.0]]
    yield Sample(name, _scatter_reduce, ties, {"reduce": "amax"}, "ties", False, slopes)
    zeros = [exactly([2.0, 1.0]), 0, exactly([0, 0, 1]), exactly([0.0, 3.0, 0.0])]
    slopes = [[0.0, 0.0], None, None, [6.0, 0.0, 1.0]]
    yield Sample(name, _scatter_reduce, zeros, {"reduce": "prod"}, "zeros", False, slopes)


def _combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    choose = combinations_with_replacement if with_replacement else combinations
    found = list(choose(x.tolist(), r))
    return np.asarray(found, x.dtype).reshape(len(found), r)


def _vander(x: Any, n: int | None = None, increasing: bool = False) -> Any:
    n = x.shape[-1] if n is None else n
    powers = np.arange(n) if increasing else np.arange(n)[::-1]
    return x[..., None] ** powers


def _bucketize(x: Any, boundaries: Any, right: bool = False) -> Any:
    return np.searchsorted(boundaries, x, "right" if right else "left")


def _grids() -> Iterator[Sample]:
    for attrs in ({}, {"r": 3}, {"with_replacement": True}, {"r": 0}):
        yield Sample("combinations", _combinations, [real(4)], attrs)
    yield Sample("combinations", _combinations, [real(0)])
    yield Sample("combinations", _combinations, [integers(3)])
    for given, attrs in (
        (real(3), {}), (real(2, 3), {"n": 2}), (real(0), {"n": 2}), (real(2), {"n": 0}),
        (exactly([0.0, 2.0]), {"n": 3, "increasing": True}), (integers(3), {}),
    ):  # fmt: skip
        yield Sample("vander", _vander, [given], attrs)
    edges = exactly([1.0, 2.0, 4.0])
    for attrs in ({}, {"right": True}):
        yield Sample("bucketize", _bucketize, [exactly([[0.0, 1.0], [3.0, 9.0]]), edges], attrs)
        yield Sample("bucketize", _bucketize, [real(0), edges], attrs)
        yield Sample("bucketize", _bucketize, [integers(3), exactly([-1, 2])], attrs)


def _runs(x: Any, return_inverse: bool = False, return_counts: bool = False) -> Any:
    flat = x.ravel()
    return flat[np.concatenate([np.ones(min(x.size, 1), bool), flat[1:] != flat[:-1]])]


def _sets() -> Iterator[Sample]:
    runs = exactly([1.0, 1.0, 2.0, 1.0])
    for name, oracle in (("unique", lambda x: np.unique(x)), ("unique_consecutive", _runs)):
        yield Sample(
            name, oracle, [runs], {}, "runs", False, [[1.0, 0.0, 1.0, float(name != "unique")]]
        )
        for given in (integers(2, 3), real(0), distinct(4), bools(5)):
            yield Sample(name, oracle, [given], smooth=False)
    for left, right in (((3,), (3,)), ((2, 3), (6,)), ((0,), (0,)), ((), (1,))):
        yield Sample("vdot", np.vdot, [real(*left), real(*right)])


COMPOSED = [*_sets(), *_parts(), *_copies(), *_norms(), *_places(), *_grids()]
