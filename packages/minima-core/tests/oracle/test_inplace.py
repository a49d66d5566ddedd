"""Views, writes and gathers in float32: PyTorch's own lines, with its values and gradients."""

import numpy as np
import pytest
import torch

import minima as mi


def through_a_view(x, v, index, mask):
    part = x[1:, ::2]
    part *= v[1:, ::2]
    x[0] += part[0, 0]
    return part.sum() + (x * x).sum()


def two_views(x, v, index, mask):
    first, second = x.T, x.reshape(-1)
    first[1].mul_(3.0)
    second[2:5].add_(v[0, 0])
    return (first * v.T).sum()


def of_the_base(x, v, index, mask):
    part = x[:, 1]
    x.mul_(v).add_(1.0)
    return (part * part).sum()


def into_a_constant(x, v, index, mask):
    out = x.detach() * 0.0
    out[1:, 0] = v[1:, 0] * 2.0
    out[0].copy_(x[2])
    return (out * v).sum()


def arrays(x, v, index, mask):
    x[index, [1, 0, 2]] = v[0]
    x[mask] *= 2.0
    return (x[[0, 0, 1]] * v).sum()


def by_methods(x, v, index, mask):
    x.masked_fill_(mask, 0.5)
    x.index_add_(0, index, v)
    x.sin_()
    x.clamp_(0.2, 3.0)
    x[1].mul_(2.0)
    return (x * v).sum()


def gathers(x, v, index, mask):
    wide = x[:, :1] * 0.0 + v
    wide.scatter_add_(1, index.reshape(3, 1), x[:, :1] * x[:, :1])
    return (wide.gather(1, index.reshape(3, 1)) * x[:, 1:2]).sum() + wide.masked_select(mask).sum()


def rows(x, v, index, mask):
    y = x.index_select(0, index).masked_fill(mask, 2.0)
    return (y * v).sum() + (x[..., None, 0][index] * v[:, :1]).sum()


PROGRAMS = (
    through_a_view,
    two_views,
    of_the_base,
    into_a_constant,
    arrays,
    by_methods,
    gathers,
    rows,
)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_as_pytorch(program):
    rng = np.random.default_rng(0)
    values = [rng.uniform(0.2, 1.5, (3, 3)).astype("float32") for _ in range(2)]
    index, mask = np.array([2, 0, 1]), rng.random((3, 3)) < 0.4
    found = []
    for library in (mi, torch):
        if library is mi:
            x, v = (mi.Tensor(a, requires_grad=True) for a in values)
            given = mi.Tensor(index), mi.Tensor(mask)
        else:
            x, v = (torch.tensor(a, requires_grad=True) for a in values)
            given = torch.tensor(index), torch.tensor(mask)
        loss = program(x * 1.0, v, *given)
        loss.backward()
        assert x.grad.dtype == (np.float32 if library is mi else torch.float32)
        found.append([loss.item(), x.grad.numpy(), v.grad.numpy()])
    for got, expected in zip(*found):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)
