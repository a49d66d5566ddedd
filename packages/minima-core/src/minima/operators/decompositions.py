"""Matrices as products, cut out of what `factorization` packs; and what is solved with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import FLOAT32, is_floating
from ..errors import ArgumentError, ShapeError
from ..records import Record
from ..tensor import Tensor, TensorLike
from .complex import conjugated
from .composed import alike, composite
from .creation import tril, triu
from .factorization import (
    eig_packed,
    eigh_packed,
    pinv,
    qr_packed,
    row,
    rows,
    svd_packed,
    svd_parts,
)
from .indexing import getitem
from .joining import concat
from .lapack import (
    adjoint,
    check_square,
    diagonal_matrix,
    diagonal_of,
    matrix_wanted,
    precision,
    real_part,
    unit,
)
from .linear_algebra import matmul
from .manipulation import astype, transpose
from .matrices import slogdet_packed, solve
from .reduction import max as largest
from .reduction import sum as total

__all__: list[str] = []


class EighResult(Record):
    """What `eigh` returns: values, ascending, and vectors, as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class EigResult(Record):
    """What `eig` returns: values and vectors, as columns, both complex."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(Record):
    """What `qr` returns: orthonormal columns, and an upper triangular matrix."""

    Q: Tensor
    R: Tensor


class SlogdetResult(Record):
    """What `slogdet` returns: ``det(x) == sign * exp(logabsdet)``."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(Record):
    """What `svd` returns: ``x == U @ diag(S) @ Vh``, the values descending."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class LstsqResult(Record):
    """What `lstsq` returns."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def _given(x: Any) -> Tensor:
    """Return an input as what `composite` has made it."""
    return x  # type: ignore[no-any-return]


@composite
def eigh(x: TensorLike) -> EighResult:
    """Return eigenvalues, ascending, and eigenvectors, as columns, of ``(x + x^H) / 2``.

    The largest component of each vector is real and positive.
    Shapes: (*, n, n) -> (*, n) and (*, n, n). Dtype: as x; the values are real.
    Gradient: Hermitian. Between vectors of equal values it is taken to be 0: right where a loss
    depends on the space that they span alone.
    Raises: ShapeError unless the matrices are square, LinearAlgebraError where one is not finite.

    >>> import minima as mi
    >>> mi.linalg.eigh(mi.Tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    Tensor([1., 2.])
    """
    packed = eigh_packed(x)
    n = packed.shape[-1]
    return EighResult(real_part(row(packed, n)), rows(packed, 0, n))


@composite
def eigvalsh(x: TensorLike) -> Tensor:
    """Return the eigenvalues of `eigh`, ascending.

    >>> import minima as mi
    >>> mi.linalg.eigvalsh(mi.Tensor([[2.0, 0.0], [0.0, 1.0]]))
    Tensor([1., 2.])
    """
    packed = eigh_packed(x)
    return real_part(row(packed, packed.shape[-1]))


@composite
def eig(x: TensorLike) -> EigResult:
    """Return eigenvalues and eigenvectors, as columns, of any square matrices.

    The vectors have length 1, and their largest component is real and positive.
    Shapes: (*, n, n) -> (*, n) and (*, n, n). Dtype: complex, of the width of x.
    Gradient: for distinct values.
    Raises: ShapeError unless the matrices are square, LinearAlgebraError where one is not finite.

    >>> import minima as mi
    >>> mi.linalg.eig(mi.Tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues.imag
    Tensor([ 1., -1.])
    """
    packed = eig_packed(x)
    n = packed.shape[-1]
    return EigResult(row(packed, n), rows(packed, 0, n))


@composite
def eigvals(x: TensorLike) -> Tensor:
    """Return the eigenvalues of `eig`.

    >>> import minima as mi
    >>> mi.linalg.eigvals(mi.Tensor([[0.0, 1.0], [-1.0, 0.0]])).imag
    Tensor([ 1., -1.])
    """
    packed = eig_packed(x)
    return row(packed, packed.shape[-1])


