"""Faults planted in optimizers.cu."""

from functools import partial

import numpy as np

from kernels import test_optimizers as check
from kernels.compare import Mutation
from minima_cuda.families.optimizers import KERNELS

FILE = "optimizers.cu"


def _sgd(launcher):
    check.check_sgd(KERNELS(launcher, np), check.SHAPES, "float32", momentum=0.9, weight_decay=0.1)


def _first(launcher):
    check.check_sgd(KERNELS(launcher, np), [(9,)], "float32", momentum=0.9, started=False)


def _adam(launcher):
    check.check_adam(KERNELS(launcher, np), check.SHAPES, "float32", weight_decay=0.1)


def _few(launcher):
    class Few:
        @staticmethod
        def launch(source, name, grid, block, args, smem=0):
            launcher.launch(source, name, (2,), block, args, smem)

    check.check_adam(KERNELS(Few, np), check.SHAPES, "float32")


plant = partial(Mutation, file=FILE)
MUTATIONS = [
    plant(
        "the piece after a tensor's last",
        text="tensors.first[tensor] > piece",
        instead="tensors.first[tensor] > piece + 1",
        run=_adam,
        how="bounds",
    ),
    plant(
        "a tensor cut at its second piece",
        text="(piece - tensors.first[tensor]) * PIECE",
        instead="0 * PIECE",
        run=_sgd,
        how="race",
    ),
    plant(
        "a dropped tail",
        text="i < begin + length; i += THREADS",
        instead="i < begin; i += THREADS",
        run=_adam,
    ),
    plant(
        "a piece longer than what is left",
        text="left < PIECE ? left : PIECE",
        instead="PIECE",
        run=_adam,
        how="bounds",
    ),
    plant(
        "packs that overlap",
        text="store_pack(of[kind] + begin + p * WIDTH",
        instead="store_pack(of[kind] + begin + p / 2 * 2 * WIDTH",
        run=_adam,
        how="race",
    ),
    plant(
        "one piece to a block",
        text="piece < tensors.pieces; piece += gridDim.x",
        instead="piece == blockIdx.x; piece += gridDim.x",
        run=_few,
    ),
    plant(
        "gradients written",
        text="constexpr int GRADIENT = 1;",
        instead="constexpr int GRADIENT = 2;",
        run=_adam,
    ),
    plant(
        "a buffer that is read before there is one",
        text="started ? momentum",
        instead="true ? momentum",
        run=_first,
    ),
    plant(
        "blocks that share elements",
        text="i = begin + packs * WIDTH + threadIdx.x",
        instead="i = begin + packs * WIDTH + threadIdx.x / 2",
        run=_adam,
        how="race",
    ),
    plant(
        "a correction that is left out",
        text="sqrt(of[3]) / root + eps",
        instead="sqrt(of[3]) + eps",
        run=_adam,
    ),
]
