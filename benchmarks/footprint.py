"""What a library costs before it computes: seconds to import, megabytes to install."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from statistics import median
from time import perf_counter
from typing import Any

from packaging.requirements import Requirement

from minima.train.bench.report import Table

__all__ = ["closure", "compare", "installed_bytes", "table"]

#: label, statement, module that must be there, distributions
IMPORTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("nothing", "pass", "sys", ()),
    ("NumPy", "import numpy", "numpy", ("numpy",)),
    ("minima-core", "import minima", "minima", ("minima-core",)),
    ("minima-core + nn", "import minima.nn, minima.optim", "minima", ("minima-core", "minima-nn")),
    (
        "minima-core + nn + numba",
        "import minima.nn, minima.optim",
        "minima_numba",
        ("minima-core", "minima-nn", "minima-numba"),
    ),
    ("PyTorch", "import torch", "torch", ("torch",)),
    ("JAX", "import jax, jax.numpy", "jax", ("jax",)),
    ("tinygrad", "import tinygrad", "tinygrad", ("tinygrad",)),
    ("MyGrad", "import mygrad", "mygrad", ("mygrad",)),
)


def compare(rounds: int) -> list[dict[str, Any]]:
    """Return a row for each library that is here: import seconds, own and all bytes."""
    here = [entry for entry in IMPORTS if find_spec(entry[2])]
    times: dict[str, list[float]] = {label: [] for label, *_ in here}
    for _ in range(rounds):
        for label, statement, _, _ in here:
            start = perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times[label].append(perf_counter() - start)
    return [
        {
            "library": label,
            "seconds": median(times[label]) - median(times["nothing"]),
            "own": sum(installed_bytes(distribution(name)) for name in names),
            "all": sum(installed_bytes(d) for d in closure(names)),
        }
        for label, _, _, names in here
        if names
    ]


def closure(names: Sequence[str]) -> list[Distribution]:
    """Return the distributions *names* and all that they need, without extras."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # such as one for another system
            continue
        for text in found[name].requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return list(found.values())


def installed_bytes(found: Distribution) -> int:
    """Return the size of the files that a distribution's RECORD lists, compiled ones left out."""
    total = 0
    for file in found.files or ():
        place = file.locate()
        if "__pycache__" not in file.parts and place.is_file():  # type: ignore[attr-defined]
            total += place.stat().st_size  # type: ignore[attr-defined]
    return total


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table of import times and sizes."""
    lines = [
        [
            row["library"],
            f"{row['seconds']:.3f}",
            f"{row['own'] / 1e6:.1f}",
            f"{row['all'] / 1e6:.0f}",
        ]
        for row in rows
    ]
    header = ["library", "import, s", "own files, MB", "with all it needs, MB"]
    return Table("Import and installation, without extras", header, lines)
