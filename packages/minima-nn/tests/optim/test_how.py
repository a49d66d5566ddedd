"""Options of PyTorch that say how a step is computed, and its module of averaged models."""

import numpy as np
import pytest

import minima as mi
from minima import nn, optim
from minima.optim import swa_utils

CLASSES = [
    *(optim.SGD, optim.Adam, optim.AdamW, optim.NAdam, optim.RAdam, optim.Adamax, optim.Adagrad),
    *(optim.Adadelta, optim.RMSprop, optim.Rprop, optim.ASGD),
]


@pytest.mark.parametrize("cls", CLASSES)
def test_options_that_change_nothing_are_taken(cls):
    """Fault: ``fused=True`` is refused, or becomes an option of the groups."""
    w = nn.Parameter([1.0])
    plain = cls([w], lr=0.1)
    for name in ("foreach", "fused", "capturable"):
        assert cls([w], lr=0.1, **{name: True}).param_groups == plain.param_groups
    assert cls([w], foreach=None, fused=None, differentiable=False).state_dict()["state"] == {}


@pytest.mark.parametrize("cls", CLASSES)
def test_others_are_refused(cls):
    """Fault: a typing error that is taken, or a step that is said to be recorded and is not."""
    name = cls.__name__
    with pytest.raises(mi.ArgumentError, match=f"{name}: differentiable is True; expected False"):
        cls([nn.Parameter([1.0])], differentiable=True)
    with pytest.raises(TypeError, match=f"{name}: got an unexpected.*'rate'; expected params, lr"):
        cls([nn.Parameter([1.0])], rate=1.0)


def test_a_state_of_pytorch_with_such_options_loads():
    """Fault: the options of a group that PyTorch writes are unknown here."""
    w = nn.Parameter([1.0])
    optimizer = optim.SGD([w], lr=0.1)
    state = optimizer.state_dict()
    state["param_groups"][0] |= {"lr": 0.5, "foreach": None, "fused": None, "differentiable": False}
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert "fused" not in optimizer.param_groups[0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 2.0),
        ({"avg_fn": swa_utils.get_swa_avg_fn()}, 2.0),
        ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, 2.0),
        ({"avg_fn": swa_utils.get_ema_avg_fn(0.75)}, 2.0625),
        ({"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.75)}, 2.0625),
    ],
)
def test_averages(options, expected):
    """Fault: another mean, or a first value that counts as a second."""
    model = nn.Linear(1, 1, bias=False)
    mean = swa_utils.AveragedModel(model, **options)
    for value in (2.0, 1.0, 3.0):
        model.weight.data = mi.full((1, 1), value)
        mean.update_parameters(model)
    np.testing.assert_allclose(mean.module.weight.detach().numpy(), [[expected]])
    assert mean.module.weight.requires_grad


def test_one_kind_of_average():
    """Fault: one of two functions is left out in silence."""
    with pytest.raises(mi.ArgumentError, match="both given; expected one"):
        swa_utils.AveragedModel(
            nn.Linear(1, 1),
            avg_fn=swa_utils.get_swa_avg_fn(),
            multi_avg_fn=swa_utils.get_swa_multi_avg_fn(),
        )
