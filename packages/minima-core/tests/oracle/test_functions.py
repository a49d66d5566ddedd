"""Elementwise functions against PyTorch, in float32 and complex128: values and gradients."""

import numpy as np
import pytest
import torch

import minima as mi

REAL = np.array([-2.5, -1.2, -0.7, -0.2, 0.3, 0.8, 1.4, 3.2])
INSIDE = REAL / 4.0
ABOVE = np.abs(REAL) + 1.1
OTHER = np.array([0.6, -1.7, 2.1, 0.4, -0.9, 1.3, -2.2, 0.5])
KINKS = np.array([-1.0, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf, -np.inf])
TURNED = REAL + 1j * OTHER

#: our name -> PyTorch's function, the input
UNARY = {
    "tan": (torch.tan, INSIDE),
    "sinh": (torch.sinh, REAL),
    "cosh": (torch.cosh, REAL),
    "asin": (torch.asin, INSIDE),
    "acos": (torch.acos, INSIDE),
    "atan": (torch.atan, REAL),
    "asinh": (torch.asinh, REAL),
    "acosh": (torch.acosh, ABOVE),
    "atanh": (torch.atanh, INSIDE),
    "log2": (torch.log2, ABOVE),
    "log10": (torch.log10, ABOVE),
    "ceil": (torch.ceil, REAL),
    "floor": (torch.floor, REAL),
    "trunc": (torch.trunc, REAL),
    "round": (torch.round, KINKS),
    "exp2": (torch.exp2, REAL),
    "reciprocal": (torch.reciprocal, REAL),
    "rsqrt": (torch.rsqrt, ABOVE),
    "logit": (torch.logit, INSIDE + 0.7 * (INSIDE < 0)),
    "erfc": (torch.erfc, REAL),
    "erfinv": (torch.erfinv, INSIDE),
    "lgamma": (torch.lgamma, REAL),
    "digamma": (torch.digamma, REAL),
    "nan_to_num": (torch.nan_to_num, KINKS),
    "positive": (torch.positive, REAL),
}
#: our name -> PyTorch's function, the inputs
BINARY = {
    "atan2": (torch.atan2, REAL, OTHER),
    "hypot": (torch.hypot, REAL, OTHER),
    "logaddexp": (torch.logaddexp, REAL, OTHER),
    "logaddexp2": (torch.logaddexp2, REAL, OTHER),
    "copysign": (torch.copysign, REAL, OTHER),
    "xlogy": (torch.xlogy, OTHER, ABOVE),
    "remainder": (torch.remainder, REAL, OTHER),
    "clip": (lambda a, b: torch.clamp(a, min=b), REAL, OTHER),
    "clip max": (lambda a, b: torch.clamp(a, max=b), REAL, OTHER),
}
OURS = {"clip max": lambda a, b: mi.clip(a, max=b)}
COMPLEX = "tan sinh cosh asin acos atan asinh acosh atanh log2 log10 reciprocal rsqrt".split()


def check(ours, theirs, inputs, weight, dtype):
    """Compare values, and gradients of the sum times *weight*."""
    mine = [mi.Tensor(a, dtype=dtype, requires_grad=True) for a in inputs]
    others = [torch.tensor(a, dtype=getattr(torch, dtype), requires_grad=True) for a in inputs]
    found, expected = ours(*mine), theirs(*others)
    assert str(found.dtype) == dtype
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), 2e-5, 2e-6)
    found.backward(mi.Tensor(weight, dtype=dtype))
    expected.backward(torch.tensor(weight, dtype=getattr(torch, dtype)))
    for a, b in zip(mine, others):
        assert str(a.grad.dtype) == dtype
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), 2e-4, 2e-5)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    """Catches another value, another slope, or float64 on the way."""
    theirs, x = UNARY[name]
    check(getattr(mi, name), theirs, [x], OTHER, "float32")


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    """Catches a gradient that goes to the other input, or to both."""
    theirs, *inputs = BINARY[name]
    check(OURS.get(name) or getattr(mi, name), theirs, inputs, OTHER, "float32")


@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name):
    """Catches a slope that is not conjugated, or another branch."""
    theirs, _ = UNARY[name]
    check(getattr(mi, name), theirs, [TURNED], OTHER - 0.5j * REAL, "complex128")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_polygamma(n):
    """Catches an order that is off by one."""
    check(
        lambda x: mi.polygamma(x, n),
        lambda x: torch.special.polygamma(n, x),
        [ABOVE],
        OTHER,
        "float32",
    )
