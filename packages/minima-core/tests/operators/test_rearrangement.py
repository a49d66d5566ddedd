"""What moves elements: views stay views, calls that fit nothing say so, plans keep the moves."""

import numpy as np
import pytest

import minima as mi

X = mi.arange(6).astype("float32").reshape(2, 3)

ERRORS = {
    "axis": (lambda: mi.flip(X, axis=2), mi.AxisRangeError, r"flip: axis 2 .*2 axes"),
    "axis index": (lambda: mi.flip(X, axis=2), IndexError, "flip: axis 2"),
    "moveaxis": (lambda: mi.moveaxis(X, (0, 1), 0), mi.ArgumentError, "moveaxis: got 2 axes"),
    "moveaxis twice": (lambda: mi.moveaxis(X, (0, 0), (0, 1)), mi.ArgumentError, "axis twice"),
    "unflatten": (lambda: mi.unflatten(X, 1, (2, -1)), mi.ShapeError, "unflatten: .*size 3"),
    "unflatten two": (lambda: mi.unflatten(X, 1, (-1, -1)), mi.ShapeError, "at most one"),
    "rot90": (lambda: mi.rot90(X, 1, (0,)), mi.ArgumentError, "rot90: .*two"),
    "roll": (lambda: mi.roll(X, (1, 2, 3), axis=(0, 1)), mi.ArgumentError, "roll: got 3 shifts"),
    "roll flat": (lambda: mi.roll(X, (1, 2)), mi.ArgumentError, "roll: got shifts"),
    "narrow": (lambda: mi.narrow(X, 1, 2, 2), mi.ShapeError, "narrow: .*size 3"),
    "repeat": (lambda: mi.repeat(X, -1), mi.ArgumentError, "repeat: got -1"),
    "repeat float": (lambda: mi.repeat(X, 1.5), mi.DTypeError, "repeat: .*integers"),
    "repeat shape": (lambda: mi.repeat(X, [1, 2], axis=1), mi.ShapeError, r"shape \(3,\)"),
    "tile": (lambda: mi.tile(X, (-1,)), mi.ArgumentError, "tile: "),
    "diag": (lambda: mi.diag(mi.zeros((1, 1, 1))), mi.ShapeError, "diag: .*one axis or two"),
    "diag_embed": (lambda: mi.diag_embed(1.0), mi.ShapeError, r"diag_embed: got shape \(\)"),
    "reshape": (lambda: mi.reshape(X.T, (6,), copy=False), mi.ArgumentError, "needs a copy"),
}


@pytest.mark.parametrize(("call", "error", "words"), ERRORS.values(), ids=ERRORS)
def test_errors(call, error, words):
    """Catch a call that fits nothing and is answered, or refused without a reason."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    "move",
    [
        lambda t: mi.flip(t),
        lambda t: mi.rot90(t),
        lambda t: mi.swapaxes(t, 0, 1),
        lambda t: mi.moveaxis(t, 0, 1),
        lambda t: mi.narrow(t, 1, 1, 2),
        lambda t: mi.ravel(t),
        lambda t: mi.unflatten(t, 1, (3, 1)),
        lambda t: mi.unsqueeze(t, 0),
        lambda t: mi.split(t, 2, 1)[0],
        lambda t: mi.unstack(t)[1],
        lambda t: mi.reshape(t, (6,), copy=False),
    ],
)
def test_views(move):
    """Catch a copy where a view was promised: what is written shows through."""
    t = X.clone()
    moved = move(t)
    moved += 10
    assert (t.numpy() != X.numpy()).sum() == moved.size


def test_diagonal_is_read_only_view():
    """Catch a diagonal that is a copy, or one that can be written."""
    t = X.clone()
    found = mi.diagonal(t)
    t[0, 0] = 9.0
    assert found.tolist() == [9.0, 4.0]


def test_reshape_copies():
    """Catch a copy=True that shares memory, and a gradient that is lost by it."""
    t = X.clone().requires_grad_()
    copy = mi.reshape(t, (6,), copy=True)
    copy.sum().backward()
    assert t.grad.tolist() == [[1.0] * 3] * 2
    other = mi.reshape(X, (6,), copy=True)
    other += 1
    assert X.numpy()[0, 0] == 0.0


def test_expand_dims_at_several():
    """Catch axes that are counted in the tensor instead of in the result."""
    for axes in ((0, -1), (2, 0), (1, 2, 4)):
        assert mi.expand_dims(X, axes).shape == np.expand_dims(X.numpy(), axes).shape


def test_compiled():
    """Catch a move that stops a function from being captured."""
    step = mi.compile(lambda t: mi.roll(mi.flip(mi.tile(t, 2), axis=1), 1, axis=0))
    for i in range(3):
        t = X + i
        assert step(t).tolist() == mi.roll(mi.flip(mi.tile(t, 2), axis=1), 1, axis=0).tolist()
    assert len(step.plans) == 1


def test_methods():
    """Catch a method that calls its function with arguments in another order."""
    a = X.numpy()
    assert np.array_equal(X.swapaxes(0, 1).numpy(), a.swapaxes(0, 1))
    assert np.array_equal(X.moveaxis(0, 1).numpy(), np.moveaxis(a, 0, 1))
    assert np.array_equal(X.flip(1).numpy(), np.flip(a, 1))
    assert np.array_equal(X.roll(1, 1).numpy(), np.roll(a, 1, 1))
    assert np.array_equal(X.repeat(2, axis=1).numpy(), a.repeat(2, 1))
    assert np.array_equal(X.tile((2, 1)).numpy(), np.tile(a, (2, 1)))
    assert np.array_equal(X.ravel().numpy(), a.ravel())
    assert X.unflatten(1, (3, 1)).shape == (2, 3, 1)
    assert X.unsqueeze(1).shape == (2, 1, 3)
    assert X.narrow(1, 1, 2).tolist() == a[:, 1:3].tolist()
    assert X.diagonal(1).tolist() == a.diagonal(1).tolist()
