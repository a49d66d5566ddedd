"""The device ``cuda`` of minima: NVIDIA GPUs, through CuPy.

Importing this module, or having it installed, touches neither CuPy nor the driver: opening the
device does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.errors import DeviceUnavailableError
from minima.hookspec import hookimpl

if TYPE_CHECKING:
    from minima.registry import Registrar

    from .device import CudaDevice

__all__ = ["MINIMA_API", "minima_register_devices", "open_device"]

MINIMA_API = 1


@hookimpl
def minima_register_devices(registry: Registrar) -> None:
    """Offer the device ``cuda``."""
    registry.add("cuda", open_device)


def open_device(index: int | None = None) -> CudaDevice:
    """Return the GPU with the number *index*, by default the first one.

    Raises: DeviceUnavailableError, with the reason, where there is none.

    >>> import minima_cuda
    >>> try:
    ...     device = minima_cuda.open_device(999)
    ... except mi.MinimaError as error:
    ...     print(error)
    no CUDA device: ...
    """
    from .availability import probe

    found = probe()
    if found.reason:
        raise DeviceUnavailableError(f"no CUDA device: {found.reason}")
    number = index or 0
    if number >= found.count:
        last = found.count - 1
        seen = f"there are cuda:0 to cuda:{last}" if last else "the only one is cuda:0"
        raise DeviceUnavailableError(
            f"no CUDA device: index {number} is out of range, {seen} ({found.visible})"
        )
    from .device import CudaDevice

    return CudaDevice(number)
