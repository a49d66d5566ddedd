"""Functions of matrices: powers and the exponential."""

from __future__ import annotations

from ..dtypes import FLOAT32, is_floating
from ..errors import ArgumentError
from ..tensor import Tensor, TensorLike
from .arithmetic import maximum
from .comparison import clip, where
from .composed import composite
from .exponential import abs as size
from .lapack import as_factor, check_square, unit
from .linear_algebra import matmul
from .manipulation import astype, broadcast_to
from .matrices import inv, solve
from .reduction import max as largest
from .reduction import sum as total
from .rounding import ceil
from .special import exp2, log2

__all__: list[str] = []


@composite
def matrix_power(x: TensorLike, n: int) -> Tensor:
    """Return the *n*-th power of square matrices; below 0 of their inverses.

    Raises: ShapeError unless they are square, LinearAlgebraError for an inverse that is not there.

    >>> import minima as mi
    >>> mi.linalg.matrix_power(mi.Tensor([[1.0, 1.0], [0.0, 1.0]]), 3)
    Tensor([[1., 3.],
            [0., 1.]])
    """
    base: Tensor = x  # type: ignore[assignment]
    check_square("matrix_power", base)
    if not hasattr(n, "__index__"):
        raise ArgumentError(f"matrix_power: got the power {n!r}; expected an integer")
    if n == 0:
        return broadcast_to(unit(base), base.shape) + 0 * base
    if n < 0:
        base, n = inv(base), -n
    found = None
    while True:
        if n & 1:
            found = base if found is None else matmul(found, base)
        n >>= 1
        if not n:
            return found  # type: ignore[return-value]  # the highest bit is 1
        base = matmul(base, base)


#: coefficients of the approximation of exp by a quotient of polynomials of degree 13, after Pade
_PADE = [1.0]
for _i in range(13):
    _PADE.append(_PADE[-1] * (13 - _i) / ((26 - _i) * (_i + 1)))
#: the 1-norm up to which it is right to double precision, and how often a matrix is halved at most
_NEAR, _HALVINGS = 5.37, 16


@composite
def matrix_exp(x: TensorLike) -> Tensor:
    """Return the exponentials of square matrices: ``1 + x + x @ x / 2 + ...``.

    The matrix is halved until its 1-norm is at most 5, and the result squared as often.
    Shapes: (*, n, n) -> (*, n, n). Dtype: as x; float16 is computed in float32.
    Raises: ShapeError unless they are square.
    Source: Higham 2005, the scaling and squaring method for the matrix exponential revisited.

    >>> import minima as mi
    >>> mi.linalg.matrix_exp(mi.Tensor([[0.0, 1.0], [0.0, 0.0]]))
    Tensor([[1., 1.],
            [0., 1.]])
    """
    t: Tensor = x  # type: ignore[assignment]
    check_square("matrix_exp", t)
    if not is_floating(t.dtype) or t.dtype.itemsize == 2:
        exact = matrix_exp(astype(t, FLOAT32))
        return astype(exact, t.dtype) if is_floating(t.dtype) else exact
    if not t.size:
        return t + 0
    size_ = largest(total(size(t.detach()), -2), -1)
    halvings = clip(ceil(log2(maximum(size_, 1e-30) / _NEAR)), 0, _HALVINGS)
    scaled = t * as_factor(exp2(-halvings))
    y = _pade(scaled)
    for i in range(_HALVINGS):
        y = where(as_factor(halvings > i), matmul(y, y), y)
    return y


def _pade(x: Tensor) -> Tensor:
    """Return the quotient of polynomials that is near exp for small matrices."""
    one, square = unit(x), matmul(x, x)
    power, even, odd = one, one * _PADE[0], one * _PADE[1]
    for i in range(2, 14, 2):
        power = matmul(power, square)
        even = even + power * _PADE[i]
        odd = odd + power * _PADE[i + 1]
    odd = matmul(x, odd)
    return solve(even - odd, even + odd)
