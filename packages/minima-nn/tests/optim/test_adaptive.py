"""AdaGrad and RMSProp, step by step."""

import numpy as np
import pytest

import minima as mi
from minima import nn, optim

GRADIENTS = [[1.0, -2.0], [0.5, 0.5], [-3.0, 1.0]]


def run(make):
    p = nn.Parameter(np.array([1.0, 2.0]))
    optimizer = make([p])
    for g in GRADIENTS:
        p.grad = mi.Tensor(np.array(g))
        optimizer.step()
    return p.numpy()


@pytest.mark.parametrize(("lr_decay", "start", "decay"), [(0, 0, 0), (0.5, 0.1, 0.2)])
def test_adagrad(lr_decay, start, decay):
    """Fault: eps under the root, or a rate that falls from the first step on."""
    x, total = np.array([1.0, 2.0]), start
    for t, g in enumerate(map(np.array, GRADIENTS)):
        g = g + decay * x
        total = total + g**2
        x = x - 0.1 / (1 + t * lr_decay) * g / (np.sqrt(total) + 1e-3)
    options = {"lr_decay": lr_decay, "initial_accumulator_value": start, "weight_decay": decay}
    got = run(lambda p: optim.AdaGrad(p, lr=0.1, eps=1e-3, **options))
    np.testing.assert_allclose(got, x, rtol=1e-13)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_rmsprop(momentum, centered, decay):
    """Fault: alpha and 1 - alpha exchanged, or a mean that is not squared."""
    x, square, mean, buffer = np.array([1.0, 2.0]), 0.0, 0.0, 0.0
    for g in map(np.array, GRADIENTS):
        g = g + decay * x
        square = 0.8 * square + 0.2 * g**2
        mean = 0.8 * mean + 0.2 * g
        scale = np.sqrt(square - mean**2 * centered) + 1e-3
        buffer = momentum * buffer + g / scale
        x = x - 0.1 * buffer
    options = {"momentum": momentum, "centered": centered, "weight_decay": decay}
    got = run(lambda p: optim.RMSProp(p, lr=0.1, alpha=0.8, eps=1e-3, **options))
    np.testing.assert_allclose(got, x, rtol=1e-12)


def test_momentum_that_is_switched_on_later_starts_from_zero():
    """Fault: a KeyError in the middle of a run."""
    p = nn.Parameter([1.0])
    optimizer = optim.RMSProp([p])
    for momentum in (0.0, 0.9):
        optimizer.param_groups[0]["momentum"] = momentum
        p.grad = mi.Tensor([1.0])
        optimizer.step()
    assert np.isfinite(p.item())
