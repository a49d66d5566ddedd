"""The decorators of gradient modes on every kind of function, and what `.grad` may hold."""

import asyncio

import numpy as np
import pytest

import minima as mi
from minima.func import grad, vmap

X = mi.ones(3, requires_grad=True)


def test_decorator_without_brackets():
    """``@mi.no_grad`` is what PyTorch takes as well."""

    @mi.no_grad
    def double(x):
        """Double it."""
        return x * 2

    @mi.enable_grad
    def triple(x):
        return x * 3

    assert not double(X).requires_grad
    assert double.__doc__ == "Double it."
    with mi.no_grad():
        assert triple(X).requires_grad


def test_generator():
    """Fault: the body of a generator ran after the mode had ended; its user is left alone."""

    @mi.no_grad()
    def doubles(x):
        sent = yield x * 2
        try:
            yield x * sent
        except KeyError:
            yield x * 4
        return x * 5

    steps = doubles(X)
    assert not next(steps).requires_grad
    assert mi.is_grad_enabled()
    second = steps.send(3)
    assert (second.requires_grad, second.tolist()) == (False, [3.0] * 3)
    third = steps.throw(KeyError())
    assert (third.requires_grad, third.tolist()) == (False, [4.0] * 3)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert not end.value.value.requires_grad
    closed = doubles(X)
    next(closed)
    closed.close()
    assert mi.is_grad_enabled()


def test_coroutine():
    """Fault: the body of a coroutine ran after the mode had ended; other tasks are left alone."""

    @mi.no_grad()
    async def double(x):
        await asyncio.sleep(0)
        return (x * 2).requires_grad

    async def plain(x):
        await asyncio.sleep(0)
        return (x * 2).requires_grad

    async def both():
        return await asyncio.gather(double(X), plain(X), double(X))

    assert asyncio.run(both()) == [False, True, False]


@pytest.mark.parametrize(
    "held", [mi.ones(2), mi.ones(3, dtype="float64"), np.ones(3, "float32"), 5.0]
)
def test_gradient_that_does_not_fit(held):
    """Fault: a float64 grad of a float32 tensor stayed, and an array raised bare words."""
    x = mi.ones(3, requires_grad=True)
    x.grad = held
    with pytest.raises(mi.AutogradError, match=r"holds .*; expected None, or .*float32\[3\]"):
        (x * 2).sum().backward()


class Square(mi.autograd.Function):
    """x * x * w, with a gradient written by hand."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x * x * w

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g * 2 * x * w, g * x * x


def test_function_within_vmap():
    """Fault: what lies outside of the vmap got a gradient of 0 in silence."""
    batch, w = mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), mi.Tensor([1.0, 1.0])
    inner = vmap(grad(lambda x: Square.apply(x, w).sum()))(batch)
    assert inner.tolist() == (2 * batch).tolist()

    def over_weight(w):
        return vmap(lambda x: Square.apply(x, w))(batch).sum()

    def over_batch(batch):
        return vmap(lambda x: Square.apply(x, w))(batch).sum()

    assert grad(over_weight)(w).tolist() == (batch * batch).sum(axis=0).tolist()
    assert grad(over_batch)(batch).tolist() == (2 * batch).tolist()
    assert over_weight(w).item() == 30.0
