"""Compiled training steps: parameters bit for bit as eager, whatever the optimiser and model."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minima as mi
from minima import nn, optim


def batch(seed, *shape, classes=5):
    rng = np.random.default_rng(seed)
    x = mi.asarray(rng.standard_normal(shape, dtype=np.float32))
    return x, mi.asarray(rng.integers(0, classes, shape[0]))


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 7), nn.Tanh(), nn.Linear(7, 5))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(36, 5),
    )


MODELS = {
    "mlp": (mlp, (4, 6)),
    "residual": (
        lambda: nn.Sequential(nn.Residual(nn.Linear(6, 6)), nn.LayerNorm1d(6), nn.Linear(6, 5)),
        (4, 6),
    ),
    "convolutional": (convolutional, (4, 1, 6, 6)),
}
OPTIMISERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-2, nesterov=True),
    "adagrad": lambda p: optim.AdaGrad(p, lr=0.1, lr_decay=0.1),
    "rmsprop": lambda p: optim.RMSProp(p, lr=0.01, momentum=0.5, centered=True),
    "adam": lambda p: optim.Adam(p, lr=0.01, weight_decay=1e-2),
    "adamw": lambda p: optim.AdamW(p, lr=0.01),
    "nadam": lambda p: optim.NAdam(p, lr=0.01, weight_decay=1e-2),
    "radam": lambda p: optim.RAdam(p, lr=0.01),
    "asgd": lambda p: optim.ASGD(p, lr=0.1, lambd=0.1, t0=3),
    "adafactor": lambda p: optim.Adafactor(p, lr=0.4, weight_decay=1e-2),
}
#: the formula changes in the course of the steps
CHANGES = {"radam": 2, "asgd": 2}


def training(model, optimiser, compiled):
    """Return a model and its step, from the same seed each time."""
    mi.manual_seed(0)
    network = model()
    optimizer = optimiser(network.parameters())
    loss_function = nn.CrossEntropyLoss()

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_function(network(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return network, optimizer, mi.compile(step) if compiled else step


def run(model, shape, optimiser, compiled, steps=8, schedule=True):
    network, optimizer, step = training(model, optimiser, compiled)
    losses = []
    for i in range(steps):
        if schedule:
            optimizer.param_groups[0]["lr"] *= 0.9
        losses.append(step(*batch(i, *shape)).item())
    state = {k: v.numpy().copy() for k, v in network.state_dict().items()}
    return losses, state, step, optimizer


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("model", MODELS)
def test_compiled_training_equals_eager(model, optimiser):
    make, shape = MODELS[model]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        losses, state, step, _ = run(make, shape, OPTIMISERS[optimiser], True)
    expected, expected_state, _, _ = run(make, shape, OPTIMISERS[optimiser], False)
    assert losses == expected
    for name, value in expected_state.items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)
    plans = CHANGES.get(optimiser, 1)
    assert len(step.plans) == plans, "a learning rate that changes needs no other plan"


def test_the_updates_of_all_parameters_are_one():
    few = [s.name for s in run(mlp, (4, 6), OPTIMISERS["adam"], True)[2].plans[0].launches()]
    one = [nn.Linear(6, 5)]
    single = run(lambda: nn.Sequential(*one), (4, 6), OPTIMISERS["adam"], True)[2].plans[0]
    assert few.count("sqrt") == 1
    assert [s.name for s in single.launches()].count("sqrt") == 1


def test_two_plans_share_one_flat_buffer():
    network, _, step = training(mlp, OPTIMISERS["adam"], True)
    for n in (4, 3) * 4:  # full batches and a last, smaller one
        step(*batch(n, n, 6))
    assert len(step.plans) == 2
    places = [p.numpy().ctypes.data for p in network.parameters()]
    for n in (4, 3) * 2:
        step(*batch(n, n, 6))
    assert places == [p.numpy().ctypes.data for p in network.parameters()]
    assert len(step.plans) == 2


@pytest.mark.parametrize("name", ["adam", "nadam"])
def test_state_is_the_optimisers_own_after_replays(name):
    *_, eager = run(mlp, (4, 6), OPTIMISERS[name], False)
    *_, compiled = run(mlp, (4, 6), OPTIMISERS[name], True)
    a, b = eager.state_dict(), compiled.state_dict()
    assert a["param_groups"] == b["param_groups"]
    for number, state in a["state"].items():
        assert state["step"] == b["state"][number]["step"] == 8
        assert state.get("mu_product") == b["state"][number].get("mu_product")
        for slot in ("exp_avg", "exp_avg_sq"):
            np.testing.assert_array_equal(state[slot].numpy(), b["state"][number][slot].numpy())


@pytest.mark.parametrize("name", ["Adam", "RAdam", "NAdam"])
def test_two_steps_in_one_call(name):
    """Catches a plan in which both count as the last, or the first decides for the second."""

    def train(compiled):
        mi.manual_seed(0)
        w = nn.Parameter([1.0, 2.0])
        optimizer = getattr(optim, name)([w], lr=0.1)

        def twice():
            for _ in range(2):
                optimizer.zero_grad()
                (w * w).sum().backward()
                optimizer.step()
            return w.sum()

        step = mi.compile(twice) if compiled else twice
        return [step().item() for _ in range(6)]

    assert train(True) == train(False)


def test_an_option_that_is_no_number_makes_another_plan():
    """Catches a plan that goes on with what an option was, True or False, when it was made."""

    def train(compiled):
        mi.manual_seed(0)
        network = mlp()
        optimizer = optim.Adam(network.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = (network(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        run = mi.compile(step) if compiled else step
        losses = []
        for i in range(8):
            optimizer.param_groups[0]["maximize"] = i >= 4
            losses.append(run(batch(i, 4, 6)[0]).item())
        return losses

    assert train(True) == train(False)


def test_loading_a_state_goes_on_from_it():
    network, _, step = training(mlp, OPTIMISERS["sgd"], True)
    for i in range(4):
        step(*batch(i, 4, 6))
    start = {k: v.clone() for k, v in network.state_dict().items()}
    first = [step(*batch(i, 4, 6)).item() for i in range(3)]
    network.load_state_dict(start)
    assert [step(*batch(i, 4, 6)).item() for i in range(3)] == first


def test_train_and_eval_have_plans_of_their_own():
    mi.manual_seed(0)
    network = convolutional()
    predict = mi.compile(network)
    x, _ = batch(0, 4, 1, 6, 6)
    with mi.no_grad():
        for _ in range(3):
            predict(x)
        network.eval()
        expected = network(x).numpy()
        for _ in range(3):
            np.testing.assert_array_equal(predict(x).numpy(), expected)
        network.train()
        assert not np.array_equal(predict(x).numpy(), expected)
    assert len(predict.plans) == 2


def test_dropout_draws_as_eagerly():
    def network():
        return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.5), nn.Linear(8, 5))

    assert (
        run(network, (4, 6), OPTIMISERS["sgd"], True)[0]
        == (run(network, (4, 6), OPTIMISERS["sgd"], False)[0])
    )


def test_a_hook_added_later_is_called():
    network = nn.Linear(6, 5)
    predict = mi.compile(network)
    seen = []
    with mi.no_grad():
        for _ in range(3):
            predict(mi.ones((2, 6)))
        network.register_forward_hook(lambda module, args, y: seen.append(y.shape))
        with pytest.warns(mi.CompileWarning, match="hooks"):
            predict(mi.ones((2, 6)))
    assert seen == [(2, 5)]


def test_shared_memory_is_left_where_it_is():
    network, _, step = training(mlp, OPTIMISERS["adam"], True)
    alias = network.parameters()[0].detach()
    for i in range(5):
        step(*batch(i, 4, 6))
    np.testing.assert_array_equal(alias.numpy(), network.parameters()[0].numpy())
