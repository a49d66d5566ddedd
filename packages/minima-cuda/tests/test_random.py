"""Random numbers of the GPU: Philox, its known answers, and that a state repeats a stream."""

import json

import numpy as np
import pytest

import minima as mi
from minima_cuda.random import philox


@pytest.mark.parametrize(
    ("key", "position", "words"),
    [
        ((0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF, 0xFFFFFFFF), 2**64 - 1, None),
    ],
)
def test_known_answers(key, position, words):
    """Catches a wrong constant, a lost carry or a swapped word: the answers are Random123's."""
    found = " ".join(f"{word:08x}" for word in philox(np, key, position, 1).tolist())
    assert found == words if words else len(found) == 35


def plain_philox(key, counter):
    """Philox 4x32-10 as its paper has it, on Python's whole numbers."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        left, right = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            (right >> 32) ^ b ^ k0, right & 0xFFFFFFFF, (left >> 32) ^ d ^ k1, left & 0xFFFFFFFF
        )  # fmt: skip
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return [a, b, c, d]


@pytest.mark.parametrize("position", [0, 1, 2**32 - 2, 2**32, 2**63, 2**64 - 3])
def test_the_counter_has_64_bits(position):
    """Catches a stream that repeats after 2^32 blocks."""
    found = philox(np, (17, 42), position, 3).reshape(3, 4).tolist()
    positions = [position + i for i in range(3)]
    assert found == [
        plain_philox((17, 42), (p & 0xFFFFFFFF, (p >> 32) & 0xFFFFFFFF, 0, 0)) for p in positions
    ]


def test_the_paper_s_formula_has_the_known_answers():
    """Catches an oracle that is wrong in the same manner: the answers are Random123's."""
    ones, pi = 0xFFFFFFFF, (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
    assert plain_philox((ones, ones), (ones,) * 4) == [
        0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD
    ]  # fmt: skip
    assert plain_philox((0xA4093822, 0x299F31D0), pi) == [
        0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1
    ]  # fmt: skip


def draws(source):
    return [
        source.uniform((3,)).tolist(),
        source.uniform((2, 2), -1, 1, dtype="float64").tolist(),
        source.normal((5,)).tolist(),
        source.bernoulli((7,), 0.3).tolist(),
        source.integers(-5, 5, (4,)).tolist(),
        source.permutation(6).tolist(),
        source.uniform(()).item(),
        source.uniform((0, 3)).tolist(),
    ]


def test_a_state_goes_through_json(cupy):
    """Catches a state that a checkpoint cannot hold, or that repeats another stream."""
    source = mi.Generator(3, device="cuda")
    source.uniform((5,))
    state = json.loads(json.dumps(source.get_state()))
    first = draws(source)
    other = mi.Generator(99, device="cuda:1")
    other.set_state(state)
    assert draws(other) == first
    assert draws(other) != first


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"generator": "pcg64", "key": [0, 0], "position": 0},
        {"generator": "philox4x32-10", "key": [0], "position": 0},
        {"generator": "philox4x32-10", "key": [0, 2**32], "position": 0},
        {"generator": "philox4x32-10", "key": [0, 0], "position": -1},
    ],
)
def test_not_a_state(cupy, state):
    """Catches a damaged checkpoint that is taken for a state."""
    with pytest.raises(mi.errors.ArgumentError, match="set_state: not a state"):
        mi.Generator(0, device="cuda").set_state(state)


def test_seeds(cupy):
    """Catches seeds that share a stream, and one from the system that is always the same."""
    seeds = [0, 1, 2**32, 2**64, 2**100, None, None]
    first = [mi.Generator(seed, device="cuda").uniform((8,)).tolist() for seed in seeds]
    assert len({tuple(values) for values in first}) == len(seeds)
    mi.manual_seed(4)
    again = mi.random.default_generator("cuda").uniform((8,)).tolist()
    assert again == mi.Generator(4, device="cuda").uniform((8,)).tolist()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions(cupy, dtype):
    """Catches a scale, a half or a tail that is missing."""
    source, n = mi.Generator(0, device="cuda"), 20_000
    uniform = source.uniform((n,), dtype=dtype).numpy()
    assert 0 <= uniform.min() < 1e-3 < 0.999 < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 0.01
    assert abs(uniform.var() - 1 / 12) < 0.002
    normal = source.normal((n,), dtype=dtype).numpy()
    assert (normal.dtype, uniform.dtype) == (dtype, dtype)
    assert np.isfinite(normal).all()
    moments = [normal.mean(), normal.var(), (normal**3).mean(), (normal**4).mean()]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.15)
    assert abs(np.corrcoef(normal[:-1], normal[1:])[0, 1]) < 0.03
    whole = np.bincount(source.integers(0, 7, (n,)).numpy(), minlength=7)
    assert abs(whole - n / 7).max() < 250


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-(2**63), 2**63 - 1), (2**40, 2**40 + 3)])
def test_whole_numbers_stay_within_their_limits(cupy, low, high):
    """Catches a width that does not fit its type."""
    found = mi.Generator(0, device="cuda").integers(low, high, (1000,)).numpy()
    assert low <= found.min() <= found.max() < high
