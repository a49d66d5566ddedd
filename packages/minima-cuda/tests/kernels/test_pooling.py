"""Pooling on the emulator."""

from dataclasses import dataclass

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima.devices import cpu_pooling
from minima_cuda.families import pooling
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

nan, inf = np.nan, np.inf


@dataclass(frozen=True)
class Row:
    """The shape of an image, and how windows slide over it."""

    x: tuple[int, ...]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int] = (0, 0)
    ties: bool = False

    def problem(self, name, dtype):
        """Return the inputs and the attributes of operator *name*."""
        how = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        name, _, counted = name.partition(":")
        if counted:
            how["count_include_pad"] = counted == "all"
        x = values(self.x, dtype, self.ties)
        g = values((*self.x[:2], *count_of(self.x[2:], *list(how.values())[:3])), dtype, seed=1)
        if name == "max_pool2d_gradient":
            y = pooled(x, self)
            return name, (g, x, y), how
        inputs = (g,) if name == "avg_pool2d_gradient" else (x,)
        return name, inputs, how | ({"shape": self.x} if inputs[0] is g else {})


def values(shape, dtype, ties=False, seed=0):
    """Return an array of numbers; of few different ones if there are *ties*."""
    rng = np.random.default_rng([seed, *shape])
    return (rng.integers(0, 3, shape) if ties else rng.standard_normal(shape)).astype(dtype)


def pooled(x, row):
    """Return the largest elements of the windows, in the type of x."""
    found = reference("max_pool2d", x, row.kernel_size, row.stride, row.padding)
    return found.astype(x.dtype)


OPERATORS = (
    "max_pool2d",
    "max_pool2d_gradient",
    "avg_pool2d:all",
    "avg_pool2d:inside",
    "avg_pool2d_gradient:all",
    "avg_pool2d_gradient:inside",
)
ROWS = (
    Row((2, 3, 4, 6), (2, 2), (2, 2)),
    Row((1, 2, 7, 5), (3, 3), (1, 1), (1, 1)),
    Row((2, 1, 7, 9), (3, 2), (2, 3), (1, 1)),
    Row((1, 2, 8, 8), (2, 2), (3, 3)),  # elements that no window sees
    Row((1, 1, 6, 7), (4, 5), (1, 2), (2, 0), ties=True),
    Row((3, 1, 5, 5), (2, 3), (1, 1), (1, 1), ties=True),
    Row((1, 1, 1, 1), (1, 1), (1, 1)),
    Row((1, 1, 2, 1), (3, 2), (2, 1), (1, 1)),
    Row((0, 2, 4, 4), (2, 2), (2, 2)),
)
LARGE = (Row((2, 3, 33, 31), (3, 3), (2, 2), (1, 1)), Row((1, 5, 32, 33), (2, 2), (2, 2)))
#: x, size of the result
ADAPTIVE = (
    ((2, 3, 6, 4), (3, 2)),
    ((1, 2, 5, 7), (3, 3)),
    ((2, 1, 3, 4), (1, 1)),
    ((1, 1, 2, 3), (5, 4)),  # more than there is
    ((1, 2, 7, 5), (7, 5)),
    ((2, 3, 9, 8), (1, 1)),  # long enough for a warp each
    ((1, 2, 33, 13), (3, 2)),
    ((0, 1, 4, 4), (2, 2)),
)


def check(name, row, dtype, launcher):
    """Compare the kernel of an operator with its reference in float64."""
    name, inputs, attrs = row.problem(name, dtype)
    got = pooling.KERNELS(launcher, Poisoned())[name](*inputs, **attrs)
    assert got.dtype == dtype
    assert_close(got, reference(name, *inputs, **attrs), dtype)


def check_adaptive(shape, size, dtype, launcher):
    """Compare both directions of adaptive pooling with their references."""
    kernels = pooling.KERNELS(launcher, Poisoned())
    x, g = values(shape, dtype), values((*shape[:2], *size), dtype, seed=1)
    got = kernels["adaptive_avg_pool2d"](x, size)
    assert_close(got, reference("adaptive_avg_pool2d", x, size), dtype)
    got = kernels["adaptive_avg_pool2d_gradient"](g, shape)
    assert_close(got, reference("adaptive_avg_pool2d_gradient", g, shape), dtype)


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_small(name, row, schedule):
    """Catches a border, a stride or a tie that a kernel gets wrong."""
    check(name, row, "float32", EmulatorLauncher(schedule))


