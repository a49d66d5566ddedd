"""Random tensors by NumPy's and PyTorch's names: they repeat, and are distributed as asked."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import minima as mi

P = mi.Tensor([[0.1, 0.0, 0.9], [0.5, 0.25, 0.25]])
DRAWS = {
    "rand": lambda g: mi.random.rand(2, 3, generator=g),
    "randn": lambda g: mi.random.randn(2, 3, generator=g),
    "rand_like": lambda g: mi.random.rand_like(P, generator=g),
    "randn_like": lambda g: mi.random.randn_like(P, generator=g),
    "uniform": lambda g: mi.random.uniform(-1.0, P, generator=g),
    "normal": lambda g: mi.random.normal(1.0, 2.0, (5,), generator=g),
    "exponential": lambda g: mi.random.exponential(2.0, (5,), generator=g),
    "bernoulli": lambda g: mi.random.bernoulli(0.5, (4, 8), generator=g),
    "randint": lambda g: mi.random.randint(-9, 9, (8,), generator=g),
    "randperm": lambda g: mi.random.randperm(20, generator=g),
    "permutation": lambda g: mi.random.permutation(mi.arange(20), generator=g),
    "multinomial": lambda g: mi.random.multinomial(P, 20, True, generator=g),
    "multinomial once": lambda g: mi.random.multinomial(mi.ones(20), 9, generator=g),
    "choice": lambda g: mi.random.choice(20, (9,), False, generator=g),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_repeats(draw):
    """Catches numbers from somewhere else than the generator, given or default."""
    first = draw(mi.Generator(3)).tolist()
    assert draw(mi.Generator(3)).tolist() == first
    assert draw(mi.Generator(4)).tolist() != first
    mi.manual_seed(3)
    assert draw(None).tolist() == first


def test_a_compiled_function_draws_anew():
    """Catches numbers that a plan keeps as constants."""

    @mi.compile
    def draw(p):
        return mi.random.multinomial(p, 8, True), mi.random.randperm(20), mi.random.bernoulli(p)

    mi.manual_seed(5)
    found = [[t.tolist() for t in draw(P)] for _ in range(3)]
    assert found[0] != found[1] != found[2] != found[0]


def test_shares():
    """Catches probabilities that belong to another index, and weights of 0 that are drawn."""
    g = mi.Generator(0)
    drawn = mi.random.multinomial(P, 4000, True, generator=g).numpy()
    for row, p in zip(drawn, P.numpy()):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 4000, p, atol=0.03)
    weights = mi.broadcast_to(mi.Tensor([1.0, 0.0, 3.0]), (4000, 3))
    once = mi.random.multinomial(weights, 2, generator=g).numpy()
    assert (np.sort(once, axis=1) == [0, 2]).all()
    assert abs((once[:, 0] == 2).mean() - 0.75) < 0.03
    assert abs(mi.random.bernoulli(0.3, (4000,), generator=g).mean().item() - 0.3) < 0.03
    assert abs(mi.random.exponential(2.0, (4000,), generator=g).mean().item() - 2.0) < 0.15
    assert set(mi.random.randint(2, 5, (200,), generator=g).tolist()) == {2, 3, 4}
    assert set(mi.random.randint(3, (200,), generator=g).tolist()) == {0, 1, 2}


def test_types_and_gradients():
    """Catches a draw that is wider than what describes it, or that has no gradient to it."""
    half = mi.full((3,), 0.5, dtype="float16", requires_grad=True)
    drawn = mi.random.normal(half, 1.0)
    assert mi.random.uniform([0.0, 1.0], 2.0).shape == (2,)
    assert drawn.dtype == mi.random.bernoulli(half).dtype == mi.random.rand_like(half).dtype
    assert drawn.dtype == "float16"
    drawn.sum().backward()
    assert half.grad.tolist() == [1.0, 1.0, 1.0]
    assert mi.random.randint(0, 9, (2,), dtype="uint8").dtype == "uint8"
    assert mi.random.uniform(size=2, dtype="float64").dtype == "float64"
    assert mi.random.bernoulli(0.5, (2,)).dtype == "float32"
    assert mi.random.permutation(mi.ones((0, 2))).shape == (0, 2)
    assert mi.random.multinomial(mi.zeros((0, 3)), 2, True).shape == (0, 2)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: mi.random.randint(3, 3), mi.ArgumentError, "low < high"),
        (lambda: mi.random.randperm(-1), mi.ArgumentError, "at least 0"),
        (lambda: mi.random.bernoulli(1.5), mi.ArgumentError, "from 0 to 1"),
        (lambda: mi.random.multinomial([1.0, 0.0], 2), mi.ArgumentError, "replacement=True"),
        (lambda: mi.random.multinomial([1.0, -1.0], 1), mi.ArgumentError, "negative"),
        (lambda: mi.random.multinomial([0.0, 0.0], 1, True), mi.ArgumentError, "at least 1"),
        (lambda: mi.random.multinomial(1.0, 1), mi.ShapeError, "expected"),
        (lambda: mi.random.choice(2, 3, replace=False), mi.ArgumentError, "without replacement"),
        (lambda: mi.random.permutation(mi.ones(())), mi.ShapeError, "at least one axis"),
        (lambda: mi.random.exponential(-1.0), mi.ArgumentError, "at least 0"),
    ],
)
def test_what_does_not_fit(call, error, words):
    """Catches an answer that nobody asked for."""
    with pytest.raises(error, match=words):
        call()


def test_they_come_late():
    """Catches an import of minima that pays for what draws."""
    code = "import sys, minima as mi; print('minima.draws' in sys.modules, mi.random.randint(1))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False Tensor(0)\n"
    with pytest.raises(AttributeError, match="randomint"):
        mi.random.randomint  # noqa: B018
