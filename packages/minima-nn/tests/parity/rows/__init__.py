"""The rows, a module for each kind; `NAMES` is what has to have one."""

from __future__ import annotations

from . import (
    activations,
    attentions,
    convolutions,
    embeddings,
    initial,
    losses,
    norms,
    paddings,
    poolings,
    recurrents,
    reparametrized,
    schedules,
    steps,
)

_FAMILIES = (
    activations,
    attentions,
    convolutions,
    embeddings,
    initial,
    losses,
    norms,
    paddings,
    poolings,
    recurrents,
    reparametrized,
    schedules,
    steps,
)
ROWS = [row for family in _FAMILIES for row in family.ROWS]
