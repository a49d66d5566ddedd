"""Padding layers, against NumPy's pad; and compared with PyTorch's in parity/."""

import numpy as np
import pytest

import minima as mi
from minima import nn

MODES = {
    "Zero": "constant",
    "Reflection": "reflect",
    "Replication": "edge",
    "Circular": "wrap",
}


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", MODES)
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_values(kind, n, dtype):
    """Fault: the first axis taken for the last, or a dtype that changes."""
    x = (np.random.default_rng(0).normal(size=(2, *(3, 4, 5)[:n])) * 9).astype(dtype)
    widths = (1, 2, 0, 1, 2, 0)[: 2 * n]
    around = [(widths[2 * i], widths[2 * i + 1]) for i in reversed(range(n))]
    expected = np.pad(x, [(0, 0), *around], MODES[kind])
    y = getattr(nn, f"{kind}Pad{n}d")(widths)(mi.Tensor(x))
    assert str(y.dtype) == dtype
    np.testing.assert_array_equal(y.numpy(), expected)


def test_a_constant_may_be_infinite():
    """Fault: a value that is refused, or becomes 0."""
    y = nn.ConstantPad1d(1, -np.inf)(mi.ones((1, 1)))
    assert y.tolist() == [[-np.inf, 1.0, -np.inf]]
    assert np.isnan(nn.ConstantPad1d((1, 0), float("nan"))(mi.ones((1, 1))).numpy()[0, 0])


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.ConstantPad1d(1, 2.0), "ConstantPad1d(padding=(1, 1), value=2)"),
        (lambda: nn.ReflectionPad2d((1, 0, 2, 3)), "ReflectionPad2d((1, 0, 2, 3))"),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert repr(layer()) == text
