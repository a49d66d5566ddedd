"""Transposed convolution; its values are compared with PyTorch's in parity/."""

import numpy as np
import pytest

import minima as mi
from minima import nn


@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_is_the_gradient_of_convolution(n):
    """Fault: channels or sizes that are swapped."""
    conv = getattr(nn, f"Conv{n}d")(2, 4, 3, 2, 1, groups=2, bias=False, dtype="float64")
    back = getattr(nn, f"ConvTranspose{n}d")(4, 2, 3, 2, 1, groups=2, bias=False, dtype="float64")
    with mi.no_grad():
        back.weight.copy_(conv.weight)
    x = mi.Tensor(np.random.default_rng(0).normal(size=(2, 2, *(5, 6, 7)[:n])), requires_grad=True)
    y = conv(x)
    slope = mi.Tensor(np.random.default_rng(1).normal(size=y.shape))
    y.backward(slope)
    np.testing.assert_allclose(back(slope, x.shape).numpy(), x.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_starts_as_pytorchs(n):
    """Fault: a bound by the channels that come in."""
    layer = getattr(nn, f"ConvTranspose{n}d")(64, 8, 3, groups=2)
    bound = 1 / np.sqrt(4 * 3**n)
    assert layer.weight.shape == (64, 4, *(3,) * n)
    assert layer.bias.shape == (8,)
    assert 0.8 * bound < abs(layer.weight.numpy()).max() <= bound


def test_repr():
    """Fault: an option that does not show."""
    layer = nn.ConvTranspose1d(2, 2, 3, 2, 1, 1, 2, False, 2)
    assert repr(layer) == (
        "ConvTranspose1d(2, 2, kernel_size=(3,), stride=(2,), padding=(1,), output_padding=(1,), "
        "dilation=(2,), groups=2, bias=False)"
    )
