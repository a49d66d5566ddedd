"""What goes wrong on a GPU, each with what to do next."""

from __future__ import annotations

from minima.errors import DeviceUnavailableError, MinimaError

__all__ = ["CompileError", "DeviceForkError", "DeviceLaunchError", "DeviceOutOfMemoryError"]


class DeviceOutOfMemoryError(MinimaError, MemoryError):
    """The GPU has no memory left for what was asked for; the message says who holds the rest.

    *requested*, *used*, *reserved*, *free* and *total* are bytes; *holders* are the largest
    arrays that are alive, as `minima_cuda.largest_holders` returns them.

    >>> import minima_cuda
    >>> issubclass(minima_cuda.DeviceOutOfMemoryError, (mi.MinimaError, MemoryError))
    True
    """

    requested = used = reserved = free = total = 0
    holders: tuple[object, ...] = ()


class DeviceLaunchError(MinimaError, RuntimeError):
    """The GPU reports an error, maybe of a kernel that was started long before.

    >>> import minima_cuda
    >>> issubclass(minima_cuda.DeviceLaunchError, (mi.MinimaError, RuntimeError))
    True
    """


class DeviceForkError(DeviceUnavailableError):
    """The process is the child of a fork of one that had started CUDA, which CUDA forbids.

    >>> import minima_cuda
    >>> issubclass(minima_cuda.DeviceForkError, mi.DeviceUnavailableError)
    True
    """


class CompileError(MinimaError, RuntimeError):
    """A kernel does not compile: *file*, *line* and its *text* say where, *log* is all of it.

    >>> import minima_cuda.errors
    >>> issubclass(minima_cuda.errors.CompileError, (mi.MinimaError, RuntimeError))
    True
    """

    def __init__(
        self, message: str, *, file: str = "", line: int = 0, text: str = "", log: str = ""
    ) -> None:
        super().__init__(message)
        self.file, self.line, self.text, self.log = file, line, text, log
