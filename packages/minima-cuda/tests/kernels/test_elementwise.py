"""The elementwise kernels: every operator, dtype, shape and layout."""

from itertools import cycle

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima_cuda import library
from minima_cuda.families.elementwise import layout_of, merged_axes

from .compare import SMALL_SCHEDULES, Poisoned, assert_close, kernels, reference

pytestmark = needs_emulator

FLOATS = ("float16", "bfloat16", "float32", "float64")
NUMBERS = (*FLOATS, "int32", "int64")
ANY = (*NUMBERS, "bool")
WHOLE = ("int32", "int64", "bool")


def real(rng, shape):
    return rng.uniform(-2, 2, shape)


def positive(rng, shape):
    return rng.uniform(0.5, 2, shape)


def away(rng, shape):
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


def whole(rng, shape):
    return rng.integers(-4, 5, shape)


def nonzero(rng, shape):
    return rng.integers(1, 5, shape) * rng.choice([-1, 1], shape)


def rows(names, dtypes, *draws, **attrs):
    """Return (operator, dtype, what draws each input, attributes)."""
    return [(name, dtype, draws, attrs) for name in names.split() for dtype in dtypes]


UNARY = "exp expm1 sin cos tanh erf sigmoid isnan isinf isfinite"
COMPARISONS = "less less_equal greater greater_equal"
ROWS = [
    *rows("add subtract multiply maximum minimum", NUMBERS, real, real),
    *rows("negative square abs sign relu", NUMBERS, away),
    *rows("floor_divide remainder", ("int32", "int64"), whole, nonzero),
    *rows("floor_divide remainder", ("float32", "float64"), real, away),
    *rows("divide", FLOATS, real, away),
    *rows("power", FLOATS, positive, real),
    *rows("relu_gradient", NUMBERS, real, real),
    *rows("share", FLOATS, whole, whole),
    *rows(COMPARISONS, NUMBERS, whole, whole),
    *rows("equal not_equal", ANY, whole, whole),
    *rows("logical_not copy", ANY, whole),
    *rows("bitwise_and bitwise_or bitwise_xor", WHOLE, whole, whole),
    *rows("bitwise_invert", WHOLE, whole),
    *rows(UNARY, FLOATS, real),
    *rows("log log1p sqrt", FLOATS, positive),
    *rows("add_scaled", FLOATS, real, real, value=-1.5),
    *rows("addcmul", FLOATS, real, real, real, value=0.5),
    *rows("addcdiv", FLOATS, real, real, away, value=0.5),
    *rows("lerp", FLOATS, real, real, weight=0.25),
    *rows("clip", NUMBERS, whole, min=-1, max=2),
    *rows("clip", FLOATS, real, min=None, max=0.5),
    *rows("power_scalar", FLOATS, positive, scalar=2.5),
    *rows("power_scalar", FLOATS, away, scalar=3),
    *rows("gelu", FLOATS, real, approximate="none"),
    *rows("gelu", FLOATS, real, approximate="tanh"),
    *rows("gelu_gradient", FLOATS, real, real, approximate="none"),
    *rows("gelu_gradient", FLOATS, real, real, approximate="tanh"),
]
#: of one axis, around the widths of warps, blocks and 16 bytes
SHAPES = ((), (0,), (1,), (7,), (31,), (32,), (3, 0, 2), (1023,), (1024,), (1025,), (4099,))
SEEN = (33,)  # with every schedule
#: shapes that broadcast: rows, columns, numbers, both ways, more axes than a kernel steps through
BROADCASTS = (
    ((9, 33), (33,)),
    ((9, 33), (9, 1)),
    ((9, 32), ()),
    ((5, 1, 7), (1, 6, 1)),
    ((0, 3), (3,)),
    ((2, 3, 2, 3, 2, 3), (3, 1, 3, 1, 3)),
    ((2, 3, 4, 5), (3, 1, 5)),
)
#: how an array may lie in memory
LAYOUTS = {
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "every other": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
    "off by one": lambda a: np.append(a.ravel()[:1], a)[1:].reshape(a.shape),
}


def arrays(dtype, draws, shapes, seed=0):
    """Return an input for each of *draws*."""
    rng = np.random.default_rng(seed)
    made = [draw(rng, shape) for draw, shape in zip(draws, cycle(shapes))]
    return [np.asarray(a % 2 if dtype == "bool" else a).astype(dtype) for a in made]


def check(name, dtype, draws, attrs, shapes, schedule, layout=None):
    """Compare the kernel with the reference in float64."""
    given = arrays(dtype, draws, shapes)
    wanted = reference(name, *given, **attrs)
    if layout is not None:
        given = [layout(a) if a.ndim else a for a in given]
    got = kernels(schedule)[name](*given, **attrs)
    try:
        assert got.dtype == (wanted.dtype if wanted.dtype == bool else dtype)
        assert_close(got, wanted, dtype)
    except AssertionError as error:
        error.add_note(f"shapes {shapes}, schedule {schedule}")
        raise


def row_id(row):
    name, dtype, _, attrs = row
    return "-".join([name, dtype, *map(str, attrs.values())])


@pytest.mark.parametrize("row", ROWS, ids=row_id)
def test_shapes(row):
    """Catches a tail that is dropped, an empty launch, a race."""
    for schedule in SMALL_SCHEDULES:
        check(*row, [SEEN], schedule)
    for shape, schedule in zip(SHAPES, cycle(SMALL_SCHEDULES)):
        check(*row, [shape], schedule)


