"""Discrete Fourier transforms, with the names of the Array API standard and of NumPy.

Real numbers are taken as complex ones where a transform of those is asked for; float32 goes with
complex64, float64 with complex128, integers and float16 are taken as float32. *norm* says which
direction is divided by the number of points: "backward" (the default) the inverse, "forward" the
other, "ortho" both by its root. *n* and *s* are the sizes along the axes: what is longer is cut
off, what is shorter filled up with zeros. All are differentiable, to any order.

>>> import minima as mi
>>> mi.fft.rfft(mi.Tensor([1.0, 0.0, 0.0, 0.0]))
Tensor([1.+0.j, 1.+0.j, 1.+0.j], dtype=complex64)
"""

from __future__ import annotations

from .operators.fourier import (
    fft,
    fft2,
    fftfreq,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftfreq,
    rfftn,
)

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
