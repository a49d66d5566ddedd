"""Fourier transforms, composed of those in `minima.operators.transforms`; see `minima.fft`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..devices import Device
from ..dtypes import FLOAT32, as_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from ..explain import explained
from ..methods import Axis
from ..tensor import Tensor, TensorLike
from .axes import canonical_axes, canonical_axis
from .complex import conjugated
from .composed import composite
from .creation import made, zeros
from .indexing import getitem
from .joining import concat
from .manipulation import astype
from .rearrangement import roll
from .transforms import ADJOINT, check_norm, dft, real_dft, real_idft

__all__: list[str] = []

Sizes = Sequence[int] | None


def _check(name: str, x: Tensor, kind: str) -> Tensor:
    """Return *x* as numbers of *kind*: "c" complex, "f" real."""
    if x.dtype.kind == "c" and kind == "f":
        raise DTypeError(
            f"{name}: got {x.dtype}; expected real numbers: use .real or minima.fft.fft"
        )
    if x.dtype.kind in "biu":
        x = astype(x, FLOAT32)
    if kind == "c" and x.dtype.kind != "c":
        x = astype(x, "complex128" if x.dtype.itemsize == 8 else "complex64")
    return x


def _fit(name: str, x: Tensor, sizes: Sequence[int | None], axes: Sequence[int]) -> Tensor:
    """Return *x* cut off or filled up with zeros to *sizes* along *axes*."""
    for n, axis in zip(sizes, axes):
        if n is not None and (not hasattr(n, "__index__") or n < 1):
            raise ArgumentError(f"{name}: got {n!r} points; expected an integer of at least 1")
        size = x.shape[axis]
        if n is not None and n < size:
            x = getitem(x, (slice(None),) * axis + (slice(0, n),))
        elif n is not None and n > size:
            shape = (*x.shape[:axis], n - size, *x.shape[axis + 1 :])
            x = concat([x, zeros(shape, dtype=x.dtype, device=x.device)], axis=axis)
    for axis in axes:
        if not x.shape[axis]:
            raise ShapeError(
                f"{name}: axis {axis} of shape {x.shape} has no elements; expected at least one"
            )
    return x


def _places(name: str, x: Tensor, s: Sizes, axes: Axis) -> tuple[list[int | None], tuple[int, ...]]:
    """Return sizes, None where x's own holds, and the axes that they are of."""
    if axes is None and s is not None:
        if len(s) > x.ndim:
            raise ShapeError(f"{name}: got {len(s)} sizes for shape {x.shape}")
        axes = tuple(range(x.ndim - len(s), x.ndim))
    found = canonical_axes(name, axes, x.ndim)
    given: list[int | None] = [None] * len(found) if s is None else list(s)
    if len(given) != len(found):
        raise ArgumentError(f"{name}: got {len(given)} sizes for {len(found)} axes")
    return [None if n == -1 else n for n in given], found


def _whole(name: str, x: Tensor, s: Sizes, axes: Axis, norm: Any, inverse: bool) -> Tensor:
    norm = check_norm(name, norm)
    sizes, places = _places(name, x, s, axes)
    x = _fit(name, _check(name, x, "c"), sizes, places)
    return dft(x, places, inverse, norm) if places else x


def _one(name: str, x: Tensor, n: int | None, axis: int, norm: Any, inverse: bool) -> Tensor:
    place = canonical_axis(name, axis, x.ndim)
    return _whole(name, x, None if n is None else (_points(name, n),), (place,), norm, inverse)


def _points(name: str, n: Any) -> int:
    if not hasattr(n, "__index__") or n < 1:
        raise ArgumentError(f"{name}: got {n!r} points; expected an integer of at least 1")
    return int(n)


def _half(name: str, x: Tensor, s: Sizes, axes: Axis, norm: Any) -> Tensor:
    """Return the transform of real numbers: half of it along the last axis."""
    norm = check_norm(name, norm)
    sizes, places = _places(name, x, s, axes)
    if not places:
        raise ArgumentError(f"{name}: got no axes; expected at least one")
    y = real_dft(_fit(name, _check(name, x, "f"), sizes, places), places[-1], norm)
    return dft(y, places[:-1], False, norm) if places[1:] else y


