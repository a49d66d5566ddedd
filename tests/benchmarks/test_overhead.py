"""Overhead: the libraries that are installed add and differentiate the same."""

from importlib.util import find_spec

import pytest

from benchmarks.overhead import CASES, LIBRARIES, MODULES, Session, compare, table
from minima.train.bench.measure import Settings


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_agree(library, name):
    """Catch a library that is quick at something else."""
    if not find_spec(MODULES[library]):
        return
    session = Session(library)
    session.open()
    answer = session.prepare(name)
    if library == "NumPy" and name != "add":
        assert answer == {"error": "NumPy has no gradients"}
        return
    expected = [1.0] * 8 if name == "chain" else [2.0 * i for i in range(8)]
    assert answer["values"] == pytest.approx(expected)
    assert session.burst(0.0)["median"] > 0


def test_workers_and_table():
    """Each case has a row; what minima costs beyond NumPy stands beside its limit."""
    rows = compare(Settings(rounds=1, seconds=0.001), lambda text: None, ("NumPy", "minima"))
    assert [row["case"] for row in rows] == list(CASES)
    assert set(rows[0]["seconds"]) == {"NumPy", "minima"}
    rows = [
        {"case": "add", "seconds": {"NumPy": 4e-7, "minima": 1.4e-6}},
        {"case": "chain", "seconds": {"minima": 2e-3}},
    ]
    found = table(rows)
    assert found.header == ["what", "NumPy", "minima", "minima beyond NumPy", "limit"]
    assert found.lines[0][1:] == ["0.4", "1.4", "1.0", "1.5"]
    assert found.lines[1][1:] == ["-", "2,000", "2,000", "3,000"]
