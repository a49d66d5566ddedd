"""The loss of spellings, against all spellings written out."""

from itertools import groupby, product

import numpy as np
import pytest

import minima as mi
import minima.nn.functional as F

RNG = np.random.default_rng(0)


def shares(steps, classes):
    e = np.exp(RNG.normal(size=(steps, classes)))
    return e / e.sum(axis=1, keepdims=True)


def written_out(p, target, blank):
    """Return -log of the sum over all sequences that say *target*."""
    total = 0.0
    for path in product(range(p.shape[1]), repeat=p.shape[0]):
        said = [c for c, _ in groupby(path) if c != blank]
        if said == list(target):
            total += np.prod([p[t, c] for t, c in enumerate(path)])
    return -np.log(total) if total else np.inf


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("target", [[], [1], [1, 1], [1, 3], [3, 1, 3]])
def test_all_spellings(target, blank):
    """Fault: a spelling too many or too few, as of equal labels without a blank between."""
    p = shares(4, 4)
    logs = mi.Tensor(np.log(p)[:, None])
    y = F.ctc_loss(logs, mi.Tensor(np.array([target], "int64")), [4], [len(target)], blank)
    expected = written_out(p, target, blank) / max(len(target), 1)
    np.testing.assert_allclose(y.item(), expected, rtol=1e-12)


def test_a_share_of_nothing_has_a_gradient():
    """Fault: NaN where a logarithm is -infinity."""
    p = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]])
    with np.errstate(divide="ignore"):
        logs = mi.Tensor(np.log(p)[:, None], requires_grad=True)
    y = F.ctc_loss(logs, mi.Tensor([[1]]), [3], [1], reduction="sum")
    y.backward()
    np.testing.assert_allclose(y.item(), written_out(p, [1], 0), rtol=1e-12)
    assert np.isfinite(logs.grad.numpy()).all()


def test_half_precision():
    """Fault: a sum over steps that half precision cannot hold."""
    p = shares(4, 3)
    logs = mi.Tensor(np.log(p)[:, None].astype("float16"), requires_grad=True)
    y = F.ctc_loss(logs, mi.Tensor([[1, 2]]), [4], [2], reduction="sum")
    y.backward()
    assert (y.dtype, logs.grad.dtype) == (mi.float16, mi.float16)
    np.testing.assert_allclose(y.item(), written_out(p, [1, 2], 0), rtol=1e-2)


def test_compiled():
    """Fault: a plan that keeps the lengths or targets of the call that made it."""

    def function(logs, targets, shown, lengths):
        loss = F.ctc_loss(mi.log_softmax(logs), targets, shown, lengths)
        return loss, *mi.autograd.grad(loss, logs)

    compiled = mi.compile(function, executor="numpy")
    for seed in range(5):
        rng = np.random.default_rng(seed)
        logs = mi.Tensor(rng.normal(size=(7, 3, 4)), requires_grad=True)
        targets = mi.asarray(rng.integers(1, 4, (3, 3)))
        shown, lengths = mi.asarray(rng.integers(5, 8, 3)), mi.asarray(rng.integers(0, 4, 3))
        given = logs, targets, shown, lengths
        for found, expected in zip(compiled(*given), function(*given), strict=True):
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12, atol=1e-14)
    assert len(compiled.plans) == 1
    with pytest.raises(mi.ArgumentError, match="input_lengths are"):
        compiled(logs, targets, shown + 3, lengths)
