"""Adam and AdamW, step by step, and what a step costs."""

import timeit

import numpy as np
import pytest

import minima as mi
from minima import nn, optim

GRADIENTS = [[1.0, -2.0], [0.5, 0.5], [-3.0, 1.0]]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("decay", [0.0, 0.2])
def test_the_formula(name, decay):
    """Fault: a correction that is left out, eps in the wrong place, or Adam's decay in AdamW."""
    p = nn.Parameter(np.array([1.0, 2.0]))
    optimizer = getattr(optim, name)([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=decay)
    x, m, v = np.array([1.0, 2.0]), 0.0, 0.0
    for t, g in enumerate(map(np.array, GRADIENTS), 1):
        p.grad = mi.Tensor(g)
        optimizer.step()
        if name == "AdamW":
            x = x - 0.1 * decay * x
        else:
            g = g + decay * x
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g**2
        x = x - 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.9**t)) + 1e-3)
        np.testing.assert_allclose(p.numpy(), x, rtol=1e-12)


def test_the_defaults_are_pytorchs():
    """Fault: AdamW without decay."""
    p = nn.Parameter([1.0])
    expected = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}
    expected |= {"amsgrad": False, "maximize": False, "decoupled_weight_decay": False}
    assert optim.Adam([p]).defaults == expected
    decoupled = {"weight_decay": 1e-2, "decoupled_weight_decay": True}
    assert optim.AdamW([p]).defaults == {**expected, **decoupled}
    assert optim.SGD([p]).defaults["lr"] == 1e-3
    assert optim.AdaGrad([p]).defaults["eps"] == 1e-10
    assert optim.RMSProp([p]).defaults["alpha"] == 0.99


def test_a_step_costs_tens_of_microseconds():
    """Fault: bookkeeping that small models pay for at each step; the bound is ten times that."""
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    for p in net.parameters():
        p.grad = mi.init.randn(*p.shape, std=1e-3)
    optimizer = optim.Adam(net.parameters(), lr=1e-5)
    best = min(timeit.repeat(optimizer.step, number=50, repeat=5)) / 50
    assert best < 1e-3


def test_a_rate_may_be_a_tensor():
    """Fault: lr=Tensor(0.1), as PyTorch takes it, is refused; or one of two numbers is not."""
    w = nn.Parameter([1.0])
    groups = [{"params": [w], "lr": mi.Tensor([0.5])}]
    for optimizer in (optim.Adam([w], lr=mi.Tensor(0.5)), optim.SGD(groups, lr=0.1)):
        assert optimizer.param_groups[0]["lr"] == 0.5
    with pytest.raises(mi.DTypeError, match=r"Adam: lr is Tensor.*expected a number"):
        optim.Adam([w], lr=mi.Tensor([0.1, 0.2]))


def test_a_state_from_before_decoupling_loads():
    """Fault: a saved group without decoupled_weight_decay is refused, or decouples."""
    w = nn.Parameter([1.0])
    state = optim.Adam([w], weight_decay=0.1).state_dict()
    for group in state["param_groups"]:
        del group["decoupled_weight_decay"]
    optimizer = optim.Adam([w], decoupled_weight_decay=True)
    optimizer.load_state_dict(state)
    assert not optimizer.decouples(optimizer.param_groups[0])
