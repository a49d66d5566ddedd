"""Hooks: order, replacement, removal, and the gradients that backward hooks get."""

import gc

import numpy as np
import pytest

import minima as mi
from minima import nn


class Product(nn.Module):
    def forward(self, a, b, scale=1.0):
        return a * b * scale


class Split(nn.Module):
    def forward(self, x):
        return x * 2.0, x * 3.0


def test_forward_hooks_run_in_order_and_replace():
    """Fault: a hook that sees what a later one made, or a result that is dropped."""
    layer, seen = nn.Identity(), []
    layer.register_forward_pre_hook(lambda m, args: seen.append("pre") or (args[0] + 1,))
    layer.register_forward_hook(lambda m, args, y: seen.append(args[0].tolist()) or y * 10)
    layer.register_forward_hook(lambda m, args, y: seen.append(y.tolist()))
    assert layer(mi.Tensor([1.0])).tolist() == [20.0]
    assert seen == ["pre", [2.0], [20.0]]
    assert layer.output.tolist() == [20.0]
    assert layer.input[0].tolist() == [2.0]


def test_a_removed_hook_is_not_called():
    """Fault: a handle that removes another hook, or none."""
    layer, seen = nn.Identity(), []
    first = layer.register_forward_hook(lambda m, args, y: seen.append(1))
    layer.register_forward_hook(lambda m, args, y: seen.append(2))
    first.remove()
    first.remove()
    layer(mi.ones(1))
    with layer.register_forward_hook(lambda m, args, y: seen.append(3)):
        layer(mi.ones(1))
    layer(mi.ones(1))
    assert seen == [2, 2, 3, 2]


def test_a_hook_may_remove_itself():
    """Fault: a dict that changes while it is walked."""
    layer, seen = nn.Identity(), []

    def once(module, args, y):
        seen.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer(mi.ones(1))
    layer(mi.ones(1))
    assert seen == [1]


def gradients_of(layer, *inputs, use=lambda y: y):
    calls = []
    handle = layer.register_backward_hook(lambda m, gi, go: calls.append((gi, go)))
    use(layer(*inputs)).sum().backward()
    handle.remove()
    return [
        tuple([None if g is None else g.tolist() for g in side] for side in call) for call in calls
    ]


def test_a_backward_hook_gets_a_gradient_for_each_argument():
    """Fault: only the first argument, or the order of the sweep instead of the arguments'."""
    a = mi.Tensor([2.0], requires_grad=True)
    b = mi.Tensor([5.0], requires_grad=True)
    assert gradients_of(Product(), a, b) == [([[5.0], [2.0]], [[1.0]])]
    assert gradients_of(Product(), a, mi.Tensor([5.0]), 3.0) == [([[15.0], None, None], [[1.0]])]


def test_a_backward_hook_gets_only_what_crosses_its_module():
    """Fault: a tensor that is used elsewhere too brings the whole gradient."""
    x = mi.Tensor([2.0], requires_grad=True)
    assert gradients_of(Product(), x, x, use=lambda y: y + 100.0 * x) == [([[2.0], [2.0]], [[1.0]])]
    assert x.grad.tolist() == [104.0]
    assert gradients_of(nn.Identity(), x) == [([[1.0]], [[1.0]])]


def test_a_backward_hook_is_called_once_for_several_outputs():
    """Fault: one call for each output."""
    x = mi.Tensor([1.0], requires_grad=True)
    assert gradients_of(Split(), x, use=lambda y: y[0] + 10.0 * y[1]) == [
        ([[32.0]], [[1.0], [10.0]])
    ]
    assert gradients_of(Split(), x, use=lambda y: y[1]) == [([[3.0]], [None, [1.0]])]


def test_a_backward_hook_without_gradient_for_the_input():
    """Fault: the first layer of a network, whose input needs no gradient, is left out."""
    calls = gradients_of(nn.Linear(2, 1), mi.ones((3, 2)))
    assert calls == [([None], [[[1.0], [1.0], [1.0]]])]


