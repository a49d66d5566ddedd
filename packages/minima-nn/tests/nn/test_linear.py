"""Linear."""

import math

import numpy as np
import pytest

import minima as mi
from minima import nn


@pytest.mark.parametrize("lead", [(), (4,), (2, 4), (0,)])
def test_it_computes_x_weight_plus_bias(lead):
    """Fault: a transposed weight, or one number of axes only."""
    layer = nn.Linear(3, 2, dtype="float64")
    x = np.random.default_rng(0).normal(size=(*lead, 3))
    expected = x @ layer.weight.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(layer(mi.Tensor(x)).numpy(), expected, rtol=1e-12)


def test_it_starts_as_the_notebook_says():
    """Fault: another bound, or a bias of zeros."""
    mi.manual_seed(0)
    layer = nn.Linear(50, 200)
    assert layer.weight.shape == (50, 200)
    assert layer.bias.shape == (200,)
    for parameter, fan_in in ((layer.weight, 50), (layer.bias, 200)):
        bound = math.sqrt(6 / fan_in)
        values = parameter.numpy()
        assert 0.9 * bound < abs(values).max() <= bound
        assert abs(values.std() - bound / math.sqrt(3)) < 0.1 * bound


def test_the_seed_repeats_it():
    """Fault: numbers from a generator that manual_seed does not reach."""
    made = []
    for _ in range(2):
        mi.manual_seed(3)
        made.append(nn.Linear(4, 4).weight.numpy())
    np.testing.assert_array_equal(*made)


def test_device_and_dtype_are_those_of_the_weight():
    """Fault: attributes that stay behind when the layer moves."""
    layer = nn.Linear(2, 1, dtype="float16")
    assert (layer.dtype, str(layer.device)) == (mi.float16, "cpu")
    assert layer.to("float32").dtype == mi.float32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Linear(0, 1), "Linear: in_features is 0; expected an integer of at least 1"),
        (lambda: nn.Linear(1, 2.5), "Linear: out_features is 2.5"),
        (lambda: nn.Linear(True, 1), "Linear: in_features is True"),
        (lambda: nn.Linear(1, 1, dtype="int64"), "int64"),
        (lambda: nn.Linear(3, 1)(mi.ones((4, 2))), r"Linear: input has shape \(4, 2\).*\(\*, 3\)"),
        (lambda: nn.Linear(3, 1)(mi.Tensor(1.0)), r"Linear: input has shape \(\)"),
        (lambda: nn.Linear(3, 1)([1.0, 2.0, 3.0]), "Linear: input is a list; expected a Tensor"),
        (lambda: nn.Linear(3, 1)(mi.ones(3, dtype="int64")), "Linear: input has dtype int64"),
    ],
)
def test_errors(call, message):
    """Fault: an error from matmul that does not name the layer."""
    with pytest.raises(mi.MinimaError, match=message):
        call()
