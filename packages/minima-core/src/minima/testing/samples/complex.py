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

COMPOSED: list[Sample] = [
    *_part("conj", np.conj),
    *(Sample("angle", np.angle, [plane(*shape)], note="complex") for shape in SHAPES),
    Sample("angle", np.angle, [away(2, 3)]),
    Sample("angle", np.angle, [exactly([0.0, nan])], note="special", smooth=False),
    Sample("angle", np.angle, [exactly([0.0, -2.0])], note="kink", smooth=False, slopes=[[0, 0]]),
    Sample("angle", np.angle, [integers(3)], note="whole", dtype="float32"),
]
