"""What is left to chance: how often, how much, from which generator."""

import numpy as np
import pytest

import minima as mi

N = 20000


def noise(*shape):
    return mi.Tensor(np.random.default_rng(0).normal(size=shape))


def test_dropout_keeps_the_mean_and_the_gradient_follows_the_mask():
    """Fault: a share of p kept, a scale forgotten, another mask in the gradient."""
    x = mi.ones(N, dtype="float64", requires_grad=True)
    y = mi.dropout(x, 0.3, generator=mi.Generator(0))
    kept = y.numpy() > 0
    assert abs(kept.mean() - 0.7) < 0.02
    np.testing.assert_allclose(y.numpy()[kept], 1.0 / 0.7)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


@pytest.mark.parametrize(
    ("function", "shape", "axes"),
    [
        (mi.dropout1d, (40, 50, 3), 2),
        (mi.dropout1d, (400, 3), 1),
        (mi.dropout2d, (40, 50, 2, 3), 2),
        (mi.dropout2d, (40, 50, 3), 2),
        (mi.dropout3d, (40, 50, 2, 1, 3), 2),
        (mi.dropout3d, (400, 2, 1, 3), 1),
        (mi.feature_alpha_dropout, (40, 50, 3), 2),
    ],
)
def test_whole_channels(function, shape, axes):
    """Fault: elements dropped one by one, or one mask for all samples."""
    y = function(mi.ones(shape), 0.5, generator=mi.Generator(0)).numpy()
    flat = y.reshape(*shape[:axes], -1)
    assert (flat == flat[..., :1]).all()
    dropped = flat[..., 0] < 1.0
    assert 0.35 < dropped.mean() < 0.65
    assert axes == 1 or len({tuple(row) for row in dropped}) > 1


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(p):
    """Fault: another scale or shift."""
    y = mi.alpha_dropout(noise(10 * N), p, generator=mi.Generator(0)).numpy()
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1.0) < 0.03


def test_the_seed_decides():
    """Fault: numbers from elsewhere than the generator of the device, or the one given."""
    x = mi.ones(50)
    for function in (
        mi.dropout,
        mi.alpha_dropout,
        mi.gumbel_softmax,
        lambda x: mi.rrelu(-x, training=True),
    ):
        mi.manual_seed(3)
        first, second = function(x).tolist(), function(x).tolist()
        mi.manual_seed(3)
        assert function(x).tolist() == first != second


def test_rrelu_draws_slopes_between_its_limits():
    """Fault: one slope for all, or slopes for positive elements."""
    y = mi.rrelu(mi.full(N, -1.0), 0.2, 0.6, True, generator=mi.Generator(0)).numpy()
    assert y.min() >= -0.6
    assert y.max() <= -0.2
    assert abs(y.mean() + 0.4) < 0.01
    assert (mi.rrelu(mi.ones(9), 0.2, 0.6, True).numpy() == 1.0).all()


def test_gumbel_softmax_draws_as_softmax_says():
    """Fault: noise of another distribution; a gradient that ends at the choice."""
    logits = mi.Tensor([0.0, 1.0, 2.0], requires_grad=True)
    wide = mi.broadcast_to(logits, (N, 3))
    y = mi.gumbel_softmax(wide, hard=True, generator=mi.Generator(0))
    assert sorted({float(v) for v in y.numpy().ravel()}) == [0.0, 1.0]
    expected = np.exp([0.0, 1.0, 2.0]) / np.exp([0.0, 1.0, 2.0]).sum()
    np.testing.assert_allclose(y.numpy().mean(axis=0), expected, atol=0.02)
    (y * mi.Tensor([1.0, 2.0, 4.0])).sum().backward()
    assert (logits.grad.numpy() != 0).all()
    shares = mi.gumbel_softmax(wide, 0.5, generator=mi.Generator(0)).numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-5)
    assert (shares.argmax(axis=1) == y.numpy().argmax(axis=1)).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_types_stay(dtype):
    """Fault: a mask, or noise, of another type."""
    x = mi.ones((2, 3, 4), dtype=dtype)
    for function in (
        mi.dropout,
        mi.dropout1d,
        mi.dropout2d,
        mi.alpha_dropout,
        mi.feature_alpha_dropout,
        mi.gumbel_softmax,
    ):
        assert function(x).dtype == dtype
    assert mi.rrelu(-x, training=True).dtype == dtype
