"""Matrices as products: eigenvectors, Q and R, singular vectors, each packed into one array.

An operator returns one array, so that its parts lie in it one below the other; the public
functions of `minima.linalg` cut them out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import AutogradError, ShapeError
from ..records import Record
from ..tensor import Tensor
from .arithmetic import negative
from .comparison import where
from .complex import conjugated, imag, real
from .creation import triu
from .exponential import abs as size
from .indexing import getitem, one_hot
from .lapack import (
    adjoint,
    as_type,
    diagonal_matrix,
    diagonal_of,
    factored,
    hermitian,
    matrix_wanted,
    narrowed,
    need_square,
    precision,
    real_part,
    square_wanted,
    widened,
)
from .linear_algebra import matmul
from .manipulation import expand_dims, transpose
from .matrices import solve
from .reduction import argmax
from .reduction import sum as total
from .table import Array, operator

__all__ = ["eig_packed", "eigh_packed", "pinv", "qr_packed", "svd_packed"]


class Parts(Record):
    """The factors of ``u @ diag(s) @ vh``."""

    u: Tensor
    s: Tensor
    vh: Tensor


def rows(x: Tensor, start: int | None, stop: int | None) -> Tensor:
    """Return the rows from *start* to *stop* of matrices.

    >>> import minima as mi
    >>> rows(mi.Tensor([[1.0], [2.0], [3.0]]), 0, 2)
    Tensor([[1.],
            [2.]])
    """
    return getitem(x, (..., slice(start, stop), slice(None)))


def row(x: Tensor, i: int) -> Tensor:
    """Return row *i* of matrices.

    >>> import minima as mi
    >>> row(mi.Tensor([[1.0], [2.0]]), 1)
    Tensor([2.])
    """
    return getitem(x, (..., i, slice(None)))


def svd_parts(x: Tensor) -> Parts:
    """Return the reduced singular value decomposition of *x*.

    >>> import minima as mi
    >>> svd_parts(mi.Tensor([[3.0, 0.0], [0.0, 5.0]])).s
    Tensor([5., 3.])
    """
    packed = svd_packed(x)
    m = x.shape[-2]
    s = real_part(row(packed, m))
    return Parts(rows(packed, 0, m), s, adjoint(rows(packed, m + 1, None)))


def _turn(xp: Any, v: Any) -> Any:
    """Return the factors that make the largest component of each column real and positive."""
    if not v.shape[-1] or not v.shape[-2]:
        return xp.ones((*v.shape[:-2], 1, v.shape[-1]), dtype=v.dtype)
    place = xp.argmax(xp.abs(v), axis=-2, keepdims=True)
    top = xp.take_along_axis(v, place, axis=-2)
    if v.dtype.kind == "c":
        return xp.astype(xp.conj(top) / xp.abs(top), v.dtype)
    return xp.where(top < 0, v.dtype.type(-1), v.dtype.type(1))


@operator(floating=True)
def eigh_packed(xp: Any, x: Array) -> Any:
    """Return eigenvectors, as columns, and below them the eigenvalues, of ``(x + x^H) / 2``.

    The values ascend. The largest component of each vector is real and positive.
    Shapes: (*, n, n) -> (*, n + 1, n). Dtype: as x; float16 is computed in float32.
    Gradient: Hermitian, as only the Hermitian part of x counts. Between vectors of equal values
    it is taken to be 0: right where a loss depends on the space that they span alone.
    Raises: LinearAlgebraError, naming the matrix, where it does not converge; ShapeError unless
    the matrices are square.

    >>> import minima as mi
    >>> mi.operators.eigh_packed(mi.Tensor([[2.0, 0.0], [0.0, 1.0]]))
    Tensor([[0., 1.],
            [1., 0.],
            [1., 2.]])
    """
    a = hermitian(xp, widened(xp, x))
    w, v = factored("eigh", "has no eigenvalues: it is not finite", xp.linalg.eigh, a)
    v = v * _turn(xp, v)
    return narrowed(xp, xp.concat([v, xp.astype(w, v.dtype)[..., None, :]], axis=-2), x)


@eigh_packed.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


def _phased(slope: Tensor, v: Tensor, own: Tensor) -> Tensor:
    """Return *slope*, of complex vectors v, with what the phases add that `_turn` gives them.

    *own* is the sum of ``conj(v) * slope``. Nothing is left of it that depends on the phase.
    """
    if v.dtype.kind != "c" or not v.size:
        return slope
    sizes = size(v.detach())
    top = transpose(one_hot(argmax(sizes, -2), v.shape[-2], dtype=sizes.dtype))
    length = total(top * real(v), -2, True)
    return slope - top * (imag(own) / length) * 1j


def _own(v: Tensor, slope: Tensor) -> Tensor:
    return total(conjugated(v) * slope, -2, True)


def _gaps(values: Tensor) -> Tensor:
    """Return 1 over the differences ``values[j] - values[i]``, and 0 where there is none."""
    gaps = expand_dims(values, -2) - expand_dims(values, values.ndim)
    same = gaps == 0
    return where(same, 0.0, 1.0 / where(same, 1.0, gaps))


@eigh_packed.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    n = x.shape[-1]
    v, w = rows(y, 0, n), real_part(row(y, n))
    slope = rows(g, 0, n)
    slope = _phased(slope, v, _own(v, slope))
    middle = matmul(adjoint(v), slope) * _gaps(w)
    middle = middle + diagonal_matrix(as_type(real_part(row(g, n)), y.dtype))
    slope = matmul(matmul(v, middle), adjoint(v))
    return (slope + adjoint(slope)) * 0.5


@operator(floating=True)
def eig_packed(xp: Any, x: Array) -> Any:
    """Return eigenvectors, as columns, and below them the eigenvalues, of any square matrices.

    The vectors have length 1 and their largest component is real and positive.
    Shapes: (*, n, n) -> (*, n + 1, n). Dtype: complex, of the width of x; float16 gives complex64.
    Gradient: for distinct eigenvalues.
    Raises: LinearAlgebraError, naming the matrix, where it does not converge; ShapeError unless
    the matrices are square.

    >>> import minima as mi
    >>> mi.operators.eig_packed(mi.Tensor([[2.0, 0.0], [0.0, 1.0]])).real
    Tensor([[1., 0.],
            [0., 1.],
            [2., 1.]])
    """
    need_square(x)
    w, v = factored("eig", "has no eigenvalues: it is not finite", xp.linalg.eig, widened(xp, x))
    wide = np.complex128 if x.dtype.itemsize == (16 if x.dtype.kind == "c" else 8) else np.complex64
    w, v = xp.astype(w, wide), xp.astype(v, wide)
    return xp.concat([v * _turn(xp, v), w[..., None, :]], axis=-2)


@eig_packed.explain
def _(x: Tensor) -> str:
    return square_wanted(x)


@eig_packed.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    n = x.shape[-1]
    v, w = rows(y, 0, n), row(y, n)
    right = adjoint(v)
    slope = rows(g, 0, n)
    slope = matmul(right, _phased(slope, v, _own(v, slope)))
    along = diagonal_matrix(as_type(real_part(diagonal_of(slope)), y.dtype))
    middle = (slope - matmul(matmul(right, v), along)) * conjugated(_gaps(w))
    middle = middle + diagonal_matrix(row(g, n))
    found = solve(right, matmul(middle, right))
    return found if x.dtype.kind == "c" else as_type(real_part(found), x.dtype)


@operator(floating=True)
def qr_packed(xp: Any, x: Array, complete: bool = False) -> Any:
    """Return Q, of orthonormal columns, and below it R^H, with ``Q @ R == x``, R upper triangular.

    Shapes: (*, m, n) -> (*, m + n, k), with k the smaller of m and n, or m if *complete*.
    Dtype: as x; float16 is computed in float32.
    Gradient: for columns that are linearly independent, and m >= n; none for the columns of a
    complete Q that x says nothing of. Raises: ShapeError for less than two axes;
    AutogradError by the gradient where there is none.

    >>> import minima as mi
    >>> mi.operators.qr_packed(mi.Tensor([[3.0], [4.0]]))
    Tensor([[-0.6],
            [-0.8],
            [-5. ]])
    """
    q, r = xp.linalg.qr(widened(xp, x), mode="complete" if complete else "reduced")
    r = xp.swapaxes(r, -1, -2)
    r = xp.conj(r) if x.dtype.kind == "c" else r
    return narrowed(xp, xp.concat([q, r], axis=-2), x)


@qr_packed.explain
def _(x: Tensor, complete: bool) -> str:
    return matrix_wanted(x)


@qr_packed.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any, complete: bool) -> Any:
    m, n = x.shape[-2:]
    if y.shape[-1] > n:
        raise AutogradError(
            f"qr: Q of shape {(m, m)} has columns that x, of shape {(m, n)}, does not determine; "
            "they have no gradient: use mode='reduced', or .detach()"
        )
    if m < n:
        raise AutogradError(
            f"qr_packed: got shape {x.shape}; the gradient is for matrices of m >= n: use "
            "minima.linalg.qr"
        )
    q, right = rows(y, 0, m), rows(y, m, None)
    slope, up = rows(g, 0, m), triu(adjoint(rows(g, m, None)))
    middle = triu(matmul(up, right) - matmul(adjoint(q), slope))
    above = triu(middle, k=1)
    own = diagonal_matrix(as_type(real_part(diagonal_of(middle)), y.dtype))
    inner = slope + matmul(q, above + adjoint(above) + own)
    return adjoint(solve(adjoint(right), adjoint(inner)))


@operator(floating=True)
def svd_packed(xp: Any, x: Array) -> Any:
    """Return U, the singular values, and V, one below the other; ``x == U @ diag(S) @ V^H``.

    The values descend. The largest component of each column of U is real and positive.
    Shapes: (*, m, n) -> (*, m + 1 + n, k), with k the smaller of m and n.
    Dtype: as x; float16 is computed in float32.
    Gradient: for positive values; between vectors of equal values it is taken to be 0, right
    where a loss depends on the space that they span alone.
    Raises: LinearAlgebraError, naming the matrix, where it does not converge; ShapeError for
    less than two axes.

    >>> import minima as mi
    >>> mi.operators.svd_packed(mi.Tensor([[3.0, 0.0]]))
    Tensor([[1.],
            [3.],
            [1.],
            [0.]])
    """
    if x.ndim < 2:
        raise ValueError("no matrix")  # which explain puts in words
    why = "has no singular values: it is not finite"
    a = widened(xp, x)
    u, s, vh = factored("svd", why, lambda t: xp.linalg.svd(t, full_matrices=False), a)
    v = xp.swapaxes(xp.conj(vh) if x.dtype.kind == "c" else vh, -1, -2)
    turn = _turn(xp, u)
    parts = [u * turn, xp.astype(s, u.dtype)[..., None, :], v * turn]
    return narrowed(xp, xp.concat(parts, axis=-2), x)


@svd_packed.explain
def _(x: Tensor) -> str:
    return matrix_wanted(x)


def _skew(x: Tensor) -> Tensor:
    return x - adjoint(x)


@svd_packed.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    m, n = x.shape[-2:]
    u, v, s = rows(y, 0, m), rows(y, m + 1, None), real_part(row(y, m))
    gu, gv, gs = rows(g, 0, m), rows(g, m + 1, None), real_part(row(g, m))
    gu = _phased(gu, u, _own(u, gu) + _own(v, gv))
    vh = adjoint(v)
    down, across = expand_dims(s, s.ndim), expand_dims(s, -2)
    gaps = _gaps(s * s)
    uu, vv = matmul(adjoint(u), gu), matmul(vh, gv)
    turns = _skew(uu)
    middle = (turns * gaps) * across + down * (_skew(vv) * gaps)
    middle = middle + diagonal_matrix(as_type(gs, y.dtype))
    if y.dtype.kind == "c":  # the phase that a component on the diagonal turns u by
        middle = middle + diagonal_matrix(diagonal_of(turns) / (2.0 * s))
    slope = matmul(matmul(u, middle), vh)
    if m > n:
        slope = slope + matmul((gu - matmul(u, uu)) / across, vh)
    if m < n:
        slope = slope + matmul(u, adjoint((gv - matmul(v, vv)) / across))
    return slope


@operator(floating=True)
def pinv(xp: Any, x: Array, *, rtol: Any = None) -> Any:
    """Return the pseudo-inverses of matrices, after Moore and Penrose.

    Singular values up to *rtol* times the largest count as 0; None stands for the larger size
    times the precision of the type.
    Shapes: (*, m, n) -> (*, n, m). Dtype: as x; float16 is computed in float32.
    Gradient: for a rank that does not change nearby.
    Raises: LinearAlgebraError where a matrix is not finite; ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.linalg.pinv(mi.Tensor([[2.0], [0.0]]))
    Tensor([[0.5, 0. ]])
    """
    why = "has no singular values: it is not finite"
    return narrowed(xp, factored("pinv", why, xp.linalg.pinv, widened(xp, x), rtol), x)


@pinv.prepare
def _(x: Tensor, rtol: Any) -> dict[str, Any]:
    if x.ndim < 2:
        raise ShapeError(f"pinv: {matrix_wanted(x)}")
    if isinstance(rtol, Tensor):
        rtol = rtol.numpy()
    if rtol is None:
        rtol = max(x.shape[-2:]) * precision(x.dtype)
    return {"rtol": rtol}


@pinv.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor, rtol: Any) -> Any:
    over, up = adjoint(y), adjoint(g)
    slope = negative(matmul(matmul(over, g), over))
    lost = up - matmul(x, matmul(y, up))  # what x does not reach
    slope = slope + matmul(lost, matmul(y, over))
    return slope + matmul(matmul(over, y), up - matmul(matmul(up, y), x))
