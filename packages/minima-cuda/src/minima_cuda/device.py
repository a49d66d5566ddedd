"""The device: CuPy arrays as buffers, CUDA kernels of minima, and reference kernels over CuPy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from inspect import signature
from operator import setitem
from typing import Any

import numpy as np
import numpy.typing as npt

from minima import Tensor
from minima.devices import Device, Kernel, Kernels

from . import memory, precision
from .guard import Guard, mark_started
from .pinned import copy_from_pinned, is_pinned, pin_memory
from .random import Source

__all__ = ["CudaDevice", "CudaKernels", "own_kernels"]

#: the oldest architecture that minima's own kernels are compiled for
_OLDEST = 75
#: operators whose reference kernel calls maximum.at, which CuPy has for no type of 16 bits
_WIDENED = ("bag_largest", "embedding_bag")
_NARROW = ("float16", "bfloat16")


def own_kernels(cupy: Any, index: int) -> dict[str, Kernel]:
    """Return the kernels of minima-cuda for GPU *index*; none for one older than sm_75."""
    if int(cupy.cuda.Device(index).compute_capability) < _OLDEST:
        return {}
    from .launch import GpuLauncher
    from .library import kernels

    return kernels(GpuLauncher(cupy), cupy)


def _widened(xp: Any, kernel: Kernel, *inputs: Any, **attributes: Any) -> Any:
    """Compute in float32 what is given in a type of 16 bits, and return it in that type."""
    narrow = [x.dtype for x in inputs if x is not None and x.dtype.name in _NARROW]
    if not narrow:
        return kernel(*inputs, **attributes)
    wide = [
        x if x is None or x.dtype.name not in _NARROW else xp.astype(x, np.float32) for x in inputs
    ]
    return xp.astype(kernel(*wide, **attributes), narrow[0])


class CudaKernels(Kernels):
    """Own kernels, and reference kernels over CuPy, each run with its GPU as the current one."""

    def __init__(self, guard: Guard, cupy: Any, kernels: Mapping[str, Kernel]) -> None:
        super().__init__(f"cuda:{guard.index}", cupy, {})
        self._guard = guard
        for name, kernel in kernels.items():
            self[name] = partial(guard.run, name, kernel)

    def __missing__(self, name: str) -> Kernel:
        reference = super().__missing__(name)
        if name in _WIDENED:
            reference = partial(_widened, self.xp, reference)
        kernel = self[name] = partial(self._guard.run, name, reference)
        return kernel


class CudaDevice(Device):
    """One NVIDIA GPU, of which `minima_cuda.open_device` has found that it can be used.

    Kernels are launched and not waited for: `synchronize` waits, and so does every copy to
    the host.
    """

    def __init__(self, index: int) -> None:
        mark_started()
        import cupy

        super().__init__("cuda", index, xp=cupy, buffer=cupy.ndarray)
        self.guard = Guard(cupy, index)
        self._run = self.guard.run
        own = self._run("open", own_kernels, cupy, index)
        self.kernels = CudaKernels(self.guard, cupy, own)
        self._drawing = {name: own[name] for name in own if name.startswith("random_")}
        self.writes = {
            name for name, kernel in own.items() if "out" in signature(kernel).parameters
        }
        #: checks of replays whose findings nobody has asked for, and the streams they ran on
        self.unasked: dict[Any, set[Any]] = {}
        memory.watch(cupy)
        self._run("open", precision.apply, cupy)

    def from_host(self, array: npt.NDArray[Any]) -> Any:
        """Return a copy of *array* in the GPU's memory; *array* can be changed at once."""
        return self._run("from_host", self.xp.array, array)

    def receive(self, buffer: Any, source: Device, *, non_blocking: bool = False) -> Any:
        """Return a copy of *buffer* of the device *source*.

        With *non_blocking*, from pinned host memory, the copy runs on the current stream while
        Python goes on. From another GPU it goes there without the host.
        """
        if isinstance(source, CudaDevice):
            return self._run("transfer", self._from_peer, buffer, source)
        host = source.to_host(buffer)
        if non_blocking and is_pinned(self.xp, host) and host.flags.c_contiguous:
            return self._run("transfer", copy_from_pinned, self.xp, host)
        return self.from_host(host)

    def pin_memory(self, tensor: Tensor) -> Tensor:
        """Return a copy of *tensor*, of the cpu, in memory that this GPU reads by itself."""
        return pin_memory(tensor, self)

    def _from_peer(self, buffer: Any, source: CudaDevice) -> Any:
        """Copy from the GPU *source*, after what its current stream has to do before."""
        if source.index != self.index:
            event = source._run("transfer", self._record, source.index)
            self.xp.cuda.get_current_stream(self.index).wait_event(event)
        copy = self.xp.array(buffer)
        if source.index != self.index:  # the source's memory may not be used anew before
            event = self._record(self.index)
            source._run("transfer", self._wait, source.index, event)
        return copy

    def _record(self, index: int | None) -> Any:
        return self.xp.cuda.get_current_stream(index).record()

    def _wait(self, index: int | None, event: Any) -> None:
        self.xp.cuda.get_current_stream(index).wait_event(event)

    def to_host(self, buffer: Any) -> npt.NDArray[Any]:
        """Return a copy of *buffer* in host memory, once it has been computed.

        Raises: IndexRangeError for what the replay of a compiled function has found.
        """
        host: npt.NDArray[Any] = self._run("to_host", self.xp.asnumpy, buffer)
        if self.unasked:
            self._run("to_host", self._ask, self.xp.cuda.get_current_stream(self.index))
        return host

    def _ask(self, stream: Any) -> None:
        """Let checks tell what they found; those that ran on other streams may not be done yet."""
        if stream is not None and stream.is_capturing():
            return
        for checks, streams in list(self.unasked.items()):
            streams.discard(stream)
            if stream is None or not streams:
                del self.unasked[checks]
            checks.ask()

    def as_buffer(self, value: Any) -> Any:
        """Return what a kernel returned as an array of this GPU."""
        if type(value) is self.buffer:
            return value
        return self._run("as_buffer", self.xp.asarray, value)

    def write(self, target: Any, index: Any, value: Any) -> None:
        """Assign *value*, broadcast, to ``target[index]`` in place."""
        self._run("write", setitem, target, index, value)

    def shares(self, a: Any, b: Any) -> bool:
        """Say whether the arrays *a* and *b* may lie over the same memory; empty ones never do."""
        return bool(self._run("shares", self.xp.may_share_memory, a, b))

    def to_dlpack(self, buffer: Any, **options: Any) -> Any:
        """Return the DLPack capsule of *buffer*; its consumer waits for the current stream."""
        return self._run("to_dlpack", buffer.__dlpack__, **options)

    def from_dlpack(self, source: Any) -> Any:
        """Return an array over the memory of *source*, which another library has on this GPU."""
        return self._run("from_dlpack", self.xp.from_dlpack, source)

    def source(self, seed: int | None) -> Source:
        """Return a source of random numbers that are drawn on this GPU."""
        return Source(self.guard, self.xp, seed, self._drawing)

    def synchronize(self) -> None:
        """Wait until the GPU has finished all that was launched on it.

        Raises: IndexRangeError for what the replay of a compiled function has found.
        """
        self._run("synchronize", self.xp.cuda.Device(self.index).synchronize)
        if self.unasked:
            self._run("synchronize", self._ask, None)

    def memory_stats(self) -> dict[str, int]:
        """Return `minima_cuda.memory_stats` of this GPU, in bytes."""
        found: dict[str, int] = self._run("memory_stats", memory.read, self.xp, self.index)
        return found