@composite
def qr(x: TensorLike, *, mode: str = "reduced") -> QRResult:
    """Return orthonormal Q and upper triangular R with ``Q @ R == x``.

    *mode* "reduced" gives Q as many columns as the smaller of m and n, "complete" m.
    Shapes: (*, m, n) -> (*, m, k) and (*, k, n). Dtype: as x.
    Gradient: where the first k columns are linearly independent; none in mode "complete" for
    m > n, whose last columns x does not determine.
    Raises: ShapeError for less than two axes, ArgumentError for another mode.

    >>> import minima as mi
    >>> q, r = mi.linalg.qr(mi.Tensor([[3.0], [4.0]]))
    >>> mi.abs(r)
    Tensor([[5.]])
    """
    t = _given(x)
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr: got mode {mode!r}; expected 'reduced' or 'complete'")
    if t.ndim < 2:
        raise ShapeError(f"qr: {matrix_wanted(t)}")
    m, n = t.shape[-2:]
    first = getitem(t, (..., slice(0, m))) if m < n else t
    packed = qr_packed(first, mode == "complete")
    q, r = rows(packed, 0, m), adjoint(rows(packed, m, None))
    if m < n:  # the other columns follow from Q, and have a gradient that way
        rest = getitem(t, (..., slice(m, None)))
        r = concat([r, matmul(adjoint(q), _as(rest, q))], axis=-1)
    return QRResult(q, r)


def _as(x: Tensor, y: Tensor) -> Tensor:
    return x if x.dtype == y.dtype else astype(x, y.dtype)


@composite
def slogdet(x: TensorLike) -> SlogdetResult:
    """Return sign and logarithm of the absolute value of determinants.

    Shapes: (*, n, n) -> (*) and (*). Dtype: as x; the logarithm is real. Of singular matrices
    the sign is 0 and the logarithm -inf, without a gradient.
    Raises: ShapeError unless the matrices are square; the gradient LinearAlgebraError where one is
    singular.

    >>> import minima as mi
    >>> mi.linalg.slogdet(mi.Tensor([[-1.0, 0.0], [0.0, 1.0]])).sign
    Tensor(-1.)
    """
    packed = slogdet_packed(x)
    return SlogdetResult(getitem(packed, (..., 0)), real_part(getitem(packed, (..., 1))))


@composite
def svd(x: TensorLike, *, full_matrices: bool = True) -> SVDResult:
    """Return singular values, descending, and singular vectors: ``x == U @ diag(S) @ Vh``.

    The largest component of each column of U is real and positive. With *full_matrices* U and Vh
    are square; what they have beyond the smaller of m and n has no gradient.
    Shapes: (*, m, n) -> U (*, m, m or k), S (*, k), Vh (*, n or k, n). Dtype: as x; S is real.
    Gradient: for positive values; between vectors of equal values it is taken to be 0, right
    where a loss depends on the space that they span alone.
    Raises: ShapeError for less than two axes, LinearAlgebraError where one is not finite.

    >>> import minima as mi
    >>> mi.linalg.svd(mi.Tensor([[3.0, 0.0], [0.0, 5.0]])).S
    Tensor([5., 3.])
    """
    u, s, vh = svd_parts(_given(x))
    if full_matrices:
        u, vh = _completed(u), adjoint(_completed(adjoint(vh)))
    return SVDResult(u, s, vh)


def _completed(u: Tensor) -> Tensor:
    """Return orthonormal columns with others after them that make a square matrix."""
    m, k = u.shape[-2:]
    if m == k:
        return u
    others = rows(qr_packed(u.detach(), True), 0, m)
    return concat([u, getitem(others, (..., slice(k, None)))], axis=-1)


@composite
def svdvals(x: TensorLike) -> Tensor:
    """Return the singular values of matrices, descending.

    Gradient: for distinct, positive ones; the first derivative for equal ones too.

    >>> import minima as mi
    >>> mi.linalg.svdvals(mi.Tensor([[3.0, 0.0], [0.0, 5.0]]))
    Tensor([5., 3.])
    """
    return singular_values(_given(x))


