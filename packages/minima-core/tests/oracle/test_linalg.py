"""Linear algebra, einsum and Fourier transforms, real and complex, against PyTorch's."""

import numpy as np
import pytest
import torch

import minima as mi

L, T = mi.linalg, torch.linalg
FFT = {
    "fft": ({}, {"n": 4}, {"n": 9, "axis": 0}, {"norm": "ortho"}),
    "ifft": ({}, {"n": 4}, {"norm": "forward"}),
    "rfft": ({}, {"n": 4}, {"n": 9, "axis": 0}, {"norm": "ortho"}),
    "irfft": ({}, {"n": 4}, {"n": 9}, {"norm": "forward"}),
    "hfft": ({}, {"n": 5, "axis": 0}, {"norm": "ortho"}),
    "ihfft": ({}, {"n": 5, "axis": 0}, {"norm": "forward"}),
    "fftn": ({}, {"s": (2, 7), "axes": (0, 1)}),
    "ifftn": ({"norm": "ortho"}, {"axes": (0,)}),
    "rfftn": ({}, {"s": (2, 7), "axes": (0, 1)}),
    "irfftn": ({}, {"s": (2, 7), "axes": (1, 0)}),
}


def numbers(rng, shape, kind):
    real = rng.normal(size=shape)
    return real + 1j * rng.normal(size=shape) if kind == "complex" else real


def positive_definite(rng, shape, kind):
    a = numbers(rng, shape, kind)
    return a @ a.swapaxes(-1, -2).conj() + np.eye(shape[-1])


def outputs(y):
    return list(y) if isinstance(y, tuple) else [y]


def check(ours, theirs, arrays, *, wide=True, symmetric=False):
    """Compare values and gradients; *symmetric*: of gradients the Hermitian parts."""
    rng = np.random.default_rng(1)
    if not wide:
        arrays = [a.astype("complex64" if a.dtype.kind == "c" else "float32") for a in arrays]
    rel = 1e-9 if wide else 2e-4
    given = [mi.Tensor(a, requires_grad=True) for a in arrays]
    others = [torch.from_numpy(a).requires_grad_() for a in arrays]
    total, whole = mi.Tensor(0.0), torch.zeros(())
    for a, b in zip(outputs(ours(*given)), outputs(theirs(*others)), strict=True):
        expected = b.detach().resolve_conj().numpy()
        assert (a.shape, a.dtype) == (expected.shape, expected.dtype)
        close(a.detach().numpy(), expected, rel)
        g = numbers(rng, b.shape, "complex" if expected.dtype.kind == "c" else "real")
        g = np.asarray(g).astype(expected.dtype)
        total = total + mi.real(a * mi.Tensor(g)).sum()
        whole = whole + (b * torch.from_numpy(g)).real.sum()
    total.backward()
    whole.backward()
    for a, b in zip(given, others, strict=True):
        got, expected = a.grad.numpy(), b.grad.resolve_conj().numpy()
        assert got.dtype == expected.dtype
        if symmetric:
            got, expected = (x + x.swapaxes(-1, -2).conj() for x in (got, expected))
        close(got, expected, rel)


def close(got, expected, rel):
    size = np.abs(expected).max(initial=1.0)
    np.testing.assert_allclose(got, expected, rtol=rel, atol=rel * size)


def t(x):
    return torch.from_numpy(np.asarray(x))


def transposed(x):
    return mi.conj(mi.matrix_transpose(x))


KINDS = pytest.mark.parametrize("kind", ["real", "complex"])
WIDTHS = pytest.mark.parametrize("wide", [True, False], ids=["double", "single"])

SOLVING = {
    "inv": (L.inv, T.inv, [(2, 3, 3)]),
    "solve": (L.solve, T.solve, [(3, 3), (3, 2)]),
    "solve vector": (L.solve, T.solve, [(3, 3), (3,)]),
    "solve batch": (L.solve, T.solve, [(2, 1, 3, 3), (4, 3, 2)]),
    "det": (L.det, T.det, [(2, 3, 3)]),
    "slogdet": (L.slogdet, T.slogdet, [(2, 3, 3)]),
    "pinv": (L.pinv, T.pinv, [(2, 3, 3)]),
    "power": (lambda x: L.matrix_power(x, -3), lambda x: T.matrix_power(x, -3), [(3, 3)]),
    "exp": (L.matrix_exp, T.matrix_exp, [(2, 3, 3)]),
    "triangular": (
        lambda a, b: L.solve_triangular(a, b, upper=True, left=False),
        lambda a, b: T.solve_triangular(a, b, upper=True, left=False),
        [(3, 3), (3, 3)],
    ),
}


@KINDS
@WIDTHS
@pytest.mark.parametrize("name", SOLVING)
def test_solving(name, wide, kind):
    """Catch a conjugate that is missing, or a batch that is taken for another."""
    rng = np.random.default_rng(0)
    ours, theirs, shapes = SOLVING[name]
    arrays = [positive_definite(rng, shapes[0], kind)]
    arrays += [numbers(rng, s, kind) for s in shapes[1:]]
    check(ours, theirs, arrays, wide=wide)


