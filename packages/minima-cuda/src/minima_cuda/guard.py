"""Running work of one GPU: with that GPU as the current one, and errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NoReturn

from .errors import DeviceForkError, DeviceLaunchError

__all__ = ["Guard", "check_fork", "mark_started"]

#: the process in which CUDA has been started, 0 for none, and whether this one is its fork
_started, _forked = 0, False

#: the runtime's cudaErrorMemoryAllocation, and the errors after which a process is lost to CUDA
_OUT_OF_MEMORY = 2
_STICKY = {214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719}


def mark_started() -> None:
    """Note that this process has started CUDA: from now on its forks cannot use it."""
    global _started
    if not _started:
        _started = os.getpid()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_mark_forked)


def _mark_forked() -> None:
    global _forked
    _forked = True


def check_fork(name: str) -> None:
    """Raise DeviceForkError, which names the operation *name*, in a fork of a CUDA process."""
    if _forked:
        raise DeviceForkError(
            f"{name}: process {os.getpid()} is a fork of process {_started}, which had used the "
            "GPU, and CUDA works in no such process; start workers with "
            'multiprocessing.get_context("spawn"), or use the GPU only after the fork'
        )


class Guard:
    """The way into one GPU, which every call of CuPy takes."""

    def __init__(self, cupy: Any, index: int) -> None:
        self.index, self._cupy = index, cupy
        self._gpu = cupy.cuda.Device
        self._out_of_memory = cupy.cuda.memory.OutOfMemoryError
        self._cuda = (cupy.cuda.runtime.CUDARuntimeError, cupy.cuda.driver.CUDADriverError)
        self._failures = (self._out_of_memory, *self._cuda)
        self._lost = ""

    def run(self, name: str, function: Callable[..., Any], /, *inputs: Any, **more: Any) -> Any:
        """Return ``function(*inputs, **more)``, called with this GPU as the current one.

        Raises: DeviceOutOfMemoryError, DeviceLaunchError and DeviceForkError, which begin with
        *name*.
        """
        if _forked or self._lost:
            self._refuse(name)
        with self._gpu(self.index):  # one object for each call: threads cannot share it
            try:
                return function(*inputs, **more)
            except self._failures as error:
                self._explain(name, error)

    def _refuse(self, name: str) -> NoReturn:
        check_fork(name)
        raise DeviceLaunchError(
            f"{name}: cuda:{self.index} cannot be used any more in this process, since "
            f"{self._lost}; start a new process"
        )

    def _explain(self, name: str, error: BaseException) -> NoReturn:
        """Raise what *error* of CuPy, met in the operation *name*, means to a user."""
        status = getattr(error, "status", None)
        if isinstance(error, self._out_of_memory) or status == _OUT_OF_MEMORY:
            from .memory import out_of_memory

            raise out_of_memory(name, self._cupy, self.index, error) from error
        what = " ".join(str(error).split())
        if status in _STICKY:
            self._lost = f"{name} met {what}"
        raise DeviceLaunchError(
            f"{name}: the GPU cuda:{self.index} reports {what}. Kernels run after the call that "
            f"starts them has returned, so the fault may be in an earlier operator: {name} is the "
            "one that heard of it. Run again with CUDA_LAUNCH_BLOCKING=1 in the environment, and "
            "the operator named here is the one at fault"
        ) from error
