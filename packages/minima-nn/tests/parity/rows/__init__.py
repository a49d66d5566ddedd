"""The rows, a module for each kind; `NAMES` is what has to have one."""

from __future__ import annotations

from . import (
    activations,
    convolutions,
    embeddings,
    initial,
    losses,
    norms,
    paddings,
    poolings,
    recurrents,
    schedules,
    steps,
)

_FAMILIES = (
    activations,
    convolutions,
    embeddings,
    initial,
    losses,
    norms,
    paddings,
    poolings,
    recurrents,
    schedules,
    steps,
)
ROWS = [row for family in _FAMILIES for row in family.ROWS]
