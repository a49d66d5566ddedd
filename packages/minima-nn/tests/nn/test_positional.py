"""Calls whose options are given by their place, as programs for PyTorch write them."""

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.data import DataLoader
from minima.nn import functional as F

#: the call, and the same with names
ROWS = [
    (lambda: nn.Conv2d(3, 6, 5, 1, 2), lambda: nn.Conv2d(3, 6, 5, stride=1, padding=2)),
    (
        lambda: nn.ConvTranspose2d(3, 6, 4, 2, 1, 1, 1, False),
        lambda: nn.ConvTranspose2d(3, 6, 4, stride=2, padding=1, output_padding=1, bias=False),
    ),
    (lambda: nn.MaxPool2d(3, 2, 1), lambda: nn.MaxPool2d(3, stride=2, padding=1)),
    (lambda: nn.Linear(2, 3, False), lambda: nn.Linear(2, 3, bias=False)),
    (lambda: nn.Dropout(0.5, True), lambda: nn.Dropout(p=0.5, inplace=True)),
    (lambda: nn.ReLU(True), lambda: nn.ReLU(inplace=True)),
    (lambda: nn.GELU("tanh"), lambda: nn.GELU(approximate="tanh")),
    (lambda: nn.Embedding(10, 3, 0), lambda: nn.Embedding(10, 3, padding_idx=0)),
    (lambda: nn.LSTM(10, 20, 2), lambda: nn.LSTM(10, 20, num_layers=2)),
    (
        lambda: nn.GRU(3, 4, 1, True, True),
        lambda: nn.GRU(3, 4, num_layers=1, bias=True, batch_first=True),
    ),
    (
        lambda: nn.BatchNorm2d(3, 1e-3, 0.01, False),
        lambda: nn.BatchNorm2d(3, eps=1e-3, momentum=0.01, affine=False),
    ),
    (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.2, "gelu"),
        lambda: nn.TransformerEncoderLayer(
            8, 2, dim_feedforward=16, dropout=0.2, activation="gelu"
        ),
    ),
    (lambda: nn.HuberLoss("sum", 0.5), lambda: nn.HuberLoss(reduction="sum", delta=0.5)),
]


@pytest.mark.parametrize(("call", "named"), ROWS, ids=lambda call: None)
def test_layers(call, named):
    """Fault: an option that only its name reaches, or another in its place."""
    assert repr(call()) == repr(named())
    assert [p.shape for p in call().parameters()] == [p.shape for p in named().parameters()]


def test_losses():
    """Fault: the reduction by its place is refused."""
    x, y = mi.Tensor([1.0, 4.0]), mi.Tensor([0.0, 2.0])
    assert float(F.huber_loss(x, y, "sum", 1.0)) == 2.0
    assert F.gaussian_nll_loss(x, y, mi.ones(2), False, 1e-6, "none").shape == (2,)


def test_loader():
    """Fault: the sampler, collation or the rest by its place is refused."""
    data = list(range(5))
    loader = DataLoader(data, 2, False, [4, 2, 0], None, 0, lambda batch: batch, False, True)
    assert list(loader) == [[4, 2]]


def test_a_state_that_does_not_fit_is_a_runtime_error():
    """Fault: ``except RuntimeError``, which is what PyTorch raises, does not catch it."""
    with pytest.raises(RuntimeError, match="missing: weight, bias"):
        nn.Linear(2, 1).load_state_dict({})
    with pytest.raises(ValueError, match="missing"):
        nn.Linear(2, 1).load_state_dict({"weight": np.ones((2, 1), "float32")})
