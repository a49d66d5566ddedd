"""Side by side: contenders take turns, one short burst each, while the others wait idle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from statistics import median
from tempfile import TemporaryFile
from threading import Thread
from time import sleep
from typing import Any

import numpy as np

from minima.train.bench.workloads import WORKLOADS

__all__ = ["CONTENDERS", "Contender", "Settings", "Worker", "compare"]

SETTLE = 0.05  # seconds: threads of BLAS and OpenMP spin on for a while after their work
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Contender:
    """Who takes part: a name for the table, ``module:function``, and whether it is a peer.

    *patience* is how many seconds an answer may take, where that is less than the settings say.
    """

    name: str
    target: str
    peer: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    patience: float = float("inf")


#: those that need nothing but minima
CONTENDERS: tuple[Contender, ...] = (
    Contender("minima eager", "minima.train.bench.contenders:eager"),
    Contender("minima numpy", "minima.train.bench.contenders:numpy"),
    # nothing compiled earlier: the first call is timed
    Contender(
        "minima numba", "minima.train.bench.contenders:numba", False, (("MINIMA_CACHE", "0"),)
    ),
)


@dataclass(frozen=True)
class Settings:
    """How long to measure: *rounds* of bursts of *seconds*; *patience* is for one answer."""

    rounds: int = 5
    seconds: float = 0.3
    patience: float = 240.0
    threads: int = 2
    modes: Sequence[str] = ("train", "infer", "single")


class Worker:
    """A process that answers commands; see `minima.train.bench.worker`."""

    def __init__(self, arguments: Sequence[str], settings: Settings, contender: Contender) -> None:
        self.patience = min(settings.patience, contender.patience)
        self.complaints = TemporaryFile()  # noqa: SIM115  (of stderr; close() closes it)
        self.end = ""
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.complaints,
            text=True,
            env={**os.environ, **_environment(settings.threads), **dict(contender.environment)},
        )
        _pin(self.process.pid, settings.threads)
        self.answers: SimpleQueue[str] = SimpleQueue()
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.answers.put(line)
        self.answers.put("")

    def ask(self, *command: Any) -> dict[str, Any]:
        """Return the answer to a command; what went wrong is its "error"."""
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
            line = self.answers.get(timeout=self.patience)
        except Empty:
            self.close()
            self.end = f"no answer within {self.patience:.0f} s"
        except (OSError, ValueError):  # the pipe is broken, or closed
            self._await()
        else:
            if line:
                return json.loads(line)  # type: ignore[no-any-return]
            self._await()
        return {"error": self.end}

    def _await(self) -> None:
        """Let a process that gave up come to its own end."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.close()

    def close(self) -> None:
        """End the process."""
        if self.complaints.closed:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.end = f"the process ended with code {self.process.wait()}{self._last()}"
        self.reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.complaints):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _last(self) -> str:
        """Return the last line that the process wrote to stderr."""
        self.complaints.seek(0)
        lines = self.complaints.read().decode("utf8", "replace").split("\n")
        return next((f": {line.strip()}" for line in reversed(lines) if line.strip()), "")


def _environment(threads: int) -> dict[str, str]:
    """Return the variables by which libraries learn how many threads to use."""
    names = "OMP OPENBLAS MKL NUMEXPR VECLIB BLIS".split()
    found = {f"{name}_NUM_THREADS": str(threads) for name in names}
    return {**found, "MINIMA_BENCH_THREADS": str(threads)}


def _pin(process: int, threads: int) -> None:
    """Let a process have as many cores as threads, where the system can: some ask for no count."""
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(process, mine[:threads])


