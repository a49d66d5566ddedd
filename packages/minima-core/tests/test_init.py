"""Schemes of initial values: shape, type, device, generator, and the right spread."""

import math

import numpy as np
import pytest

import minima as mi
from minima import init

SIZED = ["rand", "randn", "randb", "constant", "ones", "zeros"]
FANNED = ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"]


@pytest.mark.parametrize("name", SIZED)
def test_sizes(name):
    """Sizes one by one or as one tuple; none at all is a tensor of shape ()."""
    scheme = getattr(init, name)
    assert scheme(2, 3).shape == scheme((2, 3)).shape == scheme([2, 3]).shape == (2, 3)
    assert scheme(0, 2).shape == (0, 2)
    assert scheme().shape == ()
    assert scheme(np.int64(2)).shape == (2,)


@pytest.mark.parametrize("name", [*SIZED, *FANNED])
def test_options(name):
    """Every scheme takes dtype, requires_grad, device and generator, and heeds them."""
    scheme = getattr(init, name)
    device = mi.Device("toy", xp=np)
    options = {"dtype": "float64", "requires_grad": True, "device": device}
    t = scheme(2, 3, **options, generator=mi.Generator(0, device=device))
    assert (t.shape, t.dtype, t.requires_grad, t.is_leaf) == ((2, 3), np.float64, True, True)
    assert t.device is device
    assert scheme(2, 3).requires_grad is False
    first, second = (scheme(2, 3, generator=mi.Generator(4)).tolist() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("name", ["rand", "randn", *FANNED])
def test_a_generator_is_all_that_is_drawn_from(name):
    """With a generator given the default stream does not move, and successive draws differ."""
    scheme, g = getattr(init, name), mi.Generator(0)
    mi.manual_seed(1)
    before = mi.random.default_generator().get_state()
    assert scheme(4, 4, generator=g).tolist() != scheme(4, 4, generator=g).tolist()
    assert mi.random.default_generator().get_state() == before


@pytest.mark.parametrize(
    ("draw", "mean", "std"),
    [
        (lambda **o: init.rand(400, 400, low=-2.0, high=4.0, **o), 1.0, 6 / math.sqrt(12)),
        (lambda **o: init.randn(400, 400, mean=3.0, std=0.5, **o), 3.0, 0.5),
        (lambda **o: init.xavier_uniform(300, 500, gain=2.0, **o), 0.0, 2 * math.sqrt(2 / 800)),
        (lambda **o: init.xavier_normal(300, 500, **o), 0.0, math.sqrt(2 / 800)),
        (lambda **o: init.kaiming_uniform(300, 500, **o), 0.0, math.sqrt(2 / 300)),
        (lambda **o: init.kaiming_normal(300, 500, "linear", **o), 0.0, math.sqrt(1 / 300)),
        (lambda **o: init.kaiming_normal(300, 500, "tanh", **o), 0.0, 5 / 3 * math.sqrt(1 / 300)),
    ],
)
def test_spread(draw, mean, std):
    """Mean and standard deviation are those of the formula."""
    values = draw(generator=mi.Generator(0)).numpy()
    assert values.std() == pytest.approx(std, rel=0.02)
    assert values.mean() == pytest.approx(mean, abs=0.02 * std)


@pytest.mark.parametrize("name", ["xavier_uniform", "kaiming_uniform"])
def test_uniform_schemes_are_bounded(name):
    """A uniform scheme stays within sqrt(3) standard deviations, and comes near."""
    values = getattr(init, name)(300, 300, generator=mi.Generator(0)).numpy()
    assert 1.7 < abs(values).max() / values.std() < 1.75


@pytest.mark.parametrize("name", FANNED)
def test_shape_of_a_convolution(name):
    """shape= replaces (fan_in, fan_out), and the spread stays that of the fans."""
    t = getattr(init, name)(9, 18, shape=(2, 1, 3, 3))
    assert t.shape == (2, 1, 3, 3)
    assert getattr(init, name)(5, 7).shape == (5, 7)


def test_constants():
    """Constants are what they say."""
    assert init.constant(2, c=0.5).tolist() == [0.5, 0.5]
    assert init.ones(2, dtype="int8").tolist() == [1, 1]
    assert init.zeros(2, 1).tolist() == [[0.0], [0.0]]
    assert init.randb(50, p=0.0).numpy().sum() == 0
    assert init.randb(50, p=1.0, dtype="float32").numpy().sum() == 50.0


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "float64"])
def test_one_hot(dtype):
    """Class numbers may be whole floats, as the notebook's are."""
    i = mi.Tensor([2, 0, 1], dtype=dtype)
    t = init.one_hot(3, i)
    assert t.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert t.dtype == "float32"
    assert init.one_hot(3, [1, 2], dtype="int64", requires_grad=False).dtype == "int64"
    assert init.one_hot(2, mi.Tensor([[0, 1]]), requires_grad=True).requires_grad


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: init.rand(-1), mi.ArgumentError, r"sizes \(-1,\)"),
        (lambda: init.rand(2.5), mi.ArgumentError, "integers"),
        (lambda: init.randb(2, p=2), mi.ArgumentError, "probability"),
        (lambda: init.randn(2, dtype="int64"), mi.DTypeError, "floating"),
        (lambda: init.xavier_uniform(0, 0), mi.ArgumentError, "xavier_uniform: got a fan of 0"),
        (lambda: init.kaiming_normal(0, 3), mi.ArgumentError, "kaiming_normal: got a fan of 0"),
        (lambda: init.kaiming_uniform(2, 3, "swish"), mi.ArgumentError, "'swish'.*relu, linear"),
        (lambda: init.one_hot(3, mi.Tensor([0.5])), mi.DTypeError, "not whole"),
        (lambda: init.one_hot(3, mi.Tensor([3])), mi.IndexRangeError, "class 3; expected 0 to 2"),
        (lambda: init.one_hot(3, mi.Tensor([-1.0])), mi.IndexRangeError, "class -1"),
        (lambda: init.one_hot(0, mi.Tensor([0])), mi.ArgumentError, "positive"),
        (
            lambda: init.rand(2, device="cpu", generator=mi.Generator(0, mi.Device("toy", xp=np))),
            mi.ArgumentError,
            "generator is on toy",
        ),
        (lambda: init.ones(2, dtype="bool", requires_grad=True), mi.DTypeError, "floating"),
    ],
)
def test_bad_calls(call, error, words):
    """What has no meaning is refused in words."""
    with pytest.raises(error, match=words):
        call()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: init.eye(2), mi.ShapeError, "eye: got shape"),
        (lambda: init.dirac(2, 2), mi.ShapeError, "dirac: got shape"),
        (lambda: init.dirac(3, 2, 2, groups=2), mi.ArgumentError, "dirac: got 2 groups"),
        (lambda: init.orthogonal(3), mi.ShapeError, "orthogonal: got shape"),
        (lambda: init.sparse(3, sparsity=0.1), mi.ShapeError, "sparse: got shape"),
        (lambda: init.sparse(3, 3, sparsity=1.1), mi.ArgumentError, "sparse: got sparsity 1.1"),
        (lambda: init.trunc_normal(3, a=1.0, b=0.0), mi.ArgumentError, "expected a < b"),
        (lambda: init.trunc_normal(3, a=90.0, b=91.0), mi.ArgumentError, "hardly any number"),
        (lambda: init.calculate_gain("gelu"), mi.ArgumentError, "calculate_gain: got nonlinearity"),
        (lambda: init.calculate_fans((3,)), mi.ShapeError, "calculate_fans: got shape"),
        (lambda: init.calculate_fans((3, 2), "in"), mi.ArgumentError, "got layout 'in'"),
        (lambda: init.ones_([1.0]), mi.DTypeError, "constant_: got a list"),
        (
            lambda: init.kaiming_normal_(mi.ones((2, 2)), mode="fan"),
            mi.ArgumentError,
            "kaiming_normal: got mode 'fan'",
        ),
    ],
)
def test_shaped_and_filling_errors(call, error, message):
    """Fault: a scheme that fills what it is not meant for, or says nothing of why."""
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", [n for n in init.__all__ if n.endswith("_")])
def test_filling_keeps_the_tensor(name):
    """Fault: a new Tensor, another dtype, or a graph, where a parameter is to be filled."""
    t = mi.ones((4, 4, 3) if name == "dirac_" else (4, 4), dtype="float64", requires_grad=True)
    args = {"constant_": (0.5,), "sparse_": (0.5,)}.get(name, ())
    assert getattr(init, name)(t, *args) is t
    assert (t.dtype, t.requires_grad, t.is_leaf) == (np.float64, True, True)
    if name not in ("constant_", "ones_", "zeros_", "eye_", "dirac_"):
        drawn = [
            getattr(init, name)(t, *args, generator=mi.Generator(3)).tolist() for _ in range(2)
        ]
        assert drawn[0] == drawn[1]
