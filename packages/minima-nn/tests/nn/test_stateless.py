"""Layers as functions of their parameters: per-example gradients, Jacobians, Hessians, vmap."""

import numpy as np
import pytest

import minima as mi
from minima.func import checkpoint, grad, hessian, jacobian, jacrev, vmap
from minima.nn import functional_call

CASES = {
    "Linear": (lambda: mi.nn.Linear(3, 2), (2, 3)),
    "MLP": (lambda: mi.nn.Sequential(mi.nn.Linear(3, 4), mi.nn.Tanh(), mi.nn.Linear(4, 1)), (2, 3)),
    "LayerNorm": (lambda: mi.nn.LayerNorm(3), (2, 3)),
    "BatchNorm1d": (lambda: mi.nn.BatchNorm1d(3).eval(), (2, 3)),
    "Residual": (lambda: mi.nn.Residual(mi.nn.Linear(3, 3)), (2, 3)),
    "Conv2d": (lambda: mi.nn.Conv2d(1, 2, 2), (1, 1, 3, 3)),
    "softmax": (lambda: mi.nn.Sequential(mi.nn.Linear(3, 3), mi.nn.Softmax(-1)), (2, 3)),
    "LSTM": (lambda: mi.nn.LSTM(2, 2), (3, 1, 2)),
    "GRU": (lambda: mi.nn.GRU(2, 2), (3, 1, 2)),
    "MultiheadAttention": (lambda: mi.nn.MultiheadAttention(4, 2), (3, 1, 4)),
    "GELU": (lambda: mi.nn.Sequential(mi.nn.Linear(2, 2), mi.nn.GELU()), (2, 2)),
    "MaxPool2d": (
        lambda: mi.nn.Sequential(mi.nn.Conv2d(1, 1, 2), mi.nn.MaxPool2d(2)),
        (1, 1, 3, 3),
    ),
    "PReLU": (lambda: mi.nn.PReLU(), (2, 2)),
}
each = pytest.mark.parametrize("name", CASES)


def made(name):
    """Return the layer in float64, its parameters, three inputs, and a loss."""
    mi.manual_seed(0)
    layer, shape = CASES[name][0](), CASES[name][1]
    layer.to("float64")
    params = {n: p.detach() for n, p in layer.named_parameters()}
    xs = mi.asarray(np.random.default_rng(0).normal(size=(3, *shape)))

    def loss(params, x):
        given = (x, x, x) if name == "MultiheadAttention" else x
        y = functional_call(layer, params, given)
        y = y[0] if isinstance(y, tuple) else y
        return (y * y).sum() + mi.sin(y).sum()

    return layer, params, xs, loss


def close(a, b, rtol=1e-8):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=rtol, atol=1e-10)


@each
def test_gradient_of_each_example(name):
    """vmap(grad(loss)) over examples is the loop, and that is what backward gives."""
    layer, params, xs, loss = made(name)
    found = vmap(grad(loss), (None, 0))(params, xs)
    for i, x in enumerate(xs):
        one = grad(loss)(params, x)
        own = dict(layer.named_parameters())
        loss({}, x).backward()
        for n in params:
            close(found[n][i], one[n])
            close(one[n], own[n].grad)
            own[n].grad = None
    values = vmap(loss, (None, 0))(params, xs)
    close(values, mi.stack([loss(params, x) for x in xs]))
    whole = grad(lambda p: vmap(loss, (None, 0))(p, xs).sum())(params)
    for n in params:
        close(whole[n], found[n].sum(axis=0))


@each
def test_second_derivatives(name):
    """jacobian(grad) and hessian with respect to the input are loops over rows of the gradient."""
    _, params, xs, loss = made(name)
    x = xs[0]
    f = lambda x: loss(params, x)  # noqa: E731
    slope = lambda x: grad(f)(x).reshape(-1)  # noqa: E731
    rows = mi.stack([grad(lambda x, i=i: slope(x)[i])(x) for i in range(x.size)])
    close(jacobian(slope)(x), rows, 1e-6)
    close(hessian(f)(x).reshape(x.size, *x.shape), rows, 1e-6)
    close(vmap(jacrev(slope))(xs)[0], rows, 1e-6)


