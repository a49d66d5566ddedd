"""Pictures of a run: loss and accuracy over the epochs, and the confusion matrix."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minima.io.atomic import replacing

__all__ = ["available", "save_plots"]

CURVES = {"loss.png": ("loss", 1.0, "loss"), "accuracy.png": ("accuracy", 100.0, "accuracy in %")}


def available() -> bool:
    """Say whether matplotlib is there, without importing it.

    >>> from minima.train import plots
    >>> plots.available() in (True, False)
    True
    """
    return importlib.util.find_spec("matplotlib") is not None


def save_plots(
    folder: Path,
    history: Sequence[dict[str, float]],
    confusion: np.ndarray[Any, Any],
    classes: Sequence[str],
) -> list[Path]:
    """Write loss.png, accuracy.png and confusion.png, without a display.

    Shapes: confusion (C, C), counts of true by predicted class.
    """
    figures = {name: _curves(history, *how) for name, how in CURVES.items()}
    figures["confusion.png"] = _confusion(confusion, classes)
    paths = []
    for name, figure in figures.items():
        with replacing(folder / name) as temporary:
            figure.savefig(temporary, format="png", dpi=120)
        paths.append(folder / name)
    return paths


def _curves(history: Sequence[dict[str, float]], what: str, unit: float, label: str) -> Any:
    """Draw one measurement of both parts of the data over the epochs."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel=label)
    epochs = [record["epoch"] for record in history]
    for part, style in (("train", "--"), ("test", "-")):
        values = [unit * record[f"{part}_{what}"] for record in history]
        axes.plot(epochs, values, style, marker="o", markersize=3, label=part)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend()
    return figure


def _confusion(confusion: np.ndarray[Any, Any], classes: Sequence[str]) -> Any:
    """Draw the counts of true (rows) by predicted class (columns), mistakes in red."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5.5), layout="constrained")
    ticks = range(len(classes))
    axes = figure.add_subplot(xlabel="predicted", ylabel="true", xticks=ticks, yticks=ticks)
    axes.set_xticklabels(classes)
    axes.set_yticklabels(classes)
    axes.imshow(confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1), cmap="Blues")
    for i, j in np.argwhere(confusion):
        color = "red" if i != j else "white"
        axes.text(j, i, str(confusion[i, j]), ha="center", va="center", color=color)
    return figure
