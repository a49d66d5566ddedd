"""Faults planted in the reductions."""

import numpy as np

from minima_cuda import library

from .compare import Mutation, Poisoned, assert_close, reference
from .narrow import narrow_kernels

__all__ = ["MUTATIONS"]


def over(name, shape, axes, dtype="float32", shift=0.0):
    """Return a check of a reduction."""

    def run(launcher):
        x = (np.random.default_rng(0).normal(size=shape) + shift).astype(dtype)
        got = library.kernels(launcher, Poisoned())[name](x, axis=axes)
        assert_close(got, reference(name, x, axis=axes), dtype)

    return run


def in_one_block(launcher):
    """Reduce rows one after the other in one block."""
    x = np.arange(3300, dtype="float32").reshape(3, 1100)
    assert_close(narrow_kernels(launcher)["sum"](x, axis=(1,)), x.sum(1), "float32")


STATES, PASSES = "states.cuh", "passes.cuh"
ROW, COLUMN = over("sum", (5, 67), (1,)), over("sum", (67, 9), (0,))
LONG, LONG_COLUMN = over("sum", (2, 9000), (1,)), over("sum", (1100, 8), (0,))
MUTATIONS = [
    Mutation(
        "lanes left out",
        STATES,
        "int delta = WARP / 2; delta > 0",
        "int delta = WARP / 2; delta > 1",
        ROW,
    ),
    Mutation(
        "a mask without the upper lanes",
        STATES,
        "all.words[i] = __shfl_down_sync(ALL_LANES,",
        "all.words[i] = __shfl_down_sync(0x0000ffffu,",
        ROW,
        "mask",
    ),
    Mutation(
        "half of a state shuffled",
        STATES,
        "i < int(sizeof(S) / 4); ++i) {\n    all.words[i] = __shfl_down",
        "i < int(sizeof(S) / 8); ++i) {\n    all.words[i] = __shfl_down",
        over("var", (5, 67), (1,)),
    ),
    Mutation(
        "no barrier before warps are merged",
        STATES,
        "  if (lane == 0) slots[warp] = state;\n  __syncthreads();",
        "  if (lane == 0) slots[warp] = state;",
        LONG,
        "race",
    ),
    Mutation(
        "slots written while they are read",
        STATES,
        "  __syncthreads();  // the slots may still be read from the merge before\n",
        "",
        in_one_block,
        "race",
    ),
    Mutation(
        "slots of warps that are not there",
        STATES,
        "lane < warps ? slots[lane] : S::none()",
        "slots[lane]",
        LONG,
        "uninitialised",
    ),
    Mutation(
        "threads that leave before a barrier",
        PASSES,
        "    S state = S::none();\n    if (k < plan.kept) state",
        "    if (k >= plan.kept) return;\n    S state = S::none();\n    if (k < plan.kept) state",
        COLUMN,
        "barrier",
    ),
    Mutation(
        "no barrier between columns",
        STATES,
        "  slots[place] = state;\n  __syncthreads();",
        "  slots[place] = state;",
        COLUMN,
        "race",
    ),
    Mutation(
        "one slot for all of a column",
        STATES,
        "const int place = threadIdx.y * blockDim.x + threadIdx.x;",
        "const int place = threadIdx.x;",
        COLUMN,
        "race",
    ),
    Mutation(
        "last slot of a column left out",
        STATES,
        "y < int(blockDim.y); ++y)",
        "y < int(blockDim.y) - 1; ++y)",
        COLUMN,
    ),
    Mutation(
        "elements past the end",
        PASSES,
        "      if (at < end) {\n",
        "      if (at < end + 1) {\n",
        over("sum", (2, 66), (1,)),
    ),
    Mutation(
        "tail after whole packs",
        PASSES,
        "begin += packs * WIDTH;",
        "begin = end;",
        over("sum", (67,), (0,)),
    ),
    Mutation(
        "packs at any address",
        PASSES,
        "end <= walk.inner && is_aligned(x + base + begin)",
        "end <= walk.inner",
        ROW,
        "trap",
    ),
    Mutation(
        "packs over the end of an axis",
        PASSES,
        "walk.inner_step == 1 && end <= walk.inner",
        "walk.inner_step == 1",
        over("sum", (4, 3, 8), (0, 2)),
    ),
    Mutation(
        "outer axis forgotten",
        PASSES,
        "outer * outer_step + (i - outer * inner)",
        "(i - outer * inner)",
        over("sum", (4, 3, 5), (0, 2)),
    ),
    Mutation(
        "parts in one place",
        PASSES,
        "partial[k * gridDim.y + blockIdx.y] = state",
        "partial[k * gridDim.y] = state",
        LONG,
        "race",
    ),
    Mutation(
        "parts that all begin at 0",
        PASSES,
        "rows(F fold, Emit emit, S* partial, const Plan& plan) {\n"
        "  const Index begin = blockIdx.y * plan.chunk",
        "rows(F fold, Emit emit, S* partial, const Plan& plan) {\n"
        "  const Index begin = 0 * plan.chunk",
        LONG,
    ),
    Mutation(
        "parts to the end of the row",
        PASSES,
        "return begin + plan.chunk < plan.length ? begin + plan.chunk : plan.length;",
        "return plan.length;",
        LONG,
    ),
    Mutation(
        "results of the next block",
        PASSES,
        "if (threadIdx.y == 0 && k < plan.kept) leave",
        "if (threadIdx.y == 0) leave",
        COLUMN,
        "bounds",
    ),
    Mutation(
        "every lane writes",
        PASSES,
        "if (threadIdx.x == 0) emit(state, k);",
        "emit(state, k);",
        LONG,
        "race",
    ),
    Mutation(
        "a number instead of none",
        STATES,
        "other.seen != A(0) && (seen == A(0) || ",
        "(",
        over("max", (5, 33), (1,), shift=-9.0),
    ),
    Mutation(
        "last of equal elements",
        STATES,
        "return other.index < index;",
        "return other.index > index;",
        over("argmax", (40,), 0, "int64"),
    ),
    Mutation(
        "variance without the distance of means",
        "moments.cuh",
        "squares += other.squares + off * off * (count * share);\n    mean",
        "squares += other.squares;\n    mean",
        over("var", (5, 67), (1,)),
    ),
    Mutation(
        "exponentials that overflow",
        "moments.cuh",
        "    A most = top;\n",
        "    A most = top > A(0) ? top : A(0);\n",
        over("logsumexp", (5, 67), (1,), shift=-1e4),
    ),
]
