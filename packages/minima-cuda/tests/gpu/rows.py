"""A plugin of pytest, ``-p gpu.rows``: the emulator's rows, on the GPU.

The tests of ``tests/kernels`` hand host arrays to `EmulatorLauncher.launch`; with this plugin it
copies their memory to the GPU, launches there, waits, and copies the memory back.
"""

import ctypes
from functools import cache

import numpy as np
from emulator import EmulatorLauncher

import minima as mi
from minima_cuda.launch import GpuLauncher, Pointers


@cache
def device():
    """Return the GPU."""
    return mi.device("cuda")


@cache
def launcher():
    return GpuLauncher(device().xp)


class Mirror:
    """The memory of host arrays, on the GPU; arrays over the same memory share it there too."""

    def __init__(self):
        self.pieces = {}  # address of the whole array -> it, and its copy

    def address(self, array):
        """Return where the first element of *array* lies on the GPU."""
        whole = array
        while isinstance(whole.base, np.ndarray):
            whole = whole.base
        start, end = np.lib.array_utils.byte_bounds(whole)
        if start not in self.pieces:
            size = end - start
            data = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(start))
            self.pieces[start] = data, device().from_host(data.copy())
        return self.pieces[start][1].data.ptr + array.ctypes.data - start

    def argument(self, value):
        if isinstance(value, Pointers):
            return value.pack([self.address(array) for array in value.arrays])
        return np.uint64(self.address(value)) if isinstance(value, np.ndarray) else value

    def write_back(self):
        for host, copy in self.pieces.values():
            if host.flags.writeable:
                host[:] = device().to_host(copy)


def launch(self, source, name, grid, block, args, smem=0):
    """Run the kernel on the GPU in place of the emulator."""
    mirror = Mirror()
    given = [mirror.argument(value) for value in args]
    device().guard.run(name, launcher().launch, source, name, grid, block, given, smem)
    mirror.write_back()
    self.launched.append(name)


def pytest_configure(config):
    """Take the emulator's place, once this is asked for as a plugin."""
    EmulatorLauncher.launch = launch
