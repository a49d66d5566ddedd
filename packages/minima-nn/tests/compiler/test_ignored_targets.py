"""Targets that are ignored, in plans that were made from calls with and without them."""

import numpy as np
import pytest

import minima as mi
from minima import nn

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
FULL, SOME = [0, 1, 2, 0], [0, -100, 2, -100]


def step(layer, change=lambda t: t):
    def run(x, targets):
        x = x.detach().requires_grad_()
        loss = layer(x * 2.0, change(targets))
        loss.sum().backward()
        return loss.detach(), x.grad

    return run


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("change", [lambda t: t, lambda t: t + 0], ids=["argument", "computed"])
@pytest.mark.parametrize("calls", [(FULL, SOME), (SOME, FULL)], ids=["full first", "some first"])
def test_any_targets_fit_any_plan(reduction, change, calls):
    """Fault: a plan that ignores what the call did that it was made from, and nothing else."""
    eager = step(nn.CrossEntropyLoss(reduction=reduction), change)
    compiled = mi.compile(eager)
    first, other = calls
    for targets in (first, first, other, other, first, other):
        given = mi.Tensor(X), mi.Tensor(targets)
        for got, expected in zip(compiled(*given), eager(*given), strict=True):
            np.testing.assert_allclose(got.numpy(), expected.numpy(), 1e-6, 1e-7)
    assert 1 <= len(compiled.plans) <= 2


def test_a_target_that_is_no_class():
    """Fault: a number out of range that passes for one to ignore."""
    loss = mi.compile(lambda x, t: nn.functional.cross_entropy(x, t))
    for targets in (FULL, FULL, FULL, SOME, SOME):
        loss(mi.Tensor(X), mi.Tensor(targets))
    with pytest.raises(mi.IndexRangeError, match="got class 3"):
        loss(mi.Tensor(X), mi.Tensor([0, 1, 2, 3]))
