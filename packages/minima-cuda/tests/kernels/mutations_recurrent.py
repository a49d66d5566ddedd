"""Faults planted in recurrent.cu."""

from functools import partial

from kernels import test_recurrent as check
from kernels.compare import Mutation, Poisoned
from minima_cuda.families.recurrent import KERNELS

FILE = "recurrent.cu"


def _run(cell, sizes, launcher):
    check.check(KERNELS(launcher, Poisoned()), cell, sizes, "float32")


lstm, gru = partial(_run, "lstm", (3, 2, 5)), partial(_run, "gru", (3, 2, 5))
long_lstm = partial(_run, "lstm", (2, 33, 32))

plant = partial(Mutation, file=FILE)
MUTATIONS = [
    plant(
        "rows of gates that overlap",
        text="row * size * (GATES - 1) + i",
        instead="row * size * (GATES - 2) + i",
        run=lstm,
    ),
    plant(
        "half a grid",
        text="i < count; i += element_step()) {\n    const",
        run=long_lstm,
        instead="i < count / 2; i += element_step()) {\n    const",
    ),
    plant(
        "a row too many",
        text="i < count; i += element_step()) {\n    const",
        instead="i < count + size; i += element_step()) {\n    const",
        run=gru,
        how="bounds",
    ),
    plant(
        "the cell of this step for that before it",
        text="load(at ? had[slab - count] : cell[i])",
        instead="load(at ? had[slab] : cell[i])",
        run=lstm,
    ),
    plant(
        "the first state for every step",
        text="load(at ? had[-count] : hidden[i])",
        instead="load(hidden[i])",
        run=gru,
    ),
    plant(
        "a gradient of the cell that is lost",
        text="of_c[i] + load(given[slab])",
        instead="load(given[slab])",
        run=lstm,
    ),
    plant(
        "the bias of another gate",
        text="load(bias[unit + k * size])",
        instead="load(bias[unit])",
        run=gru,
    ),
    plant(
        "update and reset exchanged",
        text="fresh + update * (load(hidden[i]) - fresh)",
        instead="fresh + reset * (load(hidden[i]) - fresh)",
        run=gru,
    ),
    plant(
        "slopes of x for those of h",
        text="load(given[4 * slab]) + of_fresh * reset",
        instead="load(given[4 * slab]) + of_fresh",
        run=gru,
    ),
    plant("a part left out", text="direct[i] = to_h * update;", instead="", run=gru),
]
