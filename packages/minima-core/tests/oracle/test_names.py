"""Functions by PyTorch's names against PyTorch: values, and gradients in float32."""

import numpy as np
import pytest
import torch

import minima as mi

RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (3, 4)).astype("float32")
Y = RNG.uniform(0.5, 2, (3, 4)).astype("float32")
TIES = np.array([[1, 3, 3, 0], [2, 2, 2, 1], [0, 0, 5, 5]], "float32")
GAPS = np.where(X > 1, np.nan, X).astype("float32")
AT = np.array([[0, 1, 0, 2], [2, 2, 0, 0], [0, 1, 1, 0]])
MASK = X > 0

#: name -> inputs, what ours computes, what PyTorch's does
ROWS = {
    "fmod": ([X, Y], mi.fmod, torch.fmod),
    "frac": ([X], mi.frac, torch.frac),
    "ldexp": ([X, Y], mi.ldexp, torch.ldexp),
    "sinc": ([X], mi.sinc, torch.sinc),
    "deg2rad": ([X], mi.deg2rad, torch.deg2rad),
    "fmax": ([GAPS, Y], mi.fmax, torch.fmax),
    "fmin": ([GAPS, Y], mi.fmin, torch.fmin),
    "amax": ([TIES], lambda a: mi.amax(a, (0, 1)), lambda a: torch.amax(a, (0, 1))),
    "amin": ([TIES], lambda a: mi.amin(a, 1), lambda a: torch.amin(a, 1)),
    "mode": ([TIES], lambda a: mi.mode(a).values, lambda a: torch.mode(a).values),
    "nanquantile": (
        [GAPS],
        lambda a: mi.nanquantile(a, 0.3, 1),
        lambda a: torch.nanquantile(a, 0.3, 1),
    ),
    "cov": ([X], mi.cov, torch.cov),
    "corrcoef": ([X], mi.corrcoef, torch.corrcoef),
    "renorm": ([X], lambda a: mi.renorm(a, 2, 0, 1.5), lambda a: torch.renorm(a, 2, 0, 1.5)),
    "trapezoid": ([X, Y], mi.trapezoid, torch.trapezoid),
    "cumulative_trapezoid": ([X, Y], mi.cumulative_trapezoid, torch.cumulative_trapezoid),
    "combinations": ([X[0]], mi.combinations, torch.combinations),
    "cartesian_prod": ([X[0], Y[1]], mi.cartesian_prod, torch.cartesian_prod),
    "block_diag": ([X, Y], mi.block_diag, torch.block_diag),
    "masked_scatter": (
        [X, Y],
        lambda a, b: mi.masked_scatter(a, mi.Tensor(MASK), b),
        lambda a, b: torch.masked_scatter(a, torch.tensor(MASK), b),
    ),
    "index_copy": (
        [X, Y[:2]],
        lambda a, b: mi.index_copy(a, 0, mi.Tensor([2, 0]), b),
        lambda a, b: torch.index_copy(a, 0, torch.tensor([2, 0]), b),
    ),
    "index_fill": (
        [X],
        lambda a: mi.index_fill(a, 1, mi.Tensor([2, 0]), 3.0),
        lambda a: torch.index_fill(a, 1, torch.tensor([2, 0]), 3.0),
    ),
}


def reducing(how, mine):
    """Return a row for scatter_reduce."""
    return (
        [TIES, TIES[::-1].copy()],
        lambda a, b: mi.scatter_reduce(a, 0, mi.Tensor(AT), b, how, include_self=mine),
        lambda a, b: torch.scatter_reduce(a, 0, torch.tensor(AT), b, how, include_self=mine),
    )


for _how in ("sum", "mean", "prod", "amax", "amin"):
    ROWS[f"scatter_reduce {_how}"] = reducing(_how, True)
    ROWS[f"scatter_reduce {_how} alone"] = reducing(_how, False)
#: PyTorch takes another of the equal ones, and lets x have a share where it does not count
VALUES_ONLY = {"mode", "scatter_reduce amax alone", "scatter_reduce amin alone"}


@pytest.mark.parametrize("name", ROWS)
def test_as_pytorch(name):
    """Catches another value or slope, and another type."""
    inputs, ours, theirs = ROWS[name]
    a = [mi.Tensor(x.copy(), requires_grad=True) for x in inputs]
    b = [torch.tensor(x, requires_grad=True) for x in inputs]
    y, z = ours(*a), theirs(*b)
    assert y.dtype == "float32"
    np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=2e-5, atol=1e-6)
    if name in VALUES_ONLY:
        return
    weight = RNG.uniform(0.5, 1.5, y.shape).astype("float32")
    y.backward(mi.Tensor(weight))
    z.backward(torch.tensor(weight))
    for s, t in zip(a, b):
        np.testing.assert_allclose(s.grad.numpy(), t.grad.numpy(), rtol=2e-4, atol=1e-5)
