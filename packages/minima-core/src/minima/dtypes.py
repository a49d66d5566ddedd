"""Data types and how they combine.

Python scalars are weak: they take the type of the tensor beside them. A floating tensor with an
integer tensor stays at the float's width, so nothing silently widens to float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import DTypeError

__all__ = ["DType", "as_dtype", "bfloat16", "float_for", "is_floating", "promote", "weaken"]

DType = np.dtype[Any]

#: The names that ``minima`` exports, in the order of the Array API standard.
NAMES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
    "float16 float32 float64 complex64 complex128"
).split()

FLOAT32: DType = np.dtype("float32")
INT64: DType = np.dtype("int64")
BOOL: DType = np.dtype("bool")
_SUPPORTED = frozenset(NAMES)
#: the dtype, once somebody asked for it
_BFLOAT16: list[DType] = []
_LEVEL = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def as_dtype(dtype: npt.DTypeLike | None) -> DType:
    """Return the NumPy dtype that *dtype* names.

    Raises: DTypeError when it is no type that a tensor can have.

    >>> from minima.dtypes import as_dtype
    >>> as_dtype("float32")
    dtype('float32')
    """
    if isinstance(dtype, str) and dtype == "bfloat16":
        return bfloat16()
    try:
        found = None if dtype is None else np.dtype(dtype)  # for None NumPy takes float64
    except (TypeError, ValueError, DeprecationWarning):
        found = None
    if found is not None and found.kind == "V" and found.name == "bfloat16":
        return bfloat16()
    if found is None or found.name not in _SUPPORTED:
        raise DTypeError(f"dtype: got {dtype!r}; expected one of {', '.join(NAMES)} or bfloat16")
    return found if found.isnative else found.newbyteorder("=")


def bfloat16() -> DType:
    """Return the dtype bfloat16 of the package ml_dtypes: a float32 without its last 16 bits.

    Raises: DTypeError where ml_dtypes is not installed.

    >>> from minima.dtypes import bfloat16
    >>> bfloat16().itemsize
    2
    """
    if not _BFLOAT16:
        try:
            import ml_dtypes  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            raise DTypeError(
                "bfloat16: it comes from the package ml_dtypes, which is not installed here: "
                "pip install 'minima-core[bfloat16]'"
            ) from None
        from .devices.cpu import CPU
        from .devices.cpu_bfloat16 import use

        found = np.dtype(ml_dtypes.bfloat16)
        use(CPU.kernels, found)
        _BFLOAT16.append(found)
    return _BFLOAT16[0]


def is_floating(dtype: DType) -> bool:
    """Say whether *dtype* holds real or complex numbers, which can carry a gradient.

    >>> from minima.dtypes import as_dtype, is_floating
    >>> is_floating(as_dtype("float16")), is_floating(as_dtype("int64"))
    (True, False)
    """
    return dtype.kind in "fcV"


def float_for(dtype: DType) -> DType:
    """Return *dtype* if it is floating, else float32.

    >>> from minima.dtypes import as_dtype, float_for
    >>> float_for(as_dtype("int64"))
    dtype('float32')
    """
    return dtype if is_floating(dtype) else FLOAT32


def promote(a: DType, b: DType) -> DType:
    """Return the type that tensors of types *a* and *b* combine to.

    >>> from minima.dtypes import as_dtype, promote
    >>> promote(as_dtype("float32"), as_dtype("int64"))
    dtype('float32')
    >>> promote(as_dtype("float16"), as_dtype("float64"))
    dtype('float64')
    """
    if a is b or a == b:
        return a
    level_a, level_b = _LEVEL.get(a.kind, 2), _LEVEL.get(b.kind, 2)
    if level_a == level_b or (level_a + level_b == 5 and 3 in (level_a, level_b)):
        try:
            return np.promote_types(a, b)
        except TypeError:  # bfloat16 and float16: each has what the other lacks
            return FLOAT32
    return a if level_a > level_b else b


def weaken(dtype: DType | None, scalar: complex) -> DType:
    """Return the type of the Python number *scalar* beside a tensor of *dtype* (None: alone).

    >>> from minima.dtypes import as_dtype, weaken
    >>> weaken(as_dtype("float16"), 2.5), weaken(as_dtype("int8"), 2), weaken(None, 2.5)
    (dtype('float16'), dtype('int8'), dtype('float32'))
    """
    if isinstance(scalar, np.generic):  # np.float32 is no float of Python
        scalar = scalar.item()
    if isinstance(scalar, bool):
        return dtype or BOOL
    if isinstance(scalar, int):
        return INT64 if dtype is None or dtype.kind == "b" else dtype
    if isinstance(scalar, float):
        return FLOAT32 if dtype is None else float_for(dtype)
    if dtype is None or dtype.itemsize <= 4 or not is_floating(dtype):
        return np.dtype("complex64")
    return dtype if dtype.kind == "c" else np.dtype("complex128")
