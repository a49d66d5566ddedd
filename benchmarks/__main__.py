"""`python -m benchmarks`: measure, keep the numbers, and write table and chart from them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from minima.errors import MinimaError
from minima.train.bench.command import add_options, chosen, say
from minima.train.bench.machine import describe, versions
from minima.train.bench.measure import CONTENDERS, compare
from minima.train.bench.workloads import WORKLOADS

from . import footprint, operators, overhead, pages
from .peers import DISTRIBUTIONS, installed

RESULTS = Path(__file__).parent / "results"
PARTS = ("workloads", "operators", "overhead", "footprint")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments*; return the exit code."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    add_options(parser)
    parser.add_argument("--only", choices=PARTS, help="measure one part and keep the others")
    parser.add_argument("--render", action="store_true", help="measure nothing; write the pages")
    parser.set_defaults(json=RESULTS / "results.json")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(f"{w.name:18} {w.title}" for w in WORKLOADS.values()))
        return 0
    try:
        result = _known(options.json) if options.render else _measured(options)
    except MinimaError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1) + "\n", "utf8")
    text = pages.markdown_page(result)
    options.json.with_suffix(".md").write_text(text, "utf8")
    pages.draw_chart(result, options.json.with_suffix(".png"))
    print(text)
    return 0


def _known(file: Path) -> dict[str, Any]:
    if not file.exists():
        raise MinimaError(f"there are no numbers in {file}; measure some without --render")
    found: dict[str, Any] = json.loads(file.read_text("utf8"))
    return found


def _measured(options: argparse.Namespace) -> dict[str, Any]:
    """Return the numbers of all parts, or of one beside those known of the others."""
    names, settings = chosen(options)
    root = str(Path(__file__).parent.parent)  # workers find this package too
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    peers = installed(quick=options.quick)
    parts = [options.only] if options.only else PARTS
    result: dict[str, Any] = _known(options.json) if options.only and options.json.exists() else {}
    result.update(
        date=date.today().isoformat(),
        quick=options.quick,
        machine=describe(),
        versions=versions(DISTRIBUTIONS),
        threads=settings.threads,
        rounds=settings.rounds,
        peers=[c.name for c in peers],
    )
    if "workloads" in parts:
        result["workloads"] = compare(names, [*CONTENDERS, *peers], settings, say)
    if "operators" in parts:
        sizes = operators.SIZES[1:2] if options.quick else operators.SIZES
        result["operators"] = operators.compare(sizes, settings, say)
    if "overhead" in parts:
        result["overhead"] = overhead.compare(settings, say)
    if "footprint" in parts:
        say("import and installation")
        result["footprint"] = footprint.compare(settings.rounds)
    return result


if __name__ == "__main__":
    sys.exit(main())
