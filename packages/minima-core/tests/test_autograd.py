"""Gradients as a user asks for them: backward, grad, hooks, modes, in-place changes."""

import random
import weakref

import numpy as np
import pytest

import minima as mi
from minima.autograd import grad


def leaf(*values, dtype="float32"):
    return mi.Tensor(list(values), dtype=dtype, requires_grad=True)


# ---- backward ------------------------------------------------------------------------------------
def test_gradients_add_up():
    """A second backward adds to grad, and does not replace it."""
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


def test_gradient_of_a_vector():
    """An output with more elements takes its gradient, of its shape."""
    x = leaf(1.0, 2.0)
    (x * x).backward(mi.Tensor([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [4.0, 80.0]


def test_several_outputs():
    """One sweep from several outputs gives the sum of their gradients."""
    x = leaf(1.0, 2.0)
    mi.autograd.backward([x.sum(), (x * x)], [None, mi.ones(2)])
    assert x.grad.tolist() == [3.0, 5.0]


def test_used_graph_is_freed():
    """A second sweep through the same graph raises and says retain_graph."""
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(mi.AutogradError, match=r"sum was used already.*retain_graph=True"):
        y.backward()


def test_retained_graph():
    """retain_graph keeps it, for as many sweeps as ask for it."""
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_a_shared_part_is_freed_with_the_first():
    """Two outputs over one part: the second finds it freed, and the message names the part."""
    x = leaf(1.0, 2.0)
    shared = mi.exp(x)
    a, b = shared.sum(), (shared * 2).sum()
    a.backward()
    with pytest.raises(mi.AutogradError, match="exp was used already"):
        b.backward()


def test_backward_of_a_leaf():
    """A leaf is its own output."""
    x = mi.Tensor(3.0, requires_grad=True)
    x.backward()
    assert x.grad.item() == 1.0


@pytest.mark.parametrize("create_graph", [False, True])
def test_gradients_never_share_memory(create_graph):
    """add hands one gradient to both inputs: changing one grad must not change the other."""
    a, b, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), mi.Tensor([1.0, 1.0])
    (a + b).backward(seed, create_graph=create_graph)
    with mi.no_grad():
        a.grad += 5
    assert b.grad.tolist() == [1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0]


def test_seeds_are_left_alone():
    """An output that also leads to another output: its seed is not what the sweep adds up in."""
    x, seed = leaf(1.0, 2.0), mi.ones(2)
    y = x * 2
    mi.autograd.backward([y, y * 3], [seed, seed])
    assert seed.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [8.0, 8.0]
    w = leaf(1.0, 2.0)
    w.backward(seed)
    w.grad += 1
    assert seed.tolist() == [1.0, 1.0]


def test_gradients_of_grad_never_share_memory():
    """grad() too returns what is nobody else's: not the seed, not another's, not a view."""
    a, b, c, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0), mi.ones((2, 1))
    inner = a + b
    y = (inner + c).reshape(2, 1)
    found = [*grad(y, [a, b, c, inner, a], seed), seed]
    for i, g in enumerate(found):
        before = [other.tolist() for other in found]
        g += 1
        after = [other.tolist() for other in found]
        assert [i for i, (x, y) in enumerate(zip(before, after)) if x != y] == [i]


def test_accumulation_in_place_is_not_seen_elsewhere():
    """The sweep adds up in its own buffers only: not in saved ones, nor in the seed."""
    x = leaf(1.0, 2.0)
    y = mi.exp(x)
    z = y * y + y + y
    kept = y.numpy().copy()
    seed = mi.ones(2)
    z.backward(seed, retain_graph=True)
    first = x.grad.numpy().copy()
    assert np.array_equal(y.numpy(), kept)
    assert seed.tolist() == [1.0, 1.0]
    x.grad = None
    z.backward(seed)
    assert np.array_equal(x.grad.numpy(), first)


def test_a_rule_that_returns_what_it_was_given(monkeypatch):
    """A rule may return the saved output itself: the sweep must not add up in that memory."""
    monkeypatch.setattr(mi.operators.TABLE["exp"], "rule", lambda g, y, x: y)
    x = leaf(0.0)
    results = [mi.exp(x) for _ in range(3)]
    mi.stack(results).backward(mi.ones((3, 1)))
    assert [y.tolist() for y in results] == [[1.0]] * 3
    assert x.grad.tolist() == [3.0]


def test_broadcast_gradients_are_summed():
    """Axes that broadcasting added or stretched are summed over, whatever the operator."""
    a, b = mi.ones((3, 1), requires_grad=True), mi.ones((2, 1, 4), requires_grad=True)
    (a * b).sum().backward()
    assert (a.grad.shape, b.grad.shape) == ((3, 1), (2, 1, 4))
    assert (a.grad.numpy() == 8).all()
    assert (b.grad.numpy() == 3).all()


def test_gradient_type_follows_the_input():
    """Mixed precision: each leaf's gradient has the leaf's type."""
    a, b = leaf(1.0, 2.0), leaf(1.0, 2.0, dtype="float64")
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == ("float32", "float64")
    c = leaf(1.0, dtype="float16")
    (c.astype("float32") * 2).sum().backward()
    assert c.grad.dtype == "float16"


def test_constants_get_none():
    """Tensors that do not require grad have none, and detach cuts the graph."""
    x, c = leaf(2.0), mi.Tensor([3.0])
    (x * c + x.detach() * x).sum().backward()
    assert c.grad is None
    assert x.grad.tolist() == [5.0]


def test_integers_in_between_cut_the_graph():
    """A cast to integers has no gradient and does not pretend to."""
    x = leaf(1.5, 2.5)
    whole = x.astype("int64")
    assert not whole.requires_grad
    (x * whole).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]


