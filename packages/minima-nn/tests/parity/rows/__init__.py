"""The rows, a module for each kind; `NAMES` is what has to have one."""

from __future__ import annotations

from . import activations, initial, losses, schedules, steps

_FAMILIES = (activations, initial, losses, schedules, steps)
ROWS = [row for family in _FAMILIES for row in family.ROWS]
