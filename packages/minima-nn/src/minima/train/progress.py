"""What a run shows while it works: one bar per epoch, with loss and accuracy."""

from __future__ import annotations

import os
import sys
from typing import Any

from minima.train.loop import Totals

__all__ = ["Bars"]

RUNNING = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
ENDED = "{desc}: {percentage:3.0f}%|{bar}| [{elapsed}{postfix}]"  # fits into 80 columns


class Bars:
    """Show the running epoch as a tqdm bar on stderr, or nothing when `quiet`.

    `batches` is the number of training batches of an epoch; a bar that starts in the middle,
    after a resume, begins with those already done.

    >>> from minima.train.progress import Bars
    >>> bars = Bars(epochs=2, batches=23, quiet=True)
    >>> bars.batch(Totals(batches=1))
    """

    def __init__(self, epochs: int, batches: int, *, quiet: bool) -> None:
        self.epochs = epochs
        self.batches = batches
        self.quiet = quiet
        self._bar: Any = None

    def start(self, epoch: int, done: int = 0) -> None:
        """Open the bar of an epoch, numbered from 1, of which `done` batches are done."""
        if self.quiet or epoch > self.epochs:
            return
        from tqdm import tqdm

        self._bar = tqdm(
            desc=f"epoch {epoch:{len(str(self.epochs))}}/{self.epochs}",
            total=self.batches,
            initial=done,
            unit="batch",
            bar_format=RUNNING,
            ncols=_columns(),
            nrows=20,  # any: left out, tqdm asks the terminal, and hides the bar where it says 0
            mininterval=0.1 if sys.stderr.isatty() else 1.0,
        )

    def batch(self, totals: Totals) -> None:
        """Move on by one batch and show the means so far."""
        if self._bar is not None:
            self._bar.set_postfix_str(_shown(totals.loss, totals.accuracy), refresh=False)
            self._bar.update()

    def epoch(self, record: dict[str, float]) -> None:
        """Close the bar of an epoch with its results and open the next."""
        if self._bar is not None:
            shown = _shown(record["train_loss"], record["train_accuracy"])
            self._bar.bar_format = ENDED
            self._bar.set_postfix_str(f"{shown}, test {record['test_accuracy']:.2%}")
            self.close()
            self.start(int(record["epoch"]) + 1)

    def close(self) -> None:
        """End the running bar, so that other text can follow."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _shown(loss: float, accuracy: float) -> str:
    return f"loss {loss:.4f}, accuracy {accuracy:.2%}"


def _columns() -> int | None:
    """Return the width of the terminal, 80 where it says 0, None where there is none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):  # what pytest puts in the place of stderr raises both in one
        return None
