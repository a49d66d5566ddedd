"""Module: registration, modes, names, printing, copies, the cost of a call."""

import gc
import timeit
from copy import deepcopy

import numpy as np
import pytest

import minima as mi
from minima import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 3), nn.Linear(3, 2)]
        self.heads = {"a": nn.Linear(2, 1, bias=False), "b": (nn.Tanh(),)}
        self.scale = nn.Parameter([1.0])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["b"][0](self.heads["a"](x)) * self.scale


NAMES = ["scale", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
         "heads.a.weight"]  # fmt: skip


def test_parameters_come_in_pytorchs_order_with_dotted_names():
    """Fault: another order on each call or Python, or a container that is not looked into."""
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [p.shape for p in net.parameters()] == [(1,), (2, 3), (3,), (3, 2), (2,), (2, 1)]
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"]
    assert net.named_parameters("net")[0][0] == "net.scale"


def test_children_are_one_level_deep_and_modules_all():
    """Fault: children() that walks down, or modules() that forgets the module itself."""
    net = Net()
    assert [name for name, _ in net.named_children()] == [
        "layers.0", "layers.1", "heads.a", "heads.b.0",
    ]  # fmt: skip
    outer = nn.Sequential(net)
    assert outer.children() == [net]
    assert [name for name, _ in outer.named_modules()] == [
        "", "module_0", "module_0.layers.0", "module_0.layers.1", "module_0.heads.a",
        "module_0.heads.b.0",
    ]  # fmt: skip
    assert outer._children() == outer.modules()[1:]


