"""Samples of the functions of numbers, of curves, and of what sums up an axis."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, nan
from typing import Any

import numpy as np

from .elementwise import PAIRS, binary, kink, unary, whole
from .sample import Input, Sample, away, distinct, exactly, integers, positive, real

__all__ = ["COMPOSED", "SAMPLES"]

SAMPLES: list[Sample] = []  # all are composed


def _beyond(*shape: int) -> Input:
    """Return numbers from 2.2 to 3."""
    return Input(shape, lambda rng, s: rng.uniform(2.2, 3.0, s))


def _fmod() -> Iterator[Sample]:
    yield from binary("fmod", np.fmod, real, _beyond)
    yield Sample("fmod", np.fmod, [exactly([5.0, -5.0, 5.0]), exactly([3.0, 3.0, -3.0])])
    values = ([5.0, -5.0, 5.0, 0.0], [1.0] * 4), ([3.0, 3.0, -3.0, 2.0], [-1.0, 1.0, 1.0, 0.0])
    yield kink("fmod", np.fmod, *values)
    yield Sample("fmod", np.fmod, [integers(6), exactly([1, 2, 3, -1, -2, -3])], note="whole")
    yield from unary("frac", lambda x: np.where(np.isinf(x), nan, x - np.trunc(x)), away)


def _ldexp(a: Any, b: Any) -> Any:
    return a * 2.0**b


def _powers() -> Iterator[Sample]:
    yield from binary("float_power", np.float_power, positive)
    inputs = [integers(3, low=1), integers(3)]
    yield Sample("float_power", np.float_power, inputs, note="whole", dtype="float32")
    for left, right in PAIRS:
        yield Sample("ldexp", _ldexp, [real(*left), real(*right)])
        yield Sample("ldexp", _ldexp, [real(*left), integers(*right)])
    yield Sample("ldexp", lambda a, b: np.ones(1), [exactly([2.0**-12]), exactly([12])])


def _elementwise() -> Iterator[Sample]:
    oracle: Any
    for left, right in PAIRS:
        yield Sample("heaviside", np.heaviside, [away(*left), real(*right)])
    at = kink("heaviside", np.heaviside, ([0.0, 2.0, nan], [0.0] * 3), ([0.5] * 3, [1.0, 0.0, 0.0]))
    yield at
    yield whole("heaviside", lambda a, b: np.where(a == 0, b, a > 0).astype(np.int64))
    yield from unary("sinc", np.sinc, away, (nan, 0.0, 0.5, -2.5))
    yield kink("sinc", np.sinc, ([0.0], [0.0]))
    for name, oracle in (("deg2rad", np.deg2rad), ("rad2deg", np.rad2deg), ("sinc", np.sinc)):
        if name != "sinc":
            yield from unary(name, oracle)
        yield Sample(name, oracle, [integers(3)], note="whole", dtype="float32")
    for name, oracle in (("fmax", np.fmax), ("fmin", np.fmin)):
        for left, right in PAIRS:
            yield Sample(name, oracle, [distinct(*left), distinct(*right, shift=0.1)])
        yield whole(name, oracle)
        yield Sample(
            name, oracle, [exactly([inf, nan, -inf]), exactly([nan, nan, 1.0])], smooth=False
        )
        slopes = ([1.0, nan, 2.0], [0.5, 0.0, 1.0]), ([1.0, 3.0, nan], [0.5, 1.0, 0.0])
        yield kink(name, oracle, *slopes)


def _questions() -> Iterator[Sample]:
    special = exactly([nan, inf, -inf, 1.0, 1.0, 0.0])
    other = exactly([nan, inf, inf, 1.001, 2.0, 1e-9])
    attrs: dict[str, Any]
    for attrs in ({}, {"equal_nan": True}, {"rtol": 0.1}, {"rtol": 0.0, "atol": 2.0}):
        yield Sample("isclose", np.isclose, [special, other], attrs, smooth=False)
    for left, right in PAIRS:
        yield Sample("isclose", np.isclose, [real(*left), real(*right)], {"atol": 1.0})
    exact = [exactly([2**60, 3]), exactly([2**60 + 2**30, 4])]
    yield Sample("isclose", np.isclose, exact, {"rtol": 0.0, "atol": 2}, "whole")
    for name, oracle in (
        ("isposinf", np.isposinf),
        ("isneginf", np.isneginf),
        ("isreal", np.isreal),
    ):
        yield from unary(name, oracle)
        yield Sample(name, oracle, [integers(3)], note="whole")


def _trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    return np.trapezoid(y, x, dx, axis)


def _cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    y = np.moveaxis(np.asarray(y, np.float64), axis, -1)
    steps: Any = dx
    if x is not None:
        steps = np.diff(np.broadcast_to(x, y.shape) if x.ndim == 1 else np.moveaxis(x, axis, -1))
    return np.moveaxis(np.cumsum((y[..., 1:] + y[..., :-1]) / 2 * steps, axis=-1), -1, axis)


def _curves() -> Iterator[Sample]:
    for name, oracle in (
        ("trapezoid", _trapezoid),
        ("cumulative_trapezoid", _cumulative_trapezoid),
    ):
        yield Sample(name, oracle, [real(5)])
        yield Sample(name, oracle, [real(2, 4, 3)], {"dx": 0.5, "axis": 1})
        yield Sample(name, oracle, [real(2, 4, 3), real(4)], {"axis": 1})
        yield Sample(name, oracle, [real(2, 4), real(2, 4)])
        yield Sample(name, oracle, [real(0)])
        yield Sample(name, oracle, [integers(4)], dtype="float32")
    for p, x in (((3,), (2, 3)), ((1,), ()), ((4,), (0,)), ((0,), (2,))):
        yield Sample("polyval", np.polyval, [real(*p), real(*x)])
    yield Sample("polyval", np.polyval, [integers(3), integers(4)])


def _extremes() -> Iterator[Sample]:
    def least(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.min(x, axis, keepdims=keepdims)

    def most(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return np.max(x, axis, keepdims=keepdims)

    ties = exactly([[2.0, 1.0, 2.0], [1.0, 1.0, 0.0]])
    high, low = [[0.5, 0.0, 0.5], [0.5, 0.5, 0.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    for name, oracle, output, slopes in (
        ("amax", most, 0, high), ("amin", least, 0, low),
        ("aminmax", least, 0, low), ("aminmax", most, 1, high),
    ):  # fmt: skip
        for attrs in ({}, {"axis": (0, -1)}, {"axis": 1, "keepdims": True}):
            yield Sample(name, oracle, [distinct(2, 3, 4)], attrs, output=output)
        yield Sample(name, oracle, [distinct(0, 3)], {"axis": 1}, output=output)
        yield Sample(name, oracle, [distinct()], output=output)
        yield Sample(
            name, oracle, [exactly([1.0, nan])], note="special", smooth=False, output=output
        )
        yield Sample(name, oracle, [ties], {"axis": 1}, "ties", False, [slopes], output=output)


def _mode(output: int) -> Any:
    def oracle(x: Any, axis: int = -1, keepdims: bool = False) -> Any:
        def of_row(row: Any) -> Any:
            values, counts = np.unique(row, return_counts=True)
            value = values[np.argmax(counts)]
            return (value, np.flatnonzero(row == value)[-1])[output]

        found = np.apply_along_axis(of_row, axis, x) if x.size else np.zeros(x.shape[:-1])
        found = found if not output else found.astype(np.int64)
        return np.expand_dims(found, axis) if keepdims else found

    return oracle


def _modes() -> Iterator[Sample]:
    for output in (0, 1):
        dtype = "int64" if output else None
        for attrs in ({}, {"axis": 0, "keepdims": True}):
            inputs = [integers(3, 7, low=0, high=3)]
            yield Sample("mode", _mode(output), inputs, attrs, output=output)
            inputs = [exactly([[1.0, 1.0, 2.0, 2.0], [3.0, 4.0, 4.0, 1.0]])]
            yield Sample("mode", _mode(output), inputs, attrs, "ties", False, None, False, dtype,
                         output)  # fmt: skip
        yield Sample("mode", _mode(output), [distinct(0, 2)], dtype=dtype, output=output)


def _nanquantile(x: Any, q: Any = 0.5, axis: Any = None, keepdims: bool = False, **how: Any) -> Any:
    rows = np.isnan(x).all(axis, keepdims=keepdims)
    found = np.nanquantile(np.where(np.isnan(x).all(axis, keepdims=True), 0.0, x), q, axis,
                           keepdims=keepdims, **how)  # fmt: skip
    return np.where(rows, nan, found)


def _quantiles() -> Iterator[Sample]:
    attrs: dict[str, Any]
    gaps = exactly([[1.0, nan, 3.0], [nan, nan, nan], [5.0, 2.0, 4.0]])
    for attrs in (
        {"q": 0.3, "axis": 1}, {"q": [0.25, 1.0], "axis": 0},
        {"q": 0.4, "axis": 1, "method": "lower"},
        {"q": 0.4, "axis": 1, "method": "higher"},
        {"q": 0.4, "axis": 1, "method": "nearest"},
        {"q": 0.4, "axis": 1, "method": "midpoint", "keepdims": True}, {"q": 0.6},
    ):  # fmt: skip
        yield Sample("nanquantile", _nanquantile, [gaps], attrs, smooth=False)
        yield Sample("nanquantile", _nanquantile, [distinct(2, 5)], attrs)
    halves = [[0.5, 0.0, 0.5], [0.0] * 3, [0.0, 0.0, 1.0]]
    for name, attrs in (("nanquantile", {"q": 0.5, "axis": 1}), ("nanmedian", {"axis": 1})):
        yield Sample(name, _nanquantile, [gaps], attrs, "gaps", False, [halves])
        yield Sample(name, _nanquantile, [distinct(0, 3)], attrs)
    for attrs in ({}, {"axis": (0, 2), "keepdims": True}):
        yield Sample("nanmedian", _nanquantile, [distinct(2, 3, 4)], attrs)
    yield Sample("nanmedian", _nanquantile, [integers(4)], dtype="float32")


def _cov(x: Any, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Any:
    return np.cov(x, ddof=correction, fweights=fweights, aweights=aweights)


def _covariances() -> Iterator[Sample]:
    oracle: Any
    counts, shares = np.array([1, 2, 1, 3]), np.array([0.5, 1.0, 0.25, 2.0])
    for attrs in (
        {}, {"correction": 0}, {"fweights": counts}, {"aweights": shares},
        {"fweights": counts, "aweights": shares},
    ):  # fmt: skip
        oracle = _cov
        yield Sample("cov", oracle, [real(3, 4)], attrs, "weights" if attrs else "")
    for name, oracle in (("cov", _cov), ("corrcoef", np.corrcoef)):
        yield Sample(name, oracle, [real(5)], {}, "row", smooth=name == "cov")
        yield Sample(name, oracle, [integers(2, 6)], dtype="float32")
        yield Sample(name, lambda x: np.zeros((0, 0)), [real(0, 4)])
    yield Sample("corrcoef", np.corrcoef, [real(3, 5)])


def _histc(x: Any, bins: int = 100, min: float = 0, max: float = 0) -> Any:
    ends = (min, max) if min != max or not x.size else (x.min(), x.max())
    ends = ends if ends[0] != ends[1] else (ends[0] - 1, ends[1] + 1)
    return np.histogram(x, bins, ends)[0].astype(np.float64)


def _counts() -> Iterator[Sample]:
    for attrs in ({"bins": 4}, {"bins": 3, "min": -1, "max": 1}):
        for given in (distinct(2, 7), distinct(0), exactly([0.5, 0.5])):
            yield Sample("histc", _histc, [given], attrs)
    yield Sample("histc", _histc, [integers(6)], {"bins": 2}, dtype="float32")


COMPOSED = [
    *_fmod(), *_powers(), *_elementwise(), *_questions(), *_curves(), *_extremes(), *_modes(),
    *_quantiles(), *_covariances(), *_counts(),
]  # fmt: skip
