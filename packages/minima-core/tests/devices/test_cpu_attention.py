"""Attention on the cpu at sizes where it is cut into tiles."""

import tracemalloc

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.devices.base import REFERENCES
from minima.devices.cpu_attention import TILE, tiles
from minima.threads import get_num_threads

#: name -> leading axes, queries, keys, and the shape of a mask
CASES = {
    "short ones, many of them": ((40, 3), 70, 65, None),
    "a head in pieces": ((2,), 900, 700, None),
    "without leading axes": ((), 500, 800, (1, 800)),
    "few queries, many keys": ((1, 2), 3, 90_000, None),
    "masks of each": ((2, 3), 300, 600, (2, 3, 300, 600)),
    "a mask for all": ((2, 3), 300, 600, (300, 600)),
    "a mask for keys": ((3, 2), 400, 500, (3, 1, 1, 500)),
    "five axes": ((2, 2, 2), 300, 300, (2, 1, 2, 1, 300)),
}


def inputs(name, dtype="float64"):
    """Return g, q, k, v and a mask, half of it hidden."""
    lead, rows, keys, mask = CASES[name]
    rng = np.random.default_rng(0)
    sizes = (rows, 5), (rows, 8), (keys, 8), (keys, 5)
    arrays = [rng.normal(size=(*lead, *s)).astype(dtype) for s in sizes]
    return [*arrays, None if mask is None else rng.random(mask) < 0.5]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_tiles_make_the_whole(name, causal):
    """Fault: a tile that is left out, comes twice, or takes another's part of the mask."""
    g, *given = inputs(name)
    attrs = {"causal": causal, "scale": 0.4}
    for operator, arrays in (
        ("scaled_dot_product_attention", given),
        ("attention_gradient", [g, *given]),
    ):
        y = CPU.kernels[operator](*arrays, **attrs)
        expected = REFERENCES[operator](np, *arrays, **attrs)
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("shape", "keys"),
    [((1, 1, 5, 8), 3), ((7, 3, 70, 8), 65), ((2, 3, 900, 8), 700), ((1, 1, 9, 8), 10**6)],
)
def test_tiles_are_small_and_cover_everything(shape, keys):
    """Fault: scores of the whole sequence, or a query that nobody computes."""
    seen = np.zeros(shape[:3], int)
    for tile in tiles(shape, keys):
        seen[tile] += 1
        rows = seen[tile]
        assert rows.size * keys <= TILE or rows.shape == (1, 1, min(16, shape[2]))
    assert (seen == 1).all()


@pytest.mark.parametrize("causal", [False, True])
def test_memory_is_that_of_a_tile(causal):
    """Fault: a buffer of queries times keys."""
    length = 4096
    q = np.random.default_rng(0).normal(size=(1, 1, length, 8)).astype("float32")
    attrs = {"causal": causal, "scale": 1.0}
    calls = [
        ("scaled_dot_product_attention", (q, q, q), np.empty_like(q)),
        ("attention_gradient", (q, q, q, q), np.empty(3 * q.size, "float32")),
    ]
    for operator, arrays, out in calls:
        CPU.kernels[operator](*arrays, **attrs, out=out)
        tracemalloc.start()
        try:
            CPU.kernels[operator](*arrays, **attrs, out=out)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 4 * TILE * 8 * get_num_threads() < length * length * 4


def test_results_do_not_depend_on_the_threads():
    """Fault: gradients of keys that threads add to at once."""
    arrays = inputs("a head in pieces", "float32")
    attrs = {"causal": True, "scale": 0.4}
    before, found = mi.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            mi.set_num_threads(threads)
            found.append(CPU.kernels["attention_gradient"](*arrays, **attrs).tobytes())
    finally:
        mi.set_num_threads(before)
    assert len(set(found)) == 1


def test_infinite_scores_are_nan_and_stay_in_their_row():
    """Fault: a NaN that spreads, or one that is hidden."""
    q = np.ones((3, 2), "float32")
    q[1, 0] = np.inf
    k = np.array([[1.0, 1.0], [-1.0, 1.0]], "float32")
    y = CPU.kernels["scaled_dot_product_attention"](q, k, k, causal=False, scale=1.0)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()
