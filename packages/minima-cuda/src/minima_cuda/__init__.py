"""The device ``cuda`` of minima: NVIDIA GPUs, through CuPy.

Importing this module, or having it installed, touches neither CuPy nor the driver: opening the
device does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from minima.errors import DeviceUnavailableError
from minima.hookspec import hookimpl

if TYPE_CHECKING:
    from minima.registry import Registrar

    from .device import CudaDevice
    from .errors import DeviceForkError, DeviceLaunchError, DeviceOutOfMemoryError
    from .memory import (
        empty_cache,
        largest_holders,
        memory_stats,
        memory_summary,
        reset_peak_memory,
    )
    from .pinned import pin_memory
    from .precision import backends, get_float32_matmul_precision, set_float32_matmul_precision
    from .streams import Event, Stream, current_stream, record_stream, stream, synchronize

#: module -> its names that are used from here, imported when first asked for
_LATER = {
    "errors": "DeviceForkError DeviceLaunchError DeviceOutOfMemoryError",
    "memory": "empty_cache largest_holders memory_stats memory_summary reset_peak_memory",
    "pinned": "pin_memory",
    "precision": "backends get_float32_matmul_precision set_float32_matmul_precision",
    "streams": "Event Stream current_stream record_stream stream synchronize",
}
_HOME = {name: module for module, names in _LATER.items() for name in names.split()}

__all__ = [
    "MINIMA_API",
    "DeviceForkError",
    "DeviceLaunchError",
    "DeviceOutOfMemoryError",
    "Event",
    "Stream",
    "backends",
    "current_stream",
    "empty_cache",
    "get_float32_matmul_precision",
    "largest_holders",
    "memory_stats",
    "memory_summary",
    "minima_register_devices",
    "open_device",
    "pin_memory",
    "record_stream",
    "reset_peak_memory",
    "set_float32_matmul_precision",
    "stream",
    "synchronize",
]

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
    from .guard import check_fork

    number = index or 0
    check_fork(f"cuda:{number}")
    found = probe()
    reason = found.reason_of(number)
    if reason:
        raise DeviceUnavailableError(f"no CUDA device: {reason}")
    from .device import CudaDevice

    return CudaDevice(number)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _HOME:
            return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOME})
