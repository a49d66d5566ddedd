"""Statistics: types of sums, errors, quantiles against NumPy, weights with gradients."""

import numpy as np
import pytest

import minima as mi

X = mi.Tensor([[1.0, 2.0, 4.0]])

ERRORS = {
    "quantile": (lambda: mi.quantile(X, 1.5), mi.ArgumentError, "quantile: got q=1.5"),
    "method": (lambda: mi.quantile(X, 0.5, method="best"), mi.ArgumentError, "method='best'"),
    "median": (lambda: mi.median(mi.ones(0)), mi.ShapeError, "nothing to choose from"),
    "diff": (lambda: mi.diff(X, n=-1), mi.ArgumentError, "diff: got n=-1"),
    "diff 0-d": (lambda: mi.diff(1.0), mi.ShapeError, "diff: "),
    "bincount": (lambda: mi.bincount(X[0]), mi.DTypeError, "bincount: .*integers"),
    "bincount axes": (lambda: mi.bincount([[1]]), mi.ShapeError, "bincount: .*one axis"),
    "bincount below": (lambda: mi.bincount([-1]), mi.ArgumentError, "bincount: got -1"),
    "weights": (lambda: mi.bincount([1], X[0]), mi.ShapeError, "weights of shape"),
    "bins": (lambda: mi.histogram(X, 0), mi.ArgumentError, "histogram: .*bins=0"),
    "range": (lambda: mi.histogram(X, 2, (1.0, 0.0)), mi.ArgumentError, "histogram: .*range"),
}


@pytest.mark.parametrize(("call", "error", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(call, error, words):
    """Catch a call that fits nothing and is answered, or refused without a reason."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("function", [mi.sum, mi.prod])
@pytest.mark.parametrize(
    ("given", "dtype", "wanted"),
    [
        ("int8", None, "int64"),
        ("uint16", None, "uint64"),
        ("bool", None, "int64"),
        ("float16", None, "float16"),
        ("complex64", None, "complex64"),
        ("int64", "int8", "int8"),
        ("int8", "float32", "float32"),
        ("float32", "float64", "float64"),
    ],
)
def test_dtypes(function, given, dtype, wanted):
    """Catch a sum that overflows in the type of its terms, and a dtype that is not kept."""
    x = mi.asarray(np.array([[1, 2, 1]]), dtype=given)
    assert function(x, axis=1, dtype=dtype).dtype == wanted


def test_cast_before_the_sum():
    """Catch a sum that overflows before it is cast; and a gradient that is lost by the cast."""
    x = mi.asarray(np.full(2, 60000.0, "float16")).requires_grad_()
    y = mi.sum(x, dtype="float32")
    assert y.item() == 120000.0 - 2 * (60000 - float(np.float16(60000)))
    y.backward()
    assert (x.grad.tolist(), x.grad.dtype) == ([1.0, 1.0], "float16")


@pytest.mark.parametrize("method", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [0.0, 0.1, 0.25, 0.5, 0.75, 1.0, [0.2, 0.9]])
def test_quantiles(q, method):
    """Catch an index that is off by one: at the ends, and where the rank is whole."""
    for size in (1, 2, 5, 8):
        x = np.random.default_rng(size).normal(size=(3, size))
        found = mi.quantile(mi.asarray(x), q, axis=1, method=method)
        np.testing.assert_allclose(found.numpy(), np.quantile(x, q, 1, method=method), rtol=1e-12)


def test_no_quantiles():
    """Catch a result for no shares of another type or shape."""
    x = mi.ones((2, 3), dtype="float64")
    assert mi.quantile(x, [], 1).shape == (0, 2)
    assert mi.quantile(x, [], 1, keepdims=True).shape == (0, 2, 1)
    assert mi.quantile(x, []).dtype == "float64"


def test_many_halves():
    """Catch a count of elements that is rounded in their type."""
    x = mi.ones(5000, dtype="float16")
    assert mi.nanmean(x).item() == 1.0


def test_counts_with_weights():
    """Catch weights whose gradient goes to another place."""
    w = mi.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    (mi.bincount([2, 0, 2], w) * mi.Tensor([1.0, 10.0, 100.0])).sum().backward()
    assert w.grad.tolist() == [100.0, 1.0, 100.0]
    w.grad = None
    found = mi.histogram(mi.Tensor([0.0, 0.5, 9.0]), 2, (0.0, 1.0), weights=w)
    assert found.counts.tolist() == [1.0, 2.0]
    found.counts.sum().backward()
    assert w.grad.tolist() == [1.0, 1.0, 0.0]


def test_diff_joins_its_ends():
    """Catch ends that are joined after the differences, or whose gradient is lost."""
    x = mi.Tensor([1.0, 4.0], requires_grad=True)
    end = mi.Tensor([0.0], requires_grad=True)
    y = mi.diff(x, prepend=end, append=[9.0], n=2)
    assert y.tolist() == [2.0, 2.0]
    (y * mi.Tensor([1.0, 10.0])).sum().backward()
    assert (x.grad.tolist(), end.grad.tolist()) == ([8.0, -19.0], [1.0])


def test_methods():
    """Catch a method that calls another function."""
    assert X.prod(1).tolist() == [8.0]
    assert X.sum(1, dtype="float64").dtype == X.prod(dtype="float64").dtype == "float64"
    assert X.std(1, correction=1).tolist() == pytest.approx([np.std([1, 2, 4], ddof=1)])
    assert X.median().item() == 2.0
    assert X.quantile(0.0, 1).tolist() == [1.0]
    assert mi.Tensor([1.0, float("nan")]).nansum().item() == 1.0
    assert mi.Tensor([1.0, float("nan")]).nanmean().item() == 1.0
