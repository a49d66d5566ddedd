"""What the Python Array API standard says of types: limits, kinds, promotion, capabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .devices import CPU, Device, device
from .dtypes import NAMES, DType, as_dtype, promote, weaken
from .errors import ArgumentError, DTypeError
from .tensor import Tensor

__all__ = [
    "FloatInfo",
    "IntegerInfo",
    "NamespaceInfo",
    "can_cast",
    "finfo",
    "iinfo",
    "isdtype",
    "result_type",
]

#: the versions of the standard that `Tensor.__array_namespace__` takes
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")

_KINDS: dict[str, str] = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
_NUMBERS = (bool, int, float, complex)


def _dtype_of(value: Any) -> DType:
    """Return the dtype that *value*, a tensor, an array or a dtype, has or is."""
    found = value.dtype if isinstance(value, Tensor | np.ndarray | np.generic) else value
    return as_dtype(found)


def _kind(dtype: DType) -> str:
    """Return the letter of the kind of *dtype*; types from elsewhere are floating."""
    return "f" if dtype.kind == "V" else dtype.kind


@dataclass(frozen=True)
class FloatInfo:
    """Limits of a floating type, as Python floats.

    >>> import minima as mi
    >>> mi.finfo(mi.float16).max
    65504.0
    """

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: DType


@dataclass(frozen=True)
class IntegerInfo:
    """Limits of an integer type.

    >>> import minima as mi
    >>> mi.iinfo(mi.int8).min
    -128
    """

    bits: int
    max: int
    min: int
    dtype: DType


def finfo(type: Any) -> FloatInfo:
    """Return the limits of a floating dtype, or of that of a tensor; of a complex one, its parts'.

    Raises: DTypeError for another kind of type.

    >>> import minima as mi
    >>> mi.finfo(mi.float32).bits, mi.finfo(mi.float64).eps
    (32, 2.220446049250313e-16)
    """
    dtype = _dtype_of(type)
    if _kind(dtype) not in "fc":
        raise DTypeError(f"finfo: got {dtype}; expected a floating type (of integers: iinfo)")
    if dtype.kind == "V":
        import ml_dtypes  # type: ignore[import-not-found,unused-ignore]

        found: Any = ml_dtypes.finfo(dtype)
    else:
        found = np.finfo(dtype)
    of_parts = np.dtype(f"float{dtype.itemsize * 4}") if dtype.kind == "c" else dtype
    names = ("eps", "max", "min", "smallest_normal")
    eps, high, low, normal = (float(getattr(found, n)) for n in names)
    return FloatInfo(int(found.bits), eps, high, low, normal, of_parts)


def iinfo(type: Any) -> IntegerInfo:
    """Return the limits of an integer dtype, or of that of a tensor.

    Raises: DTypeError for another kind of type.

    >>> import minima as mi
    >>> mi.iinfo(mi.uint8).max
    255
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "iu":
        raise DTypeError(f"iinfo: got {dtype}; expected an integer type (of floats: finfo)")
    found = np.iinfo(dtype)
    return IntegerInfo(int(found.bits), int(found.max), int(found.min), dtype)


def isdtype(dtype: npt.DTypeLike, kind: Any) -> bool:
    """Say whether *dtype* is of *kind*: a dtype, a name of the standard, or a tuple of them.

    The names are bool, signed integer, unsigned integer, integral, real floating, complex
    floating and numeric.

    Raises: ArgumentError for another name.

    >>> import minima as mi
    >>> mi.isdtype(mi.float32, "real floating"), mi.isdtype(mi.int8, ("bool", mi.int16))
    (True, False)
    """
    found = as_dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, k) for k in kind)
    if not isinstance(kind, str):
        return found == as_dtype(kind)
    if kind not in _KINDS:
        raise ArgumentError(
            f"isdtype: got the kind {kind!r}; expected a dtype or one of {', '.join(_KINDS)}"
        )
    return _kind(found) in _KINDS[kind]


def result_type(*arrays_and_dtypes: Any) -> DType:
    """Return the type that tensors, dtypes and Python numbers combine to.

    Python numbers take the type of what is beside them. A floating type with an integer type
    stays as it is.

    Raises: ArgumentError without arguments.

    >>> import minima as mi
    >>> mi.result_type(mi.int8, mi.int16), mi.result_type(mi.float32, 1)
    (dtype('int16'), dtype('float32'))
    """
    dtype: DType | None = None
    for value in arrays_and_dtypes:
        if type(value) not in _NUMBERS:
            found = _dtype_of(value)
            dtype = found if dtype is None else promote(dtype, found)
    for value in arrays_and_dtypes:
        if type(value) in _NUMBERS:
            dtype = weaken(dtype, value)
    if dtype is None:
        raise ArgumentError("result_type: got no arguments; expected tensors or dtypes")
    return dtype


def can_cast(from_: Any, to: npt.DTypeLike) -> bool:
    """Say whether every value of the dtype *from_*, or of a tensor's, is one of *to* as well.

    >>> import minima as mi
    >>> mi.can_cast(mi.int32, mi.int64), mi.can_cast(mi.float64, mi.float32)
    (True, False)
    """
    return np.can_cast(_dtype_of(from_), as_dtype(to), "safe")


class NamespaceInfo:
    """What the standard's inspection asks for: devices, dtypes and capabilities.

    >>> import minima as mi
    >>> mi.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float32')
    """

    def capabilities(self) -> dict[str, Any]:
        """Return what the namespace can do."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """Return the device of tensors that name none."""
        return CPU

    def devices(self) -> tuple[Device, ...]:
        """Return the devices in use, the cpu first."""
        from .devices import opened

        return tuple(opened())

    def default_dtypes(self, *, device: str | Device | None = None) -> dict[str, DType]:
        """Return the types of new tensors, by kind."""
        _known(device)
        names = {
            "real floating": "float32",
            "complex floating": "complex64",
            "integral": "int64",
            "indexing": "int64",
        }
        return {kind: np.dtype(name) for kind, name in names.items()}

    def dtypes(self, *, device: str | Device | None = None, kind: Any = None) -> dict[str, DType]:
        """Return the types of *kind*, all by default, that the standard has; see `isdtype`."""
        _known(device)
        found = {name: np.dtype(name) for name in NAMES if name != "float16"}
        if kind is None:
            return found
        return {name: dtype for name, dtype in found.items() if isdtype(dtype, kind)}


def _known(name: str | Device | None) -> None:
    """Raise unless *name* names a device."""
    device(name)


def __array_namespace_info__() -> NamespaceInfo:
    """Return what can be asked of this namespace: see the standard's inspection.

    >>> import minima as mi
    >>> mi.__array_namespace_info__().default_device()
    device('cpu')
    """
    return NamespaceInfo()
