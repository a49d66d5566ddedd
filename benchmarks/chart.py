"""The chart: each contender's time as a ratio to the quickest peer, workload by workload."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from minima.train.bench.workloads import WORKLOADS

__all__ = ["draw", "ratios"]


def ratios(
    rows: Sequence[dict[str, Any]], peers: Collection[str], mode: str = "train"
) -> dict[str, dict[str, float]]:
    """Return, for each workload and contender, its median over that of the best peer."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        if row["mode"] == mode and "median" in row:
            found.setdefault(row["workload"], {})[row["contender"]] = row["median"]
    relative = {}
    for workload, medians in found.items():
        rivals = [t for name, t in medians.items() if name in peers] or list(medians.values())
        relative[workload] = {name: t / min(rivals) for name, t in medians.items()}
    return relative


def draw(rows: Sequence[dict[str, Any]], peers: Collection[str], file: Path) -> None:
    """Draw the chart of the training steps into *file*."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = ratios(rows, peers)
    names = list(dict.fromkeys(row["contender"] for row in rows))
    labels = [WORKLOADS[w].title for w in found]
    figure, axes = pyplot.subplots(figsize=(9, 1.6 + 0.75 * len(found)), layout="constrained")
    height = 0.8 / len(names)
    for i, name in enumerate(names):
        places = [k + i * height for k, w in enumerate(found) if name in found[w]]
        lengths = [found[w][name] for w in found if name in found[w]]
        ours = name not in peers
        axes.barh(
            places, [v - 0.01 for v in lengths], height * 0.9, left=0.01, label=name,
            color=f"C{i}", edgecolor="black" if ours else "none", linewidth=0.8,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(left=0.1)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.axvline(0.8, color="black", linewidth=0.8, linestyle=":")
    axes.set_yticks([k + 0.4 - height / 2 for k in range(len(found))], labels)
    axes.invert_yaxis()
    axes.set_xlabel("time of a training step / that of the best peer (left is quicker)")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(file, dpi=120, metadata={"Software": None})
    pyplot.close(figure)