@each
def test_checkpoint(name):
    """A layer that is computed twice has the gradients of one computed once."""
    layer, params, xs, _ = made(name)
    found = []
    for run in (lambda f, *a: f(*a), checkpoint):
        given = (xs[0],) * 3 if name == "MultiheadAttention" else (xs[0],)
        y = run(layer, *given)
        y = y[0] if isinstance(y, tuple) else y
        (y * y).sum().backward()
        found.append({n: p.grad.numpy().copy() for n, p in layer.named_parameters()})
        for p in layer.parameters():
            p.grad = None
    for n in params:
        np.testing.assert_allclose(found[0][n], found[1][n], rtol=1e-9, atol=1e-12)


def test_an_ensemble():
    """A batch of parameters is a batch of models."""
    layers = [mi.nn.Linear(3, 2) for _ in range(4)]
    stacked = {
        n: mi.stack([dict(m.named_parameters())[n].detach() for m in layers])
        for n in ("weight", "bias")
    }
    x = mi.ones((5, 3))
    run = lambda p, x: functional_call(layers[0], p, x)  # noqa: E731
    found = vmap(run, (0, None))(stacked, x)
    np.testing.assert_allclose(
        found.numpy(), np.stack([m(x).detach().numpy() for m in layers]), rtol=1e-5
    )


def test_the_module_stays_as_it_was():
    """Parameters in lists and under two names are replaced, and are there again afterwards."""

    class Tied(mi.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = mi.nn.Linear(2, 2, bias=False)
            self.b = mi.nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight
            self.round = []
            self.round.append(self.round)
            self.more = [mi.nn.Parameter([1.0]), {"x": mi.nn.Parameter([2.0])}]
            self.register_buffer("shift", mi.ones(1))

        def forward(self, x):
            return self.b(self.a(x)) * self.more[0] * self.more[1]["x"] + self.shift

    layer = Tied()
    before = dict(layer.named_parameters())
    names = list(before)
    zeros = {n: mi.zeros_like(p) for n, p in before.items()}
    y = functional_call(layer, {**zeros, "shift": mi.full(1, 3.0)}, mi.ones((1, 2)))
    assert y.tolist() == [[3.0, 3.0]]
    assert all(p is before[n] for n, p in layer.named_parameters())
    assert list(dict(layer.named_parameters())) == names
    assert layer.shift.tolist() == [1.0]
    with pytest.raises(ZeroDivisionError):
        functional_call(Failing(), {}, y)


class Failing(mi.nn.Module):
    def forward(self, x):
        raise ZeroDivisionError


def test_errors():
    """Unknown names and other shapes name both; statistics cannot be kept of a batch."""
    layer = mi.nn.Linear(2, 2)
    with pytest.raises(mi.ArgumentError, match=r"no parameter or buffer 'w'.*weight, bias"):
        functional_call(layer, {"w": mi.ones(2)}, mi.ones((1, 2)))
    with pytest.raises(mi.ShapeError, match=r"'weight' has shape \(2,\)"):
        functional_call(layer, {"weight": mi.ones(2)}, mi.ones((1, 2)))
    norm = mi.nn.BatchNorm1d(2)
    with pytest.raises(mi.MinimaError, match="vmap"):
        vmap(norm)(mi.ones((3, 4, 2)))


def test_several_dicts_and_strict():
    """Fault: the second dict ignored, or a name that is silently the module's own."""
    layer = mi.nn.BatchNorm1d(2).eval()
    params, buffers = dict(layer.named_parameters()), dict(layer.named_buffers())
    buffers["running_mean"] = mi.ones(2)
    x = mi.ones((1, 2))
    y = functional_call(layer, (params, buffers), x, strict=True)
    np.testing.assert_array_equal(y.detach().numpy(), [[0, 0]])
    with pytest.raises(mi.ArgumentError, match=r"running_mean, .* are not given; expected all"):
        functional_call(layer, params, x, strict=True)
    with pytest.raises(mi.ArgumentError, match="weight is in two dicts; expected each name once"):
        functional_call(layer, [params, {"weight": mi.ones(2)}], x)
