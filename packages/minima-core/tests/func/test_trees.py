"""Nested arguments and results of transforms, and the options of vmap beside its axes."""

import numpy as np
import pytest

import minima as mi
from minima.func import jvp, linearize, vjp, vmap


def test_the_order_of_keys_does_not_count():
    """Catches gradients that go to the key that stands at the same place, not to the same key."""
    primal = {"a": mi.Tensor([1.0, 2.0]), "b": mi.Tensor([3.0, 4.0])}
    one, ten = mi.Tensor([1.0, 1.0]), mi.Tensor([10.0, 10.0])

    def function(p):
        return {"x": p["a"] * 2, "y": p["b"] * 3}

    y, along = jvp(function, (primal,), ({"b": ten, "a": one},))
    assert list(y) == ["x", "y"]
    assert along["x"].tolist() == [2.0, 2.0]
    assert along["y"].tolist() == [30.0, 30.0]
    _, back = vjp(function, primal)
    (found,) = back({"y": ten, "x": one})
    assert found["a"].tolist() == [2.0, 2.0]
    assert found["b"].tolist() == [30.0, 30.0]
    with pytest.raises(mi.ArgumentError, match="vjp: the gradients are nested"):
        back((one, ten))
    with pytest.raises(mi.ArgumentError, match="jvp: the tangents are nested"):
        jvp(function, (primal,), ((one, ten),))
    x = {"p": mi.ones((2, 3)), "q": mi.ones((3, 2))}
    out = vmap(lambda d: {"v": d["q"].sum() * 2, "u": d["p"]}, ({"q": 1, "p": 0},))(x)
    assert list(out) == ["v", "u"]
    assert out["u"].shape == (2, 3)


def test_linearize_is_jvp_many_times():
    """Catches a derivative that can be asked for once, or not within vmap."""
    x, y = mi.Tensor([1.0, 2.0]), {"k": mi.Tensor([3.0, 4.0])}

    def function(x, y):
        return mi.tanh(x) * y["k"], (x * x).sum()

    value, along = linearize(function, x, y)
    for t in (mi.Tensor([1.0, 0.0]), mi.Tensor([0.5, 2.0])):
        expected = jvp(function, (x, y), (t, {"k": t * 2}))
        for a, b in zip((value, along(t, {"k": t * 2})), expected, strict=True):
            for got, want in zip(a, b, strict=True):
                np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-6)
    many = vmap(lambda t: along(t, {"k": t})[1])(mi.eye(2))
    assert many.tolist() == [2.0, 4.0]
    with pytest.raises(mi.ArgumentError, match="linearize: the tangents are nested"):
        along(x, x)


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_chunks(size):
    """Catches a chunk that is lost, or joined along another axis."""
    x, w = mi.asarray(np.arange(15.0).reshape(3, 5)), mi.Tensor([1.0, 2.0, 3.0])

    def function(column, w):
        return {"p": column * w, "s": (column * w).sum()}

    axes = {"in_dims": (1, None), "out_dims": {"p": 1, "s": 0}}
    found = vmap(function, **axes, chunk_size=size)(x, w)
    whole = vmap(function, (1, None), {"p": 1, "s": 0})(x, w)
    for name in ("p", "s"):
        np.testing.assert_array_equal(found[name].numpy(), whole[name].numpy())


def test_random_numbers_of_chunks():
    """Catches chunks that draw others where all elements are to draw the same."""

    def drawn(x):
        return mi.dropout(x + 1, 0.5)

    x = mi.zeros((4, 100))
    same = vmap(drawn, randomness="same", chunk_size=2)(x).numpy()
    assert (same == same[0]).all()
    other = vmap(drawn, randomness="different", chunk_size=2)(x).numpy()
    assert (other[:2] != other[2:]).any()


def test_options_that_are_none():
    with pytest.raises(mi.ArgumentError, match="chunk_size=0"):
        vmap(mi.exp, chunk_size=0)
    with pytest.raises(mi.SignatureError, match="unexpected keyword 'dims'"):
        vmap(mi.exp, dims=0)
