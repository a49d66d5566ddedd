"""Long elementwise formulas on the cpu: a piece at a time, on all threads.

A piece stays in the cache from one step of the formula to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..threads import share
from .base import REFERENCES, Kernel
from .scratch import scratch

__all__ = ["KERNELS"]

Array = Any

PIECE = 1 << 14  # elements at a time: with the temporaries of a formula, within the L2

#: erf(x) is x times the first polynomial in x**2 over the second for |x| <= 4, within 5e-7
_ABOVE = (
    -2.72614225801306e-10,
    2.77068142495902e-08,
    -2.10102402082508e-06,
    -5.69250639462346e-05,
    -7.34990630326855e-04,
    -2.95459980854025e-03,
    -1.60960333262415e-02,
)
_BELOW = (
    -1.45660718464996e-05,
    -2.13374055278905e-04,
    -1.68282697438203e-03,
    -7.37332916720468e-03,
    -1.42647390514189e-02,
)
_SQRT_HALF, _DENSITY = 0.7071067811865476, 0.3989422804014327


def horner(coefficients: tuple[float, ...], x: Array, out: Array) -> None:
    """Write the polynomial in x to *out*; the first coefficient is that of the highest power."""
    np.multiply(x, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        np.add(out, c, out=out)
        np.multiply(out, x, out=out)
    np.add(out, coefficients[-1], out=out)


def share_below(x: Array, out: Array) -> None:
    """Write to *out* the share of the normal distribution below x, both float32 and contiguous."""
    z, square, below = (scratch(name, x.shape, x.dtype) for name in ("z", "square", "below"))
    np.multiply(x, _SQRT_HALF, out=z)
    np.minimum(z, x.dtype.type(4), out=z)
    np.maximum(z, x.dtype.type(-4), out=z)
    np.multiply(z, z, out=square)
    horner(_ABOVE, square, out)
    horner(_BELOW, square, below)
    np.multiply(out, z, out=out)
    np.divide(out, below, out=out)
    np.add(out, 1.0, out=out)
    np.multiply(out, 0.5, out=out)


def _gelu(out: Array, x: Array) -> None:
    below = scratch("total", x.shape, x.dtype)
    share_below(x, below)
    np.multiply(x, below, out=out)


def _gelu_gradient(out: Array, g: Array, x: Array) -> None:
    slope = scratch("total", x.shape, x.dtype)
    share_below(x, slope)
    density = scratch("z", x.shape, x.dtype)
    np.multiply(x, x, out=density)
    np.multiply(density, -0.5, out=density)
    np.exp(density, out=density)
    np.multiply(density, x, out=density)
    np.multiply(density, _DENSITY, out=density)
    np.add(slope, density, out=slope)
    np.multiply(g, slope, out=out)


def in_pieces(name: str, quick: Callable[..., None] | None = None) -> Kernel:
    """Return the kernel of operator *name*, whose inputs all have the output's shape and type.

    It is the reference kernel, but *quick* for float32 where no option asks for another formula.
    """

    def kernel(*arrays: Array, out: Array = None, **attrs: Any) -> Array:
        first, reference = arrays[0], REFERENCES[name]
        y = np.empty_like(first)
        if any(a.strides != y.strides or a.shape != y.shape for a in arrays):
            arrays = tuple(np.ascontiguousarray(np.broadcast_to(a, y.shape)) for a in arrays)
            y = np.empty(y.shape, y.dtype)
        target = y if out is None or out.strides != y.strides else out
        flat = [a.ravel(order="K") for a in (*arrays, target)]
        special = quick if y.dtype == np.float32 and attrs.get("approximate") == "none" else None

        def part(i: int) -> None:
            *given, place = [a[i * PIECE : (i + 1) * PIECE] for a in flat]
            if special is not None:
                special(place, *given)
            else:
                place[...] = reference(np, *given, **attrs)

        share(part, -(-first.size // PIECE))
        return target if out is None or target is out else _into(out, target)

    kernel.__name__ = name
    return kernel


def _into(out: Array, value: Array) -> Array:
    np.copyto(out, value)
    return out


KERNELS = {
    "erf": in_pieces("erf"),
    "gelu": in_pieces("gelu", _gelu),
    "gelu_gradient": in_pieces("gelu_gradient", _gelu_gradient),
}
