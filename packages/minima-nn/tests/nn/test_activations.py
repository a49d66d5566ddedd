"""Activations: values, extremes, options, errors."""

import math

import numpy as np
import pytest

import minima as mi
from minima import nn

X = np.linspace(-4, 4, 17)


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (nn.ReLU(), np.maximum(X, 0)),
        (nn.Sigmoid(), 1 / (1 + np.exp(-X))),
        (nn.Tanh(), np.tanh(X)),
        (nn.GELU(), X * [0.5 * (1 + math.erf(v / math.sqrt(2))) for v in X]),
        (
            nn.GELU(approximate="tanh"),
            0.5 * X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))),
        ),
        (nn.Softmax(dim=0), np.exp(X) / np.exp(X).sum()),
    ],
    ids=lambda v: repr(v) if isinstance(v, nn.Module) else "",
)
def test_values(layer, expected):
    """Fault: another formula."""
    np.testing.assert_allclose(layer(mi.Tensor(X)).numpy(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.GELU(), nn.Softmax(0)])
def test_extremes_stay_finite(layer):
    """Fault: overflow, here an error as NumPy warns of it."""
    x = mi.Tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(x.grad.numpy()).all()


def test_softmax_takes_its_axis_from_the_call_or_the_constructor():
    """Fault: one of the two is ignored."""
    x = mi.Tensor(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(nn.Softmax(dim=0)(x).numpy(), nn.Softmax()(x, dim=0).numpy())
    np.testing.assert_array_equal(nn.Softmax()(x).numpy(), nn.Softmax(dim=-1)(x).numpy())
    assert repr(nn.Softmax()) == "Softmax(dim=1)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.GELU(approximate="fast"), "GELU: approximate is 'fast'; expected one of"),
        (lambda: nn.Softmax(dim=1.5), "Softmax: dim is 1.5"),
        (lambda: nn.Softmax()(mi.ones(3)), r"Softmax: input has shape \(3,\).*no axis dim=1"),
        (lambda: nn.Softmax()(mi.Tensor([[1, 2]])), "Softmax: input has dtype int64"),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the layer."""
    with pytest.raises(mi.MinimaError, match=message):
        call()