def _back(name: str, x: Tensor, s: Sizes, axes: Axis, norm: Any) -> Tensor:
    """Return the real numbers of whose transform x is half."""
    norm = check_norm(name, norm)
    sizes, places = _places(name, x, s, axes)
    if not places:
        raise ArgumentError(f"{name}: got no axes; expected at least one")
    n = 2 * (x.shape[places[-1]] - 1) if sizes[-1] is None else sizes[-1]
    n = _points(name, n)
    x = _fit(name, _check(name, x, "c"), [*sizes[:-1], n // 2 + 1], places)
    x = dft(x, places[:-1], True, norm) if places[1:] else x
    return real_idft(x, n, places[-1], norm)


@composite
def fft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the discrete Fourier transform along *axis*.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.fft(mi.Tensor([1.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _one("fft", x, n, axis, norm, False)  # type: ignore[arg-type]


@composite
def ifft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the inverse of `fft` along *axis*.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.ifft(mi.Tensor([1 + 0j, 1 + 0j]))
    Tensor([1.+0.j, 0.+0.j], dtype=complex64)
    """
    return _one("ifft", x, n, axis, norm, True)  # type: ignore[arg-type]


@composite
def rfft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the transform of real numbers along *axis*: the n // 2 + 1 points that tell all.

    Raises: DTypeError for complex numbers, ArgumentError for a size below 1 or an
    unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.rfft(mi.Tensor([1.0, 0.0]))
    Tensor([1.+0.j, 1.+0.j], dtype=complex64)
    """
    return _half("rfft", x, None if n is None else (_points("rfft", n),), (axis,), norm)  # type: ignore[arg-type]


@composite
def irfft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the inverse of `rfft` along *axis*: *n* real numbers.

    None stands for an even n: twice the points of x, less 2.
    Gradient: 0 for imaginary parts that the transform of real numbers cannot have.
    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.irfft(mi.Tensor([1 + 0j, 1 + 0j]))
    Tensor([1., 0.])
    """
    return _back("irfft", x, None if n is None else (_points("irfft", n),), (axis,), norm)  # type: ignore[arg-type]


@composite
def hfft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the real transform along *axis* of a signal of which x is the half that tells all.

    *n*: the points of the result; None: twice those of x, less 2.
    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.hfft(mi.Tensor([1 + 0j, 1 + 0j]))
    Tensor([2., 0.])
    """
    return _hermitian(x, n, axis, norm)  # type: ignore[arg-type]


@composite
def ihfft(
    x: TensorLike, n: int | None = None, axis: int = -1, norm: str | None = "backward"
) -> Tensor:
    """Return the inverse of `hfft` along *axis*: the half of a signal that tells all.

    Raises: DTypeError for complex numbers, ArgumentError for a size below 1 or an
    unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.ihfft(mi.Tensor([2.0, 0.0])).real
    Tensor([1., 1.])
    """
    return _inverse_hermitian(x, n, axis, norm)  # type: ignore[arg-type]


@composite
def fftn(
    x: TensorLike, s: Sizes = None, axes: Axis = None, norm: str | None = "backward"
) -> Tensor:
    """Return the discrete Fourier transform along *axes*, all of them for None.

    With *s* alone, the last axes.
    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.fftn(mi.ones((2, 2)))
    Tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _whole("fftn", x, s, axes, norm, False)  # type: ignore[arg-type]


@composite
def ifftn(
    x: TensorLike, s: Sizes = None, axes: Axis = None, norm: str | None = "backward"
) -> Tensor:
    """Return the inverse of `fftn` along *axes*, all of them for None.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.ifftn(mi.ones((1, 2)))
    Tensor([[1.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _whole("ifftn", x, s, axes, norm, True)  # type: ignore[arg-type]


@composite
def rfftn(
    x: TensorLike, s: Sizes = None, axes: Axis = None, norm: str | None = "backward"
) -> Tensor:
    """Return the transform of real numbers along *axes*; the last has n // 2 + 1 points.

    Raises: DTypeError for complex numbers, ArgumentError for a size below 1 or an
    unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.rfftn(mi.ones((2, 2)))
    Tensor([[4.+0.j, 0.+0.j],
            [0.+0.j, 0.+0.j]], dtype=complex64)
    """
    return _half("rfftn", x, s, axes, norm)  # type: ignore[arg-type]


@composite
def irfftn(
    x: TensorLike, s: Sizes = None, axes: Axis = None, norm: str | None = "backward"
) -> Tensor:
    """Return the inverse of `rfftn` along *axes*: real numbers.

    The last axis has twice the points less 2, unless *s* says otherwise.
    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.irfftn(mi.Tensor([[4 + 0j, 0j], [0j, 0j]]))
    Tensor([[1., 1.],
            [1., 1.]])
    """
    return _back("irfftn", x, s, axes, norm)  # type: ignore[arg-type]


@composite
def fft2(
    x: TensorLike, s: Sizes = None, axes: Axis = (-2, -1), norm: str | None = "backward"
) -> Tensor:
    """Return `fftn` along two axes, the last two unless given.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.fft2(mi.ones((4, 2))).shape
    (4, 2)
    """
    return _whole("fft2", x, s, axes, norm, False)  # type: ignore[arg-type]


@composite
def ifft2(
    x: TensorLike, s: Sizes = None, axes: Axis = (-2, -1), norm: str | None = "backward"
) -> Tensor:
    """Return `ifftn` along two axes, the last two unless given.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.ifft2(mi.ones((4, 2))).shape
    (4, 2)
    """
    return _whole("ifft2", x, s, axes, norm, True)  # type: ignore[arg-type]


@composite
def rfft2(
    x: TensorLike, s: Sizes = None, axes: Axis = (-2, -1), norm: str | None = "backward"
) -> Tensor:
    """Return `rfftn` along two axes, the last two unless given.

    Raises: DTypeError for complex numbers, ArgumentError for a size below 1 or an
    unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.rfft2(mi.ones((4, 2))).shape
    (4, 2)
    """
    return _half("rfft2", x, s, axes, norm)  # type: ignore[arg-type]


@composite
def irfft2(
    x: TensorLike, s: Sizes = None, axes: Axis = (-2, -1), norm: str | None = "backward"
) -> Tensor:
    """Return `irfftn` along two axes, the last two unless given.

    Raises: ArgumentError for a size below 1 or an unknown *norm*.

    >>> import minima as mi
    >>> mi.fft.irfft2(mi.ones((4, 2))).shape
    (4, 2)
    """
    return _back("irfft2", x, s, axes, norm)  # type: ignore[arg-type]


def _hermitian(x: Tensor, n: int | None, axis: int, norm: Any) -> Tensor:
    norm = ADJOINT[check_norm("hfft", norm)]
    x = conjugated(_check("hfft", x, "c"))
    return _back("hfft", x, None if n is None else (_points("hfft", n),), (axis,), norm)


def _inverse_hermitian(x: Tensor, n: int | None, axis: int, norm: Any) -> Tensor:
    norm = ADJOINT[check_norm("ihfft", norm)]
    return conjugated(
        _half("ihfft", x, None if n is None else (_points("ihfft", n),), (axis,), norm)
    )


def _frequencies(
    name: str, first: int, last: int, n: int, d: float, dtype: Any, device: Any
) -> Tensor:
    chosen = FLOAT32 if dtype is None else as_dtype(dtype)
    if chosen.kind != "f":
        raise DTypeError(f"{name}: got {chosen}; expected a real floating type")
    steps = np.arange(first, last)
    order = np.concatenate([steps[steps >= 0], steps[steps < 0]])
    return made((order / (n * d)).astype(chosen), device)


@explained
def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: npt.DTypeLike | None = None,
    device: str | Device | None = None,
) -> Tensor:
    """Return the frequencies of the *n* points of `fft`, for samples *d* apart.

    Dtype: float32 unless given. Raises: ArgumentError for n below 1.

    >>> import minima as mi
    >>> mi.fft.fftfreq(4)
    Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    n = _points("fftfreq", n)
    return _frequencies("fftfreq", -(n // 2), (n + 1) // 2, n, d, dtype, device)


@explained
def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    dtype: npt.DTypeLike | None = None,
    device: str | Device | None = None,
) -> Tensor:
    """Return the frequencies of the n // 2 + 1 points of `rfft`, for samples *d* apart.

    Dtype: float32 unless given. Raises: ArgumentError for n below 1.

    >>> import minima as mi
    >>> mi.fft.rfftfreq(4)
    Tensor([0.  , 0.25, 0.5 ])
    """
    n = _points("rfftfreq", n)
    return _frequencies("rfftfreq", 0, n // 2 + 1, n, d, dtype, device)


@composite
def fftshift(x: TensorLike, axes: Axis = None) -> Tensor:
    """Move the point of frequency 0 to the middle of *axes*, all of them for None.

    >>> import minima as mi
    >>> mi.fft.fftshift(mi.fft.fftfreq(4))
    Tensor([-0.5 , -0.25,  0.  ,  0.25])
    """
    places = canonical_axes("fftshift", axes, x.ndim)  # type: ignore[union-attr]
    shifts = tuple(x.shape[a] // 2 for a in places)  # type: ignore[union-attr]
    return roll(x, shifts, axis=places)


@composite
def ifftshift(x: TensorLike, axes: Axis = None) -> Tensor:
    """Undo `fftshift`.

    >>> import minima as mi
    >>> mi.fft.ifftshift(mi.fft.fftshift(mi.fft.fftfreq(4)))
    Tensor([ 0.  ,  0.25, -0.5 , -0.25])
    """
    places = canonical_axes("ifftshift", axes, x.ndim)  # type: ignore[union-attr]
    shifts = tuple(-(x.shape[a] // 2) for a in places)  # type: ignore[union-attr]
    return roll(x, shifts, axis=places)
