"""Samples of the elementwise functions of the Array API standard beyond the first ones."""

from __future__ import annotations

from collections.abc import Iterator
from math import erfc, factorial, inf, lgamma, nan, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from .elementwise import PAIRS, binary, kink, unary
from .sample import Input, Sample, away, bools, distinct, exactly, integers, positive, real

__all__ = ["COMPOSED", "SAMPLES"]

LOG_2 = np.log(2.0)


def _inside(*shape: int) -> Input:
    """Return numbers from -0.9 to 0.9."""
    return Input(shape, lambda rng, s: rng.uniform(-0.9, 0.9, s))


def _beyond(*shape: int) -> Input:
    """Return numbers from 1.2 to 3."""
    return Input(shape, lambda rng, s: rng.uniform(1.2, 3.0, s))


def _share(*shape: int) -> Input:
    """Return numbers from 0.1 to 0.9."""
    return Input(shape, lambda rng, s: rng.uniform(0.1, 0.9, s))


def _off(*shape: int) -> Input:
    """Return numbers that lie 0.2 from a whole number and from half of one."""
    return Input(shape, lambda rng, s: rng.integers(-3, 3, s) + rng.choice([0.2, 0.8], s))


def _trigonometric() -> Iterator[Sample]:
    oracles: dict[str, tuple[Any, Any]] = {
        "tan": (np.tan, _inside),
        "sinh": (np.sinh, real),
        "cosh": (np.cosh, real),
        "asin": (np.arcsin, _inside),
        "acos": (np.arccos, _inside),
        "atan": (np.arctan, real),
        "asinh": (np.arcsinh, real),
        "acosh": (np.arccosh, _beyond),
        "atanh": (np.arctanh, _inside),
        "log2": (np.log2, positive),
        "log10": (np.log10, positive),
    }
    for name, (oracle, draw) in oracles.items():
        yield from unary(name, oracle, draw)
        yield Sample(name, oracle, [integers(3, low=1, high=2)], note="whole", dtype="float32")
    yield kink("asin", np.arcsin, ([-1.0, 1.0], [inf, inf]))
    yield kink("acos", np.arccos, ([-1.0, 1.0], [-inf, -inf]))
    yield kink("acosh", np.arccosh, ([1.0], [inf]))
    yield kink("atanh", np.arctanh, ([-1.0, 1.0], [inf, inf]))
    yield from binary("atan2", np.arctan2, away, away)
    yield from binary("hypot", np.hypot, away, away)
    yield kink("atan2", np.arctan2, ([0.0, 1.0], [0.0, 0.0]), ([0.0, 0.0], [0.0, -1.0]))
    yield kink("hypot", np.hypot, ([0.0, 3.0], [0.0, 0.6]), ([0.0, 4.0], [0.0, 0.8]))
    yield from binary("logaddexp", np.logaddexp)
    yield kink("logaddexp", np.logaddexp, ([2.0, inf], [0.5, 1.0]), ([2.0, 0.0], [0.5, 0.0]))


def _rounding() -> Iterator[Sample]:
    oracles: dict[str, Any] = {
        "ceil": np.ceil,
        "floor": np.floor,
        "trunc": np.trunc,
        "round": np.round,
    }
    for name, oracle in oracles.items():
        yield from unary(name, oracle, _off)
        yield Sample(name, oracle, [integers(3)], note="whole")
        yield kink(name, oracle, ([-1.0, 0.0, 0.5, 2.5], [0.0, 0.0, 0.0, 0.0]))
    yield from unary("signbit", np.signbit, away)
    yield from binary("copysign", np.copysign, away, away)
    yield kink(
        "copysign",
        np.copysign,
        ([0.0, 2.0, -2.0], [0.0, -1.0, -1.0]),
        ([1.0, -0.0, 3.0], [0.0] * 3),
    )
    for left, right in PAIRS:  # one step is less than what values are compared to
        yield Sample("nextafter", np.nextafter, [real(*left), real(*right)])


def _bits() -> Iterator[Sample]:
    for name in ("bitwise_left_shift", "bitwise_right_shift"):
        for left, right in PAIRS:
            inputs = [integers(*left), integers(*right, low=0, high=5)]
            yield Sample(name, getattr(np, name), inputs)


def _each(function: Any) -> Any:
    """Return *function*, of one number, for arrays."""
    return np.vectorize(function, otypes=[float])


def _erfinv(x: float) -> float:
    if abs(x) < 1:
        return NormalDist().inv_cdf((x + 1) / 2) / sqrt(2)
    return x * inf if abs(x) == 1 else nan


