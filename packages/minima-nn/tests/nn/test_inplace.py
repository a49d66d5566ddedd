"""Activations and dropout that overwrite their input."""

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.nn import functional as F

X = [-4.0, -0.5, 0.25, 1.5, 7.0]
#: layer, its arguments before *inplace*, the function in `minima.nn.functional`
ROWS = [
    ("ReLU", (), "relu"),
    ("ReLU6", (), "relu6"),
    ("LeakyReLU", (0.2,), "leaky_relu"),
    ("ELU", (0.5,), "elu"),
    ("CELU", (0.5,), "celu"),
    ("SELU", (), "selu"),
    ("SiLU", (), "silu"),
    ("Mish", (), "mish"),
    ("Hardtanh", (-1.0, 2.0), "hardtanh"),
    ("Hardsigmoid", (), "hardsigmoid"),
    ("Hardswish", (), "hardswish"),
    ("Threshold", (0.5, -3.0), "threshold"),
]
IDS = [layer for layer, *_ in ROWS]


def run(call):
    """Return what *call* makes of twice a leaf, that input afterwards, and the leaf's gradient."""
    leaf = mi.Tensor(np.array(X), requires_grad=True)
    x = leaf * 2.0
    y = call(x)
    (y * y).sum().backward()
    return y, x, leaf.grad.numpy()


@pytest.mark.parametrize(("layer", "options", "function"), ROWS, ids=IDS)
def test_activations(layer, options, function):
    """Fault: an input that stays, another value, or a gradient of what was overwritten."""
    y, x, slope = run(getattr(nn, layer)(*options))
    np.testing.assert_array_equal(x.detach().numpy(), np.array(X) * 2)
    calls = [
        getattr(nn, layer)(*options, True),
        getattr(nn, layer)(*options, inplace=True),
        lambda x: getattr(F, function)(x, *options, True),
        lambda x: getattr(F, function)(x, *options, inplace=True),
    ]
    if hasattr(F, f"{function}_"):
        calls.append(lambda x: getattr(F, f"{function}_")(x, *options))
    for call in calls:
        inner, overwritten, inner_slope = run(call)
        assert inner is overwritten
        np.testing.assert_allclose(inner.detach().numpy(), y.detach().numpy())
        np.testing.assert_allclose(inner_slope, slope)


@pytest.mark.parametrize(("layer", "options", "function"), ROWS, ids=IDS)
def test_the_option_is_checked_and_shown(layer, options, function):
    """Fault: a number taken for the option, or a print that hides it."""
    with pytest.raises(mi.DTypeError, match=rf"{layer}: inplace is 3; expected a bool"):
        getattr(nn, layer)(*options, 3)
    assert "inplace=True" in repr(getattr(nn, layer)(*options, True))
    assert "inplace" not in repr(getattr(nn, layer)(*options))


def test_a_leaf_refuses():
    """Fault: a parameter that is overwritten while its gradient is recorded."""
    with pytest.raises(mi.AutogradError):
        nn.ReLU(True)(mi.Tensor([1.0], requires_grad=True))


@pytest.mark.parametrize("inplace", [False, True])
def test_random_slopes(inplace):
    """Fault: a slope of the result in place of the input's."""
    mi.manual_seed(0)
    y, x, slope = run(nn.RReLU(0.25, 0.75, inplace))
    negative = np.array(X) < 0
    share = y.detach().numpy() / (np.array(X) * 2)
    assert ((share[negative] >= 0.25) & (share[negative] < 0.75)).all()
    np.testing.assert_allclose(slope, 4 * y.detach().numpy() * share)
    assert (x is y) is inplace


@pytest.mark.parametrize("name", ["dropout", "alpha_dropout"])
def test_dropout(name):
    """Fault: the fourth argument taken for something else, or an input that stays."""
    function = getattr(F, name)
    mi.manual_seed(0)
    y, _, slope = run(lambda x: function(x, 0.5, True))
    mi.manual_seed(0)
    inner, x, inner_slope = run(lambda x: function(x, 0.5, True, True))
    assert inner is x
    np.testing.assert_array_equal(inner.detach().numpy(), y.detach().numpy())
    np.testing.assert_array_equal(inner_slope, slope)
    assert run(lambda x: function(x, 0.5, training=False, inplace=True))[0].shape == (5,)


def test_a_block_is_compiled():
    """Fault: a plan that overwrites what a skip still needs, or keeps the first step's values."""

    def make():
        mi.manual_seed(0)
        net = nn.Sequential(
            nn.Linear(3, 4), nn.ReLU(True), nn.Linear(4, 4), nn.LeakyReLU(0.1, True)
        )
        optimizer = mi.optim.SGD(net.parameters(), lr=0.1)

        def step(x):
            loss = (net(x) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        return step

    batches = [mi.init.randn(5, 3) for _ in range(4)]
    eager, compiled = make(), mi.compile(make())
    np.testing.assert_allclose(
        [float(compiled(x)) for x in batches], [float(eager(x)) for x in batches], rtol=1e-5
    )