# ---- grad ----------------------------------------------------------------------------------------
def test_grad_leaves_grad_alone():
    """grad() returns gradients and writes none."""
    x, y = leaf(2.0), leaf(3.0)
    gx, gy = grad((x * y).sum(), [x, y])
    assert (gx.tolist(), gy.tolist()) == ([3.0], [2.0])
    assert x.grad is y.grad is None


def test_grad_of_an_interior_tensor():
    """An input may be a result; what lies before it is not touched."""
    x = leaf(2.0)
    y = x * 3
    (g,) = grad((y * y).sum(), y)
    assert g.tolist() == [12.0]
    gy, gx = grad(((x * 3) ** 2).sum(), [(x * 3), x], allow_unused=True)
    assert gy is None
    assert gx.tolist() == [36.0]


def test_grad_of_both_leaf_and_result():
    """A result and the leaf behind it, in one call."""
    x = leaf(2.0)
    y = x * 3
    gy, gx = grad((y * y).sum(), [y, x])
    assert (gy.tolist(), gx.tolist()) == ([12.0], [36.0])


def test_unused_input():
    """An input without a part in the output raises, or is None when that is allowed."""
    x, y = leaf(1.0), leaf(1.0)
    with pytest.raises(mi.AutogradError, match=r"input 1 has no part.*allow_unused=True"):
        grad((x * 2).sum(), [x, y])
    gx, gy = grad((x * 2).sum(), [x, y], allow_unused=True)
    assert gx.tolist() == [2.0]
    assert gy is None


def test_grad_skips_what_it_does_not_need():
    """A changed buffer off the way from input to output is no reason to fail."""
    x, u = leaf(1.0), leaf(1.0)
    z = mi.exp(u)
    total = x.sum() + z.sum()
    with mi.no_grad():
        z += 1
    assert grad(total, x)[0].tolist() == [1.0]


def test_grad_frees_unless_told():
    """grad() frees the graph as backward does."""
    x = leaf(1.0)
    y = (x * x).sum()
    grad(y, x, retain_graph=True)
    grad(y, x)
    with pytest.raises(mi.AutogradError, match="used already"):
        grad(y, x)


def test_higher_orders():
    """create_graph gives a gradient that can be differentiated: x**4 up to order 5."""
    x = mi.Tensor(2.0, dtype="float64", requires_grad=True)
    y, found = x * x * x * x, []
    for _ in range(4):
        (y,) = grad(y, x, create_graph=True)
        found.append(y.item())
    assert found == [32.0, 48.0, 48.0, 24.0]


def test_create_graph_in_backward():
    """backward(create_graph) leaves a grad that requires grad, and adds to it later."""
    x = mi.Tensor(3.0, dtype="float64", requires_grad=True)
    (x**3).backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.grad = None
    first.backward()
    assert x.grad.item() == 18.0


def test_gradient_penalty():
    """A loss of gradients: the parameters get the mixed second derivatives."""
    x = mi.Tensor([[1.0, 2.0]], dtype="float64", requires_grad=True)
    w = mi.Tensor([[0.5], [-1.0]], dtype="float64", requires_grad=True)

    def penalty(x, w):
        (g,) = grad(mi.tanh(x @ w).sum(), x, create_graph=True)
        return (g * g).sum()

    mi.testing.gradcheck(penalty, [x, w])


