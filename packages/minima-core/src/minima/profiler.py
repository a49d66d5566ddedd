"""Where time goes: seconds and bytes of each operator and of each line of the caller's.

>>> x = mi.ones((64, 64), requires_grad=True)
>>> with mi.profiler.profile() as p:
...     (x @ x).sum().backward()
>>> sorted({row.name for row in p.rows("operator")} & {"matmul", "sum"})
['matmul', 'sum']

Kernels are timed from outside, by what stands in front of them while a profile is on; when none
is, nothing does. Only launches of the same thread or task count.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextvars import Token
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock, get_ident
from time import perf_counter
from types import TracebackType
from typing import Any

from .autograd.mode import PROFILE
from .compiler.tape import caller
from .devices import base, opened
from .devices.watched import stand_before, step_aside
from .errors import ArgumentError

__all__ = ["Event", "Profile", "Row", "profile"]


@dataclass(frozen=True, slots=True)
class Event:
    """One launch: *phase* is forward, backward, optimizer or in place; *start* as perf_counter."""

    name: str
    phase: str
    line: str
    start: float
    seconds: float
    bytes: int
    shape: str
    thread: int


@dataclass
class Row:
    """The sum of all launches of one *name* (an operator, or a line) in one *phase*."""

    name: str
    phase: str
    calls: int = 0
    seconds: float = 0.0
    bytes: int = 0


def profile() -> Profile:
    """Return a context manager that notes each kernel launched inside of it.

    Compiled functions are seen kernel by kernel. Profiles may be nested: the outer one has all.

    >>> with mi.profiler.profile() as p:
    ...     y = mi.exp(mi.ones(1000))
    >>> [(row.name, row.calls, row.bytes) for row in p.rows("operator") if row.name == "exp"]
    [('exp', 1, 8000)]
    """
    return Profile()


class Profile:
    """What was launched: `events`, and the *seconds* from entering to leaving."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.seconds = 0.0
        self._start = 0.0
        self._tokens: list[tuple[Token[Profile | None], Profile | None]] = []

    def __enter__(self) -> Profile:
        _watch()
        outer = PROFILE.get()
        self._tokens.append((PROFILE.set(self), outer))
        self._start = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.seconds += perf_counter() - self._start
        token, outer = self._tokens.pop()
        PROFILE.reset(token)
        if outer is not None and outer is not self:
            outer.events += self.events
        _unwatch()

    def add(
        self, name: str, phase: str, line: str, began: float, ended: float, size: int, shape: str
    ) -> None:
        """Note one launch."""
        event = Event(name, phase, line, began, ended - began, size, shape, get_ident())
        self.events.append(event)

    # ---- what it shows ---------------------------------------------------------------------------
    def rows(self, by: str = "operator", sort: str = "time") -> list[Row]:
        """Return sums by "operator" or by "line", sorted by "time", "bytes" or "calls".

        Raises: ArgumentError for another *by* or *sort*.
        """
        if by not in ("operator", "line"):
            raise ArgumentError(f"profiler: by is {by!r}; expected 'operator' or 'line'")
        keys = {"time": "seconds", "bytes": "bytes", "calls": "calls"}
        if sort not in keys:
            raise ArgumentError(f"profiler: sort is {sort!r}; expected {', '.join(keys)}")
        found: dict[tuple[str, str], Row] = {}
        for event in self.events:
            name = event.name if by == "operator" else event.line
            row = found.setdefault((name, event.phase), Row(name, event.phase))
            row.calls += 1
            row.seconds += event.seconds
            row.bytes += event.bytes
        return sorted(found.values(), key=lambda row: -getattr(row, keys[sort]))

    def table(self, by: str = "operator", sort: str = "time") -> str:
        """Return the sums as text, a row for each operator, or line, and phase.

        *share* is of the time inside of the profile; what no kernel took is Python's.

        >>> with mi.profiler.profile() as p:
        ...     y = mi.ones(10) + 1
        >>> p.table().split()[:4]
        ['operator', 'phase', 'calls', 'ms']
        """
        from .compiler.describe import columns

        whole = max(self.seconds, 1e-12)
        lines = [[by, "phase", "calls", "ms", "share", "MB", "GB/s"]]
        for row in self.rows(by, sort):
            name = os.path.relpath(row.name) if by == "line" and row.name else row.name
            lines.append([name, row.phase, *_numbers(row, whole)])
        kernels = Row("all kernels", "", len(self.events))
        for event in self.events:
            kernels.seconds += event.seconds
            kernels.bytes += event.bytes
        rest = Row("between kernels", "", 0, max(0.0, whole - kernels.seconds))
        for row in (kernels, rest):
            lines.append([row.name, "", *_numbers(row, whole)])
        return "\n".join(columns(lines, left=(0, 1)))

    def save_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the launches as JSON that chrome://tracing and ui.perfetto.dev open."""
        start = min((e.start for e in self.events), default=0.0)
        events = [
            {
                "name": e.name, "cat": e.phase, "ph": "X", "pid": os.getpid(), "tid": e.thread,
                "ts": (e.start - start) * 1e6, "dur": e.seconds * 1e6,
                "args": {"line": e.line, "bytes": e.bytes, "shape": e.shape},
            }
            for e in self.events
        ]  # fmt: skip
        text = json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})
        Path(path).write_text(text, "utf8")