def singular_values(x: Tensor) -> Tensor:
    """Return the singular values of *x*, descending.

    >>> import minima as mi
    >>> singular_values(mi.Tensor([[3.0, 4.0]]))
    Tensor([5.])
    """
    if x.ndim < 2:
        raise ShapeError(f"svdvals: {matrix_wanted(x)}")
    return real_part(row(svd_packed(x), x.shape[-2]))


@composite
def matrix_rank(x: TensorLike, *, rtol: Any = None) -> Tensor:
    """Return how many singular values are above *rtol* times the largest.

    *rtol*: a number, or one for each matrix; None stands for the larger size times the precision
    of the type. Shapes: (*, m, n) -> (*). Dtype: int64. Raises: ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.linalg.matrix_rank(mi.Tensor([[1.0, 2.0], [2.0, 4.0]]))
    Tensor(1)
    """
    return _rank(_given(x).detach(), rtol)


def _rank(x: Tensor, rtol: Any) -> Tensor:
    s = singular_values(x)
    if not s.shape[-1]:
        return total(astype(s, "int64"), -1)
    if rtol is None:
        kind = x.dtype if is_floating(x.dtype) else FLOAT32
        rtol = max(x.shape[-2:]) * precision(kind)
    if isinstance(rtol, Tensor | np.ndarray) and rtol.ndim:
        rtol = rtol[..., None]
    return total(astype(s > largest(s, -1, True) * rtol, "int64"), -1)


@composite
def lstsq(a: TensorLike, b: TensorLike, *, rtol: float | None = None) -> LstsqResult:
    """Return the x of least length that makes the length of ``a @ x - b`` the least.

    With it come the squares of those lengths, the ranks and the singular values of a; *rtol* as
    in `pinv`. Shapes: a (*, m, n), b (m) or (*, m, k) -> x (n) or (*, n, k).
    Gradient: as `pinv`, through the solution and the residuals.
    Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.linalg.lstsq(mi.Tensor([[2.0], [0.0]]), mi.Tensor([4.0, 1.0])).residuals
    Tensor(1.)
    """
    left, right = _given(a), _given(b)
    if left.ndim < 2 or not right.ndim or right.shape[max(-2, -right.ndim)] != left.shape[-2]:
        raise ShapeError(
            f"lstsq: got a of shape {left.shape}, b of shape {right.shape}; expected (*, m, n) and "
            "(m) or (*, m, k)"
        )
    left, right = alike(left, right)
    solution = matmul(pinv(left, rtol=rtol), right)
    off = matmul(left, solution) - right
    axis = -1 if right.ndim == 1 else -2
    squares = total(real_part(conjugated(off) * off), axis)
    return LstsqResult(
        solution, squares, _rank(left.detach(), rtol), singular_values(left.detach())
    )


@composite
def solve_triangular(
    a: TensorLike,
    b: TensorLike,
    *,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
) -> Tensor:
    """Return the x with ``a @ x == b``, of a reading the upper or the lower triangle alone.

    *left* False solves ``x @ a == b``; *unitriangular* takes the diagonal of a as 1.
    Shapes: a (*, n, n), b (*, n, k), or (*, k, n) from the right.
    Raises: ShapeError when the sizes differ, LinearAlgebraError for a 0 on the diagonal.

    >>> import minima as mi
    >>> a, b = mi.Tensor([[2.0, 0.0], [2.0, 4.0]]), mi.Tensor([[2.0], [6.0]])
    >>> mi.linalg.solve_triangular(a, b, upper=False)
    Tensor([[1.],
            [1.]])
    """
    t, c = _given(a), _given(b)
    check_square("solve_triangular", t)
    t = triu(t) if upper else tril(t)
    if unitriangular:
        t = t - diagonal_matrix(diagonal_of(t)) + unit(t)
    return solve(t, c) if left else transpose(solve(transpose(t), transpose(c)))
