"""LSTM and GRU on the emulator: every step, forward and backward."""

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from kernels.compare import (
    LARGE_SCHEDULES,
    SMALL_SCHEDULES,
    TOLERANCES,
    Poisoned,
    assert_close,
    kernels,
    reference,
)
from minima_cuda.families.recurrent import KERNELS

pytestmark = needs_emulator

#: steps, samples, size of the state
SMALL = [(1, 1, 1), (3, 2, 5), (2, 3, 1), (4, 1, 33)]
LARGE = [(2, 9, 31), (1, 33, 32)]
EMPTY = [(0, 2, 3), (2, 0, 3)]


def inputs(cell, sizes, dtype, biased=True):
    """Return the inputs of the operator *cell*, and of its gradient."""
    steps, n, size = sizes
    random = np.random.default_rng(steps + n + size)
    gates = 4 if cell == "lstm" else 3

    def real(*shape):
        return (random.normal(size=shape) / 2).astype(dtype)

    states = [real(n, size), real(n, size)][: 2 if cell == "lstm" else 1]
    weight = (random.normal(size=(gates * size, size)) / size).astype(dtype)
    given = [real(steps, n, gates * size), *states, weight]
    if cell == "gru":
        given.append(real(gates * size) if biased else None)
    shape = (6 if cell == "lstm" else 5, steps, n, size)
    return given, [real(*shape), real(*shape), *states, weight]


def check(table, cell, sizes, dtype, biased=True):
    scale = 4.0 if dtype in ("float32", "float64") else 16.0  # steps pass rounded states on
    forward, backward = inputs(cell, sizes, dtype, biased)
    for name, given in ((cell, forward), (f"{cell}_gradient", backward)):
        before = [None if a is None else a.copy() for a in given]
        found = table[name](*given)
        assert found.dtype == dtype
        assert_close(found, reference(name, *given), dtype, scale)
        assert all(a is None or (a == b).all() for a, b in zip(given, before))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
def test_small(cell, schedule):
    """Catches a step that reads what another thread or step has yet to write."""
    for sizes in SMALL:
        check(kernels(schedule), cell, sizes, "float32")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("sizes", LARGE)
def test_more_than_a_block(cell, schedule, sizes):
    """Catches a state of which only the first elements are computed."""
    check(kernels(schedule), cell, sizes, "float32")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("dtype", [d for d in TOLERANCES if d != "float32"])
def test_types(cell, dtype):
    """Catches arithmetic in a type too narrow."""
    for sizes in SMALL[:3]:
        check(kernels("reverse"), cell, sizes, dtype)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("sizes", EMPTY)
def test_empty(cell, sizes):
    """Catches a launch without blocks, and gradients that are not 0."""
    check(kernels("forward"), cell, sizes, "float32")


def test_a_gru_without_bias():
    """Catches a bias that is read where there is none."""
    check(kernels("forward"), "gru", (3, 2, 5), "float32", biased=False)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_out(cell):
    """Catches a result that is not where the caller asked for it."""
    table = kernels("forward")
    for name, given in zip((cell, f"{cell}_gradient"), inputs(cell, (3, 2, 5), "float32")):
        wanted = table[name](*given)
        out = np.full(wanted.shape, np.nan, np.float32)
        assert table[name](*given, out=out) is out
        assert (out == wanted).all()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_grid_smaller_than_the_work(cell):
    """Catches a thread that takes no second element."""

    class Few(EmulatorLauncher):
        def launch(self, source, name, grid, block, args, smem=0):
            if source.family == "recurrent":
                grid, block = (1,), (32,)
            super().launch(source, name, grid, block, args, smem)

    check(KERNELS(Few(), Poisoned()), cell, (2, 5, 9), "float32")


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_under_the_sanitizers(cell):
    """Catches accesses outside of an array."""
    check(KERNELS(EmulatorLauncher(sanitize=True), np), cell, (2, 3, 5), "float32")
