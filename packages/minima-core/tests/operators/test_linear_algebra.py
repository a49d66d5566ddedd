"""What the operators for products of matrices refuse."""

import pytest

import minima as mi
from minima import operators as ops

STATE = mi.ones((2, 3))
SQUARE = mi.ones((3, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("project", [STATE, mi.ones((3, 4))], {}, mi.ShapeError, "weight of shape (out, in)"),
    ("project", [STATE, SQUARE, mi.ones(2)], {}, mi.ShapeError, "got a bias"),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message in str(caught.value)
