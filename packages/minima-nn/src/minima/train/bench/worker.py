"""One contender on one workload, in a process of its own, doing what it is told line by line.

``python -m minima.train.bench.worker MODULE:FUNCTION WORKLOAD`` reads a JSON list, a command and
its arguments, from each line of stdin and answers with a JSON object on stdout; between commands
it does nothing, so that it disturbs no other.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from itertools import cycle
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from minima.train.bench.workloads import WORKLOADS, Workload

__all__ = ["Session", "peak_memory", "resident_memory", "serve", "timed"]

POOL = 16  # batches made ahead; each step takes the next
CALLS = 3  # calls until nothing is compiled any more
_STATUS = Path("/proc/self/status")


def resident_memory() -> int:
    """Return the resident memory of this process in bytes, 0 where the system does not tell."""
    return _status("VmRSS")


def peak_memory() -> int:
    """Return the largest resident memory in bytes since `forget_peak`, 0 where unknown."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Let the peak begin at the resident memory of now, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def _status(name: str) -> int:
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def timed(call: Callable[[], Any], seconds: float) -> list[float]:
    """Return the seconds of each call within *seconds*, after one that does not count.

    It makes at least three calls, fewer where these would take four times as long.

    >>> len(timed(lambda: None, 0.0))
    3
    """
    call()
    times: list[float] = []
    begin = perf_counter()
    while True:
        start = perf_counter()
        call()
        end = perf_counter()
        times.append(end - start)
        if end - begin > 4 * seconds and end - begin > 0.1:
            return times
        if len(times) >= 3 and end - begin > seconds:
            return times


class Session:
    """What a worker does: `open` the contender, `prepare` a mode, time `burst` after burst."""

    def __init__(self, target: str, workload: Workload) -> None:
        self.target, self.workload = target, workload
        self.contender: Any = None
        self.calls: dict[str, Callable[[], Any]] = {}
        self.before = 0

    def open(self) -> dict[str, Any]:
        """Import the framework; return the seconds that it took."""
        start = perf_counter()
        module, _, name = self.target.partition(":")
        self.contender = getattr(import_module(module), name)
        return {"seconds": perf_counter() - start}

    def prepare(self, mode: str) -> dict[str, Any]:
        """Make a trial and call it until all is compiled.

        Returns what it gave (losses, or the first logits) and the seconds of the first calls.
        """
        training = mode == "train"
        data = self.workload.batches(POOL, 1 if mode == "single" else None)
        self.before = resident_memory()
        forget_peak()
        start = perf_counter()
        trial = self.contender(self.workload, training)
        batches = cycle([trial.batch(x, y) for x, y in data])
        function = trial.train if training else trial.infer
        self.calls[mode] = lambda: function(next(batches))
        found = [trial.value(self.calls[mode]()) for _ in range(CALLS)]
        values = [float(v) for f in found for v in np.ravel(f)[:10]]
        return {"values": values, "seconds": perf_counter() - start}

    def burst(self, mode: str, seconds: float) -> dict[str, Any]:
        """Call for *seconds*; return the median and the best of the seconds of a call."""
        times = timed(self.calls[mode], seconds)
        return {"median": float(np.median(times)), "best": min(times), "calls": len(times)}

    def memory(self) -> dict[str, Any]:
        """Return by how many bytes memory has grown, at its peak, since the last `prepare`."""
        peak = peak_memory()
        return {"bytes": max(0, peak - self.before) if peak else None}

    def forget(self, mode: str) -> dict[str, Any]:
        """Drop the trial of *mode*."""
        self.calls.pop(mode, None)
        return {}


def serve(session: Session) -> None:
    """Answer commands until stdin ends; an error is an answer too."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a framework prints is no answer
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        try:
            answer = getattr(session, command)(*arguments)
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            answer = {"error": text if text.startswith("layer") else f"{_kind(error)}: {text}"}
        print(json.dumps(answer), file=replies, flush=True)


def _kind(error: Exception) -> str:
    return type(error).__name__


if __name__ == "__main__":
    serve(Session(sys.argv[1], WORKLOADS[sys.argv[2]]))
