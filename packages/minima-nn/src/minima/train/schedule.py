"""Learning-rate schedules: factors of the base rate as a function of the share of work done."""

from __future__ import annotations

import math

__all__ = ["warmup_cosine"]

WARMUP = 0.1  # share of all batches
START, END = 0.1, 0.01  # factors before the warm-up and after the last batch


def warmup_cosine(done: float) -> float:
    """Rise linearly from 0.1 to 1 over the first tenth, then fall along a cosine to 0.01.

    >>> from minima.train import warmup_cosine
    >>> [round(warmup_cosine(done), 3) for done in (0.0, 0.1, 0.55, 1.0)]
    [0.1, 1.0, 0.505, 0.01]
    """
    if done < WARMUP:
        return START + (1 - START) * done / WARMUP
    angle = math.pi * (done - WARMUP) / (1 - WARMUP)
    return END + (1 - END) * (1 + math.cos(angle)) / 2
