"""NVRTC, NVIDIA's compiler as a library, by its C interface; it needs no driver and no GPU.

`cuda.pathfinder`, which CuPy brings, finds the library in a wheel, in a CUDA toolkit, or as what
this process has loaded already.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from minima.errors import DeviceUnavailableError

__all__ = ["Nvrtc", "Output", "nvrtc"]


class Output(NamedTuple):
    """What a compilation gives; *code* is None where it failed, *log* is what was said."""

    code: bytes | None
    log: str


class Nvrtc:
    """The library at *path*.

    *version* is that of its CUDA toolkit, *architectures* are those it compiles for, and *identity*
    tells it from every other build.
    """

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)
        major, minor, count = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self._call("nvrtcVersion", ctypes.byref(major), ctypes.byref(minor))
        self._call("nvrtcGetNumSupportedArchs", ctypes.byref(count))
        numbers = (ctypes.c_int * count.value)()
        self._call("nvrtcGetSupportedArchs", numbers)
        self.version = f"{major.value}.{minor.value}"
        self.architectures = tuple(f"sm_{number}" for number in sorted(numbers))
        self.identity = f"NVRTC {self.version}, {os.stat(path).st_size} bytes"

    def compile(self, text: str, file: str, options: Sequence[str]) -> Output:
        """Compile *text*, called *file* in messages, to a cubin."""
        program = ctypes.c_void_p()
        source = text.encode(), file.encode()
        self._call("nvrtcCreateProgram", ctypes.byref(program), *source, 0, None, None)
        try:
            words = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
            error = self._library.nvrtcCompileProgram(program, len(options), words)
            log = self._bytes("ProgramLog", program).rstrip(b"\0").decode(errors="replace").strip()
            if error:
                return Output(None, log or self._error(error))
            return Output(self._bytes("CUBIN", program), log)
        finally:
            self._call("nvrtcDestroyProgram", ctypes.byref(program))

    def _bytes(self, what: str, program: ctypes.c_void_p) -> bytes:
        size = ctypes.c_size_t()
        self._call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        self._call(f"nvrtcGet{what}", program, buffer)
        return buffer.raw

    def _call(self, name: str, *arguments: Any) -> None:
        if error := getattr(self._library, name)(*arguments):
            raise RuntimeError(f"{name} fails with {self._error(error)}")

    def _error(self, error: int) -> str:
        self._library.nvrtcGetErrorString.restype = ctypes.c_char_p
        return str(self._library.nvrtcGetErrorString(error).decode())


@cache
def nvrtc() -> Nvrtc:
    """Return this process's NVRTC.

    Raises: DeviceUnavailableError where there is none, with what to install.
    """
    try:
        from cuda.pathfinder import load_nvidia_dynamic_lib

        found = load_nvidia_dynamic_lib("nvrtc").abs_path
        if found is None:
            raise RuntimeError("its place on the disk is unknown")
        return Nvrtc(found)
    except Exception as error:
        raise DeviceUnavailableError(
            'there is no CUDA compiler, NVRTC (pip install "minima-cuda[cu13]", or [cu12]): '
            + " ".join(str(error).split())
        ) from error
