"""bfloat16 on the cpu: NumPy has no arithmetic for it, so kernels compute in float32.

`use` is called when the type is first asked for; until then nothing here costs anything.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from .base import Kernel

__all__ = ["use", "widened"]

Array = Any

#: kernels that take the type as it is, beside those that return views
_NATIVE = frozenset(("astype", "copy"))


def widened(name: str, kernel: Kernel, bfloat16: np.dtype[Any]) -> Kernel:
    """Return *kernel* for bfloat16 too: inputs as float32, a result of float32 as bfloat16."""
    from ..operators.table import TABLE

    if name in _NATIVE or (name in TABLE and TABLE[name].view):
        return kernel
    bare = getattr(kernel, "quietened", kernel)
    if isinstance(bare, np.ufunc) and bare is not np.matmul:
        return kernel  # which ml_dtypes has for the type
    float32 = np.dtype("float32")

    def wide(x: Any) -> Any:
        if isinstance(x, tuple | list):
            return type(x)(map(wide, x))
        return x.astype(float32) if getattr(x, "dtype", None) == bfloat16 else x

    def narrow(y: Any) -> Any:
        y = np.asarray(y)
        return y.astype(bfloat16) if y.dtype == float32 else y

    @wraps(kernel)
    def call(*inputs: Any, out: Array = None, **attrs: Any) -> Any:
        if not _any_of(bfloat16, inputs):
            return kernel(*inputs, **attrs) if out is None else kernel(*inputs, out=out, **attrs)
        found = narrow(kernel(*map(wide, inputs), **attrs))
        if out is None:
            return found
        np.copyto(out, found, casting="unsafe")
        return out

    if bare is not kernel:
        call.quietened = widened(name, bare, bfloat16)  # type: ignore[attr-defined]
    return call


def _any_of(dtype: np.dtype[Any], inputs: Any) -> bool:
    """Say whether one of *inputs*, or of the sequences among them, is of *dtype*."""
    for x in inputs:
        if isinstance(x, tuple | list):
            if _any_of(dtype, x):
                return True
        elif getattr(x, "dtype", None) is not None and x.dtype == dtype:
            return True
    return False


def use(kernels: Any, bfloat16: np.dtype[Any]) -> None:
    """Let the kernels of the cpu, those not made yet too, take *bfloat16*."""

    def widen(name: str, kernel: Kernel) -> Kernel:
        return widened(name, kernel, bfloat16)

    kernels.widen = widen
    for name, kernel in list(kernels.items()):
        kernels[name] = widen(name, kernel)
