"""Generators: streams that repeat, and numbers that are distributed as asked."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minima as mi
from minima.random import default_generator

DRAWS = {
    "uniform": lambda g: g.uniform((4, 3), -1.0, 2.0),
    "uniform float64": lambda g: g.uniform((4,), dtype="float64"),
    "uniform float16": lambda g: g.uniform(5, dtype="float16"),
    "normal": lambda g: g.normal((4, 3), 1.0, 2.0),
    "bernoulli": lambda g: g.bernoulli((10,), 0.3),
    "integers": lambda g: g.integers(-3, 3, (10,)),
    "permutation": lambda g: mi.asarray(g.permutation(10)),
    "nothing": lambda g: g.normal((0, 3)),
    "one": lambda g: g.uniform(()),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_repeats(draw):
    """Equal seeds give equal streams, other seeds others."""
    first, second, other = (draw(mi.Generator(seed)) for seed in (7, 7, 8))
    assert first.tolist() == second.tolist()
    assert first.tolist() != other.tolist() or first.size < 1


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_state_goes_on(draw):
    """A state, through JSON, continues the stream where it was taken."""
    g = mi.Generator(1)
    draw(g)
    state = json.loads(json.dumps(g.get_state()))
    expected = [draw(g).tolist() for _ in range(3)]
    other = mi.Generator(99)
    other.set_state(state)
    assert [draw(other).tolist() for _ in range(3)] == expected


def test_a_state_is_a_copy():
    """What get_state returned does not move with the generator."""
    g = mi.Generator(1)
    state = g.get_state()
    first = g.uniform((3,)).tolist()
    g.set_state(state)
    assert g.uniform((3,)).tolist() == first


def test_without_a_seed():
    """No seed: no two streams alike."""
    assert mi.Generator().uniform((4,)).tolist() != mi.Generator().uniform((4,)).tolist()


def test_manual_seed():
    """manual_seed starts the default stream anew, and that is what init draws from."""
    drawn = []
    for _ in range(2):
        assert mi.manual_seed(5) is default_generator()
        drawn.append(
            [mi.init.rand(3).tolist(), mi.init.randn(2).tolist(), mi.init.randb(9).tolist()]
        )
    assert drawn[0] == drawn[1]
    assert mi.init.rand(3).tolist() != drawn[0][0]


def test_manual_seed_reaches_every_device():
    """A device's default generator is seeded too, whether it was used before or not."""
    early, late = mi.Device("early", xp=np), mi.Device("late", xp=np)
    default_generator(early)
    streams = []
    for _ in range(2):
        mi.manual_seed(3)
        streams.append([default_generator(d).uniform((3,)).tolist() for d in (early, late)])
    assert streams[0] == streams[1]
    mi.manual_seed(3)
    assert default_generator(mi.Device("never", xp=np)).uniform((3,)).tolist() == streams[0][0]


def test_one_default_generator():
    """Threads that ask at once get the same one."""
    device = mi.Device("asked", xp=np)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: default_generator(device), range(64)))
    assert all(g is found[0] for g in found)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform(dtype):
    """Numbers fill [low, high), the upper end left out, with the right mean and variance."""
    values = mi.Generator(0).uniform((100, 1000), -1.0, 3.0, dtype=dtype).numpy()
    assert values.dtype == dtype
    values = values.astype("float64")
    assert -1.0 <= values.min() < -0.99
    assert 2.99 < values.max() < 3.0 or dtype == "float16"
    assert values.mean() == pytest.approx(1.0, abs=0.02)
    assert values.var() == pytest.approx(16 / 12, rel=0.02)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal(dtype):
    """Mean, variance, and the share within one standard deviation."""
    values = mi.Generator(0).normal((100, 1000), 2.0, 0.5, dtype=dtype).numpy()
    assert values.dtype == dtype
    assert values.mean() == pytest.approx(2.0, abs=0.01)
    assert values.std() == pytest.approx(0.5, rel=0.01)
    assert (abs(values - 2.0) < 0.5).mean() == pytest.approx(0.6827, abs=0.01)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_bernoulli(p):
    """True with probability p, exactly so at the ends."""
    values = mi.Generator(0).bernoulli((10_000,), p)
    assert values.dtype == "bool"
    assert values.numpy().mean() == pytest.approx(p, abs=0.02 * (0 < p < 1))
    assert mi.Generator(0).bernoulli((4,), p, dtype="float32").dtype == "float32"


def test_integers_and_permutations():
    """All the numbers of the range, evenly, and each index once."""
    counts = np.bincount(mi.Generator(0).integers(0, 5, (10_000,)).numpy(), minlength=5)
    assert counts.shape == (5,)
    assert (abs(counts - 2000) < 200).all()
    order = mi.Generator(0).permutation(100)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(100))
    assert list(order) != list(range(100))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers(dtype):
    """Catches parts that are the same, or spread too wide: the size of all has the variance."""
    g = mi.Generator(0)
    box, bell = g.uniform((4000,), -1.0, 2.0, dtype), g.normal((4000,), 3.0, 2.0, dtype)
    assert box.dtype == bell.dtype == dtype
    for part in (mi.real(box), mi.imag(box)):
        assert -1.0 <= part.min().item() < -0.99
        assert 1.99 < part.max().item() < 2.0
    for part in (mi.real(bell), mi.imag(bell)):
        assert abs(part.mean().item() - 3.0) < 0.1
        assert abs(mi.std(part).item() - 2.0**0.5) < 0.1
    assert mi.abs(mi.mean((bell - 3 - 3j) ** 2)).item() < 0.3  # the parts know nothing of another
    assert mi.init.kaiming_uniform(4, 3, dtype=dtype).dtype == dtype


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda g: g.seed(-1), mi.ArgumentError, "seed: got -1"),
        (lambda g: g.seed(1.5), mi.ArgumentError, "seed: got 1.5"),
        (lambda g: g.uniform((2,), dtype="int64"), mi.DTypeError, "uniform: got dtype int64"),
        (lambda g: g.normal((2,), dtype="bool"), mi.DTypeError, "normal: got dtype bool"),
        (lambda g: g.bernoulli((2,), 1.5), mi.ArgumentError, "p=1.5.*from 0 to 1"),
        (lambda g: g.bernoulli((2,), float("nan")), mi.ArgumentError, "p=nan"),
        (lambda g: g.integers(3, 3, (2,)), mi.ArgumentError, "low 3, high 3"),
        (lambda g: g.set_state({"state": 1}), mi.ArgumentError, "what get_state returned"),
        (lambda g: g.reserve(4), mi.DeviceError, "reserve: cpu has no kernels that draw"),
        (lambda g: g.set_state("x"), mi.ArgumentError, "what get_state returned"),
    ],
)
def test_bad_calls(call, error, words):
    """What is no distribution is refused, and leaves the stream as it was."""
    g = mi.Generator(1)
    state = g.get_state()
    with pytest.raises(error, match=words):
        call(g)
    assert g.get_state() == state
