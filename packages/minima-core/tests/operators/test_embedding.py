"""What the operators for embeddings refuse."""

import pytest

import minima as mi
from minima import operators as ops


def whole(*values):
    return mi.Tensor(list(values))


SQUARE = mi.ones((3, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("embedding", [whole(5), mi.ones((5, 2))], {}, mi.IndexRangeError, "5; expected 0 to 4"),
    ("embedding", [whole(-1), mi.ones((5, 2))], {}, mi.IndexRangeError, "got index -1"),
    ("embedding", [mi.ones(2), mi.ones((5, 2))], {}, mi.DTypeError, "indices of float32"),
    ("embedding", [whole(1), mi.ones(5)], {}, mi.ShapeError, "weight of shape (5,)"),
    ("embedding", [whole(1), SQUARE], {"padding_idx": 3}, mi.ArgumentError, "padding_idx 3"),
    ("embedding_gradient", [SQUARE, whole(1, 2), 3], {}, mi.ShapeError, "(*, D)"),
    ("embedding_bag", [whole(1), whole(0), SQUARE], {"mode": "min"}, mi.ArgumentError, "'min'"),
    ("embedding_bag", [whole(1), whole(1), SQUARE], {}, mi.IndexRangeError, "offsets [1]"),
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
    ("bag_largest", [mi.ones(2), whole(0)], {}, mi.ShapeError, "expected (n, D)"),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message in str(caught.value)
