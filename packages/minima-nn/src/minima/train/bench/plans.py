"""What the plans of the workloads consist of: exact numbers, the same on every run."""

from __future__ import annotations

import warnings
from typing import Any

from minima.errors import MinimaError
from minima.train.bench.contenders import Minima
from minima.train.bench.models import LayerMissingError
from minima.train.bench.workloads import Workload

__all__ = ["counts"]


def counts(workload: Workload, executor: str = "numpy") -> dict[str, Any]:
    """Return kernels and planned bytes of a training step and of inference.

    The value is a string, the reason, where there is no plan.

    >>> from minima.train.bench.workloads import WORKLOADS
    >>> sorted(counts(WORKLOADS["mlp-small"]))
    ['infer', 'train']
    """
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        for mode in ("train", "infer"):
            try:
                found[mode] = _of_mode(workload, mode, executor)
            except LayerMissingError as error:
                found[mode] = str(error)
    return found


def _of_mode(workload: Workload, mode: str, executor: str) -> dict[str, int]:
    trial = Minima(workload, mode == "train", executor)
    batch = trial.batch(*workload.batches(1)[0])
    compiled = trial.step if mode == "train" else trial.predict
    for _ in range(2):  # the second call is the one that is captured
        (trial.train if mode == "train" else trial.infer)(batch)
    plans = compiled.plans
    if len(plans) != 1:
        raise MinimaError(f"bench: {workload.name} has {len(plans)} plans; expected one")
    return {"kernels": len(plans[0].launches()), "bytes": plans[0].planned_bytes}
