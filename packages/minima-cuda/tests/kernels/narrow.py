"""A launcher that gives kernels fewer blocks than they ask for."""

from minima_cuda import library

from .compare import Poisoned

__all__ = ["Narrow", "narrow_kernels"]


class Narrow:
    """Launches with one block along x, which has to step through all the work.

    So it is where a grid reaches the limit of a GPU, with arrays that a test has no memory for.
    """

    def __init__(self, launcher):
        self._launcher = launcher

    def launch(self, source, name, grid, block, args, smem=0):
        """Launch kernel *name* on one block along x."""
        self._launcher.launch(source, name, (1, *grid[1:]), block, args, smem)


def narrow_kernels(launcher):
    """Return operator name -> kernel, each on one block along x."""
    return library.kernels(Narrow(launcher), Poisoned())