# ---- hooks ---------------------------------------------------------------------------------------
def test_hook_sees_the_whole_gradient_once():
    """A hook is called once, when all uses of the tensor have added their part."""
    x, seen = leaf(1.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * 3 + y).sum().backward()
    assert seen == [[4.0]]
    assert x.grad.tolist() == [8.0]


@pytest.mark.parametrize("of_leaf", [True, False])
def test_hook_replaces_the_gradient(of_leaf):
    """What a hook returns goes on in its place; removed, it is not called."""
    x = leaf(1.0)
    y = x * 2
    handle = (x if of_leaf else y).register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [20.0]
    handle.remove()
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [22.0]


def test_hooks_run_in_order():
    """Two hooks: the second gets what the first returned."""
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1)
    with x.register_hook(lambda g: g * 10):
        (x * 1).sum().backward()
    (x * 1).sum().backward()
    assert x.grad.tolist() == [22.0]


def test_hook_of_another_shape():
    """A hook that returns another shape is an error that names it."""
    x = leaf(1.0, 2.0)

    def halve(g):
        return g[:1]

    x.register_hook(halve)
    with pytest.raises(mi.AutogradError, match=r"'halve' returned .*shape \(2,\)"):
        x.sum().backward()


# ---- modes ---------------------------------------------------------------------------------------
def test_modes_nest():
    """no_grad, enable_grad and set_grad_enabled nest, and end with an exception too."""
    x = leaf(1.0)
    with mi.no_grad():
        assert not (x * 2).requires_grad
        with mi.enable_grad():
            assert (x * 2).requires_grad
            with mi.set_grad_enabled(False):
                assert not (x * 2).requires_grad
        with pytest.raises(ValueError, match="on purpose"), mi.enable_grad():
            raise ValueError("on purpose")
        assert not mi.is_grad_enabled()
    assert mi.is_grad_enabled()


def test_mode_as_decorator():
    """A decorated function runs in the mode each time, also when it calls itself."""

    @mi.no_grad()
    def count(n):
        return [mi.is_grad_enabled()] + (count(n - 1) if n else [])

    assert count(2) == [False] * 3
    assert mi.is_grad_enabled()
    assert count.__name__ == "count"


def test_one_mode_object_used_twice_at_once():
    """The same object, entered twice, restores what each entry found."""
    mode = mi.no_grad()
    with mode:
        with mode:
            pass
        assert not mi.is_grad_enabled()
    assert mi.is_grad_enabled()


# ---- changes in place ----------------------------------------------------------------------------
def through_view(t):
    t[:1].fill_(9.0)


def through_second_view(t):
    t.reshape(2, 1)[0][:].fill_(9.0)


def through_transposed_view(t):
    t.reshape(1, 2).T.zero_()


CHANGES = {
    "iadd": lambda t: t.__iadd__(1.0),
    "setitem": lambda t: t.__setitem__(0, 9.0),
    "fill": lambda t: t.fill_(9.0),
    "copy": lambda t: t.copy_(mi.zeros(2)),
    "view": through_view,
    "second view": through_second_view,
    "transposed view": through_transposed_view,
    "data": lambda t: t.data.fill_(9.0),
    "data assigned": lambda t: setattr(t, "data", mi.zeros(2)),
    "detach": lambda t: t.detach().mul_(2.0),
    "add_": lambda t: t.add_(1.0, alpha=2.0),
    "lerp": lambda t: t.lerp_(mi.zeros(2), 0.5),
    "addcmul": lambda t: t.addcmul_(mi.ones(2), mi.ones(2)),
    "clip": lambda t: t.clip_(0.0, 1.0),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("saved", ["input", "output"])
def test_changed_saved_buffer(change, saved):
    """A buffer that a gradient reads was changed: backward names operator, versions and remedy."""
    w = leaf(1.0, 2.0)
    x = w * 1.0
    y = mi.log(x) if saved == "input" else mi.exp(x)
    with mi.no_grad():
        change(x if saved == "input" else y)
    name = "log" if saved == "input" else "exp"
    with pytest.raises(
        mi.AutogradError, match=rf"{name} needs .*kept at version 0 .*at version 1;.*clone\(\)"
    ):
        y.sum().backward()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_leaf(change):
    """Leaves too: a step of the optimiser between forward and backward is found."""
    w = leaf(1.0, 2.0)
    y = w * w
    with mi.no_grad():
        change(w)
    with pytest.raises(mi.AutogradError, match=r"multiply needs .*version 0 .*version 1"):
        y.sum().backward()


def test_version_counts_from_when_it_was_kept():
    """Changes before the operation do not matter, and both numbers are named."""
    w = leaf(1.0, 2.0)
    x = w.detach()
    x += 1
    x += 1
    y = w * x
    y.sum().backward()
    y = w * x
    x += 1
    x += 1
    with pytest.raises(mi.AutogradError, match=r"kept at version 2 and is at version 4"):
        y.sum().backward()


@pytest.mark.parametrize("kind", ["array", "tensor", "mask"])
def test_changed_index(kind):
    """The index is kept as it was: changing its array later must not move the gradient."""
    x = leaf(1.0, 2.0, 3.0)
    index = np.array([True, True, False]) if kind == "mask" else np.array([0, 1])
    index = mi.Tensor(index) if kind == "tensor" else index
    y = x[index]
    index[:] = index[::-1].numpy() + 1 if kind == "tensor" else index[::-1].copy() ^ True
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_change_that_no_gradient_reads():
    """add needs no values: its inputs may be changed."""
    w = leaf(1.0, 2.0)
    x = w * 2
    y = x + 1
    with mi.no_grad():
        x.fill_(0.0)
    y.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]


