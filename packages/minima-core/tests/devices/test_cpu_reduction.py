"""Sums and extremes on the cpu at sizes that are cut, in each layout."""

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.devices.cpu_reduction import LARGE, LONG

#: shapes -> axes: rows shorter and longer than a dot product, cut into parts or not
SHAPES = {
    "short rows": ((900, 17), (1,)),
    "long rows": ((5, 2 * LONG + 3), (1,)),
    "whole blocks": ((3, 2 * LONG), (1,)),
    "parts": ((2051, 700), (1,)),
    "all of it": ((2051, 700), (0, 1)),
    "one long row": ((2 * LARGE + 1,), (0,)),
    "two axes": ((70, 150, 131), (1, 2)),
    "axes in another order": ((70, 150, 131), (2, 1)),
    "the first axis": ((2051, 700), (0,)),
    "very long rows": ((2, LARGE + 5), (1,)),
}
LAYOUTS = {"plain": lambda x: x, "turned": lambda x: np.ascontiguousarray(x.T).T}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("operator", ["sum", "mean", "max", "min"])
def test_values(operator, name, layout):
    """Catch an element left out or counted twice, and the wrong shape."""
    shape, axis = SHAPES[name]
    x = LAYOUTS[layout](np.random.default_rng(0).normal(1, 1, shape).astype("float32"))
    for keepdims in (False, True):
        expected = getattr(np, operator)(x.astype("float64"), axis=axis, keepdims=keepdims)
        got = CPU.kernels[operator](x, axis=axis, keepdims=keepdims)
        assert np.asarray(got).dtype == np.float32
        dot = layout == "plain" and "first" not in name  # else NumPy adds one by one
        limit = 1e-6 if dot else 3e-5
        np.testing.assert_allclose(got, expected, limit, limit)
        out = np.zeros(expected.shape, "float32")
        assert CPU.kernels[operator](x, axis=axis, keepdims=keepdims, out=out) is out
        np.testing.assert_array_equal(out, got)


def test_threads_change_nothing():
    """Catch a cut, or a dot product, that depends on the number of threads."""
    before, found = mi.get_num_threads(), []
    x = np.random.default_rng(0).normal(0, 1, 2 * LARGE + 77).astype("float32")
    try:
        for threads in (1, 2, 3):
            mi.set_num_threads(threads)
            found.append(
                [
                    float(CPU.kernels["sum"](x, axis=(0,), keepdims=False)),
                    float(CPU.kernels["mean"](x[:30_000], axis=(0,), keepdims=False)),
                ]
            )
    finally:
        mi.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_what_is_no_number_stays():
    """Catch a product of infinity with 0, or an extreme that passes over NaN."""
    x = np.zeros((3, LARGE), "float32")
    x[0, 5], x[1, 7], x[2, 9], x[2, 10] = np.inf, np.nan, np.inf, -np.inf
    got = CPU.kernels["sum"](x, axis=(1,), keepdims=False)
    np.testing.assert_array_equal(got, np.array([np.inf, np.nan, np.nan], "float32"))
    got = CPU.kernels["max"](x, axis=(1,), keepdims=False)
    np.testing.assert_array_equal(got, np.array([np.inf, np.nan, np.inf], "float32"))
