"""A plan as a graph, in the language DOT, which Graphviz draws."""

from __future__ import annotations

from pathlib import Path

from ..errors import ArgumentError
from .cost import parts, phase
from .describe import label, short
from .plan import Plan, Step, Value

__all__ = ["draw", "picture", "quoted"]

COLORS = {
    "forward": "#dbe9f6",
    "backward": "#fde5cc",
    "optimizer": "#dcf0d8",
    "in place": "#eeeeee",
}


def picture(plan: Plan) -> str:
    """Return the text of `Plan.picture`."""
    lines = ["digraph plan {", '  node [fontname="monospace", style=filled, fillcolor=white];']
    last: dict[Value, str] = {}  # who wrote a value's memory last
    outside: dict[Value, str] = {}
    edges: list[str] = []
    for i, step in enumerate(plan.launches()):
        lines.append(f"  k{i} [{_box(step)}];")
        for value in dict.fromkeys(step.reads()):
            source = last.get(value.root) or _outside(value.root, outside)
            edges.append(f'  {source} -> k{i} [label="{_kind(value)}"];')
        for value in step.writes():
            last[value.root] = f"k{i}"
    for i, value in enumerate(plan.outputs):
        lines.append(f'  o{i} [shape=ellipse, label="result {i}"];')
        source = last.get(value.root) or _outside(value.root, outside)
        edges.append(f'  {source} -> o{i} [label="{_kind(value)}"];')
    for value, name in outside.items():
        what = "argument" if value.kind == "input" else "kept outside"
        lines.append(f'  {name} [shape=ellipse, label="{what}\\n{_kind(value)}"];')
    return "\n".join([*lines, *edges, "}", ""])


def _box(step: Step) -> str:
    count = len(parts(step))
    words = [label(step)]
    if count > 1:
        words.append(f"fused: {count} operators")
    if step.line:
        words.append(short(step.line))
    color = COLORS[phase(step)]
    return f'shape=box, fillcolor="{color}", label="{quoted(words)}"'


def quoted(words: list[str]) -> str:
    """Return *words*, a line each, as the inside of a label."""
    return "\\n".join(w.replace("\\", "\\\\").replace('"', '\\"') for w in words)


def _outside(root: Value, names: dict[Value, str]) -> str:
    return names.setdefault(root, f"v{root.number}")


def _kind(value: Value) -> str:
    return f"{value.dtype}{list(value.shape)}"


def draw(dot: str, file: str | Path, operation: str = "picture") -> None:
    """Let Graphviz draw *dot* into *file*, in the format that its name ends in.

    Raises: ArgumentError when that is none, or Graphviz or its Python package is missing; named
    after *operation*.
    """
    kind = Path(file).suffix[1:]
    try:
        from graphviz import ExecutableNotFound, Source
    except ImportError:
        raise ArgumentError(
            f"{operation}: drawing needs the package graphviz: pip install 'minima-core[viz]'; "
            "without it there is the graph as text, in the language DOT"
        ) from None
    try:
        data = Source(dot).pipe(format=kind)
    except ExecutableNotFound:
        raise ArgumentError(
            f"{operation}: drawing needs Graphviz itself, the program dot: install it from "
            "graphviz.org or the system's packages"
        ) from None
    except ValueError as error:
        raise ArgumentError(f"{operation}: {str(file)!r} cannot be drawn: {error}") from None
    Path(file).write_bytes(data)
