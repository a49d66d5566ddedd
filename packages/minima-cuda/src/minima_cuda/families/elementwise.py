"""Elementwise operators: one kernel launch each."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from minima.devices import Kernel
from minima.devices.base import REFERENCES

from ..geometry import over_elements
from ..launch import Launcher
from ..sources import Source

__all__ = ["KERNELS"]

#: dtypes that the kernels serve; others run the reference kernel
DTYPES = ("float16", "bfloat16", "float32", "float64")

UNARY = ("exp", "relu", "square")
BINARY = ("add", "multiply")


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""

    def place(x: Any, out: Any) -> Any:
        return out if out is not None and out.flags.c_contiguous else xp.empty(x.shape, x.dtype)

    def given(y: Any, out: Any) -> Any:
        if out is None or out is y:
            return y
        out[...] = y
        return out

    def unary(name: str, x: Any, out: Any = None) -> Any:
        if x.dtype.name not in DTYPES:
            return REFERENCES[name](xp, x)
        x = xp.ascontiguousarray(x)
        y = place(x, out)
        if x.size:
            source, count = Source("elementwise", x.dtype.name), np.int64(x.size)
            launcher.launch(source, f"{name}_each", *over_elements(x.size), (x, y, count))
        return given(y, out)

    def binary(name: str, a: Any, b: Any, out: Any = None) -> Any:
        if a.dtype != b.dtype or a.shape != b.shape or a.dtype.name not in DTYPES:
            return REFERENCES[name](xp, a, b)
        a, b = xp.ascontiguousarray(a), xp.ascontiguousarray(b)
        y = place(a, out)
        if a.size:
            source, count = Source("elementwise", a.dtype.name), np.int64(a.size)
            launcher.launch(source, f"{name}_each", *over_elements(a.size), (a, b, y, count))
        return given(y, out)

    return {
        **{name: partial(unary, name) for name in UNARY},
        **{name: partial(binary, name) for name in BINARY},
    }