def test_a_shared_module_counts_once_but_has_both_names_in_the_state():
    """Fault: weight tying that trains twice, or a PyTorch state that cannot be loaded."""
    net = nn.Module()
    net.first = net.second = nn.Linear(2, 1)
    assert len(net.parameters()) == 2
    assert len(net.modules()) == 2
    assert [name for name, _ in net.named_modules()] == ["", "first"]
    assert list(net.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    assert len(net.named_parameters(remove_duplicate=False)) == 4


def test_a_module_that_contains_itself_ends():
    """Fault: endless recursion through a reference to the parent."""
    parent, child = nn.Module(), nn.Linear(1, 1)
    parent.child, child.parent = child, parent
    parent.loop = [1, 2]
    parent.loop.append(parent.loop)
    assert len(parent.parameters()) == 2
    assert list(parent.state_dict()) == ["child.weight", "child.bias"]
    assert "..." in repr(parent)


def test_assignment_replaces_and_deletion_removes():
    """Fault: a registry beside the attributes that still holds what was replaced."""
    net = nn.Module()
    net.layer = nn.Linear(1, 1)
    net.layer = nn.Linear(1, 2)
    assert [p.shape for p in net.parameters()] == [(1, 2), (2,)]
    net.layer = None
    assert net.parameters() == []
    net.layer = nn.ReLU()
    del net.layer
    assert net.children() == []


def test_a_tensor_does_not_silently_take_the_place_of_a_parameter():
    """Fault: ``layer.weight = layer.weight * 0.5`` that ends its training."""
    layer = nn.Linear(2, 1)
    with pytest.raises(mi.MinimaError, match="'weight' is a Parameter and the value a Tensor"):
        layer.weight = layer.weight * 0.5
    layer.weight = nn.Parameter(mi.ones((2, 1)))
    layer.bias = None
    assert len(layer.parameters()) == 1


def test_train_and_eval_reach_all_and_return_the_module():
    """Fault: a dropout in a list that keeps dropping in evaluation."""
    net = nn.Sequential(nn.Residual(nn.Dropout()), nn.ReLU())
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    assert net.train() is net
    assert all(m.training for m in net.modules())
    assert not net.train(False).training
    with pytest.raises(mi.MinimaError, match=r"train\(mode\) is 'yes'"):
        net.train("yes")


def test_repr_is_pytorchs():
    """Fault: a layout that changes, or an option that hides."""

    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
            self.tails = [nn.Dropout(0.1)]

        def extra_repr(self):
            return "size=2"

    assert repr(Named()) == (
        "Named(\n"
        "  size=2\n"
        "  (body): Sequential(\n"
        "    (module_0): Linear(in_features=2, out_features=3, bias=True)\n"
        "    (module_1): ReLU()\n"
        "  )\n"
        "  (tails.0): Dropout(p=0.1, inplace=False)\n"
        ")"
    )
    assert repr(nn.Module()) == "Module()"


def test_apply_visits_children_first():
    """Fault: an initialiser that sees the parent before its parts."""
    seen = []
    net = nn.Sequential(nn.Residual(nn.Tanh()), nn.ReLU())
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Tanh", "Residual", "ReLU", "Sequential"]


def test_zero_grad_and_requires_grad():
    """Fault: a gradient that is left in one of the layers."""
    net = Net()
    net(mi.ones((4, 2))).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all((p.grad.numpy() == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(mi.ones((4, 2))).requires_grad


@pytest.mark.parametrize("where", ["float64", mi.float64, ("cpu", "float64")])
def test_to_keeps_the_parameters_and_moves_what_is_floating(where):
    """Fault: new Parameter objects, which an optimiser would not know, or a count made float."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    net(mi.ones((4, 2))).sum().backward()
    before = net.parameters()
    assert net.to(*(where if isinstance(where, tuple) else (where,))) is net
    after = net.parameters()
    assert [id(p) for p in before] == [id(p) for p in after]
    assert {p.dtype for p in after} == {p.grad.dtype for p in after} == {np.dtype("float64")}
    assert [str(b.dtype) for b in net.buffers()] == ["float64", "float64", "int64"]
    assert all(p.requires_grad and p.is_leaf for p in after)
    assert net(mi.ones((4, 2), dtype="float64")).dtype == mi.float64


@pytest.mark.parametrize(
    ("where", "message"),
    [(("int64",), "expected a floating type"), (("mars",), "mars"), (("float32", "float64"), "2")],
)
def test_to_refuses_what_there_is_not(where, message):
    """Fault: a module half moved."""
    layer = nn.Linear(2, 1)
    with pytest.raises(mi.MinimaError, match=message):
        layer.to(*where)
    assert layer.weight.dtype == mi.float32


def test_buffers_are_saved_unless_told_otherwise_and_not_trained():
    """Fault: a buffer among the parameters, or a temporary one in the file."""
    module = nn.Module()
    module.register_buffer("kept", mi.ones(2))
    module.register_buffer("passing", mi.ones(2), persistent=False)
    module.register_buffer("absent", None)
    assert [name for name, _ in module.named_buffers()] == ["kept", "passing"]
    assert list(module.state_dict()) == ["kept"]
    assert module.parameters() == []
    module.kept = mi.zeros(2)
    assert module.state_dict()["kept"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.register_buffer("x", [1.0]), "buffer 'x' is a list"),
        (lambda m: m.register_buffer("a.b", mi.ones(1)), "is 'a.b'; expected .* no dot"),
        (lambda m: m.register_buffer("train", mi.ones(1)), "taken"),
        (lambda m: m.register_parameter("x", mi.ones(1)), "parameter 'x' is a Tensor"),
        (lambda m: m.add_module("x", print), "module 'x' is a builtin"),
        (lambda m: m.forward(1), "forward is not defined"),
        (lambda m: m.register_forward_hook(3), "hook is a int"),
    ],
)
def test_errors_name_the_module_and_the_remedy(call, message):
    """Fault: an error that leaves the user to guess, or none at all."""
    with pytest.raises((mi.MinimaError, NotImplementedError), match=f"^Module: .*{message}"):
        call(nn.Module())


def test_every_use_before_super_init_says_so():
    """Fault: AttributeError about a private name."""

    class Late(nn.Module):
        def __init__(self, first):
            first(self)

        def forward(self, x):
            return x

    uses = [
        lambda m: setattr(m, "layer", nn.ReLU()),
        lambda m: setattr(m, "weight", nn.Parameter([1.0])),
        lambda m: m.register_buffer("x", mi.ones(1)),
        lambda m: m(mi.ones(1)),
        lambda m: m.parameters(),
        lambda m: m.state_dict(),
        lambda m: m.train(),
        lambda m: m.register_forward_hook(print),
    ]
    for use in uses:
        with pytest.raises(nn.ModuleInitError, match=r"Late.*has to call super\(\).__init__\(\)"):
            Late(use)


def test_a_deep_copy_shares_nothing():
    """Fault: a copy whose buffers or parameters are the original's."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    net(mi.ones((4, 2)))
    copy = deepcopy(net)
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in copy.parameters())
    assert [n for n, _ in copy.named_buffers()] == [n for n, _ in net.named_buffers()]
    with mi.no_grad():
        for t in (*copy.parameters(), *copy.buffers()):
            t.fill_(7)
    assert not any((t.numpy() == 7).any() for t in (*net.parameters(), *net.buffers()))


def test_a_module_may_have_layers_called_input_and_output():
    """Fault: the read-only attributes that shadow a user's layer."""
    net = nn.Module()
    net.input, net.output = nn.Linear(2, 3), nn.Linear(3, 1)
    assert len(net.parameters()) == 4
    assert isinstance(net.output, nn.Linear)


def test_a_plain_call_leaves_no_cycle():
    """Fault: module -> last output -> node -> module."""
    net = Net()
    x = mi.ones((4, 2))
    net(x)
    gc.collect()
    net(x)
    net.output  # noqa: B018
    del net
    assert gc.collect() == 0


def test_a_call_costs_about_a_microsecond():
    """Fault: bookkeeping on every call that small models pay for; the bound is ten times that."""
    layer, x = nn.Identity(), mi.ones(1)
    best = min(timeit.repeat(lambda: layer(x), number=1000, repeat=5)) / 1000
    assert best < 10e-6


def test_what_has_a_dotted_name_is_found_by_it():
    """Fault: a name of named_parameters that get_parameter does not know."""
    net = nn.Sequential(Net(), nn.BatchNorm1d(2))
    for name, found in net.named_parameters():
        assert net.get_parameter(name) is found
    for name, found in net.named_buffers():
        assert net.get_buffer(name) is found
    for name, found in net.named_modules():
        assert net.get_submodule(name) is found
    for get in (net.get_parameter, net.get_buffer, net.get_submodule):
        with pytest.raises(AttributeError, match=r"Sequential: no \w+ 'module_9'; expected one of"):
            get("module_9")
    net.set_submodule("module_0.extra", nn.ReLU())
    assert isinstance(net[0].extra, nn.ReLU)
    with pytest.raises(AttributeError, match=r"no submodule 'module_0\.none'"):
        net.set_submodule("module_0.none", nn.ReLU(), strict=True)
    with pytest.raises(mi.ArgumentError, match="the name is empty; expected"):
        net.set_submodule("", nn.ReLU())


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("half", "float16"), ("bfloat16", "bfloat16"), ("float", "float32"), ("double", "float64")],
)
def test_short_names_of_to(name, dtype):
    """Fault: a count that becomes a float, or a module that is not returned."""
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert getattr(net, name)() is net
    assert {str(p.dtype) for p in net.parameters()} == {dtype}
    assert str(net[1].num_batches_tracked.dtype) == "int64"
    assert net.type("float64")[0].weight.dtype == mi.float64
    assert net.to(mi.ones(1, dtype="float16"))[0].weight.dtype == mi.float16
    assert str(net.cpu()[0].weight.device) == "cpu"


