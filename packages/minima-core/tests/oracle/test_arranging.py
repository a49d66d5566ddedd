"""What moves, orders and accumulates, against PyTorch in float32: values and gradients."""

import numpy as np
import pytest
import torch

import minima as mi

SPREAD = np.random.default_rng(0).permutation(60).reshape(3, 4, 5) * 0.1 - 3.0
ZEROS = np.where(np.random.default_rng(1).random((3, 4, 5)) < 0.3, 0.0, SPREAD)

#: name -> ours, PyTorch's, the input
ROWS = {
    "cumsum": (lambda t: mi.cumsum(t, 1), lambda t: torch.cumsum(t, 1), SPREAD),
    "cumprod": (lambda t: mi.cumprod(t, 1), lambda t: torch.cumprod(t, 1), SPREAD),
    "cumprod zeros": (lambda t: mi.cumprod(t, 2), lambda t: torch.cumprod(t, 2), ZEROS),
    "cummax": (lambda t: mi.cummax(t, 0)[0], lambda t: torch.cummax(t, 0)[0], SPREAD),
    "cummax ties": (lambda t: mi.cummax(t, 2)[0], lambda t: torch.cummax(t, 2)[0], ZEROS),
    "cummax index": (lambda t: mi.cummax(t, 2)[1], lambda t: torch.cummax(t, 2)[1], ZEROS),
    "cummin ties": (lambda t: mi.cummin(t, 2)[0], lambda t: torch.cummin(t, 2)[0], ZEROS),
    "logcumsumexp": (
        lambda t: mi.logcumsumexp(t, 1),
        lambda t: torch.logcumsumexp(t, 1),
        SPREAD * 10,
    ),
    "prod": (lambda t: mi.prod(t, 1), lambda t: torch.prod(t, 1), SPREAD),
    "prod zeros": (lambda t: mi.prod(t, 2), lambda t: torch.prod(t, 2), ZEROS),
    "std": (
        lambda t: mi.std(t, 1, correction=1),
        lambda t: torch.std(t, 1, correction=1),
        SPREAD,
    ),
    "sort": (lambda t: mi.sort(t, axis=1), lambda t: torch.sort(t, 1)[0], SPREAD),
    "sort down": (
        lambda t: mi.sort(t, axis=2, descending=True),
        lambda t: torch.sort(t, dim=2, descending=True, stable=True)[0],
        ZEROS,
    ),
    "argsort": (
        lambda t: mi.argsort(t, axis=2, descending=True),
        lambda t: torch.argsort(t, dim=2, descending=True, stable=True),
        ZEROS,
    ),
    "topk": (lambda t: mi.topk(t, 2)[0], lambda t: torch.topk(t, 2)[0], SPREAD),
    "topk small": (
        lambda t: mi.topk(t, 2, 1, largest=False)[1],
        lambda t: torch.topk(t, 2, 1, largest=False)[1],
        SPREAD,
    ),
    "kthvalue": (lambda t: mi.kthvalue(t, 2, 1)[0], lambda t: torch.kthvalue(t, 2, 1)[0], SPREAD),
    "quantile": (
        lambda t: mi.quantile(t, [0.1, 0.6], 1),
        lambda t: torch.quantile(t, torch.tensor([0.1, 0.6]), 1),
        SPREAD,
    ),
    "diff": (lambda t: mi.diff(t, axis=1, n=2), lambda t: torch.diff(t, 2, 1), SPREAD),
    "roll": (
        lambda t: mi.roll(t, (1, -2), axis=(0, 2)),
        lambda t: torch.roll(t, (1, -2), (0, 2)),
        SPREAD,
    ),
    "rot90": (lambda t: mi.rot90(t, 3, (1, 2)), lambda t: torch.rot90(t, 3, (1, 2)), SPREAD),
    "tile": (lambda t: mi.tile(t, (2, 1, 3)), lambda t: torch.tile(t, (2, 1, 3)), SPREAD),
    "repeat": (
        lambda t: mi.repeat(t, 3, axis=1),
        lambda t: torch.repeat_interleave(t, 3, 1),
        SPREAD,
    ),
    "diagonal": (
        lambda t: mi.diagonal(t, 1, 0, 2),
        lambda t: torch.diagonal(t, 1, 0, 2),
        SPREAD,
    ),
    "diag_embed": (
        lambda t: mi.diag_embed(t, -1, 0, 2),
        lambda t: torch.diag_embed(t, -1, 0, 2),
        SPREAD,
    ),
    "split": (lambda t: mi.split(t, 3, 2)[1], lambda t: torch.split(t, 3, 2)[1], SPREAD),
    "chunk": (lambda t: mi.chunk(t, 3, 1)[1], lambda t: torch.chunk(t, 3, 1)[1], SPREAD),
}


@pytest.mark.parametrize(("ours", "theirs", "values"), ROWS.values(), ids=ROWS)
def test_values_and_gradients(ours, theirs, values):
    """Fault: another convention at ties, zeros or ends than PyTorch's, or a lost gradient."""
    array = values.astype("float32")
    x = mi.asarray(array).requires_grad_()
    t = torch.from_numpy(array.copy()).requires_grad_()
    y, expected = ours(x), theirs(t)
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), rtol=2e-5, atol=1e-5)
    if expected.dtype != torch.float32:
        return
    weight = np.linspace(0.5, 2.0, y.size, dtype="float32").reshape(y.shape)
    (y * mi.asarray(weight)).sum().backward()
    (expected * torch.from_numpy(weight)).sum().backward()
    size = np.abs(t.grad.numpy()).max()
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-4, atol=1e-5 * size)


def test_running_extremes_of_nan():
    """Fault: NaN that is passed over, or an index that is not PyTorch's."""
    array = np.array([1.0, np.nan, 2.0, np.nan, 3.0], "float32")
    for ours, theirs in ((mi.cummax, torch.cummax), (mi.cummin, torch.cummin)):
        found, expected = ours(mi.asarray(array)), theirs(torch.from_numpy(array), 0)
        assert found.indices.tolist() == expected.indices.tolist()
        np.testing.assert_array_equal(found.values.numpy(), expected.values.numpy())
