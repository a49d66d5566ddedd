"""Functions that PyTorch's and NumPy's users reach for, where rows of samples cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

import minima as mi

X = mi.Tensor([3.0, 1.0, 3.0])


def test_what_takes_several_tensors():
    """Catches blocks and tuples in another order, and gradients that get lost in them."""
    a, b = mi.Tensor([1.0, 2.0], requires_grad=True), mi.Tensor([3.0, 4.0, 5.0])
    pairs = mi.cartesian_prod(a, b)
    assert pairs.tolist() == [[i, j] for i in (1.0, 2.0) for j in (3.0, 4.0, 5.0)]
    blocks = mi.block_diag(a, mi.Tensor([[6], [7]]), 8)
    expected = [[1, 2, 0, 0], [0, 0, 6, 0], [0, 0, 7, 0], [0, 0, 0, 8]]
    assert blocks.tolist() == expected
    assert blocks.dtype == "float32"
    (pairs.sum() + blocks.sum()).backward()
    assert a.grad.tolist() == [4.0, 4.0]


@pytest.mark.parametrize("size", [(3, 3, 0), (2, 4, 1), (4, 2, -1), (0, 3, 0)])
def test_triangles_of_indices(size):
    """Catches an offset to the wrong side."""
    rows, columns, offset = size
    for name in ("tril_indices", "triu_indices"):
        found = getattr(mi, name)(rows, columns, offset)
        np.testing.assert_array_equal(found.numpy(), getattr(np, name)(rows, offset, columns))
        assert found.dtype == "int64"


def test_logspace():
    """Catches a base that is taken for ten."""
    np.testing.assert_allclose(mi.logspace(0, 3, 4, base=2.0).numpy(), [1, 2, 4, 8])
    assert mi.logspace(0, 1).shape == (50,)


def test_allclose_is_an_answer_of_python():
    """Catches a Tensor, which ``assert x is True`` and JSON do not take."""
    assert mi.allclose(X, X + 1e-7) is True
    assert mi.allclose(X, [3.0, 1.1, 3.0]) is False
    assert mi.allclose(mi.zeros(0), mi.zeros(0)) is True
    assert mi.allclose(X * float("nan"), X * float("nan"), equal_nan=True)


def test_repeat_interleave():
    """Catches the form of one argument taken for the other."""
    assert mi.repeat_interleave(X, 2, axis=0).tolist() == [3, 3, 1, 1, 3, 3]
    assert mi.repeat_interleave(mi.Tensor([2, 0, 1])).tolist() == [0, 0, 2]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: mi.index_copy(X, 0, [0], [1.0, 2.0]), mi.ShapeError, r"index_copy: got rows"),
        (lambda: mi.index_copy(X, 0, [5], [1.0]), mi.errors.IndexRangeError, "5"),
        (lambda: mi.index_fill(X, 0, [0], [1.0]), mi.ShapeError, "expected one number"),
        (lambda: mi.masked_scatter(X, X > 0, [1.0]), mi.errors.IndexRangeError, "range"),
        (lambda: mi.masked_scatter(X, X > 0, mi.zeros(0)), mi.errors.IndexRangeError, "range"),
        (lambda: mi.scatter_reduce(X, 0, [0], [1.0], "max"), mi.ArgumentError, "amax"),
        (lambda: mi.hsplit(X, 2), mi.ShapeError, "array_split"),
        (lambda: mi.vsplit(X, 1), mi.ShapeError, "at least 2 axes"),
        (lambda: mi.nanquantile(X, 2.0), mi.ArgumentError, "nanquantile: got q=2.0"),
        (lambda: mi.cov(X, fweights=[1.0]), mi.ShapeError, "fweights"),
        (lambda: mi.cartesian_prod(), mi.ShapeError, "no arrays"),
        (lambda: mi.block_diag(mi.zeros((1, 1, 1))), mi.ShapeError, "expected matrices"),
        (lambda: mi.select(X, 0, 7), mi.errors.IndexRangeError, "7"),
        (lambda: mi.trapezoid(X, [1.0, 2.0]), mi.ShapeError, "a place for each point"),
        (lambda: mi.tril_indices(-1), mi.ArgumentError, "at least 0"),
    ],
)
def test_what_does_not_fit(call, error, words):
    """Catches an error of NumPy's from inside, or an answer that nobody asked for."""
    with pytest.raises(error, match=words):
        call()
