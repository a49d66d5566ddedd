"""Attention in tiles, against PyTorch's."""

import numpy as np
import pytest
import torch

import minima as mi


def agree(got, expected, rel):
    """Compare relative to the largest value of the tensor."""
    got, expected = got.detach().numpy(), expected.detach().numpy()
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    assert np.abs(got - expected).max() <= rel * np.abs(expected).max()


@pytest.mark.parametrize(("dtype", "rel"), [("float32", 1e-5), ("float64", 1e-10)])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [None, 0.3])
@pytest.mark.parametrize("masked", [None, "bool", "float"])
@pytest.mark.parametrize("size", [(2, 3, 5, 7, 4, 6), (1, 2, 300, 700, 8, 8)], ids=str)
def test_scaled_dot_product_attention(size, masked, scale, causal, dtype, rel):
    """Fault: a tile that sees too much or too little."""
    n, h, rows, keys, e, d = size
    rng = np.random.default_rng(0)
    shapes = (n, h, rows, e), (n, h, keys, e), (n, h, keys, d)
    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]
    mask = None
    if masked is not None:
        mask = rng.normal(size=(n, 1, rows, keys)).astype(dtype)
        mask = mask > 0.5 if masked == "bool" else mask
        causal = False  # PyTorch takes one or the other
    ours = [mi.Tensor(a, requires_grad=True) for a in arrays]
    theirs = [torch.from_numpy(a).requires_grad_() for a in arrays]
    y = mi.scaled_dot_product_attention(
        *ours, None if mask is None else mi.Tensor(mask), causal=causal, scale=scale
    )
    z = torch.nn.functional.scaled_dot_product_attention(
        *theirs,
        attn_mask=None if mask is None else torch.from_numpy(mask),
        is_causal=causal,
        scale=scale,
    )
    agree(y, z, rel)
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(mi.Tensor(g))
    z.backward(torch.from_numpy(g))
    for a, b in zip(ours, theirs, strict=True):
        agree(a.grad, b.grad, rel)
