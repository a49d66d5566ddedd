"""Values and slopes at single points where a formula written down plainly gives NaN."""

import numpy as np
import pytest

import minima as mi

INF = float("inf")


def _slopes(function, *values):
    inputs = [mi.Tensor(v, requires_grad=True) for v in values]
    found = mi.autograd.grad(function(*inputs).sum(), inputs)
    return [g.tolist() for g in found]


def test_xlogy_of_zero():
    """0 * log(b) is 0 for a negative or infinite b as well, as SciPy and PyTorch have it."""
    a, b = [0.0, 0.0, 0.0, -0.0], [-2.0, -INF, 0.0, INF]
    assert mi.xlogy(mi.Tensor(a), mi.Tensor(b)).tolist() == [0.0] * 4
    assert _slopes(mi.xlogy, a, b) == [[0.0] * 4, [0.0] * 4]
    assert np.isnan(mi.xlogy(0.0, mi.Tensor([float("nan")])).numpy()).all()


def test_hardswish_of_infinity():
    """The slope far out is 0 or 1, and NaN stays."""
    x = [-INF, -5.0, 5.0, INF]
    assert mi.hardswish(mi.Tensor(x)).tolist() == [0.0, 0.0, 5.0, INF]
    assert _slopes(mi.hardswish, x) == [[0.0, 0.0, 1.0, 1.0]]
    assert np.isnan(mi.hardswish(mi.Tensor([float("nan")])).numpy()).all()


def test_lp_pool_of_zeros():
    """A window of zeros, as after relu, leaves the other gradients alone."""
    slopes = _slopes(lambda x: mi.lp_pool1d(x, 2, 2), [[0.0, 0.0, 3.0, 4.0]])[0][0]
    assert slopes == pytest.approx([0.0, 0.0, 0.6, 0.8])


@pytest.mark.parametrize("norm", [mi.layer_norm, mi.rms_norm])
def test_sizes_in_the_place_of_the_weight(norm):
    """PyTorch's second argument, the sizes, is no weight: x was silently multiplied by 4."""
    with pytest.raises(mi.ShapeError, match=r"got a weight of shape \(1,\).*named by axes="):
        norm(mi.ones((2, 4)), (4,))
