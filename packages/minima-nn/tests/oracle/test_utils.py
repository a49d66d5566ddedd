"""nn.utils beside PyTorch's: norms of gradients, the first form of spectral normalisation."""

import numpy as np
import pytest
import torch

import minima as mi
from minima import nn


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, 0.5, float("inf")])
def test_clipped_gradients(norm_type):
    """Fault: another norm, or another small number in the divisor."""
    rng = np.random.default_rng(0)
    shapes = [(3, 4), (5,), (2, 1, 3)]
    values = [rng.normal(size=s) for s in shapes]
    ours = [nn.Parameter(np.zeros(s)) for s in shapes]
    theirs = [torch.nn.Parameter(torch.zeros(s, dtype=torch.float64)) for s in shapes]
    for p, q, v in zip(ours, theirs, values, strict=True):
        p.grad, q.grad = mi.asarray(v), torch.from_numpy(v.copy())
    a = nn.utils.clip_grad_norm_(ours, 0.7, norm_type)
    b = torch.nn.utils.clip_grad_norm_(theirs, 0.7, norm_type)
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)
    nn.utils.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda nn: nn.Linear(4, 3), (2, 4)),
        (lambda nn: nn.Conv2d(2, 3, 2), (1, 2, 3, 3)),
        (lambda nn: nn.ConvTranspose2d(2, 3, 2), (1, 2, 3, 3)),
    ],
)
def test_spectral_norm_moves_its_vectors_as_pytorch(make, shape):
    """Fault: the axes of the matrix, or the order of u and v."""
    ours = nn.utils.spectral_norm(make(nn)).to("float64")
    theirs = torch.nn.utils.spectral_norm(make(torch.nn)).double()
    state = {k: torch.from_numpy(v) for k, v in nn.to_torch_state(ours).items()}
    with torch.no_grad():
        for key, value in theirs.state_dict().items():
            value.copy_(state[key])
    assert list(theirs.state_dict()) == list(state)
    x = np.random.default_rng(0).normal(size=shape)
    for training in (True, True, False):
        y = ours.train(training)(mi.asarray(x))
        z = theirs.train(training)(torch.from_numpy(x))
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-10)
        for name in ("weight_u", "weight_v"):
            np.testing.assert_allclose(
                getattr(ours, name).numpy(), getattr(theirs, name).numpy(), rtol=1e-10
            )
    y.sum().backward()
    z.sum().backward()
    g = ours.weight_orig.grad.numpy()
    np.testing.assert_allclose(
        g.T if g.ndim == 2 else g, theirs.weight_orig.grad.numpy(), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
@pytest.mark.parametrize("trivial", [True, False])
def test_products_of_reflections_are_pytorchs(shape, trivial):
    """Fault: the order of the reflections, or their signs."""
    theirs = torch.nn.utils.parametrizations.orthogonal(
        torch.nn.Linear(*shape).double(), orthogonal_map="householder", use_trivialization=trivial
    )
    ours = nn.utils.parametrizations.orthogonal(
        nn.Linear(*shape).to("float64"), orthogonal_map="householder", use_trivialization=trivial
    )
    with torch.no_grad():
        theirs.parametrizations.weight.original.add_(
            0.3 * torch.randn(*shape[::-1], dtype=torch.float64).tril(-1)
        )
    nn.load_torch_state(ours, theirs.state_dict())
    np.testing.assert_allclose(
        ours.weight.detach().numpy().T, theirs.weight.detach().numpy(), rtol=1e-9, atol=1e-12
    )
