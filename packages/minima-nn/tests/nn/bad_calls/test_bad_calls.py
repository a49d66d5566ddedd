"""Wrong calls of every layer: one clear error each, that names what was wrong and what is right."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest

import minima as mi
from minima import nn

PACKAGE, _, _ = __name__.rpartition(".")
PLACES = [m.name for m in iter_modules([str(Path(__file__).parent)]) if m.name != "test_bad_calls"]
FAMILIES = [import_module(f"{PACKAGE}.{name}") for name in PLACES]
ROWS = [row for family in FAMILIES for row in family.ROWS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_bad_call(row):
    """Fault: a wrong call that answers, or whose error is NumPy's, or says too little."""
    with np.errstate(all="ignore"), pytest.raises(row.error) as caught:
        row.call()
    error = caught.value
    assert isinstance(error, mi.MinimaError), f"{type(error).__name__}: {error}"
    assert re.search(row.message, str(error)), str(error)
    assert "expected" in str(error), str(error)


def test_there_are_enough():
    """Fault: rows that were lost, or two that are one."""
    names = [row.id for row in ROWS]
    assert len(set(names)) == len(names)
    layers = {n for n in nn.__all__ if isinstance(getattr(nn, n), type)}
    layers = {n for n in layers if issubclass(getattr(nn, n), nn.Module)} - {"Module"}
    missing = sorted(n for n in layers - WITHOUT if not any(n in row.message for row in ROWS))
    assert not missing, missing


#: layers that take anything: there is no wrong call of their own
WITHOUT = {"Identity"}
