"""vmap, gradients, Jacobians and Hessians of 30 functions, against loops over elements."""

import numpy as np
import pytest

import minima as mi
from minima.func import grad, hessian, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp, vmap

RNG = np.random.default_rng(0)
W = mi.asarray(RNG.uniform(-1, 1, (4, 4)))
K = mi.asarray(RNG.uniform(-1, 1, (2, 1, 2, 2)))
SPAN = mi.asarray(np.linspace(-1, 1, 4))

#: of a vector of four positive numbers, a number
FUNCTIONS = {
    "square": lambda x: (x * x).sum(),
    "cube": lambda x: (x**3).sum(),
    "exp": lambda x: mi.exp(x).sum(),
    "log": lambda x: mi.log(x).sum(),
    "product": lambda x: mi.prod(x),
    "sine": lambda x: (mi.sin(x) * mi.cos(x)).sum(),
    "norm": lambda x: mi.sqrt((x * x).sum()),
    "quadratic": lambda x: x @ W @ x,
    "rosenbrock": lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
    "logsumexp": lambda x: mi.logsumexp(x),
    "softmax": lambda x: (mi.softmax(x) * SPAN).sum(),
    "log_softmax": lambda x: mi.log_softmax(x)[2],
    "tanh": lambda x: mi.tanh(W @ x).sum(),
    "sigmoid": lambda x: mi.sigmoid(x @ W).mean(),
    "gelu": lambda x: mi.gelu(x).sum(),
    "variance": lambda x: mi.var(x),
    "reshape": lambda x: (x.reshape(2, 2) @ x.reshape(2, 2)).sum(),
    "transpose": lambda x: (x.reshape(2, 2).T @ x.reshape(2, 2)).sum(),
    "broadcast": lambda x: (x[:, None] * x[None, :] ** 2).sum(),
    "where": lambda x: mi.where(x > 1, x**2, x**3).sum(),
    "maximum": lambda x: (mi.maximum(x, SPAN) ** 2).sum(),
    "largest": lambda x: x.max() ** 2,
    "ratio": lambda x: (x[0] * x[1]) / (x[2] + x[3]),
    "power": lambda x: mi.power(x, x).sum(),
    "gather": lambda x: (x[[0, 2, 2]] ** 2).sum(),
    "join": lambda x: (mi.concat([x, mi.exp(x)]) ** 2).sum(),
    "layer_norm": lambda x: (mi.layer_norm(x) * SPAN).sum(),
    "convolution": lambda x: (mi.conv2d(x.reshape(1, 1, 2, 2), K, padding=1) ** 2).sum(),
    "determinant": lambda x: mi.linalg.det(x.reshape(2, 2) + 3 * mi.eye(2, dtype="float64")),
    "repeated": lambda x: mi.func.checkpoint(lambda t: (mi.sin(t) ** 2).sum(), x),
    "constant": lambda x: mi.ones((), dtype="float64") * 2,
}
each = pytest.mark.parametrize("name", FUNCTIONS)


def batch():
    return mi.asarray(RNG.uniform(0.5, 2.0, (3, 4)))


def close(a, b, rtol=1e-9):
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=rtol, atol=1e-10)


def stacked(function, xs):
    return mi.stack([function(x) for x in xs])


def slopes(f, x, step=1e-6):
    """Return the gradient of a number by differences."""
    out = []
    for i in range(4):
        e = mi.asarray(np.eye(4)[i] * step)
        out.append((f(x + e).item() - f(x - e).item()) / (2 * step))
    return mi.asarray(np.array(out))


@each
def test_gradient_of_each(name):
    """vmap(grad(f)) is the loop of gradients, which are the slopes; vmap(f) that of values."""
    f, xs = FUNCTIONS[name], batch()
    close(vmap(f)(xs), stacked(f, xs))
    found = vmap(grad(f))(xs)
    close(found, stacked(grad(f), xs))
    np.testing.assert_allclose(found.numpy()[1], slopes(f, xs[1]).numpy(), rtol=1e-5, atol=1e-6)
    value, again = vmap(value_and_grad(f))(xs)
    close(value, stacked(f, xs))
    close(again, found)


@each
def test_second_derivatives(name):
    """jacobian(grad(f)) and hessian(f) are the loops of gradients of gradients."""
    f, xs = FUNCTIONS[name], batch()
    x = xs[0]
    rows = mi.stack([grad(lambda t, i=i: grad(f)(t)[i])(x) for i in range(4)])
    close(jacobian(grad(f))(x), rows)
    close(hessian(f)(x), rows)
    close(jacfwd(grad(f))(x), rows)
    close(vmap(hessian(f))(xs), stacked(hessian(f), xs))
    close(jacrev(vmap(grad(f)))(xs)[0, :, 0], rows)


