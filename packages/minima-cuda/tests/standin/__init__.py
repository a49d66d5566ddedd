"""A stand-in for CuPy on two simulated GPUs, for machines that have none. It is never a device.

``machine.kernel`` runs minima's own kernels: a test gives it the emulator's ``launch``, and
`minima_cuda.compile.cubin` the pickled source.
"""

from .machine import CUDARuntimeError, Machine
from .module import standin

__all__ = ["CUDARuntimeError", "Machine", "standin"]
