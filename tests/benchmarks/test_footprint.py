"""Footprint: sizes from what an installation says of itself."""

from importlib.metadata import distribution

from benchmarks.footprint import closure, installed_bytes, table


def test_closure_has_what_is_needed_and_no_extra():
    names = {d.metadata["Name"].lower() for d in closure(["minima-nn"])}
    assert {"minima-nn", "minima-core", "numpy", "pluggy", "safetensors", "tqdm"} <= names
    assert "matplotlib" not in names


def test_what_is_not_installed_is_left_out():
    assert closure(["no-such-distribution"]) == []


def test_numpy_is_megabytes():
    assert 10e6 < installed_bytes(distribution("numpy")) < 300e6


def test_table():
    (line,) = table([{"library": "x", "seconds": 0.1234, "own": 2.5e6, "all": 70e6}]).lines
    assert line == ["x", "0.123", "2.5", "70"]
