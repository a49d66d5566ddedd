"""Faults planted in the elementwise kernels."""

import numpy as np

from minima_cuda import library

from .compare import Mutation, Poisoned, assert_close, reference

__all__ = ["MUTATIONS"]


def on(name, *inputs, dtype="float32", **attrs):
    """Return a check of operator *name*: *inputs* are shapes, or arrays as lists."""

    def run(launcher):
        rng = np.random.default_rng(0)
        drawn = [rng.normal(0, 2, i) if isinstance(i, tuple) else np.array(i) for i in inputs]
        given = [a.astype(dtype) for a in drawn]
        got = library.kernels(launcher, Poisoned())[name](*given, **attrs)
        assert_close(got, reference(name, *given, **attrs), dtype)

    return run


def misaligned(launcher):
    """Run on arrays that start one element after 16 bytes."""
    a = np.arange(66, dtype="float32")[1:]
    got = library.kernels(launcher, Poisoned())["square"](a)
    assert_close(got, a * a, "float32")


def chosen(launcher):
    """Run where() with a condition that broadcasts along rows."""
    condition, a, b = np.array([[True], [False]]), np.ones((2, 40)), np.zeros((2, 40))
    got = library.kernels(launcher, Poisoned())["where"](condition, a, b)
    assert_close(got, np.where(condition, a, b), "float64")


def cast(target, *values, dtype="float64"):
    """Return a check of a cast."""

    def run(launcher):
        given = np.array(values, dtype)
        got = library.kernels(launcher, Poisoned())["astype"](given, target)
        assert_close(got.astype(float), given.astype(target).astype(float), "float64")

    return run


ELEMENTS, ACCESS = "elements.cuh", "access.cuh"
ADD, ROW = on("add", (33, 35), (33, 35)), on("add", (9, 35), (35,))
MUTATIONS = [
    Mutation(
        "tail dropped", ELEMENTS, "j < layout.run && column", "j < layout.run - 2 && column", ADD
    ),
    Mutation(
        "tail past the end",
        ELEMENTS,
        "j < layout.run && column + j < layout.length",
        "j < layout.run",
        ADD,
        "bounds",
    ),
    Mutation(
        "whole run at the tail",
        ELEMENTS,
        "layout.run == WIDTH && column + WIDTH <= layout.length",
        "layout.run == WIDTH",
        ADD,
        "bounds",
    ),
    Mutation("last run dropped", ELEMENTS, "i < layout.runs; i", "i < layout.runs - 1; i", ADD),
    Mutation(
        "two threads to a run",
        ELEMENTS,
        "(i - row * layout.runs_of_row) * layout.run",
        "(i - row * layout.runs_of_row) / 2 * 2 * layout.run",
        ADD,
        "race",
    ),
    Mutation(
        "step of the output for an input",
        ELEMENTS,
        "b + o.of[2], b_step",
        "b + o.of[2], step",
        on("add", (36,), ()),
        "bounds",
    ),
    Mutation(
        "axes from the wrong end",
        ELEMENTS,
        "if (axis + layout.axes < 4) break;",
        "if (axis + layout.axes < 5) break;",
        ROW,
        "race",
    ),
    Mutation(
        "offset of another axis",
        ELEMENTS,
        "place * layout.steps[array][axis]",
        "place * layout.steps[array][3]",
        ROW,
        "race",
    ),
    Mutation(
        "16 bytes at any address",
        ELEMENTS,
        "step == 1 && is_aligned(from)",
        "step == 1",
        misaligned,
        "trap",
    ),
    Mutation(
        "a run of one number",
        ELEMENTS,
        "pack.items[i] = from[i * step]",
        "pack.items[i] = from[i]",
        on("add", (36,), ()),
        "bounds",
    ),
    Mutation(
        "index cut to 8 bits",
        ACCESS,
        "Index(UInt32(a) / UInt32(b))",
        "Index(UInt8(a) / UInt8(b))",
        on("add", (300, 35), (35,)),
    ),
    Mutation(
        "condition of the next row",
        "elementwise.cu",
        "return c ? v : w;",
        "return c ? w : v;",
        chosen,
    ),
    Mutation(
        "NaN that loses",
        "common.cuh",
        "a > b || a != a ? a : b",
        "a > b ? a : b",
        on("maximum", [np.nan, 1.0], [0.0, 0.0]),
    ),
    Mutation(
        "zero of relu's slope",
        "elementwise.cu",
        "w <= A(0) ? A(0) : v",
        "w < A(0) ? A(0) : v",
        on("relu_gradient", [1.0, 1.0], [0.0, 1.0]),
    ),
    Mutation(
        "overflow of the logistic",
        "functions.cu",
        "exp(-fabs(v))",
        "exp(-v)",
        on("sigmoid", [-100.0, 100.0]),
    ),
    Mutation(
        "tail of the normal distribution",
        "functions.cu",
        "A(0.5) * erfc(v * A(-SQRT_HALF))",
        "A(0.5) * erfc(v * A(SQRT_HALF))",
        on("gelu", (33,)),
    ),
    Mutation(
        "sign of a remainder",
        "elementwise.cu",
        "(left < V(0)) != (b < V(0)) ? left + b : left;\n  } else",
        "left;\n  } else",
        on("remainder", [-7.0, 7.0], [3.0, -3.0]),
    ),
    Mutation(
        "upper limit",
        "elementwise.cu",
        "limits & 2 ? smaller(a, high) : a",
        "limits & 1 ? smaller(a, high) : a",
        on("clip", (33,), min=None, max=0.5),
    ),
    Mutation(
        "rounded twice",
        "cast.cu",
        "return __uint_as_float(bits | 1);",
        "return near;",
        cast("float16", 1 + 2**-11 + 2**-40),
    ),
    Mutation(
        "true as its bits",
        "cast.cu",
        "return value != W(0);",
        "return Int32(value) != 0;",
        cast("bool", 0.5, 256.0, 0.0),
    ),
    Mutation(
        "half rounded towards zero",
        "common.cuh",
        "size - 0x38000000u + 0xfffu + ((size >> 13) & 1)",
        "size - 0x38000000u",
        cast("float16", 1.0009, 1.0007),
    ),
]
