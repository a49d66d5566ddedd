"""The sums of the embeddings' kernels, at sizes where rows are added pairwise."""

import numpy as np
import pytest

from minima.devices import CPU
from minima.devices.base import REFERENCES


def numbers(kind, count, table):
    """Return *count* numbers below *table*: evenly spread, mostly small ones, or all the same."""
    rng = np.random.default_rng(0)
    if kind == "even":
        return rng.integers(0, table, count)
    if kind == "skew":
        return np.minimum(rng.zipf(1.3, count) - 1, table - 1)
    return np.full(count, table // 2)


@pytest.mark.parametrize("kind", ["even", "skew", "one"])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 100, 1023, 4096])
def test_gradient(kind, count):
    """Fault: a row that is lost or added twice when neighbours are paired."""
    indices = numbers(kind, count, 50)
    g = np.random.default_rng(1).normal(size=(count, 3))
    attrs = {"num_embeddings": 50, "padding_idx": None}
    y = CPU.kernels["embedding_gradient"](g, indices, **attrs)
    expected = REFERENCES["embedding_gradient"](np, g, indices, **attrs)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


def test_sums_of_many_lose_little():
    """Fault: a float32 sum that goes one by one, of which the last digits are noise."""
    g = np.full((100_000, 1), 0.1, "float32")
    attrs = {"num_embeddings": 1, "padding_idx": None}
    y = CPU.kernels["embedding_gradient"](g, np.zeros(len(g), int), **attrs)
    assert abs(y.item() - 10_000.0) < 0.01


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 3])
@pytest.mark.parametrize("sizes", [[5] * 40, [0, 1, 90, 0, 33, 2, 0], [0, 0], [700]], ids=str)
def test_bags(mode, padding, sizes):
    """Fault: bags of different sizes, or without entries, that take each other's rows."""
    indices = numbers("skew", sum(sizes), 30)
    offsets = np.cumsum([0, *sizes[:-1]])
    weight = np.random.default_rng(2).normal(size=(30, 4))
    attrs = {"mode": mode, "padding_idx": padding}
    y = CPU.kernels["embedding_bag"](indices, offsets, weight, **attrs)
    expected = REFERENCES["embedding_bag"](np, indices, offsets, weight, **attrs)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("index", [-1, 5])
def test_a_replay_finds_a_wrong_index(index):
    """Fault: the nearest row in place of an error where nothing was checked before."""
    out = np.empty((1, 2))
    with pytest.raises(IndexError, match=r"embedding: got index .* expected 0 to 4"):
        CPU.kernels["embedding"](np.array([index]), np.ones((5, 2)), padding_idx=None, out=out)
