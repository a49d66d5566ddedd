import sys

import numpy as np
import pytest

from minima.train import plots

HISTORY = [
    {"epoch": n, **{f"{p}_{w}": 0.5 / n for p in ("train", "test") for w in ("loss", "accuracy")}}
    for n in (1, 2, 3)
]
NAMES = ["accuracy.png", "confusion.png", "loss.png"]
needs_matplotlib = pytest.mark.skipif(not plots.available(), reason="matplotlib is not installed")


@needs_matplotlib
@pytest.mark.parametrize(
    ("history", "confusion"),
    [
        (HISTORY, np.array([[5, 1], [0, 7]])),
        (HISTORY[:1], np.zeros((2, 2), int)),
        ([{**HISTORY[0], "train_loss": float("nan")}], np.array([[5, 0], [0, 0]])),
    ],
)
def test_pictures(history, confusion, tmp_path):
    """Catch a picture that is missing, empty or left half-written, and a warning of NumPy."""
    paths = plots.save_plots(tmp_path, history, confusion, ["a", "b"])
    assert sorted(path.name for path in paths) == NAMES
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert content.endswith(b"IEND\xaeB`\x82")
        assert len(content) > 5000


@needs_matplotlib
def test_no_display_is_touched(tmp_path):
    """Catch pyplot, which picks a window system and keeps every figure in memory."""
    before = "matplotlib.pyplot" in sys.modules
    plots.save_plots(tmp_path, HISTORY, np.eye(2, dtype=int), ["a", "b"])
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_available_without_matplotlib(monkeypatch):
    """Catch an ImportError where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert plots.available() is False
