"""Host memory that the GPU reads by itself, so that copies run while Python goes on."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from minima import Tensor
from minima.devices import Device, device
from minima.errors import DeviceError
from minima.tensor import wrap

__all__ = ["copy_from_pinned", "is_pinned", "pin_memory"]

#: copies that may still run, as (event, host array), the oldest first
_running: deque[tuple[Any, npt.NDArray[Any]]] = deque()


def pin_memory(tensor: Tensor, device_name: str | Device = "cuda") -> Tensor:
    """Return a copy of a tensor of the cpu in pinned memory, from which copies are asynchronous.

    Pinned memory cannot be swapped out: take it for buffers that are used again and again, such
    as batches on their way to the GPU.

    Raises: DeviceError for a tensor of another device, DeviceUnavailableError without a GPU,
    DeviceOutOfMemoryError where the host has no such memory left.

    >>> import minima_cuda
    >>> try:
    ...     x = minima_cuda.pin_memory(mi.ones((2, 3)))
    ...     x = x.to("cuda", non_blocking=True)
    ... except mi.DeviceUnavailableError:
    ...     pass
    """
    if str(tensor.device) != "cpu":
        raise DeviceError(
            f"pin_memory: the tensor lies on {tensor.device}; expected one on the cpu"
        )
    place: Any = device(device_name)
    host = tensor.detach().numpy()
    pinned = place.guard.run("pin_memory", _pinned, place.xp, host.shape, host.dtype)
    np.copyto(pinned, host)
    return wrap(pinned, tensor.device)


def _pinned(cupy: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return an array of pinned memory, which goes back to CuPy's pool with its last view."""
    size = int(np.prod(shape))
    memory = cupy.cuda.alloc_pinned_memory(max(1, size * dtype.itemsize))
    return np.frombuffer(memory, dtype, size).reshape(shape)


def is_pinned(cupy: Any, array: npt.NDArray[Any]) -> bool:
    """Say whether *array* lies in pinned memory of CuPy, as what `pin_memory` returns does."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(getattr(base, "obj", None), cupy.cuda.PinnedMemoryPointer)


def copy_from_pinned(cupy: Any, host: npt.NDArray[Any]) -> Any:
    """Return a copy of *host* on the current GPU, made on its current stream."""
    while _running and _running[0][0].done:
        _running.popleft()
    copy = cupy.empty(host.shape, host.dtype)
    stream = cupy.cuda.get_current_stream()
    copy.set(np.asarray(host), stream)
    _running.append((stream.record(), host))  # the memory is not given to others before
    return copy
