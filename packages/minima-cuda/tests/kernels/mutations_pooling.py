"""Faults planted in pooling."""

from functools import partial

import numpy as np

from minima_cuda.families import pooling

from .compare import Mutation, Poisoned, reference
from .test_pooling import ROWS, check, check_adaptive, check_not_finite, values

__all__ = ["MUTATIONS"]

FILE = "pooling.cu"


def on(name, row):
    """Return a check of operator *name* on a row."""
    return partial(check, name, row, "float32")


def not_finite(launcher):
    """Pool NaN and infinities."""
    check_not_finite("float32", (0, 0), launcher)


def first(launcher):
    """Look for the first of several largest."""
    x = values((1, 2, 3, 3, 5, 7), "float32", ties=True)
    got = pooling.KERNELS(launcher, Poisoned())["first_largest"](x)
    np.testing.assert_array_equal(got, reference("first_largest", x))


THREADS = partial(check_adaptive, (1, 2, 5, 7), (3, 3), "float32")
WARPS = partial(check_adaptive, (2, 3, 9, 8), (1, 1), "float32")
MUTATIONS = [
    Mutation(
        "NaN that loses", FILE, "best = Max()(best, A(load(", "best = max(best, A(load(", not_finite
    ),
    Mutation(
        "NaN that is not the largest",
        FILE,
        "value == best || value != value",
        "value == best",
        not_finite,
    ),
    Mutation(
        "elements above the image",
        FILE,
        "{max(start, 0),",
        "{start,",
        on("avg_pool2d:all", ROWS[1]),
        "bounds",
    ),
    Mutation(
        "elements below the image",
        FILE,
        "min(start + w.kernel[axis], w.size[axis])",
        "start + w.kernel[axis]",
        on("avg_pool2d:all", ROWS[1]),
        "bounds",
    ),
    Mutation(
        "a window too early",
        FILE,
        "before / w.stride[axis] + 1;",
        "before / w.stride[axis];",
        on("avg_pool2d_gradient:all", ROWS[1]),
    ),
    Mutation(
        "windows beyond the last",
        FILE,
        "min(from / w.stride[axis] + 1, w.count[axis])",
        "from / w.stride[axis] + 1",
        on("avg_pool2d_gradient:all", ROWS[1]),
        "bounds",
    ),
    Mutation(
        "an element in front of itself",
        FILE,
        "y < row ? columns.end : column",
        "y < row ? columns.end : column + 1",
        on("max_pool2d_gradient", ROWS[1]),
    ),
    Mutation(
        "every largest of a window",
        FILE,
        "if (is_first(image, w, rows, columns, at.y, at.x, best)) total",
        "total",
        on("max_pool2d_gradient", ROWS[4]),
    ),
    Mutation(
        "padding that counts",
        FILE,
        "if (count_padding)",
        "if (true)",
        on("avg_pool2d:inside", ROWS[1]),
    ),
    Mutation("last of the largest", FILE, "!(value <= best)", "!(value < best)", first),
    Mutation(
        "share that is rounded down", FILE, "* size + parts - 1, parts", "* size, parts", THREADS
    ),
    Mutation(
        "lanes that are not added up",
        FILE,
        "if (LANES > 1) total = warp_reduce(total, Sum());",
        "",
        WARPS,
    ),
    Mutation("every lane writes", FILE, "if (lane == 0) y[i]", "y[i]", WARPS, "race"),
    Mutation(
        "lanes of a warp on other windows",
        FILE,
        "first_element() / LANES",
        "first_element()",
        WARPS,
        "lane",
    ),
    Mutation("elements twice", FILE, "k += LANES", "k += LANES - (LANES > 1)", WARPS),
    Mutation("elements past the end", FILE, "k < elements", "k <= elements", WARPS, "bounds"),
]