@pytest.mark.parametrize("schedule", LARGE_SCHEDULES)
@pytest.mark.parametrize("row", LARGE, ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_large(name, row, schedule):
    """Catches elements that no block has."""
    check(name, row, "float32", EmulatorLauncher(schedule))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", [ROWS[2], ROWS[4]], ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_types(name, row, dtype):
    """Catches a sum in the type of the elements, and one that is read as another type."""
    check(name, row, dtype, EmulatorLauncher())


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize(("shape", "size"), ADAPTIVE)
def test_adaptive(shape, size, schedule):
    """Catches windows that overlap by too much, or lanes of a warp that are not added up."""
    check_adaptive(shape, size, "float32", EmulatorLauncher(schedule))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize(("shape", "size"), [ADAPTIVE[1], ADAPTIVE[5]])
def test_adaptive_types(shape, size, dtype):
    """Catches a mean in the type of the elements."""
    check_adaptive(shape, size, dtype, EmulatorLauncher())


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    launcher = EmulatorLauncher(sanitize=True)
    for row in ROWS:
        for name in OPERATORS:
            check(name, row, "float32", launcher)
    for shape, size in ADAPTIVE:
        check_adaptive(shape, size, "float32", launcher)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
@pytest.mark.parametrize("row", [ROWS[0], ROWS[5]], ids=str)
def test_largest_integer(row, dtype):
    """Catches integers that are compared as floats, and padding that is larger than they are."""
    x = np.random.default_rng(0).integers(-100 * (dtype != "uint8"), 100, row.x).astype(dtype)
    how = (row.kernel_size, row.stride, row.padding)
    got = pooling.KERNELS(EmulatorLauncher(), Poisoned())["max_pool2d"](x, *how)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, reference("max_pool2d", x, *how))


SPECIAL = np.array([[[[nan, 1.0, -inf, -inf], [inf, 1.0, -inf, 2.0]]]], np.float32)


def check_not_finite(dtype, padding, launcher):
    """Compare pooling of NaN and infinities with the kernels of the cpu."""
    row = Row(SPECIAL.shape, (2, 2), (2, 2), padding)
    how = {"kernel_size": row.kernel_size, "stride": row.stride, "padding": row.padding}
    kernels = pooling.KERNELS(launcher, Poisoned())
    x = SPECIAL.astype(dtype)
    y = pooled(x, row)
    np.testing.assert_array_equal(kernels["max_pool2d"](x, **how), y)
    g = values(y.shape, dtype, seed=1)
    # the reference kernel gives padding its share where all of a window is -infinity
    wanted = cpu_pooling.KERNELS["max_pool2d_gradient"](g, x, y, **how)
    np.testing.assert_array_equal(kernels["max_pool2d_gradient"](g, x, y, **how), wanted)
    assert_close(kernels["avg_pool2d"](x, **how), reference("avg_pool2d", x, **how), dtype)


@pytest.mark.parametrize("padding", [(0, 0), (1, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_not_finite(dtype, padding):
    """Catches NaN that loses against a number, and -infinity that loses against padding."""
    check_not_finite(dtype, padding, EmulatorLauncher())


@pytest.mark.parametrize("special", [False, True])
@pytest.mark.parametrize("shape", [(2, 1, 2, 3, 2, 2), (1, 2, 3, 3, 5, 7), (0, 1, 2, 2, 1, 1)])
def test_first_largest(shape, special):
    """Catches the last of several largest, and a NaN that is not the largest."""
    x = values(shape, "float32", ties=True)
    if special and x.size:
        x.flat[:: x.size // 3] = nan
    got = pooling.KERNELS(EmulatorLauncher(), Poisoned())["first_largest"](x)
    np.testing.assert_array_equal(got, reference("first_largest", x))


@pytest.mark.parametrize("name", OPERATORS)
def test_out_and_layout(name):
    """Catches an output that is not written, and an input that is read in the wrong order."""
    name, inputs, attrs = ROWS[2].problem(name, "float32")
    kernel = pooling.KERNELS(EmulatorLauncher(), Poisoned())[name]
    wanted = kernel(*inputs, **attrs)
    for order in "CF":
        out = np.full(wanted.shape, nan, wanted.dtype, order)
        assert kernel(*map(np.asfortranarray, inputs), **attrs, out=out) is out
        np.testing.assert_array_equal(out, wanted)


def test_images_without_elements():
    """Catches a window that sees padding alone, of which a kernel would read an element."""
    x, how = np.zeros((1, 1, 0, 1), np.float32), ((2, 1), (1, 1), (1, 0))
    got = pooling.KERNELS(EmulatorLauncher(), Poisoned())["max_pool2d"](x, *how)
    np.testing.assert_array_equal(got, [[[[-inf]]]])
