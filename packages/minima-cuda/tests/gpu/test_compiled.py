"""Compiled functions on a GPU: CUDA graphs, and the kernels that are printed for groups."""

import warnings

import numpy as np
import pytest
from kernels.test_groups import ROWS, arguments

import minima as mi

nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")
pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("name", ROWS)
def test_groups(name):
    """Catches a kernel that the emulator takes and a GPU does not, and a graph of old values."""
    function, *shapes = ROWS[name]
    given, others = [t.to("cuda") for t in arguments(shapes)], arguments(shapes)
    run = mi.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error", mi.CompileWarning)
        for _ in range(5):
            found, expected = run(*given), function(*others)
    results = (t if isinstance(t, tuple) else (t,) for t in (found, expected))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-5)
    for a, b in zip(given, others, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=2e-5)


def trained(compiled, steps=20):
    """Return the losses of training with dropout and a learning rate that changes."""
    mi.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.3), nn.Linear(36, 3),
    )  # fmt: skip
    net.to("cuda")
    optimizer = mi.optim.Adam(net.parameters(), lr=0.01, eps=1e-4)

    def step(x, y):
        loss = mi.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    run, rng, losses = mi.compile(step) if compiled else step, np.random.default_rng(0), []
    for i in range(steps):
        optimizer.param_groups[0]["lr"] = 0.01 / (i + 1)
        x = mi.asarray(rng.standard_normal((8, 1, 6, 6), dtype=np.float32)).to("cuda")
        losses.append(run(x, mi.asarray(rng.integers(0, 3, 8)).to("cuda")).item())
    return losses


def test_training_is_that_of_eager_code():
    """Catches a step that a graph does with numbers, or masks, of another step."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", mi.CompileWarning)
        np.testing.assert_allclose(trained(True), trained(False), rtol=1e-3)
