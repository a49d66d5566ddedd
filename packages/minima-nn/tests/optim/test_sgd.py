"""SGD, step by step."""

import numpy as np
import pytest

import minima as mi
from minima import nn, optim

GRADIENTS = [[1.0, -2.0], [0.5, 0.5], [-3.0, 1.0]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5},
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    ],
)
def test_the_formula(options):
    """Fault: a first buffer that is dampened, or nesterov that forgets the gradient."""
    p = nn.Parameter(np.array([1.0, 2.0]))
    optimizer = optim.SGD([p], lr=0.1, **options)
    x, buffer = np.array([1.0, 2.0]), None
    for g in map(np.array, GRADIENTS):
        p.grad = mi.Tensor(g)
        optimizer.step()
        g = g + options.get("weight_decay", 0) * x
        if momentum := options.get("momentum"):
            dampening = options.get("dampening", 0)
            buffer = g if buffer is None else momentum * buffer + (1 - dampening) * g
            g = g + momentum * buffer if options.get("nesterov") else buffer
        x = x - 0.1 * g
        np.testing.assert_allclose(p.numpy(), x, rtol=1e-14)


def test_the_first_buffer_is_a_copy():
    """Fault: a buffer that is the gradient, which zero_grad(set_to_none=False) then clears."""
    p = nn.Parameter([1.0])
    optimizer = optim.SGD([p], lr=1.0, momentum=1.0)
    p.grad = mi.Tensor([1.0])
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    optimizer.step()
    assert p.item() == -1.0
