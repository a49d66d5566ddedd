"""The reductions: every operator, dtype, layout of axes and number of parts."""

from itertools import cycle

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima_cuda import library
from minima_cuda.families.reductions import cut

from .compare import SMALL_SCHEDULES, Poisoned, assert_close, kernels, reference
from .narrow import narrow_kernels

pytestmark = needs_emulator

FLOATS = ("float16", "bfloat16", "float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ROWS = [
    *[(name, dtype) for name in ("mean", "var", "logsumexp") for dtype in FLOATS],
    *[("sum", dtype) for dtype in (*FLOATS, "int64")],
    *[(name, dtype) for name in ("max", "min", "argmax", "argmin") for dtype in NUMBERS],
    *[(name, dtype) for name in ("all", "any") for dtype in ("bool", "float16", "int64")],
]
#: shape, axes: rows, columns, all, in the middle, on both sides, in more pieces than kernels take
SEEN = ((5, 33), (1,))  # with every schedule, and the next
SEEN_COLUMNS = ((33, 9), (0,))
CUTS = (
    ((), ()),
    ((1,), (0,)),
    ((31,), (0,)),
    ((32,), (0,)),
    ((1025,), (0,)),
    ((3, 1023), (1,)),
    ((2, 1024), (1,)),
    ((33, 2), (0,)),
    ((5, 40), (0,)),
    ((4, 3, 33), (1,)),
    ((3, 7, 5), (0, 2)),
    ((3, 2, 5, 3), (1, 3)),
    ((2, 3, 2, 3, 2), (0, 2, 4)),
    ((2, 3, 2, 3, 2, 3), (0, 2, 4)),
    ((4, 5), ()),
    ((3, 0), (0,)),
)
#: what takes two passes: a long row, a few, long columns, a length just over one part
LONG = (((9000,), (0,)), ((2, 8200), (1,)), ((1100, 8), (0,)), ((4097,), (0,)))


def drawn(dtype, shape, seed=0):
    """Return numbers of which many are equal, none of them far from 0."""
    rng = np.random.default_rng(seed)
    if dtype in ("bool", "int32", "int64"):
        return np.asarray(rng.integers(-9, 10, shape)).astype(dtype)
    return np.asarray(np.round(rng.normal(0.25, 1, shape) * 16) / 16).astype(dtype)


def check(name, dtype, shape, axes, schedule, keepdims=False, layout=None):
    """Compare the kernel with the reference in float64."""
    x = drawn(dtype, shape)
    if name in ("all", "any"):  # else all of a long row is never so
        x = (x != 0) | (np.arange(x.size).reshape(shape) % 7 != 3) if name == "all" else x > 99
        x = np.asarray(x).astype(dtype)
    axis = axes
    if name.startswith("arg"):
        axis = axes[0] if len(axes) == 1 else None
    attrs = {"axis": axis, "keepdims": keepdims}
    wanted = reference(name, x, **attrs) if x.size or name in ("sum", "all", "any") else None
    if wanted is None:
        return
    got = kernels(schedule)[name](layout(x) if layout and x.ndim else x, **attrs)
    try:
        assert_close(got, wanted, dtype)
        assert got.dtype == (
            dtype if name in ("sum", "mean", "var", "max", "min", "logsumexp") else wanted.dtype
        )
    except AssertionError as error:
        error.add_note(f"{shape} over {axes}, schedule {schedule}")
        raise


@pytest.mark.parametrize(("name", "dtype"), ROWS)
def test_axes(name, dtype):
    """Catches a wrong step between elements, a lane left out, a race."""
    for schedule in SMALL_SCHEDULES:
        check(name, dtype, *SEEN, schedule)
        check(name, dtype, *SEEN_COLUMNS, schedule)
    for (shape, axes), schedule in zip(CUTS, cycle(SMALL_SCHEDULES)):
        check(name, dtype, shape, axes, schedule, keepdims=schedule == 1)


@pytest.mark.parametrize(("name", "dtype"), ROWS)
def test_two_passes(name, dtype):
    """Catches a part that is left out, merged twice, or merged in the order of its end."""
    for (shape, axes), schedule in zip(LONG, ("forward", 1, "reverse", 2)):
        assert cut(shape, tuple(np.ones(shape, "i1").strides), axes).parts > 1
        check(name, dtype, shape, axes, schedule)


@pytest.mark.parametrize(
    "layout",
    [
        lambda a: np.ascontiguousarray(a.T).T,
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: np.append(a.ravel()[:1], a)[1:].reshape(a.shape),
    ],
    ids=["transposed", "every other", "off by one"],
)
@pytest.mark.parametrize("name", ["sum", "argmax", "var"])
def test_layouts(name, layout):
    """Catches a view read as what it is a view of."""
    for shape, axes in (((5, 67), (1,)), ((33, 9), (0,)), ((3, 7, 5), (0, 2)), ((2, 4100), (1,))):
        for dtype in ("float16", "float64"):
            check(name, dtype, shape, axes, "forward", layout=layout)


