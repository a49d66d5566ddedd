"""Comparing a kernel on the emulator with the reference kernel in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from emulator import EmulatorLauncher

from minima.devices.base import REFERENCES
from minima_cuda import library

SMALL_SCHEDULES = ("forward", "reverse", 1, 2, 3, 4, 5)
LARGE_SCHEDULES = ("forward", 1)
#: relative and absolute; what a result in this dtype may be off from the one in float64
TOLERANCES = {
    "float64": (1e-12, 1e-12),
    "float32": (2e-5, 1e-5),
    "float16": (2e-3, 1e-3),
    "bfloat16": (1.6e-2, 8e-3),
}


@dataclass(frozen=True)
class Mutation:
    """A fault to plant: *text* of *file*, found once, becomes *instead*.

    *run* is called with a launcher and has to fail: by a wrong value (AssertionError) or, where
    *how* is a kind of `emulator.backend.FAULTS` or "launch", by that `KernelFault`.
    """

    name: str
    file: str
    text: str
    instead: str
    run: Callable[[EmulatorLauncher], None]
    how: str = "value"


class Poisoned:
    """NumPy as a family's ``xp``, whose new arrays hold NaN, or ones in every bit."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        """Return an array in which nothing can be mistaken for a result."""
        array = np.empty(shape, dtype)
        array.view(np.uint8 if array.ndim else array.dtype)[...] = 0xFF if array.ndim else -1
        return array


@cache
def kernels(schedule: str | int, races: bool = True) -> dict[str, Any]:
    """Return operator name -> kernel on an emulator with that *schedule*."""
    return library.kernels(EmulatorLauncher(schedule, races=races), Poisoned())


def widened(value: Any) -> Any:
    """Return an array of a floating type as float64, and all else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.name in TOLERANCES:
        return value.astype(np.float64)
    return value


def reference(name: str, *inputs: Any, **attributes: Any) -> Any:
    """Return what the reference kernel gives in float64."""
    with np.errstate(all="ignore"):
        return REFERENCES[name](np, *map(widened, inputs), **attributes)


def assert_close(got: Any, wanted: Any, dtype: str, scale: float = 1.0) -> None:
    """Compare arrays, or tuples of them, within *scale* times the tolerance of *dtype*."""
    if isinstance(wanted, tuple):
        assert len(got) == len(wanted)
        for g, w in zip(got, wanted):
            assert_close(g, w, dtype, scale)
        return
    relative, absolute = (scale * t for t in TOLERANCES.get(dtype, (0, 0)))
    assert np.shape(got) == np.shape(wanted)
    np.testing.assert_allclose(widened(np.asarray(got)), wanted, relative, absolute)
