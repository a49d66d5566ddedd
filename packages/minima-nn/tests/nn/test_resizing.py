"""Resizing, shuffling, and windows as columns; values are compared with PyTorch's in parity/."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def test_columns_and_a_product_are_convolution():
    """Fault: elements of windows in another order than those of the weight."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=(2, 3, 5, 6)))
    layer = nn.Conv2d(3, 4, (2, 3), (2, 1), (1, 0), (1, 2), bias=False, dtype="float64")
    columns = nn.Unfold((2, 3), (1, 2), (1, 0), (2, 1))(x)
    y = layer(x)
    product = layer.weight.reshape(4, -1) @ columns
    np.testing.assert_allclose(product.reshape(*y.shape).numpy(), y.numpy(), rtol=1e-12)


def test_folding_counts_how_many_windows_an_element_is_in():
    """Fault: a sum that overwrites."""
    ones = mi.ones((1, 1, 3, 3))
    y = nn.Fold(3, 2)(nn.Unfold(2)(ones))
    assert y[0, 0].tolist() == [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]


def test_shuffling_undone():
    """Fault: the place within a pixel taken for its channel."""
    x = mi.arange(48.0).reshape(1, 3, 4, 4)
    assert nn.PixelShuffle(2)(nn.PixelUnshuffle(2)(x)).tolist() == x.tolist()
    assert nn.ChannelShuffle(3)(nn.ChannelShuffle(1)(x)).tolist() == x.tolist()


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.Upsample(4), "Upsample(size=4, mode='nearest')"),
        (lambda: nn.UpsamplingBilinear2d(scale_factor=2), "(scale_factor=2.0, mode='bilinear')"),
        (lambda: nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)"),
        (lambda: nn.PixelUnshuffle(2), "PixelUnshuffle(downscale_factor=2)"),
        (lambda: nn.ChannelShuffle(2), "ChannelShuffle(groups=2)"),
        (lambda: nn.Fold(4, 2), "Fold(output_size=(4, 4), kernel_size=(2, 2), dilation=(1, 1), "),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert text in repr(layer())
