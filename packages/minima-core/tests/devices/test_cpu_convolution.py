"""Convolution on the cpu at sizes where pieces, threads and Winograd's way come in."""

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.devices.base import REFERENCES
from minima.devices.cpu_convolution import CHUNK, Window
from minima.devices.cpu_winograd import suits_winograd
from minima.devices.scratch import KEEP, scratch

PLAIN = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}

#: name -> x, weight, options
CASES = {
    "winograd": ((3, 32, 16, 16), (40, 32, 3, 3), {"padding": (1, 1)}),
    "winograd without padding": ((4, 33, 13, 14), (32, 33, 3, 3), {}),
    "winograd with more padding than the window": (
        (4, 32, 12, 9),
        (32, 32, 3, 3),
        {"padding": (3, 2)},
    ),
    "winograd, one image in pieces": ((1, 64, 64, 40), (64, 64, 3, 3), {"padding": (1, 1)}),
    "winograd in groups": ((4, 64, 9, 9), (64, 32, 3, 3), {"groups": 2, "padding": (1, 1)}),
    "one image in pieces": ((1, 24, 60, 70), (8, 24, 5, 3), {"padding": (2, 0)}),
    "many images": ((37, 3, 11, 12), (5, 3, 3, 3), {"padding": (1, 1)}),
    "strided": ((5, 16, 33, 31), (24, 16, 3, 3), {"stride": (2, 3), "padding": (1, 1)}),
    "strided over gaps": ((2, 3, 30, 30), (4, 3, 2, 2), {"stride": (5, 4)}),
    "dilated": ((3, 9, 40, 40), (10, 9, 3, 3), {"dilation": (3, 2), "padding": (2, 4)}),
    "1x1": ((4, 20, 30, 30), (12, 20, 1, 1), {}),
    "1x1 strided": ((4, 20, 31, 30), (12, 20, 1, 1), {"stride": (2, 2)}),
    "1x1 padded": ((2, 4, 5, 5), (3, 4, 1, 1), {"padding": (1, 2)}),
    "depthwise": ((3, 40, 33, 30), (40, 1, 3, 3), {"groups": 40, "padding": (1, 1)}),
    "depthwise strided": (
        (3, 40, 33, 30),
        (40, 1, 3, 5),
        {"groups": 40, "padding": (1, 2), "stride": (2, 1)},
    ),
    "depthwise with a multiplier": ((2, 4, 9, 9), (8, 1, 3, 3), {"groups": 4}),
    "groups": ((2, 12, 20, 20), (18, 4, 3, 3), {"groups": 3, "padding": (1, 1)}),
    "a window as large as the image": ((3, 8, 6, 7), (4, 8, 6, 7), {}),
    "no images": ((0, 32, 16, 16), (32, 32, 3, 3), {"padding": (1, 1)}),
    "no channels out": ((2, 3, 8, 8), (0, 3, 3, 3), {}),
    "no channels in": ((2, 0, 8, 8), (3, 0, 3, 3), {}),
}


def channels_last(array):
    """Return an equal array in whose memory the channels are last."""
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


def strided(array):
    """Return an equal array with gaps between its elements."""
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


LAYOUTS = {"planes": np.ascontiguousarray, "channels last": channels_last, "strided": strided}


def launches(name, dtype):
    """Yield operator, inputs, attributes of the three operators of a case."""
    x_shape, w_shape, options = CASES[name]
    attrs = {**PLAIN, **options}
    rng = np.random.default_rng(5)
    x, weight, bias = (rng.uniform(-1, 1, s).astype(dtype) for s in (x_shape, w_shape, w_shape[:1]))
    y = REFERENCES["conv2d"](np, x, weight, bias, **attrs)
    g = rng.uniform(-1, 1, y.shape).astype(dtype)
    yield "conv2d", (x, weight, bias), attrs
    yield "conv2d", (x, weight, None), attrs
    yield "conv2d_input_gradient", (g, weight), {"shape": x_shape, **attrs}
    yield "conv2d_weight_gradient", (x, g), {"shape": w_shape, **attrs}


