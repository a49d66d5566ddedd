"""Pooling as native kernels: values and gradients in odd shapes, ties, NaN and margins."""

import numpy as np
import pytest

import minima as mi

#: function, attributes, shape
ROWS = [
    ("max_pool2d", {"kernel_size": 2}, (3, 5, 7, 6)),
    ("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, (2, 17, 9, 8)),
    ("max_pool2d", {"kernel_size": (3, 2), "stride": (1, 3), "padding": (1, 1)}, (1, 33, 5, 7)),
    ("max_pool2d", {"kernel_size": 2, "stride": 3}, (2, 16, 8, 8)),
    ("max_pool2d", {"kernel_size": 6}, (2, 3, 12, 12)),  # too large to be written out
    ("max_pool2d", {"kernel_size": 2}, (64, 32, 32, 32)),  # enough for several threads
    ("avg_pool2d", {"kernel_size": 2}, (3, 5, 6, 8)),
    ("avg_pool2d", {"kernel_size": 3, "stride": 2}, (2, 17, 7, 9)),
    ("avg_pool2d", {"kernel_size": 2, "padding": 1}, (2, 16, 4, 4)),
    ("adaptive_avg_pool2d", {"output_size": 1}, (4, 19, 5, 6)),
    ("adaptive_avg_pool2d", {"output_size": (2, 3)}, (2, 16, 4, 6)),
    ("adaptive_avg_pool2d", {"output_size": 2}, (2, 3, 5, 5)),
]


def compare(name, attrs, x, tolerance):
    function = getattr(mi.operators, name)

    def step(x):
        x = x.detach().requires_grad_()
        y = function(x, **attrs)
        slope = mi.reshape(mi.arange(y.size).astype(y.dtype) % 7 + 1, y.shape)
        return [y.detach(), *mi.autograd.grad((y * slope).sum(), [x])]

    compiled, given = mi.compile(step, executor="numba"), mi.asarray(x)
    for _ in range(3):
        found = compiled(given)
    for a, b in zip(found, step(given), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("layout", ["planes", "channels last"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-14)])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_values(row, dtype, tolerance, layout):
    """Catches a window at a wrong place, and a slope given twice or to nobody."""
    name, attrs, (n, c, h, w) = row
    rng = np.random.default_rng(0)
    x = rng.integers(-4, 4, (n, h, w, c)).astype(dtype).transpose(0, 3, 1, 2)  # with ties
    compare(name, attrs, np.ascontiguousarray(x) if layout == "planes" else x, tolerance)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("padding", [0, 1])
def test_nan_is_the_largest(padding):
    """Catches a comparison that passes over NaN, whose slope it takes."""
    x = np.zeros((1, 4, 4, 16), np.float32)
    x[0, 1, 1, :5], x[0, 3, 2, 4], x[0, 0, 0, 4] = np.nan, np.nan, -np.inf
    attrs = {"kernel_size": 2, "padding": padding}
    compare("max_pool2d", attrs, x.transpose(0, 3, 1, 2), 0)
