"""Views share memory, versions and, where they are recorded, their part of the graph."""

import gc
import weakref

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing import gradcheck


def leaf(*values):
    return mi.Tensor(list(values), dtype="float64", requires_grad=True)


#: views of shape (2, 3) -> each, and where its elements lie
VIEWS = {
    "part": lambda t: t[0],
    "column": lambda t: t[:, 1],
    "backwards": lambda t: t[::-1, ::2],
    "new axis": lambda t: t[:, None],
    "transpose": lambda t: t.T,
    "reshape": lambda t: t.reshape(3, 2),
    "flat": lambda t: t.flatten(),
    "one more": lambda t: t.expand_dims(0),
    "one less": lambda t: t.expand_dims(0).squeeze(0),
    "part of a part": lambda t: t[:, 1:][1],
    "transposed part": lambda t: t[:, :2].T,
    "part of a transpose": lambda t: t.T[1:, 0],
    "part of a flat": lambda t: t.flatten()[1:5],
    "long way": lambda t: t.T.T.reshape(6)[::-1].reshape(2, 3)[:, 1],
}


@pytest.mark.parametrize("name", VIEWS)
def test_change_of_the_base_reaches_views(name):
    """A view made before the change has the slopes of after it."""
    view = VIEWS[name]

    def function(w, v):
        base = w * 1.0
        part = view(base)
        base *= v
        base[0] += v[1]
        return part * 2.0

    given = [mi.Tensor(a, dtype="float64", requires_grad=True) for a in _pair()]
    gradcheck(function, given)
    gradcheck(function, given, order=2)


@pytest.mark.parametrize("name", VIEWS)
def test_change_of_a_view_reaches_base_and_other_views(name):
    view = VIEWS[name]

    def function(w, v):
        base = w * 1.0
        before = base + 3.0
        part, other = view(base), base.T
        part *= view(v)
        part += 1.0
        return mi.concat([before.flatten(), part.flatten(), base.flatten(), other.flatten()])

    given = [mi.Tensor(a, dtype="float64", requires_grad=True) for a in _pair()]
    gradcheck(function, given)
    gradcheck(function, given, order=2)


@pytest.mark.parametrize("name", VIEWS)
def test_change_into_a_constant(name):
    """A buffer becomes part of the graph by what is written into a view of it."""
    view = VIEWS[name]
    w = mi.Tensor(_pair()[0], dtype="float64", requires_grad=True)
    buffer = mi.zeros((2, 3), dtype="float64")
    part, other = view(buffer), buffer.flatten()
    part[...] = view(w)
    assert buffer.requires_grad
    assert other.requires_grad
    other.sum().backward()
    expected = np.zeros((2, 3))
    view_of_array = mi.asarray(expected)
    view(view_of_array)[...] = 1.0
    assert np.array_equal(w.grad.numpy(), expected)


def _pair():
    rng = np.random.default_rng(0)
    return rng.uniform(0.5, 1.5, (2, 3)), rng.uniform(0.5, 1.5, (2, 3))


def test_the_rest_of_a_base_keeps_its_graph():
    w = leaf(1.0, 2.0, 3.0)
    x = w * w
    x[1:].mul_(10.0)
    x.sum().backward()
    assert w.grad.tolist() == [2.0, 40.0, 60.0]


def test_base_that_nobody_holds():
    """Two views know of each other, though the tensor that they are of is gone."""
    w = leaf(1.0, 2.0, 3.0)
    x = w * 2
    first, second = x[:2], x[1:]
    del x
    first *= w[:2]
    second.sum().backward()
    assert w.grad.tolist() == [0.0, 8.0, 2.0]


def test_other_view_operators():
    """What is no index and keeps no size is overwritten where it lies, by any view operator."""
    entry = TABLE["diagonal"]
    assert entry.view
    from minima.operators.views import _around

    g = mi.Tensor(np.arange(1.0, 10).reshape(3, 3))
    steps = ((entry, {"offset": 1, "axis1": 0, "axis2": 1}, (3, 3), g.dtype),)
    expected = g.numpy().copy()
    expected[[0, 1], [1, 2]] = 0
    assert np.array_equal(_around(g, steps).numpy(), expected)


def test_view_operators_save_nothing():
    """A view is recorded anew without its values: no gradient of one may read them."""
    found = [e for e in TABLE.values() if e.view]
    assert {e.name for e in found} >= {"getitem", "reshape", "permute_dims", "squeeze"}
    for entry in found:
        assert not any(entry.save_inputs), entry.name
        assert not entry.save_output, entry.name
    with pytest.raises(mi.ArgumentError, match="the gradient of a view reads no values"):
        TABLE["getitem"].gradient(lambda: None, saves="x")


# ---- what is not part of the graph ---------------------------------------------------------------
def test_detached_shares_memory_and_version_only():
    w = leaf(1.0, 2.0)
    x = w * 1.0
    alias = x.detach()
    part = alias[1:]
    x *= 3.0
    assert alias.tolist() == [3.0, 6.0]
    assert not alias.requires_grad
    assert not part.requires_grad
    assert part.version == x.version == 1
    part += w[:1]
    assert alias.requires_grad, "a detached tensor has a graph of its own"
    x.sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "write",
    [
        lambda x: x.detach().mul_(2.0),
        lambda x: x.data.fill_(1.0),
        lambda x: x.detach()[0].zero_(),
        lambda x: x.detach().T.add_(1.0),
    ],
    ids=["detach", "data", "part", "transpose"],
)
def test_writes_through_a_detached_tensor_are_seen(write):
    """What a gradient reads was changed by another name: backward raises."""
    w = mi.ones((2, 2), requires_grad=True)
    x = w * 2.0
    y = x * x
    write(x)
    with pytest.raises(mi.AutogradError, match=r"multiply needs .*changed in place"):
        y.sum().backward()