def close(got, expected, dtype):
    """Compare, relative to the largest element, as closely as *dtype* and sums allow."""
    assert (got.shape, got.dtype) == (expected.shape, np.dtype(dtype))
    limit = {"float16": 4e-3, "float32": 2e-5, "float64": 1e-13}[dtype]
    np.testing.assert_allclose(got, expected, 0, limit * max(1.0, np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_values(name, dtype, layout):
    """Catch a wrong margin of a piece, a wrong tile, or a layout that changes values."""
    for operator, inputs, attrs in launches(name, dtype):
        wide = [None if a is None else a.astype("float64") for a in inputs]
        expected = REFERENCES[operator](np, *wide, **attrs)
        placed = [a if a is None or a.ndim < 4 else LAYOUTS[layout](a) for a in inputs]
        before = [None if a is None else a.copy() for a in placed]
        close(CPU.kernels[operator](*placed, **attrs), expected, dtype)
        out = LAYOUTS[layout](np.full(expected.shape, 7, dtype))
        assert CPU.kernels[operator](*placed, **attrs, out=out) is out
        close(out, expected, dtype)
        for a, b in zip(placed, before):
            assert a is None or np.array_equal(a, b)


@pytest.mark.parametrize("name", CASES)
def test_threads_change_nothing(name):
    """Catch sums whose order depends on the number of threads."""
    before = mi.get_num_threads()
    try:
        for operator, inputs, attrs in launches(name, "float32"):
            found = []
            for n in (1, 2, 3):
                mi.set_num_threads(n)
                found.append(CPU.kernels[operator](*inputs, **attrs).tobytes())
            assert found[0] == found[1] == found[2]
    finally:
        mi.set_num_threads(before)


def test_cases_go_the_ways_they_name():
    """Catch cases that no longer reach Winograd's way, or more than one piece."""
    for name, (x, weight, options) in CASES.items():
        attrs = {**PLAIN, **options}
        window = Window(weight[2:], attrs["stride"], attrs["padding"], attrs["dilation"])
        images = np.zeros((x[0], *x[2:], x[1]), "float32")
        groups = attrs["groups"]
        part = np.zeros((weight[0] // groups, *weight[1:]), "float32")
        y = np.zeros((x[0], *x[2:], weight[0]))
        assert suits_winograd(images, part, window, y) == (name.startswith("winograd"))
        if "in pieces" in name:
            assert x[1] * 9 * x[2] * x[3] > CHUNK


def test_whole_numbers():
    """Catch integers sent through floating products."""
    x = np.full((1, 1, 3, 3), 2**40, "int64")
    weight = np.ones((1, 1, 2, 2), "int64")
    y = CPU.kernels["conv2d"](x, weight, **PLAIN)
    out = np.zeros_like(y)
    CPU.kernels["conv2d"](x, weight, **PLAIN, out=out)
    assert y.dtype == "int64"
    assert (y == 2**42).all()
    assert (out == y).all()


def test_nan_reaches_the_output():
    """Catch a NaN that a transform or a margin hides."""
    x = np.zeros((2, 32, 16, 16), "float32")
    x[1, 3, 7, 7] = np.nan
    weight = np.ones((32, 32, 3, 3), "float32")
    y = CPU.kernels["conv2d"](x, weight, **{**PLAIN, "padding": (1, 1)})
    assert np.isnan(y[1, :, 6:9, 6:9]).all()
    assert not np.isnan(y[0]).any()
    assert not np.isnan(y[1, :, 12:]).any()


def test_scratch_is_bounded():
    """Catch memory that grows with the largest call, or two names over one buffer."""
    small, other = scratch("small", (4,), "float32"), scratch("other", (4,), "float32")
    assert not np.shares_memory(small, other)
    assert np.shares_memory(small, scratch("small", (2,), "float64"))
    large = scratch("large", (KEEP + 8,), "uint8")
    assert not np.shares_memory(large, scratch("large", (KEEP + 8,), "uint8"))
