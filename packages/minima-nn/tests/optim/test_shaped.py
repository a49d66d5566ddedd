"""Lion, LAMB and Muon step by step in NumPy; means of models; L-BFGS's errors and its state."""

import numpy as np
import pytest

import minima as mi
from minima import nn, optim

RNG = np.random.default_rng(0)
START = RNG.normal(size=(4, 3))
GRADIENTS = RNG.normal(size=(6, 4, 3))


def run(make, dtype="float64"):
    p = nn.Parameter(START.astype(dtype))
    optimizer = make([p])
    for g in GRADIENTS:
        p.grad = mi.Tensor(g.astype(dtype))
        optimizer.step()
    return p.numpy()


def lion(lr, betas, weight_decay):
    x, m = START.copy(), np.zeros_like(START)
    for g in GRADIENTS:
        x = x - lr * (np.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * x)
        m = betas[1] * m + (1 - betas[1]) * g
    return x


def lamb(lr, betas, eps, weight_decay):
    x, m, v = START.copy(), np.zeros_like(START), np.zeros_like(START)
    for t, g in enumerate(GRADIENTS, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        r = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps) + weight_decay * x
        x = x - lr * np.linalg.norm(x) / np.linalg.norm(r) * r
    return x


def muon(lr, weight_decay, momentum, nesterov, adjust_lr_fn=None):
    x, b = START.T.copy(), np.zeros_like(START.T)  # rows are what a layer gives
    for g in GRADIENTS.transpose(0, 2, 1):
        b = momentum * b + (1 - momentum) * g
        o = (1 - momentum) * g + momentum * b if nesterov else b
        o = o / np.linalg.norm(o)
        for _ in range(5):
            y = o @ o.T
            o = 3.4445 * o + (-4.775 * y + 2.0315 * y @ y) @ o
        rate = 0.2 * np.sqrt(4) if adjust_lr_fn else np.sqrt(max(1, x.shape[0] / x.shape[1]))
        x = x * (1 - lr * weight_decay) - lr * rate * o
    return x.T


