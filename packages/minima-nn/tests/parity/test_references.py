"""minima against stored values of PyTorch, row by row; and that no name is without a row."""

import numpy as np
import pytest

from .rows import ROWS
from .sides import Minima
from .table import REFERENCES, check

KINDS = sorted({row.kind for row in ROWS})


@pytest.fixture(scope="module")
def stored():
    """Row -> name -> array, as ``python -m parity.write`` stored them."""
    found = {}
    for kind in KINDS:
        with np.load(REFERENCES / f"{kind}.npz", allow_pickle=False) as file:
            for key in file.files:
                row, _, name = key.rpartition("/")
                found.setdefault(row, {})[name] = file[key]
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_as_pytorch(row, stored):
    """Fault: another formula, default or meaning of an option than PyTorch's."""
    for dtype in ("float64", "float32"):
        check(row, dtype, row.run(Minima(dtype)), stored[row.id])


def test_rows_are_told_apart():
    names = [row.id for row in ROWS]
    assert len(names) == len(set(names))
    assert not [row.id for row in ROWS if "/" in row.id]
    assert not [row.id for row in ROWS if row.tolerances and not row.why]
