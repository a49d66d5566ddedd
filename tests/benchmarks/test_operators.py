"""Forty operators: each library computes the same, as far as it is installed."""

import importlib
from importlib.util import find_spec

import pytest

from benchmarks.operators import LIBRARIES, OPERATORS, Session, table
from minima.train.bench.measure import TOLERANCE

MODULES = {"NumPy": "numpy", "PyTorch": "torch", "minima": "minima"}


def test_there_are_forty():
    assert len(OPERATORS) == 40


@pytest.mark.parametrize("name", OPERATORS)
def test_libraries_agree(name):
    """Catch a library that is quick at something else."""
    found = {}
    for library in LIBRARIES:
        if find_spec(MODULES[library]):
            importlib.import_module(MODULES[library])
            answer = Session(library).prepare(name, 64)
            if answer != {"error": "NumPy has none"}:
                found[library] = answer["values"]
    judge = found.get("NumPy", found.get("PyTorch", found["minima"]))
    for library, values in found.items():
        assert values == pytest.approx(judge, rel=TOLERANCE, abs=TOLERANCE), library


def test_table():
    rows = [
        {"operator": "exp", "size": 64, "seconds": {"NumPy": 2e-6, "minima": 3e-6}, "notes": {}},
        {"operator": "gelu", "size": 64, "seconds": {"minima": 1e-4}, "notes": {"NumPy": "none"}},
    ]
    found = table(rows)
    assert found.header == ["operator", "size", "NumPy", "minima", "minima / best"]
    assert found.lines == [["exp", "64", "2.0", "3.0", "1.50"], ["gelu", "64", "- [1]", "100", "-"]]
