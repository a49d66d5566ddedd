"""Samples of products, spreads, quantiles and counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .reduction import along
from .sample import Sample, bools, distinct, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _products() -> Iterator[Sample]:
    yield from along("prod", np.prod)
    yield Sample("prod", np.prod, [real(0)], note="none")
    yield Sample("prod", np.prod, [integers(2, 3)], {"axis": 1}, "whole")
    yield Sample("prod", np.prod, [bools(2, 3)], {"axis": 1}, "bools")
    special = exactly([[1.0, nan], [inf, 2.0], [inf, 0.0]])
    yield Sample("prod", np.prod, [special], {"axis": 1}, "special", False)
    zeros = exactly([[0.0, 2.0, 3.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    yield Sample("prod", np.prod, [zeros], {"axis": 1}, "zeros")
    slopes = [[[6.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    yield Sample("prod", np.prod, [zeros], {"axis": -1}, "zeros", False, slopes)


def _std(x: Any, axis: Any = None, keepdims: bool = False, correction: float = 0) -> Any:
    return np.std(x, axis, ddof=correction, keepdims=keepdims)


def _spreads() -> Iterator[Sample]:
    for name, oracle in (("std", _std), ("ptp", np.ptp)):
        for attrs in ({}, {"axis": 0}, {"axis": (-1, 0), "keepdims": True}):
            yield Sample(name, oracle, [distinct(2, 3, 4)], attrs)
        yield Sample(name, oracle, [distinct(0, 3)], {"axis": 1})
        special = exactly([[1.0, nan], [2.0, 1.0]])
        yield Sample(name, oracle, [special], {"axis": 1}, "special", False)
    yield Sample("std", _std, [real(4, 3)], {"axis": 0, "correction": 1})
    yield Sample("std", _std, [integers(2, 3)], dtype="float32")
    yield Sample("std", lambda x: nan, [real(0)], {}, "none", False)
    yield Sample("std", _std, [exactly([2.0, 2.0])], {}, "constant", False, [[0.0, 0.0]])
    yield Sample("std", _std, [real()], {}, "alone", False, [0.0])
    ties = exactly([2.0, 2.0, 1.0])
    yield Sample("ptp", np.ptp, [ties], {}, "ties", False, [[0.5, 0.5, -1.0]])
    yield Sample("ptp", np.ptp, [integers(5)])


def _diff(x: Any, prepend: Any = None, append: Any = None, axis: int = -1, n: int = 1) -> Any:
    ends = {k: v for k, v in (("prepend", prepend), ("append", append)) if v is not None}
    return np.diff(x, n, axis, **ends)


def _differences() -> Iterator[Sample]:
    for shape, attrs in (
        ((5,), {}),
        ((2, 3), {"axis": 0}),
        ((2, 5), {"n": 2}),
        ((3,), {"n": 0}),
        ((2,), {"n": 3}),
        ((0, 3), {}),
    ):
        yield Sample("diff", _diff, [real(*shape)], attrs)
    yield Sample("diff", _diff, [real(2, 3)], {"prepend": np.ones((2, 1), "int64"), "n": 2})
    yield Sample("diff", _diff, [bools(6)])


def _quantile(x: Any, q: Any, axis: Any = None, keepdims: bool = False, method: Any = None) -> Any:
    return np.quantile(x, q, axis, keepdims=keepdims, method=method or "linear")


def _quantiles() -> Iterator[Sample]:
    shape: tuple[int, ...]
    attrs: dict[str, Any]
    for attrs in (
        {"q": 0.3},
        {"q": [0.0, 0.25, 1.0], "axis": 1},
        {"q": 0.7, "axis": (0, 2), "keepdims": True},
        {"q": 0.4, "axis": -1, "method": "lower"},
        {"q": 0.4, "axis": -1, "method": "higher"},
        {"q": 0.4, "axis": -1, "method": "nearest"},
        {"q": 0.4, "axis": -1, "method": "midpoint"},
        {"q": [0.5], "axis": -1, "keepdims": True},
    ):
        yield Sample("quantile", _quantile, [distinct(2, 3, 4)], attrs)
    yield Sample("quantile", _quantile, [distinct(0, 3)], {"q": 0.5, "axis": 1})
    yield Sample("quantile", _quantile, [integers(5)], {"q": 0.6}, dtype="float32")
    special = exactly([[1.0, nan, 2.0], [inf, 1.0, 0.0]])
    yield Sample("quantile", _quantile, [special], {"q": 0.25, "axis": 1}, "special", False)
    for shape, attrs in (
        ((5,), {}),
        ((2, 4), {"axis": 1}),
        ((2, 3, 4), {"axis": (0, 1), "keepdims": True}),
        ((), {}),
        ((0, 3), {"axis": 1}),
    ):
        yield Sample("median", np.median, [distinct(*shape)], attrs)
    yield Sample("median", np.median, [exactly([1.0, nan])], {}, "special", False)
    ties = exactly([2.0, 1.0, 2.0, 3.0])
    yield Sample("median", np.median, [ties], {}, "ties", False, [[0.5, 0.0, 0.5, 0.0]])
    yield Sample("median", np.median, [integers(4)], dtype="float32")


GAPS = [[1.0, nan, 3.0], [nan, nan, nan], [inf, 2.0, 2.0]]


def _gaps() -> Iterator[Sample]:
    thirds = np.array([[0.5, 0.0, 0.5], [0.0] * 3, [1 / 3] * 3])
    rows: tuple[tuple[str, Any, Any], ...] = (
        ("nansum", np.nansum, [[1.0, 0.0, 1.0], [0.0] * 3, [1.0] * 3]),
        ("nanmean", _nanmean, thirds),
        ("nanmax", _nan(np.fmax), [[0.0, 0.0, 1.0], [0.0] * 3, [1.0, 0.0, 0.0]]),
        ("nanmin", _nan(np.fmin), [[1.0, 0.0, 0.0], [0.0] * 3, [0.0, 0.5, 0.5]]),
    )
    for name, oracle, slopes in rows:
        yield Sample(name, oracle, [exactly(GAPS)], {"axis": 1}, "gaps", False, [slopes])
        yield Sample(name, oracle, [distinct(2, 3, 4)], {"axis": (0, 2), "keepdims": True})
        yield Sample(name, oracle, [distinct(2, 3)], {"axis": 0})
        yield Sample(name, oracle, [distinct(0, 3)], {"axis": 1})
        dtype = "float32" if name == "nanmean" else None
        yield Sample(name, oracle, [integers(2, 3)], {"axis": 0}, dtype=dtype)


def _nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    there = ~np.isnan(x)
    return np.nansum(x, axis, keepdims=keepdims) / there.sum(axis, keepdims=keepdims)


def _nan(function: Any) -> Any:
    return lambda x, axis=None, keepdims=False: function.reduce(x, axis=axis, keepdims=keepdims)


def _histogram(output: int) -> Any:
    def oracle(x: Any, *weights: Any, **attrs: Any) -> Any:
        return np.histogram(x, weights=weights[0] if weights else None, **attrs)[output]

    return oracle


def _bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    return np.bincount(x, weights, minlength)


def _counts() -> Iterator[Sample]:
    attrs: dict[str, Any]
    few = {"low": 0, "high": 5}
    for attrs in ({}, {"minlength": 9}):
        yield Sample("bincount", _bincount, [integers(6, **few)], attrs)
        yield Sample("bincount", _bincount, [integers(6, **few), real(6)], attrs)
        yield Sample("bincount", _bincount, [integers(0)], attrs)
    for output in (0, 1):
        dtype = None if output else "int64"
        for attrs in (
            {},
            {"bins": 3, "range": (-0.5, 0.75)},
            {"bins": [-1.0, 0.0, 0.25, 2.0]},
        ):
            oracle = _histogram(output)
            inputs = [distinct(2, 7)]
            yield Sample("histogram", oracle, inputs, attrs, dtype=dtype, output=output)
        yield Sample("histogram", _histogram(output), [real(0)], dtype=dtype, output=output)
    dense = {"bins": 4, "density": True}
    yield Sample("histogram", _histogram(0), [distinct(9)], dense, dtype="float32")


SAMPLES = [*_products()]
COMPOSED = [*_spreads(), *_differences(), *_quantiles(), *_gaps(), *_counts()]
