"""Cutting and joining: all parts together are the whole, and what fits nothing is refused."""

import numpy as np
import pytest

import minima as mi

X = mi.arange(10).astype("float32").reshape(2, 5)

ERRORS = {
    "split sizes": (lambda: mi.split(X, (2, 2), 1), mi.ShapeError, "split: .*add up to 5"),
    "split": (lambda: mi.split(X, 0), mi.ArgumentError, "split: got size 0"),
    "chunk": (lambda: mi.chunk(X, 0), mi.ArgumentError, "chunk: got 0"),
    "array_split": (lambda: mi.array_split(X, 0), mi.ArgumentError, "array_split: got 0"),
    "concat": (lambda: mi.concat([X, mi.ones(2)]), mi.ShapeError, "concat: "),
}


@pytest.mark.parametrize(("call", "error", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(call, error, words):
    """Catch a call that fits nothing and is answered, or refused without a reason."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "cut",
    [
        lambda t: mi.split(t, 2, 1),
        lambda t: mi.split(t, (1, 0, 4), 1),
        lambda t: mi.chunk(t, 3, 1),
        lambda t: mi.chunk(t, 9, 1),
        lambda t: mi.array_split(t, 7, 1),
        lambda t: mi.array_split(t, [3, 1, 9], 1)[::2],
        lambda t: t.split(2, 1),
        lambda t: t.chunk(2, 1),
    ],
)
def test_parts_make_the_whole(cut):
    """Catch an element that is in no part, or in two; and a gradient that misses one."""
    t = X.clone().requires_grad_()
    parts = cut(t)
    if sum(p.size for p in parts) == t.size:
        assert mi.concat(parts, axis=1).tolist() == X.tolist()
        mi.concat(parts, axis=1).sum().backward()
        assert t.grad.tolist() == mi.ones((2, 5)).tolist()


def test_array_split_before_each_index():
    """Catch indices that go back, or past the end, and are read in another way than NumPy's."""
    for ends in ([3, 1, 9], [-2], []):
        ours, theirs = mi.array_split(X, ends, 1), np.array_split(X.numpy(), ends, 1)
        assert [t.tolist() for t in ours] == [t.tolist() for t in theirs]


def test_unstack():
    """Catch parts along another axis."""
    for t in (mi.unstack(X, axis=1), X.unbind(1), X.unstack(1)):
        assert [p.tolist() for p in t] == X.T.tolist()


def test_concat_of_flat_tensors():
    """Catch a gradient that has the shape of the flat tensor."""
    a, b = mi.ones((2, 2), requires_grad=True), mi.ones(3, requires_grad=True)
    (mi.concat([a, b], axis=None) * mi.arange(7)).sum().backward()
    assert a.grad.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert b.grad.tolist() == [4.0, 5.0, 6.0]
