"""checkpoint: gradients of what is computed twice, random numbers and all."""

import gc
import weakref

import numpy as np
import pytest

import minima as mi
from minima.func import checkpoint, grad, hessian, vmap

RNG = np.random.default_rng(0)


def leaves(*shapes):
    return [mi.asarray(RNG.normal(size=s)).requires_grad_() for s in shapes]


def compare(function, *tensors, scale=lambda y: (y * y).sum()):
    """Hold gradients with checkpoint against those without."""
    found = []
    for run in (function, lambda *a: checkpoint(function, *a)):
        mi.manual_seed(1)
        for t in tensors:
            t.grad = None
        y = run(*tensors)
        state = mi.random.default_generator().get_state()
        scale(y).backward()
        found.append([None if t.grad is None else t.grad.numpy().copy() for t in tensors])
        assert mi.random.default_generator().get_state() == state
    for a, b in zip(*found):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_gradients():
    x, w = leaves((3, 4), (4, 4))
    compare(lambda x, w: mi.tanh(x @ w), x, w)
    compare(lambda x, w: mi.tanh(x), x, w)
    compare(lambda x, w: x * w[0, 0].detach(), x, w)


def test_closed_over():
    """Leaves and inner results that the function closes over get their gradients, once."""
    x, w = leaves((3, 4), (4, 4))
    counts = []
    w.register_hook(lambda g: counts.append("w"))

    def result(run):
        x.grad = w.grad = None
        inner = w * 2
        inner.register_hook(lambda g: counts.append("inner"))
        y = run(lambda x: mi.tanh(x @ w) @ inner @ inner, x)
        ((y * y).sum() + inner.sum()).backward()
        return x.grad.numpy().copy(), w.grad.numpy().copy()

    for a, b in zip(result(lambda f, a: f(a)), result(checkpoint)):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert sorted(counts) == ["inner", "inner", "w", "w"]


def test_several_outputs_and_trees():
    """Results may be nested; those that are not used, or are no floats, do no harm."""
    x, w = leaves((3, 4), (4, 4))

    def f(p, *, scale):
        y = p["x"] @ p["w"][0]
        return {"y": (y * scale, mi.sin(y)), "n": 3, "i": y.argmax(), "x": p["x"]}

    for pick in (
        lambda o: o["y"][0].sum() * o["y"][1].sum(),
        lambda o: o["y"][1].sum(),
        lambda o: (o["x"] * o["y"][0].sum()).sum(),
    ):
        found = []
        for run in (lambda f, *a, **k: f(*a, **k), checkpoint):
            x.grad = w.grad = None
            out = run(f, {"x": x, "w": [w]}, scale=2.0)
            assert out["n"] == 3
            assert not out["i"].requires_grad
            pick(out).backward()
            found.append((x.grad.numpy().copy(), w.grad.numpy().copy()))
        for a, b in zip(*found):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_random_numbers_are_the_same():
    """The second run draws what the first did, and leaves the stream where it was."""
    (x,) = leaves((50,))
    compare(lambda x: mi.dropout(x, 0.5) * mi.dropout(x, 0.2), x)


def test_nested_and_second_order():
    """Checkpoints nest, and are differentiated twice."""
    (x,) = leaves((4,))
    inner = lambda x: checkpoint(lambda t: mi.exp(mi.sin(t)), x)  # noqa: E731
    compare(lambda x: inner(inner(x)), x)
    f = lambda x: mi.exp(mi.sin(mi.exp(mi.sin(x)))).sum()  # noqa: E731
    g = lambda x: checkpoint(lambda x: inner(inner(x)).sum(), x)  # noqa: E731
    value = x.detach()
    np.testing.assert_allclose(hessian(g)(value).numpy(), hessian(f)(value).numpy(), rtol=1e-9)
    w = mi.asarray(2.0).requires_grad_()
    second = grad(grad(lambda x: checkpoint(lambda x: w * x**3, x)))(mi.asarray(3.0))
    assert second.item() == 36.0
    second.backward()
    assert w.grad.item() == 18.0
    xs = mi.asarray(RNG.normal(size=(3, 4)))
    rows = mi.stack([grad(f)(row) for row in xs])
    np.testing.assert_allclose(vmap(grad(g))(xs).numpy(), rows.numpy(), rtol=1e-9)


def test_memory():
    """Between forward and backward no inner result is alive."""
    (x,) = leaves((10,))
    seen = []

    def f(x):
        inner = mi.exp(x)
        seen.append(weakref.ref(inner._array))
        return mi.sin(inner)

    y = checkpoint(f, x)
    gc.collect()
    assert seen[0]() is None
    plain = f(x)
    assert seen[1]() is not None
    y.sum().backward()
    assert plain.requires_grad


def test_without_gradients():
    """Where nothing is recorded the function just runs."""
    (x,) = leaves((3,))
    with mi.no_grad():
        assert not checkpoint(mi.exp, x).requires_grad
    assert not checkpoint(mi.exp, x.detach()).requires_grad
    assert checkpoint(lambda x: "text", x) == "text"
    assert checkpoint(lambda t: t, x).requires_grad


def test_faults():
    """Another result in the second run, and a change of an argument in between, raise."""
    (x,) = leaves((3,))
    sizes = iter((3, 2))
    y = checkpoint(lambda x: x[: next(sizes)] * 2, x)
    with pytest.raises(mi.AutogradError, match="other results"):
        y.sum().backward()
    z = x * 1
    y = checkpoint(lambda t: t * t, z)
    z += 1
    with pytest.raises(mi.AutogradError, match="changed in place"):
        y.sum().backward()
    y = checkpoint(lambda t: t * t, x)
    y.sum().backward()
    with pytest.raises(mi.AutogradError, match="retain_graph"):
        y.sum().backward()
    y = checkpoint(lambda t: t * t, x)
    for _ in range(2):
        y.sum().backward(retain_graph=True)


@pytest.mark.parametrize("within", [False, True], ids=["argument of vmap", "from outside"])
def test_argument_from_outside_of_vmap(within):
    """Fault: an argument from below the vmap got an alias, and no gradient: 0 in silence."""
    weights = mi.Tensor([2.0, 3.0])
    batch = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])

    def product(w, x):
        return (w * w * x).sum()

    def loss(w):
        if within:
            return vmap(lambda x: checkpoint(product, w, x))(batch).sum()
        mapped = vmap(lambda w, x: checkpoint(product, w, x), in_axes=(None, 0))
        return mapped(w, batch).sum()

    assert grad(loss)(weights).tolist() == [16.0, 36.0]
    assert hessian(loss)(weights).tolist() == [[8.0, 0.0], [0.0, 12.0]]
    leaf = weights.clone().requires_grad_()
    loss(leaf).backward()
    assert leaf.grad.tolist() == [16.0, 36.0]
