"""How batches travel between the processes of a loader: structure by pipe, numbers by memory.

What is pickled here was made by this program, and only its own processes read it: see
docs/decisions. No file is ever unpickled.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from minima.data.errors import WorkerError
from minima.random import Generator
from minima.tensor import Tensor, asarray

__all__ = ["Slot", "dumps", "loads", "remove", "segment_name"]

FOLDER = "/dev/shm"  # where Linux keeps shared memory
ALIGNMENT = 64  # bytes
SMALL = 1024  # bytes; what is smaller goes through the pipe


class _Packer(ForkingPickler):
    """Pickle tensors as their arrays, and arrays as memory beside the pickle."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            array = np.asarray(value.detach().numpy(), order="C")
            return _tensor, (type(value), array, value.device.name, value.requires_grad)
        if isinstance(value, Generator):
            return _generator, (value.device.name, value.get_state())
        if type(value) is np.ndarray and not value.dtype.hasobject:
            flags = value.flags
            if not (flags.c_contiguous or flags.f_contiguous):
                return np.ascontiguousarray, (np.ascontiguousarray(value),)
        return NotImplemented


def _tensor(kind: type, array: Any, device: str, requires_grad: bool) -> Any:
    tensor = asarray(array)
    if tensor.device.name != device:
        tensor = tensor.to(device)
    if kind is not Tensor:
        with suppress(TypeError):
            tensor = kind(tensor)
    if tensor.requires_grad != requires_grad:
        tensor.requires_grad = requires_grad
    return tensor


def _generator(device: str, state: dict[str, Any]) -> Generator:
    generator = Generator(0, device)
    generator.set_state(state)
    return generator


def dumps(value: Any, buffers: list[memoryview] | None = None) -> bytes:
    """Return *value* as bytes, without the arrays, which are added to *buffers* if given.

    >>> from minima.data.transport import dumps, loads
    >>> buffers = []
    >>> head = dumps({"x": mi.zeros((1000, 1000))}, buffers)
    >>> len(head) < 1000, loads(head, buffers)["x"].shape
    (True, (1000, 1000))
    """

    def aside(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if buffers is None or raw.nbytes < SMALL:
            return True
        buffers.append(raw)
        return False

    file = io.BytesIO()
    _Packer(file, 5, True, aside).dump(value)
    return file.getvalue()


def loads(head: bytes, buffers: Sequence[Any] = ()) -> Any:
    """Return what `dumps` was given, over the memory of *buffers*."""
    return pickle.loads(head, buffers=buffers)


def segment_name(token: str, worker: int, slot: int, edition: int) -> str:
    """Name a piece of shared memory, so that both sides know it without telling (31 letters).

    >>> from minima.data.transport import segment_name
    >>> segment_name("1f2e3d4c", 0, 1, 2)
    'mi1f2e3d4c_0_1_2'
    """
    return f"mi{token}_{worker}_{slot}_{edition}"


class Slot:
    """A piece of shared memory for one batch at a time, replaced when a batch is larger."""

    def __init__(self, token: str, worker: int, slot: int) -> None:
        self.place = (token, worker, slot)
        self.edition = 0
        self.memory: SharedMemory | None = None

    def write(self, buffers: Sequence[memoryview]) -> list[int]:
        """Copy *buffers* into the memory; return their sizes in bytes."""
        sizes = [buffer.nbytes for buffer in buffers]
        start = 0
        if sizes:
            memory = self._have(sum(map(_aligned, sizes)))
            for buffer in buffers:
                _view(memory)[start : start + buffer.nbytes] = buffer
                start += _aligned(buffer.nbytes)
        return sizes

    def read(self, edition: int, sizes: Sequence[int]) -> list[Any]:
        """Return copies of the buffers that the other side wrote."""
        if not sizes:
            return []
        if edition != self.edition or self.memory is None:
            self.close()
            self.memory = SharedMemory(segment_name(*self.place, edition))
            self.edition = edition
        copies, start = [], 0
        for size in sizes:
            copy = np.empty(size, np.uint8)
            copy[:] = np.frombuffer(_view(self.memory), np.uint8, size, start)
            copies.append(copy)
            start += _aligned(size)
        return copies

    def close(self, *, unlink: bool = False) -> None:
        """Give the memory up; *unlink*: remove it too."""
        memory, self.memory = self.memory, None
        if memory is not None:
            with suppress(BufferError):  # another thread still writes: the process ends
                memory.close()
            if unlink:
                with suppress(FileNotFoundError):
                    memory.unlink()

    def _have(self, size: int) -> SharedMemory:
        if self.memory is not None and self.memory.size >= size:
            return self.memory
        self.close(unlink=True)
        _check_room(size + size // 8)
        self.edition += 1
        self.memory = SharedMemory(
            segment_name(*self.place, self.edition), create=True, size=size + size // 8
        )
        return self.memory


def _check_room(size: int) -> None:
    """Raise where writing would end the process: containers often have 64 MB in all."""
    if os.path.isdir(FOLDER) and (free := shutil.disk_usage(FOLDER).free) < size:
        raise WorkerError(
            f"a batch needs {size} bytes of shared memory, and {FOLDER} has {free} left; make it "
            "larger (a container: --shm-size), or batches, num_workers or prefetch_factor smaller"
        )


def remove(name: str) -> None:
    """Remove shared memory that a dead process may have left."""
    with suppress(FileNotFoundError, ValueError):  # ValueError: it died before giving it a size
        memory = SharedMemory(name)
        memory.close()
        memory.unlink()


def _view(memory: SharedMemory) -> memoryview:
    view: memoryview | None = memory.buf
    if view is None:
        raise ValueError(f"shared memory {memory.name} is closed")
    return view


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
