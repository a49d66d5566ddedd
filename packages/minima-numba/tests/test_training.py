"""Whole training steps: after 20 of them the parameters are those of eager training."""

import numpy as np
import pytest

import minima as mi

nn = pytest.importorskip("minima.nn", reason="minima-nn is not installed")


class Attention(nn.Module):
    """A block as in transformers: layer norm, attention, GELU, with residual connections."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.LayerNorm(16), nn.LayerNorm(16)
        self.query, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.wide, self.narrow = nn.Linear(16, 32), nn.Linear(32, 16)
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = (
            part.reshape(b, t, 2, d // 2).permute((0, 2, 1, 3))
            for part in (self.query(self.first(x))[..., i * d : i * d + d] for i in range(3))
        )
        weights = mi.softmax(q @ k.mT * (d // 2) ** -0.5, axis=-1)
        x = x + self.out((weights @ v).permute((0, 2, 1, 3)).reshape(b, t, d))
        x = x + self.narrow(mi.gelu(self.wide(self.second(x))))
        return self.head(x.mean(axis=1))


def mlp():
    return nn.Sequential(
        nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 4)
    )


def cnn():  # a bias before batch norm has gradient 0, of which Adam makes steps of noise
    return nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.2), nn.Flatten(), nn.Linear(6 * 16, 10, bias=False), nn.BatchNorm1d(10),
        nn.ReLU(), nn.Linear(10, 4),
    )  # fmt: skip


MODELS = {"mlp": (mlp, (16, 12)), "cnn": (cnn, (8, 2, 8, 8)), "attention": (Attention, (4, 6, 16))}
OPTIMIZERS = {
    "SGD": lambda p: mi.optim.SGD(p, lr=0.05),
    "momentum": lambda p: mi.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=1e-3),
    "Adam": lambda p: mi.optim.Adam(p, lr=1e-3, eps=1e-4),
    "AdamW": lambda p: mi.optim.AdamW(p, lr=1e-3, eps=1e-4),
    "AdaGrad": lambda p: mi.optim.AdaGrad(p, lr=1e-3, eps=1e-4),
    "RMSProp": lambda p: mi.optim.RMSProp(p, lr=1e-3, eps=1e-4, momentum=0.5),
}


def trained(model, optimizer, executor, steps=20, schedule=None):
    """Return the parameters after some steps, and the compiled step."""
    make, shape = MODELS[model]
    mi.manual_seed(1)
    net = make()
    optim = OPTIMIZERS[optimizer](net.parameters())
    loss_function = nn.CrossEntropyLoss()

    def step(x, y):
        loss = loss_function(net(x), y)
        optim.zero_grad()
        loss.backward()
        optim.step()
        return loss

    run = mi.compile(step, executor=executor) if executor else step
    rng = np.random.default_rng(0)
    for i in range(steps):
        if schedule is not None:
            optim.param_groups[0]["lr"] = schedule(i)
        x = mi.asarray(rng.standard_normal(shape, dtype=np.float32))
        run(x, mi.asarray(rng.integers(0, 4, shape[0])))
    return [t.numpy().copy() for t in net.state_dict().values()], run


def close(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1e-2, np.abs(b).max()))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("model", MODELS)
def test_parameters_are_those_of_eager_training(model, optimizer):
    """Catches a gradient, a moment or a running mean that a fused loop gets wrong."""
    expected, _ = trained(model, optimizer, None)
    found, run = trained(model, optimizer, "numba")
    assert len(run.plans) == 1
    close(found, expected)


def test_learning_rates_act_without_a_new_plan():
    """Catches a learning rate that is written into the code."""

    def schedule(i):
        return 0.1 / (i + 1)

    expected, _ = trained("mlp", "momentum", None, schedule=schedule)
    found, run = trained("mlp", "momentum", "numba", schedule=schedule)
    assert len(run.plans) == 1
    close(found, expected)


def test_a_step_is_a_few_native_launches():
    """Catches steps that no longer fuse: 53 are left without."""
    _, run = trained("mlp", "Adam", "numba", steps=3)
    [plan] = run.plans
    names = [s.name for s in plan.launches()]
    assert names.count("matmul") == 8
    assert len(names) == 8 + 6
    assert plan.source.count("\n") < 40
