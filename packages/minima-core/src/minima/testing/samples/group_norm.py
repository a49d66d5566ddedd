"""Samples of normalisation within one sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, away, exactly, real

__all__ = ["COMPOSED", "SAMPLES"]

SAMPLES: list[Sample] = []


def _rms_norm(x: Any, weight: Any = None, axes: Any = -1, eps: Any = None) -> Any:
    eps = 0.0 if eps is None else eps  # for rows far from 0 it is nothing
    y = x / np.sqrt((x * x).mean(axis=axes, keepdims=True) + eps)
    return y if weight is None else y * weight


def _affine(y: Any, weight: Any, bias: Any) -> Any:
    shape = (-1,) + (1,) * (y.ndim - 2)
    for t, combine in ((weight, np.multiply), (bias, np.add)):
        y = y if t is None else combine(y, t.reshape(shape))
    return y


def _group_norm(x: Any, num_groups: int, weight: Any, bias: Any, eps: float = 1e-5) -> Any:
    parts = []
    for part in np.split(x, num_groups, axis=1):
        axes = tuple(range(1, x.ndim))
        mean, var = (f(part, axis=axes, keepdims=True) for f in (np.mean, np.var))
        parts.append((part - mean) / np.sqrt(var + eps))
    return _affine(np.concatenate(parts, axis=1), weight, bias)


def _instance_norm(x: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return _group_norm(x, x.shape[1], weight, bias, eps)


def _local(x: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    total = np.zeros_like(x)
    for c in range(x.shape[1]):
        low, high = max(0, c - size // 2), c + (size - 1) // 2 + 1
        total[:, c] = (x[:, low:high] ** 2).sum(axis=1)
    return x / (k + alpha * total / size) ** beta


LOCAL: tuple[dict[str, Any], ...] = (
    {"size": 3},
    {"size": 2, "alpha": 0.5, "beta": 0.5, "k": 2.0},
    {"size": 9},
)


def _rows() -> Iterator[Sample]:
    for x, w, attrs in (
        ((3, 4), (4,), {"eps": 1e-3}),
        ((3, 4), None, {}),
        ((2, 3, 4), (3, 4), {"axes": (-2, -1), "eps": 0.1}),
        ((4,), None, {"eps": 1e-3}),
        ((0, 4), (4,), {"eps": 1e-3}),
    ):
        inputs = [away(*x), None if w is None else real(*w)]
        yield Sample("rms_norm", _rms_norm, inputs, attrs)
    large = [exactly([[1e2, -1e2], [0.0, 0.0]]), None]
    yield Sample("rms_norm", _rms_norm, large, {"eps": 1e-2}, "zero", False)
    for shape, groups, affine in (
        ((2, 4, 3), 2, True),
        ((2, 6), 3, True),
        ((2, 4, 2, 2), 4, False),
        ((1, 3, 4), 1, True),
        ((0, 4, 3), 2, True),
    ):
        given = [real(shape[1]), real(shape[1])] if affine else [None, None]
        yield Sample("group_norm", _group_norm, [real(*shape), groups, *given], {"eps": 0.01})
    for shape, affine in (((2, 3, 4), True), ((2, 3, 2, 2), False), ((0, 3, 4), True)):
        given = [real(shape[1]), real(shape[1])] if affine else [None, None]
        yield Sample("instance_norm", _instance_norm, [real(*shape), *given], {"eps": 0.01})
    for attrs in LOCAL:
        yield Sample("local_response_norm", _local, [real(2, 5, 3)], attrs)
    yield Sample("local_response_norm", _local, [real(1, 3, 0)], {"size": 3})


COMPOSED = list(_rows())
