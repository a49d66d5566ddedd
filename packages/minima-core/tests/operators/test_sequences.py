"""What the operators for embeddings, attention and recurrent layers refuse, and their parts."""

import numpy as np
import pytest

import minima as mi
from minima import operators as ops
from minima.operators.composition import Namespace, parts, vjp


def whole(*values):
    return mi.Tensor(list(values))


STATE, SQUARE = mi.ones((2, 3)), mi.ones((3, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("embedding", [whole(5), mi.ones((5, 2))], {}, mi.IndexRangeError, "5; expected 0 to 4"),
    ("embedding", [whole(-1), mi.ones((5, 2))], {}, mi.IndexRangeError, "got index -1"),
    ("embedding", [mi.ones(2), mi.ones((5, 2))], {}, mi.DTypeError, "indices of float32"),
    ("embedding", [whole(1), mi.ones(5)], {}, mi.ShapeError, r"weight of shape \(5,\)"),
    ("embedding", [whole(1), SQUARE], {"padding_idx": 3}, mi.ArgumentError, "padding_idx 3"),
    ("embedding_gradient", [SQUARE, whole(1, 2), 3], {}, mi.ShapeError, r"\(\*, D\)"),
    ("embedding_bag", [whole(1), whole(0), SQUARE], {"mode": "min"}, mi.ArgumentError, "'min'"),
    ("embedding_bag", [whole(1), whole(1), SQUARE], {}, mi.IndexRangeError, r"offsets \[1\]"),
    ("embedding_bag", [whole(1), whole(0, 2), SQUARE], {}, mi.IndexRangeError, "beyond"),
    ("embedding_bag", [whole(1, 1), whole(0, 2, 1), SQUARE], {}, mi.IndexRangeError, "smaller"),
    ("embedding_bag", [whole(1), mi.ones(1), SQUARE], {}, mi.ShapeError, "float32"),
    ("embedding_bag", [whole([1]), whole(0), SQUARE], {}, mi.ShapeError, "(n)"),
    ("embedding_bag", [whole(1), whole(0), SQUARE, mi.ones(1)], {}, mi.ArgumentError, "mode 'sum'"),
    (
        "embedding_bag",
        [whole(1), whole(0), SQUARE, mi.ones(2)],
        {"mode": "sum"},
        mi.ShapeError,
        "that of indices",
    ),
    ("bag_largest", [mi.ones(2), whole(0)], {}, mi.ShapeError, r"expected \(n, D\)"),
    ("scaled_dot_product_attention", [STATE, mi.ones((4, 2)), STATE], {}, mi.ShapeError, "got k"),
    ("scaled_dot_product_attention", [mi.ones(3)] * 3, {}, mi.ShapeError, r"q \(\*, L, E\)"),
    ("attention_weights", [STATE, mi.ones((4, 2))], {}, mi.ShapeError, r"k \(4, 2\)"),
    ("attention_weights", [STATE, STATE, mi.ones((3, 2))], {}, mi.ShapeError, "broadcast"),
    ("attention_weights", [STATE, STATE, whole(0, 1)], {}, mi.DTypeError, "mask of int64"),
    ("attention_gradient", [SQUARE, STATE, STATE, STATE], {}, mi.ShapeError, "got g"),
    ("lstm", [mi.ones((4, 2, 12)), STATE, STATE, mi.ones((9, 3))], {}, mi.ShapeError, "4 * H"),
    ("lstm", [mi.ones((4, 2, 9)), STATE, STATE, mi.ones((12, 3))], {}, mi.ShapeError, "got gates"),
    ("lstm", [mi.ones((4, 2, 12)), STATE, SQUARE, mi.ones((12, 3))], {}, mi.ShapeError, "got c"),
    ("gru", [mi.ones((4, 2, 9)), SQUARE, mi.ones((9, 3))], {}, mi.ShapeError, "got h"),
    ("gru", [mi.ones((4, 2, 9)), STATE, mi.ones((9, 3)), mi.ones(3)], {}, mi.ShapeError, "a bias"),
    ("project", [STATE, mi.ones((3, 4))], {}, mi.ShapeError, r"weight of shape \(out, in\)"),
    ("project", [STATE, SQUARE, mi.ones(2)], {}, mi.ShapeError, "got a bias"),
    ("adaptive_avg_pool2d", [STATE, 1], {}, mi.ShapeError, r"expected \(N, C, H, W\)"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 0, 2)), 1], {}, mi.ShapeError, "at least one row"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 2, 2)), 0], {}, mi.ArgumentError, "output_size"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 2, 2)), (1, 2, 3)], {}, mi.DTypeError, "or 2 of them"),
]  # fmt: skip


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message.replace("\\", "") in str(caught.value)


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


def test_attention_has_a_third_derivative():
    """Fault: a second derivative that is right and cut off from the graph."""
    x = mi.Tensor(np.random.default_rng(0).normal(size=(3, 2)), requires_grad=True)
    y = mi.scaled_dot_product_attention(x, x, x, causal=True).sum()
    for _ in range(3):
        (y,) = mi.autograd.grad(y, x, create_graph=True)
        assert y.requires_grad
        assert np.abs(y.numpy()).max() > 0.0
        y = (y * y).sum()


# ---- gradients by the reference kernel -----------------------------------------------------------
def test_vjp_stops_at_its_inputs():
    """Fault: a gradient that takes the way from one input to another as well."""
    x = mi.Tensor(3.0, requires_grad=True)
    y = x * x
    found = vjp(lambda a, b: a * b, [x, y], mi.Tensor(1.0))
    assert [g.item() for g in found] == [9.0, 3.0]
    assert x.grad is None


def test_vjp_of_what_needs_none():
    """Fault: an error where no input requires grad."""
    assert vjp(lambda a, b: a * b, [mi.ones(1), mi.ones(1)], mi.ones(1)) == (None, None)


def test_parts_are_computed_once_and_only_if_asked_for():
    """Fault: a kernel that runs for each of its results, or for none."""
    calls = []

    def compute():
        calls.append(1)
        return mi.arange(6.0)

    found = parts(compute, [(2,), (), (3, 1)])
    assert not calls
    assert [part().tolist() for part in found] == [[0.0, 1.0], 2.0, [[3.0], [4.0], [5.0]]]
    assert len(calls) == 1


def test_the_namespace_makes_tensors_where_they_are_needed():
    """Fault: a gradient on another device that brings tensors of the cpu into the sum."""
    other = mi.Device("elsewhere", xp=np)
    assert Namespace(other).arange(3).device is other
    assert Namespace(other).tanh is mi.tanh
