"""Sets: NaN, gradients, and the reason for which compiled functions run eagerly."""

import warnings

import numpy as np
import pytest

import minima as mi


def test_each_nan_is_a_value():
    """Catch NaNs that are counted as one, which the standard forbids."""
    x = mi.Tensor([float("nan"), 1.0, float("nan")])
    found = mi.unique_all(x)
    assert found.values.shape == (3,)
    assert found.counts.tolist() == [1, 1, 1]
    assert sorted(found.indices.tolist()) == [0, 1, 2]


def test_values_and_inverse_make_the_whole():
    """Catch inverse indices that are flat or belong to another order."""
    x = mi.asarray(np.random.default_rng(0).integers(0, 4, (3, 4)))
    found = mi.unique_inverse(x)
    assert np.array_equal(found.values.numpy()[found.inverse_indices.numpy()], x.numpy())


def test_gradient_goes_to_the_first():
    """Catch a gradient that is lost, or shared between equal values."""
    x = mi.Tensor([2.0, 1.0, 2.0], requires_grad=True)
    (mi.unique_values(x) * mi.Tensor([10.0, 20.0])).sum().backward()
    assert x.grad.tolist() == [20.0, 10.0, 0.0]


def test_not_compiled():
    """Catch a plan that keeps the number of values that one call had."""
    step = mi.compile(lambda x: mi.unique_values(x))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for x in ([1, 2, 2], [1, 1, 1], [1, 2, 3]):
            assert step(mi.Tensor(x)).tolist() == sorted(set(x))
    assert any("reads a value" in str(w.message) for w in caught)


@pytest.mark.parametrize("invert", [False, True])
def test_isin_is_compiled(invert):
    """Catch a plan of membership that keeps the values of one call."""
    step = mi.compile(lambda a, b: mi.isin(a, b, invert=invert))
    rng = np.random.default_rng(0)
    for _ in range(4):
        a, b = rng.integers(0, 9, (2, 3)), rng.integers(0, 9, 4)
        found = step(mi.asarray(a), mi.asarray(b)).numpy()
        assert np.array_equal(found, np.isin(a, b, invert=invert))
    assert len(step.plans) == 1
