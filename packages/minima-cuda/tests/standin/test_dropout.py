"""Dropout on the device: one launch, forward and backward, with the masks of the generator."""

import warnings

import ml_dtypes  # noqa: F401 - makes bfloat16 known to NumPy
import numpy as np
import pytest
from emulator import needs_emulator

import minima as mi
from minima.compiler.function import CompileWarning

pytestmark = needs_emulator

SHAPES = [(3, 5), (7,), (), (0, 2)]


def given(shape, dtype="float32", seed=0):
    values = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    return mi.Tensor(values, device="cuda", requires_grad=True)


def masked(x, p):
    """Return x times a mask of the generator's, as devices without the kernel have it."""
    return x * mi.random.default_generator("cuda").bernoulli(x.shape, 1 - p, x.dtype) / (1 - p)


def slopes(function, x, p):
    """Return values, the gradient, and the gradient of the gradient's sum of squares."""
    mi.manual_seed(5)
    y = function(x, p)
    weights = mi.arange(1, x.size + 1, device="cuda").reshape(x.shape).astype(x.dtype)
    (g,) = mi.autograd.grad((y * y * weights).sum(), [x], create_graph=True)
    (second,) = mi.autograd.grad((g * g).sum(), [x])
    state = mi.random.default_generator("cuda").get_state()
    return [t.detach().numpy().astype("float64") for t in (y, g, second)], state


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_a_mask(launcher, shape, dtype):
    """Catches another mask in backward, other words, and a stream that moves by another count."""
    x = given(shape, dtype)
    (found, state), (expected, other) = (slopes(f, x, 0.3) for f in (mi.dropout, masked))
    assert launcher.launched.count("dropout") == (4 if x.size else 0)
    assert state == other
    near = {"float16": 4e-3, "bfloat16": 4e-2}.get(dtype, 1e-5)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=near, atol=near)


def test_the_input_is_not_kept(launcher):
    """Catches memory that backward does not need: it has the place in the stream alone."""
    x = given((4, 4)).detach().requires_grad_()
    y = mi.dropout(x, 0.5)
    x.detach().mul_(2.0)
    y.sum().backward()
    assert set(np.unique(x.grad.numpy())) <= {0.0, 2.0}


def test_a_seed_repeats_and_a_generator_is_used(launcher):
    """Catches a layer whose masks do not come from the generator that is given."""
    x = mi.ones((8, 8), device="cuda")
    mi.manual_seed(3)
    first = mi.dropout(x).numpy()
    assert (mi.dropout(x).numpy() != first).any()
    mi.manual_seed(3)
    own = mi.Generator(3, device="cuda")
    assert (mi.dropout(x, generator=own).numpy() == first).all()
    assert (mi.dropout(x).numpy() == first).all()
    assert launcher.launched.count("dropout") == 4


@pytest.mark.parametrize(
    ("p", "training", "dtype"),
    [(0.0, True, "float32"), (1.0, True, "float32"), (0.5, False, "float32")],
)
def test_what_draws_nothing_launches_nothing(launcher, p, training, dtype):
    """Catches numbers that are taken from the stream for a result that is known."""
    x = mi.ones(5, device="cuda", dtype=dtype)
    before = mi.random.default_generator("cuda").get_state()
    found = mi.dropout(x, p, training).numpy()
    assert (found == (0 if p == 1 else 1)).all()
    assert mi.random.default_generator("cuda").get_state() == before
    assert "dropout" not in launcher.launched


def test_layers_and_transformations(launcher):
    """Catches a kernel that a layer, a batch or a checkpoint goes around or draws twice for."""
    nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")
    layer, x = nn.Dropout(0.5, inplace=True), given((6, 6))
    mi.manual_seed(1)
    expected = mi.dropout(x).detach().numpy()
    mi.manual_seed(1)
    assert (layer(x.detach().clone()).numpy() == expected).all()
    assert launcher.launched.count("dropout") == 2
    mi.manual_seed(1)
    y = mi.func.checkpoint(mi.dropout, x)
    y.sum().backward()
    assert ((x.grad.numpy() != 0) == (y.detach().numpy() != 0)).all()
    batch = mi.func.vmap(mi.dropout, randomness="different")(x.detach())
    assert 0 < np.count_nonzero(batch.numpy()) < batch.size
    primal, tangent = mi.func.jvp(mi.dropout, (x.detach(),), (mi.ones((6, 6), device="cuda"),))
    assert ((primal.numpy() != 0) == (tangent.numpy() != 0)).all()


def test_masks_of_channels_are_drawn_at_once(launcher):
    """Catches a mask that takes a launch for the numbers and others to compare them."""
    x = mi.ones((3, 2, 4), device="cuda")
    found = mi.dropout1d(x).numpy()
    assert launcher.launched.count("bernoulli") == 1
    assert "uniform" not in launcher.launched
    assert (found == found[:, :, :1]).all()


def test_a_graph_holds_it_and_draws_anew(launcher, cupy):
    """Catches a place in the stream that is written into the graph, and one for each direction."""

    def step(x, w):
        y = mi.dropout(mi.tanh(x) @ w, 0.25)
        (y * y).sum().backward()
        slope = w.grad.clone()
        w.grad = None
        return y, slope

    def run(function):
        mi.manual_seed(2)
        w = given((4, 4), seed=1)
        return [[t.numpy() for t in function(given((4, 4), seed=i).detach(), w)] for i in range(6)]

    expected, compiled = run(step), mi.compile(step)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        found = run(compiled)
    assert sum(name == "graph.launch" for name, _ in cupy.machine.calls) == 3
    for row, other in zip(found, expected, strict=True):
        for a, b in zip(row, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert len({row[0].tobytes() for row in found}) == 6
