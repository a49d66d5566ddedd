"""Normalisation on the cpu at sizes of many pieces, in each form and layout."""

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.devices.base import REFERENCES
from minima.devices.cpu_normalization import SMALL, Columns, Planes, Rows, form_of

#: name -> shape of x, of weight, axes, how x lies in memory, the form that takes it
CASES = {
    "rows": ((1500, 100), (100,), (1,), "plain", Rows),
    "rows of three axes": ((40, 9, 20, 30), (9, 20, 30), (1, 2, 3), "plain", Rows),
    "one long row": ((1, 200_001), (200_001,), (1,), "plain", Rows),
    "rows with gaps": ((1500, 100), (100,), (1,), "gaps", Rows),
    "a weight for few of the axes": ((500, 20, 30), (30,), (1, 2), "plain", Rows),
    "columns": ((3001, 50), (50,), (0,), "plain", Columns),
    "channels last": ((9, 24, 33, 20), (24, 1, 1), (0, 2, 3), "channels last", Columns),
    "planes": ((9, 24, 33, 20), (24, 1, 1), (0, 2, 3), "plain", Planes),
    "planes with gaps": ((9, 24, 33, 20), (24, 1, 1), (0, 2, 3), "gaps", Planes),
    "neither": ((50, 60, 70), (60, 70), (1,), "plain", type(None)),
}


def laid(array, layout):
    """Return an equal array that lies in memory as *layout* says."""
    if layout == "channels last":
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if layout == "gaps":
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::2] = array
        return wide[..., ::2]
    return array


def launches(name, dtype, mean=0.0):
    """Yield operator, inputs, attributes."""
    shape, affine, axes, layout, _ = CASES[name]
    rng = np.random.default_rng(3)
    x, g = (laid(rng.normal(m, 1, shape).astype(dtype), layout) for m in (mean, 0.0))
    weight, bias = (rng.normal(0, 1, affine).astype(dtype) for _ in range(2))
    how = {"axes": axes, "eps": 1e-5}
    yield "layer_norm", (x, weight, bias), how
    yield "layer_norm", (x, None, None), how
    yield "layer_norm_gradient", (g, x, weight), how
    yield "layer_norm_gradient", (g, x, None), how
    yield "layer_norm_affine_gradient", (g, x), {"shape": affine, **how}
    yield "var", (x,), {"axis": axes, "keepdims": True, "correction": 1}
    if axes == (0, 2, 3):
        vectors = [v.reshape(-1) for v in (weight, np.abs(bias), weight, bias)]
        yield "batch_norm", (x, *vectors), {"eps": 1e-5}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_values(name, dtype):
    """Catch a piece left out, statistics put together wrongly, a layout that changes values."""
    for operator, inputs, attrs in launches(name, dtype):
        wide = [None if a is None else a.astype("float64") for a in inputs]
        expected = REFERENCES[operator](np, *wide, **attrs)
        before = [None if a is None else a.copy() for a in inputs]
        got = CPU.kernels[operator](*inputs, **attrs)
        size = max(1.0, np.abs(expected).max())
        limit = {"float32": 3e-6, "float64": 1e-14}[dtype] * size
        if "affine" in operator:
            limit *= 20  # sums over all rows
        assert (got.shape, got.dtype) == (expected.shape, np.dtype(dtype))
        np.testing.assert_allclose(got, expected, 0, limit)
        out = laid(np.full(expected.shape, 7, dtype), "gaps")
        CPU.kernels[operator](*inputs, **attrs, out=out)
        np.testing.assert_allclose(out, expected, 0, limit)
        for a, b in zip(inputs, before):
            assert a is None or np.array_equal(a, b)


@pytest.mark.parametrize("name", ["rows", "columns", "channels last", "planes"])
def test_a_large_mean_costs_no_precision(name):
    """Catch a variance from the sum of squares, which a mean of 1000 deviations destroys."""
    for operator, inputs, attrs in launches(name, "float32", mean=1000.0):
        wide = [None if a is None else a.astype("float64") for a in inputs]
        expected = REFERENCES[operator](np, *wide, **attrs)
        got = CPU.kernels[operator](*inputs, **attrs)
        np.testing.assert_allclose(got, expected, 0, 2e-3 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("name", CASES)
def test_threads_change_nothing(name):
    """Catch sums whose order depends on the number of threads."""
    before = mi.get_num_threads()
    try:
        for operator, inputs, attrs in launches(name, "float32"):
            found = []
            for n in (1, 3):
                mi.set_num_threads(n)
                found.append(CPU.kernels[operator](*inputs, **attrs).tobytes())
            assert found[0] == found[1]
    finally:
        mi.set_num_threads(before)


@pytest.mark.parametrize("name", CASES)
def test_form(name):
    """Catch cases that no longer reach the form they name, or one piece only."""
    shape, _, axes, layout, expected = CASES[name]
    x = laid(np.zeros(shape, "float32"), layout)
    form = form_of(x, axes)
    assert type(form) is expected
    assert x.size > SMALL
    assert form is None or shape[0] == 1 or len(form.pieces()) > 1


def test_layout_is_kept():
    """Catch a result whose planes lie otherwise than the input's: all that follows is slower."""
    x = laid(np.ones((2, 3, 4, 5), "float32"), "channels last")
    for operator, inputs, attrs in launches("channels last", "float32"):
        y = CPU.kernels[operator](*inputs, **attrs)
        if y.shape == inputs[0].shape:
            assert y.strides == inputs[0].strides, operator
    assert x.strides == np.empty_like(x).strides
