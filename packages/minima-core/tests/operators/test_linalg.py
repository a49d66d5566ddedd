"""Linear algebra beyond the rows of the table: errors, shapes of results, complex gradients."""

import sys

import numpy as np
import pytest

import minima as mi
from minima.autograd import gradcheck

L = mi.linalg
SQUARE = (L.cholesky, L.inv, L.det, L.slogdet, L.eigh, L.eigvalsh, L.eig, L.matrix_exp)
ANY = (L.qr, L.svd, L.svdvals, L.pinv, L.matrix_rank, L.matrix_norm, L.trace, L.diagonal)
MATRICES = mi.Tensor(np.stack([np.eye(2), np.ones((2, 2)), np.eye(2)]))


def numbers(*shape, seed=0):
    rng = np.random.default_rng([seed, *shape])
    return mi.Tensor(rng.normal(size=shape) + 1j * rng.normal(size=shape), requires_grad=True)


@pytest.mark.parametrize("function", SQUARE, ids=lambda f: f.__name__)
@pytest.mark.parametrize("shape", [(3,), (2, 3)], ids=str)
def test_matrices_that_are_not_square(function, shape):
    """Catch an error of NumPy's that names no shape."""
    with pytest.raises(mi.ShapeError, match=r"got shape \(.*\); expected square matrices"):
        function(mi.ones(shape))


@pytest.mark.parametrize("function", ANY, ids=lambda f: f.__name__)
def test_what_is_no_matrix(function):
    """Catch a vector that is taken for a matrix."""
    with pytest.raises(mi.ShapeError, match=r"got shape \(3,\); expected matrices"):
        function(mi.ones(3))


def test_the_matrix_that_has_no_answer_is_named():
    """Catch an error that leaves one to search a batch."""
    with pytest.raises(mi.LinearAlgebraError, match=r"inv: matrix 1 of shape \(3, 2, 2\) is sing"):
        L.inv(MATRICES)
    with pytest.raises(mi.LinearAlgebraError, match=r"solve: matrix 1 of .* is singular"):
        L.solve(MATRICES, mi.ones(2))
    with pytest.raises(mi.LinearAlgebraError, match=r"cholesky: matrix 0, 1 of .* positive def"):
        L.cholesky(MATRICES[None])
    with pytest.raises(mi.LinearAlgebraError, match=r"the matrix of shape \(1, 1\) is singular"):
        L.inv(mi.zeros((1, 1)))
    for function in (L.svd, L.eig):
        with pytest.raises(mi.LinearAlgebraError, match="not finite"):
            function(mi.full((2, 2), float("nan")))
    assert issubclass(mi.LinearAlgebraError, np.linalg.LinAlgError)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: L.solve(mi.ones((2, 2)), mi.ones(3)), "solve: got a of shape"),
        (lambda: L.qr(mi.ones((2, 2)), mode="r"), "qr: got mode 'r'"),
        (lambda: L.vector_norm(mi.ones(2), ord="fro"), "vector_norm: got ord 'fro'"),
        (lambda: L.matrix_norm(mi.ones((2, 2)), ord=3), "matrix_norm: got ord 3"),
        (lambda: L.norm(mi.ones((2, 2, 2)), 2), "norm: got ord 2 over 3 axes"),
        (lambda: L.cross(mi.ones(2), mi.ones(2)), "cross: got size 2"),
        (lambda: L.outer(mi.ones((2, 2)), mi.ones(2)), "outer: got shapes"),
        (lambda: L.vecdot(mi.ones(2), mi.ones(3)), "vecdot: got shapes"),
        (lambda: L.tensordot(mi.ones(2), mi.ones(3), axes=1), "tensordot: axes"),
        (lambda: L.tensordot(mi.ones(2), mi.ones(2), axes=2), "tensordot: got axes=2"),
        (lambda: L.multi_dot([mi.ones((2, 2))]), "multi_dot: got 1 arrays"),
        (lambda: L.matrix_power(mi.ones((2, 2)), 0.5), "matrix_power: got the power 0.5"),
        (lambda: L.lstsq(mi.ones((3, 2)), mi.ones(2)), "lstsq: got a of shape"),
        (lambda: mi.bilinear(mi.ones(2), mi.ones(2), mi.ones((1, 2, 3))), "bilinear: got x1"),
        (lambda: mi.einsum("ij,jk", mi.ones((2, 2))), "einsum: got 1 inputs"),
        (lambda: mi.einsum("ij", mi.ones(2)), "einsum: got an input of shape"),
        (lambda: mi.einsum("i,i", mi.ones(2), mi.ones(3)), "einsum: the axis 'i' has sizes 2 and"),
        (lambda: mi.einsum("i->j", mi.ones(2)), "einsum: the result has the axis 'j'"),
        (lambda: mi.einsum("i->ii", mi.ones(2)), "einsum: the result names an axis twice"),
        (lambda: mi.einsum("i1", mi.ones((2, 2))), "einsum: got '1'"),
        (lambda: mi.einsum(mi.ones(2)), "einsum: expected subscripts"),
        (lambda: mi.fft.fft(mi.ones(2), norm="other"), "fft: got norm 'other'"),
        (lambda: mi.fft.fft(mi.ones(2), n=0), "fft: got 0 points"),
        (lambda: mi.fft.fft(mi.ones(0)), "fft: axis 0 of shape"),
        (lambda: mi.fft.rfft(mi.Tensor([1j])), "rfft: got complex64"),
        (lambda: mi.fft.fftn(mi.ones((2, 2)), s=(2,), axes=(0, 1)), "fftn: got 1 sizes"),
        (lambda: mi.fft.fftfreq(0), "fftfreq: got 0 points"),
    ],
)
def test_errors(call, message):
    """Catch an argument that is taken silently, or an error that does not say which."""
    with pytest.raises(mi.MinimaError, match=f"^{message}"):
        call()


