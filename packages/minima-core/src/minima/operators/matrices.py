"""Matrices solved, inverted and measured by LAPACK or what a device has in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tensor import Tensor
from .arithmetic import maximum, negative
from .complex import conjugated
from .creation import tril
from .exponential import exp, log
from .indexing import getitem
from .lapack import (
    adjoint,
    as_factor,
    as_type,
    diagonal_matrix,
    diagonal_of,
    factored,
    hermitian,
    narrowed,
    need_square,
    precision,
    real_part,
    square_wanted,
    unit,
    widened,
)
from .linear_algebra import matmul
from .manipulation import expand_dims, squeeze
from .reduction import sum as total
from .table import Array, operator

__all__ = ["adjugate", "cholesky", "det", "inv", "slogdet_packed", "solve"]


@operator(floating=True)
def cholesky(xp: Any, x: Array, *, upper: bool = False) -> Any:
    """Return the lower triangular L with ``L @ L^H == (x + x^H) / 2``, or, *upper*, L^H.

    Shapes: (*, n, n) -> (*, n, n). Dtype: as x; float16 is computed in float32.
    Gradient: Hermitian, as only the Hermitian part of x counts.
    Raises: LinearAlgebraError, naming the matrix, unless all are positive definite (a GPU
    returns nan instead); ShapeError unless they are square.

    >>> import minima as mi
    >>> mi.linalg.cholesky(mi.Tensor([[4.0, 2.0], [2.0, 5.0]]))
    Tensor([[2., 0.],
            [1., 2.]])
    """
    a = hermitian(xp, widened(xp, x))
    y = narrowed(xp, factored("cholesky", "is not positive definite", xp.linalg.cholesky, a), x)
    if not upper:
        return y
    flipped = xp.swapaxes(y, -1, -2)
    return xp.asarray(xp.conj(flipped) if x.dtype.kind == "c" else flipped, copy=True)


@cholesky.explain
def _(x: Tensor, upper: bool) -> str:
    return square_wanted(x)


@cholesky.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any, upper: bool) -> Any:
    right, slope = (y, adjoint(g)) if upper else (adjoint(y), g)
    p = matmul(right, tril(slope))
    below = tril(p, k=-1)
    middle = below + adjoint(below) + diagonal_matrix(as_type(real_part(diagonal_of(p)), p.dtype))
    return adjoint(solve(right, adjoint(solve(right, middle)))) * 0.5


@operator(floating=True)
def inv(xp: Any, x: Array) -> Any:
    """Return the inverse of matrices.

    Shapes: (*, n, n) -> (*, n, n). Dtype: as x; float16 is computed in float32.
    Raises: LinearAlgebraError, naming the matrix, when one is singular (a GPU returns inf or
    nan instead); ShapeError unless they are square.

    >>> import minima as mi
    >>> mi.linalg.inv(mi.Tensor([[2.0, 0.0], [0.0, 4.0]]))
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    need_square(x)
    y = factored("inv", "is singular", xp.linalg.inv, widened(xp, x))
    return narrowed(xp, y, x)


@inv.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


@inv.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    right = adjoint(y)
    return negative(matmul(matmul(right, g), right))


@operator(floating=True)
def solve(xp: Any, a: Array, b: Array) -> Any:
    """Return the x with ``a @ x == b``; leading axes are batches and broadcast.

    Shapes: a (*, n, n), b (n) or (*, n, k) -> (*, n) or (*, n, k).
    Dtype: the promoted one; float16 is computed in float32.
    Raises: LinearAlgebraError, naming the matrix, when one is singular (a GPU returns inf or
    nan instead); ShapeError when the sizes do not fit.

    >>> import minima as mi
    >>> mi.linalg.solve(mi.Tensor([[2.0, 0.0], [0.0, 4.0]]), mi.Tensor([2.0, 2.0]))
    Tensor([1. , 0.5])
    """
    need_square(a)
    left, right = widened(xp, a), widened(xp, b)
    columns = right[:, None] if b.ndim == 1 else right
    batch = np.broadcast_shapes(a.shape[:-2], columns.shape[:-2])
    left = xp.broadcast_to(left, (*batch, *left.shape[-2:]))
    columns = xp.broadcast_to(columns, (*batch, *columns.shape[-2:]))
    y = narrowed(xp, factored("solve", "is singular", xp.linalg.solve, left, columns), a)
    return y[..., 0] if b.ndim == 1 else y


@solve.explain
def _(a: Tensor, b: Tensor) -> str:
    return (
        f"got a of shape {a.shape}, b of shape {b.shape}; expected square matrices a, (*, n, n), "
        "and b of shape (n) or (*, n, k), with batch axes that broadcast"
    )


