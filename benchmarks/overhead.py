"""What an operation costs beside its arithmetic: eight numbers, and long chains back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import repeat
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np

from minima.train.bench.measure import SETTLE, Contender, Settings, Worker
from minima.train.bench.report import Table, microseconds
from minima.train.bench.worker import serve

__all__ = ["CASES", "LIBRARIES", "Session", "compare", "table"]

MODULES = {"NumPy": "numpy", "PyTorch": "torch", "MyGrad": "mygrad", "minima": "minima"}
LIBRARIES = tuple(MODULES)
CALLS = 2000  # of one operation between two looks at the clock
DEPTH = 1000  # operations of the chain


@dataclass(frozen=True)
class Case:
    """What is timed, and the most seconds that it may cost here, beyond NumPy's if *beyond*."""

    title: str
    limit: float
    beyond: bool = True


CASES = {
    "add": Case("add two tensors of 8 elements", 1.5e-6),
    "recorded": Case("add them, recording the gradient", 3e-6),
    "chain": Case(f"backward of a chain of {DEPTH:,} operations", 3e-3, beyond=False),
}


# ---- in the worker -------------------------------------------------------------------------------
class Session:
    """Times one case after another with one library."""

    def __init__(self, library: str) -> None:
        self.library = library
        self.run: Callable[[], float] = lambda: 0.0

    def open(self) -> dict[str, Any]:
        """Import the library."""
        module = import_module(MODULES[self.library])
        if self.library == "PyTorch":
            module.set_num_threads(1)
        elif self.library == "MyGrad":
            module.turn_memory_guarding_off()
        return {}

    def tensor(self, *, recorded: bool) -> Any:
        """Return a tensor of eight elements."""
        array = np.arange(8, dtype=np.float32)
        if self.library == "NumPy":
            return array
        module: Any = sys.modules[MODULES[self.library]]
        if self.library == "MyGrad":
            return module.tensor(array, constant=not recorded)
        kind = module.tensor if self.library == "PyTorch" else module.Tensor
        return kind(array, requires_grad=recorded)

    def prepare(self, name: str) -> dict[str, Any]:
        """Make the tensors and run once; return the first values."""
        if self.library == "NumPy" and name != "add":
            return {"error": "NumPy has no gradients"}
        if name == "chain":
            self.run = self._chain
            x = self.tensor(recorded=True)
            self._backward(self._long(x))
            return {"values": np.asarray(x.grad).tolist()}
        a, b = self.tensor(recorded=name == "recorded"), self.tensor(recorded=False)
        self.run = lambda: _adds(a, b)
        return {"values": (a + b).tolist() if self.library != "MyGrad" else (a + b).data.tolist()}

    def _long(self, x: Any) -> Any:
        step, y = self.tensor(recorded=False), x
        for _ in range(DEPTH // 2):
            y = (y + step) * 1.0
        return y.sum()

    def _backward(self, y: Any) -> float:
        start = perf_counter()
        y.backward()
        return perf_counter() - start

    def _chain(self) -> float:
        return self._backward(self._long(self.tensor(recorded=True)))

    def burst(self, seconds: float) -> dict[str, Any]:
        """Run for *seconds*; return the median of the seconds of one operation, or chain."""
        times: list[float] = []
        end = perf_counter() + seconds
        while len(times) < 5 or perf_counter() < end:
            times.append(self.run())
        return {"median": float(np.median(times))}


def _adds(a: Any, b: Any) -> float:
    calls = repeat(None, CALLS)
    start = perf_counter()
    for _ in calls:
        a + b
    return (perf_counter() - start) / CALLS


# ---- side by side --------------------------------------------------------------------------------
def compare(
    settings: Settings,
    report: Callable[[str], object],
    libraries: Sequence[str] = LIBRARIES,
) -> list[dict[str, Any]]:
    """Return a row for each case: the median seconds of each library that is here."""
    here = [name for name in libraries if find_spec(MODULES[name])]
    workers = {
        name: Worker(["-m", "benchmarks.overhead", name], settings, Contender(name, ""))
        for name in here
    }
    try:
        able = {n: w for n, w in workers.items() if "error" not in w.ask("open")}
        rows = []
        for name in CASES:
            report(f"overhead: {CASES[name].title}")
            rows.append({"case": name, "seconds": _seconds(name, able, settings)})
    finally:
        for worker in workers.values():
            worker.close()
    return rows


def _seconds(name: str, workers: dict[str, Worker], settings: Settings) -> dict[str, float]:
    rounds: dict[str, list[float]] = {
        library: [] for library, w in workers.items() if "error" not in w.ask("prepare", name)
    }
    for _ in range(settings.rounds):
        for library, times in rounds.items():
            sleep(SETTLE / 10)
            times.append(workers[library].ask("burst", settings.seconds)["median"])
    return {library: median(times) for library, times in rounds.items() if times}


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return the table: times, and what minima costs beside its limit."""
    names = [n for n in LIBRARIES if any(n in row["seconds"] for row in rows)]
    found = Table(
        "Microseconds that eager operations cost",
        ["what", *names, "minima beyond NumPy", "limit"],
        [],
    )
    bare = next((row["seconds"].get("NumPy", 0.0) for row in rows if row["case"] == "add"), 0.0)
    for row in rows:
        case, seconds = CASES[row["case"]], row["seconds"]
        cells = [microseconds(seconds[n]) if n in seconds else "-" for n in names]
        own = seconds.get("minima")
        beyond = "-" if own is None else microseconds(own - (bare if case.beyond else 0.0))
        found.lines.append([case.title, *cells, beyond, microseconds(case.limit)])
    return found


if __name__ == "__main__":
    serve(Session(sys.argv[1]))
