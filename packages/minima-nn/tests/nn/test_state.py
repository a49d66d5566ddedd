"""state_dict and load_state_dict: names, sharing, and all or nothing."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def test_keys_are_pytorchs_under_the_names_of_the_modules():
    """Fault: a checkpoint that other tools cannot read."""
    assert list(net().state_dict()) == [
        "module_0.weight",
        "module_0.bias",
        "module_1.weight",
        "module_1.bias",
        "module_1.running_mean",
        "module_1.running_var",
        "module_1.num_batches_tracked",
    ]


def test_a_round_trip_restores_every_value_in_place():
    """Fault: a parameter that is replaced, so that the optimiser trains the old one."""
    source, target = net(), net()
    source(mi.Tensor(np.random.default_rng(0).normal(size=(4, 2)).astype("float32")))
    before = [id(t) for t in (*target.parameters(), *target.buffers())]
    result = target.load_state_dict(source.state_dict())
    assert result == ([], [])
    assert [id(t) for t in (*target.parameters(), *target.buffers())] == before
    for name, value in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name].numpy(), value.numpy())
    assert all(p.requires_grad for p in target.parameters())


def test_the_state_shares_memory_and_is_detached():
    """Fault: a copy of a large model at each checkpoint, or a graph in a file."""
    layer = nn.Linear(2, 1)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    with mi.no_grad():
        layer.weight.fill_(3.0)
    assert state["weight"].tolist() == [[3.0], [3.0]]


def test_arrays_and_other_widths_are_taken():
    """Fault: a file in float64 or float16 that cannot be loaded, or widens the model."""
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.ones((2, 1)), "bias": np.zeros(1, "float16")})
    assert layer.weight.dtype == layer.bias.dtype == mi.float32
    assert layer.weight.tolist() == [[1.0], [1.0]]


def test_an_error_lists_everything_and_loads_nothing():
    """Fault: one key at a time, and half of the weights new."""
    target = net()
    before = {name: t.numpy().copy() for name, t in target.state_dict().items()}
    state = {name: mi.ones(t.shape, dtype=t.dtype) for name, t in target.state_dict().items()}
    del state["module_0.bias"], state["module_1.running_var"]
    state["module_0.weight"] = mi.ones((3, 2))
    state["module_1.num_batches_tracked"] = mi.Tensor(1.5)
    state["module_1.bias"] = "text"
    state["extra"] = mi.ones(1)
    with pytest.raises(nn.StateDictError) as raised:
        target.load_state_dict(state)
    for part in (
        "Sequential: the state does not fit: missing: module_0.bias, module_1.running_var",
        "unexpected: extra",
        "module_0.weight: got shape (3, 2), expected (2, 3)",
        "module_1.num_batches_tracked: got dtype float32, expected int64",
        "module_1.bias: is no tensor",
    ):
        assert part in str(raised.value)
    for name, t in target.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])


def test_without_strict_keys_are_reported_and_shapes_still_checked():
    """Fault: strict=False that hides a wrong shape."""
    layer = nn.Linear(2, 1)
    result = layer.load_state_dict({"weight": mi.ones((2, 1)), "extra": mi.ones(1)}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["extra"]
    assert layer.weight.tolist() == [[1.0], [1.0]]
    with pytest.raises(nn.StateDictError, match="weight: got shape"):
        layer.load_state_dict({"weight": mi.ones((1, 2))}, strict=False)


def test_what_is_no_state_is_refused():
    """Fault: an AttributeError about items()."""
    with pytest.raises(nn.StateDictError, match=r"^Linear: the state is a list; expected a dict"):
        nn.Linear(2, 1).load_state_dict([1])


def test_prefix_destination_and_the_parameters_themselves():
    """Fault: options that are taken and ignored."""
    layer, into = nn.Linear(2, 1), {}
    assert layer.state_dict(destination=into, prefix="x.") is into
    assert list(into) == ["x.weight", "x.bias"]
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight


def test_assign_takes_the_values_over():
    """Fault: a copy, or another Parameter than the optimiser knows."""
    layer, before = nn.Linear(2, 1), None
    before = layer.weight
    value = mi.ones((2, 1), dtype="float64")
    layer.load_state_dict({"weight": value}, strict=False, assign=True)
    assert layer.weight is before
    assert layer.weight.requires_grad
    assert layer.weight.dtype == mi.float64
    value.fill_(3.0)
    assert layer.weight.tolist() == [[3.0], [3.0]]


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.count = nn.Linear(1, 1), 3

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]


def test_extra_state_is_saved_and_loaded():
    """Fault: what is no tensor is lost, or missing without a word."""
    net = nn.Sequential(Counting())
    state = net.state_dict()
    assert state["module_0._extra_state"] == {"count": 3}
    state["module_0._extra_state"] = {"count": 7}
    net.load_state_dict(state)
    assert net[0].count == 7
    del state["module_0._extra_state"]
    with pytest.raises(nn.StateDictError, match=r"missing: module_0\._extra_state"):
        net.load_state_dict(state)
    with pytest.raises(NotImplementedError, match="Linear: get_extra_state is not defined"):
        nn.Linear(1, 1).get_extra_state()


def test_state_hooks_run_around_saving():
    """Fault: a hook that comes at another time, with another prefix, or after its removal."""
    net, seen = nn.Sequential(nn.Linear(1, 1)), []
    handles = [
        net[0].register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep))),
        net[0].register_state_dict_post_hook(
            lambda m, state, prefix, meta: state.update({prefix + "x": list(state)})
        ),
        net.register_state_dict_post_hook(lambda m, state, prefix, meta: seen.append(list(state))),
    ]
    names = ["module_0.weight", "module_0.bias"]
    assert net.state_dict(keep_vars=True)["module_0.x"] == names
    assert seen == [("module_0.", True), [*names, "module_0.x"]]
    for handle in handles:
        handle.remove()
    assert list(net.state_dict()) == names
    assert net[0]._state_hooks is None


def test_hooks_before_loading_may_change_the_state():
    """Fault: the caller's dict that changes, or a hook's error that is lost."""
    net = nn.Sequential(nn.Linear(1, 1, bias=False))

    def rename(module, state, prefix, meta, strict, missing, unexpected, errors):
        state[prefix + "weight"] = state.pop(prefix + "kernel")

    net[0].register_load_state_dict_pre_hook(rename)
    given = {"module_0.kernel": np.full((1, 1), 5.0)}
    assert net.load_state_dict(given) == ([], [])
    assert net[0].weight.item() == 5.0
    assert list(given) == ["module_0.kernel"]
    net.register_load_state_dict_pre_hook(lambda *args: args[-1].append("module: too old"))
    with pytest.raises(nn.StateDictError, match="does not fit: module: too old"):
        net.load_state_dict(given)


def test_hooks_after_loading_see_and_forgive():
    """Fault: a hook before the values are there, or a change that stays although loading failed."""
    net, seen = nn.Sequential(nn.Linear(1, 1)), []
    net[0].weight.data = mi.zeros((1, 1))
    handle = net.register_load_state_dict_post_hook(
        lambda m, result: seen.append((m[0].weight.item(), list(result.missing_keys)))
    )
    state = {"module_0.weight": np.full((1, 1), 5.0)}
    with pytest.raises(nn.StateDictError, match=r"missing: module_0\.bias"):
        net.load_state_dict(state)
    assert seen == [(5.0, ["module_0.bias"])]
    assert net[0].weight.item() == 0.0
    handle.remove()
    net[0].register_load_state_dict_post_hook(lambda m, result: result.missing_keys.clear())
    assert net.load_state_dict(state) == ([], [])
    assert net[0].weight.item() == 5.0


class TorchTensor:
    """What a Tensor of PyTorch is to us: of its package, and an array to NumPy."""

    __module__ = "torch"

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_a_state_of_pytorch_is_told_how_to_load():
    """Fault: a square weight of Linear that loads, and is the transpose of what it should be."""
    layer = nn.Linear(2, 2, bias=False)
    before = layer.weight.tolist()
    state = {"weight": TorchTensor(np.ones((2, 2), "float32"))}
    with pytest.raises(nn.StateDictError, match=r"weight: is a Tensor of PyTorch; .*load_torch_st"):
        layer.load_state_dict(state)
    assert layer.weight.tolist() == before
    names = {"0.weight": np.ones((1, 2), "float32"), "0.bias": np.ones(1, "float32")}
    with pytest.raises(nn.StateDictError, match=r"unexpected: 0.weight, 0.bias; .*load_torch"):
        nn.Sequential(nn.Linear(2, 1)).load_state_dict(names)
    with pytest.raises(nn.StateDictError) as caught:
        layer.load_state_dict({"other": np.ones(1)})
    assert "PyTorch" not in str(caught.value)
