"""Layers that take pairs; values are compared with PyTorch's in parity/."""

import numpy as np

import minima as mi
from minima import nn


def test_bilinear_starts_as_pytorchs():
    """Fault: a bound by the second input's size, or by both."""
    layer = nn.Bilinear(16, 100, 3)
    assert layer.weight.shape == (3, 16, 100)
    assert 0.2 < abs(layer.weight.numpy()).max() <= 0.25


def test_an_angle_does_not_depend_on_lengths():
    """Fault: a norm along another axis."""
    x, z = (mi.Tensor(np.random.default_rng(i).normal(size=(4, 3))) for i in (0, 1))
    layer = nn.CosineSimilarity()
    np.testing.assert_allclose(layer(x * 3.0, z).numpy(), layer(x, z * 0.5).numpy())


def test_repr():
    """Fault: an option that does not show."""
    assert repr(nn.Bilinear(3, 4, 2, False)) == (
        "Bilinear(in1_features=3, in2_features=4, out_features=2, bias=False)"
    )
    assert repr(nn.CosineSimilarity(0)) == "CosineSimilarity(dim=0, eps=1e-08)"
    assert repr(nn.PairwiseDistance(1)) == "PairwiseDistance(p=1, eps=1e-06, keepdim=False)"
