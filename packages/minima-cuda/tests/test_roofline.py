"""The formulas of the roofline: against the arrays of launches, and against counting one by one."""

import json
from pathlib import Path

import numpy as np
import pytest

from minima_cuda import library
from minima_cuda.modules import families
from minima_cuda.roofline import DEFAULTS, GPUS, TABLE, Work, work_of

RESOURCES = json.loads((Path(__file__).parent / "kernels/resources.json").read_text())
KERNELS = sorted(
    {
        (name.split()[0], kernel)
        for name, entry in RESOURCES["modules"].items()
        for kernel in entry["kernels"]
    }
)


class Recorder:
    """A launcher that only counts: the bytes of each launch's arrays, each array once."""

    def __init__(self):
        self.launches = []

    def launch(self, source, name, grid, block, args, smem=0):
        arrays = {a.ctypes.data: a.nbytes for a in args if isinstance(a, np.ndarray)}
        several = sum(size for size in arrays.values() if size > 1)  # one byte: nothing is there
        self.launches.append((source.family, name, several))


def floats(*shape):
    return np.ones(shape, np.float32)


def indices(*shape):
    return np.zeros(shape, np.int64)


#: operator, arrays, attributes -> kernel, sizes
LAUNCHES = [
    ("add", (floats(7, 9), floats(7, 9)), {}, "add_each", {"n": 63}),
    ("less", (floats(7, 9), floats(7, 9)), {}, "less_each", {"n": 63}),
    ("exp", (floats(70),), {}, "exp_each", {"n": 70}),
    ("astype", (floats(70),), {"dtype": np.float64}, "to_float64_each", {"n": 70}),
    ("sum", (floats(6, 50),), {"axis": 1}, "sum_rows", {"N": 6, "L": 50}),
    ("sum", (floats(50, 40),), {"axis": 0}, "sum_columns", {"N": 40, "L": 50}),
    ("argmax", (floats(6, 50),), {"axis": 1}, "argmax_rows", {"N": 6, "L": 50}),
    ("mean", (floats(6, 50),), {"axis": 1}, "mean_rows", {"N": 6, "L": 50}),
    (
        "layer_norm",
        (floats(5, 100), floats(100), floats(100)),
        {},
        "layer_norm_short",
        {"N": 5, "L": 100},
    ),
    (
        "layer_norm_gradient",
        (floats(5, 2000), floats(5, 2000), floats(2000)),
        {},
        "layer_norm_gradient_long",
        {"N": 5, "L": 2000},
    ),
    (
        "batch_norm",
        (floats(2, 3, 4, 4), *(floats(3) for _ in range(4))),
        {},
        "batch_norm",
        {"n": 96, "C": 3},
    ),
    ("softmax", (floats(5, 100),), {}, "softmax_short", {"N": 5, "L": 100}),
    ("softmax", (floats(5, 3000),), {}, "softmax_long", {"N": 5, "L": 3000}),
    (
        "softmax_gradient",
        (floats(5, 100), floats(5, 100)),
        {},
        "softmax_gradient_short",
        {"N": 5, "L": 100},
    ),
    (
        "cross_entropy",
        (floats(5, 100), indices(5)),
        {"reduction": "none"},
        "cross_entropy_rows",
        {"N": 5, "L": 100},
    ),
    (
        "max_pool2d",
        (floats(2, 3, 8, 8), (2, 2)),
        {"stride": (2, 2)},
        "max_pool2d",
        {"G": 6, "S": 64, "P": 16, "K": 4},
    ),
    ("embedding", (np.arange(40), floats(40, 12)), {}, "embedding_forward", {"M": 40, "D": 12}),
]


@pytest.mark.parametrize(
    ("operator", "arrays", "attrs", "kernel", "sizes"), LAUNCHES, ids=[row[3] for row in LAUNCHES]
)
def test_least_is_each_array_once(operator, arrays, attrs, kernel, sizes):
    """Catches an input or an output that a formula forgets, or counts twice."""
    recorder = Recorder()
    library.kernels(recorder, np)[operator](*arrays, **attrs)
    family, name, counted = recorder.launches[0]
    assert name == kernel
    [work] = work_of(family, kernel)
    assert work.least(**{**DEFAULTS, **sizes}) == counted


class Counter:
    """Counts what is read and written by a kernel that is spelled out below."""

    def __init__(self, b=4):
        self.b, self.bytes, self.operations = b, 0, 0

    def touch(self, elements=1, size=None):
        self.bytes += elements * (size or self.b)

    def compute(self, operations=1):
        self.operations += operations


