"""Layer and batch normalisation and their gradients: short, medium and long rows, channels."""

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima_cuda import library
from minima_cuda.families.norms import form_of

from .compare import SMALL_SCHEDULES, Poisoned, assert_close, kernels, reference
from .narrow import narrow_kernels

pytestmark = needs_emulator

FLOATS = ("float16", "bfloat16", "float32", "float64")
#: shape of x, axes, shape of weight and bias
SMALL = (((5, 33), (1,), (33,)), ((6, 3, 5), (0, 2), (3, 1)))  # with every schedule
CUTS = (
    ((1, 1), (1,), (1,)),
    ((3, 32), (1,), (32,)),
    ((2, 127), (1,), (127,)),
    ((9, 128), (1,), (128,)),
    ((2, 129), (1,), (129,)),
    ((2, 3, 4), (1, 2), (3, 4)),
    ((2, 3, 4), (1, 2), (4,)),
    ((33, 9), (0,), (9,)),
    ((2, 5, 3, 3), (0, 2, 3), (5, 1, 1)),
    ((2, 3, 4, 5), (2, 3), (4, 5)),
    ((4, 2, 3, 40), (0, 3), (2, 3, 1)),
    ((2, 3, 4), (1,), (4,)),
    ((2, 3, 4), (2,), (2, 3, 4)),
    ((0, 3), (1,), (3,)),
    ((2, 1024), (1,), (1024,)),
    ((3, 1025), (1,), (1025,)),
    ((1, 2500), (1,), (2500,)),
    ((2, 4500), (0,), (4500,)),
    ((3, 2, 3000), (0, 2), (2, 1)),
    ((150, 40), (1,), (40,)),
)


def real(dtype, shape, seed=0, centre=0.5):
    """Return numbers around *centre*."""
    return np.asarray(np.random.default_rng(seed).normal(centre, 1, shape)).astype(dtype)


def cases():
    """Yield (shape, axes, shape of the weight, schedule)."""
    for cut in SMALL:
        yield from ((*cut, schedule) for schedule in SMALL_SCHEDULES)
    for i, cut in enumerate(CUTS):
        yield (*cut, SMALL_SCHEDULES[i % 7])


def compare(name, given, attrs, dtype, schedule, scale=1.0):
    """Compare a kernel with the reference in float64."""
    got = kernels(schedule)[name](*given, **attrs)
    try:
        assert got.dtype == dtype
        assert_close(got, reference(name, *given, **attrs), dtype, scale)
    except AssertionError as error:
        shapes = [None if a is None else a.shape for a in given]
        error.add_note(f"{shapes}, {attrs}, schedule {schedule}")
        raise


