"""Faults planted in the kernels of softmax and cross entropy."""

import numpy as np

from minima_cuda import library

from .compare import Mutation, Poisoned, assert_close, reference
from .narrow import narrow_kernels

__all__ = ["MUTATIONS"]


def along(name, shape, axis, shift=0.0, dtype="float32"):
    """Return a check of softmax, log softmax or the gradient of softmax."""

    def run(launcher):
        rng = np.random.default_rng(0)
        given = [(rng.normal(size=shape) + shift).astype(dtype)]
        if name == "softmax_gradient":
            given.append(rng.random(shape).astype(dtype))
        got = library.kernels(launcher, Poisoned())[name](*given, axis=axis)
        assert_close(got, reference(name, *given, axis=axis), dtype)

    return run


def of_row(name, *row):
    """Return a check on one row of given numbers."""

    def run(launcher):
        x = np.array([row], "float32")
        got = library.kernels(launcher, Poisoned())[name](x, axis=1)
        assert_close(got, reference(name, x, axis=1), "float32")

    return run


def loss(shape, gradient=False, **attrs):
    """Return a check of cross entropy or its gradient."""

    def run(launcher):
        rng = np.random.default_rng(0)
        rest = (*shape[:1], *shape[2:])
        given = [rng.normal(size=shape).astype("float32"), rng.integers(0, shape[1], rest)]
        name = "cross_entropy"
        if gradient:
            g = rng.normal(size=rest if attrs.get("reduction") == "none" else ())
            name, given = f"{name}_gradient", [np.asarray(g).astype("float32"), *given]
        got = library.kernels(launcher, Poisoned())[name](*given, **attrs)
        assert_close(got, reference(name, *given, **attrs), "float32")

    return run


def in_one_block(launcher):
    """Take columns one after the other in one block."""
    x = np.random.default_rng(0).normal(size=(20, 90)).astype("float32")
    got = narrow_kernels(launcher)["softmax"](x, axis=0)
    assert_close(got, reference("softmax", x, axis=0), "float32")


KERNELS, MOMENTS, STATES = "softmax.cu", "moments.cuh", "states.cuh"
SHORT, MEDIUM, LONG = (along("softmax", (3, n), 1) for n in (70, 200, 1100))
COLUMN = along("softmax", (20, 9), 0)
MUTATIONS = [
    Mutation(
        "largest lost between elements",
        MOMENTS,
        "if (i < count && values[i] > most)",
        "if (false)",
        along("softmax", (3, 70), 1, 200.0),
    ),
    Mutation("sum not rescaled", MOMENTS, "    sum *= weight_of(top, most);\n", "", MEDIUM),
    Mutation(
        "largest lost between lanes",
        MOMENTS,
        "const A most = other.top > top ? other.top : top;",
        "const A most = top;",
        of_row("softmax", *[0.0] * 31, 200.0),
    ),
    Mutation(
        "-inf less -inf",
        MOMENTS,
        "return x == top ? A(1) : exp(x - top);",
        "return exp(x - top);",
        along("softmax", (3, 7), 1),
    ),
    Mutation(
        "infinity over infinity",
        MOMENTS,
        "top == infinity() ? not_a_number() : sum",
        "sum",
        of_row("softmax", 1.0, np.inf),
    ),
    Mutation(
        "columns past the end of a held row",
        KERNELS,
        "        if (column < length) {\n          in[i + j]",
        "        if (column <= length) {\n          in[i + j]",
        SHORT,
        "bounds",
    ),
    Mutation(
        "rows past the end",
        KERNELS,
        "threadIdx.y; row < rows; row += step) {\n    typename",
        "threadIdx.y; row <= rows; row += step) {\n    typename",
        SHORT,
        "bounds",
    ),
    Mutation(
        "written past the end of a held row",
        KERNELS,
        "if (column < length) out[row",
        "out[row",
        SHORT,
        "race",
    ),
    Mutation(
        "lanes not merged",
        KERNELS,
        "    state = merge_warp(state);\n",
        "",
        MEDIUM,
    ),
    Mutation(
        "warps not merged",
        KERNELS,
        "merge_block(fold(op, base, threadIdx.x, length, blockDim.x, 1))",
        "merge_warp(fold(op, base, threadIdx.x, length, blockDim.x, 1))",
        LONG,
    ),
    Mutation(
        "every second element of a long row",
        KERNELS,
        "column < length; column += blockDim.x) {\n      out[base",
        "column < length; column += 2 * blockDim.x) {\n      out[base",
        LONG,
    ),
    Mutation(
        "no barrier before columns are spread",
        STATES,
        "  if (threadIdx.y == 0) slots[threadIdx.x] = state;\n  __syncthreads();",
        "  if (threadIdx.y == 0) slots[threadIdx.x] = state;",
        COLUMN,
        "race",
    ),
    Mutation(
        "slots of the columns before",
        STATES,
        "threadIdx.x;\n  __syncthreads();\n  slots[place]",
        "threadIdx.x;\n  slots[place]",
        in_one_block,
        "race",
    ),
    Mutation(
        "columns without their outer axis",
        KERNELS,
        "const Index base = outer * length * inner + (row - outer * inner);\n    auto state = Op",
        "const Index base = row - outer * inner;\n    auto state = Op",
        along("softmax", (2, 20, 9), 1),
        "race",
    ),
    Mutation(
        "a target of 32 bits",
        KERNELS,
        "const Index target = targets[row];",
        "const Index target = reinterpret_cast<const Int32*>(targets)[row];",
        loss((5, 7)),
    ),
    Mutation(
        "target of another row",
        KERNELS,
        "targets[row] == column",
        "targets[0] == column",
        loss((5, 7), gradient=True),
    ),
    Mutation(
        "g of the first sample",
        KERNELS,
        "load(g[row * g_step])",
        "load(g[0 * g_step])",
        loss((5, 7), gradient=True, reduction="none"),
    ),
    Mutation(
        "smoothing without the largest",
        KERNELS,
        "(state.total - A(length) * top) * rest",
        "state.total * rest",
        loss((5, 7), label_smoothing=0.2),
    ),
    Mutation(
        "a loss for each lane",
        KERNELS,
        "if (threadIdx.x == 0) op.leave",
        "op.leave",
        loss((5, 7)),
        "race",
    ),
    Mutation(
        "sum of g alone",
        KERNELS,
        "in[i].g * in[i].y : A(0)",
        "in[i].g : A(0)",
        along("softmax_gradient", (3, 70), 1),
    ),
]
