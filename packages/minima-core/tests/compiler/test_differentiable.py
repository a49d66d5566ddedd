"""Compiled functions that are differentiated outside: the gradients are those of eager code."""

from __future__ import annotations

import numpy as np
import pytest

import minima as mi


def normal(*shape, seed=0):
    return mi.asarray(np.random.default_rng(seed).standard_normal(shape, dtype=np.float32))


def gradients(function, weight, x, inner):
    """Return result and gradients where the argument is itself computed, if *inner*."""
    weight.grad = None
    x = mi.asarray(x.numpy(), copy=True).requires_grad_()
    y = function(x * 2.0 if inner else x)
    loss = sum((t * t).sum() for t in y) if isinstance(y, tuple) else (y * y).sum()
    loss.backward()
    return loss.item(), x.grad.numpy(), weight.grad.numpy().copy()


def functions(weight):
    return {
        "one result": lambda x: mi.tanh(x @ weight),
        "two results": lambda x: (mi.tanh(x @ weight), mi.exp(-x)),
        "a view": lambda x: (x @ weight).T[1:],
        "in place": lambda x: (x @ weight).mul_(2.0),
        "saved argument": lambda x: x * x * weight.sum(),
    }


@pytest.mark.parametrize("inner", [False, True], ids=["leaf", "computed"])
@pytest.mark.parametrize("name", functions(None))
def test_gradients_equal_eager(name, inner):
    weight = normal(3, 2, seed=5).requires_grad_()
    function = functions(weight)[name]
    compiled = mi.compile(function)
    for seed in range(5):
        x = normal(4, 3, seed=seed)
        one, two = gradients(function, weight, x, inner), gradients(compiled, weight, x, inner)
        assert one[0] == two[0]
        for a, b in zip(one[1:], two[1:], strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(compiled.plans) == 1


def test_calls_whose_backward_is_still_to_come_do_not_overwrite_each_other():
    weight = normal(3, 3).requires_grad_()
    function = mi.compile(lambda x: mi.tanh(x @ weight))
    for _ in range(3):
        function(mi.ones((2, 3))).sum().backward()
    weight.grad = None
    a, b = function(mi.ones((2, 3))), function(mi.ones((2, 3)) * 2.0)
    (a.sum() + b.sum()).backward()
    expected = mi.autograd.grad(
        mi.tanh(mi.ones((2, 3)) @ weight).sum() + mi.tanh(mi.ones((2, 3)) * 2.0 @ weight).sum(),
        weight,
    )[0]
    np.testing.assert_allclose(weight.grad.numpy(), expected.numpy(), rtol=1e-6)


def test_second_derivatives_are_refused_in_words():
    function = mi.compile(lambda x: mi.exp(x) * x)
    x = mi.ones(3, requires_grad=True)
    for _ in range(3):
        function(x).sum().backward()
    with pytest.raises(mi.AutogradError, match="cannot be differentiated again"):
        mi.autograd.grad(function(x).sum(), x, create_graph=True)


def test_backward_twice_is_refused_as_eagerly():
    function = mi.compile(lambda x: mi.exp(x))
    x = mi.ones(3, requires_grad=True)
    for _ in range(3):
        y = function(x).sum()
        y.backward()
    with pytest.raises(mi.AutogradError, match="retain_graph"):
        y.backward()


def test_results_whose_backward_is_done_are_numbers():
    """Fault: a step that returns a sum of the losses it went through, as GANs', is refused."""
    weight = normal(3, 1).requires_grad_()

    def step(x):
        weight.grad = None
        first, second = (x @ weight).mean(), mi.exp(x @ weight).mean()
        first.backward()
        second.backward()
        with mi.no_grad():
            weight.sub_(weight.grad, alpha=0.1)
        return first + second, (x @ weight).sum()

    start = weight.detach().numpy().copy()
    eager = [step(normal(2, 3, seed=i))[0].item() for i in range(4)]
    weight.data, weight.grad = mi.asarray(start), None
    compiled = mi.compile(step)
    found = []
    for i in range(4):
        total, result = compiled(normal(2, 3, seed=i))
        found.append(total.item())
        weight.grad = None
        result.backward()
        slope, weight.grad = weight.grad.numpy()[:, 0], None
        np.testing.assert_allclose(slope, normal(2, 3, seed=i).numpy().sum(0), rtol=1e-6)
    np.testing.assert_allclose(found, eager, rtol=1e-6)
    assert len(compiled.plans) == 1
    assert not total.requires_grad
