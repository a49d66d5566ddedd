"""Tables of rows on the emulator."""

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima_cuda.families import embedding

from .compare import (
    LARGE_SCHEDULES,
    SMALL_SCHEDULES,
    TOLERANCES,
    Poisoned,
    assert_close,
    reference,
)

pytestmark = needs_emulator

nan, inf = np.nan, np.inf

#: shape of the indices, rows of the table, width
SMALL = (
    ((3,), 5, 2),
    ((2, 3), 5, 4),
    ((), 5, 3),
    ((0,), 5, 2),
    ((40,), 3, 1),
    ((33,), 1, 5),  # all of them the same
    ((64,), 7, 8),  # whole chunks
    ((5, 13), 200, 3),
    ((4,), 3, 0),
)
#: more than a run of the sort: two, three and a little, and one of whole runs
LARGE = (((1025,), 37, 3), ((3100,), 5, 2), ((2048,), 4000, 1), ((1500,), 2, 4))


def values(shape, dtype="float32", seed=0):
    """Return an array of normally distributed numbers."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


def numbers(shape, rows, dtype="int64"):
    """Return numbers of rows, some of them often and some never."""
    found = np.random.default_rng([7, *shape]).random(shape) ** 2 * rows
    return np.asarray(found, dtype)


def kernel(name, launcher=None):
    """Return the kernel of operator *name*."""
    return embedding.KERNELS(launcher or EmulatorLauncher(), Poisoned())[name]


def check(name, size, launcher, dtype="float32", index="int64", padding_idx=None):
    """Compare the kernel of an operator on one table with its reference in float64."""
    shape, rows, width = size
    indices = numbers(shape, rows, index)
    if name == "embedding":
        inputs, attrs = (indices, values((rows, width), dtype)), {}
    else:
        inputs, attrs = (values((*shape, width), dtype), indices), {"num_embeddings": rows}
    attrs["padding_idx"] = padding_idx
    got = kernel(name, launcher)(*inputs, **attrs)
    assert got.dtype == dtype
    assert_close(got, reference(name, *inputs, **attrs), dtype, scale=4)


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("size", SMALL, ids=str)
@pytest.mark.parametrize("name", ["embedding", "embedding_gradient"])
def test_small(name, size, schedule):
    """Catches an entry that is lost or added twice where chunks meet."""
    check(name, size, EmulatorLauncher(schedule))


@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("size", LARGE, ids=str)
@pytest.mark.parametrize("name", ["embedding", "embedding_gradient"])
def test_large(name, size, schedule):
    """Catches runs that are merged in a wrong order or place."""
    check(name, size, EmulatorLauncher(schedule))


@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", ["embedding", "embedding_gradient"])
def test_types(name, dtype, index):
    """Catches numbers of the wrong width, and sums in the type of the elements."""
    check(name, ((70,), 6, 16), EmulatorLauncher(), dtype, index, padding_idx=1)


@pytest.mark.parametrize("rows", [9, 64])
def test_aligned_and_not(rows):
    """Catches 16 bytes that are read from where 16 bytes cannot be read."""
    indices, memory = numbers((20,), rows), values((rows * 8 + 1,))
    for table in (memory[:-1].reshape(rows, 8), memory[1:].reshape(rows, 8)):
        np.testing.assert_array_equal(kernel("embedding")(indices, table), table[indices])


def test_same_bits_in_any_order():
    """Catches a sum whose order is that in which threads and blocks run."""
    inputs = values((1100, 3)), numbers((1100,), 9)
    found = [
        kernel("embedding_gradient", EmulatorLauncher(schedule))(*inputs, 9).tobytes()
        for schedule in ("forward", "reverse", 1, 2)
    ]
    assert len(set(found)) == 1


def test_order_of_additions():
    """Catches entries of a row that change places: 2^24 and three ones add up in order alone."""
    g = np.zeros((2100, 1), np.float32)
    g[[3, 4, 5, 6]] = np.float32([2**24, 1, 1, -(2**24)])[:, None]
    got = kernel("embedding_gradient")(g, np.zeros(2100, np.int64), 1)
    np.testing.assert_array_equal(got, [[0]])


def test_numbers_that_are_no_row():
    """Catches memory beside the table that is read or written: a plan may meet such numbers."""
    indices = np.array([1, -1, 0, 3, 2])
    table = values((3, 4))
    got = kernel("embedding")(indices, table)
    np.testing.assert_array_equal(got[[0, 2, 4]], table[[1, 0, 2]])
    assert np.isnan(got[[1, 3]]).all()
    g = values((5, 4))
    got = kernel("embedding_gradient")(g, indices, 3)
    np.testing.assert_array_equal(got, g[[2, 0, 4]])
    got = kernel("embedding_bag")(indices, np.array([0, 1, 2]), table, mode="sum")
    np.testing.assert_array_equal(got[0], table[1])
    assert np.isnan(got[1:]).all()


# ---- bags ----------------------------------------------------------------------------------------
#: entries, and where the bags begin: ragged, with empty ones, even, one, none
BAGS = (
    ([0, 2, 2, 1, 3, 0, 2], [0, 3, 3, 4]),
    ([0, 1, 2, 3, 0, 1], [0, 2, 4]),
    ([1, 1, 1], [0]),
    ([2, 1], [0, 2, 2]),
    ([2, 2, 1], [0, 2]),
    ([], [0, 0]),
    ([], []),
    (list(range(4)) * 80, [0, 33, 33, 97, 319]),
)


def check_bag(bags, mode, launcher, dtype="float32", index="int64", padding_idx=None, width=3):
    """Compare bags of entries with the reference in float64."""
    entries, begins = (np.array(a, index) for a in bags)
    scales = values(entries.shape, dtype, seed=1) if mode == "scaled" else None
    inputs = entries, begins, values((4, width), dtype), scales
    attrs = {"mode": "sum" if mode == "scaled" else mode, "padding_idx": padding_idx}
    got = kernel("embedding_bag", launcher)(*inputs, **attrs)
    assert got.dtype == dtype
    assert_close(got, reference("embedding_bag", *inputs, **attrs), dtype, scale=2)


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("bags", BAGS, ids=lambda bags: f"{len(bags[0])}-in-{len(bags[1])}")
@pytest.mark.parametrize("mode", ["sum", "mean", "max", "scaled"])
def test_bags(mode, bags, schedule):
    """Catches an entry that falls into the bag beside its own, and what is left in empty bags."""
    for padding_idx in (None, 2):
        check_bag(bags, mode, EmulatorLauncher(schedule), padding_idx=padding_idx)


@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("mode", ["sum", "mean", "max", "scaled"])
def test_bag_types(mode, dtype, index):
    """Catches numbers of the wrong width, and sums in the type of the elements."""
    check_bag(BAGS[-1], mode, EmulatorLauncher(), dtype, index, padding_idx=2, width=9)


@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("bags", BAGS, ids=lambda bags: f"{len(bags[0])}-in-{len(bags[1])}")
def test_numbers_and_largest_of_bags(bags, schedule):
    """Catches an offset that is counted in the bag before, and the last of two largest."""
    launcher = EmulatorLauncher(schedule)
    offsets, count = np.array(bags[1], np.int32), len(bags[0])
    got = kernel("bag_numbers", launcher)(offsets, count)
    assert got.dtype == np.int64
    np.testing.assert_array_equal(got, reference("bag_numbers", offsets, count))
    rows = np.random.default_rng(0).integers(0, 3, (count, 5)).astype(np.float32)
    if count > 2:
        rows[1, 0], rows[2, 1] = nan, -inf
    got = kernel("bag_largest", launcher)(rows, offsets)
    np.testing.assert_array_equal(got, reference("bag_largest", rows, offsets))


def test_nan_in_a_bag():
    """Catches a maximum that overlooks NaN."""
    table = np.float32([[1, nan], [nan, 2], [inf, -inf]])
    inputs = np.array([0, 1, 2, 2]), np.array([0, 3]), table
    got = kernel("embedding_bag")(*inputs, mode="max")
    np.testing.assert_array_equal(got, reference("embedding_bag", *inputs, mode="max"))


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    launcher = EmulatorLauncher(sanitize=True)
    for size in (*SMALL, *LARGE):
        for name in ("embedding", "embedding_gradient"):
            check(name, size, launcher)
    for bags in BAGS:
        for mode in ("sum", "mean", "max", "scaled"):
            check_bag(bags, mode, launcher, padding_idx=2)


# ---- one hot -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "float64", "int32", "int64", "uint8", "bool"]
)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (), (0,), (300,)])
def test_one_hot(shape, dtype):
    """Catches a 1 in the wrong column, and one that is no 1 in its type."""
    for index in ("int32", "int64"):
        indices = numbers(shape, 7, index)
        got = kernel("one_hot")(indices, 7, dtype)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, reference("one_hot", indices, 7, dtype))


@pytest.mark.parametrize("name", ["embedding", "embedding_gradient", "embedding_bag", "one_hot"])
def test_out(name):
    """Catches an output that is not written, in an order of memory that kernels do not write."""
    indices, table = numbers((12,), 5), values((5, 3))
    inputs = {
        "embedding": (indices, table),
        "embedding_gradient": (values((12, 3)), indices, 5),
        "embedding_bag": (indices, np.array([0, 4]), table),
        "one_hot": (indices, 5),
    }[name]
    wanted = kernel(name)(*inputs)
    for order in "CF":
        out = np.full(wanted.shape, nan, wanted.dtype, order)
        assert kernel(name)(*inputs, out=out) is out
        np.testing.assert_array_equal(out, wanted)


def test_other_types_go_to_the_reference():
    """Catches a table of integers that is read as one of floats."""
    launcher = EmulatorLauncher()
    table, indices = np.arange(6).reshape(3, 2), np.array([2, 0], np.int16)
    np.testing.assert_array_equal(kernel("embedding", launcher)(indices, table), table[indices])
    got = kernel("embedding_gradient", launcher)(table, np.array([1, 1, 0]), 2)
    np.testing.assert_array_equal(got, [[4, 5], [2, 4]])
    assert not launcher.launched
