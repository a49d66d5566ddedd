"""Twenty steps of an MLP and of a small conv net, from equal weights, for each optimiser."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn, optim

STEPS = 20


def mlp(lib):
    return lib.Sequential(
        lib.Linear(10, 16), lib.Tanh(), lib.Linear(16, 16), lib.ReLU(), lib.Linear(16, 4)
    )


def conv_net(lib):
    return lib.Sequential(
        lib.Conv2d(2, 6, 3, padding=1, bias=False),  # a batch norm takes it off
        lib.BatchNorm2d(6),
        lib.ReLU(),
        lib.MaxPool2d(2),
        lib.Conv2d(6, 8, 3),
        lib.GELU(),
        lib.AvgPool2d(2),
        lib.Flatten(),
        lib.Linear(8, 4),
    )


MODELS = {"mlp": (mlp, (12, 10)), "conv": (conv_net, (12, 2, 8, 8))}

OPTIMISERS = {
    "sgd": ("SGD", "SGD", {"lr": 0.05}),
    "momentum": (
        "SGD", "SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01}
    ),
    "nesterov": ("SGD", "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    "adagrad": ("AdaGrad", "Adagrad", {"lr": 0.05, "lr_decay": 0.01, "weight_decay": 0.01}),
    "rmsprop": ("RMSProp", "RMSprop", {"lr": 0.002}),
    "rmsprop-options": (
        "RMSProp", "RMSprop", {"lr": 0.005, "momentum": 0.9, "centered": True, "weight_decay": 0.01}
    ),
    "adam": ("Adam", "Adam", {"lr": 0.005}),
    "adam-decay": ("Adam", "Adam", {"lr": 0.005, "weight_decay": 0.01}),
    "adamw": ("AdamW", "AdamW", {"lr": 0.005, "weight_decay": 0.1}),
}  # fmt: skip


@pytest.mark.parametrize(("dtype", "rel"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("model", MODELS)
def test_twenty_steps(model, optimiser, dtype, rel, parity):
    """Fault: another order of arithmetic, a default, a gradient or a running figure that drifts."""
    build, shape = MODELS[model]
    our_name, their_name, options = OPTIMISERS[optimiser]
    torch.manual_seed(0)
    theirs = build(torch.nn).to(getattr(torch, dtype))
    ours = build(nn).to(dtype)
    parity.copy_state(theirs, ours)
    step_ours = getattr(optim, our_name)(ours.parameters(), **options)
    step_theirs = getattr(torch.optim, their_name)(theirs.parameters(), **options)
    rng = np.random.default_rng(1)
    for step in range(STEPS):
        x = rng.normal(size=shape).astype(dtype)
        t = rng.integers(0, 4, size=shape[0])
        step_ours.zero_grad()
        step_theirs.zero_grad()
        loss = nn.CrossEntropyLoss()(ours(mi.Tensor(x)), mi.Tensor(t))
        their_loss = torch.nn.CrossEntropyLoss()(theirs(parity.to_torch(x)), parity.to_torch(t))
        loss.backward()
        their_loss.backward()
        parity.agree(loss, their_loss, rel)
        if step == 0:
            parity.gradients_agree(ours, theirs, rel)
        step_ours.step()
        step_theirs.step()
    parity.states_agree(ours, theirs, rel)


def test_a_pytorch_optimiser_state_has_the_same_names():
    """Fault: a state under other names than PyTorch's."""
    for our_name, their_name, options in OPTIMISERS.values():
        p, q = nn.Parameter([1.0]), torch.nn.Parameter(torch.ones(1))
        ours = getattr(optim, our_name)([p], **options)
        theirs = getattr(torch.optim, their_name)([q], **options)
        p.grad, q.grad = mi.ones(1), torch.ones(1)
        ours.step()
        theirs.step()
        got, expected = ours.state_dict()["state"], theirs.state_dict()["state"]
        names = {k for k, v in expected.get(0, {}).items() if v is not None}
        assert set(got.get(0, {})) | {"step"} == names | {"step"}