def _polygamma(x: Any, n: int = 0) -> Any:
    """Return the sum by which it is defined: 3,000 terms, and what follows by its integral."""
    x = np.asarray(x)[..., np.newaxis] + np.arange(3000)
    terms, end = factorial(n) / x ** (n + 1), x[..., -1] + 1
    if n == 0:
        return np.log(end) - 1 / (2 * end) - 1 / (12 * end**2) - terms.sum(-1)
    rest = factorial(n - 1) / end**n + factorial(n) / 2 / end ** (n + 1)
    rest += factorial(n + 1) / 12 / end ** (n + 2)
    return (-1) ** (n + 1) * (terms.sum(-1) + rest)


def _special() -> Iterator[Sample]:
    yield from unary("erfc", _each(erfc))
    yield Sample("erfc", _each(erfc), [exactly([-7.0, 0.9, 3.0, 6.5])], note="tails")
    yield from unary("erfinv", _each(_erfinv), _inside, (nan, 0.0, 1.0, -1.0, -2.5))
    tails = [-0.95, 1e-9, 0.49, 0.99]
    yield Sample("erfinv", _each(_erfinv), [exactly(tails)], note="tails", smooth=False)
    yield kink("erfinv", _each(_erfinv), ([-1.0, 1.0], [inf, inf]))
    yield from unary("lgamma", _each(lgamma), positive, (nan, inf, 1.0, 2.0, -2.5, 30.0))
    for n in (0, 1, 2):
        yield from unary("polygamma", _polygamma, positive, (nan, 1.0, 9.5, 30.0), n=n)
    for n in (1, 2, 3):
        left = [exactly([-0.3, -1.6, -2.45, 0.2])]
        yield Sample("polygamma", _polygamma, left, {"n": n}, note="left", smooth=n < 3)
    for name in ("erfc", "lgamma"):
        oracle = _each({"erfc": erfc, "lgamma": lgamma}[name])
        yield Sample(name, oracle, [integers(3, low=1)], note="whole", dtype="float32")


SAMPLES = [*_trigonometric(), *_rounding(), *_bits(), *_special()]


def _xlogy(a: Any, b: Any) -> Any:
    return np.where((a == 0) & ~np.isnan(b), 0.0, a * np.log(b))


def _filled(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _composed() -> Iterator[Sample]:
    oracle: Any
    yield from unary("positive", np.positive)
    yield Sample("positive", np.positive, [integers(3)], note="whole")
    for name, oracle in (
        ("logical_and", np.logical_and),
        ("logical_or", np.logical_or),
        ("logical_xor", np.logical_xor),
    ):
        for left, right in PAIRS:
            yield Sample(name, oracle, [bools(*left), bools(*right)])
        yield Sample(name, oracle, [integers(2, 3), bools(3)], note="whole")
        yield Sample(name, oracle, [exactly([nan, 0.0, -0.0]), exactly([0.0, 1.0, 0.0])])
    yield from unary("exp2", np.exp2)
    yield from unary("reciprocal", lambda x: 1 / x, away)
    yield from unary("rsqrt", lambda x: 1 / np.sqrt(x), positive)
    yield from unary("digamma", _polygamma, positive, (nan, 1.0, 9.5, 30.0))
    yield from unary("logit", lambda x: np.log(x) - np.log1p(-x), _share)
    yield from binary("logaddexp2", np.logaddexp2)
    yield from binary("xlogy", _xlogy, right=positive)
    yield kink("xlogy", _xlogy, ([0.0, 0.0], [0.0, LOG_2]), ([0.0, 2.0], [0.0, 0.0]))
    yield kink("xlogy", _xlogy, ([0.0, 0.0], [0.0, 0.0]), ([-2.0, inf], [0.0, 0.0]))
    for limits in ({}, {"nan": 2.0, "posinf": 3.0, "neginf": -3.0}):
        special = (nan, 1.0, -2.5) if not limits else (nan, inf, -inf, 1.0)
        yield from unary("nan_to_num", _filled, distinct, special, **limits)
    yield Sample("nan_to_num", _filled, [integers(3)], note="whole")
    yield kink(
        "nan_to_num",
        _filled,
        ([nan, inf, -inf, 1.0], [0.0, 0.0, 0.0, 1.0]),
        posinf=9.0,
        neginf=-9.0,
    )
    for shape in ((2, 3), (3, 3), (0, 2), (2, 3, 4)):
        for k in (0, 1, -1):
            yield Sample("tril", np.tril, [real(*shape)], {"k": k})
            yield Sample("triu", np.triu, [real(*shape)], {"k": k})
    yield Sample("tril", np.tril, [bools(3, 3)])
    yield Sample("triu", np.triu, [integers(3, 3)])


COMPOSED = list(_composed())
