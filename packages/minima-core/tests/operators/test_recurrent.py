"""What the operators for recurrent layers refuse, and their gradients."""

import numpy as np
import pytest

import minima as mi
from minima import operators as ops

STATE = mi.ones((2, 3))
SQUARE = mi.ones((3, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("lstm", [mi.ones((4, 2, 12)), STATE, STATE, mi.ones((9, 3))], {}, mi.ShapeError, "4 * H"),
    ("lstm", [mi.ones((4, 2, 9)), STATE, STATE, mi.ones((12, 3))], {}, mi.ShapeError, "got gates"),
    ("lstm", [mi.ones((4, 2, 12)), STATE, SQUARE, mi.ones((12, 3))], {}, mi.ShapeError, "got c"),
    ("gru", [mi.ones((4, 2, 9)), SQUARE, mi.ones((9, 3))], {}, mi.ShapeError, "got h"),
    ("gru", [mi.ones((4, 2, 9)), STATE, mi.ones((9, 3)), mi.ones(3)], {}, mi.ShapeError, "a bias"),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message in str(caught.value)


def test_states_alone_have_gradients_where_only_they_are_read():
    """Fault: gates, of which nothing was read, that have a gradient all the same."""
    rng = np.random.default_rng(0)
    gates, h, c, w = (
        mi.Tensor(rng.normal(size=s), requires_grad=True)
        for s in ((3, 2, 8), (2, 2), (2, 2), (8, 2))
    )
    y = mi.lstm(gates, h, c, w)
    y[0, -1].sum().backward()
    by_hand = [t.grad.numpy().copy() for t in (gates, h, c, w)]
    for t in (gates, h, c, w):
        t.grad = None
    state, cell = h, c
    for t in range(3):
        z = gates[t] + state @ w.T
        i, f, g, o = (z[:, 2 * k : 2 * k + 2] for k in range(4))
        cell = mi.sigmoid(f) * cell + mi.sigmoid(i) * mi.tanh(g)
        state = mi.sigmoid(o) * mi.tanh(cell)
    state.sum().backward()
    for t, expected in zip((gates, h, c, w), by_hand, strict=True):
        np.testing.assert_allclose(t.grad.numpy(), expected, rtol=1e-12, atol=1e-14)