def test_recorded_change():
    """In place on a result is recorded: gradients are those of the new value."""
    w = leaf(1.0, 2.0, dtype="float64")

    def changed(w):
        x = w * 3
        x *= w
        x += 1
        x[0] = w[1] * 5
        x -= w
        x /= 2
        return x

    def written_out(w):
        x = w * 3 * w + 1
        return (mi.stack([w[1] * 5, x[1]]) - w) / 2

    assert np.allclose(changed(w).numpy(), written_out(w).numpy())
    assert grad(changed(w).sum(), w)[0].tolist() == grad(written_out(w).sum(), w)[0].tolist()
    mi.testing.gradcheck(changed, w)
    mi.testing.gradgradcheck(changed, w)


def test_recorded_assignment_into_a_constant():
    """A buffer that does not require grad does once a result is written into it."""
    w = leaf(1.0, 2.0)
    out = mi.zeros(4)
    out[1:3] = w * 2
    (out * mi.Tensor([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert w.grad.tolist() == [20.0, 200.0]


def test_recorded_change_with_views():
    """A recorded change of memory that views share reaches their graph."""
    w = leaf(1.0, 2.0)
    x = w * 2
    view = x[:1]
    x *= w
    assert view.tolist() == [2.0]
    view.sum().backward()
    assert w.grad.tolist() == [4.0, 0.0]


def test_recorded_change_of_a_leaf():
    """A leaf changed while gradients are recorded raises, and is as it was."""
    w = leaf(1.0, 2.0)
    for change in (CHANGES["iadd"], CHANGES["setitem"], CHANGES["fill"]):
        with pytest.raises(mi.AutogradError, match=r"leaf that requires grad.*no_grad"):
            change(w)
    assert w.tolist() == [1.0, 2.0]


def test_old_results_of_a_changed_tensor():
    """What was computed before the change keeps its own gradient."""
    w = leaf(1.0, 2.0)
    x = w * 2
    before = x + 0
    x += 10
    (before.sum() + 0 * x.sum()).backward()
    assert w.grad.tolist() == [2.0, 2.0]


def step(draw, t, o):
    """Do something to the tensors t and o; return a new one, or None after a change in place."""
    kind = draw.choice(sorted(STEPS))
    return STEPS[kind](t, o)


def changes(operation):
    def run(t, o):
        operation(t, o)

    return run


STEPS = {
    "add": lambda t, o: t + o,
    "multiply": lambda t, o: t * o,
    "tanh": lambda t, o: mi.tanh(t),
    "divide": lambda t, o: t / (o * o + 1.0),
    "maximum": lambda t, o: mi.maximum(t, o + 0.123),
    "centre": lambda t, o: t - t.mean(0, True),
    "rows": lambda t, o: t[1:],
    "reversed": lambda t, o: t[::-1],
    "transposed": lambda t, o: t.T,
    "picked": lambda t, o: t[[0, 0]],
    "add in place": changes(lambda t, o: t.__iadd__(o)),
    "multiply in place": changes(lambda t, o: t.__imul__(o)),
    "move in place": changes(lambda t, o: t.lerp_(o, 0.3)),
    "clip in place": changes(lambda t, o: t.clip_(-9, 9)),
    "copy in place": changes(lambda t, o: t.copy_(o * t)),
    "assign": changes(lambda t, o: t.__setitem__(0, o[0])),
    "assign columns": changes(lambda t, o: t.__setitem__((..., [0, -1]), o[..., [1, 0]])),
}


@pytest.mark.parametrize("seed", range(120))
def test_random_programs(seed):
    """Views and changes in place in any order: the gradient is right, or it raises."""

    def program(x):
        draw = random.Random(seed)
        tensors = [x * 1.0, mi.asarray(np.full((2, 3), 0.7))]
        for _ in range(draw.randint(3, 9)):
            t, o = draw.choice(tensors), draw.choice(tensors)
            try:
                made = step(draw, t, o)
            except (mi.ShapeError, mi.IndexRangeError):
                continue  # the two do not fit
            tensors += [] if made is None else [made]
            if len(tensors) > 2 and draw.random() < 0.3:  # a view that is gone is in nobody's way
                tensors.pop(draw.randrange(len(tensors) - 1))
        return mi.stack([t.sum() for t in tensors]) * 1.5

    values = np.random.default_rng(seed).uniform(-1, 1, (2, 3))
    x = mi.Tensor(values, requires_grad=True)
    try:
        mi.testing.gradcheck(program, x)
        mi.testing.gradgradcheck(program, x)
    except mi.AutogradError as error:
        assert "clone()" in str(error)  # noqa: PT017


# ---- flags ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "bool"])
def test_integers_require_no_grad(dtype):
    """Types without derivatives refuse, however it is asked."""
    t = mi.ones(2, dtype=dtype)
    with pytest.raises(mi.DTypeError, match=f"{dtype}.*floating"):
        t.requires_grad_()
    with pytest.raises(mi.DTypeError, match="floating"):
        mi.Tensor([1, 2], dtype=dtype, requires_grad=True)
    with pytest.raises(mi.DTypeError, match="floating"):
        t.requires_grad = True
    assert not t.requires_grad


def test_requires_grad_off():
    """A leaf can stop; a result cannot, and says detach."""
    w = leaf(1.0)
    y = w * 2
    assert not w.requires_grad_(False).requires_grad
    with pytest.raises(mi.AutogradError, match=r"detach\(\)"):
        y.requires_grad = False
    assert y.is_leaf is False
    assert w.is_leaf
    assert y.grad_fn.operator.name == "multiply"


def test_forward_keeps_no_more_than_it_needs():
    """A result that no gradient reads is freed with its last name."""
    import weakref

    w = leaf(1.0, 2.0)
    hidden = w + 1
    alive = weakref.ref(hidden)
    y = (hidden + 1).sum()
    del hidden
    assert alive() is None
    y.backward()
    assert w.grad.tolist() == [1.0, 1.0]


def test_one_element_is_a_view():
    """Catch a copy where NumPy gives a bare number: writing to it must show, and be counted."""
    x = mi.Tensor([1.0, 2.0])
    x[0].add_(5.0)
    assert x.tolist() == [6.0, 2.0]
    y = mi.Tensor([1.0, 2.0], requires_grad=True) * 1.0
    one = y[0]
    y += 1.0
    assert one.shape == ()
    assert one.item() == 2.0


# ---- gradients of results, and what runs beside them ---------------------------------------------
def test_retain_grad():
    """The gradient of a result is kept, summed over backward calls; a leaf's is anyway."""
    x = leaf(1.0, 2.0)
    y = x * 3
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    x.retain_grad()
    assert (y.retains_grad, x.retains_grad) == (True, False)
    loss = (y * y).sum()
    loss.backward(retain_graph=True)
    assert y.grad.tolist() == [6.0, 12.0]
    loss.backward()
    assert y.grad.tolist() == [12.0, 24.0]
    assert x.grad.tolist() == [36.0, 72.0]
    with pytest.raises(mi.AutogradError, match="retain_grad: the tensor does not require grad"):
        mi.ones(1).retain_grad()


def test_retained_gradients_are_apart():
    """Gradients that are kept share no memory, and grad() keeps none."""
    x = leaf(1.0, 2.0)
    y, z = x * 1, x * 2
    y.retain_grad()
    z.retain_grad()
    total = (y + z).sum()
    mi.autograd.grad(total, x, retain_graph=True)
    assert y.grad is None
    total.backward()
    y.grad.zero_()
    assert z.grad.tolist() == [1.0, 1.0]


def test_retain_grad_after_hooks_and_in_place():
    """What is kept is what hooks have made of it, and of the tensor as it is last."""
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 2).sum().backward()
    assert (y.grad.item(), x.grad.item()) == (20.0, 60.0)
    y = x * 3
    y.retain_grad()
    y *= 4
    assert y.retains_grad
    (y * 2).sum().backward()
    assert y.grad.item() == 2.0


def test_retained_tensor_is_not_held():
    """Asking for a gradient keeps no tensor alive."""
    x = leaf(1.0)
    y = x * 3
    y.retain_grad()
    gone, loss = weakref.ref(y), (y * 2).sum()
    del y
    assert gone() is None
    loss.backward()


def test_hook_on_a_result():
    """Hooks of inner tensors run in order, each on what the last returned; removed ones do not."""
    x, seen = leaf(1.0), []
    y = x * 3
    first = y.register_hook(lambda g: seen.append(g.item()) or g * 2)
    y.register_hook(lambda g: seen.append(g.item()) or g + 1)
    loss = (y * 5).sum()
    loss.backward(retain_graph=True)
    assert (seen, x.grad.item()) == ([5.0, 10.0], 33.0)
    first.remove()
    first.remove()
    loss.backward()
    assert seen == [5.0, 10.0, 5.0]


def test_hook_keeps_the_type():
    """What a hook returns has the gradient's type from then on."""
    x = leaf(1.0)
    x.register_hook(lambda g: g.astype("float64") * 2)
    (x * 3).sum().backward()
    assert (x.grad.dtype, x.grad.item()) == ("float32", 6.0)


def test_post_accumulate_hook():
    """It sees the leaf with its gradient added, after the gradient hooks, once per backward."""
    x, seen = leaf(1.0), []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
    x.register_hook(lambda g: g * 10)
    for _ in range(2):
        (x * 2 + x).sum().backward()
    assert seen == [30.0, 60.0]
    mi.autograd.grad((x * 2).sum(), x)
    handle.remove()
    (x * 2).sum().backward()
    assert len(seen) == 2
    with pytest.raises(mi.AutogradError, match="expected a leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_detach_in_place():
    """The tensor itself leaves the graph; results from before stay in it."""
    x = leaf(1.0)
    y = x * 3
    z = y * 2
    assert y.detach_() is y
    assert y.is_leaf
    assert not y.requires_grad
    assert not (y * 2).requires_grad
    z.sum().backward()
    assert x.grad.item() == 6.0
    whole = x * 1
    part = whole[:1].detach_()
    whole *= 2
    assert not part.requires_grad


def test_backward_to_inputs():
    """Only the tensors named get a gradient, results of operations too."""
    x, w = leaf(1.0), leaf(2.0)
    y = x * w
    loss = (y * y).sum()
    loss.backward(inputs=[w, y, w], retain_graph=True)
    assert (x.grad, w.grad.item(), y.grad.item()) == (None, 4.0, 4.0)
    mi.autograd.backward(loss, inputs=x)
    assert (x.grad.item(), w.grad.item()) == (8.0, 4.0)
    unused = leaf(1.0)
    (x * 2).sum().backward(inputs=[unused])
    assert unused.grad is None
    with pytest.raises(mi.AutogradError, match="inputs is empty"):
        (x * 2).sum().backward(inputs=[])


def test_materialized_gradients():
    """An input without a part has zeros instead of None."""
    x, w = leaf(1.0), leaf(2.0, 3.0)
    of_x, of_w = mi.autograd.grad((x * 2).sum(), [x, w], materialize_grads=True)
    assert (of_x.item(), of_w.tolist()) == (2.0, [0.0, 0.0])
    with pytest.raises(mi.ArgumentError, match="materialize_grads=True"):
        mi.autograd.grad((x * 2).sum(), x, materialize_grads=True, allow_unused=False)


def test_batched_gradients():
    """A first axis of the gradients of outputs goes through to the results."""
    x = leaf(1.0, 2.0)
    rows = mi.eye(2, dtype=x.dtype)
    (jacobian,) = mi.autograd.grad(x * x, x, rows, is_grads_batched=True)
    assert jacobian.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    with pytest.raises(mi.ShapeError, match="first axis"):
        mi.autograd.grad((x * x).sum(), x, is_grads_batched=True)


def test_inference_mode():
    """The name of PyTorch for no_grad."""
    with mi.autograd.inference_mode():
        assert not (leaf(1.0) * 2).requires_grad
    with mi.no_grad(), mi.autograd.inference_mode(False):
        assert (leaf(1.0) * 2).requires_grad