@each
def test_directions(name):
    """jvp is the product with the gradient, and both nest with vmap."""
    f, xs = FUNCTIONS[name], batch()
    v = batch()[0]
    value, along = jvp(f, (xs[0],), (v,))
    close(value, f(xs[0]))
    close(along, (grad(f)(xs[0]) * v).sum())
    close(vmap(lambda t: jvp(f, (xs[0],), (t,))[1])(xs), xs @ grad(f)(xs[0]))
    close(jvp(grad(f), (xs[0],), (v,))[1], hessian(f)(xs[0]) @ v, rtol=1e-7)
    close(grad(lambda xs: vmap(f)(xs).sum())(xs), vmap(grad(f))(xs))
    close(grad(lambda xs: (vmap(grad(f))(xs) ** 2).sum())(xs),
          stacked(grad(lambda x: (grad(f)(x) ** 2).sum()), xs))  # fmt: skip


def test_trees_and_argnums():
    """Gradients have the structure of the arguments, for one argument or several."""
    x = batch()[0]

    def f(p, y, scale):
        return (p["w"] * y[0]).sum() * scale + (p["b"][0] ** 2).sum()

    p, y = {"w": x, "b": [x + 1]}, (x * 2, x)
    g = grad(f)(p, y, 3.0)
    close(g["w"], 6 * x)
    close(g["b"][0], 2 * x + 2)
    gp, gs = grad(f, argnums=(0, 2))(p, y, 3.0)
    close(gs, (x * x * 2).sum(), rtol=1e-6)  # a Python number is a float32
    close(gp["w"], g["w"])
    (gy, unused) = grad(f, argnums=1)(p, y, 3.0)
    close(gy, 3 * x)
    close(unused, mi.zeros_like(x))
    h = hessian(lambda p: (p["a"] ** 2 * p["b"]).sum())({"a": x, "b": x})
    close(h["a"]["b"], mi.diag(2 * x))
    j = jacrev(lambda a, b: {"s": a + b, "p": a * b}, argnums=(0, 1))(x, 2 * x)
    close(j["p"][1], mi.diag(x))
    k = jacfwd(lambda a, b: {"s": a + b, "p": a * b}, argnums=(0, 1))(x, 2 * x)
    close(k["p"][0], mi.diag(2 * x))


def test_aux():
    """What goes along is neither differentiated nor kept in the graph."""
    x = batch()[0]
    f = lambda x: ((x * x).sum(), {"half": x / 2, "n": 3})  # noqa: E731
    g, aux = grad(f, has_aux=True)(x)
    (value, aux2), g2 = value_and_grad(f, has_aux=True)(x)
    close(g, 2 * x)
    close(g2, g)
    close(value, (x * x).sum())
    assert aux["n"] == aux2["n"] == 3
    assert not any(t.requires_grad for t in (aux["half"], value, g))
    y, back, aux = vjp(f, x, has_aux=True)
    close(back(mi.ones_like(y))[0], g)
    close(jacrev(lambda x: (x * x, x), has_aux=True)(x)[0], mi.diag(2 * x))
    close(jacfwd(lambda x: (x * x, x), has_aux=True)(x)[0], mi.diag(2 * x))


def test_closed_over_and_outer_graphs():
    """Gradients of gradients go on to what the function closes over, and to arguments."""
    x = batch()[0]
    w = mi.ones(4, dtype="float64", requires_grad=True)
    leaf = x.detach().requires_grad_()
    g = grad(lambda x: (w * x * x).sum())(leaf)
    assert g.requires_grad
    g.sum().backward()
    close(w.grad, 2 * x)
    close(leaf.grad, mi.full(4, 2.0, dtype="float64"))
    with mi.no_grad():
        assert not grad(lambda x: (w * x * x).sum())(leaf).requires_grad
    inner = grad(lambda x: x * grad(lambda y: x * y)(mi.asarray(1.0)))(mi.asarray(3.0))
    assert inner.item() == 6.0  # the inner gradient is x itself: no confusion of levels
    v = vmap(lambda row: (row * w).sum())(batch())
    w.grad = None
    v.sum().backward()
    assert w.grad.shape == (4,)


def test_vjp_is_called_many_times():
    """The way back keeps its graph, takes trees, and batches of cotangents."""
    x = batch()[0]
    y, back = vjp(lambda a, b: (a * b, a), x, x + 1)
    assert not y[0].requires_grad
    for _ in range(2):
        ga, gb = back((mi.ones_like(x), mi.ones_like(x)))
        close(ga, x + 2)
        close(gb, x)
    many = vmap(lambda c: back((c, c))[0])(mi.eye(4, dtype="float64"))
    close(many, mi.diag(x + 2))


