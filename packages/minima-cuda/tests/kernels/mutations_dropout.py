"""Faults planted in dropout.cu."""

from functools import partial

import numpy as np

from kernels import test_dropout as check
from kernels.compare import Mutation, Poisoned
from minima_cuda.families.dropout import KERNELS, stream_of
from minima_cuda.random import philox
from minima_cuda.sources import Source

FILE = "dropout.cu"


def _draw(launcher):
    return KERNELS(launcher, Poisoned())


def _words(launcher, size=33, position=7):
    found = _draw(launcher)["random_words"](size, key=check.KEY, position=position)
    assert (found == check.words(size, position)).all()


def _launches(launcher):
    y = np.empty(1001, np.float32)
    args = (y, np.int64(y.size), stream_of(check.KEY, 5))
    launcher.launch(Source("dropout", "float32"), "uniform", (3,), (64,), args)
    assert (y == check.units(1001, "float32", 5)).all()


def _double(launcher):
    found = _draw(launcher)["random_uniform"]((31,), "float64", key=check.KEY, position=3)
    assert (found == check.units(31, "float64", 3)).all()


def _bernoulli(launcher):
    found = _draw(launcher)["random_bernoulli"](
        (40,), np.dtype("float32"), p=0.3, key=check.KEY, position=0, scale=2.0
    )
    assert (found == 2.0 * (check.units(40, "float32") < np.float32(0.3))).all()


def _unaligned(launcher):
    x = np.arange(18, dtype=np.float32)[1:]
    found = _draw(launcher)["dropout"](x, check.at(0), p=0.5)
    assert (found == np.where(check.units(17, "float32") < 0.5, 2 * x, 0)).all()


def _dropout(launcher):
    check.check_dropout(_draw(launcher), "float32", 33, 0.3)


def _carry(launcher):
    position = 2**32 - 3
    found = _draw(launcher)["random_words"](40, key=check.KEY, position=position)
    assert (found == philox(np, check.KEY, position, 10)).all()


plant = partial(Mutation, file=FILE)
MUTATIONS = [
    plant("nine rounds", text="round < 10", instead="round < 9", run=_words),
    plant("a key that stays", text="second += 0xBB67AE85u;", instead="", run=_words),
    plant(
        "no carry into the counter's high word",
        text="b = UInt32(counter >> 32)",
        instead="b = 0",
        run=_carry,
    ),
    plant(
        "a product of 32 bits",
        text="right = UInt64(0xCD9E8D57u) * c",
        instead="right = 0xCD9E8D57u * c",
        run=_words,
    ),
    plant(
        "a counter made of the thread",
        text="make(words_of(stream, block))",
        instead="make(words_of(stream, threadIdx.x))",
        run=_launches,
    ),
    plant(
        "halves of a double exchanged",
        text="UInt64(at[2 * i]) << 32 | at[2 * i + 1]",
        instead="UInt64(at[2 * i + 1]) << 32 | at[2 * i]",
        run=_double,
    ),
    plant(
        "a tail that is written",
        text="if (first + i < count) y[first + i] = some.at[i];",
        instead="y[first + i] = some.at[i];",
        run=_words,
        how="bounds",
    ),
    plant(
        "blocks rounded down",
        text="(count + COUNT - 1) / COUNT",
        instead="count / COUNT",
        run=_words,
    ),
    plant(
        "an alignment that is taken for granted",
        text="alignof(Some<V, COUNT>) == 0",
        instead="sizeof(V) == 0",
        run=_unaligned,
        how="alignment",
    ),
    plant(
        "the rare outcome for the frequent one",
        text="store<T>(unit_of(words.at[i]) < kept ? scale : A(0))",
        instead="store<T>(unit_of(words.at[i]) >= kept ? scale : A(0))",
        run=_bernoulli,
    ),
    plant(
        "one number for four elements",
        text="const A factor = unit_of(words.at[i]) < kept",
        instead="const A factor = unit_of(words.at[0]) < kept",
        run=_dropout,
    ),
    plant(
        "a scale that is lost",
        text="store<T>(load(four.at[i]) * factor)",
        instead="store<T>(factor != A(0) ? load(four.at[i]) : A(0))",
        run=_dropout,
    ),
]
