"""The kernels of recurrent layers, at the sizes that they are for."""

import numpy as np
import pytest

from minima.devices import CPU
from minima.devices.base import REFERENCES


def arrays(kind, gates_too=False, dtype="float64"):
    """Return the inputs of the operator *kind* and those of its gradient."""
    count, kept = {"lstm": (4, 6), "gru": (3, 5)}[kind]
    steps, n, size = 9, 5, 33
    rng = np.random.default_rng(0)
    shapes = [(steps, n, count * size), *[(n, size)] * (2 if kind == "lstm" else 1)]
    given = [rng.normal(size=s).astype(dtype) for s in shapes]
    given.append((rng.normal(size=(count * size, size)) * 0.2).astype(dtype))
    y = REFERENCES[kind](np, *given)
    g = rng.normal(size=(kept, steps, n, size)).astype(dtype)
    if not gates_too:  # as in a network, which reads the states alone
        g[2 if kind == "lstm" else 1 :] = 0.0
    return given, [g, y, *given[1:]]


@pytest.mark.parametrize("gates_too", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_kernels(kind, gates_too):
    """Fault: a factor, computed for all steps at once, that belongs to another step."""
    given, backward = arrays(kind, gates_too)
    for name, inputs in ((kind, given), (f"{kind}_gradient", backward)):
        expected = REFERENCES[name](np, *inputs)
        np.testing.assert_allclose(CPU.kernels[name](*inputs), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_going_backward_in_time(kind):
    """Fault: strides below 0 that are read as if they were not."""
    given, _ = arrays(kind)
    turned = [given[0][::-1], *given[1:]]
    expected = CPU.kernels[kind](np.ascontiguousarray(turned[0]), *turned[1:])
    assert np.array_equal(CPU.kernels[kind](*turned), expected)


def test_nan_in_a_gradient_is_not_taken_for_none():
    """Fault: a check for zeros that a NaN passes."""
    _, (g, *rest) = arrays("lstm")
    g[3, 4, 2, 1] = np.nan
    assert np.isnan(CPU.kernels["lstm_gradient"](g, *rest)).any()
