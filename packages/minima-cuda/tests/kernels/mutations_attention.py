"""Faults planted in attention.cu."""

from functools import partial

from kernels import test_attention as check
from kernels.compare import Mutation, Poisoned
from minima_cuda.families.attention import KERNELS

FILE = "attention.cu"


def _run(case, launcher, **which):
    check.check(KERNELS(launcher, Poisoned()), case, "float32", **which)


one = partial(_run, check.Case((), 5, 33, 4, 5))
forward = partial(_run, check.Case((2,), 5, 40, 4, 5), backward=False)
backward = partial(_run, check.Case((2,), 5, 40, 4, 5))
causal = partial(_run, check.Case((2,), 40, 40, 4, 5, causal=True))
added = partial(_run, check.SMALL[5], backward=False)
wide = partial(_run, check.Case((), 3, 9, 70, 66))


def large(launcher):
    check.large_scores(KERNELS(launcher, Poisoned()), 1e4)


def few(launcher):
    table = KERNELS(check.Few(launcher), Poisoned())
    check.check(table, check.Case((5,), 16, 8, 4, 5), "float32")


plant = partial(Mutation, file=FILE)
MUTATIONS = [
    plant(
        "a chunk overwritten while it is read",
        text="    __syncthreads();  // the chunk before has been read\n",
        instead="",
        run=backward,
        how="race",
    ),
    plant(
        "a chunk read before it is there",
        text="    fetch<OTHER>(chunk, CHUNK_STEP, x, first, rows, c, size, A(1));\n"
        "    __syncthreads();\n",
        instead="    fetch<OTHER>(chunk, CHUNK_STEP, x, first, rows, c, size, A(1));\n",
        run=forward,
        how="race",
    ),
    plant(
        "weights read before they are there",
        text="      __syncthreads();  // the weights are there, the chunk before has been read\n",
        instead="",
        run=forward,
        how="race",
    ),
    plant(
        "weights overwritten while they are read",
        text="      __syncthreads();  // the weights have been read\n",
        instead="",
        run=backward,
        how="race",
    ),
    plant(
        "a barrier that some threads pass by",
        text="      if (part * CHUNK >= size) break;\n",
        instead="      if (part * CHUNK + int(threadIdx.x) * RUN >= size) break;\n",
        run=forward,
        how="barrier",
    ),
    plant(
        "a row past the end",
        text="first + r < rows && column + c < size",
        instead="first + r <= rows && column + c < size",
        run=one,
        how="bounds",
    ),
    plant(
        "columns that are not padded",
        text="if (column + c >= padded(size)) continue;",
        instead="if (column + c >= size) continue;",
        run=partial(_run, check.Case((), 3, 3, 5, 5)),
        how="uninitialised",
    ),
    plant(
        "a shuffle among too few lanes",
        text="for (int distance = 8; distance; distance /= 2)",
        instead="for (int distance = 4; distance; distance /= 2)",
        run=forward,
    ),
    plant(
        "a mask of lanes that lacks some",
        text="__shfl_xor_sync(ALL_LANES, value, distance)",
        instead="__shfl_xor_sync(0xffffu, value, distance)",
        run=forward,
        how="mask",
    ),
    plant(
        "a largest score that is not subtracted",
        text="const A base = high == -infinity() ? A(0) : high;",
        instead="const A base = A(0);",
        run=large,
    ),
    plant(
        "sums that keep an old largest score",
        text="    total[i] *= shrink;\n",
        instead="",
        run=forward,
    ),
    plant(
        "products that keep an old largest score",
        text="    found.scale(i, shrink);\n",
        instead="",
        run=forward,
    ),
    plant(
        "a key too many", text="key > query) return", instead="key > query + 1) return", run=causal
    ),
    plant(
        "the last tile of keys left out",
        text="smaller(first + OWN, sizes.keys) : sizes.keys",
        instead="smaller(first + OWN, sizes.keys) : sizes.keys / OTHER * OTHER",
        run=forward,
    ),
    plant(
        "a mask of another head",
        text="(item - outer * sizes.inner) * sizes.inner_step",
        instead="item * sizes.inner_step",
        run=added,
        how="bounds",
    ),
    plant(
        "a mask read along the wrong axis",
        text="query * sizes.row_step + key * sizes.column_step",
        instead="key * sizes.row_step + query * sizes.column_step",
        run=added,
    ),
    plant(
        "one chunk of a wide row",
        text="for (int c = 0; c < size; c += CHUNK) {\n    __sync",
        instead="for (int c = 0; c < size; c += 2 * CHUNK) {\n    __sync",
        run=wide,
    ),
    plant(
        "rows that fall into each other",
        text="return padded(size) + RUN;",
        instead="return RUN;",
        run=wide,
        how="race",
    ),
    plant(
        "queries in front of a key taken for all",
        text="for (Index query = sizes.causal ? first : 0;",
        instead="for (Index query = sizes.causal ? first + OTHER : 0;",
        run=causal,
    ),
    plant(
        "a mean that is not taken off",
        text="weight * (slope[i][j] - mean_of);",
        instead="weight * slope[i][j];",
        run=backward,
    ),
    plant(
        "one tile to a block",
        text="i < tiles * sizes.batch; i += gridDim.x",
        instead="i == blockIdx.x; i += gridDim.x",
        run=few,
    ),
]