def test_axes():
    """in_axes and out_axes say where the batch lies; None is the same for all; levels nest."""
    a, b = mi.asarray(RNG.normal(size=(2, 3, 4))), mi.asarray(RNG.normal(size=(4, 3)))
    f = lambda x, y: x @ y  # noqa: E731
    close(
        vmap(f, in_axes=(1, None), out_axes=1)(a, b),
        mi.stack([a[:, i] @ b for i in range(3)], axis=1),
    )
    close(vmap(f, in_axes=(-1, 0))(a, b), mi.stack([a[..., i] @ b[i] for i in range(4)]))
    close(
        vmap(lambda d: d["u"] * d["v"], in_axes=({"u": 0, "v": None},))({"u": b, "v": b[0]}),
        b * b[0],
    )
    outs = vmap(
        lambda x: {"a": x, "b": (x * 2, mi.asarray(1.0))}, out_axes={"a": 1, "b": (0, None)}
    )(b)
    close(outs["a"], b.T)
    assert outs["b"][1].shape == ()
    table = vmap(vmap(lambda x, y: x * y, (None, 0)), (0, None))(b[:, 0], b[:, 1])
    close(table, b[:, 0][:, None] * b[:, 1][None])
    close(vmap(lambda x: mi.ones(2, dtype="float64"))(b), mi.ones((4, 2), dtype="float64"))
    assert vmap(lambda x: x * 2)(mi.ones((0, 3))).shape == (0, 3)
    assert vmap(lambda x: mi.cumsum(x, 0))(mi.ones((0, 3))).shape == (0, 3)
    close(vmap(lambda x, k=1: x * k)(b, k=3.0), b * 3)


def test_levels():
    """A vmap within another takes tensors of the outer one, and from outside, in any place."""
    a, b = mi.asarray(RNG.normal(size=3)), mi.asarray(RNG.normal(size=(4, 2)))
    outer = a[:, None, None] * b[None]
    close(vmap(lambda x: vmap(lambda row: row * x)(b))(a), outer)
    close(vmap(lambda x: vmap(lambda y, row: y * row, (None, 0))(x, b))(a), outer)
    close(vmap(lambda x: grad(lambda w: (w * x).sum())(b))(a), outer * 0 + a[:, None, None])
    rows = mi.stack([mi.eye(2, dtype="float64") * v for v in a])
    close(vmap(lambda x: jacrev(lambda w: w[0] * x)(b))(a)[:, :, 0], rows)
    close(vmap(lambda x: x * 2)(a.numpy()), a * 2)
    w = b.detach().requires_grad_()
    vmap(lambda x: vmap(lambda row: (row * x).sum())(w).sum())(a).sum().backward()
    close(w.grad, mi.zeros_like(b) + a.sum())


def test_indices_from_the_batch():
    """A batched index picks for each element its own."""
    x, i = mi.asarray(RNG.normal(size=(3, 5))), mi.asarray(np.array([4, 0, 2]))
    close(vmap(lambda x, i: x[i])(x, i), mi.asarray(x.numpy()[np.arange(3), [4, 0, 2]]))
    close(vmap(lambda x, i: x[i], (None, 0))(x, i % 3), mi.asarray(x.numpy()[[1, 0, 2]]))
    close(vmap(lambda i: x[i % 3])(i), mi.asarray(x.numpy()[[1, 0, 2]]))


def test_random_numbers():
    """Random numbers raise unless it is said whether they are the same."""
    x = mi.zeros((3, 1000))
    drop = lambda x: mi.dropout(x + 1, 0.5)  # noqa: E731
    with pytest.raises(mi.ArgumentError, match="randomness='different'"):
        vmap(drop)(x)
    mi.manual_seed(0)
    same = vmap(drop, randomness="same")(x).numpy()
    assert (same == same[0]).all()
    mi.manual_seed(0)
    different = vmap(drop, randomness="different")(x).numpy()
    assert (different != different[0]).any()
    assert 0.4 < (different > 0).mean() < 0.6
    with pytest.raises(mi.ArgumentError, match="randomness"):
        vmap(drop, randomness="maybe")


