"""Steps of optimisers on the emulator, against the same steps written out in float64."""

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from kernels.compare import SMALL_SCHEDULES, TOLERANCES, assert_close, kernels
from minima_cuda.families.optimizers import KERNELS, PIECE

pytestmark = needs_emulator

SHAPES = [(1,), (3, 5), (0, 4), (33,), (PIECE,), (2, PIECE // 2 + 1), (1,)]
MANY = [(n % 7 + 1,) for n in range(70)]
SGD = [
    {},
    {"weight_decay": 0.1},
    {"momentum": 0.9},
    {"momentum": 0.9, "started": False, "weight_decay": 0.1},
    {"momentum": 0.8, "nesterov": True},
    {"momentum": 0.9, "dampening": 0.5},
]
ADAM = [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled": True, "eps": 1e-3}]


def tensors(shapes, dtype, kinds):
    """Return lists of arrays, one for each kind; those of the last kind are not negative."""
    random = np.random.default_rng(len(shapes))
    found = [[random.normal(size=s).astype(dtype) for s in shapes] for _ in range(kinds)]
    if kinds == 4:
        found[3] = [abs(a) for a in found[3]]
    return found


def sgd(p, g, b, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, started=True):
    g = g + weight_decay * p
    if momentum:
        b = momentum * b + (1 - dampening) * g if started else g
        g = g + momentum * b if nesterov else b
    return p - lr * g, b


def adam(p, g, m, v, step_number, lr, betas, eps=1e-8, weight_decay=0.0, decoupled=False):
    if decoupled:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g * g
    mean, square = m / (1 - betas[0] ** step_number), v / (1 - betas[1] ** step_number)
    return p - lr * mean / (np.sqrt(square) + eps), m, v


def check_sgd(table, shapes, dtype, **options):
    p, g, b = tensors(shapes, dtype, 3)
    wanted = [sgd(*(a.astype(np.float64) for a in of), 0.1, **options) for of in zip(p, g, b)]
    before = [a.copy() for a in g]
    if options.get("started") is False:
        for a in b:
            a[...] = np.nan
    buffers = b if options.get("momentum") else None
    assert table["sgd_step"](p, g, buffers, lr=0.1, **options) is True
    for found, (of_p, of_b) in zip(zip(p, b), wanted):
        assert_close(found[0], of_p, dtype, 2.0)
        if buffers:
            assert_close(found[1], of_b, dtype, 2.0)
    assert all((a == c).all() for a, c in zip(g, before))


def check_adam(table, shapes, dtype, step_number=3, **options):
    kinds = tensors(shapes, dtype, 4)
    options = {"lr": 0.1, "betas": (0.9, 0.99), **options, "step_number": step_number}
    wanted = [adam(*(a.astype(np.float64) for a in of), **options) for of in zip(*kinds)]
    before = [a.copy() for a in kinds[1]]
    assert table["adam_step"](*kinds, **options) is True
    for (p, _, m, v), of in zip(zip(*kinds), wanted):
        assert_close((p, m, v), of, dtype, 4.0)
    assert all((a == c).all() for a, c in zip(kinds[1], before))


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
def test_steps(schedule):
    """Catches a tensor, a piece of it or an element that is left out or taken twice."""
    check_sgd(kernels(schedule), SHAPES, "float32", momentum=0.9)
    check_adam(kernels(schedule), SHAPES, "float32")


@pytest.mark.parametrize("options", SGD, ids=str)
def test_options_of_sgd(options):
    """Catches a formula other than that of minima.optim.SGD."""
    check_sgd(kernels("forward"), SHAPES[:4], "float32", **options)


@pytest.mark.parametrize("options", ADAM, ids=str)
@pytest.mark.parametrize("step_number", [1, 1000])
def test_options_of_adam(options, step_number):
    """Catches a formula other than that of minima.optim.Adam and AdamW."""
    check_adam(kernels("forward"), SHAPES[:4], "float32", step_number, **options)


@pytest.mark.parametrize("dtype", [d for d in TOLERANCES if d != "float32"])
def test_types(dtype):
    """Catches arithmetic in a type too narrow."""
    check_sgd(kernels("forward"), SHAPES[:4], dtype, momentum=0.9)
    check_adam(kernels("forward"), SHAPES[:4], dtype)


def test_more_tensors_than_a_launch_takes():
    """Catches tensors beyond the first launch that are left out."""
    check_adam(kernels("reverse"), MANY, "float32")


def test_a_grid_smaller_than_the_work():
    """Catches a block that takes no second piece."""

    class Few(EmulatorLauncher):
        def launch(self, source, name, grid, block, args, smem=0):
            super().launch(source, name, (2,), block, args, smem)

    check_adam(KERNELS(Few(), np), SHAPES, "float32")


def test_types_side_by_side():
    """Catches tensors that are taken for those of another type."""
    p, g = ([np.ones(3, d) for d in ("float32", "float64", "float32")] for _ in range(2))
    assert kernels("forward")["sgd_step"](p, g, lr=0.5)
    assert all((a == 0.5).all() for a in p)


@pytest.mark.parametrize(
    "parameter",
    [np.ones((3, 4), np.float32).T, np.ones((4, 3), np.float64), np.ones((4, 3), np.int64)],
    ids=["transposed", "another type", "integers"],
)
def test_what_does_not_lie_flat_is_left_alone(parameter):
    """Catches a step on the copy of a parameter, or on the bits of another type."""
    buffer, gradient = (np.ones((4, 3), np.float32) for _ in range(2))
    assert not kernels("forward")["sgd_step"]([parameter], [gradient], [buffer], lr=0.5, momentum=1)
    assert (parameter == 1).all()
    assert (buffer == 1).all()


def test_arrays_that_are_not_aligned():
    """Catches a vector access of an address that does not allow it."""
    p, g = np.ones(18, np.float32)[1:], np.ones(17, np.float32)
    assert kernels("forward")["sgd_step"]([p], [g], lr=0.25)
    assert (p == 0.75).all()


def test_under_the_sanitizers():
    """Catches accesses outside of an array."""
    table = KERNELS(EmulatorLauncher(sanitize=True), np)
    check_adam(table, SHAPES[:4], "float32")
    check_sgd(table, SHAPES[:4], "float32", momentum=0.9)
