"""All kernels of the device: the families' tables in one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from minima.devices import Kernel

from .launch import Launcher

__all__ = ["FAMILIES", "kernels"]

#: modules of `minima_cuda.families`, imported once a device is opened; later ones win
FAMILIES = (
    "elementwise",
    "reductions",
    "softmax",
    "norms",
    "dropout",
    "attention",
    "optimizers",
    "recurrent",
    "convolution",
    "pooling",
    "embedding",
)


def kernels(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel that runs through *launcher* on arrays of *xp*."""
    found: dict[str, Kernel] = {}
    for name in FAMILIES:
        family = import_module(f"{__package__}.families.{name}")
        found.update(family.KERNELS(launcher, xp))
    return found