def test_names_of_results():
    """Catch a result whose parts have other names than the standard's."""
    x = mi.Tensor([[2.0, 1.0], [1.0, 3.0]])
    assert L.eigh(x)._fields == L.eig(x)._fields == ("eigenvalues", "eigenvectors")
    assert L.qr(x)._fields == ("Q", "R")
    assert L.slogdet(x)._fields == ("sign", "logabsdet")
    assert L.svd(x)._fields == ("U", "S", "Vh")


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (2, 3, 1), (3, 0)], ids=str)
def test_complete_bases(shape):
    """Catch square factors that are not orthonormal, or do not give the matrix again."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)
    u, s, vh = L.svd(x)
    q, r = L.qr(x, mode="complete")
    for square in (u, vh, q):
        assert square.shape[-1] == square.shape[-2]
        one = (square @ square.mT).detach().numpy()
        np.testing.assert_allclose(one, np.broadcast_to(np.eye(len(one.T)), one.shape), atol=1e-12)
    k = s.shape[-1]
    again = (u[..., :k] * s[..., None, :]) @ vh[..., :k, :]
    for found in (again, q @ r):
        np.testing.assert_allclose(found.detach().numpy(), x.detach().numpy(), atol=1e-12)
    if shape[-2] > shape[-1]:
        with pytest.raises(mi.AutogradError, match="use mode='reduced'"):
            q.sum().backward()


COMPLEX = {
    "eig": (lambda x: L.eig(x), [numbers(3, 3)]),
    "eig of real": (lambda x: L.eig(mi.real(x)), [numbers(3, 3)]),
    "eigh": (lambda x: L.eigh(x), [numbers(2, 3, 3)]),
    "svd": (lambda x: L.svd(x, full_matrices=False), [numbers(2, 3, 2)]),
    "svd wide": (lambda x: L.svd(x, full_matrices=False), [numbers(2, 3)]),
    "qr": (lambda x: L.qr(x), [numbers(3, 2)]),
    "qr wide": (lambda x: L.qr(x), [numbers(2, 3)]),
    "slogdet": (lambda x: L.slogdet(x), [numbers(3, 3)]),
    "det": (L.det, [numbers(3, 3)]),
    "pinv": (L.pinv, [numbers(3, 2)]),
    "solve": (L.solve, [numbers(3, 3), numbers(3, 2)]),
    "norm": (lambda x: L.vector_norm(x, ord=3), [numbers(3)]),
    "vecdot": (L.vecdot, [numbers(2, 3), numbers(3)]),
    "einsum": (lambda *x: mi.einsum("ij,jk,k->i", *x), [numbers(2, 3), numbers(3, 2), numbers(2)]),
    "fft": (lambda x: mi.fft.fft(x, n=5), [numbers(2, 4)]),
    "fft of real": (lambda x: mi.fft.fft(mi.real(x)), [numbers(4)]),
    "rfft": (lambda x: mi.fft.rfft(mi.real(x), n=5), [numbers(2, 4)]),
    "irfft": (lambda x: mi.fft.irfft(x, n=4), [numbers(2, 3)]),
    "irfft odd": (lambda x: mi.fft.irfft(x, n=5, norm="ortho"), [numbers(2, 3)]),
    "hfft": (lambda x: mi.fft.hfft(x), [numbers(3)]),
    "ihfft": (lambda x: mi.fft.ihfft(mi.real(x)), [numbers(5)]),
    "rfftn": (lambda x: mi.fft.rfftn(mi.real(x), norm="forward"), [numbers(2, 3)]),
    "irfftn": (mi.fft.irfftn, [numbers(2, 3)]),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradient(name, order):
    """Catch a gradient that forgets a conjugate or the phase of a vector."""
    function, inputs = COMPLEX[name]
    gradcheck(function, inputs, order=order, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.ones((3, 3)), np.diag([1.0, 2.0, 0.0])])
def test_det_of_singular_matrices(matrix):
    """Catch cofactors by a quotient, nan where the determinant is 0."""
    x = mi.Tensor(matrix, requires_grad=True)
    for order in (1, 2):
        gradcheck(L.det, [x], order=order, atol=1e-8)


@pytest.mark.parametrize("function", [L.inv, L.det, L.cholesky, L.svdvals, L.pinv, L.eigvalsh])
def test_half_precision_is_computed_in_single(function):
    """Catch LAPACK's refusal of float16, or a result that widens."""
    x = mi.Tensor([[2.0, 1.0], [1.0, 3.0]], dtype="float16", requires_grad=True)
    y = function(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == "float16"
    np.testing.assert_allclose(
        y.detach().numpy(), function(x.detach().astype("float64")).numpy(), rtol=2e-3
    )


def test_norm_of_large_half_precision():
    """Catch squares that overflow where the norm does not."""
    assert L.vector_norm(mi.Tensor([3e4, 4e4], dtype="float16")).item() == np.float16(5e4)
    assert L.norm(mi.Tensor([3e30, 4e30])).item() == pytest.approx(5e30)


def test_einsum_without_opt_einsum(monkeypatch):
    """Catch a path of our own that multiplies other pairs than it says."""
    shapes = (2, 3), (3, 4), (4, 5), (5, 2)
    given = [mi.Tensor(np.random.default_rng(0).normal(size=s)) for s in shapes]
    expected = np.einsum("ab,bc,cd,da->ac", *(t.numpy() for t in given))
    for missing in (False, True):
        if missing:
            monkeypatch.setitem(sys.modules, "opt_einsum", None)
        found = mi.einsum("ab,bc,cd,da->ac", *given)
        np.testing.assert_allclose(found.numpy(), expected)


def test_einsum_by_numbers():
    """Catch names that are counted in the order in which they come."""
    a, b = mi.Tensor(np.arange(6.0).reshape(2, 3)), mi.Tensor(np.arange(6.0).reshape(3, 2))
    assert np.array_equal(mi.einsum(a, [5, 2], b, [2, 3]).numpy(), (a @ b).numpy().T)
    assert np.array_equal(mi.einsum(a, [5, 2], b, [2, 3], [5, 3]).numpy(), (a @ b).numpy())
    assert np.array_equal(mi.einsum(a, [..., 2], [2, ...]).numpy(), a.numpy().T)


def test_compiled():
    """Catch a branch on a value that would keep these from being compiled."""
    x = mi.Tensor([[2.0, 1.0], [1.0, 3.0]])

    def step(x):
        x = x.detach().requires_grad_()
        y = L.det(x) + L.norm(x) + L.inv(x).sum() + L.eigh(x).eigenvalues[0]
        y = y + L.matrix_exp(x).sum() + mi.abs(mi.fft.fft(x)).sum()
        (g,) = mi.autograd.grad(y, [x])
        return y.detach(), g

    expected = step(x)
    compiled = mi.compile(step)
    for _ in range(3):
        for a, b in zip(compiled(x), expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
    assert len(compiled.plans) == 1
