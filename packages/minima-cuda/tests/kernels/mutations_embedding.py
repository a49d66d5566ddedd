"""Faults planted in the kernels of tables and bags."""

from functools import partial

import numpy as np

from .compare import Mutation, reference
from .test_embedding import BAGS, LARGE, check, check_bag, kernel, values

__all__ = ["MUTATIONS"]

FILE = "embedding.cu"
ROWS = partial(check, "embedding", ((33,), 9, 8))
SUMS = partial(check, "embedding_gradient", LARGE[1])


def on_bags(mode, bags=BAGS[0], padding_idx=None):
    """Return a check of embedding_bag."""
    return partial(check_bag, bags, mode, padding_idx=padding_idx)


def misaligned(launcher):
    """Read a table that starts one element after 16 bytes."""
    table = values((33,))[1:].reshape(4, 8)
    got = kernel("embedding", launcher)(np.array([3, 1]), table)
    np.testing.assert_array_equal(got, table[[3, 1]])


def no_row(launcher):
    """Look up a row that is not there."""
    kernel("embedding", launcher)(np.array([1, 3]), values((3, 4)))


def padded_bag(launcher):
    """Take the maximum of bags of which one has no entry."""
    check_bag(BAGS[0], "max", launcher)


def numbers_of_bags(launcher):
    """Number the entries of bags."""
    offsets = np.array(BAGS[0][1])
    got = kernel("bag_numbers", launcher)(offsets, 7)
    np.testing.assert_array_equal(got, reference("bag_numbers", offsets, 7))


def largest_of_bags(launcher):
    """Look for the first of two largest."""
    rows, offsets = np.float32([[1], [2], [2], [0]]), np.array([0, 3])
    got = kernel("bag_largest", launcher)(rows, offsets)
    np.testing.assert_array_equal(got, [[0], [1], [0], [1]])


def negative(launcher):
    """Take the maximum of numbers below 0."""
    inputs = np.array([0, 1]), np.array([0]), np.float32([[-2], [-1]])
    np.testing.assert_array_equal(kernel("embedding_bag", launcher)(*inputs, mode="max"), [[-1]])


MUTATIONS = [
    Mutation(
        "numbers of half the width",
        FILE,
        "embedding_forward(const I* numbers",
        "embedding_forward(const Int32* numbers",
        ROWS,
        "launch",
    ),
    Mutation("16 bytes from anywhere", FILE, "is_aligned(table) && ", "", misaligned, "trap"),
    Mutation(
        "row that is not there",
        FILE,
        "if (!is_row(number, rows)) {",
        "if (false) {",
        no_row,
        "bounds",
    ),
    Mutation(
        "no barrier in the sort",
        FILE,
        "      __syncthreads();\n      const int low",
        "      const int low",
        SUMS,
        "race",
    ),
    Mutation(
        "no barrier after the sort",
        FILE,
        "  __syncthreads();\n  for (int i = threadIdx.x; i < RUN; i += SORTERS) {\n    if (start",
        "  for (int i = threadIdx.x; i < RUN; i += SORTERS) {\n    if (start",
        SUMS,
        "race",
    ),
    Mutation(
        "half a run",
        FILE,
        "i < RUN; i += SORTERS) {\n    const Index at",
        "i < SORTERS; i += SORTERS) {\n    const Index at",
        SUMS,
        "uninitialised",
    ),
    Mutation("run past the end", FILE, "if (start + i < count)", "if (true)", SUMS, "bounds"),
    Mutation(
        "run sorted upwards everywhere", FILE, "down = low & size", "down = false", SUMS, "race"
    ),
    Mutation("merged into the run behind", FILE, "i - (second ? length : 0)", "i", SUMS, "race"),
    Mutation(
        "rank in the own run",
        FILE,
        "second ? pair : middle, end",
        "second ? middle : pair, end",
        SUMS,
        "race",
    ),
    Mutation(
        "places of one byte", FILE, "Index(key & 0xffffffffull)", "Index(key & 0xffull)", SUMS
    ),
    Mutation("both ends in one place", FILE, "(chunk * 2 + !inherited)", "(chunk * 2)", SUMS),
    Mutation(
        "sum that begins in the middle", FILE, "if (inherited || more) {", "if (more) {", SUMS
    ),
    Mutation(
        "two owners of a row",
        FILE,
        "if (begin && row_of(keys[begin - 1]) == row) continue;",
        "",
        SUMS,
        "race",
    ),
    Mutation(
        "sum that is not cleared", FILE, "      total = 0;\n    }\n  }\n}", "    }\n  }\n}", SUMS
    ),
    Mutation("empty bag", FILE, "if (!kept) total = 0;", "", padded_bag),
    Mutation("maximum from 0", FILE, "mode == MAX ? -infinity() : A(0)", "A(0)", negative),
    Mutation(
        "padding in a bag",
        FILE,
        "if (number == skipped) continue;",
        "",
        on_bags("sum", padding_idx=2),
    ),
    Mutation(
        "mean of all entries",
        FILE,
        "++kept;",
        "kept = end - offsets[bag];",
        on_bags("mean", padding_idx=2),
    ),
    Mutation(
        "offset past the last",
        FILE,
        "return bag + 1 < bags",
        "return bag < bags",
        on_bags("sum"),
        "bounds",
    ),
    Mutation(
        "entry of the bag before",
        FILE,
        "(offsets[half]) <= i",
        "(offsets[half]) < i",
        numbers_of_bags,
    ),
    Mutation("every largest of a bag", FILE, "first = !found && ", "first = ", largest_of_bags),
]
