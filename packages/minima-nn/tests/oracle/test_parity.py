"""The rows of parity, minima and PyTorch side by side; and that the stored values are PyTorch's."""

from functools import cache

import pytest
from parity.rows import ROWS
from parity.sides import Minima, torch_side
from parity.table import check, stored

references = cache(stored)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_as_pytorch(row, dtype):
    """Fault: another formula, default or meaning of an option than PyTorch's."""
    check(row, dtype, row.run(Minima(dtype)), row.run(torch_side()(dtype)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_stored_values_are_pytorchs(row):
    """Fault: a reference that was made from something else, or from an older row."""
    check(row, "float64", references(row.kind)[row.id], row.run(torch_side()("float64")))
