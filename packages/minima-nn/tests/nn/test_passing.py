"""Residual, Identity, Flatten, Unflatten."""

import pytest

import minima as mi
from minima import nn


def test_residual_adds_and_takes_functions():
    """Fault: a sum that broadcasts, or a plain function that is refused."""
    x = mi.Tensor([[1.0, -2.0]])
    assert nn.Residual(nn.ReLU())(x).tolist() == [[2.0, -2.0]]
    assert nn.Residual(lambda x: x * 2.0)(x).tolist() == [[3.0, -6.0]]
    assert len(nn.Residual(nn.Linear(2, 2)).parameters()) == 2


def test_identity_ignores_its_arguments():
    """Fault: a placeholder that cannot stand for another layer."""
    x = mi.ones(1)
    assert nn.Identity(5, bias=False)(x) is x


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ((), (2, 60)),
        ((0,), (120,)),
        ((1, 2), (2, 12, 5)),
        ((-2,), (2, 3, 20)),
        ((2, 2), (2, 3, 4, 5)),
    ],
)
def test_flatten_makes_one_axis(options, shape):
    """Fault: end_dim left out, or counted from the wrong side."""
    assert nn.Flatten(*options)(mi.ones((2, 3, 4, 5))).shape == shape


def test_flatten_takes_an_empty_batch():
    """Fault: reshape(0, -1), which has no answer."""
    assert nn.Flatten()(mi.ones((0, 3, 4))).shape == (0, 12)


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ((1, (3, 4)), (2, 3, 4, 5)),
        ((-2, [2, -1]), (2, 2, 6, 5)),
        ((2, (5, 1, 1)), (2, 12, 5, 1, 1)),
        ((0, (-1,)), (2, 12, 5)),
    ],
)
def test_unflatten_makes_several_axes(options, shape):
    """Fault: the wrong axis, or -1 counted over all axes."""
    assert nn.Unflatten(*options)(mi.ones((2, 12, 5))).shape == shape


def test_unflatten_takes_an_empty_batch():
    """Fault: reshape(0, -1), which has no answer."""
    assert nn.Unflatten(1, (2, -1))(mi.ones((0, 6))).shape == (0, 2, 3)
