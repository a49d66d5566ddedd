"""Samples of reductions and of the softmax family."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, distinct, exactly, integers, positive, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")
WAYS: tuple[dict[str, Any], ...] = (
    {},
    {"axis": 0},
    {"axis": -1, "keepdims": True},
    {"axis": (0, 2)},
    {"axis": (-1, 0), "keepdims": True},
    {"axis": ()},
    {"keepdims": True},
)


def along(
    name: str, oracle: Callable[..., Any], draw: Callable[..., Any] = real
) -> Iterator[Sample]:
    """Yield rows for *name* over all ways to give axes, and for no axes at all."""
    for attrs in WAYS:
        yield Sample(name, oracle, [draw(2, 3, 4)], attrs)
    yield Sample(name, oracle, [draw()])
    yield Sample(name, oracle, [draw(1)], {"axis": 0})
    yield Sample(name, oracle, [draw(0, 3)], {"axis": 1})


def _softmax(x: Any, axis: Any = -1) -> Any:
    if not x.size:
        return x
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _softmax_gradient(g: Any, y: Any, axis: Any = -1) -> Any:
    return y * g - y * (g * y).sum(axis, keepdims=True)


def _log_softmax(x: Any, axis: int = -1) -> Any:
    if not x.size:
        return x
    z = x - x.max(axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis, keepdims=True))


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False, axes: Any = None) -> Any:
    axis = axis if axes is None else axes
    axis = tuple(range(x.ndim)) if axis is None else axis
    for a in sorted({a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}):
        x = np.logaddexp.reduce(x, axis=a, keepdims=True)
    if keepdims:
        return x
    return np.squeeze(x, axis)


def _var(x: Any, axis: Any = None, keepdims: bool = False, correction: float = 0) -> Any:
    return np.var(x, axis, ddof=correction, keepdims=keepdims)


def _sums() -> Iterator[Sample]:
    yield from along("sum", np.sum)
    yield from along("mean", np.mean)
    yield Sample("sum", np.sum, [real(0)], note="none")
    yield Sample("sum", np.sum, [integers(2, 3)], {"axis": 1}, "whole")
    yield Sample("sum", np.sum, [bools(2, 3)], {"axis": 1}, "bools")
    yield Sample("sum", np.sum, [exactly([[1.0, nan], [inf, 2.0]])], {"axis": 1}, "special", False)
    yield Sample("mean", lambda x: nan, [real(0)], note="none", smooth=False)
    yield Sample("mean", np.mean, [integers(2, 3)], dtype="float32")
    yield Sample(
        "mean", np.mean, [exactly([[1.0, nan], [inf, 2.0]])], {"axis": 1}, "special", False
    )
    yield from along("var", _var)
    yield Sample("var", _var, [real(4, 3)], {"axis": 0, "correction": 1})
    yield Sample("var", _var, [real(4, 3)], {"axis": 0, "correction": 0.5, "keepdims": True})
    yield Sample("var", lambda x, **_: nan, [real(1)], {"correction": 1}, "none", smooth=False)
    yield Sample("var", _var, [integers(2, 3)], dtype="float32")
    yield Sample("var", _var, [exactly([1e4, 1e4 + 1.0, 1e4 + 2.0])], note="offset")


def _extremes() -> Iterator[Sample]:
    oracle: Any
    for name, oracle in (("max", np.max), ("min", np.min)):
        yield from along(name, oracle, distinct)
        yield Sample(name, oracle, [integers(2, 3)], {"axis": 0})
        yield Sample(
            name, oracle, [exactly([[1.0, nan], [inf, -inf]])], {"axis": 1}, "special", False
        )
        ties = exactly([[2.0, 1.0, 2.0], [1.0, 1.0, 2.0]])
        slopes = (
            [[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]
            if name == "max"
            else [[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]]
        )
        yield Sample(name, oracle, [ties], {"axis": 1}, "ties", False, [slopes])
        third = np.full((2, 2), 0.25)
        yield Sample(name, oracle, [exactly(np.ones((2, 2)))], {}, "ties", False, [third])
    for name, oracle in (("argmax", np.argmax), ("argmin", np.argmin)):
        for attrs in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"keepdims": True}):
            yield Sample(name, oracle, [distinct(2, 3, 4)], attrs)
        yield Sample(name, oracle, [distinct()])
        yield Sample(name, oracle, [integers(2, 5)], {"axis": 1}, "ties")
        yield Sample(name, oracle, [distinct(0, 3)], {"axis": 1})
        yield Sample(name, oracle, [exactly([[1.0, nan], [inf, -inf]])], {"axis": 1}, "special")
    for name, oracle in (("all", np.all), ("any", np.any)):
        yield from along(name, oracle, bools)
        yield Sample(name, oracle, [integers(2, 3, low=0, high=2)], {"axis": 0})
        yield Sample(name, oracle, [exactly([[0.0, nan], [0.0, -0.0]])], {"axis": 1}, "special")
        yield Sample(name, oracle, [bools(0)], note="none")


#: logits whose exponentials overflow
LARGE = np.array([[1e4, 1e4, 0.0], [-1e4, 0.0, 1.0]])


def _softmaxes() -> Iterator[Sample]:
    attrs: dict[str, Any]
    of_log = 1.0 - 3.0 * _softmax(LARGE)
    for name, oracle, slopes in (
        ("softmax", _softmax, np.zeros((2, 3))),
        ("log_softmax", _log_softmax, of_log),
    ):
        for attrs in ({}, {"axis": 0}, {"axis": 1}):
            yield Sample(name, oracle, [real(2, 3, 4)], attrs)
        yield Sample(name, oracle, [real(3)])
        yield Sample(name, oracle, [real(0, 3)])
        yield Sample(name, oracle, [real(3, 0)])
        yield Sample(name, oracle, [integers(2, 3)], dtype="float32")
        yield Sample(name, oracle, [exactly(LARGE)], {}, "large", False, [slopes])
        special = exactly([[nan, 1.0], [-inf, 1.0], [inf, 1.0]])
        yield Sample(name, oracle, [special], note="special", smooth=False)
        none = exactly([[-inf, -inf], [1.0, 1.0]])
        yield Sample(name, oracle, [none], note="nothing", smooth=False)
    yield Sample("softmax", _softmax, [real(2, 3, 4)], {"axis": (0, -1)})
    for shape, attrs in (
        ((2, 3), {}),
        ((2, 3, 2), {"axis": (0, -1)}),
        ((3, 2), {"axis": 0}),
        ((0, 3), {}),
        ((2, 0), {}),
    ):
        inputs = [real(*shape), positive(*shape)]
        yield Sample("softmax_gradient", _softmax_gradient, inputs, attrs)
    yield from along("logsumexp", _logsumexp)
    yield Sample("logsumexp", _logsumexp, [real(2, 3)], {"axes": (1,), "keepdims": True})
    yield Sample("logsumexp", _logsumexp, [integers(2, 3)], dtype="float32")
    slopes = [_softmax(LARGE)]
    yield Sample("logsumexp", _logsumexp, [exactly(LARGE)], {"axis": 1}, "large", False, slopes)
    special = exactly([[nan, 1.0], [-inf, 1.0], [inf, 1.0], [-inf, -inf], [inf, -inf]])
    yield Sample("logsumexp", _logsumexp, [special], {"axis": 1}, "special", False)


SAMPLES = [*_sums(), *_extremes(), *_softmaxes()]
