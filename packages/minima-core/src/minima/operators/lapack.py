"""What operators on matrices share: types that LAPACK takes, errors, and parts of gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import DType
from ..errors import LinearAlgebraError, ShapeError
from ..tensor import Tensor
from .complex import conjugated, real
from .creation import eye
from .manipulation import astype, expand_dims, transpose
from .reduction import sum as total

__all__: list[str] = []


# ---- what the kernels share ----------------------------------------------------------------------
def widened(xp: Any, x: Any) -> Any:
    """Return a buffer as LAPACK takes it: float16 as float32.

    >>> widened(np, np.ones(1, "float16")).dtype
    dtype('float32')
    """
    return xp.astype(x, np.float32) if x.dtype.itemsize == 2 else x


def narrowed(xp: Any, y: Any, x: Any) -> Any:
    """Return *y* in the type of *x*, which `widened` may have changed.

    >>> narrowed(np, np.ones(1, "float32"), np.ones(1, "float16")).dtype
    dtype('float16')
    """
    return y if y.dtype == x.dtype else xp.astype(y, x.dtype)


def factored(name: str, why: str, function: Callable[..., Any], x: Any, *more: Any) -> Any:
    """Return ``function(x, *more)``; where it fails, say of which matrix and *why*.

    >>> factored("inv", "is singular", np.linalg.inv, np.zeros((2, 1, 1)))
    Traceback (most recent call last):
    minima.errors.LinearAlgebraError: inv: matrix 0 of shape (2, 1, 1) is singular
    """
    try:
        return function(x, *more)
    except np.linalg.LinAlgError:
        raise LinearAlgebraError(f"{name}: {_failing(function, x, more)} {why}") from None


def _failing(function: Callable[..., Any], x: Any, more: tuple[Any, ...]) -> str:
    """Return the name of the first matrix for which *function* fails."""
    batch = x.shape[:-2]
    for place in np.ndindex(batch) if batch else ():
        try:
            function(x[place], *[m[place] if m.shape[:-2] == batch else m for m in more])
        except np.linalg.LinAlgError:
            number = ", ".join(map(str, place))
            return f"matrix {number} of shape {tuple(x.shape)}"
    return f"the matrix of shape {tuple(x.shape)}"


def hermitian(xp: Any, x: Any) -> Any:
    """Return the Hermitian part of a buffer of matrices.

    >>> hermitian(np, np.array([[1.0, 2.0], [4.0, 1.0]]))
    array([[1., 3.],
           [3., 1.]])
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError("not square")
    flipped = xp.swapaxes(x, -1, -2)
    return (x + (xp.conj(flipped) if x.dtype.kind == "c" else flipped)) * x.dtype.type(0.5)


def check_square(name: str, x: Tensor) -> None:
    """Raise unless the last two axes of *x* make square matrices.

    >>> import minima as mi
    >>> check_square("matrix_power", mi.ones((2, 2)))
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name}: got shape {x.shape}; expected square matrices, (*, n, n)")


def need_square(x: Any) -> None:
    """Raise, from inside of a kernel, unless the last two axes of *x* make square matrices.

    >>> need_square(np.ones((2, 2)))
    """
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ValueError("not square")  # which the operator's explain puts in words


def square_wanted(x: Tensor) -> str:
    """Say in words what `need_square` raised for.

    >>> import minima as mi
    >>> square_wanted(mi.ones((2, 3)))
    'got shape (2, 3); expected square matrices, (*, n, n)'
    """
    return f"got shape {x.shape}; expected square matrices, (*, n, n)"


def precision(dtype: DType) -> float:
    """Return the distance from 1 to the next number of a floating type, or of its parts.

    >>> precision(np.dtype("float16"))
    0.0009765625
    """
    from ..datatypes import finfo

    return finfo(dtype).eps


def matrix_wanted(x: Tensor) -> str:
    """Say in words that matrices are wanted in place of *x*.

    >>> import minima as mi
    >>> matrix_wanted(mi.ones(3))
    'got shape (3,); expected matrices, (*, m, n)'
    """
    return f"got shape {x.shape}; expected matrices, (*, m, n)"


# ---- what the gradients share --------------------------------------------------------------------
def adjoint(x: Tensor) -> Tensor:
    """Return the conjugate transpose of matrices.

    >>> import minima as mi
    >>> adjoint(mi.Tensor([[1.0, 2.0]])).shape
    (2, 1)
    """
    return conjugated(transpose(x))


def real_part(x: Tensor) -> Tensor:
    """Return the real part, in the real type; a real tensor itself.

    >>> import minima as mi
    >>> real_part(mi.Tensor([1.0]))
    Tensor([1.])
    """
    return real(x) if x.dtype.kind == "c" else x


def as_type(x: Tensor, dtype: Any) -> Tensor:
    """Return *x* in *dtype*; itself if it is of that type.

    >>> import minima as mi
    >>> as_type(mi.Tensor([1.0]), "float64").dtype
    dtype('float64')
    """
    return x if x.dtype == dtype else astype(x, dtype)


def unit(x: Tensor) -> Tensor:
    """Return the identity of the size, type and device of the matrices *x*.

    >>> import minima as mi
    >>> unit(mi.zeros((5, 2, 2))).shape
    (2, 2)
    """
    return eye(x.shape[-1], dtype=x.dtype, device=x.device)


def diagonal_of(x: Tensor) -> Tensor:
    """Return the diagonals of square matrices.

    >>> import minima as mi
    >>> diagonal_of(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor([1., 4.])
    """
    return total(x * unit(x), axis=-1)


def diagonal_matrix(x: Tensor) -> Tensor:
    """Return matrices with *x* on the diagonal and 0 elsewhere.

    >>> import minima as mi
    >>> diagonal_matrix(mi.Tensor([1.0, 4.0]))
    Tensor([[1., 0.],
            [0., 4.]])
    """
    return expand_dims(x, x.ndim) * unit(x)


def as_factor(x: Tensor) -> Tensor:
    """Return *x* with two more axes, as a factor of matrices.

    >>> import minima as mi
    >>> as_factor(mi.ones(3)).shape
    (3, 1, 1)
    """
    return expand_dims(expand_dims(x, x.ndim), x.ndim + 1)
