"""Products of matrices as native kernels: odd sizes, layouts, and any number of threads."""

import numpy as np
import pytest

import minima as mi
from minima_numba.writer import KERNELS

#: shape of a, columns of b
SIZES = (
    ((16, 128), 129),
    ((65, 300), 67),
    ((3, 50, 257), 31),
    ((100, 513), 260),
    ((700, 64), 500),  # enough for several threads
    ((250, 2600), 10),
)


def compiled_product(step, *inputs):
    compiled = mi.compile(step, executor="numba")
    for _ in range(3):
        found = compiled(*inputs)
    return compiled.plans[0], found.numpy()


def matrix(shape, dtype, turned, seed):
    """Return a random matrix, or one whose columns lie in runs."""
    rng = np.random.default_rng(seed)
    if turned:
        return np.moveaxis(rng.standard_normal((shape[-1], *shape[:-1])).astype(dtype), 0, -1)
    return rng.standard_normal(shape).astype(dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-13)])
@pytest.mark.parametrize("turned", [(0, 0), (0, 1), (1, 0), (1, 1)], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_matmul(size, turned, dtype, tolerance):
    """Catches a tile, or a run of the sum, that is left out or taken twice."""
    shape, n = size
    a = matrix(shape, dtype, turned[0], 0)
    b = matrix((shape[-1], n), dtype, turned[1], 1)
    plan, found = compiled_product(lambda a, b: a @ b, mi.asarray(a), mi.asarray(b))
    expected = a.astype("f8") @ b.astype("f8")
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * np.abs(expected).max())
    (step,) = plan.launches()
    assert KERNELS["matmul"](step) is not None


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [((1, 3), 2), ((5, 7, 33), 70), ((2, 300, 129), 257)], ids=str)
def test_project(size, dtype, bias):
    """Catches a bias that is added for each run of the sum, or not at all."""
    shape, n = size
    x, weight, b = (matrix(s, dtype, False, i) for i, s in enumerate((shape, (n, shape[-1]), (n,))))
    given = [mi.asarray(v) for v in (x, weight, b)[: 2 + bias]]
    plan, found = compiled_product(mi.operators.project, *given)
    expected = x.astype("f8") @ weight.astype("f8").T + (b if bias else 0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    (step,) = plan.launches()
    assert KERNELS["project"](step) is not None


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 0, 1)], ids=str)
def test_project_of_rows_in_no_order(axes):
    """Catches rows that are read where they would lie in another order."""
    x, weight = (matrix(s, "float32", False, 0) for s in ((9, 70, 40), (50, (9, 70, 40)[axes[2]])))

    def step(x, weight):
        return mi.operators.project(mi.permute_dims(x, axes), weight)

    plan, found = compiled_product(step, mi.asarray(x), mi.asarray(weight))
    expected = x.transpose(axes).astype("f8") @ weight.astype("f8").T
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    (launch,) = plan.launches()
    assert len(KERNELS["project"](launch)) == 2  # the first of them copies


def test_threads_change_nothing():
    """Catches parts that depend on the number of threads."""
    a, b = (mi.asarray(matrix(s, "float32", False, 0)) for s in ((300, 520), (520, 300)))
    before, found = mi.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            mi.set_num_threads(threads)
            found.append(compiled_product(lambda a, b: a @ b, a, b)[1].copy())
    finally:
        mi.set_num_threads(before)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])
