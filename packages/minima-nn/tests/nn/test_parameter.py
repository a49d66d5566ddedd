"""Parameter: what it is made of, and that it stays itself."""

import numpy as np
import pytest

import minima as mi
from minima.nn import Parameter


@pytest.mark.parametrize(
    ("data", "dtype"),
    [([1.0, 2.0], "float32"), (np.ones(2), "float64"), (mi.ones(2, dtype="float16"), "float16")],
)
def test_it_requires_grad_and_keeps_the_dtype(data, dtype):
    """Fault: a float64 model that becomes float32."""
    p = Parameter(data)
    assert p.requires_grad
    assert p.is_leaf
    assert p.dtype == np.dtype(dtype)
    assert isinstance(p, mi.Tensor)


def test_it_shares_a_tensors_memory_and_leaves_its_history():
    """Fault: the notebook's reshape, whose graph the parameter would drag along."""
    x = mi.ones(2, requires_grad=True)
    y = x * 2.0
    p = Parameter(y)
    assert p.is_leaf
    with mi.no_grad():
        p.fill_(5.0)
    assert y.tolist() == [5.0, 5.0]


def test_options():
    """Fault: an option that is taken and ignored."""
    assert not Parameter([1.0], requires_grad=False).requires_grad
    assert Parameter(mi.ones(1), dtype="float64").dtype == mi.float64
    assert Parameter([1], requires_grad=False).dtype == mi.int64


def test_integers_cannot_be_trained():
    """Fault: an error from deep inside about requires_grad."""
    with pytest.raises(mi.MinimaError, match=r"^Parameter: data has dtype int64"):
        Parameter([1, 2])


def test_results_of_operations_are_no_parameters():
    """Fault: ``self.y = self.weight * 2`` that lands in parameters()."""
    p = Parameter([1.0])
    assert type(p * 2.0) is mi.Tensor
    assert type(p.detach()) is mi.Tensor