@dataclass
class _Entrant:
    contender: Contender
    worker: Worker
    row: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def compare(
    workloads: Sequence[str],
    contenders: Sequence[Contender] = CONTENDERS,
    settings: Settings | None = None,
    report: Callable[[str], object] = lambda text: None,
) -> list[dict[str, Any]]:
    """Return one row for each workload, mode and contender.

    A row has the seconds of a call in each round ("rounds"), their "median", "low" and "high",
    and, for training, the seconds of the first calls ("first") and the growth of memory ("bytes");
    or a "note" that says why there are none. Contenders must agree, within 1e-4, on the losses of
    the first steps and on the logits, with the peer that comes first or, without any, the first.
    """
    chosen = settings or Settings()
    rows: list[dict[str, Any]] = []
    for name in workloads:
        report(f"{WORKLOADS[name].title}")
        rows += _compare_one(name, contenders, chosen, report)
    return rows


def _compare_one(
    name: str, contenders: Sequence[Contender], settings: Settings, report: Callable[[str], object]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    entrants: list[_Entrant] = []
    try:
        for contender in contenders:
            arguments = ["-m", "minima.train.bench.worker", contender.target, name]
            entrant = _Entrant(contender, Worker(arguments, settings, contender))
            entrants.append(entrant)
            entrant.note = str(entrant.worker.ask("open").get("error", ""))
        for mode in settings.modes:
            rows += _mode(name, mode, entrants, settings)
            for row in rows[-len(entrants) :]:
                report(f"  {mode:6} {row['contender']:16} {_said(row)}")
    finally:
        for entrant in entrants:
            entrant.worker.close()
    return rows


def _said(row: dict[str, Any]) -> str:
    return row["note"] or f"{row['median'] * 1e6:12,.0f} us"


def _mode(
    name: str, mode: str, entrants: list[_Entrant], settings: Settings
) -> list[dict[str, Any]]:
    """Return the rows of one mode: prepare all, check that they agree, then take turns."""
    for entrant in entrants:
        entrant.row = {"workload": name, "mode": mode, "contender": entrant.contender.name}
        if not entrant.note:
            answer = entrant.worker.ask("prepare", mode)
            if "error" in answer:
                entrant.row["note"] = answer["error"]
                if entrant.worker.process.poll() is not None:
                    entrant.note = answer["error"]
            else:
                entrant.row.update(values=answer["values"], first=answer["seconds"], rounds=[])
        else:
            entrant.row["note"] = entrant.note
    _check(entrants)
    able = [e for e in entrants if "note" not in e.row]
    for turn in range(settings.rounds):
        for entrant in able[turn % max(len(able), 1) :] + able[: turn % max(len(able), 1)]:
            _turn(entrant, mode, settings.seconds)
    for entrant in able:
        _sum_up(entrant, mode)
    return [{"note": "", **e.row} for e in entrants]


def _turn(entrant: _Entrant, mode: str, seconds: float) -> None:
    if "note" in entrant.row:
        return
    sleep(SETTLE)
    answer = entrant.worker.ask("burst", mode, seconds)
    if "error" in answer:
        entrant.row["note"] = answer["error"]
        return
    entrant.row["rounds"].append(answer["median"])
    entrant.row["best"] = min(answer["best"], entrant.row.get("best", answer["best"]))


def _sum_up(entrant: _Entrant, mode: str) -> None:
    row = entrant.row
    if "note" not in row:
        row["median"] = median(row["rounds"])
        row["low"], row["high"] = min(row["rounds"]), max(row["rounds"])
        if mode == "train":
            row["bytes"] = entrant.worker.ask("memory").get("bytes")
    entrant.worker.ask("forget", mode)


def _check(entrants: list[_Entrant]) -> None:
    """Take out who computes something else than the peer that comes first."""
    able = [e for e in entrants if "note" not in e.row]
    judge = next((e for e in able if e.contender.peer), able[0] if able else None)
    if judge is None:
        return
    expected = np.array(judge.row["values"])
    for entrant in able:
        found = np.array(entrant.row.pop("values"))
        fits = found.shape == expected.shape and np.allclose(
            found, expected, rtol=TOLERANCE, atol=TOLERANCE
        )
        if not fits:
            off = np.abs(found - expected).max() if found.shape == expected.shape else np.inf
            entrant.row["note"] = (
                f"computes something else than {judge.contender.name}: off by {off:.2g}"
            )
