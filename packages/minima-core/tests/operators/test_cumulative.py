"""Accumulation: keywords of the standard, and products whose factors are 0."""

import numpy as np
import pytest

import minima as mi
from minima.testing import gradcheck

ERRORS = {
    "no axis": (lambda: mi.cumulative_sum(mi.ones((2, 2))), mi.ShapeError, "without axis"),
    "0-d": (lambda: mi.cumulative_prod(mi.ones(())), mi.ShapeError, r"shape \(\)"),
    "axis": (lambda: mi.cummax(mi.ones(2), 1), mi.AxisRangeError, "cummax: axis 1"),
    "cummin": (lambda: mi.cummin(mi.ones(()), 0), mi.AxisRangeError, "cummin: "),
}


@pytest.mark.parametrize(("call", "error", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(call, error, words):
    """Catch a call that fits nothing and is answered, or refused without a reason."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("function", [mi.cumulative_sum, mi.cumulative_prod])
@pytest.mark.parametrize(
    ("given", "wanted"), [("int8", "int64"), ("uint8", "uint64"), ("bool", "int64")]
)
def test_small_integers(function, given, wanted):
    """Catch sums that overflow in the type of their terms."""
    x = mi.asarray(np.array([1, 1, 1]), dtype=given)
    assert function(x).dtype == wanted
    assert function(x, dtype="int8").dtype == "int8"
    assert function(x, dtype="float16").dtype == "float16"


def test_initial():
    """Catch the value of no elements at the wrong end, in another type, or on another axis."""
    x = mi.asarray(np.array([[2.0, 3.0], [4.0, 5.0]], "float16"))
    found = mi.cumulative_prod(x, axis=1, include_initial=True)
    assert (found.tolist(), found.dtype) == ([[1.0, 2.0, 6.0], [1.0, 4.0, 20.0]], "float16")
    assert mi.cumulative_sum(mi.ones(0), include_initial=True).tolist() == [0.0]


@pytest.mark.parametrize("values", [[2.0, 0.0, 3.0, 4.0], [0.0, 2.0, 0.0, 3.0], [0.0] * 4])
@pytest.mark.parametrize("function", [mi.prod, mi.cumprod])
def test_gradients_beside_zeros(function, values):
    """Catch a gradient, or one of second order, that divides by 0 or forgets a factor."""
    x = mi.Tensor(values, dtype="float64", requires_grad=True)
    for order in (1, 2):
        gradcheck(function, [x], order=order)


def test_logcumsumexp_keeps_the_small():
    """Catch one maximum for all: terms far below it would be lost."""
    x = mi.Tensor([-1000.0, -1000.0, 1000.0], requires_grad=True)
    y = mi.logcumsumexp(x)
    np.testing.assert_allclose(y.numpy()[:2], [-1000.0, -1000.0 + np.log(2)], rtol=1e-6)
    y[1].backward()
    np.testing.assert_allclose(x.grad.numpy(), [0.5, 0.5, 0.0])


@pytest.mark.parametrize("size", [1, 2, 3, 31, 32, 33])
def test_running_extremes_of_any_length(size):
    """Catch ranges that miss an element where the length is no power of two."""
    x = np.random.default_rng(0).normal(size=(3, size)).astype("float32")
    ours = mi.cummax(mi.asarray(x), 1)
    assert np.array_equal(ours.values.numpy(), np.maximum.accumulate(x, 1))
    assert np.array_equal(np.take_along_axis(x, ours.indices.numpy(), 1), ours.values.numpy())


def test_compiled():
    """Catch a running extreme, or its gradient, of which a plan keeps the indices of one call."""

    def step(x):
        x = x.detach().requires_grad_()
        y = mi.cummax(x).values + mi.cumprod(x)
        return y.detach(), *mi.autograd.grad(y.sum(), [x])

    compiled = mi.compile(step)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = mi.asarray(rng.normal(size=9).astype("float32"))
        for a, b in zip(compiled(x), step(x)):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    assert len(compiled.plans) == 1


def test_methods():
    """Catch a method that calls another function."""
    x = mi.Tensor([[3.0, 1.0], [2.0, 4.0]])
    assert x.cumsum(1).tolist() == [[3.0, 4.0], [2.0, 6.0]]
    assert x.cumprod(0).tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert x.cummax(1).values.tolist() == [[3.0, 3.0], [2.0, 4.0]]
    assert x.cummin(1).indices.tolist() == [[0, 1], [0, 0]]
    assert x.diff().tolist() == [[-2.0], [2.0]]
    assert x.logcumsumexp(0).shape == (2, 2)


@pytest.mark.parametrize(
    "function",
    [mi.sum, mi.prod, mi.cumsum, mi.cumprod, mi.mean, lambda t: mi.diagonal(mi.diag(t), 0)],
)
def test_complex(function):
    """Catch a gradient that lacks the conjugate of the other factors."""
    x = mi.asarray(np.array([1.0 + 2.0j, 0.5 - 1.0j, 0.0, 2.0j])).requires_grad_()
    for order in (1, 2):
        gradcheck(function, [x], order=order)
