"""Rows of a table as native kernels: repeated indices, layouts, and indices that name no row."""

import numpy as np
import pytest

import minima as mi
from minima_numba.writer import KERNELS


def step(indices, table, padding=None):
    table = table.detach().requires_grad_()
    y = mi.embedding(indices, table, padding_idx=padding)
    slope = mi.reshape(mi.arange(y.size).astype(y.dtype) % 7 - 3, y.shape)
    return [y.detach(), *mi.autograd.grad((y * slope).sum(), [table])]


@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("sizes", [((1, 1), 3, 1), ((5, 7), 4, 33), ((40, 50), 300, 130)], ids=str)
def test_values(sizes, turned, kind, padding):
    """Catches columns that no part adds up, and a row that is added twice."""
    shape, many, columns = sizes
    rng = np.random.default_rng(0)
    indices = rng.integers(0, many, shape).astype(kind)
    indices = mi.asarray(indices.T if turned else indices)
    table = mi.asarray(rng.standard_normal((many, columns)).astype("float32"))
    compiled = mi.compile(lambda i, t: step(i, t, padding), executor="numba")
    for _ in range(3):
        found = compiled(indices, table)
    for a, b in zip(found, step(indices, table, padding), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-5)
    (plan,) = compiled.plans
    steps = [s for s in plan.launches() if s.name in ("embedding", "embedding_gradient")]
    native = [KERNELS[s.name](s) is not None for s in steps]
    assert len(native) == 2
    assert all(native) == (not turned or max(shape) == 1)  # indices in no order are NumPy's


@pytest.mark.parametrize("wrong", [-1, 9])
def test_no_row(wrong):
    """Catches a read, or a sum, outside of the table."""
    compiled = mi.compile(step, executor="numba")
    indices, table = np.arange(9) % 4, mi.ones((9, 5))
    for _ in range(3):
        compiled(mi.asarray(indices), table)
    indices[3] = wrong
    with pytest.raises(mi.IndexRangeError, match=rf"embedding: got index {wrong}; expected 0 to 8"):
        compiled(mi.asarray(indices), table)


@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("mode", ["sum", "mean"])
@pytest.mark.parametrize("columns", [1, 33, 64])
def test_bags(columns, mode, kind, padding):
    """Catches a bag that ends at the wrong place, and one that is empty or all padding."""
    rng = np.random.default_rng(0)
    indices = mi.asarray(rng.integers(0, 4, 20).astype(kind))
    indices[0:3] = 2
    offsets = mi.asarray(np.array([0, 3, 3, 10, 20], kind))
    table = mi.asarray(rng.standard_normal((4, columns)).astype("float32"))

    def bags(indices, offsets, table):
        return mi.operators.embedding_bag(indices, offsets, table, mode=mode, padding_idx=padding)

    compiled = mi.compile(bags, executor="numba")
    for _ in range(3):
        found = compiled(indices, offsets, table)
    expected = bags(indices, offsets, table)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)
    (plan,) = compiled.plans
    assert all(KERNELS[s.name](s) is not None for s in plan.launches() if "bag" in s.name)
    indices[7] = 4
    with pytest.raises(mi.IndexRangeError, match="embedding_bag: got index 4; expected 0 to 3"):
        compiled(indices, offsets, table)
