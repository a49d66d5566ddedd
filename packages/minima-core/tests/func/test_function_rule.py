"""Functions of the user's within vmap; gradients are asked for within it, outside, or both."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import minima as mi
from minima.autograd import Function
from minima.autograd import grad as gradients
from minima.func import grad, hessian, jacobian, vmap


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Attribute(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.x = x
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * 3 * ctx.x**2


class Exponential(Function):
    @staticmethod
    def forward(x):
        return mi.exp(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


class Several(Function):
    @staticmethod
    def forward(ctx, x, w, k):
        ctx.save_for_backward(x, w)
        ctx.k = k
        return x * w * k, mi.argmax(x), w * 2

    @staticmethod
    def backward(ctx, g, _, h):
        x, w = ctx.saved_tensors
        return g * w * ctx.k, g * x * ctx.k + h * 2, None


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    @mi.autograd.once_differentiable
    def backward(ctx, g):
        return g * 2


def leaves():
    rng = np.random.default_rng(0)
    return mi.Tensor(rng.normal(size=(3, 4)), requires_grad=True), mi.Tensor(
        rng.normal(size=4), requires_grad=True
    )


def twice(loss, x):
    (g,) = gradients(loss, x, create_graph=True)
    return gradients((g * g).sum(), x)


#: name -> gradients of something that calls h within vmap
PROGRAMS = {
    "outside": lambda h, x, w: gradients((vmap(lambda r: (h(r) * r).sum())(x) ** 2).sum(), x),
    "both": lambda h, x, w: gradients((vmap(grad(lambda r: (h(r) * r).sum()))(x) ** 2).sum(), x),
    "second": lambda h, x, w: twice((vmap(lambda r: (h(r) * r).sum())(x) ** 2).sum(), x),
    "nested": lambda h, x, w: gradients(vmap(vmap(grad(lambda v: h(v) * v)))(x).sum(), x),
    "closure": lambda h, x, w: gradients(vmap(lambda r: (h(w) * r).sum())(x).sum(), [x, w]),
    "jacobian": lambda h, x, w: [jacobian(vmap(lambda r: (h(r) * r).sum()))(x.detach())],
    "hessian": lambda h, x, w: [vmap(hessian(lambda r: (h(r) * r).sum()))(x.detach())],
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(
    ("function", "plain"),
    [(Cube, lambda x: x**3), (Attribute, lambda x: x**3), (Exponential, mi.exp)],
    ids=["input", "attribute", "output"],
)
def test_gradients_are_those_of_operators(name, function, plain):
    """Catches a graph that ends at the Function: gradients of 0, or an error."""
    found, expected = (PROGRAMS[name](h, *leaves()) for h in (function.apply, plain))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("inner", [False, True], ids=["outside", "both"])
def test_several_outputs(inner):
    """Catches a gradient of what is the same for all elements that is not their sum."""

    def plain(x, w, k):
        return x * w * k, mi.argmax(x), w * 2

    def run(h):
        x, w = leaves()

        def loss(row):
            a, i, b = h(row, w, 3.0)
            return (a * a).sum() + (b * b * row).sum() + i * 0

        y = vmap(grad(loss) if inner else loss)(x)
        return gradients((y * y).sum(), [x, w])

    for a, b in zip(run(Several.apply), run(plain), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_what_backward_says_holds_outside_too():
    """Catches a mark, or a number of gradients, that counts within vmap alone."""
    x, _ = leaves()
    (g,) = gradients((vmap(Once.apply)(x) ** 2).sum(), x, create_graph=True)
    with pytest.raises(mi.AutogradError, match="Once: its backward is marked once_diff"):
        gradients(g.sum(), x)

    class Few(Cube):
        @staticmethod
        def backward(ctx, g):
            return g, g

    with pytest.raises(mi.AutogradError, match="Few: backward returned 2 gradients; expected 1"):
        vmap(Few.apply)(x).sum().backward()


def test_nothing_is_left_to_the_collector():
    x, _ = leaves()
    for function in (Cube, Exponential):
        vmap(lambda r, f=function: (f.apply(r) * r).sum())(x).sum().backward()
        gc.collect()
        gc.disable()
        try:
            vmap(lambda r, f=function: (f.apply(r) * r).sum())(x).sum().backward()
            assert not [o for o in gc.get_objects() if type(o).__name__ == "_Run"]
        finally:
            gc.enable()
