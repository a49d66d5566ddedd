"""Complex numbers: their gradients, by PyTorch's convention, and where they are refused."""

import numpy as np
import pytest

import minima as mi
from minima.autograd import GradcheckError, gradcheck
from minima.operators import TABLE
from minima.testing.launch import call
from minima.testing.samples import SAMPLES

ops = mi.operators
#: real, finite results of few elements: rows that can be moved into the complex plane
SMALL = 48


def numbers(*shape, seed=0):
    """Return a complex leaf away from 0 and from the cuts of logarithms and roots."""
    rng = np.random.default_rng([seed, *shape])
    return mi.asarray(rng.uniform(0.3, 1.5, shape) + 1j * rng.uniform(0.2, 1.0, shape))


def c(*shape, seed=0):
    return numbers(*shape, seed=seed).requires_grad_()


def r(*shape, seed=0):
    return mi.real(numbers(*shape, seed=seed)).requires_grad_()


CALLS = {
    "multiply": (mi.multiply, [c(3), c(2, 1)]),
    "multiply real": (mi.multiply, [r(3), c(2, 1)]),
    "divide": (mi.divide, [c(3), c(3, seed=1)]),
    "divide real": (mi.divide, [r(3), c(3)]),
    "divide by real": (mi.divide, [c(3), r(3)]),
    "subtract": (lambda a, b: a - b, [r(3), c(3)]),
    "power": (lambda a, b: a**b, [c(3), c(3, seed=1)]),
    "square": (lambda a: a**2, [c(3)]),
    "cube": (lambda a: a**3, [c(3)]),
    "inverse": (lambda a: a**-1, [c(3)]),
    "complex number": (lambda a: a * (1 - 2j) + 1j, [r(3)]),
    "matmul": (mi.matmul, [c(2, 3), c(3, 2)]),
    "matmul of vectors": (mi.matmul, [c(3), c(3, seed=1)]),
    "matmul of batches": (mi.matmul, [c(4, 2, 3), c(3, 2)]),
    "matmul real": (mi.matmul, [r(2, 3), c(3, 2)]),
    "linear": (ops.linear, [c(2, 3), c(3, 2), c(2)]),
    "linear of batches": (ops.linear, [c(2, 2, 3), c(3, 2), c(2)]),
    "project": (ops.project, [c(2, 3), c(4, 3), c(4)]),
    "abs": (mi.abs, [c(3)]),
    "sign": (mi.sign, [c(3)]),
    "angle": (ops.angle, [c(3)]),
    "angle by log": (lambda x: mi.imag(mi.log(x)), [c(3)]),
    "mean": (lambda x: mi.mean(x, 0), [c(3, 2)]),
    "var": (lambda x: mi.var(x, 0), [c(3, 2)]),
    "real": (mi.real, [c(3)]),
    "imag": (mi.imag, [c(3)]),
    "conj": (mi.conj, [c(3)]),
    "real of real": (mi.real, [r(3)]),
    "imag of real": (mi.imag, [r(3)]),
    "size squared": (lambda x: mi.real(x * x.conj()), [c(3)]),
    "parts": (lambda x: x.real * x.imag, [c(3)]),
    "where": (lambda a, b: mi.where(mi.Tensor([True, False, True]), a, b), [c(3), r(3)]),
    "astype": (lambda x: x.astype("complex128") * 1j, [r(3)]),
    "stack": (lambda a, b: mi.stack([a, b]), [c(3), r(3)]),
    "index": (lambda x: x[1:] * x[0], [c(3)]),
    "lerp": (lambda a, b: ops.lerp(a, b, weight=0.3), [c(3), c(3, seed=1)]),
    "addcmul": (ops.addcmul, [c(3), c(3, seed=1), c(3, seed=2)]),
    "addcdiv": (ops.addcdiv, [c(3), c(3, seed=1), c(3, seed=2)]),
    "exp": (mi.exp, [c(3)]),
    "log": (mi.log, [c(3)]),
    "sqrt": (mi.sqrt, [c(3)]),
    "tanh": (mi.tanh, [c(3)]),
    "sin": (mi.sin, [c(3)]),
    "cos": (mi.cos, [c(3)]),
    "sigmoid": (lambda x: mi.sigmoid(x - 1), [c(3)]),
    "silu": (ops.silu, [c(3)]),
    "normalize": (ops.normalize, [c(2, 3)]),
    "pairwise_distance": (ops.pairwise_distance, [c(2, 3), c(3)]),
    "logsumexp": (lambda x: mi.logsumexp(x, axis=0), [c(3, 2)]),
    "logaddexp": (mi.logaddexp, [c(3), c(2, 1)]),
    "logcumsumexp": (lambda x: ops.logcumsumexp(x, axis=0), [c(3, 2)]),
    "conv1d": (lambda *t: ops.conv1d(*t, stride=2, padding=1), [c(2, 2, 4), c(2, 2, 2), c(2)]),
    "conv2d": (lambda *t: ops.conv2d(*t, groups=2), [c(1, 2, 3, 3), c(2, 1, 2, 2), c(2)]),
    "conv2d of real": (ops.conv2d, [r(1, 1, 2, 3), c(1, 1, 2, 2), r(1)]),
    "conv3d": (lambda *t: ops.conv3d(*t, padding="same"), [c(1, 2, 2, 2), c(1, 1, 2, 1, 2)]),
    "conv_transpose1d": (
        lambda *t: ops.conv_transpose1d(*t, stride=2, output_padding=1),
        [c(1, 2, 3), c(2, 1, 2), c(1)],
    ),
    "conv_transpose2d": (
        lambda *t: ops.conv_transpose2d(*t, dilation=2, groups=2),
        [c(1, 2, 2, 2), c(2, 1, 2, 1)],
    ),
    "conv_transpose3d": (ops.conv_transpose3d, [c(1, 1, 2, 2), c(1, 1, 2, 1, 2), c(1)]),
}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", CALLS)
def test_gradient(name, order):
    """The gradient is the slope along the real and along the imaginary part."""
    function, inputs = CALLS[name]
    assert gradcheck(function, inputs, order=order)


