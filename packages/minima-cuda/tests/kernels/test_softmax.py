"""Softmax, log softmax, cross entropy and their gradients: short, medium and long rows, columns."""

from types import SimpleNamespace

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from minima.errors import IndexRangeError
from minima_cuda import library
from minima_cuda.families.softmax import held, runs_of

from .compare import SMALL_SCHEDULES, Poisoned, assert_close, kernels, reference
from .narrow import narrow_kernels

pytestmark = needs_emulator

FLOATS = ("float16", "bfloat16", "float32", "float64")
#: shape, axis: rows held by a warp, by a block, columns of few and of many, of several axes
SMALL = (((5, 33), 1), ((33, 20), 0))  # with every schedule
CUTS = (
    ((1,), 0),
    ((3, 31), 1),
    ((3, 32), 1),
    ((2, 127), 1),
    ((2, 128), 1),
    ((2, 129), 1),
    ((3, 5, 7), 1),
    ((2, 3, 4), (1, 2)),
    ((2, 3, 4), (0, 2)),
    ((3, 2, 40), (0, 1)),
    ((0, 3), 1),
    ((3, 0), 1),
    ((2, 1023), 1),
    ((2, 1024), 1),
    ((2, 1025), 1),
    ((1, 2500), 1),
    ((300, 2), 0),
)
SMOOTHED = (("mean", 0.0), ("sum", 0.1), ("none", 0.0), ("none", 0.2))


def real(dtype, shape, seed=0, scale=2.0):
    """Return numbers around 0."""
    return np.asarray(np.random.default_rng(seed).normal(0, scale, shape)).astype(dtype)


def compare(name, given, attrs, dtype, schedule, scale=1.0):
    """Compare a kernel with the reference in float64."""
    got = kernels(schedule)[name](*given, **attrs)
    try:
        assert got.dtype == dtype
        assert_close(got, reference(name, *given, **attrs), dtype, scale)
    except AssertionError as error:
        error.add_note(f"{[a.shape for a in given]}, {attrs}, schedule {schedule}")
        raise


def cases():
    """Yield (shape, axis, schedule)."""
    for cut in SMALL:
        yield from ((*cut, schedule) for schedule in SMALL_SCHEDULES)
    for i, cut in enumerate(CUTS):
        yield (*cut, SMALL_SCHEDULES[i % 7])


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmax_gradient"])
def test_shapes(name, dtype):
    """Catches an element that is left out of a sum, or written by the wrong thread."""
    for shape, axis, schedule in cases():
        if name == "log_softmax" and isinstance(axis, tuple):
            continue
        x = real(dtype, shape)
        given = [x] if name != "softmax_gradient" else [x, np.abs(real(dtype, shape, 1))]
        scale = 8.0 if name == "softmax_gradient" else 2.0  # products as large as their sum
        compare(name, given, {"axis": axis}, dtype, schedule, scale)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("reduction", "smoothing"), SMOOTHED)
@pytest.mark.parametrize("ignored", [None, 0])
def test_cross_entropy(dtype, reduction, smoothing, ignored):
    """Catches the class of another sample, a mean over classes, a sum of halves."""
    attrs = {"reduction": reduction, "label_smoothing": smoothing, "ignore_index": ignored}
    shapes = ((5, 3), (4, 33), (2, 1100), (3, 5, 7), (2, 40, 3, 2), (9,), (0, 3))
    for i, shape in enumerate(shapes):
        logits = real(dtype, shape)
        rest = (*shape[:1], *shape[2:]) if len(shape) > 1 else ()
        classes = shape[min(1, len(shape) - 1)]
        targets = np.asarray(np.random.default_rng(2).integers(0, classes, rest))
        targets = targets.astype("int32" if i % 2 else "int64")
        if ignored is not None and targets.size > 1:
            targets.flat[0], targets.flat[1] = ignored, classes - 1
        if logits.size:
            compare("cross_entropy", [logits, targets], attrs, dtype, SMALL_SCHEDULES[i], 4.0)
        g = real(dtype, rest if reduction == "none" else ())
        given = [g, logits, targets]
        compare("cross_entropy_gradient", given, attrs, dtype, SMALL_SCHEDULES[-1 - i], 4.0)


def test_class_out_of_range():
    """Catches a class that reads beside its row."""
    logits = np.zeros((2, 3), "float32")
    for bad in (-1, 3):
        with pytest.raises(IndexRangeError, match=f"class {bad}; expected 0 to 2"):
            kernels("forward")["cross_entropy"](logits, np.array([0, bad]))


