"""Samples of what picks and places elements by tensors of integers or bools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Input, Sample, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _indices(*shape: int, size: int) -> Input:
    """Return indices into an axis of *size*, from either end."""
    return integers(*shape, low=-size, high=size)


def _take_along(x: Any, indices: Any, axis: int = -1) -> Any:
    return np.take_along_axis(x, indices, axis)


def _places(shape: tuple[int, ...], indices: Any, axis: int) -> tuple[Any, ...]:
    grid: list[Any] = list(np.ix_(*map(np.arange, shape)))
    grid[axis] = indices
    return tuple(grid)


def _scatter_along(x: Any, indices: Any, shape: tuple[int, ...], axis: int = -1) -> Any:
    out = np.zeros(shape)
    np.add.at(out, _places(shape, indices, axis), x)
    return out


def _along() -> Iterator[Sample]:
    name = "take_along_axis"
    for shape, picks, axis in (
        ((4,), (6,), 0),
        ((3, 4), (3, 2), 1),
        ((3, 4), (5, 4), 0),
        ((3, 4), (5, 1), 0),
        ((3, 1), (3, 2), -1),
        ((2, 3, 2), (2, 1, 2), 1),
        ((2, 3), (2, 0), 1),
        ((0, 3), (0, 2), 1),
    ):
        given = _indices(*picks, size=shape[axis])
        yield Sample(name, _take_along, [real(*shape), given], {"axis": axis})
        made = np.take_along_axis(np.zeros(shape), np.zeros(picks, int), axis).shape
        attrs = {"shape": shape, "axis": axis}
        yield Sample("scatter_along_axis", _scatter_along, [real(*made), given], attrs)
    yield Sample(name, _take_along, [integers(3, 4), _indices(3, 2, size=4)], note="whole")
    special = exactly([nan, inf, 1.0])
    yield Sample(
        name,
        _take_along,
        [special, exactly([0, 1, 1])],
        {},
        "special",
        False,
        [np.array([1.0, 2.0, 0.0]), None],
    )


def _gather(x: Any, axis: int, index: Any) -> Any:
    out = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(*index.shape):
        there = list(place)
        there[axis] = index[place]
        out[place] = x[tuple(there)]
    return out


def _scatter_add(x: Any, axis: int, index: Any, src: Any) -> Any:
    out = x.copy()
    for place in np.ndindex(*index.shape):
        there = list(place)
        there[axis] = index[place]
        out[tuple(there)] += src[place]
    return out


def _put_along(x: Any, indices: Any, values: Any, axis: int = -1) -> Any:
    out = x.copy()
    np.put_along_axis(out, indices, values, axis)
    return out


def _gathers() -> Iterator[Sample]:
    for shape, picks, axis in (
        ((4,), (6,), 0),
        ((3, 4), (3, 6), 1),
        ((3, 4), (2, 3), 0),
        ((2, 3, 2), (1, 4, 2), 1),
        ((0, 3), (0, 2), 1),
    ):
        given = _indices(*picks, size=shape[axis])
        yield Sample("gather", _gather, [real(*shape), axis, given])
        yield Sample("scatter_add", _scatter_add, [real(*shape), axis, given, real(*picks)])
    larger = [real(3, 4), 0, _indices(2, 3, size=3), real(4, 4)]
    yield Sample("scatter_add", _scatter_add, larger, note="larger")
    once = exactly([[2, 0], [1, 3]])
    yield Sample("put_along_axis", _put_along, [real(2, 4), once, real(2, 2)], {"axis": 1})
    yield Sample("put_along_axis", _put_along, [real(2, 4), once, 1.5], {"axis": -1})
    rows = [real(3, 2), exactly([[1, 0]]), real(1, 2)]
    yield Sample("put_along_axis", _put_along, rows, {"axis": 0})
    none = [real(2, 4), exactly(np.zeros((2, 0)), "int64"), real(2, 0)]
    yield Sample("put_along_axis", _put_along, none, {"axis": 1})


def _take(x: Any, indices: Any, axis: int | None = None) -> Any:
    return np.take(x, indices, axis)


def _select(x: Any, axis: int, index: Any) -> Any:
    return np.take(x, np.atleast_1d(index), axis)


def _update(x: Any, index: Any, value: Any) -> Any:
    out = x.copy()
    out[index] = value
    return out


def _add(x: Any, index: Any, value: Any) -> Any:
    out = x.copy()
    np.add.at(out, index, value)
    return out


def _rows() -> Iterator[Sample]:
    for shape, picks, axis in (((4,), (2, 3), 0), ((3, 4), (5,), 1), ((3, 4), (), 0)):
        given = _indices(*picks, size=shape[axis])
        yield Sample("take", _take, [real(*shape), given], {"axis": axis})
    yield Sample("take", _take, [real(3, 4), _indices(5, size=12)])
    yield Sample("take", _take, [real(0, 4), _indices(2, size=4)], {"axis": 1})
    yield Sample("take", _take, [real(3, 4), exactly(np.zeros(0), "int64")], {"axis": 1})
    yield Sample("index_select", _select, [real(3, 4), 1, _indices(5, size=4)])
    yield Sample("index_select", _select, [real(3, 4), 0, _indices(size=3)])
    yield Sample("index_select", _select, [real(0, 4), 1, _indices(2, size=4)])
    for note, index, part in (
        ("slice", slice(None, None, -2), (2, 3)),
        ("list", [0, 2], (2, 3)),
        ("mask", np.array([True, False, False, True]), (2, 3)),
        ("mixed", (slice(1, 3), [2, 0]), (2, 2)),
        ("broadcast", ([3, 1], slice(None)), (3,)),
        ("empty", slice(0, 0), (0, 3)),
    ):
        for name, oracle in (("index_update", _update), ("index_add", _add)):
            yield Sample(name, oracle, [real(4, 3)], {"index": index, "value": 2.0}, note)
            attrs = {"index": index, "value": np.full(part, 1.5)}
            yield Sample(name, oracle, [real(4, 3)], attrs, f"{note}-array")
    for name, oracle in (("index_update", _update), ("index_add", _add)):
        yield Sample(name, oracle, [real(4, 3), 1, real(3)])
        yield Sample(name, oracle, [real(0, 3)], {"index": (slice(None), 1), "value": 1.0})
    twice = {"index": ([0, 2, 2],), "value": np.array([1.0, 2.0, 4.0])}
    yield Sample("index_add", _add, [real(3)], twice, "twice")


def _fill(x: Any, mask: Any, value: Any) -> Any:
    wide = np.broadcast_shapes(x.shape, mask.shape)
    return np.where(np.broadcast_to(mask, wide), value, x)


def _masked(x: Any, mask: Any) -> Any:
    wide = np.broadcast_shapes(x.shape, mask.shape)
    return np.broadcast_to(x, wide)[np.broadcast_to(mask, wide)]


def _masks() -> Iterator[Sample]:
    for shape, mask in (
        ((2, 3), [[True, False, True], [False, False, True]]),
        ((2, 3), [True, False, True]),
        ((3,), [[True], [False]]),
        ((), [True, False]),
        ((0, 2), [True, False]),
    ):
        given = [real(*shape), exactly(mask, "bool")]
        yield Sample("masked_select", _masked, given)
        yield Sample("masked_fill", _fill, [*given, 2.5])
    yield Sample("masked_fill", _fill, [real(2), exactly([True, False]), real(2)])
    special = [exactly([nan, inf, 1.0]), exactly([True, True, False]), 0.0]
    yield Sample("masked_fill", _fill, special, {}, "special", False, [[0.0, 0.0, 1.0], None, None])


def _count(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.count_nonzero(x, axis=axis, keepdims=keepdims)


def _counts() -> Iterator[Sample]:
    values = exactly([[0.0, nan, -1.0], [inf, 0.0, 0.0]])
    for axis in (None, 0, (0, 1)):
        yield Sample("count_nonzero", _count, [values], {"axis": axis}, dtype="int64")
    keep = {"axis": 1, "keepdims": True}
    yield Sample("count_nonzero", _count, [real(0, 3)], keep, dtype="int64")
    yield Sample("count_nonzero", _count, [exactly([True, False])])
    for x in (values, real(0, 3), exactly(1.0), integers(3)):
        yield Sample("argwhere", np.argwhere, [x], dtype="int64")
    for output in (0, 1):
        for x in (values, real(0, 3)):
            pick = _output(output)
            yield Sample("nonzero", pick, [x], dtype="int64", output=output)


def _output(number: int) -> Any:
    return lambda x: np.nonzero(x)[number]


SAMPLES = [*_along()]
COMPOSED = [*_gathers(), *_rows(), *_masks(), *_counts()]