@KINDS
@WIDTHS
@pytest.mark.parametrize("upper", [False, True])
def test_cholesky(upper, wide, kind):
    """Catch a gradient of the triangle that is not there."""
    x = positive_definite(np.random.default_rng(0), (2, 3, 3), kind)
    check(
        lambda x: L.cholesky(x, upper=upper),
        lambda x: T.cholesky(x, upper=upper),
        [x],
        wide=wide,
        symmetric=True,
    )


@KINDS
@pytest.mark.parametrize("shape", [(4, 3), (3, 3), (3, 5), (2, 4, 2)], ids=str)
def test_decompositions(shape, kind):
    """Catch a part of the gradient that is missing for tall, wide or complex matrices."""
    rng = np.random.default_rng(0)
    x, w = numbers(rng, shape, kind), numbers(rng, (shape[-2],) * 2, kind)
    k = min(shape[-2:])
    check(L.qr, T.qr, [x])
    check(L.svdvals, T.svdvals, [x])
    for full in (False, True):

        def ours(x, full=full):
            u, s, vh = L.svd(x, full_matrices=full)
            u, vh = u[..., :k], vh[..., :k, :]
            return u @ vh, u @ transposed(u) @ mi.Tensor(w), (u * s[..., None, :]) @ vh

        def theirs(x):
            u, s, vh = T.svd(x, full_matrices=False)
            return u @ vh, u @ u.mH @ t(w), (u * s[..., None, :]) @ vh

        check(ours, theirs, [x])


@KINDS
def test_eigenvectors(kind):
    """Catch a wrong gradient of vectors, in losses that do not depend on their signs."""
    rng = np.random.default_rng(0)
    x, w = positive_definite(rng, (2, 3, 3), kind), numbers(rng, (3, 3), kind)

    def ours(x):
        values, v = L.eigh(x)
        return values, mi.abs(mi.Tensor(w) @ v), (v * values[..., None, :] ** 2) @ transposed(v)

    def theirs(x):
        values, v = T.eigh(x)
        return values, (t(w) @ v).abs(), (v * values[..., None, :] ** 2) @ v.mH

    check(ours, theirs, [x], symmetric=True)
    check(L.eigvalsh, T.eigvalsh, [x], symmetric=True)
    general, w = numbers(rng, (4, 4), kind), numbers(rng, (4, 4), "complex")
    check(L.eigvals, T.eigvals, [general])
    check(
        lambda x: mi.abs(mi.Tensor(w) @ L.eig(x).eigenvectors),
        lambda x: (t(w) @ T.eig(x).eigenvectors).abs(),
        [general],
    )


@KINDS
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", [1, 2, 3, 1.5, 0.5, -1, np.inf, -np.inf])
def test_vector_norm(order, keepdims, kind):
    """Catch an order whose gradient takes the wrong power."""
    x = numbers(np.random.default_rng(0), (3, 4), kind)
    for axis in (None, 0, (0, 1)):
        check(
            lambda x, axis=axis: L.vector_norm(x, ord=order, axis=axis, keepdims=keepdims),
            lambda x, axis=axis: T.vector_norm(x, order, dim=axis, keepdim=keepdims),
            [x],
        )


@KINDS
@pytest.mark.parametrize("order", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_matrix_norm(order, kind):
    """Catch rows and columns that are mixed up."""
    x = numbers(np.random.default_rng(0), (2, 3, 4), kind)
    check(lambda x: L.matrix_norm(x, ord=order), lambda x: T.matrix_norm(x, order), [x])
    check(lambda x: L.norm(x, order, (2, 0), True), lambda x: T.norm(x, order, (2, 0), True), [x])


SUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ii->i", (3, 3)),
    ("iij,j->i", (3, 3, 2), (2,)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("bij,bjk,kl->bil", (2, 3, 4), (2, 4, 5), (5, 6)),
    ("ij,ij->", (3, 2), (3, 2)),
    ("abc,cd,d,ae->be", (2, 3, 4), (4, 5), (5,), (2, 6)),
    ("i...,i...->...", (3, 2), (3, 1)),
    ("ij,k->i", (2, 3), (4,)),
]


@KINDS
@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in SUMS])
def test_einsum(subscripts, shapes, kind):
    """Catch an axis that is summed, or kept, by mistake."""
    rng = np.random.default_rng(0)
    check(
        lambda *a: mi.einsum(subscripts, *a),
        lambda *a: torch.einsum(subscripts, *a),
        [numbers(rng, s, kind) for s in shapes],
    )


@WIDTHS
@pytest.mark.parametrize(
    ("name", "options"), [(n, options) for n, many in FFT.items() for options in many], ids=str
)
def test_transforms(name, options, wide):
    """Catch an adjoint with the wrong weight at an end or the wrong norm."""
    rng = np.random.default_rng(0)
    named = {{"axis": "dim", "axes": "dim"}.get(k, k): v for k, v in options.items()}
    kinds = ["real"] if name in ("rfft", "rfftn", "ihfft") else ["real", "complex"]
    for kind in kinds:
        check(
            lambda x: getattr(mi.fft, name)(x, **options),
            lambda x: getattr(torch.fft, name)(x, **named),
            [numbers(rng, (3, 6), kind)],
            wide=wide,
        )
