"""Convolution and windows, in all three directions, on the emulator."""

from dataclasses import dataclass
from functools import partial

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima_cuda.families import convolution, depthwise
from minima_cuda.families.windows import count_of

from .compare import (
    LARGE_SCHEDULES,
    SMALL_SCHEDULES,
    TOLERANCES,
    Poisoned,
    assert_close,
    reference,
)

pytestmark = needs_emulator

OPERATORS = (
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "windows",
    "windows_gradient",
)


@dataclass(frozen=True)
class Row:
    """Shapes of x and weight, and what differs from a plain convolution."""

    x: tuple[int, ...]
    weight: tuple[int, ...]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    bias: bool = False

    def problem(self, name, dtype):
        """Return the inputs and the attributes of operator *name*."""
        make = partial(values, dtype=dtype)
        how = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        count = count_of(self.x[2:], self.weight[2:], *how.values())
        y, seen = (self.x[0], self.weight[0], *count), (*self.x[:2], *self.weight[2:], *count)
        grouped = {**how, "groups": self.groups}
        bias = make(self.weight[:1], seed=3) if self.bias else None
        return {
            "conv2d": ((make(self.x), make(self.weight, seed=1), bias), grouped),
            "conv2d_input_gradient": (
                (make(y), make(self.weight, seed=1)),
                {"shape": self.x, **grouped},
            ),
            "conv2d_weight_gradient": (
                (make(self.x), make(y, seed=1)),
                {"shape": self.weight, **grouped},
            ),
            "windows": ((make(self.x),), {"kernel": self.weight[2:], **how, "fill": -1.5}),
            "windows_gradient": ((make(seen),), {"shape": self.x, **how}),
        }[name]

    def __str__(self):
        parts = [f"{s}" for s in (*self.x, "w", *self.weight)]
        return "-".join(parts) + f"-s{self.stride[0]}p{self.padding[0]}g{self.groups}"


