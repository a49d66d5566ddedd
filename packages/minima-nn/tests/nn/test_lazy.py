"""Lazy layers: before, at and after their first call."""

from copy import deepcopy

import numpy as np
import pytest

import minima as mi
from minima import nn

KINDS = [
    (nn.LazyLinear, (2,), (4, 3), nn.Linear),
    (nn.LazyConv1d, (4, 3), (2, 6, 5), nn.Conv1d),
    (nn.LazyConv2d, (4, 3, 1, 1, 1, 2), (2, 6, 5, 5), nn.Conv2d),
    (nn.LazyConv3d, (4, 2), (1, 3, 3, 3, 3), nn.Conv3d),
    (nn.LazyConvTranspose1d, (4, 3), (2, 6, 5), nn.ConvTranspose1d),
    (nn.LazyConvTranspose2d, (4, 3, 2, 1, 1, 2), (2, 6, 5, 5), nn.ConvTranspose2d),
    (nn.LazyConvTranspose3d, (4, 2), (1, 3, 3, 3, 3), nn.ConvTranspose3d),
    (nn.LazyBatchNorm1d, (), (4, 3), nn.BatchNorm1d),
    (nn.LazyBatchNorm2d, (), (4, 3, 2, 2), nn.BatchNorm2d),
    (nn.LazyBatchNorm3d, (), (4, 3, 2, 2, 2), nn.BatchNorm3d),
    (nn.LazyInstanceNorm1d, (), (4, 3, 2), nn.InstanceNorm1d),
    (nn.LazyInstanceNorm2d, (), (4, 3, 2, 2), nn.InstanceNorm2d),
    (nn.LazyInstanceNorm3d, (), (4, 3, 2, 2, 2), nn.InstanceNorm3d),
]
each = pytest.mark.parametrize(("kind", "args", "shape", "full"), KINDS)


@each
def test_the_first_call_makes_an_ordinary_layer(kind, args, shape, full):
    """Fault: another class or hook that stays, or parameters that are replaced."""
    layer = kind(*args)
    assert isinstance(layer, full)
    assert repr(layer).startswith(kind.__name__)
    assert layer.has_uninitialized_params()
    before = layer.parameters()
    names = list(layer.state_dict())
    y = layer(mi.ones(shape))
    assert type(layer) is full
    assert layer._hooks is None
    assert [id(p) for p in layer.parameters()] == [id(p) for p in before]
    assert {type(t) for t in layer.parameters()} == {nn.Parameter}
    assert list(layer.state_dict()) == names
    assert "_lazy" not in layer.__dict__
    y.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


@each
def test_a_state_brings_the_shapes(kind, args, shape, full):
    """Fault: a checkpoint that cannot be loaded before the first call."""
    trained = kind(*args)
    x = mi.asarray(np.random.default_rng(0).normal(size=shape).astype("float32"))
    trained(x)
    fresh = kind(*args)
    fresh.load_state_dict(trained.state_dict())
    assert not fresh.has_uninitialized_params()
    np.testing.assert_array_equal(
        fresh.eval()(x).detach().numpy(), trained.eval()(x).detach().numpy()
    )
    assert type(fresh) is full
    assert repr(fresh) == repr(trained)


def test_before_its_first_call_it_can_be_moved_copied_saved_and_loaded():
    """Fault: a dtype that is lost, or a copy without its hook."""
    layer = nn.LazyLinear(2).to("float64")
    copy = deepcopy(layer)
    other = nn.LazyLinear(2)
    assert other.load_state_dict(layer.state_dict()) == ([], [])
    for one in (layer, copy):
        assert repr(one.weight) == "<UninitializedParameter>"
        one(mi.ones((1, 3), dtype="float64"))
        assert one.weight.dtype == mi.float64
        assert one.weight.shape == (3, 2)
    assert other.weight is not layer.weight
    with pytest.raises(nn.StateDictError, match="weight: has no values"):
        layer.load_state_dict(nn.LazyLinear(2).state_dict())


def test_what_needs_a_shape_says_what_to_do():
    """Fault: an optimiser that trains nothing, or an error from deep inside."""
    layer = nn.LazyLinear(2)
    with pytest.raises(nn.UninitializedError, match="expected a call of its lazy module before"):
        layer.weight.shape  # noqa: B018
    with pytest.raises(mi.MinimaError, match=r"SGD: .*lazy.* expected a call"):
        mi.optim.SGD(layer.parameters(), lr=0.1)
    with pytest.raises(mi.ArgumentError, match="LazyLinear: the first call has no positional"):
        layer(x=mi.ones((1, 3)))
    with pytest.raises(mi.DTypeError, match="LazyLinear: input has dtype int64; expected"):
        layer(mi.ones((1, 3), dtype="int64"))
    assert isinstance(layer, nn.LazyLinear)


def test_the_same_seed_gives_the_same_values_as_the_ordinary_layer():
    """Fault: another distribution."""
    lazy = nn.LazyLinear(2)
    mi.manual_seed(0)
    lazy(mi.ones((1, 3)))
    mi.manual_seed(0)
    full = nn.Linear(3, 2)
    np.testing.assert_array_equal(lazy.weight.numpy(), full.weight.numpy())
