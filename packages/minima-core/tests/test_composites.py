"""The functions composed of operators: values, types and gradients, by walking their rows."""

import numpy as np
import pytest

import minima as mi
from minima.late import Late
from minima.operators import COMPOSITES, TABLE, composite
from minima.tensor import Tensor, TensorLike
from minima.testing import gradcheck
from minima.testing.conformance import close, result_dtype, rows
from minima.testing.launch import arguments, call, gradients, spread
from minima.testing.samples import COMPOSED

CPU = mi.device("cpu")
#: functions that take more kinds of arguments than the operator of their name, which they call
COMPLETING = {"adaptive_avg_pool2d", "avg_pool2d", "conv2d", "max_pool2d"}
DIFFERENTIABLE = [s for s in COMPOSED if s.floating and s.expected().dtype.kind == "f"]


def wanted(sample):
    """Say whether the result depends, differentiably, on some input of the row."""
    given = arguments(sample, CPU, requires_grad=True)
    return sample in DIFFERENTIABLE and call(sample, given).requires_grad


@pytest.fixture(autouse=True)
def silent_numpy():
    with np.errstate(all="ignore"):
        yield


@rows(COMPOSED)
def test_value(sample):
    """The function computes what NumPy does, in the type of the inputs, whatever the layout."""
    for dtype in ("float64", "float32", "float16") if sample.floating else ("float64",):
        y = call(sample, arguments(sample, CPU, dtype))
        assert isinstance(y, Tensor)
        assert y.dtype == result_dtype(sample, dtype), f"{dtype} in"
        close(y.numpy(), sample.expected(dtype), dtype)
    close(call(sample, arguments(sample, CPU, layout=spread)).numpy(), sample.expected())


@rows([s for s in DIFFERENTIABLE if s.smooth])
def test_gradcheck(sample):
    """The gradient is the slope, and so is that of the gradient."""
    given = arguments(sample, CPU, requires_grad=True)
    if wanted(sample):
        for order in (1, 2):
            gradcheck(
                lambda *inputs: call(sample, list(inputs)), given, rtol=1e-6, order=order, fast=True
            )


@rows(DIFFERENTIABLE)
def test_gradient_dtype(sample):
    """A gradient has the type and shape of its input."""
    if wanted(sample):
        for dtype in ("float32", "float16"):
            given = arguments(sample, CPU, dtype, requires_grad=True)
            for t, g in zip(given, gradients(sample, given)):
                assert g is None or (g.dtype, g.shape) == (t.dtype, t.shape), dtype


@rows([s for s in COMPOSED if s.slopes is not None])
def test_stated_gradient(sample):
    """At kinks, ties, NaN and infinity the gradient is what the docstring says."""
    given = arguments(sample, CPU, requires_grad=True)
    for g, expected in zip(gradients(sample, given), sample.slopes):
        if g is not None:
            np.testing.assert_allclose(g.numpy(), np.asarray(expected), rtol=1e-12)


@pytest.mark.parametrize("name", list(COMPOSITES))
def test_entry(name):
    """Each has rows, one without elements, and an example; none hides an operator unsaid."""
    found = [s for s in COMPOSED if s.operator == name]
    assert found, f"{name} has no row in minima.testing.samples"
    assert any(isinstance(a, np.ndarray) and not a.size for s in found for a in s.arrays())
    assert ">>>" in COMPOSITES[name].__doc__, f"{name} has no example in its docstring"
    assert (name in TABLE) == (name in COMPLETING)


def test_inputs(monkeypatch):
    """Lists and numbers become Tensors: a number takes the type that it has beside the others."""
    monkeypatch.setattr("minima.operators.composed.COMPOSITES", Late())

    @composite
    def both(a: "TensorLike", b: "TensorLike", *, c: "TensorLike | None" = None):
        """Return the inputs."""
        return a, b, c

    x = mi.Tensor([1.0], dtype="float16")
    a, b, c = both(2, x, c=np.ones(2))
    assert [t.dtype.name for t in (a, b, c)] == ["float16", "float16", "float64"]
    assert both(x, [1, 2])[1].dtype == "int64"
    assert both(x, x)[2] is None
    assert both(x, True)[1].dtype == "bool"  # a mask, say
    with pytest.raises(mi.DeviceError, match=r"both: inputs lie on cpu and other"):
        both(x, mi.Tensor([1.0], device=mi.Device("other", xp=np)))
    with pytest.raises(mi.ArgumentError, match="'both' is taken"):
        composite(both)


@pytest.mark.parametrize("number", [np.float64(1.5), np.float32(1.5), np.int64(2), 1.5, 2])
@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64"])
@pytest.mark.parametrize("function", [mi.xlogy, mi.kron, mi.inner])
def test_numbers_of_numpy_widen_nothing(function, dtype, number):
    """A number of NumPy is as weak as Python's: float64 beside float32 made a result of float64."""
    x = mi.ones(3, dtype=dtype)
    assert function(x, number).dtype == function(number, x).dtype == x.dtype
