"""Schedules beyond the rows of parity: warm-up, resuming, errors."""

import numpy as np
import pytest

import minima as mi
from minima import nn, optim

S = optim.lr_scheduler


def sgd(lr=1.0, momentum=0.9):
    return optim.SGD([nn.Parameter([1.0])], lr=lr, momentum=momentum)


def rates(schedule, steps):
    found = [schedule.get_last_lr()[0]]
    for _ in range(steps):
        schedule.step()
        found.append(schedule.get_last_lr()[0])
    return found


def test_warm_up():
    """Fault: a step lost, or taken twice, where the line ends and the other begins."""
    o = sgd()
    got = rates(S.WarmupLR(o, 4, after=S.LinearLR(o, 1.0, 0.0, 2)), 7)
    assert got == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0, 0.5, 0.0, 0.0])
    assert rates(S.WarmupLR(sgd(), 2, start_factor=0.5), 4) == pytest.approx([0.5, 0.75, 1, 1, 1])


MAKE = {
    "StepLR": lambda o: S.StepLR(o, 2, 0.5),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, 5),
    "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(o, 3, 2),
    "OneCycleLR": lambda o: S.OneCycleLR(o, 2.0, total_steps=20),
    "CyclicLR": lambda o: S.CyclicLR(o, 0.1, 1.0, 3),
    "LambdaLR": lambda o: S.LambdaLR(o, lambda n: 1 / (n + 1)),
    "SequentialLR": lambda o: S.SequentialLR(o, [S.ConstantLR(o), S.ExponentialLR(o, 0.5)], [4]),
    "ChainedScheduler": lambda o: S.ChainedScheduler([S.ConstantLR(o), S.ExponentialLR(o, 0.5)]),
    "WarmupLR": lambda o: S.WarmupLR(o, 4, S.StepLR(o, 2, 0.5)),
    "SWALR": lambda o: optim.SWALR(o, 0.1, 4),
}


@pytest.mark.parametrize("name", MAKE)
def test_a_resumed_schedule_goes_on(name):
    """Fault: a counter or a first rate that a state does not carry."""
    first = sgd()
    one = MAKE[name](first)
    rates(one, 3)
    states = first.state_dict(), one.state_dict()
    expected = rates(one, 6)
    second = sgd()
    second.load_state_dict(states[0])
    other = MAKE[name](second)
    second.load_state_dict(states[0])
    other.load_state_dict(states[1])
    assert rates(other, 6) == pytest.approx(expected)


def test_plateau_resumes():
    o = sgd()
    one = S.ReduceLROnPlateau(o, patience=1, factor=0.5)
    for loss in (1.0, 1.0):
        one.step(loss)
    other = S.ReduceLROnPlateau(sgd(), patience=1, factor=0.5)
    other.load_state_dict(one.state_dict())
    for schedule in (one, other):
        schedule.step(mi.Tensor(1.0))
    assert one.get_last_lr() == other.get_last_lr() == [0.5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: S.StepLR(None, 2), mi.DTypeError, "StepLR: optimizer is a NoneType"),
        (lambda: S.StepLR(sgd(), 0), mi.ArgumentError, "StepLR: step_size is 0"),
        (lambda: S.StepLR(sgd(), 2, last_epoch=3), mi.ArgumentError, "no 'initial_lr'"),
        (lambda: S.LambdaLR(sgd(), [len, len]), mi.ArgumentError, "expected a function, or a list"),
        (lambda: S.OneCycleLR(sgd(), 1.0), mi.ArgumentError, "neither total_steps nor both"),
        (
            lambda: S.OneCycleLR(optim.AdaGrad([nn.Parameter([1.0])]), 1.0, 9),
            mi.ArgumentError,
            "no momentum to move",
        ),
        (lambda: rates(S.OneCycleLR(sgd(), 1.0, 3), 9), mi.ArgumentError, "no more steps"),
        (lambda: S.CyclicLR(sgd(), 0.1, [1.0, 2.0]), mi.ArgumentError, "max_lr has 2 values"),
        (lambda: S.ReduceLROnPlateau(sgd()).step(), mi.ArgumentError, r"step\(\) got no figure"),
        (lambda: S.ReduceLROnPlateau(sgd(), factor=1.0), mi.ArgumentError, "factor is 1.0"),
        (lambda: S.SequentialLR(sgd(), [], []), mi.ArgumentError, "schedulers is empty"),
        (
            lambda: S.ChainedScheduler([S.ExponentialLR(sgd(), 0.9), S.ExponentialLR(sgd(), 0.9)]),
            mi.ArgumentError,
            r"schedulers\[1\] belongs to another optimiser",
        ),
        (
            lambda: S.StepLR(sgd(), 2).load_state_dict({"gamma": 0.1}),
            nn.StateDictError,
            r"StepLR: the state has \['gamma'\]",
        ),
        (
            lambda: S.WarmupLR(sgd(), 2).load_state_dict({"schedulers": [{}]}),
            nn.StateDictError,
            r"WarmupLR: the state has \['schedulers'\]; expected",
        ),
        (
            lambda: S.CosineAnnealingWarmRestarts(sgd(), 3).step(-1),
            mi.ArgumentError,
            r"step\(-1\); expected a number of at least 0",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        (
            lambda o: [S.StepLR(o, 2), S.MultiplicativeLR(o, lambda epoch: 0.5)],
            [0.1, 0.05, 0.025, 0.0125, 0.00625],
        ),
        (
            lambda o: [S.StepLR(o, 2), optim.SWALR(o, 0.05, 3)],
            [0.1, 0.1, 0.0875, 0.0625, 0.05],
        ),
    ],
)
def test_the_second_of_a_sequence_goes_on_from_the_present_rate(schedules, expected):
    """Fault: a schedule without a formula cannot follow another. The rates are PyTorch 2.13's."""
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.1)
    schedule = S.SequentialLR(optimizer, schedules(optimizer), [2])
    found = []
    for _ in expected:
        schedule.step()
        found += schedule.get_last_lr()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_swa_goes_on_from_the_rate_that_another_schedule_left():
    """Fault: a jump back to the rate before. The rates are PyTorch 2.13's."""
    optimizer = optim.SGD([nn.Parameter([1.0])], lr=0.1)
    cosine, swa = S.CosineAnnealingLR(optimizer, 4), optim.SWALR(optimizer, 0.05, 3)
    found = []
    for _ in range(3):
        cosine.step()
        swa.step()
        found.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(found, [0.076517, 0.048274, 0.05], atol=1e-6)
