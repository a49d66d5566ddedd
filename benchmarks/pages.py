"""Pages from kept numbers: Markdown, what the documentation includes, and the chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from minima.train.bench.machine import sentence
from minima.train.bench.report import Table, markdown, rst, tables

__all__ = ["draw_chart", "markdown_page", "rst_page"]

Result = dict[str, Any]


def markdown_page(result: Result) -> str:
    """Return the page of *result* in Markdown."""
    parts = ["# Benchmarks", *_words(result)]
    for table in _tables(result):
        parts += [f"## {table.title}", markdown(table)]
    return "\n\n".join(parts) + "\n"


def rst_page(file: Path) -> str:
    """Return what the documentation shows of the numbers in *file*."""
    result = json.loads(file.read_text("utf8"))
    return "\n\n".join([*_words(result), *(rst(table) for table in _tables(result))]) + "\n"


def draw_chart(result: Result, file: Path) -> None:
    """Draw the chart of *result* into *file*, if workloads were timed."""
    from .chart import draw

    if result.get("workloads"):
        draw(result["workloads"], set(result["peers"]), file)


def _words(result: Result) -> list[str]:
    """Return the paragraphs that say where the numbers come from."""
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    kind = "A quick run" if result["quick"] else "A full run"
    found = [
        f"{kind} on {result['date']}, {result['threads']} threads each, {result['rounds']} rounds. "
        + sentence(result["machine"]),
        f"With {versions}.",
    ]
    machine = result["machine"]
    if (machine["load"] or 0) > machine["cores"] / 2:
        found.append(
            "The machine was busy with something else: the times, and most of all those of "
            "libraries whose threads wait by spinning, say little."
        )
    return found


def _tables(result: Result) -> list[Table]:
    from . import footprint, operators, overhead

    found = tables(result.get("workloads", []), result["peers"]) if "workloads" in result else []
    if "operators" in result:
        found.append(operators.table(result["operators"]))
    if "overhead" in result:
        found.append(overhead.table(result["overhead"]))
    if "footprint" in result:
        found.append(footprint.table(result["footprint"]))
    return found
