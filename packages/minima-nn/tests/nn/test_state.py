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
