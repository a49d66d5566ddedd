"""Samples of activations, dropout and distances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from .sample import Input, Sample, away, exactly, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _wide(*shape: int) -> Input:
    """Return numbers from -8 to 8."""
    return Input(shape, lambda rng, s: rng.uniform(-8.0, 8.0, s))


def _logistic(x: Any) -> Any:
    return np.exp(-np.logaddexp(0.0, -x))


def _softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    return np.where(x * beta > threshold, x, np.logaddexp(0.0, x * beta) / beta)


def _softpluses() -> Iterator[Sample]:
    for attrs in ({}, {"beta": 2.0}, {"beta": 0.5, "threshold": 1.0}):
        yield Sample("softplus", _softplus, [_wide(2, 9)], attrs, smooth="threshold" not in attrs)
    for shape in ((0,), (2, 0), ()):
        yield Sample("softplus", _softplus, [real(*shape)])
    special = exactly([nan, inf, -inf, 0.0, 100.0, -100.0])
    slopes = [[nan, 1.0, 0.0, 0.5, 1.0, _logistic(-100.0)]]
    yield Sample("softplus", _softplus, [special], {}, "special", False, slopes, warns=True)


SAMPLES = list(_softpluses())


# ---- functions composed of operators -------------------------------------------------------------
def _elu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def _celu(x: Any, alpha: float = 1.0) -> Any:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0.0) / alpha))


def _selu(x: Any) -> Any:
    return 1.0507009873554805 * _elu(x, 1.6732632423543772)


def _halves(x: Any, axis: int) -> Any:
    return np.split(x, 2, axis)


def _glu(x: Any, axis: int = -1) -> Any:
    a, b = _halves(x, axis)
    return a * _logistic(b)


def _swiglu(x: Any, axis: int = -1) -> Any:
    a, b = _halves(x, axis)
    return a * _logistic(a) * b


def _softmin(x: Any, axis: int = -1) -> Any:
    e = np.exp(np.min(x, axis, keepdims=True, initial=inf) - x)
    return e / e.sum(axis, keepdims=True)


def _leaky(x: Any, negative_slope: float = 0.01) -> Any:
    return np.where(x > 0, x, x * negative_slope)


def _hardshrink(x: Any, lambd: float = 0.5) -> Any:
    return np.where(np.abs(x) <= lambd, 0.0, x)


def _softshrink(x: Any, lambd: float = 0.5) -> Any:
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, x * 0.0))


#: name, oracle, attributes, (kinks, slopes there)
ELEMENTWISE: tuple[tuple[str, Any, tuple[dict[str, Any], ...], Any], ...] = (
    ("log_sigmoid", lambda x: -np.logaddexp(0.0, -x), ({},), ([0.0, -1e3, 1e3], [0.5, 1.0, 0.0])),
    (
        "relu6",
        lambda x: np.clip(x, 0.0, 6.0),
        ({},),
        ([0.0, 6.0, nan, inf, -inf], [0.0, 0.0, 1.0, 0.0, 0.0]),
    ),
    (
        "hardtanh",
        lambda x, min_val=-1.0, max_val=1.0: np.clip(x, min_val, max_val),
        ({}, {"min_val": -2.0, "max_val": 0.5}),
        ([-1.0, 1.0, 0.5, nan], [0.0, 0.0, 1.0, 1.0]),
    ),
    (
        "threshold",
        lambda x, threshold, value: np.where(x <= threshold, value, x),
        ({"threshold": 1.0, "value": -3.0},),
        ([1.0, 2.0, nan], [0.0, 1.0, 1.0]),
    ),
    (
        "leaky_relu",
        _leaky,
        ({}, {"negative_slope": 0.3}),
        ([0.0, -2.0, inf, nan], [0.01, 0.01, 1.0, 0.01]),
    ),
    (
        "rrelu",
        lambda x, lower=1 / 8, upper=1 / 3, **_: _leaky(x, (lower + upper) / 2),
        ({}, {"lower": 0.1, "upper": 0.3}, {"lower": 0.2, "upper": 0.2, "training": True}),
        ([0.0, 2.0], [11 / 48, 1.0]),
    ),
    ("elu", _elu, ({}, {"alpha": 2.0}), ([0.0, 1e4, -1e4], [1.0, 1.0, 0.0])),
    ("celu", _celu, ({}, {"alpha": 2.0}), ([0.0, 1e4, -1e4], [1.0, 1.0, 0.0])),
    ("selu", _selu, ({},), ([0.0, 1e4, -1e4], [1.7580993408473766, 1.0507009873554805, 0.0])),
    ("silu", lambda x: x * _logistic(x), ({},), ([0.0, 1e3, -1e3], [0.5, 1.0, 0.0])),
    (
        "mish",
        lambda x: x * np.tanh(np.logaddexp(0.0, x)),
        ({},),
        ([0.0, 1e3, -1e3], [0.6, 1.0, 0.0]),
    ),
    (
        "hardsigmoid",
        lambda x: np.clip(x + 3.0, 0.0, 6.0) / 6.0,
        ({},),
        ([-3.0, 3.0, 0.0, inf], [0.0, 0.0, 1 / 6, 0.0]),
    ),
    (
        "hardswish",
        lambda x: np.where(x <= -3, 0.0, np.where(x >= 3, x, x * (x + 3) / 6)),
        ({},),
        ([-3.0, 3.0, 0.0, 1e4], [0.0, 1.0, 0.5, 1.0]),
    ),
    (
        "hardshrink",
        _hardshrink,
        ({}, {"lambd": 1.0}),
        ([0.5, -0.5, 0.0, 2.0, nan], [0.0, 0.0, 0.0, 1.0, 1.0]),
    ),
    (
        "softshrink",
        _softshrink,
        ({}, {"lambd": 1.0}),
        ([0.5, -0.5, 0.0, 2.0, inf], [0.0, 0.0, 0.0, 1.0, 1.0]),
    ),
    ("tanhshrink", lambda x: x - np.tanh(x), ({},), ([0.0, 1e4], [0.0, 1.0])),
    ("softsign", lambda x: x / (1 + np.abs(x)), ({},), ([0.0, 1.0, -1.0], [1.0, 0.25, 0.25])),
)


def _elementwise() -> Iterator[Sample]:
    for name, oracle, options, (kinks, slopes) in ELEMENTWISE:
        for attrs in options:
            yield Sample(name, oracle, [away(3, 4)], attrs)
            yield Sample(name, oracle, [_wide(19)], attrs, "wide", False)
        for shape in ((), (2, 0)):
            yield Sample(name, oracle, [away(*shape)], options[-1])
        yield Sample(name, oracle, [exactly(kinks)], options[0], "kinks", False, [slopes])


def _prelu(x: Any, weight: Any) -> Any:
    one = weight.size == 1
    return np.where(x > 0, x, x * weight.reshape(() if one else (-1,) + (1,) * (x.ndim - 2)))


def _others() -> Iterator[Sample]:
    for x, w in (((2, 3), (3,)), ((2, 3, 4), (3,)), ((5,), (1,)), ((), ()), ((0, 3), (3,))):
        yield Sample("prelu", _prelu, [away(*x), real(*w)])
    kink = [exactly([[0.0, -2.0]]), exactly([0.5, 0.25])]
    slopes = [[[0.5, 0.25]], [0.0, -2.0]]
    yield Sample("prelu", _prelu, kink, {}, "kinks", False, slopes)
    for name, oracle in (("glu", _glu), ("swiglu", _swiglu)):
        for shape, axis in (((3, 4), -1), ((4, 3), 0), ((2, 6, 2), 1), ((0, 4), -1)):
            yield Sample(name, oracle, [real(*shape)], {"axis": axis})
        yield Sample(name, oracle, [exactly([1e4, 2.0, 0.0, -1e4])], {}, "large", False)
    for shape, axis in (((3, 4), -1), ((4, 3), 0), ((0, 4), -1)):
        yield Sample("softmin", _softmin, [real(*shape)], {"axis": axis})
    special = exactly([[1e4, -1e4], [nan, 0.0]])
    yield Sample("softmin", _softmin, [special], {}, "special", False)


# ---- what is random: rows in which nothing is left to chance -------------------------------------
def _dropped(x: Any, p: float = 0.5, training: bool = True) -> Any:
    return x * (0.0 if training and p == 1.0 else 1.0)


def _random() -> Iterator[Sample]:
    for name, shapes in (
        ("dropout", [(2, 3), (), (2, 0)]),
        ("dropout1d", [(2, 3), (2, 3, 2), (2, 0, 3)]),
        ("dropout2d", [(2, 3, 4), (2, 3, 2, 2), (2, 0, 3, 1)]),
        ("dropout3d", [(2, 3, 2, 1), (1, 2, 3, 2, 2), (2, 0, 3, 1, 1)]),
        ("alpha_dropout", [(2, 3), (), (2, 0)]),
        ("feature_alpha_dropout", [(2, 3), (2, 3, 2), (2, 0, 3)]),
    ):
        for shape in shapes:
            yield Sample(name, _dropped, [real(*shape)], {"p": 0.4, "training": False})
            for p in (0.0, 1.0):
                yield Sample(name, _dropped, [real(*shape)], {"p": p})
    # one is so far ahead that noise does not matter
    ahead = [exactly([[0.0, 1e4, 5.0], [3e3, 0.0, -1e4]])]
    for hard in (False, True):
        attrs = {"hard": hard, "tau": 0.5}
        yield Sample("gumbel_softmax", _largest, ahead, attrs, "ahead", False)
    for shape in ((0, 3), (2, 1)):
        yield Sample("gumbel_softmax", _largest, [real(*shape)], {"hard": True}, smooth=False)


def _largest(x: Any, tau: float = 1.0, hard: bool = False) -> Any:
    return (x == x.max(axis=-1, keepdims=True)) * 1.0


# ---- distances -----------------------------------------------------------------------------------
def _normalize(x: Any, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Any:
    return x / np.maximum(np.linalg.norm(x, p, axis, keepdims=True), eps)


def _cosine(a: Any, b: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    a, b = np.broadcast_arrays(a, b)
    return (_normalize(a, 2.0, axis, eps) * _normalize(b, 2.0, axis, eps)).sum(axis)


def _distance(a: Any, b: Any, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> Any:
    return np.linalg.norm(a - b + eps, p, -1, keepdims)


#: two shapes, attributes
Pairs: TypeAlias = tuple[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]], ...]

COSINES: Pairs = (
    ((3, 4), (3, 4), {}),
    ((3, 4), (1, 4), {"eps": 1.0}),
    ((2, 3, 2), (3, 1), {"axis": -2}),
    ((0, 4), (0, 4), {}),
)
DISTANCES: Pairs = (
    ((3, 4), (3, 4), {}),
    ((4,), (4,), {"p": 1.0}),
    ((3, 4), (1, 4), {"p": 3.0, "keepdims": True}),
    ((2, 2, 3), (2, 1, 3), {"p": inf}),
    ((0, 4), (0, 4), {}),
)
NORMS: tuple[dict[str, Any], ...] = ({}, {"p": 1.0}, {"p": 3.0, "axis": 0}, {"p": inf})


def _distances() -> Iterator[Sample]:
    for attrs in (*NORMS, {"eps": 10.0}):
        yield Sample("normalize", _normalize, [away(3, 4)], attrs)
    yield Sample("normalize", _normalize, [real(0, 4)])
    none = {"eps": 0.5}
    slopes = [[[2.0, 2.0]]]
    yield Sample("normalize", _normalize, [exactly([[0.0, 0.0]])], none, "zero", False, slopes)
    for a, b, attrs in COSINES:
        smooth = "eps" not in attrs  # which has the slope of a length that is smaller
        yield Sample("cosine_similarity", _cosine, [away(*a), away(*b)], attrs, "", smooth)
    for a, b, attrs in DISTANCES:
        yield Sample("pairwise_distance", _distance, [real(*a), real(*b)], attrs)
    same = [exactly([[1.0, 2.0]]), exactly([[1.0, 2.0]])]
    slopes = [[[0.0, 0.0]], [[0.0, 0.0]]]
    yield Sample("pairwise_distance", _distance, same, {"eps": 0.0}, "same", False, slopes)


COMPOSED = [*_elementwise(), *_others(), *_random(), *_distances()]