def test_what_a_backward_hook_returns_goes_on():
    """Fault: the result is ignored, or lands at another argument."""
    a = mi.Tensor([2.0], requires_grad=True)
    b = mi.Tensor([5.0], requires_grad=True)
    layer = Product()
    layer.register_backward_hook(lambda m, gi, go: (gi[0] * 10.0, gi[1] * 100.0))
    layer.register_backward_hook(lambda m, gi, go: (gi[0] + 1.0, None))
    layer(a, b).sum().backward()
    assert a.grad.tolist() == [51.0]
    assert b.grad.tolist() == [2.0]


def test_a_backward_hook_is_called_in_each_sweep():
    """Fault: state of the first sweep that answers in the second."""
    layer, seen = nn.Tanh(), []
    layer.register_backward_hook(lambda m, gi, go: seen.append((gi[0].item(), go[0].item())))
    x = mi.Tensor(0.0, requires_grad=True)
    y = layer(x)
    y.backward(retain_graph=True)
    (y * 2.0).backward()
    assert seen == [(1.0, 1.0), (2.0, 2.0)]
    assert x.grad.item() == 3.0


def test_gradients_are_the_same_with_and_without_a_hook():
    """Fault: the steps that a hook adds change a value."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x = mi.Tensor(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"))
    net(x).sum().backward()
    expected = [p.grad.numpy().copy() for p in net.parameters()]
    net.zero_grad()
    for module in net.modules():
        module.register_backward_hook(lambda m, gi, go: None)
    net(x).sum().backward()
    for p, g in zip(net.parameters(), expected):
        np.testing.assert_array_equal(p.grad.numpy(), g)


def test_a_step_with_hooks_leaves_no_cycle():
    """Fault: gradients held by a closure that the graph of these gradients holds."""
    layer = nn.Tanh()
    layer.register_backward_hook(lambda m, gi, go: None)
    layer.register_forward_hook(lambda m, args, y: None)
    x = mi.Tensor([0.5], requires_grad=True)

    def step():
        layer(x).sum().backward()
        (g,) = mi.autograd.grad(layer(x).sum(), x, create_graph=True)
        g.sum().backward()
        x.grad = None

    step()
    gc.collect()
    step()
    assert gc.collect() == 0


@pytest.mark.parametrize(
    ("forward", "hook", "message"),
    [
        (lambda self, x: {"y": x}, lambda m, gi, go: None, "tuple with Tensors in it; got dict"),
        (lambda self, x: x, lambda m, gi, go: (None, None), "returned 2 gradients.* 1 positional"),
    ],
)
def test_errors_name_the_module(forward, hook, message):
    """Fault: a hook that silently never runs, or a gradient for an argument that is not there."""
    layer = type("Odd", (nn.Module,), {"forward": forward})()
    layer.register_backward_hook(hook)
    with pytest.raises(mi.MinimaError, match=f"Odd: .*{message}"):
        layer(mi.Tensor([1.0], requires_grad=True)).sum().backward()


def test_hooks_do_not_run_their_bounds_under_no_grad():
    """Fault: a backward hook that makes an evaluation record."""
    layer = nn.Tanh()
    layer.register_backward_hook(lambda m, gi, go: None)
    with mi.no_grad():
        assert not layer(mi.Tensor([1.0], requires_grad=True)).requires_grad


def test_hooks_with_keyword_arguments():
    """Fault: keyword arguments that a hook cannot see or change."""
    layer, seen = Product(), []
    layer.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"scale": 3.0}), with_kwargs=True
    )
    layer.register_forward_hook(
        lambda m, args, kwargs, y: seen.append((len(args), kwargs)), with_kwargs=True
    )
    assert layer(mi.Tensor([2.0]), mi.Tensor([5.0]), scale=2.0).tolist() == [30.0]
    assert seen == [(2, {"scale": 3.0})]
    layer.register_forward_pre_hook(lambda m, args, kwargs: args[0], with_kwargs=True)
    with pytest.raises(mi.MinimaError, match=r"Product: the forward pre-hook .* expected None or"):
        layer(mi.Tensor([2.0]), mi.Tensor([5.0]))


def test_a_hook_may_come_first():
    """Fault: prepend that is ignored, or that turns the others around."""
    layer, seen = nn.Identity(), []
    for name in ("a", "b"):
        layer.register_forward_hook(lambda m, args, y, name=name: seen.append(name))
        layer.register_forward_pre_hook(lambda m, args, name=name: seen.append(name.upper()))
        layer.register_full_backward_hook(lambda m, gi, go, name=name: seen.append(name * 2))
    layer.register_forward_hook(lambda m, args, y: seen.append("c"), prepend=True)
    layer.register_forward_pre_hook(lambda m, args: seen.append("C"), prepend=True)
    layer.register_full_backward_hook(lambda m, gi, go: seen.append("cc"), prepend=True)
    layer(mi.Tensor(1.0, requires_grad=True)).backward()
    assert seen == ["C", "A", "B", "c", "a", "b", "cc", "aa", "bb"]


def test_a_hook_that_is_always_called():
    """Fault: a timer that is not stopped when forward raises, or that hides the error."""
    seen = []

    class Raises(nn.Module):
        def forward(self, x):
            raise KeyError("forward")

    layer = Raises()
    layer.register_forward_hook(lambda m, args, y: seen.append("never"))
    layer.register_forward_hook(lambda m, args, y: seen.append(y), always_call=True)

    def fails(module, args, y):
        raise ValueError("hook")

    handle = layer.register_forward_hook(fails, always_call=True)
    with (
        pytest.warns(UserWarning, match=r"Raises: a forward hook .* ValueError"),
        pytest.raises(KeyError, match="forward"),
    ):
        layer(mi.ones(1))
    handle.remove()
    assert seen == [None]
    with pytest.raises(KeyError):
        layer(mi.ones(1))
    assert seen == [None, None]


def test_a_hook_that_is_always_called_sees_how_far_it_came():
    """Fault: the caller's arguments and no output, whatever the hooks before made of them."""
    layer, seen = nn.Identity(), []

    def fails(module, args, y):
        raise KeyError("hook")

    layer.register_forward_pre_hook(lambda m, args: args[0] * 2.0)
    layer.register_forward_hook(lambda m, args, y: y + 1.0)
    layer.register_forward_hook(fails)
    layer.register_forward_hook(
        lambda m, args, y: seen.append((args[0].item(), y.item())), always_call=True
    )
    with pytest.raises(KeyError):
        layer(mi.ones(1))
    assert seen == [(2.0, 3.0)]


