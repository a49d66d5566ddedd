"""The losses with every option, as PyTorch's."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn

RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.5, 2.0, size=4)


def compare(parity, ours, theirs, x, targets, dtype):
    rel = 1e-5 if dtype == "float32" else 1e-12
    a = mi.Tensor(x.astype(dtype), requires_grad=True)
    b = parity.to_torch(x.astype(dtype)).requires_grad_()
    y, z = ours(a, mi.Tensor(targets)), theirs(b, parity.to_torch(targets))
    parity.agree(y, z, rel)
    y.sum().backward()
    z.sum().backward()
    parity.agree(a.grad, b.grad, rel)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("ignore", [-100, 2])
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2, 2), (4,)])
def test_class_numbers(parity, dtype, reduction, weighted, smoothing, ignore, shape):
    """Fault: options that do not work together as PyTorch's do."""
    targets = RNG.integers(0, 4, size=shape[:1] + shape[2:] if len(shape) > 1 else ())
    if targets.ndim:
        targets.flat[0] = ignore
        targets.flat[1] = 1
    else:
        targets = np.array(1)
    options = {"reduction": reduction, "label_smoothing": smoothing, "ignore_index": ignore}
    weight = WEIGHT.astype(dtype) if weighted else None
    compare(
        parity,
        nn.CrossEntropyLoss(None if weight is None else mi.Tensor(weight), **options),
        torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **options),
        RNG.normal(size=shape),
        targets,
        dtype,
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 2, 2), (4,)])
def test_probabilities(parity, dtype, reduction, weighted, smoothing, shape):
    """Fault: a mean over another count than PyTorch's."""
    p = RNG.uniform(size=shape)
    p /= p.sum(axis=min(1, len(shape) - 1), keepdims=True)
    options = {"reduction": reduction, "label_smoothing": smoothing}
    weight = WEIGHT.astype(dtype) if weighted else None
    compare(
        parity,
        nn.CrossEntropyLoss(None if weight is None else mi.Tensor(weight), **options),
        torch.nn.CrossEntropyLoss(None if weight is None else torch.tensor(weight), **options),
        RNG.normal(size=shape),
        p.astype(dtype),
        dtype,
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_mean_squared_error(parity, reduction, dtype):
    """Fault: a factor."""
    compare(
        parity,
        nn.MSELoss(reduction=reduction),
        torch.nn.MSELoss(reduction=reduction),
        RNG.normal(size=(5, 3)),
        RNG.normal(size=(5, 3)).astype(dtype),
        dtype,
    )


def test_all_targets_ignored_is_nan_as_in_pytorch():
    """Fault: a loss of 0, which looks like success."""
    x, t = np.zeros((2, 3), "float32"), np.array([-100, -100])
    assert np.isnan(torch.nn.CrossEntropyLoss()(torch.tensor(x), torch.tensor(t)).item())
    assert np.isnan(nn.CrossEntropyLoss()(mi.Tensor(x), mi.Tensor(t)).item())
