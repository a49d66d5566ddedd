"""Every row of the table of operators, compiled by the executor that comes with minima."""

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing.compiled import ROWS, check_operator, check_step


@pytest.mark.parametrize(("sample", "dtype"), ROWS, ids=lambda x: getattr(x, "id", x))
def test_compiled_equals_eager_bit_for_bit(sample, dtype):
    """Catch an operator, or its gradient, that a plan computes in another way or not at all."""
    check_operator(sample, dtype, "numpy", exact=True)


def test_every_operator_has_a_row():
    """Catch an operator that no executor is held to."""
    assert {sample.operator for sample, _ in ROWS} == set(TABLE)


X = mi.asarray(np.linspace(-2.0, 2.0, 12, dtype="float32"))


@pytest.mark.parametrize(("factor", "exact"), [(1.0 + 2.0**-23, True), (1.00001, False)])
def test_the_walk_sees_a_difference(factor, exact):
    """Catch a comparison that lets everything pass."""
    precise = None if exact else [X.astype("float64")]

    def eager(x):
        return [x * 1.0]

    check_step(eager, [X], "numpy", precise=precise)
    with pytest.raises(AssertionError, match="result 0, by numpy"):
        check_step(lambda x: [x * factor], [X], "numpy", eager=eager, precise=precise)


def test_the_walk_sees_what_has_no_plan():
    """Catch a row that agrees because it runs eagerly."""
    with pytest.raises(mi.CompileWarning, match="numpy"):
        check_step(lambda x: [x * float(x.max())], [X], "numpy")
