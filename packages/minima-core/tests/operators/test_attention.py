"""What the operators for attention refuse, and their gradients."""

import numpy as np
import pytest

import minima as mi
from minima import operators as ops


def whole(*values):
    return mi.Tensor(list(values))


STATE = mi.ones((2, 3))
SQUARE = mi.ones((3, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("scaled_dot_product_attention", [STATE, mi.ones((4, 2)), STATE], {}, mi.ShapeError, "got k"),
    ("scaled_dot_product_attention", [mi.ones(3)] * 3, {}, mi.ShapeError, "q (*, L, E)"),
    ("attention_weights", [STATE, mi.ones((4, 2))], {}, mi.ShapeError, "k (4, 2)"),
    ("attention_weights", [STATE, STATE, mi.ones((3, 2))], {}, mi.ShapeError, "broadcast"),
    ("attention_weights", [STATE, STATE, whole(0, 1)], {}, mi.DTypeError, "mask of int64"),
    ("attention_gradient", [SQUARE, STATE, STATE, STATE], {}, mi.ShapeError, "got g"),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message in str(caught.value)


def test_attention_has_a_third_derivative():
    """Fault: a second derivative that is right and cut off from the graph."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=(3, 2)), requires_grad=True)
    y = mi.scaled_dot_product_attention(x, x, x, causal=True).sum()
    for _ in range(3):
        (y,) = mi.autograd.grad(y, x, create_graph=True)
        assert y.requires_grad
        assert np.abs(y.numpy()).max() > 0.0
        y = (y * y).sum()