def softmax_long(count, N, L):
    for _ in range(N):
        for _ in range(L):  # the sum and the largest at once
            count.touch()
            count.compute(2)
        for _ in range(L):
            count.touch(2)
            count.compute(2)


def layer_norm_gradient_long(count, N, L):
    for _ in range(N):
        for _ in range(L):  # x, g and weight; the product with it and three sums of products
            count.touch(3)
            count.compute(6)
        for _ in range(L):  # again, and out
            count.touch(4)
            count.compute(7)


def depthwise_forward(count, N, C, O, S, P, K):  # noqa: E741
    for _ in range(N * O * P):
        for _ in range(K):
            count.touch(2)
            count.compute(2)
        count.touch()


def convolution_forward(count, N, C, O, S, P, K, t):  # noqa: E741
    for row in range(0, O, t):
        for column in range(0, N * P, t):
            rows, columns = min(t, O - row), min(t, N * P - column)
            for _ in range(C * K):
                count.touch(rows + columns)
                count.compute(2 * rows * columns)
            count.touch(rows * columns)


def attention(count, Z, Q, M, d, e, o):
    for _ in range(Z):
        for first in range(0, Q, o):
            own = min(o, Q - first)
            count.touch(own * d)
            for _ in range(M):
                count.touch(d + e)
                count.compute(own * (2 * d + 2 * e + 6))
            count.touch(own * e)


def merge_runs(count, M, r):
    for _ in range(M):
        count.touch(2, 8)
        half = r
        while half > 1:
            count.touch(1, 8)
            half //= 2


@pytest.mark.parametrize(
    ("family", "kernel", "plain", "sizes"),
    [
        ("softmax", "softmax_long", softmax_long, {"N": 3, "L": 50}),
        ("norms", "layer_norm_gradient_long", layer_norm_gradient_long, {"N": 3, "L": 50}),
        (
            "depthwise",
            "depthwise_forward",
            depthwise_forward,
            {"N": 2, "C": 3, "O": 3, "S": 25, "P": 9, "K": 9},
        ),
        (
            "convolution",
            "convolution_forward",
            convolution_forward,
            {"N": 2, "C": 3, "O": 10, "S": 36, "P": 16, "K": 9, "t": 8},
        ),
        ("attention", "attention", attention, {"Z": 2, "Q": 20, "M": 12, "d": 4, "e": 6, "o": 8}),
        ("embedding", "merge_runs", merge_runs, {"M": 100, "r": 64}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_moved_is_the_plain_count(family, kernel, plain, sizes):
    """Catches a formula that is not what the loops of a kernel do."""
    count = Counter()
    plain(count, **sizes)
    [work] = work_of(family, kernel)
    sizes = {**DEFAULTS, **sizes}
    assert work.moved(**sizes) == count.bytes
    assert work.operations(**sizes) == count.operations


@pytest.mark.parametrize(("family", "kernel"), KERNELS, ids=" ".join)
def test_every_kernel_has_one_row(family, kernel):
    """Catches a kernel of which nobody wrote down what it should take."""
    assert len(work_of(family, kernel)) == 1


@pytest.mark.parametrize("work", TABLE, ids=lambda work: f"{work.file} {work.kernels.split()[0]}")
def test_rows_are_sound(work: Work):
    """Catches a formula with a size that its row has not, and a kernel that there no longer is."""
    sizes = {**DEFAULTS, **work.sizes}
    assert work.moved(**sizes) >= work.least(**sizes) > 0
    assert work.operations(**sizes) >= 0
    assert all(work.seconds(gpu) > 0 for gpu in GPUS)
    if work.file in families():
        for pattern in work.kernels.split():
            one = Work(work.file, pattern, {}, work.least, work.moved, work.operations)
            assert any(one.matches(*kernel) for kernel in KERNELS), pattern


def test_seconds_are_those_of_what_takes_longer():
    [sum_rows], [forward] = (
        work_of("reductions", "sum_rows"),
        work_of("convolution", "convolution_forward"),
    )
    gpu = GPUS[-1]
    assert sum_rows.seconds(gpu) == pytest.approx(
        sum_rows.least(**DEFAULTS, **sum_rows.sizes) / gpu.bandwidth
    )
    assert forward.seconds(gpu) == pytest.approx(
        forward.operations(**DEFAULTS, **forward.sizes) / gpu.operations
    )
