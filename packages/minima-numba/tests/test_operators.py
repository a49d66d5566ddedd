"""Every row of the table of samples, forward and backward, compiled and eager."""

import pytest

from minima.testing.compiled import ROWS, check_operator


@pytest.mark.parametrize(("sample", "dtype"), ROWS, ids=lambda x: getattr(x, "id", x))
def test_compiled_equals_eager(sample, dtype):
    """Catch an operator, or its gradient, that a loop computes in another way."""
    check_operator(sample, dtype, "numba", exact=False)