def test_memo_and_duplicates_of_named_modules():
    """Fault: PyTorch's arguments in another order."""
    shared = nn.ReLU()
    net = nn.Sequential(shared, nn.Residual(shared))
    assert len(net.modules()) == 3
    assert len(net.modules(remove_duplicate=False)) == 4
    memo = {shared}
    assert [n for n, _ in net.named_modules(memo, "net")] == ["net", "net.module_1"]
    assert memo == set(net.modules())


def test_a_deleted_buffer_is_no_buffer_any_more():
    """Fault: a later attribute of that name that is saved."""
    net = nn.BatchNorm1d(1)
    del net.running_mean
    net.running_mean = mi.ones(1)
    assert "running_mean" not in net.state_dict()
    with pytest.raises(AttributeError, match="BatchNorm1d: no attribute 'nothing' to delete"):
        del net.nothing


def test_dir_has_names_only():
    """Fault: numbers that an editor offers."""
    names = dir(nn.ModuleList([nn.ReLU()]))
    assert "extend" in names
    assert "0" not in names


def test_a_shallow_copy_has_a_life_of_its_own():
    """Fault: an attribute or buffer that is registered in the original too."""
    from copy import copy

    net = nn.Linear(2, 1)
    other = copy(net)
    other.register_buffer("extra", mi.ones(1))
    other.scale = 3
    assert other.weight is net.weight
    assert list(net.state_dict()) == ["weight", "bias"]
    assert not hasattr(net, "scale")


def test_a_compiled_module_follows_its_mode_and_trains():
    """Fault: a plan of the training mode in evaluation, of old weights, or without gradients."""
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    x = mi.ones((2, 3))
    net.compile()
    assert list(net.state_dict()) == ["module_0.weight", "module_0.bias"]
    with mi.no_grad():
        for _ in range(3):
            net(x)
        net.eval()
        for value in (1.0, 2.0):
            net[0].weight.fill_(value)
            net[0].bias.zero_()
            assert [net(x).tolist() for _ in range(3)] == [[[3 * value] * 3] * 2] * 3
    net(x).sum().backward()
    assert net[0].weight.grad is not None
    assert "forward" not in deepcopy(net).__dict__


def test_a_parameter_in_the_place_of_a_buffer_is_none():
    """Fault: a name that is both a parameter and a buffer, and is moved and listed twice."""
    module = nn.Module()
    module.register_buffer("scale", mi.ones(1))
    module.scale = nn.Parameter([2.0])
    assert [name for name, _ in module.named_parameters()] == ["scale"]
    assert module.named_buffers() == []
    assert list(module.state_dict()) == ["scale"]


def test_gradients_set_to_zero_stay_the_same_tensors():
    """Fault: a gradient that somebody holds and that no longer follows the parameter's."""
    layer = nn.Linear(2, 1)
    layer(mi.ones((1, 2))).sum().backward()
    held = layer.weight.grad
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad is held
    assert held.tolist() == [[0.0], [0.0]]
