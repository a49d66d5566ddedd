"""Convolution and its gradients as native kernels: values, and any number of threads."""

import numpy as np
import pytest

import minima as mi

#: images, channels in and out, height, width, kernel, stride, padding
ROWS = [
    (1, 1, 1, 1, 1, (1, 1), (1, 1), (0, 0)),
    (3, 5, 10, 9, 7, (3, 3), (2, 2), (1, 1)),
    (2, 3, 4, 5, 5, (1, 1), (2, 2), (0, 0)),
    (1, 7, 21, 11, 13, (5, 3), (3, 2), (2, 1)),
    (2, 4, 3, 6, 6, (2, 2), (3, 3), (0, 0)),  # a stride that leaves elements out
    (2, 2, 2, 3, 3, (3, 3), (1, 1), (4, 4)),  # windows that see nothing but margin
    (5, 16, 32, 9, 10, (3, 3), (1, 1), (1, 1)),  # Winograd, with tiles over the border
    (3, 32, 16, 12, 8, (3, 3), (1, 1), (0, 0)),
    (7, 16, 16, 4, 4, (3, 3), (1, 1), (2, 1)),
    (1, 16, 48, 33, 31, (3, 3), (1, 1), (1, 1)),
    (9, 64, 16, 16, 16, (3, 3), (1, 1), (1, 1)),  # enough for several threads
    (2, 3, 17, 64, 64, (7, 7), (2, 2), (3, 3)),
]


def run(row, dtype, executor, layout):
    """Return the output and the gradients of input, weight and bias."""
    n, c, o, h, w, kernel, stride, padding = row
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, h, w, c)).astype(dtype).transpose(0, 3, 1, 2)
    if layout == "planes":
        x = np.ascontiguousarray(x)
    weight, bias = rng.standard_normal((o, c, *kernel)), rng.standard_normal(o)
    leaves = [mi.asarray(a.astype(dtype)) for a in (x, weight, bias)]

    def step(*leaves):
        leaves = [t.detach().requires_grad_() for t in leaves]
        y = mi.conv2d(*leaves, stride=stride, padding=padding)
        slope = mi.reshape(mi.sin(mi.arange(y.size).astype(dtype)) + 0.5, y.shape)
        return [y.detach(), *mi.autograd.grad((y * slope).sum(), leaves)]

    if executor is None:
        return [t.numpy() for t in step(*leaves)]
    compiled = mi.compile(step, executor=executor)
    for _ in range(2):
        compiled(*leaves)
    return [t.numpy().copy() for t in compiled(*leaves)]


@pytest.mark.parametrize("layout", ["planes", "channels last"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_values(row, dtype, tolerance, layout):
    """Catches a window, a margin, a phase of the stride or a tile at a wrong place."""
    exact = run(row, "float64", None, layout)
    for found, expected in zip(run(row, dtype, "numba", layout), exact, strict=True):
        assert found.shape == expected.shape
        size = np.abs(expected).max(initial=1e-30)
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * size)


@pytest.mark.parametrize("row", [ROWS[-2], ROWS[-1]], ids=str)
def test_threads_change_nothing(row):
    """Catches sums that are made one for each thread."""
    before = mi.get_num_threads()
    found = []
    try:
        for count in (1, 3):
            mi.set_num_threads(count)
            found.append(run(row, "float32", "numba", "channels last"))
    finally:
        mi.set_num_threads(before)
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
