"""Operations of the user's: `Function`, in every shape that PyTorch code writes it."""

import gc

import numpy as np
import pytest

import minima as mi
from minima.autograd import Function, gradcheck, gradgradcheck, once_differentiable


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx, x):
        y = mi.exp(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


class Both(Function):
    """Two outputs, a number among the arguments, an output saved."""

    @staticmethod
    def forward(ctx, a, factor, b):
        product = a * b * factor
        ctx.save_for_backward(a, b, product)
        ctx.factor = factor
        return product, a / b

    @staticmethod
    def backward(ctx, g, h):
        a, b, product = ctx.saved_tensors
        of_a = g * product / a + h / b
        of_b = g * a * ctx.factor - h * a / (b * b)
        return of_a, None, of_b


class Later(Function):
    """The style with setup_context."""

    @staticmethod
    def forward(x, power):
        return x**power

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.power = inputs
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * ctx.power * y / x, None


def leaf(*values):
    return mi.Tensor(values, dtype="float64", requires_grad=True)


@pytest.mark.parametrize(
    ("call", "count"),
    [
        (Cube.apply, 1),
        (Exp.apply, 1),
        (lambda a, b: Both.apply(a, 1.5, b), 2),
        (lambda a, b: Both.apply(a, 1.5, b)[0], 2),
        (lambda a, b: Both.apply(a, 1.5, b)[1], 2),
        (lambda x: Later.apply(x, 3), 1),
        (lambda x: Cube.apply(Exp.apply(x * 2)), 1),
    ],
)
def test_gradients(call, count):
    """First and second order, through one output or several, saved inputs and saved outputs."""
    inputs = [leaf(0.5, 1.5), leaf(2.0, 0.7)][:count]
    assert gradcheck(call, inputs)
    assert gradgradcheck(call, inputs)


def test_third_order():
    """A backward written with operators can be gone through any number of times."""
    g = x = leaf(2.0)
    g = Cube.apply(x)
    for expected in (12.0, 12.0, 6.0):
        (g,) = mi.autograd.grad(g.sum(), x, create_graph=True)
        assert g.tolist() == [expected]


def test_dropped_output_keeps_its_part_of_the_graph():
    """Second order runs through a saved output that nobody else holds any more."""
    x, b = leaf(3.0), leaf(2.0)
    ratio = Both.apply(x, 1.0, b)[1]
    product = Both.apply(x, 1.0, b)[0]
    del ratio
    (g,) = mi.autograd.grad(product.sum(), x, create_graph=True)
    (gg,) = mi.autograd.grad(g.sum(), b)
    assert gg.tolist() == [1.0]


def test_gradient_for_a_saved_output():
    """A saved output is the same point of the graph as the output that the caller has."""
    x = leaf(0.5)
    y = Exp.apply(x)
    (g,) = mi.autograd.grad(y.sum(), x, create_graph=True)
    (of_y,) = mi.autograd.grad(g.sum(), y)
    assert of_y.tolist() == [1.0]


def test_needs_input_grad():
    """It says which arguments take part, numbers and constants do not."""
    seen = []

    class Watched(Function):
        @staticmethod
        def forward(ctx, a, n, b):
            seen.append(ctx.needs_input_grad)
            return a * n + b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g * 2, None, None

    Watched.apply(leaf(1.0), 2, mi.Tensor([1.0], dtype="float64")).backward()
    assert seen == [(True, False, False)] * 2


def test_needs_input_grad_in_grad():
    """In backward it says what the caller asks for, so that the rest need not be computed."""
    seen = []

    class Watched(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g, g

    a, b = leaf(1.0), leaf(2.0)
    mi.autograd.grad(Watched.apply(a, b), b)
    assert seen == [(False, True)]


@pytest.mark.parametrize("materialize", [True, False])
def test_materialize_grads(materialize):
    """An output that took no part has zeros as its gradient, or None if asked for."""
    seen = []

    class Pair(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 1, mi.stack([x, x])

        @staticmethod
        def backward(ctx, g, h):
            seen.append(h)
            return g

    Pair.apply(leaf(1.0, 2.0))[0].sum().backward()
    assert seen[0] is None if not materialize else seen[0].tolist() == [[0.0, 0.0]] * 2


def test_non_differentiable_outputs():
    """Marked outputs and integers require no grad; the others do."""

    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            order, low = mi.argmin(x), x.min()
            ctx.mark_non_differentiable(low)
            return x * 2, order, low, "text"

        @staticmethod
        def backward(ctx, g, of_order, of_low, of_text):
            assert of_low.tolist() == 0.0
            assert of_text is None
            return g * 2

    x = leaf(3.0, 1.0)
    y, order, low, text = Sort.apply(x)
    assert [y.requires_grad, order.requires_grad, low.requires_grad] == [True, False, False]
    assert text == "text"
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_identity():
    """An argument that is returned as it is becomes another tensor over the same memory."""

    class Reverse(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return -g

    x = leaf(1.0)
    y = Reverse.apply(x)
    assert y is not x
    assert y._array is x._array
    y.backward()
    assert x.grad.tolist() == [-1.0]
    with mi.no_grad():
        assert not Reverse.apply(x).requires_grad


def test_views():
    """An output that is a view within forward is changed in place as any, but one of an input."""

    class Row(Function):
        @staticmethod
        def forward(ctx, x, copied):
            return (x * 1 if copied else x).reshape(-1)

        @staticmethod
        def backward(ctx, g):
            return g.reshape(2, 1), None

    x = mi.ones((2, 1), requires_grad=True)
    y = Row.apply(x, True)
    y *= 3
    y.sum().backward()
    assert x.grad.tolist() == [[3.0], [3.0]]
    with pytest.raises(mi.AutogradError, match="cannot record an in-place change of a view"):
        Row.apply(x, False).mul_(3)


def test_mark_dirty():
    """A tensor changed in place by forward is the output, and keeps its identity."""

    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x *= 2
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(1.0, 2.0)
    inner = x * 3
    assert Double.apply(inner) is inner
    inner.sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(mi.AutogradError, match=r"Double: .*mark_dirty is a leaf"):
        Double.apply(leaf(1.0))
    base, y = x * 3, leaf(1.0)
    with pytest.raises(mi.AutogradError, match=r"mark_dirty is a leaf .* view of one"):
        Double.apply(y[:1])
    part = base[:1]
    Double.apply(base)
    assert part.tolist() == [6.0]
    x.grad = None
    (part * 5).sum().backward()
    assert x.grad.tolist() == [30.0, 0.0]


def test_unrecorded():
    """Under no_grad, or of constants, there is no node and nothing is kept."""
    with mi.no_grad():
        assert not Cube.apply(leaf(2.0)).requires_grad
    y = Cube.apply(mi.Tensor([2.0]))
    assert not y.requires_grad
    assert y.tolist() == [8.0]


def test_forward_records_nothing():
    """What forward computes is no part of the graph: its gradient is backward's alone."""

    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            assert not mi.is_grad_enabled()
            return x * 5

        @staticmethod
        def backward(ctx, g):
            assert not mi.is_grad_enabled()
            return g * 7

    x = leaf(1.0)
    Wrong.apply(x).backward()
    assert x.grad.tolist() == [7.0]


@pytest.mark.parametrize("which", ["input", "output"])
def test_saved_then_changed(which):
    """A saved tensor that was changed in place raises, naming the class."""
    x = leaf(2.0)
    given = x * 1
    y = (Cube if which == "input" else Exp).apply(given)
    with mi.no_grad():
        (given if which == "input" else y).add_(1)
    with pytest.raises(mi.AutogradError, match=r"(Cube|Exp) needs .* changed in place"):
        y.backward()


def test_used_twice():
    """The buffers are freed by the first backward, unless told otherwise."""
    x = leaf(2.0)
    y = Cube.apply(x)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [24.0]
    with pytest.raises(mi.AutogradError, match="graph of Cube was used already"):
        y.backward()


def returning(value):
    """Return a Function of two arguments whose backward returns *value*."""

    class Faulty(Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return value

    return Faulty


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (mi.ones(2), mi.AutogradError, "Faulty: backward returned 1 gradients; expected 2"),
        ((None, None, mi.ones(2)), mi.AutogradError, "returned 3 gradients; expected 2"),
        ((mi.ones(3), None), mi.ShapeError, r"Faulty: .*shape \(3,\) for argument 0; .*\(2,\)"),
        ((None, 1.0), mi.DTypeError, "Faulty: backward returned float for argument 1"),
    ],
)
def test_wrong_gradients(value, error, words):
    """Too few, too many, of another shape or no Tensors: the error names the class."""
    with pytest.raises(error, match=words):
        returning(value).apply(leaf(1.0, 2.0), leaf(1.0, 2.0)).sum().backward()


def test_gradients_that_fit():
    """Nones beyond the arguments are let pass, a broadcast argument's gradient is summed."""
    a, b = leaf(1.0, 2.0), leaf(1.0)
    wide = mi.ones(2, dtype="float32")
    returning((wide, wide, None)).apply(a, b).sum().backward()
    assert a.grad.tolist() == [1.0, 1.0]
    assert b.grad.tolist() == [2.0]
    assert b.grad.dtype == "float64"


def test_one_gradient_for_two_inputs():
    """Backward may return one tensor twice, or keep it: accumulation does not write to it."""
    shared = mi.ones(2, dtype="float64")
    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0)
    out = returning((shared, shared)).apply(a, b)
    (out + a * 3 + b * 4).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([4.0, 4.0], [5.0, 5.0])
    assert shared.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("methods", "words"),
    [
        ({}, "forward is not defined"),
        ({"forward": staticmethod(lambda ctx, x: x * 2)}, "Bare: backward is not defined"),
    ],
)
def test_missing_methods(methods, words):
    """Without forward, or backward once it is needed, the error says so."""
    bare = type("Bare", (Function,), methods)
    with pytest.raises(mi.AutogradError, match=words):
        bare.apply(leaf(1.0)).backward()


def test_saving_what_is_no_tensor():
    class Text(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward("text")
            return x * 1

    with pytest.raises(mi.DTypeError, match=r"Text: save_for_backward takes Tensors .* got str"):
        Text.apply(leaf(1.0))


def test_once_differentiable():
    """A backward that leaves the graph is right once, and raises when differentiated."""

    class Sine(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return mi.asarray(np.sin(x.numpy()))

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return mi.asarray(g.numpy() * np.cos(x.numpy()))

    assert gradcheck(Sine.apply, leaf(0.3, 0.4))
    x = leaf(0.3)
    (g,) = mi.autograd.grad(Sine.apply(x).sum(), x, create_graph=True)
    with pytest.raises(mi.AutogradError, match="Sine: its backward is marked once_differentiable"):
        (g * x).sum().backward()


def test_hooks_and_retained_gradients_of_outputs():
    """Each output has hooks and a gradient of its own."""
    a, b = leaf(1.0), leaf(2.0)
    product, ratio = Both.apply(a, 1.0, b)
    product.retain_grad()
    seen = []
    ratio.register_hook(lambda g: seen.append(g.item()))
    (product * 3 + ratio * 5).sum().backward()
    assert (product.grad.tolist(), seen) == ([3.0], [5.0])


def test_no_cycles():
    """A finished step leaves nothing to the cycle collector."""

    def step():
        a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
        product, ratio = Both.apply(Exp.apply(a), 2.0, b)
        (product * ratio).sum().backward()
        g = mi.autograd.grad(Both.apply(a, 2.0, b)[0].sum(), [a, b], create_graph=True)
        (g[0] * g[1]).sum().backward()

    step()
    gc.disable()
    gc.freeze()
    try:
        step()
        assert gc.collect() == 0
    finally:
        gc.unfreeze()
        gc.enable()


def test_deep_graph():
    """Ten thousand calls deep: neither the sweep nor freeing it recurses."""
    x = leaf(1.0)
    y = x
    for _ in range(10_000):
        y = Same.apply(y)
    y.backward()
    assert x.grad.tolist() == [1.0]
    kept = x
    for _ in range(10_000):
        kept = Same.apply(kept)
    del kept


class Same(Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, g):
        return g


def test_compiled():
    """A function of the user's is a part of a plan, with and without its backward."""
    x = mi.Tensor([1.0, 2.0], requires_grad=True)

    @mi.compile
    def step(t):
        loss = Cube.apply(t * x).sum()
        loss.backward()
        return loss

    @mi.compile
    def forward(t):
        return Cube.apply(t * x)

    for n in range(4):
        x.grad = None
        t = mi.Tensor([1.0, float(n)])
        assert step(t).item() == 1.0 + (2.0 * n) ** 3
        assert x.grad.tolist() == [3.0, 3 * 4.0 * n**3]
        x.grad = None
        forward(t).sum().backward()
        assert x.grad.tolist() == [3.0, 3 * 4.0 * n**3]
