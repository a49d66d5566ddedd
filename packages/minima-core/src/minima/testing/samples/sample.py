"""A row of the table of samples, and the inputs that rows are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

__all__ = [
    "Input",
    "Sample",
    "away",
    "bools",
    "distinct",
    "exactly",
    "integers",
    "positive",
    "real",
]

Array = npt.NDArray[Any]
Rng = np.random.Generator


@dataclass(frozen=True)
class Input:
    """An array that is drawn anew, and equal, whenever it is asked for."""

    shape: tuple[int, ...]
    draw: Callable[[Rng, tuple[int, ...]], Any]

    def array(self, seed: int) -> Array:
        """Return the array: float64, int64 or bool."""
        return np.asarray(self.draw(np.random.default_rng(seed), self.shape))


def real(*shape: int) -> Input:
    """Return numbers from -2 to 2."""
    return Input(shape, lambda rng, s: rng.uniform(-2.0, 2.0, s))


def positive(*shape: int) -> Input:
    """Return numbers from 0.5 to 2."""
    return Input(shape, lambda rng, s: rng.uniform(0.5, 2.0, s))


def away(*shape: int) -> Input:
    """Return numbers of either sign and size 0.3 to 2: none near a kink at 0."""
    return Input(shape, lambda rng, s: rng.uniform(0.3, 2.0, s) * rng.choice([-1.0, 1.0], s))


def distinct(*shape: int, shift: float = 0.0) -> Input:
    """Return numbers around 0, no two of them closer than 0.25; *shift* moves them all."""

    def draw(rng: Rng, s: tuple[int, ...]) -> Array:
        order = np.asarray(rng.permutation(int(np.prod(s))), np.float64)
        return (order - order.size // 2).reshape(s) * 0.25 + shift

    return Input(shape, draw)


def integers(*shape: int, low: int = -4, high: int = 5) -> Input:
    """Return int64 numbers from *low* to *high* - 1."""
    return Input(shape, lambda rng, s: rng.integers(low, high, s))


def bools(*shape: int) -> Input:
    """Return True and False."""
    return Input(shape, lambda rng, s: rng.random(s) < 0.5)


def exactly(values: Any, dtype: npt.DTypeLike | None = None) -> Input:
    """Return *values* themselves."""
    array = np.asarray(values, dtype)
    return Input(array.shape, lambda rng, s: array.copy())


@dataclass(frozen=True)
class Sample:
    """One call of one operator, and NumPy's answer.

    *oracle* computes the answer, in float64, from the input arrays and the attributes; it never
    calls minima. *inputs* are `Input`, Python numbers, or None for an input left out. *smooth* is
    False where differences cannot judge: at kinks, ties, NaN and infinity. *slopes*, one entry
    for each input, are the gradients there of the summed output. *warns* marks a result for
    which NumPy may warn. *dtype* is the result's where it does not follow from the inputs'.
    *output* says which output the row is of, where a function has several.
    """

    operator: str
    oracle: Callable[..., Any]
    inputs: Sequence[Any]
    attrs: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    smooth: bool = True
    slopes: Sequence[Any] | None = None
    warns: bool = False
    dtype: str | None = None
    output: int = 0

    @property
    def id(self) -> str:
        """What tells the row from others in a test's name."""
        shapes = ",".join(
            "x".join(map(str, i.shape)) or "0d" if isinstance(i, Input) else str(i)
            for i in self.inputs
        )
        attrs = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        output = f"output{self.output}" if self.output else ""
        parts = [self.operator, self.note, shapes, attrs, output]
        return "-".join(filter(None, parts)).replace(" ", "")

    @property
    def floating(self) -> bool:
        """Whether some input is of a floating type, which then is the result's."""
        return any(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in self.arrays())

    def arrays(self, dtype: npt.DTypeLike = np.float64) -> list[Any]:
        """Return the inputs, those of a floating type as *dtype*."""
        found: list[Any] = []
        for i, given in enumerate(self.inputs):
            if isinstance(given, Input):
                array = given.array(crc32(f"{self.id}/{i}".encode()))
                given = array.astype(dtype) if array.dtype.kind == "f" else array
            found.append(given)
        return found

    def expected(self, dtype: npt.DTypeLike = np.float64) -> Array:
        """Return NumPy's answer for the inputs as *dtype*, computed in float64."""
        wide = [
            a.astype(np.float64) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
            for a in self.arrays(dtype)
        ]
        with np.errstate(all="ignore"):
            return np.asarray(self.oracle(*wide, **self.attrs))
