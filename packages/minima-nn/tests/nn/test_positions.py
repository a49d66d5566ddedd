"""Places in a sequence, against formulas written out."""

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.nn import functional as F

RNG = np.random.default_rng(0)


def normal(*shape):
    return mi.Tensor(RNG.normal(size=shape))


@pytest.mark.parametrize("features", [1, 2, 5, 8])
def test_sinusoids(features):
    """Fault: a wave of another length, or one feature too many."""
    got = F.sinusoidal_positions(7, features, dtype="float64").numpy()
    for t in range(7):
        for i in range(features):
            angle = t / 10000 ** (2 * (i // 2) / features)
            assert got[t, i] == pytest.approx(np.cos(angle) if i % 2 else np.sin(angle))


@pytest.mark.parametrize("layout", ["half", "interleaved"])
@pytest.mark.parametrize("features", [4, 6])
def test_rotary_turns_pairs_as_complex_numbers(layout, features):
    """Fault: another pair, direction or rate."""
    x = normal(2, 3, 5, features)
    got = nn.RotaryEmbedding(4, 16, 100.0, layout, dtype="float64")(x, offset=2).numpy()
    a, b = ([0, 1], [2, 3]) if layout == "half" else ([0, 2], [1, 3])
    pairs = x.numpy()[..., a] + 1j * x.numpy()[..., b]
    turned = pairs * np.exp(1j * np.arange(2, 7)[:, None] * 100.0 ** (-np.arange(0, 4, 2) / 4))
    np.testing.assert_allclose(got[..., a], turned.real, rtol=1e-12)
    np.testing.assert_allclose(got[..., b], turned.imag, rtol=1e-12)
    np.testing.assert_array_equal(got[..., 4:], x.numpy()[..., 4:])


@pytest.mark.parametrize("layout", ["half", "interleaved"])
def test_rotary_depends_on_distance_alone(layout):
    """Fault: attention that changes when a text is moved."""
    rotary = nn.RotaryEmbedding(8, layout=layout, dtype="float64")
    q, k = normal(4, 8), normal(4, 8)
    near, far = (rotary(q, offset=n) @ rotary(k, offset=n).T for n in (0, 1000))
    np.testing.assert_allclose(near.numpy(), far.numpy(), rtol=1e-9, atol=1e-10)


def test_rotary_has_a_gradient():
    """Fault: a rotation whose gradient is not the one back."""
    rotary = nn.RotaryEmbedding(4, layout="interleaved", dtype="float64")
    mi.testing.gradcheck(lambda x: rotary(x, offset=3), [normal(2, 3, 6).requires_grad_()])


@pytest.mark.parametrize("make", [nn.SinusoidalPositionalEncoding, nn.LearnedPositionalEmbedding])
@pytest.mark.parametrize("batch_first", [False, True])
def test_added_rows(make, batch_first):
    """Fault: places that are counted along the batch."""
    layer = make(4, 9, batch_first=batch_first)
    rows = (layer.weight if hasattr(layer, "weight") else layer.rows).numpy()[2:5]
    x = np.zeros((2, 3, 4) if batch_first else (3, 2, 4), "float32")
    wanted = rows[None] if batch_first else rows[:, None]
    np.testing.assert_array_equal(layer(mi.Tensor(x), offset=2).numpy(), x + wanted)
    np.testing.assert_array_equal(layer(mi.zeros((3, 4)), offset=2).numpy(), rows)


def test_computed_rows_are_not_saved():
    """Fault: a state that PyTorch's models do not have, or that follows from the sizes."""
    assert not nn.SinusoidalPositionalEncoding(4).state_dict()
    assert not nn.RotaryEmbedding(4).state_dict()
    assert nn.RotaryEmbedding(4).to("float64").cos.dtype == "float64"


def test_alibi():
    """Fault: a slope of another head, or a reward for distance."""
    got = F.alibi_bias(8, 2, 5).numpy()
    assert got.shape == (8, 2, 5)
    np.testing.assert_allclose(got[0, 1], np.array([-4, -3, -2, -1, 0]) / 2)
    np.testing.assert_allclose(got[7, 0], np.array([-3, -2, -1, 0, -1]) / 256)
    six = -F.alibi_bias(6, 1, 2).numpy()[:, 0, 0]
    np.testing.assert_allclose(six, [2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.rotary_angles(2, 3), "rotary_angles: features is 3; expected an even"),
        (lambda: F.rotary(mi.ones((2, 4)), *F.rotary_angles(3, 4)), "rotary: input has shape"),
        (lambda: F.rotary(mi.ones((2, 4)), *F.rotary_angles(2, 6)), "rotary: input has shape"),
        (lambda: F.rotary(mi.ones((2, 4)), *F.rotary_angles(2, 4), "x"), "rotary: layout is 'x'"),
        (lambda: F.alibi_bias(2, 3, 2), "alibi_bias: keys is 2; expected"),
        (lambda: F.sinusoidal_positions(0, 2), "sinusoidal_positions: length is 0; expected"),
    ],
)
def test_errors(call, message):
    """Fault: an error that does not name the function, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^{message}"):
        call()
