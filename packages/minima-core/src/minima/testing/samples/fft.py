"""Samples of Fourier transforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .complex import plane
from .sample import Array, Sample, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

NORMS = ("backward", "ortho", "forward")


def _dft(x: Array, axes: Any, inverse: bool = False, norm: Any = "backward") -> Array:
    return np.asarray((np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm))


def _real_dft(x: Array, axis: int = -1, norm: Any = "backward") -> Array:
    return np.asarray(np.fft.rfft(x, axis=axis, norm=norm))


def _real_idft(x: Array, n: int, axis: int = -1, norm: Any = "backward") -> Array:
    return np.asarray(np.fft.irfft(x, n, axis=axis, norm=norm))


def _transforms() -> Iterator[Sample]:
    axes: Any
    for shape, axes in (
        ((4,), (0,)),
        ((5,), (0,)),
        ((2, 3), (0, 1)),
        ((2, 3, 2), (-1, 0)),
        ((0, 4), (1,)),
    ):
        for inverse in (False, True):
            yield Sample("dft", _dft, [plane(*shape)], {"axes": axes, "inverse": inverse})
    for norm in NORMS:
        yield Sample("dft", _dft, [plane(6)], {"axes": (0,), "norm": norm})
        yield Sample("real_dft", _real_dft, [real(5)], {"norm": norm})
        yield Sample("real_idft", _real_idft, [plane(3)], {"n": 5, "norm": norm})
    for shape, axis in (((4,), 0), ((1,), 0), ((2, 3), 1), ((4, 3), 0), ((0, 4), -1)):
        yield Sample("real_dft", _real_dft, [real(*shape)], {"axis": axis})
    for shape, n, axis in (
        ((3,), 4, 0),
        ((1,), 1, 0),
        ((2, 2), 3, 1),
        ((3, 2), 4, 0),
        ((0, 3), 4, 1),
    ):
        yield Sample("real_idft", _real_idft, [plane(*shape)], {"n": n, "axis": axis})


#: rows of operators
SAMPLES: list[Sample] = list(_transforms())

#: which take what numbers: those to real ones would give float32 for float16
_REAL, _COMPLEX = ("fft", "ifft", "rfft", "ihfft"), ("fft", "ifft", "irfft", "hfft")


def _oracle(name: str) -> Any:
    function = getattr(np.fft, name)
    return lambda x, **options: np.asarray(function(x, **options))


def _functions() -> Iterator[Sample]:
    shape: Any
    for name in dict.fromkeys((*_REAL, *_COMPLEX)):
        for shape, options in (
            ((5,), {}),
            ((2, 4), {}),
            ((4, 3), {"axis": 0}),
            ((5,), {"n": 3}),
            ((5,), {"n": 8}),
            ((0, 4), {}),
        ):
            if name in _REAL:
                yield Sample(name, _oracle(name), [real(*shape)], options)
            if name in _COMPLEX:
                yield Sample(name, _oracle(name), [plane(*shape)], options, "complex")
        for norm in NORMS:
            given = real(4) if name in _REAL else plane(4)
            yield Sample(name, _oracle(name), [given], {"norm": norm})
    for name in ("fftn", "ifftn", "rfftn", "irfftn"):
        numbers = plane if name == "irfftn" else real
        for shape, more in (
            ((2, 4), {}),
            ((2, 3, 4), {"axes": (0, 2)}),
            ((3, 4), {"s": (2, 5), "axes": (0, 1)}),
            ((0, 4), {"axes": (1,)}),
        ):
            yield Sample(name, _oracle(name), [numbers(*shape)], more)
        yield Sample(name, _oracle(name), [numbers(2, 4)], {"norm": "ortho"})
        flat = f"{name[:-1]}2"
        for shape in ((2, 3, 4), (0, 3, 4)):
            yield Sample(flat, _oracle(flat), [numbers(*shape)])
    for name in ("fftshift", "ifftshift"):
        for shape, axes in (((5,), None), ((4, 3), None), ((4, 3), (1,)), ((0, 3), None)):
            yield Sample(name, _oracle(name), [real(*shape)], {"axes": axes})
        yield Sample(name, _oracle(name), [integers(4)])


#: rows of composed functions
COMPOSED: list[Sample] = list(_functions())
