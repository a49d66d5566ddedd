"""Losses and activations in half precision, without samples, and without gradients."""

import numpy as np
import pytest

import minima as mi
from minima.nn.activation_cases import ACTIVATIONS
from minima.nn.loss_cases import LOSSES

CASES = [*ACTIVATIONS, *LOSSES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_precision(case):
    """Fault: a constant that half precision cannot hold, a result of another type."""
    layer, (x, *rest) = case.layer("float16"), case.inputs("float16")
    y = case.run(layer, case.leaf(x), *rest)
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (mi.float16, mi.float16)
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(x.grad.numpy()).all()
    with mi.no_grad():
        again = case.run(layer.eval(), x.detach(), *rest)
    assert not again.requires_grad


WHOLE = [c for c in CASES if not str(c).startswith("CTC") and c.note not in ("single", "dim0")]


@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_no_samples(case):
    """Fault: a division by zero, a maximum of nothing."""
    layer, (x, *rest) = case.layer(), case.inputs()
    x = x[:0].detach().requires_grad_()
    y = case.run(layer, x, *(t[:0] for t in rest))
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert y.dtype == mi.float32
