"""Sorting and picking: stability, ties, NaN, errors, and compiled functions."""

import numpy as np
import pytest

import minima as mi

X = mi.Tensor([[2.0, 3.0, 1.0]])

ERRORS = {
    "0-d": (lambda: mi.sort(mi.ones(())), mi.AxisRangeError, r"sort: .*shape \(\)"),
    "topk": (lambda: mi.topk(X, 4), mi.ShapeError, "topk: got k=4 .*size 3"),
    "topk below": (lambda: mi.topk(X, -1), mi.ArgumentError, "topk: got k=-1"),
    "kthvalue": (lambda: mi.kthvalue(X, 0), mi.ArgumentError, "kthvalue: got k=0"),
    "kthvalue size": (lambda: mi.kthvalue(X, 4), mi.ShapeError, "kthvalue: got k=4"),
    "searchsorted": (lambda: mi.searchsorted(X, X), mi.ShapeError, "searchsorted: .*one axis"),
    "side": (lambda: mi.searchsorted(X[0], X, side="up"), mi.ArgumentError, "side='up'"),
    "sorter": (
        lambda: mi.searchsorted(X[0], X, sorter=mi.Tensor([0])),
        mi.ShapeError,
        "searchsorted: .*sorter",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(call, error, words):
    """Catch a call that fits nothing and is answered, or refused without a reason."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "int8", "bool"])
def test_stable_both_ways(dtype, descending):
    """Catch equal elements that change places: most of all where the order is reversed."""
    x = np.random.default_rng(0).integers(0, 3, 200).astype(dtype)
    found = mi.argsort(mi.asarray(x), descending=descending).numpy()
    key = -x.astype(int) if descending else x
    assert np.array_equal(found, np.argsort(key, kind="stable"))


@pytest.mark.parametrize("descending", [False, True])
def test_second_order(descending):
    """Catch a gradient of a sorted tensor that goes to other places the second time."""
    x = mi.Tensor([2.0, 3.0, 1.0], requires_grad=True)
    y = (mi.sort(x, descending=descending) ** 3 * mi.Tensor([1.0, 2.0, 3.0])).sum()
    (g,) = mi.autograd.grad(y, [x], create_graph=True)
    (gg,) = mi.autograd.grad(g.sum(), [x])
    weight = [2.0, 1.0, 3.0] if descending else [2.0, 3.0, 1.0]
    np.testing.assert_allclose(gg.numpy(), 6 * x.detach().numpy() * weight)


def test_compiled():
    """Catch a plan that sorts each input into the order of the first."""

    two = mi.Tensor([1.0, 2.0])

    def step(x):
        x = x.detach().requires_grad_()
        y = mi.topk(x, 2).values * two + mi.sort(x)[:2]
        return y.detach(), *mi.autograd.grad(y.sum(), [x])

    compiled = mi.compile(step)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = mi.asarray(rng.normal(size=7).astype("float32"))
        for a, b in zip(compiled(x), step(x)):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
    assert len(compiled.plans) == 1


def test_methods():
    """Catch a method that calls another function."""
    assert X.sort(descending=True).tolist() == [[3.0, 2.0, 1.0]]
    assert X.argsort().tolist() == [[2, 0, 1]]
    assert X.topk(1).indices.tolist() == [[1]]
    assert X.kthvalue(1).values.tolist() == [1.0]
