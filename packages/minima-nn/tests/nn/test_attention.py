"""MultiheadAttention; its values are compared with PyTorch's in oracle/."""

import numpy as np
import pytest

import minima as mi
from minima import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return mi.Tensor(RNG.normal(size=shape).astype("float32"))


def test_needing_the_weights_does_not_change_the_output():
    """Fault: two ways to compute the same that differ."""
    layer = nn.MultiheadAttention(8, 2)
    x, mask = normal(6, 2, 8), mi.Tensor(np.triu(np.ones((6, 6), bool), 1))
    with_weights, weights = layer(x, x, x, attn_mask=mask)
    without, none = layer(x, x, x, attn_mask=mask, need_weights=False)
    np.testing.assert_allclose(with_weights.numpy(), without.numpy(), rtol=1e-5, atol=1e-6)
    assert none is None
    np.testing.assert_allclose(weights.sum(axis=-1).numpy(), 1.0, rtol=1e-5)


@pytest.mark.parametrize("more", [False, True])
def test_causal_needs_no_mask(more):
    """Fault: a look into the future, or appended keys that are hidden."""
    layer = nn.MultiheadAttention(8, 2, add_bias_kv=more, add_zero_attn=more)
    x, mask = normal(6, 2, 8), mi.Tensor(np.triu(np.ones((6, 6), bool), 1))
    causal, _ = layer(x, x, x, is_causal=True)
    masked, _ = layer(x, x, x, attn_mask=mask)
    np.testing.assert_allclose(causal.numpy(), masked.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("need", [False, True])
def test_a_query_that_sees_nothing_gets_the_bias_alone(need):
    """Fault: NaN, which training would spread over everything."""
    layer = nn.MultiheadAttention(4, 2)
    x = normal(3, 2, 4).requires_grad_()
    padding = mi.Tensor([[True] * 3, [False] * 3])
    y, _ = layer(x, x, x, key_padding_mask=padding, need_weights=need)
    y.sum().backward()
    np.testing.assert_array_equal(y.numpy()[:, 0], np.zeros((3, 4)))  # the bias starts as 0
    assert np.isfinite(x.grad.numpy()).all()
    assert not x.grad.numpy()[:, 0].any()


def test_dropout_acts_in_training_alone():
    """Fault: weights that are dropped in evaluation, or never."""
    mi.manual_seed(0)
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.5), normal(6, 2, 8)
    y, weights = layer(x, x, x, average_attn_weights=False)
    assert 0.3 < (weights.numpy() == 0.0).mean() < 0.7
    assert not np.array_equal(layer(x, x, x)[0].numpy(), y.numpy())
    layer.eval()
    assert np.array_equal(layer(x, x, x)[0].numpy(), layer(x, x, x)[0].numpy())


def test_repr():
    """Fault: an option that does not show."""
    text = repr(nn.MultiheadAttention(8, 2, bias=False, kdim=3))
    assert text.startswith(
        "MultiheadAttention(\n  8, 2, kdim=3, vdim=8, dropout=0, bias=False, batch_first=False\n"
    )


X = mi.ones((3, 2, 8))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.MultiheadAttention(8, 3), "embed_dim is 8, num_heads 3; .* divide"),
        (lambda: nn.MultiheadAttention(8, 2, -1), "dropout is -1"),
        (lambda: attend(X[..., :4], X, X), r"query has shape \(3, 2, 4\); .*C = 8"),
        (lambda: attend(X, X[0], X), r"key has shape \(2, 8\)"),
        (lambda: attend(X, X, X[:2]), "equal numbers of samples, and of keys and values"),
        (lambda: attend(X[:, :1], X, X), "equal numbers of samples"),
        (lambda: attend(X, X, X, attn_mask=mi.ones((2, 3))), r"attn_mask has shape \(2, 3\)"),
        (
            lambda: attend(X, X, X, key_padding_mask=mi.ones((3, 2))),
            r"key_padding_mask has shape \(3, 2\); expected \(2, 3\)",
        ),
        (lambda: attend(X, X, X, attn_mask=mi.Tensor([[1]])), "attn_mask is of int64"),
        (lambda: attend(X, X, X, attn_mask=np.ones((3, 3))), "attn_mask is of ndarray"),
        (lambda: attend(X.numpy(), X, X), "query is a ndarray"),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the layer, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^MultiheadAttention: .*{message}"):
        call()


def attend(*args, **options):
    return nn.MultiheadAttention(8, 2)(*args, **options)
