"""Adaptive pooling, and pooling undone; values are compared with PyTorch's in parity/."""

import numpy as np
import pytest

import minima as mi
from minima import nn


@pytest.mark.parametrize("n", [1, 2, 3])
def test_unpooling_undoes_pooling(n):
    """Fault: an index of another axis, or a size that is taken for another's."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=(2, 3, *(5, 4, 7)[:n])))
    values, indices = getattr(nn, f"MaxPool{n}d")(2, return_indices=True)(x)
    back = getattr(nn, f"MaxUnpool{n}d")(2)(values, indices, x.shape).numpy()
    assert back.shape == x.shape
    np.testing.assert_array_equal(np.sort(back[back != 0]), np.sort(values.numpy().ravel()))
    np.testing.assert_array_equal(back[back != 0], x.numpy()[back != 0])


def test_of_one_window_both_poolings_are_reductions():
    """Fault: a window that leaves an element out."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=(2, 3, 5, 4)))
    largest, places = nn.AdaptiveMaxPool2d(1, return_indices=True)(x)
    np.testing.assert_array_equal(largest.numpy(), x.numpy().max((2, 3), keepdims=True))
    np.testing.assert_array_equal(places.numpy().ravel(), x.numpy().reshape(6, 20).argmax(1))
    np.testing.assert_allclose(
        nn.AdaptiveAvgPool2d(1)(x).numpy(), x.numpy().mean((2, 3), keepdims=True)
    )


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.AdaptiveMaxPool2d((None, 2)), "AdaptiveMaxPool2d(output_size=(None, 2))"),
        (
            lambda: nn.MaxUnpool1d(3, 2, 1),
            "MaxUnpool1d(kernel_size=(3,), stride=(2,), padding=(1,))",
        ),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert repr(layer()) == text