def test_views_made_without_recording():
    """They stay out of the graph, and a change that would be recorded says so."""
    w = leaf(1.0, 2.0)
    x = w * 2.0
    with mi.no_grad():
        quiet = x[:1]
    x *= 3.0
    assert not quiet.requires_grad
    quiet += 1.0
    assert x.tolist() == [7.0, 12.0]
    with pytest.raises(mi.AutogradError, match=r"view that was made inside 'with mi.no_grad\(\):'"):
        quiet += w[:1]
    with pytest.raises(mi.AutogradError, match="view that was made inside"):
        quiet[0:] *= w[:1]
    with mi.no_grad():
        x[1:] *= 2.0
    assert x.tolist() == [7.0, 24.0]
    x.sum().backward()
    assert w.grad.tolist() == [6.0, 6.0]


def test_views_of_leaves():
    """A view of a leaf that requires grad is written without recording only."""
    w = leaf(1.0, 2.0)
    with pytest.raises(mi.AutogradError, match=r"a view of a leaf that requires grad.*no_grad"):
        w[1:].add_(1.0)
    with pytest.raises(mi.AutogradError, match="a view of a leaf"):
        w[1:] += 1.0
    plain = mi.zeros(2, dtype="float64")
    early = plain[1:]
    plain.requires_grad_()
    with pytest.raises(mi.AutogradError, match="a view of a leaf"):
        early += 1.0
    with mi.no_grad():
        w[1:] += 1.0
        w.T[:1].mul_(5.0)
    assert w.tolist() == [5.0, 3.0]
    base = mi.zeros(2, dtype="float64")
    part = base[1:].requires_grad_()
    with pytest.raises(mi.AutogradError, match="of which a view is a leaf"):
        base *= w
    assert part.is_leaf


def test_memory_that_elements_share():
    """A repeated element cannot be written: it would be many, and one."""
    for t in (mi.zeros(3).broadcast_to(2, 3), mi.zeros((1, 3)).broadcast_to(2, 3)[1:]):
        for change in (lambda t: t.add_(1), lambda t: t.__setitem__(0, 1.0), lambda t: t.zero_()):
            with pytest.raises(mi.ArgumentError, match=r"share memory|read-only"):
                change(t)
    array = np.zeros(2)
    array.flags.writeable = False
    with pytest.raises(mi.ArgumentError, match=r"add: the memory .* read-only.*clone\(\)"):
        mi.asarray(array).add_(1.0)


def test_overlapping_parts():
    """A value that shares the memory it is written to is read before."""
    x = mi.Tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    x[1:] = x[:-1]
    assert x.tolist() == [0.0, 0.0, 1.0, 2.0, 3.0]
    x[::-1].add_(x)
    assert x.tolist() == [3.0, 2.0, 2.0, 2.0, 3.0]
    w = leaf(1.0, 2.0, 3.0)
    y = w * 1.0
    y[1:] += y[:-1]
    assert y.tolist() == [1.0, 3.0, 5.0]
    y.sum().backward()
    assert w.grad.tolist() == [2.0, 2.0, 1.0]


def test_hooks_and_old_nodes():
    """Hooks registered before a change stay with what the tensor was then."""
    w = leaf(1.0, 2.0)
    x = w * 1.0
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    part = x[1:]
    x *= 5.0
    part.sum().backward()
    assert seen == [[0.0, 5.0]]


# ---- memory --------------------------------------------------------------------------------------
def test_no_cycles():
    """Views, their base and what was written hold no cycle: all is freed at once."""
    w = leaf(1.0, 2.0, 3.0)

    def step():
        x = w * 2.0
        part, other = x[1:], x.T[:2]
        part *= w[1:]
        x[0] = part[0]
        x[[0, 2]] += w[:2]
        other += 1.0
        (x.sum() + part.sum() + other.sum()).backward()
        return weakref.ref(x), weakref.ref(part)

    step()
    gc.collect()
    gc.disable()
    try:
        assert [r() for r in step()] == [None, None]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_base_is_freed_with_its_last_view():
    x = mi.zeros(3) + 1.0
    alive = weakref.ref(x)
    first, second = x[1:], x[:1]
    del x
    assert alive() is not None
    del first
    assert alive() is not None
    del second
    assert alive() is None


def test_a_view_made_without_recording_holds_no_graph():
    w = leaf(1.0, 2.0)
    x = w * 2.0
    alive = weakref.ref(x)
    with mi.no_grad():
        kept = x[:1]
    del x
    assert alive() is None
    assert kept.tolist() == [2.0]


def test_what_has_no_elements_shares_none():
    """Catches an empty tensor that is a view of another by some functions and not by others."""
    x = mi.zeros((0, 3), requires_grad=True) * 1
    with mi.no_grad():
        parts = [x.squeeze(), x[:, :2], x.T, x.reshape(3, 0)]
    assert not any(mi.device("cpu").shares(x._array, p._array) for p in parts)
    for part in parts:
        part += mi.zeros(part.shape, requires_grad=True)
        assert part.requires_grad
