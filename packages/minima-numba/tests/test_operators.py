"""Every row of the table of samples, forward and backward, compiled and eager."""

import warnings

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing.launch import arguments, call
from minima.testing.samples import SAMPLES

ROWS = [pytest.param(s, dtype, id=f"{s.id}-{dtype}") for s in SAMPLES for dtype in ("float32",)]
first = {s.operator: s for s in reversed(SAMPLES)}
ROWS += [pytest.param(s, "float64", id=f"{s.id}-float64") for s in first.values()]


def step(sample, given):
    """Return the function that the row is, with gradients where there are any, and its tensors."""
    tensors = [t for t in given if isinstance(t, mi.Tensor)]
    leaves = [t for t in tensors if t.dtype.kind == "f"]
    differentiable = TABLE[sample.operator].differentiable and sample.floating and leaves

    def run(*tensors):
        rest = iter(tensors)
        inputs = [next(rest) if isinstance(t, mi.Tensor) else t for t in given]
        if not differentiable:
            return [call(sample, inputs)]
        inputs = [
            t.detach().requires_grad_() if isinstance(t, mi.Tensor) and t.dtype.kind == "f" else t
            for t in inputs
        ]
        wanted = [t for t in inputs if isinstance(t, mi.Tensor) and t.requires_grad]
        y = call(sample, inputs)
        if not y.requires_grad:
            return [y]
        weight = mi.reshape(mi.arange(y.size).astype(y.dtype) * 0.1 + 1.0, y.shape)
        found = mi.autograd.grad((y * weight).sum(), wanted, allow_unused=True)
        return [y.detach(), *(g for g in found if g is not None)]

    return run, tensors


@pytest.mark.parametrize(("sample", "dtype"), ROWS)
def test_compiled_equals_eager(sample, dtype):
    """Catches an operator, or its gradient, that a loop computes in another way."""
    given = arguments(sample, mi.device("cpu"), dtype)
    run, tensors = step(sample, given)
    compiled = mi.compile(run, executor="numba")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", mi.CompileWarning)  # indices that are read run eagerly
        expected = run(*tensors)
        for _ in range(3):
            found = compiled(*tensors)
        wide = [t.astype("float64") if t.dtype.kind == "f" else t for t in tensors]
        exact = run(*wide)
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    for a, b, c in zip(found, expected, exact, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        a, b, c = a.numpy(), b.numpy(), c.numpy()
        if a.dtype.kind != "f":
            np.testing.assert_array_equal(a, b)
            continue
        finite = np.isfinite(b) & np.isfinite(c)
        size = max(1.0, float(np.abs(b[finite]).max(initial=0.0)))
        # eager's own error tells how much the row makes of what rounding loses
        lost = 4 * float(np.abs(b[finite] - c[finite]).max(initial=0.0))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=max(tolerance * size, lost))