ROWS = [
    ("Lion", lion, {"lr": 0.1, "betas": (0.8, 0.9), "weight_decay": 0.2}),
    ("LAMB", lamb, {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.2}),
    ("Muon", muon, {"lr": 0.1, "weight_decay": 0.2, "momentum": 0.9, "nesterov": True}),
    (
        "Muon",
        muon,
        {
            "lr": 0.1, "weight_decay": 0.0, "momentum": 0.5, "nesterov": False,
            "adjust_lr_fn": "match_rms_adamw",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "oracle", "options"), ROWS)
def test_steps(name, oracle, options):
    """Fault: another formula than the paper's."""
    got = run(lambda p: getattr(optim, name)(p, **options))
    np.testing.assert_allclose(got, oracle(**options), rtol=1e-10)
    assert run(lambda p: getattr(optim, name)(p, **options), "float32").dtype == "float32"


def test_muons_step_is_nearly_orthogonal():
    """Fault: an iteration that does not converge, or a transpose left out."""
    for shape in ((3, 8), (8, 3)):
        p = nn.Parameter(np.zeros(shape))
        p.grad = mi.Tensor(np.random.default_rng(1).normal(size=shape))
        optim.Muon([p], lr=1.0, weight_decay=0.0, adjust_lr_fn=None).step()
        step = np.linalg.svd(p.numpy() / np.sqrt(max(1, shape[1] / shape[0])))[1]
        assert (step > 0.5).all()
        assert (step < 1.5).all()


def test_lamb_without_a_norm():
    """Fault: 0 / 0 where a parameter, or its gradient, is 0."""
    p, q = nn.Parameter(np.zeros(3)), nn.Parameter(np.ones(3))
    optimizer = optim.LAMB([p, q], lr=0.5)
    p.grad, q.grad = mi.Tensor(np.ones(3)), mi.Tensor(np.zeros(3))
    optimizer.step()
    np.testing.assert_allclose(p.numpy(), -0.5, rtol=1e-5)
    np.testing.assert_array_equal(q.numpy(), 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: optim.Muon([nn.Parameter([1.0])]), r"Muon: a parameter has shape \(1,\)"),
        (lambda p: optim.Muon(p, ns_steps=-1), "Muon: ns_steps is -1"),
        (lambda p: optim.Rprop(p, etas=(1.5, 1.2)), "Rprop: etas is"),
        (lambda p: optim.Adadelta(p, rho=2.0), "Adadelta: rho is 2.0"),
        (lambda p: optim.Adafactor(p, beta2_decay=1.0), "Adafactor: beta2_decay is 1.0"),
        (lambda p: optim.NAdam(p, betas=(1.0, 0.9)), r"NAdam: betas\[0\] is 1.0"),
        (lambda p: optim.Lion(p, lr=-1.0), "Lion: lr is -1.0"),
        (lambda p: optim.LBFGS(p, line_search_fn="exact"), "LBFGS: line_search_fn is 'exact'"),
        (lambda p: optim.LBFGS(p).step(), r"LBFGS: step\(\) got no closure"),
        (lambda p: optim.LBFGS(p).step(lambda: None), "LBFGS: the closure returned None"),
        (
            lambda p: optim.LBFGS([{"params": p}, {"params": [nn.Parameter([1.0])]}]),
            "LBFGS: got a second group",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(mi.MinimaError, match=message):
        make([nn.Parameter([[1.0]])])


def rosenbrock(p, optimizer):
    def closure():
        optimizer.zero_grad()
        loss = (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2
        loss.backward()
        return loss

    return closure


def test_lbfgs_solves_and_resumes():
    """Fault: a search that ends far from the minimum; a memory that a state does not carry."""
    p = nn.Parameter(np.array([-1.5, 2.0]))
    optimizer = optim.LBFGS([p], max_iter=4, line_search_fn="strong_wolfe")
    for _ in range(4):
        optimizer.step(rosenbrock(p, optimizer))
    q = nn.Parameter(p.detach().clone())
    other = optim.LBFGS([q])
    other.load_state_dict(optimizer.state_dict())
    for _ in range(12):
        optimizer.step(rosenbrock(p, optimizer))
        other.step(rosenbrock(q, other))
    np.testing.assert_array_equal(p.numpy(), q.numpy())
    np.testing.assert_allclose(p.numpy(), 1.0, atol=1e-5)


def test_means_of_models():
    """Fault: a mean that weighs the values wrongly, or shares the model's memory."""
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    plain, moving = optim.AveragedModel(net, use_buffers=True), optim.EMA(net, 0.9)
    seen = []
    for value in (1.0, 2.0, 6.0):
        with mi.no_grad():
            net[0].weight.fill_(value)
            net[1].running_mean.fill_(value)
        plain.update_parameters(net)
        moving.update_parameters(net)
        seen.append(value)
    np.testing.assert_allclose(plain.module[0].weight.numpy(), 3.0, rtol=1e-6)
    np.testing.assert_allclose(plain.module[1].running_mean.numpy(), 3.0, rtol=1e-6)
    expected = (seen[0] * 0.9 + seen[1] * 0.1) * 0.9 + seen[2] * 0.1
    np.testing.assert_allclose(moving.module[0].weight.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(moving.module[1].running_mean.numpy(), 6.0)
    assert int(plain.n_averaged) == 3
    assert plain(mi.ones((4, 2))).shape == (4, 3)


def test_means_of_buffers_in_bfloat16():
    """Fault: running figures of a narrow type, taken for counts and copied."""
    pytest.importorskip("ml_dtypes", reason="ml_dtypes, which has bfloat16, is not installed")
    net = nn.BatchNorm1d(2).bfloat16()
    mean = optim.AveragedModel(net, use_buffers=True)
    for value in (1.0, 3.0):
        net.running_mean.fill_(value)
        mean.update_parameters(net)
    assert mean.module.running_mean.tolist() == [2.0, 2.0]


def test_update_bn():
    """Fault: figures that remember what they were, or a mode or momentum not put back."""
    net = nn.BatchNorm1d(2).eval()
    net(mi.ones((2, 2)))
    batches = [RNG.normal(size=(8, 2)).astype("float32") for _ in range(3)]
    optim.update_bn([(mi.Tensor(b), None) for b in batches], net)
    expected = np.mean([b.mean(0) for b in batches], 0)
    np.testing.assert_allclose(net.running_mean.numpy(), expected, rtol=1e-5)
    assert (net.momentum, net.training) == (0.1, False)
