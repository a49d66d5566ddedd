"""The three discrete Fourier transforms that `minima.fft` is composed of.

*norm* says which direction is divided by the number of points: "backward" the inverse, "forward"
the other, "ortho" both by its root. Sizes are those of the input: `minima.fft` cuts and fills up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor
from .axes import canonical_axes, canonical_axis
from .creation import made
from .lapack import as_type, widened
from .manipulation import reshape
from .table import Array, operator

__all__ = ["dft", "real_dft", "real_idft"]

#: the norm of the transform that is the adjoint
ADJOINT = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def check_norm(name: str, norm: str | None) -> str:
    """Return *norm* by its name, None as "backward".

    >>> check_norm("fft", None)
    'backward'
    """
    if norm is None:
        return "backward"
    if norm not in ADJOINT:
        raise ArgumentError(f"{name}: got norm {norm!r}; expected one of {', '.join(ADJOINT)}")
    return norm


def _check_points(name: str, x: Tensor, axes: Sequence[int]) -> None:
    for a in axes:
        if not x.shape[a]:
            raise ShapeError(
                f"{name}: axis {a} of shape {x.shape} has no elements; expected at least one"
            )


@operator(promotes=False)
def dft(
    xp: Any, x: Array, axes: Sequence[int], inverse: bool = False, norm: str = "backward"
) -> Any:
    """Return the discrete Fourier transform, or its inverse, of complex numbers along *axes*.

    Shapes: as x. Dtype: as x. Raises: DTypeError for real numbers, ShapeError for no points.

    >>> import minima as mi
    >>> mi.operators.dft(mi.Tensor([1 + 0j, 0j]), (0,))
    Tensor([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return (xp.fft.ifftn if inverse else xp.fft.fftn)(x, axes=axes, norm=norm)


@dft.prepare
def _(x: Tensor, axes: Sequence[int], inverse: bool, norm: str) -> dict[str, Any]:
    if x.dtype.kind != "c":
        raise DTypeError(f"dft: got {x.dtype}; expected complex numbers")
    chosen = canonical_axes("dft", tuple(axes), x.ndim)
    _check_points("dft", x, chosen)
    return {"axes": chosen, "inverse": bool(inverse), "norm": check_norm("dft", norm)}


@dft.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axes: tuple[int, ...], inverse: bool, norm: str) -> Any:
    return dft(g, axes, not inverse, ADJOINT[norm])


def _halved(x: Tensor, n: int, axis: int, inner: float) -> Tensor:
    """Return half a spectrum with those of its points that the whole has twice times *inner*."""
    weights = np.full(n // 2 + 1, inner, "float32" if x.dtype.itemsize == 8 else "float64")
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    across = (-1,) + (1,) * (x.ndim - axis - 1)
    return x * reshape(made(weights, x.device), across)


@operator(promotes=False)
def real_dft(xp: Any, x: Array, axis: int = -1, norm: str = "backward") -> Any:
    """Return the first half of the discrete Fourier transform of real numbers along *axis*.

    Shapes: n along *axis* -> n // 2 + 1.
    Dtype: complex64, complex128 for float64; float16 is computed in float32.
    Raises: DTypeError for other types, ShapeError for no points.

    >>> import minima as mi
    >>> mi.operators.real_dft(mi.Tensor([1.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return xp.fft.rfft(widened(xp, x), axis=axis, norm=norm)


@real_dft.prepare
def _(x: Tensor, axis: int, norm: str) -> dict[str, Any]:
    if x.dtype.kind not in "fV":
        raise DTypeError(f"real_dft: got {x.dtype}; expected real numbers of a floating type")
    place = canonical_axis("real_dft", axis, x.ndim)
    _check_points("real_dft", x, (place,))
    return {"axis": place, "norm": check_norm("real_dft", norm)}


@real_dft.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: int, norm: str) -> Any:
    n = x.shape[axis]
    return as_type(real_idft(_halved(g, n, axis, 0.5), n, axis, ADJOINT[norm]), x.dtype)


@operator(promotes=False)
def real_idft(xp: Any, x: Array, n: int, axis: int = -1, norm: str = "backward") -> Any:
    """Return the *n* real numbers along *axis* of whose spectrum x is the first half.

    Shapes: n // 2 + 1 along *axis* -> n. Dtype: float32 for complex64, float64 for complex128.
    Gradient: 0 for imaginary parts that a real signal cannot have, at both ends.
    Raises: DTypeError for real numbers, ShapeError for another number of points.

    >>> import minima as mi
    >>> mi.operators.real_idft(mi.Tensor([1 + 0j, 1 + 0j]), 2)
    Tensor([1., 0.])
    """
    return xp.fft.irfft(x, n, axis=axis, norm=norm)


@real_idft.prepare
def _(x: Tensor, n: int, axis: int, norm: str) -> dict[str, Any]:
    if x.dtype.kind != "c":
        raise DTypeError(f"real_idft: got {x.dtype}; expected complex numbers")
    place = canonical_axis("real_idft", axis, x.ndim)
    if n < 1 or x.shape[place] != n // 2 + 1:
        raise ShapeError(
            f"real_idft: got {x.shape[place]} points along axis {place} for n={n}; "
            f"expected {n // 2 + 1}"
        )
    return {"n": int(n), "axis": place, "norm": check_norm("real_idft", norm)}


@real_idft.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, n: int, axis: int, norm: str) -> Any:
    return _halved(real_dft(g, axis, ADJOINT[norm]), n, axis, 2.0)
