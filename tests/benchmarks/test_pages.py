"""Pages: all that they say is in the kept numbers."""

import json

import pytest

from benchmarks import pages
from benchmarks.__main__ import RESULTS, main

ROW = {"workload": "mlp-small", "mode": "train", "note": "", "low": 1e-4, "high": 1e-4}
MACHINE = {
    "processor": "a processor", "cores": 2, "vectors": "avx2", "memory": 2**34, "load": 0.1,
    "system": "a system", "python": "3", "blas": "a blas",
}  # fmt: skip
RESULT = {
    "date": "2000-01-01", "quick": False, "threads": 2, "rounds": 5, "machine": MACHINE,
    "versions": {"numpy": "2"}, "peers": ["PyTorch eager"],
    "workloads": [
        {**ROW, "contender": "minima numpy", "median": 5e-5, "first": 0.1, "bytes": 10**6},
        {**ROW, "contender": "PyTorch eager", "median": 1e-4, "first": 0.2, "bytes": 2 * 10**6},
    ],
    "operators": [], "footprint": [{"library": "x", "seconds": 1.0, "own": 1e6, "all": 1e6}],
}  # fmt: skip


def test_markdown_and_rst_have_the_same_numbers(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps(RESULT))
    for text in (pages.markdown_page(RESULT), pages.rst_page(file)):
        assert "A full run on 2000-01-01" in text
        assert "0.50" in text
        assert "busy" not in text


def test_a_busy_machine_is_told():
    """Catch numbers that look like any others."""
    busy = {**RESULT, "machine": {**MACHINE, "load": 1.5}}
    assert "busy" in pages.markdown_page(busy)


def test_chart(tmp_path):
    pytest.importorskip("matplotlib")
    pages.draw_chart(RESULT, tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_kept_pages_are_of_the_kept_numbers():
    """Catch a page that was edited, or forgotten, beside its numbers."""
    result = json.loads((RESULTS / "results.json").read_text("utf8"))
    assert (RESULTS / "results.md").read_text("utf8") == pages.markdown_page(result)


def test_mistakes_are_one_line(tmp_path, capsys):
    assert main(["nope"]) == 2
    assert main(["--render", "--json", str(tmp_path / "none.json")]) == 2
    assert capsys.readouterr().err.count("\n") == 2
