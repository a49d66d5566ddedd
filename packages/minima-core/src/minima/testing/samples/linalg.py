"""Samples of linear algebra: factorisations, solutions, norms and products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Array, Input, Rng, Sample, away, distinct, exactly, real

__all__ = ["COMPOSED", "SAMPLES"]

inf = float("inf")


# ---- inputs --------------------------------------------------------------------------------------
def regular(*shape: int) -> Input:
    """Return matrices far from singular ones: singular values from 1 to 2, none close."""

    def draw(rng: Rng, s: tuple[int, ...]) -> Array:
        m, n = s[-2:]
        u = np.linalg.qr(rng.normal(size=(*s[:-2], m, m)))[0]
        v = np.linalg.qr(rng.normal(size=(*s[:-2], n, n)))[0]
        k = min(m, n)
        values = np.linspace(2.0, 1.0, k)
        return np.asarray((u[..., :k] * values) @ v[..., :k, :])

    return Input(shape, draw)


def positive_definite(*shape: int) -> Input:
    """Return symmetric matrices with eigenvalues from 1 to 2, none close."""

    def draw(rng: Rng, s: tuple[int, ...]) -> Array:
        q = np.linalg.qr(rng.normal(size=s))[0]
        return np.asarray((q * np.linspace(2.0, 1.0, s[-1])) @ q.swapaxes(-1, -2))

    return Input(shape, draw)


#: a matrix with two complex eigenvalues
TURNED = np.array([[1.0, 2.0, 0.0], [-1.0, 1.0, 0.5], [0.0, 0.25, 3.0]])
SINGULAR = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]


# ---- NumPy's answers -----------------------------------------------------------------------------
def _symmetric(x: Array) -> Array:
    return (x + x.swapaxes(-1, -2)) / 2


def _cholesky(x: Array, upper: bool = False) -> Array:
    y = np.linalg.cholesky(_symmetric(x))
    return y.swapaxes(-1, -2) if upper else y


def _turned(v: Array) -> Array:
    """Return the signs that make the largest component of each column positive."""
    if not v.size:
        return np.ones((*v.shape[:-2], 1, v.shape[-1]))
    top = np.take_along_axis(v, np.abs(v).argmax(-2, keepdims=True), -2)
    return np.where(top < 0, -1.0, 1.0)


def _eigh(x: Array) -> Array:
    w, v = np.linalg.eigh(_symmetric(x))
    return np.concatenate([v * _turned(v), w[..., None, :]], -2)


def _eig(x: Array) -> Array:
    """Return the packed eigenvectors and eigenvalues, complex, vectors turned to a real top."""
    w, v = np.linalg.eig(x)
    v = v.astype(complex)
    if v.size:
        top = np.take_along_axis(v, np.abs(v).argmax(-2, keepdims=True), -2)
        v = v * (top.conj() / np.abs(top))
    return np.concatenate([v, w.astype(complex)[..., None, :]], -2)


def _qr(x: Array, complete: bool = False) -> Array:
    q, r = np.linalg.qr(x, "complete" if complete else "reduced")
    return np.concatenate([q, r.swapaxes(-1, -2)], -2)


def _svd(x: Array) -> Array:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    turn = _turned(u)
    return np.concatenate([u * turn, s[..., None, :], vh.swapaxes(-1, -2) * turn], -2)


def _adjugate(x: Array) -> Array:
    """Return the transposed cofactors, each a determinant."""
    n = x.shape[-1]
    y = np.ones_like(x)
    for i in range(n):
        for j in range(n):
            minor = np.delete(np.delete(x, j, -2), i, -1)
            y[..., i, j] = (-1.0) ** (i + j) * np.linalg.det(minor)
    return y


def _slogdet(x: Array) -> Array:
    return np.stack(np.linalg.slogdet(x), -1)


def _solve(a: Array, b: Array) -> Array:
    return np.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else np.linalg.solve(a, b)


def _rows() -> Iterator[Sample]:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2)):
        yield Sample("cholesky", _cholesky, [positive_definite(*shape)])
        yield Sample("inv", np.linalg.inv, [regular(*shape)])
        yield Sample("det", np.linalg.det, [regular(*shape)])
        yield Sample("adjugate", _adjugate, [regular(*shape)])
        yield Sample("slogdet_packed", _slogdet, [regular(*shape)])
        yield Sample("eigh_packed", _eigh, [positive_definite(*shape)])
    for name, oracle in (("cholesky", _cholesky), ("inv", np.linalg.inv), ("det", np.linalg.det)):
        yield Sample(name, oracle, [exactly(np.zeros((0, 0)))])
    for given in (exactly(TURNED), exactly(np.stack([TURNED, np.diag([1.0, 2.0, 3.0])]))):
        yield Sample("eig_packed", _eig, [given])
    yield Sample("eig_packed", _eig, [regular(0, 2, 2)])
    yield Sample("cholesky", _cholesky, [positive_definite(3, 3)], {"upper": True})
    yield Sample(
        "det", np.linalg.det, [exactly(np.eye(3))], {}, "equal singular values", True, [np.eye(3)]
    )
    yield Sample(
        "det",
        np.linalg.det,
        [exactly(np.ones((2, 2)))],
        {},
        "singular",
        False,
        [[[1.0, -1.0], [-1.0, 1.0]]],
    )
    yield Sample("det", np.linalg.det, [exactly(np.zeros((2, 2)))], {}, "zeros")
    yield Sample("adjugate", _adjugate, [exactly(SINGULAR)], {}, "singular", False)
    yield Sample("eigh_packed", _eigh, [exactly(np.diag([2.0, 1.0, 3.0]))], {}, "diagonal", False)
    for a, b in (
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 3, 3), (3, 2)),
        ((3, 3), (2, 3, 1)),
        ((2, 3, 3), (3,)),
        ((2, 1, 2, 2), (3, 2, 2)),
        ((0, 2, 2), (2, 1)),
        ((0, 0), (0,)),
    ):
        yield Sample("solve", _solve, [regular(*a), real(*b)])
    for shape in ((4, 3), (3, 3), (2, 3, 2), (0, 2, 2), (3, 0)):
        yield Sample("qr_packed", _qr, [regular(*shape)])
    yield Sample("qr_packed", _qr, [regular(3, 3)], {"complete": True})
    for shape in ((4, 3), (3, 4), (3, 3), (2, 3, 2), (0, 3, 2), (0, 3)):
        yield Sample("svd_packed", _svd, [regular(*shape)])
        yield Sample("pinv", np.linalg.pinv, [regular(*shape)])
    yield Sample("pinv", _pinv_half, [exactly(np.diag([1.0, 0.25]))], {"rtol": 0.5}, "", False)


def _pinv_half(x: Array, rtol: float) -> Array:
    return np.linalg.pinv(x, rtol=rtol)


#: rows of operators
SAMPLES: list[Sample] = list(_rows())


# ---- composed functions --------------------------------------------------------------------------
def _parts() -> Iterator[Sample]:
    """Yield rows of decompositions: what is the same whatever the signs."""

    def eigh(which: int) -> Any:
        def oracle(x: Array) -> Array:
            w, v = np.linalg.eigh(_symmetric(x))
            return np.asarray(v * _turned(v) if which else w)

        return oracle

    for shape in ((3, 3), (2, 2, 2), (0, 2, 2)):
        yield Sample("eigvalsh", eigh(0), [positive_definite(*shape)])
        for which in (0, 1):
            yield Sample("eigh", eigh(which), [positive_definite(*shape)], output=which)
            yield Sample("slogdet", _sign_or_log(which), [regular(*shape)], output=which)
    for shape in ((4, 3), (3, 3), (2, 2, 3), (0, 2)):
        for which in (0, 1):
            yield Sample("qr", _q_or_r(which, "reduced"), [regular(*shape)], output=which)
        for which in (0, 1, 2):
            yield Sample(
                "svd",
                _svd_part(which),
                [regular(*shape)],
                {"full_matrices": False},
                output=which,
            )
        yield Sample("svdvals", _svd_part(1), [regular(*shape)])
        yield Sample(
            "matrix_rank", lambda x: np.asarray(np.linalg.matrix_rank(x)), [regular(*shape)]
        )
    yield Sample("qr", _q_or_r(0, "complete"), [regular(3, 3)], {"mode": "complete"})
    yield Sample("svd", _svd_part(1, True), [regular(3, 2)], {"full_matrices": True}, output=1)
    yield Sample("svdvals", _svd_part(1), [exactly(np.eye(2))], {}, "equal", False, [np.eye(2)])
    yield Sample(
        "matrix_rank",
        lambda x, rtol: np.asarray(np.linalg.matrix_rank(x, rtol=rtol)),
        [exactly(np.diag([4.0, 2.0, 1.0]))],
        {"rtol": 0.4},
    )


def _eigs() -> Iterator[Sample]:
    for given in (exactly(TURNED), regular(0, 2, 2)):
        yield Sample("eig", lambda x: _eig(x)[..., -1, :], [given])
        yield Sample("eig", lambda x: _eig(x)[..., :-1, :], [given], output=1)
        yield Sample("eigvals", lambda x: _eig(x)[..., -1, :], [given])


def _sign_or_log(which: int) -> Any:
    return lambda x: np.asarray(np.linalg.slogdet(x)[which])


def _q_or_r(which: int, mode: Any) -> Any:
    return lambda x, **_: np.linalg.qr(x, mode)[which]


def _svd_part(which: int, full: bool = False) -> Any:
    def oracle(x: Array, **_: Any) -> Array:
        u, s, vh = np.linalg.svd(x, full_matrices=full)
        turn = _turned(u)
        return np.asarray([u * turn, s, vh * turn.swapaxes(-1, -2)][which] if which != 1 else s)

    return oracle


def _solutions() -> Iterator[Sample]:
    def triangular(a: Array, b: Array, upper: bool, left: bool = True, unit: bool = False) -> Array:
        t = np.triu(a) if upper else np.tril(a)
        t = t - np.tril(np.triu(t)) + np.eye(t.shape[-1]) if unit else t
        return np.linalg.solve(t, b) if left else b @ np.linalg.inv(t)

    def unitriangular(a: Array, b: Array, upper: bool, unitriangular: bool) -> Array:
        return triangular(a, b, upper, True, unitriangular)

    for shape in ((3, 3), (2, 3, 3), (0, 2, 2)):
        for upper in (False, True):
            inputs = [positive_definite(*shape), real(shape[-1], 2)]
            yield Sample("solve_triangular", triangular, inputs, {"upper": upper})
    inputs = [positive_definite(3, 3), real(2, 3)]
    yield Sample("solve_triangular", triangular, inputs, {"upper": True, "left": False})
    inputs = [positive_definite(3, 3), real(3, 1)]
    yield Sample("solve_triangular", unitriangular, inputs, {"upper": False, "unitriangular": True})

    def lstsq(a: Array, b: Array) -> Array:
        return np.asarray(np.linalg.pinv(a) @ b)

    def residuals(a: Array, b: Array) -> Array:
        return np.asarray(np.square(a @ np.linalg.pinv(a) @ b - b).sum(-1 if b.ndim == 1 else -2))

    for a, b in (((4, 2), (4, 3)), ((2, 4, 2), (2, 4, 1)), ((4, 2), (4,)), ((2, 3), (2, 1))):
        yield Sample("lstsq", lstsq, [regular(*a), real(*b)])
    yield Sample("lstsq", lstsq, [regular(0, 3, 2), real(3, 1)])
    yield Sample("lstsq", residuals, [regular(4, 2), real(4, 3)], output=1)
    for n in (-2, -1, 0, 1, 2, 3, 5):
        yield Sample("matrix_power", np.linalg.matrix_power, [regular(3, 3)], {"n": n})
    yield Sample("matrix_power", np.linalg.matrix_power, [regular(0, 2, 2)], {"n": 3})
    yield Sample("matrix_power", np.linalg.matrix_power, [regular(2, 2, 2)], {"n": -3})


def _exp(x: Array) -> Array:
    """Return the exponential by its series, of an eighth of the matrix, squared three times."""
    y = term = np.broadcast_to(np.eye(x.shape[-1]), x.shape)
    for i in range(1, 30):
        term = term @ x / (8 * i)
        y = y + term
    return np.linalg.matrix_power(y, 8)


def _exponentials() -> Iterator[Sample]:
    for shape in ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2), (0, 0)):
        yield Sample("matrix_exp", _exp, [real(*shape)])
    yield Sample("matrix_exp", _exp, [exactly(np.zeros((2, 2)))], {}, "zeros")
    yield Sample("matrix_exp", _exp, [exactly(TURNED * 3)], {}, "large")


def _vector_norm(x: Array, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Array:
    return np.asarray(np.linalg.vector_norm(x, ord=ord, axis=axis, keepdims=keepdims))


def _matrix_norm(x: Array, ord: Any = "fro", keepdims: bool = False) -> Array:
    return np.asarray(np.linalg.matrix_norm(x, ord=ord, keepdims=keepdims))


def _cdist(x1: Array, x2: Array, p: float = 2.0) -> Array:
    apart = x1[..., :, None, :] - x2[..., None, :, :]
    return np.asarray(np.linalg.norm(apart, p, -1))


def _norms() -> Iterator[Sample]:
    axis: Any
    p: Any
    for p in (2, 1, 3, 0.5, -1, 0, inf, -inf):
        for axis in (None, 0, (0, -1)):
            x = distinct(2, 3, 2, shift=0.1)
            yield Sample("vector_norm", _vector_norm, [x], {"ord": p, "axis": axis})
    yield Sample("vector_norm", _vector_norm, [real(2, 3)], {"axis": -1, "keepdims": True})
    for shape in ((), (0, 3), (3, 0)):
        axis = -1 if shape else None
        yield Sample("vector_norm", _vector_norm, [away(*shape)], {"axis": axis})
    for p, slope in ((2, [0.0, 0.0]), (1, [0.0, 0.0]), (3, [0.0, 0.0])):
        yield Sample(
            "vector_norm", _vector_norm, [exactly([0.0, 0.0])], {"ord": p}, "zeros", False, [slope]
        )
    for p, slope in ((1, [1.0, 0.0]), (0.5, [1.0, 0.0]), (inf, [1.0, 0.0]), (2, [1.0, 0.0])):
        yield Sample(
            "vector_norm", _vector_norm, [exactly([3.0, 0.0])], {"ord": p}, "", False, [slope]
        )
    for large in ([inf, 1.0], [np.nan, 1.0], [3e4, -4e4]):
        yield Sample("vector_norm", _vector_norm, [exactly(large)], {}, "extremes", False)
    for p in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
        yield Sample("matrix_norm", _matrix_norm, [regular(2, 3, 2)], {"ord": p})
        yield Sample("norm", np.linalg.norm, [regular(2, 3, 2)], {"ord": p, "axis": (0, 2)})
    yield Sample("matrix_norm", _matrix_norm, [regular(2, 2)], {"ord": 2, "keepdims": True})
    yield Sample("matrix_norm", _matrix_norm, [regular(0, 2, 2)])
    yield Sample("norm", np.linalg.norm, [real(2, 3)])
    yield Sample("norm", np.linalg.norm, [real(0, 3)])
    yield Sample("norm", np.linalg.norm, [away(2, 3)], {"ord": 1, "axis": 0})
    yield Sample("norm", np.linalg.norm, [real(2, 3)], {"axis": -1, "keepdims": True})
    yield Sample("norm", np.linalg.norm, [real(2, 3)], {"axis": (0, 1), "keepdims": True})
    for p in (2.0, 1.0, 3.0, inf):
        yield Sample("cdist", _cdist, [real(3, 2), real(2, 2)], {"p": p})
    yield Sample("cdist", _cdist, [real(2, 1, 3), real(2, 3)])
    yield Sample("cdist", _cdist, [real(0, 3), real(2, 3)])
    same = exactly([[1.0, 2.0]])
    yield Sample("cdist", _cdist, [same, same], {}, "equal", False, [np.zeros((1, 2))] * 2)
    for p in (None, -2, 1, inf, "fro"):
        yield Sample("cond", np.linalg.cond, [regular(3, 3)], {"p": p})
    yield Sample("cond", np.linalg.cond, [regular(0, 2, 2)])


#: rows of composed functions
COMPOSED: list[Sample] = [*_parts(), *_eigs(), *_solutions(), *_exponentials(), *_norms()]
