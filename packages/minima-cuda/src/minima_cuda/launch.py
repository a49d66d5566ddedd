"""Starting a kernel: the one seam between what families do and where kernels run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from .compile import Text

__all__ = ["MAX_POINTERS", "GpuLauncher", "Launcher", "Pointers"]

#: arrays that one `Pointers` takes: with other arguments they fit the 4096 bytes of every GPU
MAX_POINTERS = 128
_STATIC_SHARED = 48 << 10  # bytes of shared memory beyond which a kernel has to ask


class Pointers:
    """Several arrays as one argument: ``struct { T* at[N]; }`` by value, with *room* for N.

    >>> Pointers([np.zeros(2), np.zeros(3)], room=4).arrays[1].size
    3
    """

    def __init__(self, arrays: Sequence[Any], room: int) -> None:
        if not len(arrays) <= room <= MAX_POINTERS:
            raise ValueError(f"{len(arrays)} arrays; there is room for {min(room, MAX_POINTERS)}")
        self.arrays, self.room = list(arrays), room

    def pack(self, addresses: Sequence[int]) -> Any:
        """Return the struct that holds *addresses*, and zeros after them."""
        table = np.zeros((), np.dtype([("at", np.uint64, (self.room,))], align=True))
        table["at"][: len(addresses)] = addresses
        return table[()]


class Launcher(Protocol):
    """Where kernels run: a GPU, or what stands in for it in a test."""

    def launch(
        self,
        source: Text,
        name: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: Sequence[Any],
        smem: int = 0,
    ) -> None:
        """Start kernel *name* of *source* on *grid* blocks of *block* threads.

        *args* are arrays, NumPy scalars of the exact type of the parameter, and `Pointers`;
        *smem* is the dynamic shared memory in bytes. No size of *grid* may be 0.
        """


class GpuLauncher:
    """Compiles at the first launch of a source on a GPU, and launches on CuPy's current stream."""

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        self._modules: dict[tuple[int, Text], Any] = {}
        self._functions: dict[tuple[int, Text, str], Any] = {}
        self._granted: dict[tuple[int, Text, str], int] = {}

    def launch(
        self,
        source: Text,
        name: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: Sequence[Any],
        smem: int = 0,
    ) -> None:
        """Start kernel *name* of *source*, as `Launcher.launch` says."""
        key = (self._cupy.cuda.runtime.getDevice(), source, name)
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = self._module(key[0], source).get_function(name)
        if smem > self._granted.get(key, _STATIC_SHARED):
            driver = self._cupy.cuda.driver
            attribute = driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
            driver.funcSetAttribute(function.ptr, attribute, smem)
            self._granted[key] = smem
        function(grid, block, tuple(map(self._argument, args)), shared_mem=smem)

    def _module(self, device: int, source: Text) -> Any:
        from .compile import cubin

        module = self._modules.get((device, source))
        if module is None:
            arch = f"sm_{self._cupy.cuda.Device(device).compute_capability}"
            module = self._cupy.cuda.function.Module()
            module.load(cubin(source, arch))
            self._modules[device, source] = module
        return module

    @staticmethod
    def _argument(value: Any) -> Any:
        if isinstance(value, Pointers):
            return value.pack([array.data.ptr for array in value.arrays])
        return value
