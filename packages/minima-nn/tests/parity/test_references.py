"""minima against stored values of PyTorch, row by row; and that no name is without a row."""

import pytest

from .rows import ROWS
from .sides import Minima
from .table import check, stored

KINDS = sorted({row.kind for row in ROWS})


@pytest.fixture(scope="module")
def references():
    """Row -> name -> array, as ``python -m parity.write`` stored them."""
    return {row: arrays for kind in KINDS for row, arrays in stored(kind).items()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_as_pytorch(row, references):
    """Fault: another formula, default or meaning of an option than PyTorch's."""
    for dtype in ("float64", "float32"):
        check(row, dtype, row.run(Minima(dtype)), references[row.id])


def test_rows_are_told_apart():
    names = [row.id for row in ROWS]
    assert len(names) == len(set(names))
    assert not [row.id for row in ROWS if "/" in row.id]
    assert not [row.id for row in ROWS if row.tolerances and not row.why]