@pytest.mark.parametrize("name", ["sum", "max", "argmax", "var", "logsumexp", "any"])
@pytest.mark.parametrize("place", [0, 31, 32, 4500, 8999])
def test_nan(name, place):
    """Catches a NaN that is lost between lanes, warps or parts."""
    x = np.zeros(9000, "float32")
    x[place] = np.nan
    got = kernels("forward")[name](x, axis=(0,) if name != "argmax" else 0)
    with np.errstate(invalid="ignore"):
        np.testing.assert_equal(got, {"argmax": place, "any": True}.get(name, np.float32(np.nan)))


def test_results_do_not_depend_on_the_schedule():
    """Catches sums that are added in the order in which threads end."""
    x = np.random.default_rng(0).normal(size=(3, 9000)).astype("float32")
    for name in ("sum", "var", "logsumexp"):
        found = {kernels(s)[name](x, axis=(1,)).tobytes() for s in SMALL_SCHEDULES}
        assert len(found) == 1, name


@pytest.mark.parametrize("name", ["sum", "argmax", "var"])
def test_one_block(name):
    """Catches results beyond the grid that are left out, and memory used again too soon."""
    run = narrow_kernels(EmulatorLauncher("reverse"))[name]
    for shape, axis in (((5, 1100), 1), ((90, 7), 1), ((70, 40), 0), ((3, 9000), 1)):
        x = drawn("float32", shape)
        axis = axis if name == "argmax" else (axis,)
        assert_close(run(x, axis=axis), reference(name, x, axis=axis), "float32")


def test_variance_far_from_zero():
    """Catches squares that are added before the mean is taken off them."""
    x = (np.random.default_rng(0).normal(size=9000) + 1e4).astype("float32")
    np.testing.assert_allclose(kernels("forward")["var"](x, axis=(0,)), x.astype(float).var(), 2e-4)
    got = kernels("forward")["var"](x[:3], axis=(0,), correction=3)
    assert np.isnan(got)


def test_largest_exponentials():
    """Catches exponentials that overflow, and -inf less -inf."""
    run = kernels("forward")["logsumexp"]
    rows = [[1e4, 1e4, 0], [-np.inf] * 3, [np.inf, 1, -np.inf], [-np.inf, 2, -np.inf]]
    wanted = [1e4 + np.log(2), -np.inf, np.inf, 2]
    np.testing.assert_allclose(run(np.array(rows), axis=(1,)), wanted)
    np.testing.assert_allclose(run(np.array(rows).T, axis=(0,)), wanted)


@pytest.mark.parametrize(
    ("shape", "axes", "parts", "form"),
    [
        ((10, 33), (1,), 1, "rows"),
        ((33, 100), (0,), 1, "columns"),
        ((100000, 3), (0,), 25, "rows"),
        ((1 << 20, 64), (0,), 512, "columns"),
        ((1, 1 << 24), (1,), 1024, "rows"),
        ((1 << 20, 64), (1,), 1, "rows"),
    ],
)
def test_cut(shape, axes, parts, form):
    """Catches too few blocks to fill a GPU, and lanes along an axis of three."""
    found = cut(shape, (shape[1], 1), axes)
    assert (found.parts, found.form) == (parts, form)


@pytest.mark.parametrize("shape", [(3 << 31, 2), (2, 3 << 31)])
def test_sizes_beyond_32_bits(shape):
    """Catches a grid that a GPU refuses, and chunks that leave elements out."""
    for axes in ((0,), (1,)):
        found = cut(shape, (shape[1], 1), axes)
        across, parts = found.geometry.grid
        assert across < 1 << 31
        assert parts < 1 << 16
        assert parts * int(found.plan["sizes"][2]) >= found.length


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    run = library.kernels(EmulatorLauncher(sanitize=True), Poisoned())
    for shape, axes in (SEEN, SEEN_COLUMNS, CUTS[10], LONG[0], LONG[2]):
        for name, dtype in (("sum", "float16"), ("var", "float32"), ("max", "int64")):
            x = drawn(dtype, shape)
            wanted = reference(name, x, axis=axes)
            assert_close(run[name](x, axis=axes), wanted, dtype, 4.0)
        axis = axes[0] if len(axes) == 1 else None
        x = drawn("float64", shape)
        assert_close(run["argmax"](x, axis=axis), reference("argmax", x, axis=axis), "int64")
