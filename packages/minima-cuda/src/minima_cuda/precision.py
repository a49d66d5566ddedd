"""How exactly matrices are multiplied, in PyTorch's words.

``minima_cuda.backends.cuda.matmul.allow_tf32`` and ``set_float32_matmul_precision`` are one
setting under two names, as in PyTorch. Products of float16 and bfloat16 are summed in float32,
for CuPy asks cuBLAS for nothing else.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from minima.errors import ArgumentError

__all__ = [
    "Matmul",
    "apply",
    "backends",
    "get_float32_matmul_precision",
    "set_float32_matmul_precision",
]

#: the precision of float32 products -> CuPy's name of the arithmetic
_FLOAT32 = {
    "highest": "COMPUTE_TYPE_DEFAULT",
    "high": "COMPUTE_TYPE_TF32",
    "medium": "COMPUTE_TYPE_TF32",  # bfloat16 where cuBLAS is asked for it, which CuPy never does
}
_TENSOR_CORES = 80  # the first architecture with TF32

_opened: list[Any] = []


class Matmul:
    """The settings of ``minima_cuda.backends.cuda.matmul``.

    >>> from minima_cuda import backends
    >>> backends.cuda.matmul.allow_tf32
    False
    """

    def __init__(self) -> None:
        self._float32 = "highest"

    @property
    def precision(self) -> str:
        """``highest``, ``high`` or ``medium``: see `set_float32_matmul_precision`."""
        return self._float32

    @precision.setter
    def precision(self, value: str) -> None:
        if value not in _FLOAT32:
            known = ", ".join(_FLOAT32)
            raise ArgumentError(
                f"set_float32_matmul_precision: got {value!r}; expected one of {known}"
            )
        self._float32 = value
        for cupy in _opened:
            self.tell(cupy)

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may round their inputs to TF32, 10 bits of fraction."""
        return self._float32 != "highest"

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        self.precision = "high" if value else "highest"

    def tell(self, cupy: Any) -> None:
        """Tell CuPy, which knows one setting for all GPUs and threads."""
        linalg = cupy._core._routines_linalg
        fast = int(cupy.cuda.Device().compute_capability) >= _TENSOR_CORES
        kind = _FLOAT32[self._float32 if fast else "highest"]
        linalg.set_compute_type("float32", getattr(linalg, kind))


_MATMUL = Matmul()

#: the settings, under PyTorch's names
backends = SimpleNamespace(cuda=SimpleNamespace(matmul=_MATMUL))


def apply(cupy: Any) -> None:
    """Make the settings those of CuPy, now and whenever they change."""
    if cupy not in _opened:
        _opened.append(cupy)
        _MATMUL.tell(cupy)


def set_float32_matmul_precision(precision: str) -> None:
    """Choose how products of float32 matrices are computed on GPUs from sm_80 on.

    ``"highest"``, the default, in float32; ``"high"`` and ``"medium"`` with inputs rounded to
    TF32, about three digits, and sums in float32.

    >>> import minima_cuda
    >>> minima_cuda.set_float32_matmul_precision("high")
    >>> minima_cuda.backends.cuda.matmul.allow_tf32
    True
    >>> minima_cuda.set_float32_matmul_precision("highest")
    """
    _MATMUL.precision = precision


def get_float32_matmul_precision() -> str:
    """Return what `set_float32_matmul_precision` has set.

    >>> import minima_cuda
    >>> minima_cuda.get_float32_matmul_precision()
    'highest'
    """
    return _MATMUL.precision