@pytest.mark.parametrize("shapes", BROADCASTS, ids=str)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("name", ["subtract", "less"])
def test_broadcasting(name, dtype, shapes):
    """Catches a wrong step along an axis."""
    for order in (shapes, shapes[::-1]):
        check(name, dtype, (whole, whole), {}, order, "reverse")
    if name == "subtract" and dtype != "int64":
        three = (real, real, real)
        check("addcmul", dtype, three, {"value": 2.0}, (*shapes, shapes[0]), "forward")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "bool"])
@pytest.mark.parametrize("shape", [(33,), (9, 32), (3, 4, 17)], ids=str)
def test_layouts(shape, dtype, layout):
    """Catches a kernel that takes a view for the array it is of."""
    check("equal", dtype, (whole, whole), {}, [shape], 1, LAYOUTS[layout])
    check("copy", dtype, (whole,), {}, [shape], 1, LAYOUTS[layout])


@pytest.mark.parametrize("dtype", ["float16", "float64", "bool", "int64"])
def test_where(dtype):
    """Catches a condition that is read with the step of another array."""
    for shapes in (
        ((33,), (33,), ()),
        ((9, 1), (33,), (9, 33)),
        ((), (2,), (1, 2)),
        ((0,), (1,), ()),
    ):
        (condition,) = arrays("bool", (whole,), shapes[:1])
        a, b = arrays(dtype, (whole, whole), shapes[1:], 1)
        got = kernels("forward")["where"](condition, a, b)
        assert_close(got, reference("where", condition, a, b), dtype)


CASTS = ("float16", "bfloat16", "float32", "float64", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("source", CASTS)
def test_casts(source):
    """Catches a conversion that rounds twice, or the wrong way."""
    rng = np.random.default_rng(0)
    values = np.append(rng.uniform(0, 100, 29), [0, 1, 2.5, 64])
    given = values.astype(source)
    for target in CASTS:
        got = kernels("forward")["astype"](given, target)
        assert got.dtype == target
        np.testing.assert_array_equal(got.astype(float), given.astype(target).astype(float))


@pytest.mark.parametrize(("target", "last"), [("float16", 2**-10), ("bfloat16", 2**-7)])
def test_casts_round_once(target, last):
    """Catches a double that is rounded to float32 on its way, where ml_dtypes too errs."""
    near = 2.0**-40
    given = np.array([1 + last / 2 + near, 1 + last / 2 - near, 1 + last / 2, 1 + 1.5 * last])
    got = kernels("forward")["astype"](given, target).astype(float)
    np.testing.assert_array_equal(got, [1 + last, 1, 1, 1 + 2 * last])


def test_casts_of_what_is_not_finite():
    """Catches bits of a NaN that round to infinity, and a float that overflows to NaN."""
    given = np.array([np.nan, np.inf, -np.inf, 1e300, -1e300, 65519.9, 65520.0, 1e-300])
    for target in ("float16", "bfloat16", "float32"):
        with np.errstate(over="ignore"):
            wanted = given.astype(target).astype(float)
        np.testing.assert_array_equal(kernels(1)["astype"](given, target).astype(float), wanted)


def test_out():
    """Catches an out= that is ignored, and an input that is overwritten while it is read."""
    run = kernels("forward")
    a = np.arange(40, dtype="float32")
    assert run["add"](a, a, out=a) is a
    assert a[39] == 78
    wide = np.zeros((8, 10), "float32")
    run["square"](a[:40].reshape(8, 5), out=wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], (a * a).reshape(8, 5))
    run["copy"](a[:-1], out=a[1:])
    np.testing.assert_array_equal(a[1:], np.arange(39) * 2)
    assert run["less"](a, a, out=np.ones(40, bool)).sum() == 0


def test_other_dtypes_run_the_reference():
    """Catches bytes of a type that no kernel knows, read as another."""
    run = kernels("forward")
    a = np.array([1, 2], "int16")
    assert run["add"](a, a).dtype == "int16"
    assert run["add"](a, a.astype("int64")).dtype == "int64"
    assert run["exp"](a.astype("complex64")).dtype == "complex64"
    assert run["add_scaled"](a.astype("int64"), a.astype("int64"), value=0.5).tolist() == [1.5, 3]


@pytest.mark.parametrize(
    ("shape", "steps", "wanted"),
    [
        ((2, 3), [(3, 1), (3, 1)], [(6, (1, 1))]),
        ((2, 3), [(3, 1), (0, 1)], [(2, (3, 0)), (3, (1, 1))]),
        ((2, 1, 3), [(3, 9, 1)], [(6, (1,))]),
        ((1, 1), [(1, 1)], [(1, (1,))]),
    ],
)
def test_axes_are_merged(shape, steps, wanted):
    """Catches axes merged that one array steps through apart."""
    assert merged_axes(shape, steps) == wanted


def test_long_rows_are_counted_in_64_bits():
    """Catches a count that wraps at 2**31 or 2**32."""
    many = 3 << 31
    layout = layout_of((many,), (((many,), (2,), 2), ((many,), (2,), 2)), 8)
    assert (layout["length"], layout["runs"], layout["run"]) == (many, many // 8, 8)


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    run = library.kernels(EmulatorLauncher(sanitize=True), Poisoned())
    for row in ROWS:
        name, dtype, draws, attrs = row
        if dtype in ("float32", "bool"):
            given = arrays(dtype, draws, [(9, 33), (33,), (9, 1)])
            wanted = reference(name, *given, **attrs)
            assert_close(run[name](*given, **attrs), wanted, dtype)
