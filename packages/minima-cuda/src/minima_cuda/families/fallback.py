"""What a family does with arrays that its kernels do not serve."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima.devices.base import REFERENCES

__all__ = ["ACCUMULATORS", "FLOATS", "by_reference", "into", "room"]

Array = Any

FLOATS = ("float16", "bfloat16", "float32", "float64")

#: dtype of an array -> the dtype that kernels compute in, and take numbers as
ACCUMULATORS: dict[str, Any] = {
    **dict.fromkeys(("float16", "bfloat16", "float32"), np.float32),
    "float64": np.float64,
    **dict.fromkeys(("bool", "uint8", "int32"), np.int32),
    "int64": np.int64,
}


def by_reference(xp: Any, name: str, arrays: Any, attrs: dict[str, Any], out: Array) -> Array:
    """Run the reference kernel of operator *name* over *xp*, into *out* unless it is None."""
    y = REFERENCES[name](xp, *arrays, **attrs)
    dtype = arrays[0].dtype
    if dtype.name == "bfloat16" and y.dtype.name == "float32":  # beside a Python number
        y = y.astype(dtype)
    return into(out, y)


def into(out: Array, y: Array) -> Array:
    """Copy *y* to *out*, unless it is that or None; return where the values are."""
    if out is None or out is y:
        return y
    out[...] = y
    return out


def room(xp: Any, out: Array, shape: tuple[int, ...], dtype: Any, inputs: Any = ()) -> Array:
    """Return *out* if a kernel may write all of it while it reads *inputs*, else new memory."""
    usable = (
        out is not None
        and out.shape == shape
        and out.dtype == dtype
        and out.flags.c_contiguous
        and not any(xp.may_share_memory(out, x) for x in inputs if x is not None)
    )
    return out if usable else xp.empty(shape, dtype)
