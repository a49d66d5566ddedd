"""The checks of constructor arguments."""

import numpy as np
import pytest

import minima as mi
from minima.nn.arguments import check_choice, integer, pair, real


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: integer("L", "n", np.int64(3)), 3),
        (lambda: integer("L", "n", 0, low=0), 0),
        (lambda: pair("L", "n", 2), (2, 2)),
        (lambda: pair("L", "n", [1, 2]), (1, 2)),
        (lambda: real("L", "n", np.float32(0.5)), 0.5),
        (lambda: real("L", "n", 1, high=1), 1.0),
        (lambda: check_choice("L", "n", "a", ("a", "b")), "a"),
    ],
)
def test_what_fits_comes_back(call, expected):
    """Fault: a NumPy number refused, or a bound that is left out."""
    assert call() == expected
    assert type(call()) is type(expected)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: integer("L", "n", 1.0),
            TypeError,
            "L: n is 1.0; expected an integer of at least 1",
        ),
        (lambda: integer("L", "n", -1, low=0), ValueError, "L: n is -1; .* at least 0"),
        (lambda: pair("L", "n", (1,)), ValueError, "expected one integer or two"),
        (lambda: pair("L", "n", (1, 0)), ValueError, "L: n is 0"),
        (lambda: real("L", "n", True), TypeError, "L: n is True; expected a number"),
        (lambda: real("L", "n", float("nan"), low=0), ValueError, "n is nan; .* at least 0"),
        (lambda: real("L", "n", 1.0, low=0, below=1.0), ValueError, "at least 0 and below 1"),
        (lambda: real("L", "n", 2.0, low=0, high=1), ValueError, "a number from 0 to 1"),
        (
            lambda: check_choice("L", "n", [], ("a",)),
            ValueError,
            r"L: n is \[\]; expected one of 'a'",
        ),
    ],
)
def test_what_does_not_fit_raises(call, kind, message):
    """Fault: NaN that passes every comparison, True that is 1."""
    with pytest.raises(kind, match=message) as raised:
        call()
    assert isinstance(raised.value, mi.MinimaError)
