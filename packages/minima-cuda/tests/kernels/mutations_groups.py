"""Faults planted in groups.cuh, the parts of the kernels that are printed for fused groups."""

from functools import partial

import groups
import numpy as np
import pytest

import minima as mi
from kernels import test_groups
from kernels.compare import Mutation


def _row(name, launcher):
    """Check a row of `test_groups` with its groups run by *launcher*."""
    with pytest.MonkeyPatch.context() as patch:
        groups.emulated(patch, launcher=launcher)
        test_groups.check(name)


def _limits(launcher):
    """Check functions where single precision ends."""
    x = mi.Tensor([-200.0, -30.0, 0.0, 30.0, 200.0])

    def function(x):
        return mi.sigmoid(x) * 1.0, mi.sign(x) * 1.0

    with pytest.MonkeyPatch.context() as patch:
        groups.emulated(patch, launcher=launcher)
        found = test_groups.replayed(function, [x])
    for a, b in zip(found, function(x), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)


plant = partial(Mutation, file="groups.cuh")
columns, rows = partial(_row, "long columns"), partial(_row, "log_softmax")
MUTATIONS = [
    plant(
        "no barrier before columns are added up",
        text="threadIdx.x] = value;\n  __syncthreads();",
        instead="threadIdx.x] = value;",
        run=columns,
        how="race",
    ),
    plant(
        "a column of seven threads",
        text="for (int y = 1; y < 8; ++y)",
        instead="for (int y = 1; y < 7; ++y)",
        run=columns,
    ),
    plant(
        "slots written again too soon",
        text="  __syncthreads();  // slots",
        instead="  // slots",
        run=partial(_row, "layer norm"),
        how="race",
    ),
    plant(
        "a row of a block reduced by warps",
        text="return blockDim.x == WARP ? warp_reduce",
        instead="return blockDim.x >= WARP ? warp_reduce",
        run=rows,
    ),
    plant("sigmoid that overflows", text="exp(-fabs(v))", instead="exp(-v)", run=_limits),
    plant("sign of zero", text="v < V(0) ? V(-1) : v", instead="V(-1)", run=_limits),
]
