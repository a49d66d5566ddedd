"""TransformerEncoderLayer and TransformerEncoder; their values are compared in oracle/."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def layer(**options):
    return nn.TransformerEncoderLayer(8, 2, 16, **options)


def normal(*shape):
    return mi.Tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))


@pytest.mark.parametrize("norm_first", [False, True])
def test_batch_first_moves_axes_alone(norm_first):
    """Fault: samples that attend to each other."""
    one = layer(dropout=0.0, norm_first=norm_first)
    other = layer(dropout=0.0, norm_first=norm_first, batch_first=True)
    other.load_state_dict(one.state_dict())
    x = normal(5, 3, 8)
    expected = one(x).transpose((1, 0, 2)).numpy()
    got = other(x.transpose((1, 0, 2))).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(other(x[:, 1]).numpy(), expected[1], rtol=1e-4, atol=1e-6)


def test_a_causal_encoder_does_not_see_what_comes():
    """Fault: a flag that stops at the first layer."""
    encoder = nn.TransformerEncoder(layer(dropout=0.0), 3)
    x = normal(5, 2, 8)
    changed = x.clone()
    changed[3:] = 0.0
    a, b = (encoder(t, is_causal=True).numpy() for t in (x, changed))
    np.testing.assert_allclose(a[:3], b[:3], rtol=1e-5, atol=1e-6)
    assert not np.allclose(a[3:], b[3:])


def test_layers_are_copies():
    """Fault: layers that share parameters, or the one that was given."""
    given = layer()
    encoder = nn.TransformerEncoder(given, 2, nn.LayerNorm(8))
    assert len(encoder.parameters()) == 2 * len(given.parameters()) + 2
    assert given not in list(encoder.layers)
    first, second = (part.linear1.weight.numpy() for part in encoder.layers)
    assert np.array_equal(first, second)


def test_dropout_acts_in_training_alone():
    """Fault: an encoder whose evaluation is random."""
    encoder, x = nn.TransformerEncoder(layer(dropout=0.3), 2), normal(4, 2, 8)
    assert not np.array_equal(encoder(x).numpy(), encoder(x).numpy())
    encoder.eval()
    assert np.array_equal(encoder(x).numpy(), encoder(x).numpy())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer(activation="swish"), "TransformerEncoderLayer: activation is 'swish'"),
        (
            lambda: layer()(mi.ones((2, 3, 4))),
            r"TransformerEncoderLayer: src has shape \(2, 3, 4\)",
        ),
        (lambda: nn.TransformerEncoder(layer(), 0), "TransformerEncoder: num_layers is 0"),
        (lambda: nn.TransformerEncoder(3, 1), "TransformerEncoder: encoder_layer is 3"),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the layer, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^{message}"):
        call()