ERRORS = [
    (lambda x: x if x.sum() > 0 else -x, mi.DTypeError, "vmap: a value was asked for.*where"),
    (lambda x: x.item(), mi.ShapeError, "exactly one element"),
    (lambda x: x[0].item(), mi.DTypeError, "vmap"),
    (lambda x: x.numpy(), mi.DTypeError, "vmap"),
    (lambda x: np.asarray(x), mi.DTypeError, "vmap"),
    (lambda x: x.add_(1), mi.KernelMissingError, "in place within vmap"),
    (lambda x: x.__setitem__(0, 1.0), mi.KernelMissingError, "in place within vmap"),
    (lambda x: (x * 2)[0].add_(1), mi.KernelMissingError, "in place within vmap"),
    (lambda x: OUTSIDE.add_(x), mi.DeviceError, "from within vmap as a result"),
    (lambda x: OUTSIDE.copy_(x), mi.DeviceError, "from within vmap as a result"),
    (lambda x: x + mi.ones(3), mi.ShapeError, r"\(4,\) and \(3,\) do not broadcast"),
    (lambda x: x @ mi.ones(3), mi.ShapeError, r"matmul.*\(4,\)"),
    (lambda x: x.to("cpu"), mi.DTypeError, "vmap"),
    (lambda x: "text", mi.MinimaError, "vmap"),
]
OUTSIDE = mi.zeros(4)


@pytest.mark.parametrize("row", ERRORS, ids=range(len(ERRORS)))
def test_errors_within_vmap(row):
    """What a batch cannot do names vmap, or the shapes of one element."""
    f, kind, match = row
    with pytest.raises(kind, match=match):
        vmap(f)(mi.ones((3, 4)))


def test_errors_of_calls():
    """Axes and arguments that do not fit say what does."""
    x = mi.ones((3, 4))
    for f, args, match in [
        (vmap(lambda a, b: a), (x, x.T), r"sizes \[3, 4\]"),
        (vmap(lambda a: a, in_axes=None), (x,), "None for all"),
        (vmap(lambda a: a, in_axes=(0, 0)), (x,), "1 arguments"),
        (vmap(lambda a: a, in_axes=5), (x,), "axis 5"),
        (vmap(lambda a: a), (mi.ones(()),), r"shape \(\)"),
        (vmap(lambda a: a, out_axes=None), (x,), "out_axes is None"),
        (vmap(lambda a: a, in_axes=({"p": 0},)), ((x,),), "does not fit"),
        (grad(lambda a: a), (x,), "expected one element"),
        (grad(lambda a: 1.0), (x,), "expected Tensors"),
        (grad(lambda a: a.sum(), argnums=1), (x,), "argnums"),
        (grad(lambda a: a.sum()), (mi.ones(2).astype("int64"),), "floating"),
        (grad(lambda a: a.sum()), ("x",), "Tensors"),
        (grad(lambda a: a.sum(), has_aux=True), (x,), "pair"),
        (lambda a: vjp(lambda a: a, a)[1](mi.ones(2)), (x,), "shape"),
        (lambda a: vjp(lambda a: a, a)[1]((a, a)), (x,), "2 gradients"),
        (lambda a: jvp(lambda a: a, (a,), (a, a)), (x,), "tangents"),
        (lambda a: jvp(lambda a: a, a, a), (x,), "tuples"),
    ]:
        with pytest.raises(mi.MinimaError, match=match):
            f(*args)


def test_changes_in_place():
    """What a function made itself it may change; gradients are recorded within and outside."""
    xs, w = batch(), mi.asarray(np.array(3.0)).requires_grad_()

    def f(x):
        y = x * 1
        y += x * w
        y[0] = w * 2
        z = mi.zeros_like(y)
        z[1:3] = y[:2]
        z *= w
        return (z * z).sum()

    close(vmap(f)(xs), stacked(f, xs))
    close(vmap(grad(f))(xs), stacked(grad(f), xs))
    found = mi.autograd.grad(vmap(f)(xs).sum(), w)[0]
    close(found, mi.autograd.grad(stacked(f, xs).sum(), w)[0])

    def saved(x):
        y = x * 1
        z = y * y
        y += 1
        return grad(lambda t: (t * z).sum())(y).sum() + mi.autograd.grad(z.sum(), y)[0].sum()

    with pytest.raises(mi.AutogradError):
        vmap(lambda x: saved(x.detach().requires_grad_()))(xs)


def test_printing_within_vmap(capsys):
    """A batch can be looked at while a function is debugged."""
    vmap(lambda x: print(x) or x)(mi.ones((3, 4)))
    assert "one of a batch, dtype=float32, shape=(4,)" in capsys.readouterr().out


def test_compiled():
    """A compiled function may use all of it: the launches are those below."""
    w = mi.asarray(RNG.normal(size=4))

    @mi.compile
    def f(w, xs):
        return vmap(grad(lambda w, x: (mi.tanh(x * w) ** 2).sum()), (None, 0))(w, xs) * 2.0

    for _ in range(3):
        xs = batch()
        expected = stacked(lambda x: grad(lambda w: (mi.tanh(x * w) ** 2).sum())(w), xs)
        close(f(w, xs), expected * 2.0)
    assert f.plans
