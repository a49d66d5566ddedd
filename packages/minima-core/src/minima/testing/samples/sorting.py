"""Samples of sorting and searching among sorted values, and of sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, distinct, exactly, integers

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Sort by hand, stable both ways, NaN as the largest."""
    rows = np.moveaxis(x, axis, -1)
    found = np.zeros(rows.shape, np.int64)
    for place in np.ndindex(rows.shape[:-1]):
        row = rows[place].tolist()
        sign = -1 if descending else 1
        found[place] = sorted(
            range(len(row)),
            key=lambda i: (sign * (row[i] != row[i]), 0 if row[i] != row[i] else sign * row[i]),
        )
    return np.moveaxis(found, -1, axis)


def _sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    return np.take_along_axis(x, _argsort(x, axis, descending), axis)


WAYS: tuple[tuple[tuple[int, ...], dict[str, Any]], ...] = (
    ((5,), {}),
    ((2, 3, 4), {"axis": 1}),
    ((2, 5), {"descending": True}),
    ((4, 3), {"axis": 0, "descending": True, "stable": False}),
    ((1,), {}),
    ((0, 3), {"axis": 0}),
    ((3, 0), {"descending": True}),
)
TIES = [[2.0, 1.0, 2.0, 1.0], [3.0, 3.0, 3.0, 0.0]]
SPECIAL = [[1.0, nan, -inf, inf], [nan, 2.0, nan, -1.0]]


def _sorts() -> Iterator[Sample]:
    for shape, attrs in WAYS:
        yield Sample("argsort", _argsort, [distinct(*shape)], attrs)
    for descending in (False, True):
        attrs = {"descending": descending}
        yield Sample("argsort", _argsort, [exactly(TIES)], attrs, "ties")
        yield Sample("argsort", _argsort, [exactly(SPECIAL)], attrs, "special")
        yield Sample("argsort", _argsort, [integers(2, 6)], attrs)
        yield Sample("argsort", _argsort, [bools(6)], attrs)


def _searchsorted(x1: Any, x2: Any, sorter: Any = None, side: str = "left") -> Any:
    found = x1 if sorter is None else x1[sorter]
    pick = np.less if side == "left" else np.less_equal
    return pick(found, np.asarray(x2)[..., None]).sum(-1)


def _searches() -> Iterator[Sample]:
    name, ordered = "searchsorted", exactly([1.0, 2.0, 2.0, 5.0])
    asked = exactly([[0.0, 1.0, 2.0], [3.0, 5.0, 9.0]])
    for side in ("left", "right"):
        yield Sample(name, _searchsorted, [ordered, asked], {"side": side})
        mixed = exactly([5.0, 1.0, 2.0, 2.0]), asked, exactly([1, 2, 3, 0])
        yield Sample(name, _searchsorted, mixed, {"side": side}, "sorter")
        yield Sample(name, _searchsorted, [exactly([1, 3, 3]), integers(5)], {"side": side})
    yield Sample(name, _searchsorted, [ordered, exactly(2.0)])
    yield Sample(name, _searchsorted, [ordered, 2.0])
    yield Sample(name, _searchsorted, [distinct(0), asked], {}, "nowhere")
    yield Sample(name, _searchsorted, [ordered, distinct(0, 2)], {}, "nothing")
    yield Sample(name, _searchsorted, [exactly([-inf, 0.0, inf]), exactly([inf, -inf, 1.0])])


def _topk(output: int) -> Any:
    def oracle(x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        index = np.take(_argsort(x, axis, largest), np.arange(k), axis)
        index = index if sorted else np.sort(index, axis)
        return index if output else np.take_along_axis(x, index, axis)

    return oracle


def _kth(output: int) -> Any:
    def oracle(x: Any, k: int, axis: int = -1, keepdims: bool = False) -> Any:
        index = np.take(_argsort(x, axis), [k - 1], axis)
        found = index if output else np.take_along_axis(x, index, axis)
        return found if keepdims else np.squeeze(found, axis)

    return oracle


def _picks() -> Iterator[Sample]:
    for shape, attrs in WAYS:
        yield Sample("sort", _sort, [distinct(*shape)], attrs)
    yield Sample("sort", _sort, [exactly(SPECIAL)], {}, "special", False, [np.ones((2, 4))])
    yield Sample("sort", _sort, [exactly(TIES)], {}, "ties", False, [np.ones((2, 4))])
    for output in (0, 1):
        for shape, attrs in (
            ((5,), {"k": 2}),
            ((2, 4, 3), {"k": 3, "axis": 1, "largest": False}),
            ((2, 6), {"k": 4, "sorted": False}),
            ((3,), {"k": 0}),
            ((0, 3), {"k": 1}),
        ):
            yield Sample("topk", _topk(output), [distinct(*shape)], attrs, output=output)
        for shape, attrs in (
            ((5,), {"k": 2}),
            ((2, 4, 3), {"k": 4, "axis": 1, "keepdims": True}),
            ((0, 3), {"k": 1}),
        ):
            yield Sample("kthvalue", _kth(output), [distinct(*shape)], attrs, output=output)
    first = [[[1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]]]
    yield Sample("topk", _topk(0), [exactly(TIES)], {"k": 2}, "ties", False, first)
    second = [[[0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]]]
    yield Sample("kthvalue", _kth(0), [exactly(TIES)], {"k": 2}, "ties", False, second)


def _unique(output: int) -> Any:
    def oracle(x: Any) -> Any:
        found = np.unique(
            x, return_index=True, return_inverse=True, return_counts=True, equal_nan=False
        )
        return found[output].reshape(x.shape) if output == 2 else found[output]

    return oracle


def _sets() -> Iterator[Sample]:
    outputs: dict[str, tuple[int, ...]] = {
        "unique_all": (0, 1, 2, 3),
        "unique_counts": (0, 3),
        "unique_inverse": (0, 2),
        "unique_values": (0,),
    }
    for name, places in outputs.items():
        for output, place in enumerate(places):
            oracle = _unique(place)
            if name == "unique_values":
                oracle = _unique(0)
            yield Sample(name, oracle, [distinct(2, 3)], output=output)
            yield Sample(name, oracle, [integers(3, 4)], output=output)
            yield Sample(name, oracle, [distinct(0, 2)], output=output)
            yield Sample(name, oracle, [distinct()], output=output)
            special = exactly([nan, 1.0, nan, -inf, 1.0])
            yield Sample(name, oracle, [special], {}, "special", False, output=output)
    slopes = [[1.0, 1.0, 0.0]]
    yield Sample("unique_values", _unique(0), [exactly([2.0, 1.0, 2.0])], {}, "ties", False, slopes)


def _isin(x1: Any, x2: Any, invert: bool = False) -> Any:
    return np.isin(x1, x2, invert=invert)


def _memberships() -> Iterator[Sample]:
    for invert in (False, True):
        attrs = {"invert": invert}
        yield Sample("isin", _isin, [integers(3, 4), integers(2, 2)], attrs)
        yield Sample("isin", _isin, [integers(3), integers(0)], attrs)
        yield Sample("isin", _isin, [integers(0, 3), integers(2)], attrs)
    yield Sample("isin", _isin, [exactly([nan, 1.0, inf]), exactly([nan, inf])])
    yield Sample("isin", _isin, [exactly([0.5, 1.0]), exactly([1, 0])], note="mixed")
    yield Sample("isin", _isin, [integers(), 2])


SAMPLES = [*_sorts(), *_searches()]
COMPOSED = [*_picks(), *_sets(), *_memberships()]
