"""Complex gradients, `Function` and hooks, against PyTorch's."""

import numpy as np
import pytest
import torch
from torch.nn import functional as tf

import minima as mi

rng = np.random.default_rng(0)


def plane(*shape):
    return (rng.uniform(0.3, 2.0, shape) + 1j * rng.uniform(-2.0, 2.0, shape)).astype("complex64")


def line(*shape):
    return rng.uniform(0.3, 2.0, shape).astype("float32")


def space(xp):
    """Return the module of the convolutions of either library."""
    return tf if xp is torch else mi.operators


A, B, R = plane(3, 4), plane(3, 4), line(3, 4)
CALLS = {
    "multiply": (lambda xp, a, b: a * b, [A, B]),
    "multiply real": (lambda xp, a, b: a * b, [R, B]),
    "divide": (lambda xp, a, b: a / b, [A, B]),
    "divide by real": (lambda xp, a, b: a / b, [A, R]),
    "divide real": (lambda xp, a, b: a / b, [R, A]),
    "power": (lambda xp, a, b: a**b, [A, B]),
    "square": (lambda xp, a: a**2, [A]),
    "inverse": (lambda xp, a: a**-1, [A]),
    "broadcast": (lambda xp, a, b: a * b, [A, plane(4)]),
    "matmul": (lambda xp, a, b: a @ b, [A, plane(4, 2)]),
    "matmul real": (lambda xp, a, b: (a + 0j) @ b, [R, plane(4, 2)]),
    "exp": (lambda xp, a: xp.exp(a), [A]),
    "log": (lambda xp, a: xp.log(a), [A]),
    "sqrt": (lambda xp, a: xp.sqrt(a), [A]),
    "sin": (lambda xp, a: xp.sin(a), [A]),
    "cos": (lambda xp, a: xp.cos(a), [A]),
    "tanh": (lambda xp, a: xp.tanh(a), [A]),
    "abs": (lambda xp, a: xp.abs(a), [A]),
    "abs at 0": (lambda xp, a: xp.abs(a), [np.array([0j, 3 + 4j], "complex64")]),
    "sign": (lambda xp, a: xp.sgn(a) if xp is torch else xp.sign(a), [A]),
    "real": (lambda xp, a: xp.real(a) * 2, [A]),
    "imag": (lambda xp, a: xp.imag(a) * 2, [A]),
    "conj": (lambda xp, a: xp.conj(a) * a, [A]),
    "sum": (lambda xp, a: a.sum(0), [A]),
    "mean": (lambda xp, a: a.mean(0), [A]),
    "var": (lambda xp, a: xp.var(a, 0, correction=1), [A]),
    "index": (lambda xp, a: a[1:, ::2], [A]),
    "sigmoid": (lambda xp, a: xp.sigmoid(a), [A]),
    "normalize": (lambda xp, a: space(xp).normalize(a), [A]),
    "normalize by 3": (lambda xp, a: space(xp).normalize(a, 3), [A]),
    "pairwise_distance": (lambda xp, a, b: space(xp).pairwise_distance(a, b), [A, B]),
    "rms_norm": (
        lambda xp, a: tf.rms_norm(a, (4,)) if xp is torch else mi.operators.rms_norm(a),
        [A],
    ),
    "logsumexp": (lambda xp, a: xp.logsumexp(a, 0), [A]),
    "logaddexp": (lambda xp, a, b: xp.logaddexp(a, b * 9), [A, B]),
    "conv1d": (
        lambda xp, *t: space(xp).conv1d(*t, stride=2, padding=1, groups=2),
        [plane(2, 4, 5), plane(4, 2, 3), plane(4)],
    ),
    "conv2d": (
        lambda xp, *t: space(xp).conv2d(*t, padding="same", dilation=2),
        [plane(2, 2, 4, 5), plane(3, 2, 2, 2), plane(3)],
    ),
    "conv3d": (
        lambda xp, *t: space(xp).conv3d(*t, padding=(1, 0, 1)),
        [plane(2, 2, 3, 3, 3), plane(3, 2, 2, 2, 3)],
    ),
    "conv_transpose1d": (
        lambda xp, *t: space(xp).conv_transpose1d(*t, stride=2, output_padding=1, groups=2),
        [plane(2, 4, 5), plane(4, 2, 3), plane(4)],
    ),
    "conv_transpose2d": (
        lambda xp, *t: space(xp).conv_transpose2d(*t, padding=1, dilation=2),
        [plane(2, 2, 4, 5), plane(2, 3, 2, 2), plane(3)],
    ),
    "conv_transpose3d": (
        lambda xp, *t: space(xp).conv_transpose3d(*t),
        [plane(2, 2, 2, 3, 2), plane(2, 3, 2, 2, 3)],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_complex(name):
    """Values, gradients of order 1 and 2 and their types are PyTorch's."""
    function, arrays = CALLS[name]
    ours = [mi.Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = function(mi, *ours), function(torch, *theirs)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-4, atol=1e-5)
    g = line(*y.shape) if y.dtype.kind == "f" else plane(*y.shape)
    slopes = mi.autograd.grad(y, ours, mi.Tensor(g), create_graph=True)
    expected = torch.autograd.grad(z, theirs, torch.tensor(g), create_graph=True)
    for a, b, x in zip(slopes, expected, ours, strict=True):
        assert a.dtype == x.dtype
        same(a, b)
    second(mi, slopes)
    second(torch, expected)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            same(a.grad, b.grad)


def same(ours, theirs):
    """Compare gradients, rounding relative to the largest element."""
    found, wanted = ours.detach().numpy(), theirs.detach().resolve_conj().numpy()
    assert found.dtype == wanted.dtype
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-5 * scale)


def second(xp, slopes):
    """Go back through the gradients' fourth powers, where they depend on anything."""
    total = sum((xp.abs(s * s) ** 2).sum() for s in slopes)
    if total.requires_grad:
        total.backward()


def classes(base, xp):
    """Return the same functions of the user's over either library."""

    class Both(base):
        @staticmethod
        def forward(ctx, a, b, factor):
            y = a * b * factor
            order = xp.argmax(a)
            ctx.save_for_backward(a, b, y)
            ctx.factor = factor
            ctx.mark_non_differentiable(order)
            return y, a - b, order

        @staticmethod
        def backward(ctx, g, h, of_order):
            a, _, y = ctx.saved_tensors
            return g * y / a + h, g * a * ctx.factor - h, None

    class Later(base):
        @staticmethod
        def forward(x):
            return x * x, xp.exp(x)

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.set_materialize_grads(False)
            ctx.save_for_backward(*inputs, output[1])

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            total = 0 * x
            if g is not None:
                total = total + 2 * g * x
            return total if h is None else total + h * y

    return Both, Later


def second_order(xp, base, grad, make):
    """Return gradients of first and second order through both functions."""
    both, later = classes(base, xp)
    a, b = make([0.5, 2.0]), make([1.5, -1.0])
    y, difference, order = both.apply(a, b, 3.0)
    squares, powers = later.apply(y)
    loss = (squares * difference).sum() + later.apply(difference)[1].sum() + powers.sum() * 1e-3
    first = grad(loss, [a, b], create_graph=True)
    penalty = (first[0] * first[0]).sum() + (first[1] * first[1]).sum()
    found = [loss, *first, *grad(penalty, [a, b])]
    assert not order.requires_grad
    return [np.asarray(t.detach().numpy()) for t in found]


def test_function():
    """Several outputs, saved outputs, both styles, second order: as PyTorch."""
    ours = second_order(
        mi,
        mi.autograd.Function,
        mi.autograd.grad,
        lambda v: mi.Tensor(v, dtype="float64", requires_grad=True),
    )
    theirs = second_order(
        torch,
        torch.autograd.Function,
        torch.autograd.grad,
        lambda v: torch.tensor(v, dtype=torch.float64, requires_grad=True),
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def hooks(make):
    """Return what hooks see and tensors keep."""
    x = make([1.0, 2.0])
    y = x * 3
    seen = []
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    y.register_hook(lambda g: seen.append(("y", g.tolist())))
    x.register_hook(lambda g: seen.append(("x", g.tolist())) or g + 1)
    x.register_post_accumulate_grad_hook(lambda t: seen.append(("after", t.grad.tolist())))
    z = (y * y).sum()
    z.backward(retain_graph=True)
    z.backward(inputs=[x])
    return seen, x.grad.tolist(), y.grad.tolist(), y.retains_grad, x.retains_grad


def test_hooks():
    """Order, replaced gradients, retained gradients and inputs: as PyTorch."""
    ours = hooks(lambda v: mi.Tensor(v, requires_grad=True))
    theirs = hooks(lambda v: torch.tensor(v, requires_grad=True))
    assert ours == theirs
