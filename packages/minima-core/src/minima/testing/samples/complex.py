"""Samples of the operators on complex numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .sample import Input, Sample, away, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")
SHAPES = ((), (3,), (2, 3), (0,), (2, 0, 3))
SPECIAL = (complex(nan, 1), complex(1, inf), complex(-0.0, -0.0), complex(2, -3))


def plane(*shape: int) -> Input:
    """Return complex numbers whose parts are from -2 to 2."""

    def draw(rng: np.random.Generator, s: tuple[int, ...]) -> Any:
        return rng.uniform(-2.0, 2.0, s) + 1j * rng.uniform(-2.0, 2.0, s)

    return Input(shape, draw)


def _part(name: str, oracle: Callable[..., Any]) -> Iterator[Sample]:
    for shape in SHAPES:
        yield Sample(name, oracle, [plane(*shape)], note="complex")
        yield Sample(name, oracle, [real(*shape)])
    yield Sample(name, oracle, [exactly(SPECIAL)], note="special", smooth=False)
    yield Sample(name, oracle, [integers(3)], note="whole")


SAMPLES: list[Sample] = [
    *_part("conjugate", np.conj),
    *_part("real", lambda x: np.array(np.real(x))),
    *_part("imag", lambda x: np.array(np.imag(x))),
]


def _conv1d(x: Any, weight: Any, bias: Any, padding: int) -> Any:
    seen = np.lib.stride_tricks.sliding_window_view(
        np.pad(x, ((0, 0), (0, 0), (padding, padding))), weight.shape[2], axis=2
    )
    return np.einsum("nclk,ock->nol", seen, weight) + bias[:, None]


def _spread(x: Any, weight: Any) -> Any:
    (n, _, size), (_, o, k) = x.shape, weight.shape
    y = np.zeros((n, o, size + k - 1), np.result_type(x, weight))
    for i in range(k):
        y[:, :, i : i + size] += np.einsum("ncl,co->nol", x, weight[:, :, i])
    return y


def _by_parts() -> Iterator[Sample]:
    """Yield the rows of what sees complex numbers as two real ones."""
    inputs = [plane(2, 2, 4), plane(3, 2, 3), plane(3)]
    yield Sample("conv1d", _conv1d, inputs, {"padding": 1}, "complex")
    yield Sample("conv1d", _conv1d, [plane(0, 2, 4), *inputs[1:]], {"padding": 0}, "no complex")
    yield Sample("conv_transpose1d", _spread, [plane(2, 2, 3), plane(2, 3, 2)], note="complex")
    yield Sample("silu", lambda x: x / (1 + np.exp(-x)), [plane(2, 3)], note="complex")


COMPOSED: list[Sample] = [
    *_part("conj", np.conj),
    *_by_parts(),
    *(Sample("angle", np.angle, [plane(*shape)], note="complex") for shape in SHAPES),
    Sample("angle", np.angle, [away(2, 3)]),
    Sample("angle", np.angle, [exactly([0.0, nan])], note="special", smooth=False),
    Sample("angle", np.angle, [exactly([0.0, -2.0])], note="kink", smooth=False, slopes=[[0, 0]]),
    Sample("angle", np.angle, [integers(3)], note="whole", dtype="float32"),
]
