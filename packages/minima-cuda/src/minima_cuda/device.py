"""The device: CuPy arrays as buffers, and minima's reference kernels over CuPy's namespace."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from minima.devices import Device, Kernel, Kernels

__all__ = ["CudaDevice"]


class CudaKernels(Kernels):
    """Reference kernels over CuPy, each run with its own GPU as CuPy's current one."""

    def __init__(self, cupy: Any, index: int) -> None:
        super().__init__(f"cuda:{index}", cupy, {})
        self._index = index

    def __missing__(self, name: str) -> Kernel:
        reference, gpu, index = super().__missing__(name), self.xp.cuda.Device, self._index

        def kernel(*inputs: Any, **attributes: Any) -> Any:
            with gpu(index):
                return reference(*inputs, **attributes)

        self[name] = kernel
        return kernel


class CudaDevice(Device):
    """One NVIDIA GPU, of which `minima_cuda.open_device` has found that it can be used.

    Kernels are launched and not waited for: `synchronize` waits, and so does every copy to
    the host.
    """

    def __init__(self, index: int) -> None:
        import cupy

        super().__init__("cuda", index, xp=cupy, buffer=cupy.ndarray)
        self.kernels = CudaKernels(cupy, index)

    def _current(self) -> Any:
        """Return a context in which this GPU is CuPy's current one; threads cannot share it."""
        return self.xp.cuda.Device(self.index)

    def from_host(self, array: npt.NDArray[Any]) -> Any:
        """Return a copy of *array* in the GPU's memory."""
        with self._current():
            return self.xp.array(array)

    def to_host(self, buffer: Any) -> npt.NDArray[Any]:
        """Return a copy of *buffer* in host memory, once it has been computed."""
        with self._current():
            host: npt.NDArray[Any] = self.xp.asnumpy(buffer)
        return host

    def as_buffer(self, value: Any) -> Any:
        """Return what a kernel returned as an array of this GPU."""
        with self._current():
            return self.xp.asarray(value)

    def write(self, target: Any, index: Any, value: Any) -> None:
        """Assign *value*, broadcast, to ``target[index]`` in place."""
        with self._current():
            target[index] = value

    def shares(self, a: Any, b: Any) -> bool:
        """Say whether the arrays *a* and *b* may lie over the same memory."""
        return a is b or bool(self.xp.may_share_memory(a, b))

    def synchronize(self) -> None:
        """Wait until the GPU has finished all that was launched on it."""
        self._current().synchronize()

    def memory_stats(self) -> dict[str, int]:
        """Return, in bytes: used by arrays, reserved by CuPy's pool, free and total of the GPU."""
        with self._current():
            pool = self.xp.get_default_memory_pool()
            free, total = self.xp.cuda.runtime.memGetInfo()
            used, reserved = pool.used_bytes(), pool.total_bytes()
        return {"used": used, "reserved": reserved, "free": free, "total": total}
