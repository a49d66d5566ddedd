"""Pictures of what was recorded: the graph that backward will go through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .autograd.node import LEAF, Node, Spec
from .compiler.picture import draw, quoted
from .errors import ArgumentError, AutogradError
from .explain import several
from .tensor import Tensor

__all__ = ["Drawing", "graph"]

COLORS = {
    "operator": "#dbe9f6",
    "leaf": "#dcf0d8",
    "result": "#fde5cc",
    "saved": "#eeeeee",
}
_LONGEST = 40  # characters of an attribute


class Drawing:
    """A graph, drawn by Graphviz where it is at hand; ``str()`` is its text in the language DOT.

    Notebooks show it where the extra ``viz`` is installed.
    """

    def __init__(self, dot: str) -> None:
        self.dot = dot

    def __str__(self) -> str:
        return self.dot

    def save(self, file: str | Path) -> None:
        """Write it to *file*: text for ``.dot`` and ``.gv``, else a picture (``.svg``, ``.png``).

        Raises: ArgumentError when Graphviz or its Python package is missing, or for another format.
        """
        if Path(file).suffix in (".dot", ".gv"):
            Path(file).write_text(self.dot, encoding="utf-8")
        else:
            draw(self.dot, file, "viz")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            from graphviz import ExecutableNotFound, Source
        except ImportError:
            return {"text/plain": self.dot}
        try:
            return {"image/svg+xml": Source(self.dot).pipe(format="svg", encoding="utf-8")}
        except ExecutableNotFound:
            return {"text/plain": self.dot}


def graph(
    outputs: Tensor | Sequence[Tensor],
    *,
    params: Mapping[str, Tensor] | None = None,
    saved: bool = False,
) -> Drawing:
    r"""Return a drawing of the operations that *outputs* were computed by.

    A box for each recorded operator, with the shape and dtype of its result and its attributes, an
    ellipse for each leaf. *params* names leaves, as ``dict(model.named_parameters())`` does;
    *saved* shows the buffers that operators keep for their gradients.

    Raises: AutogradError for an output that does not require grad, or a graph that backward has
    used and freed.

    >>> import minima as mi
    >>> w = mi.ones((2, 2), requires_grad=True)
    >>> print(mi.viz.graph((w * w).sum(), params={"w": w}))  # doctest: +ELLIPSIS
    digraph graph_of_gradients {
    ...
      n0 [fillcolor="#dcf0d8", shape=ellipse, label="w\nfloat32[2, 2]"];
      n1 [fillcolor="#dbe9f6", label="multiply\nfloat32[2, 2]"];
      n2 [fillcolor="#dbe9f6", label="sum\nfloat32[]\naxis=(0, 1), keepdims=False"];
      n3 [fillcolor="#fde5cc", shape=ellipse, label="result\nfloat32[]"];
      n0 -> n1;
      n0 -> n1;
      n1 -> n2;
      n2 -> n3;
    }
    """
    many = several("graph", "outputs", outputs)
    names = {id(t): name for name, t in (params or {}).items()}
    boxes: dict[int, str] = {}
    lines: list[str] = []
    edges: list[str] = []

    def add(thing: object, style: str, words: list[str]) -> str:
        boxes[id(thing)] = name = f"n{len(lines)}"
        lines.append(f'  {name} [{style}, label="{quoted(words)}"];')
        return name

    found = _ordered([_root(t) for t in many])
    for edge in found:
        if isinstance(edge, Tensor):
            named = [names[id(edge)]] if id(edge) in names else []
            add(edge, _style("leaf", "ellipse"), [*named, _kind(edge)])
        else:
            name = add(edge, _style("operator"), _words(edge))
            edges += [f"  {boxes[id(e)]} -> {name};" for e in edge.edges or () if e is not None]
            for words in _kept(edge) if saved else ():
                kept = add(object(), _style("saved", "note"), words)
                edges.append(f"  {kept} -> {name} [style=dashed, arrowhead=none];")
    for i, t in enumerate(many):
        title = "result" if len(many) == 1 else f"result {i}"
        result = add(object(), _style("result", "ellipse"), [title, _kind(t)])
        edges.append(f"  {boxes[id(_root(t))]} -> {result};")
    head = '  node [fontname="monospace", shape=box, style=filled];'
    return Drawing("\n".join(["digraph graph_of_gradients {", head, *lines, *edges, "}", ""]))


def _style(what: str, shape: str | None = None) -> str:
    return f'fillcolor="{COLORS[what]}"' + (f", shape={shape}" if shape else "")


def _kind(t: Any) -> str:
    return f"{t.dtype}{list(t.shape)}"


def _root(t: Tensor) -> Node | Tensor:
    if not isinstance(t, Tensor):
        raise ArgumentError(f"viz.graph: got {type(t).__name__}; expected Tensors to draw")
    if t._node is None:
        raise AutogradError(
            f"viz.graph: the output of shape {t.shape} does not require grad, so nothing was "
            "recorded; compute it from tensors that do, outside of no_grad()"
        )
    return t if t._node is LEAF else t._node  # type: ignore[return-value]


def _ordered(roots: list[Node | Tensor]) -> list[Node | Tensor]:
    """Return all that *roots* depend on, each after what it depends on."""
    found: dict[int, Node | Tensor] = {}
    stack: list[tuple[Node | Tensor, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        edge, ready = stack.pop()
        if id(edge) in found:
            continue
        if ready or isinstance(edge, Tensor):
            found[id(edge)] = edge
            continue
        if edge.edges is None:
            raise AutogradError(
                f"viz.graph: the graph of {edge.operator.name} was freed by backward(); draw it "
                "before, or pass retain_graph=True"
            )
        stack.append((edge, True))
        stack += [(e, False) for e in reversed(edge.edges) if e is not None]
    return list(found.values())


def _words(node: Node) -> list[str]:
    options = ", ".join(f"{k}={_short(v)}" for k, v in node.attrs.items() if v is not None)
    return [node.operator.name, _kind(node.output), *([options] if options else [])]


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _kept(node: Node) -> Iterator[list[str]]:
    """Yield name and kind of each buffer that *node* keeps."""
    names = node.operator.inputs
    for i, kept in enumerate(node.saved or ()):
        if kept is not None and type(kept) is not Spec:
            name = f"{names[0]}[{i}]" if node.operator.variadic else names[i]
            yield [f"saved {name}", _kind(kept)]
    if node.output is not None and type(node.output) is not Spec:
        yield ["saved result", _kind(node.output)]
