"""Stopping a run from outside: the signal is noted, the run ends where its state is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interrupted", "StopSignals"]


class Interrupted(Exception):
    """The run was asked to stop."""


class StopSignals:
    """Note SIGINT (Ctrl-C) and SIGTERM; the second one stops at once, by KeyboardInterrupt.

    A signal that the caller's shell has set to be ignored stays ignored. Outside of the main
    thread, where Python takes no signals, nothing changes.

    >>> import signal
    >>> from minima.train import Interrupted, StopSignals
    >>> with StopSignals() as signals:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     try:
    ...         signals.check()
    ...     except Interrupted:
    ...         print("stopped")
    stopped
    """

    def __init__(self) -> None:
        self.received = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self, *_: object) -> None:
        """Raise Interrupted when a signal has come."""
        if self.received:
            raise Interrupted

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True
