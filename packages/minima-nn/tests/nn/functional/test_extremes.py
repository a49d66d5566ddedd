"""Losses and activations in half precision, without samples, and without gradients."""

import numpy as np
import pytest

import minima as mi
from minima.nn.activation_cases import ACTIVATIONS
from minima.nn.loss_cases import LOSSES

CASES = [*ACTIVATIONS, *LOSSES]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_half_precision(case, dtype):
    """Fault: a constant that half precision cannot hold, a result of another type."""
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="ml_dtypes, which has it, is not installed")
    layer, (x, *rest) = case.layer(dtype), case.inputs()
    x, *rest = [t.astype(dtype) if t.dtype.kind == "f" else t for t in (x, *rest)]
    y = case.run(layer, case.leaf(x), *rest)
    y.sum().backward()
    assert (y.dtype.name, x.grad.dtype.name) == (dtype, dtype)
    assert np.isfinite(y.numpy().astype("float32")).all()
    assert np.isfinite(x.grad.numpy().astype("float32")).all()
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
