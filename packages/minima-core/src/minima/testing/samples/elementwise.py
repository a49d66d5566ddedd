"""Samples of the operators that work element by element."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import erf
from typing import Any

import numpy as np

from .sample import Input, Sample, away, bools, distinct, exactly, integers, positive, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")
SPECIAL = (nan, inf, -inf, 0.0, -0.0, 1.0, -2.5)
SHAPES = ((), (3,), (2, 3, 2), (0,), (2, 0, 3))
PAIRS = (
    ((2, 3), (2, 3)),
    ((2, 1, 3), (4, 1)),
    ((), (3,)),
    ((2, 3), ()),
    ((), ()),
    ((0, 3), (3,)),
    ((2, 1), (2, 0)),
)
Draw = Callable[..., Input]


def unary(
    name: str,
    oracle: Callable[..., Any],
    draw: Draw = real,
    special: Sequence[float] = SPECIAL,
    **attrs: Any,
) -> Iterator[Sample]:
    """Yield rows for *name* over the usual shapes, and one with NaN and infinity."""
    for shape in SHAPES:
        yield Sample(name, oracle, [draw(*shape)], attrs)
    yield Sample(name, oracle, [exactly(special)], attrs, "special", smooth=False)


def binary(
    name: str,
    oracle: Callable[..., Any],
    left: Draw = real,
    right: Draw = real,
    *,
    warns: bool = False,
    **attrs: Any,
) -> Iterator[Sample]:
    """Yield rows for *name* over shapes that broadcast, numbers, and NaN and infinity."""
    for a, b in PAIRS:
        yield Sample(name, oracle, [left(*a), right(*b)], attrs)
    yield Sample(name, oracle, [left(2, 3), 1.5], attrs)
    yield Sample(name, oracle, [2, right(3)], attrs)
    special = [exactly(values) for values in np.meshgrid(SPECIAL, SPECIAL)]
    yield Sample(name, oracle, special, attrs, "special", smooth=False, warns=warns)


def whole(name: str, oracle: Callable[..., Any], *, right: int = -4, **options: Any) -> Sample:
    """Return a row of int64 inputs; those on the right are at least *right*."""
    inputs = [integers(2, 3), integers(2, 3, low=right, high=5)]
    return Sample(name, oracle, inputs, note="whole", **options)


def kink(name: str, oracle: Callable[..., Any], *rows: tuple[Any, Any], **attrs: Any) -> Sample:
    """Return a row with, for each input, its values and the gradients that the docstring states."""
    values, slopes = zip(*rows)
    inputs = [exactly(v, np.float64) for v in values]
    return Sample(name, oracle, inputs, attrs, "kink", smooth=False, slopes=slopes)


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _erf(x: Any) -> Any:
    return np.vectorize(erf, otypes=[float])(x)


def _gelu(x: Any, approximate: str = "none") -> Any:
    if approximate == "tanh":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x * (_erf(x / np.sqrt(2)) + 1) / 2


def _gelu_gradient(g: Any, x: Any, approximate: str = "none") -> Any:
    if approximate == "none":
        return g * ((_erf(x / np.sqrt(2)) + 1) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi))
    scale = np.sqrt(2 / np.pi)
    t = np.tanh(scale * (x + 0.044715 * x**3))
    return g * ((1 + t) / 2 + x / 2 * (1 - t**2) * scale * (1 + 3 * 0.044715 * x**2))


def _share(a: Any, b: Any) -> Any:
    return np.select([a > b, a == b], [1.0, 0.5], 0.0)


def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    x = x if min is None else np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def _power_scalar(x: Any, scalar: float) -> Any:
    return x**scalar


def _powers() -> Iterator[Sample]:
    for scalar in (2, 3, 1, 0, 2.5, 0.5, -1, -1.5):
        # what becomes of -inf depends on NumPy's choice between pow and sqrt
        special = (nan, inf, 0.0, -0.0, 1.0, -2.5)
        yield from unary("power_scalar", _power_scalar, positive, special, scalar=scalar)
    yield whole_power(2)
    yield whole_power(0)
    yield kink("power_scalar", _power_scalar, ([0.0, -2.0], [0.0, 0.0]), scalar=0)
    yield kink("power_scalar", _power_scalar, ([0.0, -2.0], [0.0, -4.0]), scalar=2)
    yield kink("power_scalar", _power_scalar, ([0.0, -2.0], [1.0, 1.0]), scalar=1)


def whole_power(scalar: int) -> Sample:
    """Return a row that raises int64 numbers to a power."""
    return Sample("power_scalar", _power_scalar, [integers(3)], {"scalar": scalar}, "whole")


def _arithmetic() -> Iterator[Sample]:
    oracle: Any
    yield from binary("add", np.add, warns=True)
    yield from binary("subtract", np.subtract, warns=True)
    yield from binary("multiply", np.multiply, warns=True)
    yield from binary("divide", np.divide, right=away)
    yield from binary("floor_divide", np.floor_divide, real, positive)
    yield from binary("remainder", np.remainder, real, positive)
    yield kink("floor_divide", np.floor_divide, ([2.0, 3.5], [0.0, 0.0]), ([1.0, 2.0], [0.0, 0.0]))
    yield kink("remainder", np.remainder, ([2.0, -3.5], [1.0, 1.0]), ([1.0, 2.0], [-2.0, 2.0]))
    yield from binary("power", np.power, left=positive)
    for name, oracle in (("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply)):
        yield whole(name, oracle)
    yield whole("divide", np.divide, right=1, dtype="float32")
    yield whole("floor_divide", np.floor_divide, right=1)
    yield whole("remainder", np.remainder, right=1)
    yield whole("power", np.power, right=1)
    yield from _powers()
    yield kink(
        "power",
        np.power,
        ([2.0, 0.0, 0.0], [0.0, 0.0, 1.0]),
        ([0.0, 0.0, 1.0], [np.log(2.0), 0.0, 0.0]),
    )
    yield from unary("negative", np.negative)
    yield from unary("square", np.square)
    yield Sample("negative", np.negative, [integers(3)], note="whole")
    yield Sample("square", np.square, [integers(3)], note="whole")
    for name, oracle, sign in (("maximum", np.maximum, 1.0), ("minimum", np.minimum, -1.0)):
        yield from binary(name, oracle, distinct, lambda *s: distinct(*s, shift=0.1))
        yield whole(name, oracle)
        values = [1.0, 3.0, 2.0], [2.0, 3.0, 1.0]
        slopes = [0.0, 0.5, 1.0], [1.0, 0.5, 0.0]
        a, b = zip(values, slopes if sign > 0 else slopes[::-1])
        yield kink(name, oracle, a, b)


def _sums() -> Iterator[Sample]:
    shapes = (((2, 3),) * 3, ((3,), (2, 1), ()), ((), (), ()), ((0, 2), (2,), ()))
    for value in (1, 0.5, -2):
        yield from (
            Sample(
                "add_scaled",
                lambda a, b, value: a + value * b,
                [real(*s), real(*t)],
                {"value": value},
            )
            for s, t, _ in shapes
        )
        for s, t, u in shapes:
            yield Sample(
                "addcmul",
                lambda x, a, b, value: x + value * a * b,
                [real(*s), real(*t), real(*u)],
                {"value": value},
            )
            yield Sample(
                "addcdiv",
                lambda x, a, b, value: x + value * a / b,
                [real(*s), real(*t), away(*u)],
                {"value": value},
            )
    for weight in (0.25, 1.0, 0):
        for s, t, _ in shapes:
            yield Sample(
                "lerp",
                lambda start, end, weight: start + weight * (end - start),
                [real(*s), real(*t)],
                {"weight": weight},
            )


def _functions() -> Iterator[Sample]:
    yield from unary("exp", np.exp)
    yield from unary("expm1", np.expm1)
    yield from unary("log", np.log, positive)
    yield from unary("log1p", np.log1p, positive)
    yield from unary("sqrt", np.sqrt, positive)
    yield from unary("sin", np.sin)
    yield from unary("cos", np.cos)
    yield from unary("tanh", np.tanh)
    yield from unary("erf", _erf)
    yield from unary("abs", np.abs, away)
    yield from unary("sign", np.sign, away)
    yield from unary("relu", lambda x: np.maximum(x, 0.0), away)
    yield from unary("sigmoid", _sigmoid)
    for approximate in ("none", "tanh"):
        yield from unary("gelu", _gelu, approximate=approximate)
        for shape in SHAPES:
            inputs, attrs = [real(*shape), real(*shape)], {"approximate": approximate}
            yield Sample("gelu_gradient", _gelu_gradient, inputs, attrs)
    for name in "exp expm1 log log1p sqrt sin cos tanh".split():
        yield Sample(name, getattr(np, name), [integers(3, low=1)], note="whole", dtype="float32")
    yield Sample("sigmoid", _sigmoid, [integers(3)], note="whole", dtype="float32")
    yield Sample("erf", _erf, [integers(3)], note="whole", dtype="float32")
    yield Sample("abs", np.abs, [integers(3)], note="whole")
    yield Sample("sign", np.sign, [integers(3)], note="whole")
    yield Sample("relu", lambda x: np.maximum(x, 0), [integers(3)], note="whole")
    far = [-800.0, -90.0, -30.0, 30.0, 90.0, 800.0]
    yield Sample("sigmoid", _sigmoid, [exactly(far)], note="tails")
    yield Sample("tanh", np.tanh, [exactly(far)], note="tails")
    yield Sample("erf", _erf, [exactly([-6.5, -3.0, -1.1, 0.999, 1e-9, 2.0, 40.0])], note="tails")
    yield kink("relu", lambda x: np.maximum(x, 0.0), ([-1.0, 0.0, 1.0, nan], [0.0, 0.0, 1.0, 1.0]))
    yield kink("abs", np.abs, ([-1.0, 0.0, 2.0], [-1.0, 0.0, 1.0]))
    yield kink("sign", np.sign, ([-1.0, 0.0, 2.0], [0.0, 0.0, 0.0]))
    yield kink("sqrt", np.sqrt, ([0.0, 4.0], [inf, 0.25]))
    yield kink("log", np.log, ([0.0, 4.0], [inf, 0.25]))
    relu_gradient = lambda g, y: np.where(y <= 0, 0.0, g)  # noqa: E731
    for shape in SHAPES:
        inputs = [real(*shape), away(*shape)]
        yield Sample("relu_gradient", relu_gradient, inputs)
    yield Sample("relu_gradient", relu_gradient, [real(3), away(2, 3)])
    yield kink(
        "relu_gradient",
        relu_gradient,
        ([5.0, 5.0, 5.0], [0.0, 1.0, 1.0]),
        ([0.0, 1.0, nan], [0.0, 0.0, 0.0]),
    )


def _choices() -> Iterator[Sample]:
    for name in "equal not_equal less less_equal greater greater_equal".split():
        yield from binary(name, getattr(np, name), integers, integers)
        yield whole(name, getattr(np, name))
    for name in "isnan isinf isfinite".split():
        yield from unary(name, getattr(np, name))
        yield Sample(name, getattr(np, name), [integers(3)], note="whole")
    yield from unary("logical_not", np.logical_not)
    yield Sample("logical_not", np.logical_not, [bools(2, 3)])
    yield Sample("bitwise_invert", np.bitwise_not, [bools(2, 3)])
    yield Sample("bitwise_invert", np.bitwise_not, [bools(0, 3)])
    yield Sample("bitwise_invert", np.bitwise_not, [integers(2, 3)], note="whole")
    for name in "bitwise_and bitwise_or bitwise_xor".split():
        for left, right in PAIRS:
            yield Sample(name, getattr(np, name), [integers(*left), integers(*right)])
        yield Sample(name, getattr(np, name), [bools(2, 1), bools(3)])
    yield from binary("share", _share, distinct, lambda *s: distinct(*s, shift=0.1))
    yield kink("share", _share, ([1.0, 2.0], [0.0, 0.0]), ([1.0, 1.0], [0.0, 0.0]))
    for c, a, b in (
        ((2, 3), (2, 3), (2, 3)),
        ((2, 1), (3,), ()),
        ((), (2,), (1, 2)),
        ((), (), ()),
        ((0,), (1,), ()),
    ):
        yield Sample("where", np.where, [bools(*c), real(*a), real(*b)])
    yield Sample("where", np.where, [bools(3), integers(3), integers(3)])
    yield Sample("where", np.where, [bools(3), real(3), 0])
    yield Sample("where", np.where, [bools(3), 1.5, integers(3)], dtype="float32")
    yield Sample(
        "where",
        np.where,
        [exactly([True, False]), exactly([1.0, nan]), exactly([inf, 2.0])],
        note="special",
        slopes=[None, [1.0, 0.0], [0.0, 1.0]],
        smooth=False,
    )
    limits: Any
    for limits in ({"min": -1.1, "max": 1.2}, {"min": 0.1}, {"max": 0.1}, {}):
        yield from unary("clip", _clip, distinct, **limits)
    yield Sample("clip", _clip, [integers(5)], {"min": -1, "max": 2})
    yield kink(
        "clip", _clip, ([-2.0, -1.0, 0.0, 1.0, 2.0], [0.0, 1.0, 1.0, 1.0, 0.0]), min=-1, max=1
    )


SAMPLES = [*_arithmetic(), *_sums(), *_functions(), *_choices()]
