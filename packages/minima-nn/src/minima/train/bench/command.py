"""``minima bench``: minima eager against minima compiled, on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from minima.errors import ArgumentError
from minima.hookspec import hookimpl

__all__ = ["MINIMA_API", "add", "run"]

MINIMA_API = 1
QUICK = ("mlp-small", "mlp-64", "cnn", "lstm")


@hookimpl
def minima_register_commands(registry: Any) -> None:
    """Offer `bench`."""
    registry.add("bench", add)


def add(subparsers: Any) -> None:
    """Add the sub-command and its options."""
    parser = subparsers.add_parser(
        "bench", help="time training steps and inference, eager and compiled"
    )
    add_options(parser)
    parser.add_argument(
        "--plans",
        action="store_true",
        help="time nothing; print kernel counts and planned bytes of each workload as JSON",
    )
    parser.add_argument(
        "--executor", default="numpy", metavar="NAME", help="whose plans those are; numpy"
    )
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every form of the benchmark has."""
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="names; default: all")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    parser.add_argument("--quick", action="store_true", help="fewer workloads and shorter")
    parser.add_argument("--rounds", type=int, help="turns of each contender")
    parser.add_argument("--seconds", type=float, help="seconds of a turn")
    parser.add_argument("--threads", type=int, default=2, help="threads of each contender")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the numbers in FILE")


def chosen(options: argparse.Namespace) -> tuple[list[str], Any]:
    """Return the names of the workloads and the settings that *options* ask for.

    Raises: ArgumentError for an unknown workload or a number that is not positive.
    """
    from minima.train.bench.measure import Settings
    from minima.train.bench.workloads import WORKLOADS

    unknown = [name for name in options.workloads if name not in WORKLOADS]
    if unknown:
        raise ArgumentError(
            f"there is no workload {unknown[0]!r}; choose from {', '.join(WORKLOADS)}"
        )
    for name in ("rounds", "seconds", "threads"):
        value = getattr(options, name)
        if value is not None and not 0 < value < float("inf"):
            raise ArgumentError(f"--{name} is {value}; expected a positive number")
    if options.json is not None and not (
        options.json.parent.is_dir() and not options.json.is_dir()
    ):
        raise ArgumentError(f"--json is {options.json}; expected a file in a folder that is there")
    names = options.workloads or (QUICK if options.quick else list(WORKLOADS))
    usual = Settings(3, 0.1, 60.0, modes=("train", "infer")) if options.quick else Settings()
    settings = Settings(
        options.rounds or usual.rounds,
        options.seconds or usual.seconds,
        usual.patience,
        options.threads,
        usual.modes,
    )
    return list(names), settings


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables, keep the numbers."""
    from minima.train.bench.machine import describe, sentence
    from minima.train.bench.measure import compare
    from minima.train.bench.report import markdown, tables
    from minima.train.bench.workloads import WORKLOADS

    if options.list:
        for workload in WORKLOADS.values():
            print(f"{workload.name:18} {workload.title}")
        return 0
    names, settings = chosen(options)
    if options.plans:
        from minima.train.bench.plans import counts

        found = {name: counts(WORKLOADS[name], options.executor) for name in names}
        print(json.dumps(found, indent=2))
        return 0
    machine = describe()
    rows = compare(names, settings=settings, report=say)
    if options.json is not None:
        text = json.dumps({"machine": machine, "rows": rows}, indent=1)
        options.json.write_text(text + "\n", "utf8")
    print(sentence(machine))
    for table in tables(rows):
        print(f"\n{table.title}\n\n{markdown(table)}")
    return 0


def say(text: str) -> None:
    """Tell how far it is, where it is not in the way of the tables."""
    print(text, file=sys.stderr, flush=True)