class Capturing(Poisoned):
    """NumPy as it would be while a CUDA graph is captured."""

    class cuda:
        """What of ``cupy.cuda`` a family asks."""

        @staticmethod
        def get_current_stream():
            """Return a stream that is captured."""
            return SimpleNamespace(is_capturing=lambda: True)


def test_class_out_of_range_in_a_graph():
    """Catches a check that waits for the GPU while a graph is captured, and a read beside a row."""
    run = library.kernels(EmulatorLauncher(), Capturing())
    logits, targets = np.zeros((3, 4), "float32"), np.array([0, 4, -1])
    losses = run["cross_entropy"](logits, targets, reduction="none")
    np.testing.assert_allclose(losses, [np.log(4), np.nan, np.nan], rtol=1e-6)


def special(shape):
    """Return rows of NaN, infinities, large numbers, and -inf alone."""
    x = np.zeros(shape)
    x[:, ::2] = -3
    x[0, 5] = np.nan
    x[1, 7] = np.inf
    x[2] += 1e4
    x[3] = -np.inf
    x[4, 1:] = -np.inf
    x[5, 40] = -np.inf
    return x


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("length", [70, 200, 1100])
def test_special_rows(name, length):
    """Catches exponentials that overflow, -inf less -inf, and a NaN that is lost."""
    for dtype in ("float32", "float64"):
        x = special((6, length)).astype(dtype)
        compare(name, [x], {"axis": 1}, dtype, "reverse")
        compare(name, [np.ascontiguousarray(x.T)], {"axis": 0}, dtype, 2)


def test_masked_classes():
    """Catches 0 times infinity where a class other than the target is excluded."""
    logits = np.array([[0.5, -np.inf, 1.0], [1.0, -np.inf, 2.0]], "float32")
    given = [logits, np.array([0, 2])]
    compare("cross_entropy", given, {"reduction": "none", "label_smoothing": 0.0}, "float32", 1)


def test_one_block():
    """Catches rows beyond the grid that are left out, and memory used again too soon."""
    run = narrow_kernels(EmulatorLauncher("reverse"))
    for shape, axis in (((90, 7), 1), ((9, 300), 1), ((5, 1100), 1), ((20, 90), 0)):
        x = real("float32", shape)
        y = run["softmax"](x, axis=axis)
        assert_close(y, reference("softmax", x, axis=axis), "float32")
        assert_close(
            run["softmax_gradient"](x, y, axis=axis),
            reference("softmax_gradient", x, y, axis=axis),
            "float32",
        )
    for shape in ((90, 7), (5, 1100), (4, 20, 90)):
        x, targets = real("float32", shape), np.zeros((*shape[:1], *shape[2:]), int)
        wanted = reference("cross_entropy", x, targets)
        assert_close(run["cross_entropy"](x, targets), wanted, "float32")


def test_out():
    """Catches an out= that is ignored, and an input that is written over while it is read."""
    x = real("float32", (5, 1100))
    wanted = reference("softmax", x, axis=1)
    out = np.empty_like(x)
    assert kernels("forward")["softmax"](x, axis=1, out=out) is out
    assert_close(out, wanted, "float32")
    assert kernels("forward")["softmax"](x, axis=1, out=x) is x
    assert_close(x, wanted, "float32")


def test_forms():
    """Catches rows that are given to a kernel whose registers do not hold them."""
    assert [held(9, n)[0] for n in (128, 129, 1024, 1025)] == ["short", "medium", "medium", "long"]
    assert held(9, 129)[1] == ((3,), (32, 4))
    assert runs_of((2, 3, 4), (0, 1)) == (1, 6, 4)


def test_sanitized():
    """Catches arithmetic that C++ does not define, and memory that the checks do not see."""
    run = library.kernels(EmulatorLauncher(sanitize=True), Poisoned())
    for shape, axis in (((5, 33), 1), ((2, 129), 1), ((1, 1025), 1), ((20, 9), 0)):
        x, y = real("float32", shape), np.abs(real("float32", shape, 1))
        for name in ("softmax", "log_softmax"):
            assert_close(run[name](x, axis=axis), reference(name, x, axis=axis), "float32", 2.0)
        wanted = reference("softmax_gradient", x, y, axis=axis)
        assert_close(run["softmax_gradient"](x, y, axis=axis), wanted, "float32", 8.0)
    for shape in ((5, 3), (2, 1100), (3, 5, 7)):
        x, targets = real("float32", shape), np.ones((*shape[:1], *shape[2:]), int)
        given = [np.array(2, "float32"), x, targets]
        assert_close(
            run["cross_entropy"](x, targets), reference("cross_entropy", x, targets), "float32"
        )
        wanted = reference("cross_entropy_gradient", *given)
        assert_close(run["cross_entropy_gradient"](*given), wanted, "float32")
