"""Pictures: a graph in which every kernel has what it reads before it."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

import minima as mi


@pytest.fixture
def plan():
    @mi.compile
    def f(x, y):
        return mi.exp(x @ y) + 1.0

    for _ in range(2):
        f(mi.ones((2, 3)), mi.ones((3, 4)))
    return f.plans[0]


def test_kernels_and_edges(plan):
    """Catch a kernel that hangs in the air."""
    dot = plan.picture()
    assert dot.count("{") == dot.count("}") == 1
    count = len(plan.launches())
    assert len(re.findall(r"^  k\d+ \[shape=box", dot, re.MULTILINE)) == count
    nodes = set(re.findall(r"^  (\w+) \[", dot, re.MULTILINE)) - {"node"}
    edges = re.findall(r"^  (\w+) -> (\w+) ", dot, re.MULTILINE)
    assert {n for edge in edges for n in edge} == nodes
    assert len([n for _, n in edges if n == "o0"]) == 1
    assert dot.count("argument") == 2


def test_quotes_are_escaped(plan):
    plan.launches()[0].line = 'a "folder"/x.py:1'
    assert '"folder' not in plan.picture()
    plan.launches()[0].line = 'a/"x".py:1'
    assert '\\"x\\".py' in plan.picture()


def test_without_the_package_the_error_says_how(plan, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(mi.ArgumentError, match=r"pip install 'minima-core\[viz\]'"):
        plan.picture(str(tmp_path / "plan.svg"))


def test_drawing(plan, tmp_path):
    pytest.importorskip("graphviz", reason="the extra viz is not installed")
    file = tmp_path / "plan.svg"
    if shutil.which("dot"):
        plan.picture(str(file))
        assert "<svg" in file.read_text()
    else:
        with pytest.raises(mi.ArgumentError, match="the program dot"):
            plan.picture(str(file))
    with pytest.raises(mi.ArgumentError, match="picture"):
        plan.picture(str(tmp_path / "plan.nonsense"))
