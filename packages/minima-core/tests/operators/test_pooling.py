"""What the operators for pooling refuse."""

import pytest

import minima as mi
from minima import operators as ops

STATE = mi.ones((2, 3))

ERRORS = [
    # operator, inputs, options, error, message
    ("adaptive_avg_pool2d", [STATE, 1], {}, mi.ShapeError, "expected (N, C, H, W)"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 0, 2)), 1], {}, mi.ShapeError, "at least one element"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 2, 2)), 0], {}, mi.ArgumentError, "output_size"),
    ("adaptive_avg_pool2d", [mi.ones((1, 1, 2, 2)), (1, 2, 3)], {}, mi.DTypeError, "or 2 of them"),
]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: f"{row[0]}-{row[4]}")
def test_errors(row):
    """Fault: NumPy's own error, which names neither operator nor remedy, or none at all."""
    name, inputs, options, error, message = row
    with pytest.raises(error, match=f"^{name}: ") as caught:
        getattr(ops, name)(*inputs, **options)
    assert message in str(caught.value)
