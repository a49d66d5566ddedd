"""Standing in front of a device's kernels: to time them, or to look at what they return.

It is put there and taken away while the program runs; while nothing is, nothing costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base import Device, Kernel, Kernels

__all__ = ["stand_before", "step_aside"]

#: (operator, its kernel, device) -> what is called in the kernel's place
Around = Callable[[str, Kernel, Device], Kernel]


class _Watched(Kernels):
    """Stands for the kernels of *device*; reading one gives what *around* makes of it."""

    def __init__(self, device: Device, around: Around) -> None:
        super().__init__(device.kernels.device, device.kernels.xp, {})
        self.plain, self.owner, self.around = device.kernels, device, around

    def __getitem__(self, name: str) -> Kernel:
        return self.around(name, self.plain[name], self.owner)

    def __setitem__(self, name: str, kernel: Kernel) -> None:
        self.plain[name] = kernel

    def __contains__(self, name: object) -> bool:
        return name in self.plain

    def get(self, name: str, default: Any = None) -> Any:
        """Return the kernel itself."""
        return self.plain.get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """Take the kernel itself away."""
        return self.plain.pop(name, *default)


def stand_before(device: Device, around: Around) -> None:
    """Let each kernel of *device* be what *around* makes of it, until `step_aside`."""
    device.kernels = _Watched(device, around)


def step_aside(device: Device, around: Around) -> None:
    """Take *around* away again, also from below others that stand in front of it."""
    outer, kernels = None, device.kernels
    while isinstance(kernels, _Watched):
        if kernels.around is around:
            if outer is None:
                device.kernels = kernels.plain
            else:
                outer.plain = kernels.plain
            return
        outer, kernels = kernels, kernels.plain
