import os
import sys

import pytest

from minima.train import progress
from minima.train.loop import Totals
from minima.train.progress import Bars

RECORD = {
    "epoch": 1,
    "train_loss": 0.25,
    "train_accuracy": 0.9,
    "test_loss": 0.125,
    "test_accuracy": 0.95,
}


def test_one_bar_per_epoch(capsys):
    """Catch a bar without loss and accuracy, or one that runs into the next line."""
    bars = Bars(epochs=2, batches=2, quiet=False)
    bars.start(1)
    for n in (1, 2):
        bars.batch(Totals(n, 10 * n, 5.0 * n, 9 * n))
    bars.epoch(RECORD)
    bars.close()
    out, err = capsys.readouterr()
    assert out == ""
    first, second = (line.split("\r")[-1] for line in err.split("\n")[:2])
    assert "epoch 1/2: 100%" in first
    assert "loss 0.2500, accuracy 90.00%, test 95.00%" in first
    assert "epoch 2/2:   0%" in second


def test_batch_shows_means_so_far(capsys):
    """Catch sums shown as means."""
    bars = Bars(epochs=1, batches=4, quiet=False)
    bars.start(1)
    bars.batch(Totals(batches=2, samples=20, loss_sum=10.0, correct=15))
    bars.close()
    assert "loss 0.5000, accuracy 75.00%" in capsys.readouterr().err


def test_resumed_bar_starts_in_the_middle(capsys):
    """Catch a bar that ends before 100 % after a resume."""
    bars = Bars(epochs=1, batches=4, quiet=False)
    bars.start(1, done=3)
    bars.batch(Totals(batches=4, samples=1))
    bars.close()
    assert "4/4" in capsys.readouterr().err.split("\r")[-1]


def test_nothing_after_the_last_epoch(capsys):
    """Catch an empty bar for an epoch that does not come."""
    bars = Bars(epochs=1, batches=1, quiet=False)
    bars.start(1)
    bars.epoch(RECORD)
    bars.close()
    bars.start(2)
    assert "epoch 2" not in capsys.readouterr().err


def test_quiet(capsys):
    """Catch output of a quiet run, which may be part of a script."""
    bars = Bars(epochs=1, batches=1, quiet=True)
    bars.start(1)
    bars.batch(Totals(1, 1))
    bars.epoch(RECORD)
    bars.close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("columns", [80, 200])
def test_results_fit_the_terminal(columns, capsys, monkeypatch):
    """Catch a line that is cut before the test accuracy."""
    monkeypatch.setattr(progress, "_columns", lambda: columns)
    bars = Bars(epochs=15, batches=45, quiet=False)
    bars.start(1)
    bars.batch(Totals(batches=45, samples=1437, loss_sum=20000.0, correct=1437))
    bars.epoch({**RECORD, "train_loss": 12.5, "train_accuracy": 1.0, "test_accuracy": 1.0})
    ended = capsys.readouterr().err.split("\n")[0].split("\r")[-1]
    bars.close()
    assert len(ended) <= columns
    assert ended.endswith("loss 12.5000, accuracy 100.00%, test 100.00%]")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal to be made")
def test_terminal_of_no_size(monkeypatch):
    """Catch a terminal of 0 by 0, as containers have, in which tqdm by itself shows nothing."""
    reader, terminal = os.openpty()
    with os.fdopen(terminal, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        bars = Bars(epochs=1, batches=1, quiet=False)
        bars.start(1)
        bars.batch(Totals(batches=1, samples=1))
        bars.epoch(RECORD)
        bars.close()
    assert "accuracy 90.00%, test 95.00%" in _all_of(reader)


def _all_of(reader):
    """Return what was written to a terminal that is closed by now; it comes in pieces."""
    pieces = []
    with os.fdopen(reader, "rb", buffering=0) as stream:
        try:
            while piece := stream.read(10_000):
                pieces.append(piece)
        except OSError:  # how Linux says that nobody writes any more
            pass
    return b"".join(pieces).decode()


def test_no_terminal(capsys):
    """Catch an error where stderr is a file, a pipe or a test's buffer."""
    assert progress._columns() is None