def values(shape, dtype, seed=0):
    """Return an array of normally distributed numbers."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(dtype)


ROWS = (
    Row((2, 3, 5, 4), (4, 3, 3, 2), bias=True),
    Row((1, 2, 7, 6), (3, 2, 3, 3), stride=(2, 3), padding=(1, 2)),
    Row((2, 4, 6, 7), (6, 2, 3, 2), dilation=(2, 3), groups=2, bias=True),
    Row((1, 3, 9, 9), (2, 3, 3, 3), stride=(4, 2), padding=(2, 0), dilation=(2, 3)),
    Row((2, 5, 4, 3), (7, 5, 1, 1)),
    Row((1, 2, 5, 5), (2, 2, 1, 2), stride=(3, 3)),  # elements that no window sees
    Row((1, 1, 1, 1), (1, 1, 1, 1)),
    Row((3, 6, 5, 4), (6, 1, 3, 3), padding=(1, 1), groups=6, bias=True),  # depthwise
    Row((2, 2, 7, 5), (6, 1, 4, 3), stride=(2, 1), padding=(2, 1), dilation=(1, 2), groups=2),
    Row((0, 2, 3, 3), (2, 2, 2, 2)),
    Row((2, 0, 3, 3), (2, 0, 2, 2), bias=True),
    Row((2, 2, 3, 3), (0, 2, 2, 2)),
)
#: more than a tile of rows, columns and depth, none a multiple of it
LARGE = (
    Row((3, 9, 11, 9), (67, 9, 3, 3), padding=(1, 1), bias=True),
    Row((2, 130, 6, 6), (66, 65, 2, 2), stride=(2, 2), padding=(1, 1), groups=2),
    Row((2, 65, 9, 8), (8, 65, 1, 3), stride=(1, 2)),
    Row((2, 3, 33, 32), (3, 1, 5, 5), padding=(2, 2), groups=3),
)

#: windows that do not divide evenly into parts of about 20
UNEVEN = {
    convolution: Row((5, 4, 6, 7), (4, 4, 3, 3)),
    depthwise: Row((5, 6, 5, 5), (6, 1, 3, 3), padding=(1, 1), groups=6),
}


def check(name, row, dtype, launcher):
    """Compare the kernel of an operator with its reference in float64."""
    inputs, attrs = row.problem(name, dtype)
    kernel = convolution.KERNELS(launcher, Poisoned())[name]
    got = kernel(*inputs, **attrs)
    assert got.dtype == dtype
    assert_close(got, reference(name, *inputs, **attrs), dtype, scale=4)


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_small(name, row, schedule):
    """Catches a border, a stride, a dilation or a group that a pass gets wrong."""
    check(name, row, "float32", EmulatorLauncher(schedule))


@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("row", LARGE, ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_large(name, row, schedule):
    """Catches a stage of the product that is read before it is there, and a wrong tile."""
    check(name, row, "float32", EmulatorLauncher(schedule))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", [ROWS[1], ROWS[2], ROWS[8], LARGE[0]], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_types(name, row, dtype):
    """Catches a sum in the type of the elements, and one that is read as another type."""
    check(name, row, dtype, EmulatorLauncher())


@pytest.mark.parametrize("row", [ROWS[3], ROWS[8], LARGE[1]], ids=str)
def test_sanitized(row):
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    for name in OPERATORS:
        check(name, row, "float32", EmulatorLauncher(sanitize=True))


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("name", OPERATORS[:3])
def test_large_tiles(name, schedule, dtype, monkeypatch):
    """Catches what only tiles of 128 x 128 get wrong."""
    monkeypatch.setattr(convolution, "ENOUGH_TILES", 1)
    row = Row((2, 80, 9, 10), (70, 80, 3, 1), padding=(1, 0), bias=True)
    check(name, row, dtype, EmulatorLauncher(schedule))


@pytest.mark.parametrize("module", [convolution, depthwise], ids=["full", "depthwise"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
def test_weight_gradient_in_parts(schedule, dtype, module, monkeypatch):
    """Catches windows that no part or two parts of a weight gradient have."""
    monkeypatch.setattr(module, "LEAST_OF_PART", 20)
    launcher = EmulatorLauncher(schedule)
    check("conv2d_weight_gradient", UNEVEN[module], dtype, launcher)
    assert launcher.launched[-1] == "sum_parts"


def test_same_bits_in_any_order():
    """Catches a sum whose order is that in which threads and blocks run."""
    inputs, attrs = LARGE[0].problem("conv2d_weight_gradient", "float32")
    found = [
        convolution.KERNELS(EmulatorLauncher(schedule), np)["conv2d_weight_gradient"](
            *inputs, **attrs
        )
        for schedule in ("forward", "reverse", 1)
    ]
    assert found[0].tobytes() == found[1].tobytes() == found[2].tobytes()


@pytest.mark.parametrize("name", OPERATORS)
def test_out(name):
    """Catches an output that is not written, in an order of memory that kernels do not write."""
    inputs, attrs = ROWS[2].problem(name, "float32")
    kernel = convolution.KERNELS(EmulatorLauncher(), Poisoned())[name]
    wanted = kernel(*inputs, **attrs)
    for order in "CF":
        out = np.full(wanted.shape, np.nan, wanted.dtype, order)
        assert kernel(*inputs, **attrs, out=out) is out
        np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize("name", OPERATORS)
def test_any_layout(name):
    """Catches a kernel that reads an array which is not contiguous as if it were."""
    inputs, attrs = ROWS[2].problem(name, "float32")
    kernel = convolution.KERNELS(EmulatorLauncher(), Poisoned())[name]
    turned = [a if a is None else np.asfortranarray(a) for a in inputs]
    np.testing.assert_array_equal(kernel(*turned, **attrs), kernel(*inputs, **attrs))


@pytest.mark.parametrize("name", OPERATORS)
def test_other_types_go_to_the_reference(name):
    """Catches integers, or a mix of types, that are read as floats."""
    inputs, attrs = ROWS[2].problem(name, "float32")
    inputs = [a if a is None else a.astype("int64") for a in inputs]
    launcher = EmulatorLauncher()
    got = convolution.KERNELS(launcher, np)[name](*inputs, **attrs)
    np.testing.assert_array_equal(got, reference(name, *inputs, **attrs))
    assert not launcher.launched


def test_not_finite():
    """Catches a border that is multiplied, or rows and columns beyond a tile that leak into it."""
    row = Row((2, 3, 5, 4), (4, 3, 3, 2), padding=(1, 1))
    inputs, attrs = row.problem("conv2d", "float32")
    inputs[0][0, 1, 2, 2], inputs[0][1, 0, 0, 0] = np.nan, np.inf
    got = convolution.KERNELS(EmulatorLauncher(), Poisoned())["conv2d"](*inputs, **attrs)
    assert_close(got, reference("conv2d", *inputs, **attrs), "float32")


def infinite(row, dtype, launcher):
    """Compare input gradients of infinite weights, which meet windows that there are alone."""
    (g, weight), attrs = row.problem("conv2d_input_gradient", dtype)
    weight[0, 0, 0, 0], weight[-1, -1, -1, -1] = np.inf, -np.inf
    got = convolution.KERNELS(launcher, Poisoned())["conv2d_input_gradient"](g, weight, **attrs)
    wanted = reference("conv2d_input_gradient", g, weight, **attrs)
    assert np.isinf(wanted).any()
    assert np.isfinite(wanted).any()
    assert_close(got, wanted, dtype, scale=4)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", [*ROWS[:4], ROWS[7], LARGE[0]], ids=str)
def test_infinite_weights_at_borders(row, dtype):
    """Catches a weight that is multiplied by the zero of a window that there is not."""
    infinite(row, dtype, EmulatorLauncher())