@pytest.mark.parametrize("name", [n for n, entry in TABLE.items() if entry.differentiable])
def test_operator(name):
    """Each operator's gradient is right for complex inputs, or it takes none: never wrong."""
    rng, rows = np.random.default_rng(0), 0
    for sample in SAMPLES:
        arrays = [a for a in sample.arrays() if isinstance(a, np.ndarray)]
        if sample.operator != name or not sample.smooth or not sample.floating or rows == 2:
            continue
        if any(not 0 < a.size <= SMALL for a in arrays) or sample.expected().dtype.kind != "f":
            continue
        given = [
            mi.asarray(a + 1j * rng.uniform(0.2, 1.0, a.shape)).requires_grad_()
            if isinstance(a, np.ndarray) and a.dtype.kind == "f"
            else a
            for a in sample.arrays()
        ]
        given = [mi.asarray(a) if isinstance(a, np.ndarray) else a for a in given]
        rows += 1
        for order in (1, 2):
            try:
                gradcheck(
                    lambda *t, sample=sample: call(sample, list(t)),
                    given,
                    order=order,
                    rtol=1e-5,
                    fast=True,
                )
            except GradcheckError:
                raise
            except mi.MinimaError:
                break  # complex inputs are refused


def test_convention():
    """The gradient of a real loss is dL/du + i dL/dv: steepest ascent."""
    x = mi.Tensor([3 + 4j], requires_grad=True)
    loss = (mi.abs(x) ** 2).sum()
    loss.backward()
    assert x.grad.dtype == "complex64"
    assert x.grad.tolist() == [6 + 8j]


def test_kinks():
    """abs and sign have gradient 0 at 0."""
    for function in (mi.abs, mi.sign):
        x = mi.Tensor([0j, 3 + 4j], requires_grad=True)
        mi.real(function(x)).sum().backward()
        assert x.grad.tolist()[0] == 0
    x = mi.Tensor([3 + 4j], requires_grad=True)
    mi.abs(x).sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), [0.6 + 0.8j], rtol=1e-6)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_dtypes(dtype):
    """Gradients keep their input's type; that of a real input of a complex result is real."""
    part = "float32" if dtype == "complex64" else "float64"
    x = mi.Tensor([1 + 2j], dtype=dtype, requires_grad=True)
    w = mi.Tensor([2.0], dtype=part, requires_grad=True)
    y = x * w
    assert (y.dtype, mi.abs(y).dtype, y.real.dtype, y.imag.dtype) == (dtype, part, part, part)
    assert mi.var(y).dtype == part
    (mi.abs(y) ** 2).sum().backward()
    assert (x.grad.dtype, w.grad.dtype) == (dtype, part)
    assert w.grad.item() == pytest.approx(20.0)


