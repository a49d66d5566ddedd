"""Graphs as pictures: operators, leaves and what is saved, as DOT and through Graphviz."""

import re
import shutil
import sys

import pytest

import minima as mi


def parsed(drawing):
    """Return the labels of the boxes, and the edges between them."""
    dot = str(drawing)
    labels = dict(re.findall(r'^  (n\d+) \[.*label="(.*)"\];$', dot, re.MULTILINE))
    edges = re.findall(r"^  (n\d+) -> (n\d+)", dot, re.MULTILINE)
    assert {n for edge in edges for n in edge} <= set(labels)
    assert dot.startswith("digraph")
    assert dot.count("{") == dot.count("}")
    return labels, [(labels[a], labels[b]) for a, b in edges]


def model():
    w = mi.ones((3, 2), requires_grad=True)
    b = mi.zeros(2, requires_grad=True)
    return w, b, mi.tanh(mi.ones((4, 3)) @ w + b).sum(axis=1)


def test_operators_and_leaves():
    """Catch an operator or leaf that is lost, or drawn twice."""
    w, _b, y = model()
    labels, edges = parsed(mi.viz.graph(y, params={"layer.w": w}))
    assert sorted(labels.values()) == sorted(
        [
            r"layer.w\nfloat32[3, 2]",
            r"float32[2]",
            r"matmul\nfloat32[4, 2]",
            r"add\nfloat32[4, 2]",
            r"tanh\nfloat32[4, 2]",
            r"sum\nfloat32[4]\naxis=(1,), keepdims=False",
            r"result\nfloat32[4]",
        ]
    )
    assert (r"layer.w\nfloat32[3, 2]", r"matmul\nfloat32[4, 2]") in edges
    assert (r"float32[2]", r"add\nfloat32[4, 2]") in edges
    assert len(edges) == 6


def test_saved():
    """With *saved*, what each gradient reads hangs at its operator."""
    w, _, y = model()
    _labels, edges = parsed(mi.viz.graph(y, saved=True))
    assert (r"saved a\nfloat32[4, 3]", r"matmul\nfloat32[4, 2]") in edges
    assert (r"saved result\nfloat32[4, 2]", r"tanh\nfloat32[4, 2]") in edges
    joined = mi.concat([w * w, w])
    assert len(parsed(mi.viz.graph(joined, saved=True))[0]) > 3


def test_several_outputs_and_leaf():
    """Outputs share one graph; a leaf is a graph of its own."""
    w, _, y = model()
    labels, _edges = parsed(mi.viz.graph([y, y * 2, w]))
    assert [v for v in labels.values() if v.startswith("result")] == [
        r"result 0\nfloat32[4]",
        r"result 1\nfloat32[4]",
        r"result 2\nfloat32[3, 2]",
    ]
    assert sum(v.startswith("tanh") for v in labels.values()) == 1


def test_deep_graph():
    """A chain of 20,000 operations needs no recursion."""
    x = y = mi.ones((), requires_grad=True)
    for _ in range(20_000):
        y = -y
    assert str(mi.viz.graph(y)).count("negative") == 20_000
    assert x.grad is None


def test_errors():
    """A graph that is not there says why."""
    _, _, y = model()
    with pytest.raises(mi.AutogradError, match="does not require grad"):
        mi.viz.graph(y.detach())
    y.sum().backward()
    with pytest.raises(mi.AutogradError, match="freed by backward"):
        mi.viz.graph(y)
    with pytest.raises(mi.ArgumentError, match="expected Tensors"):
        mi.viz.graph([1.0])


def test_quotes_are_escaped():
    """Names cannot break out of their label."""
    w, _, y = model()
    assert r"say \"w\"" in str(mi.viz.graph(y, params={'say "w"': w}))


def test_files(tmp_path, monkeypatch):
    """Text needs nothing; pictures say what is missing."""
    drawing = mi.viz.graph(model()[2])
    drawing.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == str(drawing)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    with pytest.raises(mi.ArgumentError, match=r"viz: .*pip install 'minima-core\[viz\]'"):
        drawing.save(tmp_path / "graph.svg")
    assert drawing._repr_mimebundle_() == {"text/plain": str(drawing)}


def test_drawing(tmp_path):
    """Graphviz draws it where it is there, and is asked for where it is not."""
    pytest.importorskip("graphviz", reason="the extra viz is not installed")
    drawing = mi.viz.graph(model()[2])
    if shutil.which("dot"):
        drawing.save(tmp_path / "graph.svg")
        assert "<svg" in (tmp_path / "graph.svg").read_text()
        assert "<svg" in drawing._repr_mimebundle_()["image/svg+xml"]
    else:
        with pytest.raises(mi.ArgumentError, match="the program dot"):
            drawing.save(tmp_path / "graph.svg")
        assert drawing._repr_mimebundle_() == {"text/plain": str(drawing)}
    with pytest.raises(mi.ArgumentError, match="viz"):
        drawing.save(tmp_path / "graph.nothing")
