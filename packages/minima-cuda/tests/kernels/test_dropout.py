"""Random numbers and dropout on the emulator: one stream, whoever draws from it."""

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import EmulatorLauncher, needs_emulator

from kernels.compare import SMALL_SCHEDULES, TOLERANCES, kernels
from minima_cuda.families.dropout import stream_of
from minima_cuda.random import philox
from minima_cuda.sources import Source

pytestmark = needs_emulator

KEY = (0xA4093822, 0x299F31D0)
SIZES = (0, 1, 3, 4, 5, 31, 33, 1023, 1025)
POSITIONS = (0, 7, 2**32 - 3, 2**64 - 2)
FLOATS = tuple(TOLERANCES)


def words(count, position=0):
    with np.errstate(over="ignore"):
        return philox(np, KEY, position, -(-count // 4))[:count]


def long_words(count, position=0):
    pairs = words(2 * count, position).astype(np.uint64).reshape(count, 2)
    return pairs[:, 0] << np.uint64(32) | pairs[:, 1]


def units(count, dtype, position=0):
    if dtype == "float64":
        return (long_words(count, position) >> np.uint64(11)) * 2.0**-53
    return (words(count, position) >> 8).astype(np.float32) * np.float32(2.0**-24)


@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
@pytest.mark.parametrize("position", POSITIONS)
def test_words_are_those_of_the_stream(schedule, position):
    """Catches a round, a key or a carry of Philox that is wrong."""
    draw = kernels(schedule)
    at = {"key": KEY, "position": position}
    for size in SIZES:
        assert (draw["random_words"](size, **at) == words(size, position)).all()
        assert (draw["random_long_words"](size, **at) == long_words(size, position)).all()


def test_words_are_philox_as_published():
    """Catches a generator that is none of those that are known to be good (Random123's vectors)."""
    found = kernels("forward")["random_words"](4, key=(0, 0), position=0)
    assert found.tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize(
    ("grid", "block"), [((1,), (1,)), ((1,), (32,)), ((3,), (64,)), ((40,), (7,))]
)
def test_numbers_do_not_depend_on_the_launch(grid, block):
    """Catches a counter made of the thread's number."""
    y = np.empty(1001, np.float32)
    args = (y, np.int64(y.size), stream_of(KEY, 5))
    EmulatorLauncher().launch(Source("dropout", "float32"), "uniform", grid, block, args)
    assert (y == units(1001, "float32", 5)).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", SIZES)
def test_uniform_and_normal_numbers(dtype, size):
    """Catches numbers that the stream of `minima_cuda.random.Source` would not give."""
    draw = kernels("reverse")
    at = {"key": KEY, "position": 3}
    flat = units(size + 4, dtype, 3).astype(np.float64)
    found = draw["random_uniform"]((size,), np.dtype(dtype), **at)
    assert found.dtype == dtype
    assert (found == flat[:size].astype(dtype)).all()
    pairs = flat[: len(flat) // 2 * 2].reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - pairs[:, 0])), 2 * np.pi * pairs[:, 1]
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:size]
    found = draw["random_normal"]((size,), np.dtype(dtype), **at)
    relative, absolute = TOLERANCES[dtype]
    np.testing.assert_allclose(found.astype(np.float64), both, relative, absolute)


@pytest.mark.parametrize(("low", "high"), [(0, 2), (-5, 12), (-(2**62), 2**62 + 1)])
def test_integers(low, high):
    """Catches a range that is shifted, signed, or cut to 32 bits."""
    found = kernels("forward")["random_integers"](low, high, (33, 3), key=KEY, position=9)
    wanted = (long_words(99, 9) % np.uint64(high - low)).astype(np.int64) + low
    assert (found == wanted.reshape(33, 3)).all()


@pytest.mark.parametrize("dtype", [*FLOATS, "bool", "uint8", "int64"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_bernoulli(dtype, p):
    """Catches a probability of the wrong outcome, and another comparison than the generator's."""
    draw = kernels("forward")
    found = draw["random_bernoulli"]((5, 21), np.dtype(dtype), p=p, key=KEY, position=2)
    wanted = (units(105, "float32", 2) < np.float32(p)).reshape(5, 21)
    assert found.dtype == dtype
    assert (found == wanted.astype(dtype)).all()


def at(position):
    """Return the stream at *position*, as it lies in memory."""
    return np.frombuffer(stream_of(KEY, position).tobytes(), np.int64)


def check_dropout(draw, dtype, size, p):
    x = np.random.default_rng(size).normal(size=size).astype(dtype)
    kept = units(size, "float32", 11) < np.float32(1 - p)
    wanted = x.astype(np.float64) * kept / max(1 - p, 1e-9)
    given = x.copy()
    found = draw["dropout"](given, at(11), p=p)
    assert (given == x).all()
    assert found.dtype == dtype
    relative, absolute = TOLERANCES[dtype]
    np.testing.assert_allclose(found.astype(np.float64), wanted, relative, absolute)
    assert ((found == 0) == ~kept).all()
    assert draw["dropout"](given, at(11), p=p, out=given) is given
    assert (given == found).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("schedule", SMALL_SCHEDULES)
def test_dropout(dtype, schedule):
    """Catches a mask other than the generator's, and elements that are left out."""
    for size in SIZES:
        check_dropout(kernels(schedule), dtype, size, 0.3)


@pytest.mark.parametrize("p", [0.0, 0.999, 1.0])
def test_dropout_of_few_and_of_all(p):
    """Catches 0 / 0 where nothing is kept."""
    check_dropout(kernels("forward"), "float32", 33, p)


def test_dropout_of_an_array_that_is_not_aligned():
    """Catches a vector read of an address that does not allow it."""
    x = np.arange(1, 18, dtype=np.float32)[1:]
    kept = units(16, "float32", 4) < 0.5
    found = kernels("forward")["dropout"](x, at(4), p=0.5)
    assert (found == np.where(kept, 2 * x, 0)).all()


def test_dropout_of_a_transposed_array():
    """Catches numbers given to elements in the order of memory, not of the array."""
    x = np.arange(1.0, 13.0, dtype=np.float32).reshape(3, 4)
    draw = kernels("forward")["dropout"]
    wanted = draw(np.ascontiguousarray(x.T), at(0), p=0.5)
    assert (draw(x.T, at(0), p=0.5) == wanted).all()


def test_dropout_of_integers_is_refused():
    """Catches integers that are scaled, and silently cut."""
    with pytest.raises(TypeError, match="floating"):
        kernels("forward")["dropout"](np.ones(3, np.int64), at(0), p=0.5)


@pytest.mark.parametrize("dtype", FLOATS)
def test_under_the_sanitizers(dtype):
    """Catches accesses outside of an array, and shifts and casts that C++ does not define."""
    from minima_cuda.families.dropout import KERNELS

    draw = KERNELS(EmulatorLauncher(sanitize=True), np)
    for size in (1, 7, 33):
        check_dropout(draw, dtype, size, 0.4)
        draw["random_normal"]((size,), np.dtype(dtype), key=KEY, position=0)