def _numbers(row: Row, whole: float) -> list[str]:
    speed = f"{row.bytes / row.seconds / 1e9:.1f}" if row.seconds and row.bytes else "-"
    return [
        str(row.calls),
        f"{row.seconds * 1e3:.3f}",
        f"{row.seconds / whole:.1%}",
        f"{row.bytes / 1e6:.2f}",
        speed,
    ]


# ---- in front of the kernels ---------------------------------------------------------------------
def _around(name: str, kernel: base.Kernel, device: base.Device) -> base.Kernel:
    """Return *kernel*, timed if a profile is on in this thread or task."""
    return kernel if PROFILE.get() is None else partial(_timed, name, kernel, device)


def _timed(
    name: str, kernel: Callable[..., Any], device: base.Device, *args: Any, **options: Any
) -> Any:
    """Run *kernel* and note it; kernels that it runs itself are a part of it."""
    current = PROFILE.get()
    if current is None:
        return kernel(*args, **options)
    token = PROFILE.set(None)
    began = perf_counter()
    try:
        y = kernel(*args, **options)
        device.synchronize()
    finally:
        ended = perf_counter()
        PROFILE.reset(token)
    line, phase = caller()
    if phase == "forward" and options.get("out") is not None:
        phase = "in place"
    current.add(name, phase, line, began, ended, _bytes(device, args, y), _shape(y))
    return y


def _bytes(device: base.Device, args: tuple[Any, ...], y: Any) -> int:
    """Return what a launch reads and writes; nothing if its result is a view."""
    arrays = [a for arg in args for a in (arg if isinstance(arg, tuple | list) else (arg,))]
    arrays = [a for a in arrays if isinstance(a, device.buffer)]
    whole = getattr(y, "base", None)
    if whole is not None and arrays:
        first: Any = arrays[0]
        if whole is first or whole is first.base:
            return 0
    return sum(int(getattr(a, "nbytes", 0)) for a in (*arrays, y))


def _shape(y: Any) -> str:
    return str(list(getattr(y, "shape", ())))


def _timed_write(device: base.Device, target: Any, index: Any, value: Any) -> None:
    write = type(device).write

    def kernel(value: Any, out: Any) -> Any:
        write(device, out, index, value)
        return value  # as large as what is written, but for broadcasting

    _timed("write", kernel, device, value, out=target)


_lock = Lock()
_profiles = 0


def _watch() -> None:
    """Stand in front of the kernels of every device that is open."""
    global _profiles
    with _lock:
        _profiles += 1
        if _profiles == 1:
            for device in opened():
                stand_before(device, _around)
                device.write = partial(_timed_write, device)  # type: ignore[method-assign]


def _unwatch() -> None:
    """Step aside when the last profile ends."""
    global _profiles
    with _lock:
        _profiles -= 1
        if _profiles == 0:
            for device in opened():
                step_aside(device, _around)
                vars(device).pop("write", None)