def test_a_backward_hook_passes_over_what_is_no_tensor():
    """Fault: attention without weights, or a state beside the output, that bars the hook."""
    layer, seen = nn.Identity(), []
    layer.forward = lambda x: (x * 2.0, None, {"state": x})
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = mi.ones(1, requires_grad=True)
    y, nothing, state = layer(x)
    assert nothing is None
    (y + state["state"]).sum().backward()
    ((gi,), (go, *rest)) = seen[0]
    assert (gi.item(), go.item(), rest) == (3.0, 1.0, [None, None])
    assert x.grad.item() == 3.0


def test_backward_pre_hooks_change_what_comes_in():
    """Fault: a changed gradient that the module or its other hooks do not see."""
    x = mi.Tensor([2.0], requires_grad=True)
    layer, seen = Split(), []
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 10.0, go[1]))
    layer.register_full_backward_pre_hook(lambda m, go: seen.append([g.tolist() for g in go]))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append([g.tolist() for g in go]))
    a, b = layer(x)
    (a + b).sum().backward()
    assert seen == [[[10.0], [1.0]], [[10.0], [1.0]]]
    assert x.grad.tolist() == [23.0]
    first = nn.Linear(1, 1, bias=False)
    first.register_full_backward_pre_hook(lambda m, go: (go[0] * 5.0,))
    first(mi.ones((1, 1))).sum().backward()
    assert first.weight.grad.tolist() == [[5.0]]
    first.register_full_backward_pre_hook(lambda m, go: (None, None))
    with pytest.raises(mi.MinimaError, match=r"returned 2 gradients; .* 1 outputs"):
        first(mi.ones((1, 1))).sum().backward()
