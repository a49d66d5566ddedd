"""What belongs to the error function: its complement and its inverse, elementwise."""

from __future__ import annotations

from math import inf, nan
from typing import Any

from ..tensor import Tensor
from .arithmetic import multiply, negative
from .exponential import erf, exp, square
from .table import Array, operator

__all__ = ["erfc", "erfinv"]

_SLOPE = 1.1283791670955126  # 2 / sqrt(pi), of erf at 0
#: erfc(z) exp(z**2) (1 + 2 z) in powers of u = (z - 3.75) / (z + 3.75): interpolated in the zeros
#: of a Chebyshev polynomial
_TAIL_64 = (
    1.2375126308378281,
    -0.1402405985855442,
    0.0035854154854912806,
    0.08227673848989052,
    -0.1088039301429101,
    0.09230432116654805,
    -0.05869339856966102,
    0.028362277350234878,
    -0.009746579738712893,
    0.0017556262817144922,
    0.00029371464024929096,
    -0.00029015572908776835,
    5.16457464409295e-05,
    2.2388336027276567e-05,
    -1.1436533456411926e-05,
    -9.80265511111476e-07,
    1.7400925913507834e-06,
    -5.003878821600112e-08,
    -2.471041665674534e-07,
    1.8426578963942785e-08,
    3.1334996078693015e-08,
    -1.8843060392100303e-09,
    -2.5009326630130474e-09,
)
#: the same to the precision of float32
_TAIL_32 = (
    1.2375126192677002,
    -0.14024306582550183,
    0.00358627039402612,
    0.08232657006577757,
    -0.1088142701490642,
    0.09202112913038518,
    -0.05864685873550281,
    0.02902557341765882,
    -0.009844494859730442,
    0.0010595911644430839,
    0.00039630761301387185,
)


def _complement(xp: Any, z: Array) -> Any:
    """Return erfc of numbers from 0 to 30."""
    coefficients = _TAIL_64 if z.dtype.itemsize > 4 else _TAIL_32
    u = (z - 3.75) / (z + 3.75)
    total = u * coefficients[-1] + coefficients[-2]
    for c in coefficients[-3::-1]:
        total = total * u + c
    head = xp.floor(z * 16.0) * 0.0625  # its square is exact, so that nothing is lost in exp
    return total / (z * 2.0 + 1.0) * xp.exp(-head * head) * xp.exp((head - z) * (head + z))


@operator(floating=True, real=True)
def erfc(xp: Any, x: Array) -> Any:
    """Return 1 - erf(x), exact where that is near 0.

    Within 1e-6 of the true value in float32, 1e-14 in float64, relative. Dtype: as x; integers
    become float32.

    >>> import minima as mi
    >>> mi.erfc(mi.Tensor([0.0, 1.0]))
    Tensor([1.      , 0.157299])
    """
    found = _complement(xp, xp.minimum(xp.abs(x), 30.0))
    return xp.where(x < 0.0, 2.0 - found, found)


@erfc.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return negative(multiply(g, multiply(exp(negative(square(x))), _SLOPE)))


@operator(floating=True, real=True)
def erfinv(xp: Any, x: Array) -> Any:
    """Return the number whose `erf` is x: infinite at -1 and 1, NaN beyond.

    Dtype: as x; integers become float32. Gradient: inf at -1 and 1.

    >>> import minima as mi
    >>> mi.erfinv(mi.Tensor([0.0, 0.5]))
    Tensor([0.      , 0.476936])
    """
    wide = xp.astype(x, "float32") if x.dtype.itemsize < 4 else x
    size = xp.abs(wide)
    inner = xp.minimum(size, 1.0 - (2.0**-53 if wide.dtype.itemsize > 4 else 2.0**-24))
    # Winitzki 2008 is off by 2e-3 at most, and Halley's method triples the digits
    w = xp.log1p(-inner) + xp.log1p(inner)
    b = w * 0.5 + 4.330746750799873
    found = xp.sqrt(xp.maximum(xp.sqrt(b * b - w / 0.147) - b, 0.0))
    for _ in range(2):
        near = erf.entry.reference(xp, found) - inner
        far = (1.0 - inner) - _complement(xp, found)
        step = xp.where(inner < 0.5, near, far) / (xp.exp(-found * found) * _SLOPE)
        found = found - step / (found * step + 1.0)
    found = xp.where(size < 1.0, found, xp.where(size == 1.0, inf, nan))
    return xp.astype(xp.copysign(found, wide), x.dtype)


@erfinv.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return multiply(g, multiply(exp(square(y)), 1 / _SLOPE))
