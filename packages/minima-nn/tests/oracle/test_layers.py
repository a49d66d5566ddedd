"""Every layer with its options: output, gradients and running figures as PyTorch's."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn

T = torch.nn

#: minima's layer, PyTorch's, and the shape of the input
ROWS = [
    (lambda: nn.Linear(5, 3), lambda: T.Linear(5, 3), (4, 5)),
    (lambda: nn.Linear(5, 3, bias=False), lambda: T.Linear(5, 3, bias=False), (2, 4, 5)),
    (nn.Identity, T.Identity, (2, 3)),
    (nn.Flatten, T.Flatten, (2, 3, 4, 5)),
    (lambda: nn.Flatten(0, 2), lambda: T.Flatten(0, 2), (2, 3, 4, 5)),
    (nn.ReLU, T.ReLU, (7, 5)),
    (nn.Sigmoid, T.Sigmoid, (7, 5)),
    (nn.Tanh, T.Tanh, (7, 5)),
    (nn.GELU, T.GELU, (7, 5)),
    (lambda: nn.GELU(approximate="tanh"), lambda: T.GELU(approximate="tanh"), (7, 5)),
    (nn.Softmax, lambda: T.Softmax(dim=1), (7, 5, 3)),
    (lambda: nn.Softmax(dim=-1), lambda: T.Softmax(dim=-1), (7, 5, 3)),
    (lambda: nn.Dropout(0.0), lambda: T.Dropout(0.0), (7, 5)),
    (lambda: nn.Dropout(1.0), lambda: T.Dropout(1.0), (7, 5)),
    (lambda: nn.LayerNorm1d(5), lambda: T.LayerNorm(5), (7, 5)),
    (lambda: nn.LayerNorm1d(5, eps=0.1), lambda: T.LayerNorm(5, eps=0.1), (2, 7, 5)),
    (lambda: nn.LayerNorm1d((3, 4, 5)), lambda: T.LayerNorm((3, 4, 5)), (2, 3, 4, 5)),
    (lambda: nn.BatchNorm1d(5), lambda: T.BatchNorm1d(5), (7, 5)),
    (lambda: nn.BatchNorm1d(5, 0.1, 0.3), lambda: T.BatchNorm1d(5, 0.1, 0.3), (7, 5, 4)),
    (lambda: nn.BatchNorm1d(5, momentum=None), lambda: T.BatchNorm1d(5, momentum=None), (7, 5)),
    (lambda: nn.BatchNorm2d(3), lambda: T.BatchNorm2d(3), (4, 3, 5, 6)),
    (
        lambda: nn.BatchNorm2d(3, affine=False, track_running_stats=False),
        lambda: T.BatchNorm2d(3, affine=False, track_running_stats=False),
        (4, 3, 5, 6),
    ),
    (lambda: nn.Conv2d(4, 6, 3), lambda: T.Conv2d(4, 6, 3), (2, 4, 7, 8)),
    (
        lambda: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), dilation=(1, 2), groups=2, bias=False),
        lambda: T.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), dilation=(1, 2), groups=2, bias=False),
        (2, 4, 7, 8),
    ),
    (
        lambda: nn.Conv2d(4, 6, (3, 2), padding="same", dilation=(1, 3)),
        lambda: T.Conv2d(4, 6, (3, 2), padding="same", dilation=(1, 3)),
        (2, 4, 7, 8),
    ),
    (
        lambda: nn.Conv2d(4, 4, 3, padding="valid", groups=4),
        lambda: T.Conv2d(4, 4, 3, padding="valid", groups=4),
        (2, 4, 7, 8),
    ),
    (lambda: nn.MaxPool2d(2), lambda: T.MaxPool2d(2), (2, 3, 7, 8)),
    (lambda: nn.MaxPool2d((3, 2), 1, (1, 1)), lambda: T.MaxPool2d((3, 2), 1, (1, 1)), (2, 3, 7, 8)),
    (lambda: nn.AvgPool2d(2), lambda: T.AvgPool2d(2), (2, 3, 7, 8)),
    (lambda: nn.AvgPool2d((3, 2), 1, (1, 1)), lambda: T.AvgPool2d((3, 2), 1, (1, 1)), (2, 3, 7, 8)),
]


@pytest.mark.parametrize(("dtype", "rel"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda i: f"{ROWS[i][1]()}")
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
def test_layer(row, dtype, rel, parity):
    """Fault: another formula, default, or meaning of an option than PyTorch's."""
    make, make_theirs, shape = ROWS[row]
    torch.manual_seed(0)
    ours, theirs = make().to(dtype), make_theirs().to(getattr(torch, dtype))
    parity.copy_state(theirs, ours)
    rng = np.random.default_rng(0)
    for training in (True, True, False):
        x = rng.normal(size=shape).astype(dtype)
        a, b = mi.Tensor(x, requires_grad=True), parity.to_torch(x).requires_grad_()
        y, z = ours.train(training)(a), theirs.train(training)(b)
        parity.agree(y, z, rel)
        g = rng.normal(size=y.shape).astype(dtype)
        y.backward(mi.Tensor(g))
        z.backward(parity.to_torch(g))
        parity.agree(a.grad, b.grad, rel)
        parity.gradients_agree(ours, theirs, rel)
        parity.states_agree(ours, theirs, rel)


def test_a_backward_hook_sees_what_pytorchs_sees(parity):
    """Fault: other gradients, or another order of layers, than register_full_backward_hook's."""
    torch.manual_seed(0)
    theirs = T.Sequential(T.Linear(3, 4), T.Tanh(), T.Linear(4, 2))
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    parity.copy_state(theirs, ours)
    calls = {"ours": [], "theirs": []}
    for module in ours.modules():
        module.register_backward_hook(lambda m, gi, go: calls["ours"].append((m, gi, go)))
    for module in theirs.modules():
        module.register_full_backward_hook(lambda m, gi, go: calls["theirs"].append((m, gi, go)))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    ours(mi.Tensor(x, requires_grad=True)).sum().backward()
    theirs(parity.to_torch(x).requires_grad_()).sum().backward()
    assert [type(m).__name__ for m, _, _ in calls["ours"]] == [
        type(m).__name__ for m, _, _ in calls["theirs"]
    ]
    for (_, gi, go), (_, hi, ho) in zip(calls["ours"], calls["theirs"], strict=True):
        for g, h in zip((*gi, *go), (*hi, *ho), strict=True):
            parity.agree(g, h, 1e-5)


def test_parameters_and_state_come_in_pytorchs_order():
    """Fault: an optimiser state, which counts parameters, that lands at the wrong one."""

    def build(lib):
        class Net(lib.Module):
            def __init__(self):
                super().__init__()
                self.body = lib.Linear(2, 2)
                self.scale = lib.Parameter(torch.ones(1) if lib is T else mi.ones(1))
                self.norm = lib.BatchNorm1d(2)
                self.again = self.body

        return Net()

    ours, theirs = build(nn), build(T)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_modules()] == [n for n, _ in theirs.named_modules()]
