"""Samples of what adds, multiplies and compares all elements up to each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, distinct, exactly, integers, positive, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _sums() -> Iterator[Sample]:
    rows: tuple[tuple[str, Any], ...] = (
        ("cumulative_sum", np.cumsum),
        ("cumulative_prod", np.cumprod),
    )
    for name, oracle in rows:
        for shape, axis in (((5,), 0), ((2, 3, 4), 1), ((2, 3), -1), ((1,), 0), ((0, 3), 0)):
            yield Sample(name, oracle, [real(*shape)], {"axis": axis})
        yield Sample(name, oracle, [real(3, 0)], {"axis": 0}, "none")
        yield Sample(name, oracle, [integers(2, 3)], {"axis": 1}, "whole")
        yield Sample(name, oracle, [bools(4)], {"axis": 0}, "bools")
        special = exactly([[1.0, nan, 2.0], [inf, 1.0, -inf]])
        yield Sample(name, oracle, [special], {"axis": 1}, "special", False)
    zeros = exactly([[0.0, 2.0, 3.0, 4.0], [2.0, 0.0, 3.0, 0.0], [1.0, 2.0, 3.0, 0.0]])
    yield Sample("cumulative_prod", np.cumprod, [zeros], {"axis": 1}, "zeros")
    one = exactly([2.0, 0.0, 3.0])
    slopes = [[1.0, 8.0, 0.0]]  # y = a, ab, abc: 1 + b + bc, a + ac, ab
    yield Sample("cumulative_prod", np.cumprod, [one], {"axis": 0}, "zero", False, slopes)


def _last_extreme(x: Any, axis: int, smallest: bool = False) -> Any:
    rows = np.moveaxis(x, axis, -1)
    found = np.zeros(rows.shape, np.int64)
    for place in np.ndindex(rows.shape[:-1]):
        best = 0
        for i, value in enumerate(rows[place]):
            old = rows[place][best]
            if np.isnan(value) or (value <= old if smallest else value >= old):
                best = i
            found[(*place, i)] = best
    return np.moveaxis(found, -1, axis)


def _picked(smallest: bool, output: int) -> Any:
    def oracle(x: Any, axis: int = -1) -> Any:
        index = _last_extreme(x, axis, smallest)
        return index if output else np.take_along_axis(x, index, axis)

    return oracle


TIES = [[2.0, 2.0, 1.0, 2.0], [1.0, 3.0, 3.0, 0.0]]


def _extremes() -> Iterator[Sample]:
    name = "cumulative_argmax"
    for shape, attrs in (
        ((5,), {"axis": 0}),
        ((2, 7), {"axis": -1}),
        ((3, 4), {"axis": 0, "smallest": True}),
        ((0, 3), {"axis": 1}),
        ((3, 0), {"axis": 1, "smallest": True}),
    ):
        yield Sample(name, _last_extreme, [distinct(*shape)], attrs)
    for smallest in (False, True):
        attrs = {"axis": 1, "smallest": smallest}
        special = exactly([[1.0, nan, 2.0, nan], [inf, 1.0, -inf, inf]])
        yield Sample(name, _last_extreme, [special], attrs, "special")
        yield Sample(name, _last_extreme, [exactly(TIES)], attrs, "ties")
    yield Sample(name, _last_extreme, [bools(5)], {"axis": 0}, "bools")
    yield Sample(name, _last_extreme, [integers(3, 4)], {"axis": 0})


def _composed() -> Iterator[Sample]:
    shape: tuple[int, ...]
    attrs: dict[str, Any]
    rows: tuple[tuple[str, Any], ...] = (("cumsum", np.cumsum), ("cumprod", np.cumprod))
    for name, oracle in rows:
        for shape, attrs in (((2, 3), {}), ((2, 3), {"axis": 1}), ((), {}), ((0, 3), {"axis": 0})):
            yield Sample(name, oracle, [real(*shape)], attrs)
        yield Sample(name, oracle, [integers(4)], {"dtype": "float64"}, "cast")
    for name, smallest in (("cummax", False), ("cummin", True)):
        for output in (0, 1):
            oracle = _picked(smallest, output)
            for shape, attrs in (((7,), {}), ((2, 3, 4), {"axis": 1}), ((0, 3), {"axis": 0})):
                yield Sample(name, oracle, [distinct(*shape)], attrs, output=output)
            special = exactly([1.0, nan, 2.0, inf])
            yield Sample(name, oracle, [special], {}, "special", False, output=output)
        slopes = [[1.0, 2.0, 0.0, 1.0], [1.0, 1.0, 2.0, 0.0]]
        if smallest:
            slopes = [[1.0, 1.0, 2.0, 0.0], [3.0, 0.0, 0.0, 1.0]]
        ties = exactly(TIES)
        yield Sample(name, _picked(smallest, 0), [ties], {}, "ties", False, [slopes])
    yield from _logarithms()


def _logcumsumexp(x: Any, axis: int = -1) -> Any:
    return np.logaddexp.accumulate(x, axis)


def _logarithms() -> Iterator[Sample]:
    name = "logcumsumexp"
    for shape, attrs in (((5,), {}), ((2, 3), {"axis": 0}), ((0, 3), {}), ((1,), {})):
        yield Sample(name, _logcumsumexp, [real(*shape)], attrs)
    yield Sample(name, _logcumsumexp, [exactly([-1e4, 0.0, 1e4, 1e4])], {}, "large", False)
    yield Sample(name, _logcumsumexp, [exactly([-inf, -inf, 1.0])], {}, "nothing", False)
    yield Sample(name, _logcumsumexp, [exactly([1.0, inf, nan, 2.0])], {}, "special", False)
    yield Sample(name, _logcumsumexp, [positive(9)], {}, "nine")


SAMPLES = [*_sums(), *_extremes()]
COMPOSED = [*_composed()]
