"""Whole training steps: what they leave behind, and that threads do not meet."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minima as mi
from minima import nn, optim


def model():
    generator = mi.Generator(7)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2, generator=generator),
        nn.Residual(nn.Linear(16, 16)),
        nn.LayerNorm1d(16),
        nn.Linear(16, 3),
    )


def trained(seed, start, steps):
    """Return the parameters of a model after some steps from the values *start*."""
    net = model()
    net.load_state_dict(start)
    optimizer = optim.AdamW(net.parameters(), lr=0.01)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        x = mi.Tensor(rng.normal(size=(6, 1, 4, 4)).astype("float32"))
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(net(x), mi.Tensor(rng.integers(0, 3, 6))).backward()
        optimizer.step()
    return [t.numpy().copy() for t in net.state_dict().values()]


@pytest.mark.parametrize("name", ["SGD", "AdaGrad", "RMSProp", "Adam", "AdamW"])
def test_a_thousand_steps_leave_nothing_behind(name):
    """Fault: a graph, a hook or a state that grows with each step, or a reference cycle."""
    net, x, t = nn.Sequential(nn.Linear(4, 3), nn.Tanh()), mi.ones((2, 4)), mi.Tensor([0, 2])
    optimizer, loss = getattr(optim, name)(net.parameters(), lr=1e-4), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss(net(x), t).backward()
        optimizer.step()

    for _ in range(10):
        step()
    gc.collect()
    before = len(gc.get_objects())
    gc.disable()
    try:
        for _ in range(1000):
            step()
        left = gc.collect()
    finally:
        gc.enable()
    assert left == 0
    assert abs(len(gc.get_objects()) - before) < 20


def test_threads_give_the_serial_results():
    """Fault: a switch, a buffer or a generator that threads share."""
    start = {name: t.clone() for name, t in model().state_dict().items()}
    serial = [trained(seed, start, 5) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        parallel = list(pool.map(lambda seed: trained(seed, start, 5), range(8)))
    for one, other in zip(serial, parallel, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)
