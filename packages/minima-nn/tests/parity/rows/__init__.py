"""The rows, a module for each kind; `NAMES` is what has to have one."""

from __future__ import annotations

from . import (
    activations,
    attentions,
    containers,
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
    containers,
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