def test_spacing():
    """Catches the spacing of float32 in what divides complex128 by its size."""
    x = mi.Tensor([3e-9 + 0j, 4e-9], dtype="complex128")
    expected = ops.rms_norm(mi.real(x))
    np.testing.assert_allclose(ops.rms_norm(x).numpy(), expected.numpy(), rtol=1e-12)


def test_conj_of_real():
    """A real tensor is its own conjugate: no copy, no node."""
    x = mi.Tensor([1.0], requires_grad=True)
    assert mi.conj(x) is x
    assert x.conj() is x
    z = mi.Tensor([1 + 1j], requires_grad=True)
    assert mi.conj(z).tolist() == [1 - 1j]


def test_backward_of_a_complex_output():
    """Without a gradient there is no direction: the error says what to give."""
    x = mi.Tensor([1 + 2j], requires_grad=True)
    with pytest.raises(mi.AutogradError, match=r"complex64 needs its gradient given.*mi\.real"):
        (x * 2).sum().backward()
    (x * 2).sum().backward(mi.Tensor(1j))
    assert x.grad.tolist() == [2j]
    with pytest.raises(mi.DTypeError, match="expected a real gradient"):
        mi.abs(x).backward(mi.Tensor([1j]))


@pytest.mark.parametrize(
    "function",
    [
        *(mi.relu, ops.erf, ops.gelu, ops.softmax, ops.layer_norm, ops.leaky_relu, ops.elu),
        *(ops.celu, ops.selu, ops.relu6, ops.hardtanh, ops.hardsigmoid, ops.hardswish),
        *(ops.hardshrink, ops.softshrink, ops.rrelu, ops.histogram),
    ],
    ids=lambda f: f.__name__,
)
def test_refused(function):
    """An operator for real numbers says so, instead of answering wrongly."""
    with pytest.raises(mi.DTypeError, match=r"expected real numbers: take .*mi\.real"):
        function(mi.Tensor([1 + 2j, 3.0]))


def test_composed_at_infinity():
    """What is composed of complex numbers neither overflows nor leaves its range, nor warns."""
    inf = float("inf")
    x = mi.Tensor([-1e3 + 2j, 1e3 + 2j, inf, -inf], dtype="complex128")
    assert mi.sigmoid(x).tolist() == [0, 1, 1, 0]
    assert mi.logsumexp(x[:2]).tolist() == 1e3 + 2j
    assert mi.logsumexp(x[3:]).tolist() == -inf
    assert mi.logaddexp(x, x[2:].tile(2)).tolist() == [inf, 1e3 + 2j, inf, -inf]


def test_cast_to_real():
    """A cast that would drop the imaginary part is refused; one to bool drops nothing."""
    x = mi.Tensor([1 + 2j, 0j])
    with pytest.raises(mi.DTypeError, match=r"complex64 to float32 would drop .*mi\.real"):
        x.astype("float32")
    assert x.astype("bool").tolist() == [True, False]


def test_wrong_conjugate_is_found(monkeypatch):
    """A gradient without its conjugate is right for real inputs only: gradcheck tells."""
    monkeypatch.setattr(TABLE["exp"], "rule", lambda g, y, x: g * y)
    assert gradcheck(mi.exp, r(3))
    with pytest.raises(GradcheckError, match=r"element \[\d\] \((real|imaginary) part\)"):
        gradcheck(mi.exp, c(3))
    assert not gradcheck(mi.exp, c(3), raise_exception=False)


def test_training():
    """A complex weight is learned by steps against its gradient."""
    x = numbers(16, 3)
    true = mi.Tensor(np.array([1 - 1j, 0.5j, -2.0]))
    w = mi.zeros(3, dtype="complex128", requires_grad=True)
    for _ in range(300):
        loss = (mi.abs(x @ w - x @ true) ** 2).mean()
        loss.backward()
        with mi.no_grad():
            w -= 0.2 * w.grad
            w.grad = None
    assert loss.item() < 1e-2


def test_compiled():
    """A plan of complex operations gives what eager code does."""

    @mi.compile
    def step(x, w):
        loss = (mi.abs(x * w + mi.exp(w)) ** 2).sum()
        return loss, mi.autograd.grad(loss, w)[0]

    for n in range(4):
        x, w = numbers(5, seed=n), c(5, seed=n + 9)
        _, g = step(x, w)
        (expected,) = mi.autograd.grad((mi.abs(x * w + mi.exp(w)) ** 2).sum(), w)
        np.testing.assert_allclose(g.numpy(), expected.numpy(), rtol=1e-12)
