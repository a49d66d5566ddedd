"""Loops that write over what they read for the last time: right, and only where that is right."""

import numpy as np
import pytest

import minima as mi

#: name -> function of a square matrix, and how many matrices its plan needs room for
CASES = {
    "elementwise": (lambda x: mi.tanh(x @ x) * 2.0, 1),
    "rows": (lambda x: mi.softmax(x @ x, axis=-1), 1),
    "rows twice": (lambda x: mi.softmax(mi.softmax(x @ x, axis=-1) @ x, axis=-1), 2),
    "two results": (lambda x: (lambda y: (y * 2.0, mi.exp(y)))(x @ x), 2),
    "and a sum": (lambda x: (lambda y: (y * 2.0, y.sum(0)))(x @ x), 1),
    "its transpose too": (lambda x: (lambda y: y + y.T)(x @ x), 2),
    "first its transpose": (lambda x: (lambda y: y.T - y)(x @ x), 2),
    "a later reader": (lambda x: (lambda y: mi.tanh(y) @ y)(x @ x), 3),
    "a part": (lambda x: mi.exp((x @ x)[::-1]), 2),
}


@pytest.mark.parametrize("size", [9, 600])
@pytest.mark.parametrize("name", CASES)
def test_results_are_those_of_eager_code(name, size):
    """Catch an element that is overwritten before it is read, by any thread."""
    function, room = CASES[name]
    compiled = mi.compile(function, executor="numba")
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = mi.asarray(rng.standard_normal((size, size), dtype=np.float32) * 0.1)
        found, expected = compiled(x), function(x)
        for a, b in zip(*(t if isinstance(t, tuple) else (t,) for t in (found, expected))):
            np.testing.assert_allclose(a.numpy(), b.numpy(), 1e-5, 1e-5)
    [plan] = compiled.plans
    assert room * 4 * size**2 <= plan.planned_bytes < (room + 0.5) * 4 * size**2 + 128