@solve.gradient(saves="a y")
def _(g: Tensor, y: Tensor, a: Tensor, b: Any) -> Any:
    found: list[Tensor] = []

    def of_b() -> Tensor:
        if not found:
            columns = expand_dims(g, g.ndim) if b.ndim == 1 else g
            found.append(solve(adjoint(a), columns))
        return squeeze(found[0], -1) if b.ndim == 1 else found[0]

    def of_a() -> Tensor:
        of_b()
        columns = expand_dims(y, y.ndim) if b.ndim == 1 else y
        return negative(matmul(found[0], adjoint(columns)))

    return of_a, of_b


@operator(floating=True)
def det(xp: Any, x: Array) -> Any:
    """Return the determinants of square matrices.

    Shapes: (*, n, n) -> (*). Dtype: as x; float16 is computed in float32.
    Gradient: the cofactors, right for singular matrices too, to the second order.
    Raises: ShapeError unless they are square.

    >>> import minima as mi
    >>> mi.linalg.det(mi.Tensor([[2.0, 1.0], [1.0, 3.0]]))
    Tensor(5.)
    """
    need_square(x)
    return narrowed(xp, xp.asarray(xp.linalg.det(widened(xp, x))), x)


@det.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


@det.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    return as_factor(g) * adjoint(adjugate(x))


@operator(floating=True)
def adjugate(xp: Any, x: Array) -> Any:
    """Return the adjugates: the transposed cofactors, ``det(x) * inv(x)`` where x is regular.

    Shapes: (*, n, n) -> (*, n, n). Dtype: as x; float16 is computed in float32.
    Gradient: right for singular matrices too; its own gradient for distinct, positive singular
    values. Raises: ShapeError unless they are square.

    >>> import minima as mi
    >>> mi.operators.adjugate(mi.Tensor([[1.0, 2.0], [3.0, 4.0]])).numpy().round(4).tolist()
    [[4.0, -2.0], [-3.0, 1.0]]
    """
    need_square(x)
    n = x.shape[-1]
    u, s, vh = factored("adjugate", "has no singular values", xp.linalg.svd, widened(xp, x))
    others = xp.where(xp.eye(n, dtype=bool), s.dtype.type(1), s[..., None, :])
    turn = xp.asarray(xp.linalg.det(xp.matmul(u, vh)))[..., None, None]
    right = xp.conj(vh) if x.dtype.kind == "c" else vh
    left = xp.conj(u) if x.dtype.kind == "c" else u
    scaled = xp.swapaxes(right, -1, -2) * xp.prod(others, axis=-1)[..., None, :]
    return narrowed(xp, turn * xp.matmul(scaled, xp.swapaxes(left, -1, -2)), x)


@adjugate.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


@adjugate.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor) -> Any:
    from .factorization import svd_parts

    u, s, vh = svd_parts(x)
    h = matmul(matmul(vh, g), u) * conjugated(as_factor(det(matmul(u, vh))))
    # of all but two singular values the product, by logarithms: some may be 0
    one = getitem(s, (..., slice(None, 1)))
    logs = log(maximum(s, maximum(one * precision(s.dtype) ** 2, 1e-30)))
    rest = total(logs, axis=-1, keepdims=True) - logs
    pairs = exp(expand_dims(rest, rest.ndim) - expand_dims(logs, -2)) * (1.0 - unit(s))
    middle = (
        diagonal_matrix(squeeze(matmul(expand_dims(diagonal_of(h), -2), pairs), -2)) - pairs * h
    )
    return matmul(matmul(u, middle), vh)


@operator(floating=True)
def slogdet_packed(xp: Any, x: Array) -> Any:
    """Return sign and logarithm of the absolute value of determinants, along the last axis.

    Shapes: (*, n, n) -> (*, 2). Dtype: as x; float16 is computed in float32.
    Gradient: that of the logarithm; the sign of a complex determinant has one too.
    Raises: ShapeError unless the matrices are square; the gradient LinearAlgebraError where
    one is singular.

    >>> import minima as mi
    >>> mi.operators.slogdet_packed(mi.Tensor([[-1.0, 0.0], [0.0, 1.0]]))
    Tensor([-1.,  0.])
    """
    need_square(x)
    sign, log_size = xp.linalg.slogdet(widened(xp, x))
    sign = xp.asarray(sign)
    return narrowed(xp, xp.stack([sign, xp.astype(xp.asarray(log_size), sign.dtype)], axis=-1), x)


@slogdet_packed.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


@slogdet_packed.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor) -> Any:
    slope = getitem(g, (..., 1))
    if x.dtype.kind == "c":
        turn = conjugated(getitem(g, (..., 0))) * getitem(y, (..., 0))
        slope = as_type(real_part(slope), x.dtype) + (conjugated(turn) - turn) * 0.5
    return as_factor(slope) * adjoint(inv(x))
