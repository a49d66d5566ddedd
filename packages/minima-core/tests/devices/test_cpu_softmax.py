"""Softmax, GELU and cross entropy on the cpu: many pieces, and targets that are no classes."""

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.devices.base import REFERENCES
from minima.devices.cpu_softmax import in_rows


def drawn(*shape, dtype="float32"):
    return np.random.default_rng(len(shape)).normal(0, 2, shape).astype(dtype)


def turned(x):
    """Return x with its axes in memory in the opposite order."""
    return np.ascontiguousarray(x.T).T


def gaps(x):
    """Return x with gaps between its elements."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


LARGE = {
    "softmax": ((1100, 300), {"axis": (1,)}),
    "softmax of two axes": ((90, 50, 60), {"axis": (1, 2)}),
    "softmax of the first axis": ((1100, 300), {"axis": (0,)}),
    "softmax_gradient": ((1100, 300), {"axis": (1,)}),
    "softmax_gradient of the first axis": ((1100, 300), {"axis": (0,)}),
    "log_softmax": ((1100, 300), {"axis": 1}),
    "log_softmax of the first axis": ((1100, 300), {"axis": 0}),
    "gelu": ((300, 701), {"approximate": "none"}),
    "gelu_gradient": ((300, 701), {"approximate": "tanh"}),
    "erf": ((300, 701), {}),
    "sigmoid": ((300, 701), {}),
    "relu": ((300, 701), {}),
    "relu_gradient": ((300, 701), {}),
    "power_scalar": ((300, 701), {"scalar": 3}),
    "power_scalar of an odd number": ((300, 701), {"scalar": -5.0}),
    "power_scalar of an even number": ((300, 701), {"scalar": 4}),
}


@pytest.mark.parametrize("layout", [np.ascontiguousarray, turned, gaps])
@pytest.mark.parametrize("name", LARGE)
def test_large(name, layout):
    """Catch a piece that is left out, or goes where its rows do not lie."""
    shape, attrs = LARGE[name]
    operator = name.split()[0]
    count = len(mi.operators.TABLE[operator].inputs)
    inputs = [layout(drawn(*shape) + i) for i in range(count)]
    expected = REFERENCES[operator](np, *(a.astype("float64") for a in inputs), **attrs)
    limit = 1e-5 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(CPU.kernels[operator](*inputs, **attrs), expected, 0, limit)
    for out in (np.zeros(shape, "float32"), layout(np.zeros(shape, "float32"))):
        assert CPU.kernels[operator](*inputs, **attrs, out=out) is out
        np.testing.assert_allclose(out, expected, 0, limit)


def test_any_order_of_axes():
    """Catch pieces that are written to a copy of the output."""
    x = drawn(2, 5, 6, 7).transpose(0, 3, 1, 2)
    for shape in (x, x[:, :, :1], x[:1]):
        expected = CPU.kernels["gelu"](np.ascontiguousarray(shape), approximate="none")
        assert np.array_equal(CPU.kernels["gelu"](shape, approximate="none"), expected)


def test_gelu_is_as_exact_as_float32():
    """Catch coefficients with a wrong digit: the largest errors lie between the samples."""
    x = np.linspace(-8, 8, 100_001)
    g = np.ones_like(x)
    for name, inputs in (("gelu", (x,)), ("gelu_gradient", (g, x))):
        expected = REFERENCES[name](np, *inputs, approximate="none")
        narrow = [a.astype("float32") for a in inputs]
        got = CPU.kernels[name](*narrow, approximate="none")
        np.testing.assert_allclose(got, expected, 3e-7, 2e-6)


def test_where_is_np_where():
    """Catch bits of the wrong input, or a condition that is not spread over the rest."""
    a, b = drawn(300, 701), np.float32(np.nan) * drawn(300, 701)
    for condition in (a > 0, a[:1] > 0, a[:, :1] > 0, np.array(True)):
        for x, y in ((a, b), (b, a[:1]), (a.astype("int8"), np.int8(3)), (a + 1j, a[:1] * 1j)):
            got = CPU.kernels["where"](condition, x, y)
            assert np.array_equal(got, np.where(condition, x, y), equal_nan=True)


def test_sigmoid_in_its_tails():
    """Catch an overflow, or a share that is 0 before the type ends."""
    rows = (("float16", -9, 3e-3), ("float32", -87, 1e-6), ("float64", -700, 1e-15))
    for dtype, lowest, limit in rows:
        x = np.linspace(lowest, 700, 9999).astype(dtype)
        with np.errstate(over="ignore"):
            expected = 1 / (1 + np.exp(-x.astype("float64")))
        np.testing.assert_allclose(CPU.kernels["sigmoid"](x), expected, limit)
    ends = CPU.kernels["sigmoid"](np.array([-np.inf, np.inf, np.nan], "float32"))
    np.testing.assert_array_equal(ends, np.array([0, 1, np.nan], "float32"))


def test_formulas_may_write_over_their_input():
    """Catch a formula that reads its input after it has written its output, or has another way."""
    given = {
        "gelu": {"approximate": "none"},
        "power_scalar": {"scalar": 3},
        "softmax": {"axis": (1,)},
        "log_softmax": {"axis": 1},
    }
    for name in ("sigmoid", "relu", "erf", *given):
        attrs = given.get(name, {})
        for shape in ((3, 4), (300, 701)):
            x = drawn(*shape)
            expected = CPU.kernels[name](x, **attrs)
            assert np.array_equal(CPU.kernels[name](x, **attrs, out=x), expected)


def test_softmax_of_what_overflows():
    """Catch sums of exp that are infinite or 0, where only some of the pieces have them."""
    x = drawn(1100, 300)
    x[:3], x[600:603], x[1090], x[1099] = 500 + x[:3], x[600:603] - 500, np.nan, -np.inf
    x[5, ::2] = -np.inf
    with np.errstate(invalid="ignore"):
        expected = REFERENCES["softmax"](np, x.astype("float64"), axis=(1,))
    np.testing.assert_allclose(CPU.kernels["softmax"](x, axis=(1,)), expected, 1e-5)
    targets = np.arange(1100) % 300
    attrs = {"reduction": "sum", "label_smoothing": 0.1}
    rows = slice(0, 1000)  # of finite losses
    x[5] = 1
    for name, first in (("cross_entropy", ()), ("cross_entropy_gradient", (np.array(2.0),))):
        wide = (*first, x[rows].astype("float64"), targets[rows])
        expected = REFERENCES[name](np, *wide, **attrs)
        narrow = (*(a.astype("float32") for a in first), x[rows], targets[rows])
        np.testing.assert_allclose(CPU.kernels[name](*narrow, **attrs), expected, 1e-4, 1e-6)


def test_large_is_cut():
    """Catch cases that no longer reach more than one piece."""
    for name, (shape, attrs) in LARGE.items():
        if "axis" in attrs and "first" not in name and "log" not in name:
            form = in_rows(drawn(*shape), attrs["axis"])
            assert form is not None
            assert len(form.pieces()) > 1


BAD = [[0, 3], [-1, 0], [0, 2**62]]


@pytest.mark.parametrize("bad", BAD)
def test_a_target_that_is_no_class(bad):
    """Catch a class that wraps around, or reads beyond the row."""
    for logits in (drawn(2, 3), drawn(1, 3, 2)):
        targets = np.array(bad).reshape(logits.shape[:1] + logits.shape[2:])
        with pytest.raises(mi.IndexRangeError, match=r"cross_entropy: got class .* 0 to 2"):
            mi.cross_entropy(mi.asarray(logits), mi.asarray(targets))
        with pytest.raises(mi.IndexRangeError, match=r"one_hot: got class .* 0 to 2"):
            mi.one_hot(mi.asarray(targets), 3)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_types_of_targets(dtype):
    """Catch a check that takes the sign of a small type for a large class."""
    logits = mi.asarray(drawn(2, 3))
    expected = mi.cross_entropy(logits, mi.asarray(np.array([2, 0])))
    got = mi.cross_entropy(logits, mi.asarray(np.array([2, 0], dtype)))
    assert got.item() == expected.item()


@pytest.mark.parametrize("bad", BAD)
def test_a_target_that_is_no_class_in_a_plan(bad):
    """Catch a replay that trusts the targets of the call that it was made from."""

    @mi.compile
    def loss(logits, targets):
        return mi.cross_entropy(logits, targets)

    logits, good = mi.asarray(drawn(2, 3)), mi.asarray(np.array([0, 2]))
    values = [loss(logits, good).item() for _ in range(3)]
    assert len(set(values)) == 1
    assert len(loss.plans) == 1
    with pytest.raises(mi.IndexRangeError, match="got class"):
        loss(logits, mi.asarray(np.array(bad)))
    assert loss(logits, good).item() == values[0]
