"""Linear."""

import math
from copy import deepcopy

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


def test_a_tied_layer_trains_the_one_table():
    """Fault: a head whose gradient does not reach the embedding, or a table that is saved once."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(5, 3)
            self.head = nn.TiedLinear(self.table.weight, bias=True)

        def forward(self, x):
            return self.head(self.table(x))

    model, x = Model(), mi.Tensor([1, 2])
    assert list(model.state_dict()) == ["table.weight", "head.weight", "head.bias"]
    assert len(model.parameters()) == 2
    table = model.table.weight.numpy()
    np.testing.assert_allclose(model(x).numpy(), table[[1, 2]] @ table.T, rtol=1e-6)
    model(x).sum().backward()
    expected = np.tile(table[[1, 2]].sum(0), (5, 1))  # as the weight of the head
    expected[[1, 2]] += table.sum(0)  # as rows that are looked up
    np.testing.assert_allclose(model.table.weight.grad.numpy(), expected, rtol=1e-5)
    copy = deepcopy(model)
    assert copy.head.weight is copy.table.weight
    assert copy.head.weight is not model.head.weight


@pytest.mark.parametrize(
    ("assign", "message"),
    [
        (
            lambda: setattr(nn.Linear(3, 5), "weight", nn.Embedding(5, 3).weight),
            r"Linear: weight has shape \(5, 3\); expected \(3, 5\); .* minima.nn.TiedLinear",
        ),
        (
            lambda: setattr(nn.Embedding(5, 3), "weight", nn.Linear(3, 5).weight),
            r"Embedding: weight has shape \(3, 5\); expected \(5, 3\); .* minima.nn.TiedLinear",
        ),
        (
            lambda: nn.TiedLinear(mi.ones((2, 3))),
            "TiedLinear: weight is a Tensor; expected",
        ),
        (
            lambda: nn.TiedLinear(nn.Parameter([1.0])),
            r"TiedLinear: weight has shape \(1,\); expected \(out_features, in_features\)",
        ),
        (
            lambda: nn.TiedLinear(nn.Embedding(5, 3).weight)(mi.ones((2, 5))),
            r"TiedLinear: input has shape \(2, 5\); expected \(\*, 3\)",
        ),
    ],
)
def test_weights_that_lie_as_those_of_pytorch(assign, message):
    """Fault: ``embedding.weight = head.weight``, PyTorch's way, that looks up the wrong numbers."""
    with pytest.raises(mi.MinimaError, match=message):
        assign()