@pytest.mark.parametrize("dtype", FLOATS)
def test_layer_norm(dtype):
    """Catches statistics of the wrong elements, a weight of another place."""
    for shape, axes, affine, schedule in cases():
        x, weight, bias = real(dtype, shape), real(dtype, affine, 1), real(dtype, affine, 2)
        attrs = {"axes": axes, "eps": 1e-3}
        compare("layer_norm", [x, weight, bias], attrs, dtype, schedule, 4.0)
        compare("layer_norm", [x, None, bias], attrs, dtype, schedule, 4.0)
        compare("layer_norm", [x, None, None], attrs, dtype, schedule, 4.0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_layer_norm_gradient(dtype):
    """Catches a term of the gradient that is left out, or over the wrong axes."""
    for shape, axes, affine, schedule in cases():
        g, x, weight = real(dtype, shape, 3), real(dtype, shape), real(dtype, affine, 1)
        attrs = {"axes": axes, "eps": 1e-3}
        compare("layer_norm_gradient", [g, x, weight], attrs, dtype, schedule, 8.0)
        compare("layer_norm_gradient", [g, x, None], attrs, dtype, schedule, 8.0)


@pytest.mark.parametrize("dtype", FLOATS)
def test_affine_gradient(dtype):
    """Catches a row, or a part of the rows, that is left out of the sums."""
    for shape, axes, affine, schedule in cases():
        g, x = real(dtype, shape, 3, 0.0), real(dtype, shape)
        attrs = {"shape": affine, "axes": axes, "eps": 1e-3}
        scale = 8.0 * max(1, np.prod(shape) / max(1, np.prod(affine))) ** 0.5
        compare("layer_norm_affine_gradient", [g, x], attrs, dtype, schedule, scale)


@pytest.mark.parametrize("dtype", FLOATS)
def test_batch_norm(dtype):
    """Catches the figures of another channel."""
    for i, shape in enumerate(((9, 33), (2, 3, 5), (2, 3, 4, 5), (1, 1), (0, 3), (5, 300))):
        x, mean = real(dtype, shape), real(dtype, shape[1], 1)
        var, weight = np.abs(real(dtype, shape[1], 2)), real(dtype, shape[1], 3)
        for weight_given, bias_given in ((True, True), (False, True), (False, False)):
            given = [x, mean, var, weight if weight_given else None, mean if bias_given else None]
            compare("batch_norm", given, {"eps": 0.1}, dtype, SMALL_SCHEDULES[i], 4.0)


def test_far_from_zero():
    """Catches squares that are added before the mean is taken off them."""
    for shape, axes in (((3, 100), (1,)), ((2, 1100), (1,)), ((400, 4), (0,))):
        x = real("float32", shape, centre=1e3)
        attrs = {"axes": axes, "eps": 1e-5}
        compare("layer_norm", [x, None, None], attrs, "float32", "forward", 50.0)
        g = real("float32", shape, 1)
        compare("layer_norm_gradient", [g, x, None], attrs, "float32", "forward", 50.0)


def test_special_rows():
    """Catches a NaN that is lost, and a row of one number that is divided by 0."""
    x = np.full((3, 40), 7.0, "float32")
    x[1, 3], x[2, 3] = np.nan, np.inf
    attrs = {"axes": (1,), "eps": 1e-5}
    compare("layer_norm", [x, None, None], attrs, "float32", "forward")


def test_one_block():
    """Catches rows beyond the grid that are left out, and memory used again too soon."""
    run = narrow_kernels(EmulatorLauncher("reverse"))
    attrs = {"eps": 1e-3}
    for shape, axes in (((90, 7), 1), ((9, 300), 1), ((5, 1100), 1), ((40, 70, 3), (0, 2))):
        axes = axes if isinstance(axes, tuple) else (axes,)
        x, g = real("float32", shape), real("float32", shape, 1)
        affine = (70, 1) if len(axes) > 1 else (shape[1],)
        for name, given, more in (
            ("layer_norm", [x], {}),
            ("layer_norm_gradient", [g, x], {}),
            ("layer_norm_affine_gradient", [g, x], {"shape": affine}),
        ):
            got = run[name](*given, axes=axes, **attrs, **more)
            assert_close(got, reference(name, *given, axes=axes, **attrs, **more), "float32", 30.0)


def test_results_do_not_depend_on_the_schedule():
    """Catches sums that are added in the order in which threads end."""
    g, x = real("float32", (150, 40)), real("float32", (150, 40), 1)
    attrs = {"shape": (40,), "axes": (1,), "eps": 0.0}
    run = [kernels(s)["layer_norm_affine_gradient"] for s in SMALL_SCHEDULES]
    assert len({kernel(g, x, **attrs).tobytes() for kernel in run}) == 1


@pytest.mark.parametrize(
    ("shape", "axes", "wanted"),
    [
        ((2, 3, 4), (2,), (True, 6, 4, 1)),
        ((2, 3, 4), (0, 1, 2), (True, 1, 24, 1)),
        ((2, 3, 4), (0, 2), (False, 2, 3, 4)),
        ((2, 3, 4), (0,), (False, 2, 12, 1)),
        ((2, 3, 4, 5), (0, 3), (False, 2, 12, 5)),
        ((2, 3, 4), (1,), None),
    ],
)
def test_forms(shape, axes, wanted):
    """Catches statistics over axes that a kernel takes for others."""
    found = form_of(shape, axes)
    assert (found and found[:4]) == wanted


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    run = library.kernels(EmulatorLauncher(sanitize=True), Poisoned())
    for shape, axes, affine in (*SMALL, CUTS[4], CUTS[9], CUTS[15], CUTS[19]):
        g, x, weight = real("float32", shape, 3), real("float32", shape), real("float32", affine, 1)
        attrs = {"axes": axes, "eps": 1e-3}
        for name, given, more in (
            ("layer_norm", [x, weight, weight], {}),
            ("layer_norm_gradient", [g, x, weight], {}),
            ("layer_norm_affine_gradient", [g, x], {"shape": affine}),
        ):
            wanted = reference(name, *given, **attrs, **more)
            assert_close(run[name](*given, **attrs, **more), wanted, "float32", 50.0)
    given = [real("float32", (2, 3, 5)), *(np.ones(3, "float32") for _ in range(4))]
    assert_close(run["batch_norm"](*given), reference("batch_norm", *given), "float32", 4.0)
