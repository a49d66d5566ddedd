"""Machine code for a GPU from the text of kernels, kept on disk so that it is made once.

The code is that of one architecture (a cubin), not PTX, which an older driver may refuse.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from typing import NamedTuple, Protocol

from minima.cache import Cache
from minima.errors import DeviceUnavailableError

from .errors import CompileError
from .nvrtc import nvrtc

__all__ = ["ARCHITECTURES", "OPTIONS", "Module", "Text", "compiled", "cubin", "digest", "fitting"]

#: what `minima cuda compile --arch all` compiles for, and the tests do
ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120")

#: without a warning (177) where a file does not use a name that all share; the last one makes the
#: compiler say what each kernel uses, which `resources` reads
OPTIONS = ("--std=c++20", "--diag-suppress=177", "--ptxas-options=-v")

_CACHE_BYTES = 256 << 20
_ERROR = re.compile(
    r"^(?P<file>.+?)\((?P<line>\d+)\): (?:catastrophic )?error: (?P<what>.+)$", re.M
)


class Text(Protocol):
    """What can be compiled; a `Source`, or kernels that were written at run time."""

    @property
    def file(self) -> str:
        """The name of the text in messages."""

    @property
    def text(self) -> str:
        """The text itself, with all that it includes."""


class Module(NamedTuple):
    """Compiled kernels: the *code*, and what the compiler said of them."""

    code: bytes
    log: str

    def pack(self) -> bytes:
        """Return both as one piece, for a file, in a quarter of the bytes."""
        log = self.log.encode()
        return zlib.compress(len(log).to_bytes(4, "little") + log + self.code, 1)

    @classmethod
    def unpack(cls, data: bytes) -> Module:
        """Return what `pack` was called on."""
        data = zlib.decompress(data)
        end = 4 + int.from_bytes(data[:4], "little")
        return cls(data[end:], data[4:end].decode())


def fitting(arch: str, known: tuple[str, ...]) -> str | None:
    """Return the architecture of *known* whose code runs best on GPUs of *arch*, None for none.

    Code runs on later members of its family, which share the number before the last digit.

    >>> from minima_cuda.compile import ARCHITECTURES, fitting
    >>> fitting("sm_87", ARCHITECTURES), fitting("sm_121", ARCHITECTURES)
    ('sm_86', 'sm_120')
    >>> fitting("sm_70", ARCHITECTURES)
    """
    number = int(arch.removeprefix("sm_"))
    numbers = [int(name.removeprefix("sm_")) for name in known]
    found = [n for n in numbers if n // 10 == number // 10 and n <= number]
    return f"sm_{max(found)}" if found else None


def digest(source: Text) -> str:
    """Return what tells *source*, and the options it is compiled with, from all others."""
    return hashlib.sha256("\0".join((source.text, *OPTIONS)).encode()).hexdigest()[:16]


def cubin(source: Text, arch: str) -> bytes:
    """Return the machine code of *source* for GPUs of *arch*, such as ``"sm_90"``."""
    return compiled(source, arch).code


def compiled(source: Text, arch: str) -> Module:
    """Return *source* compiled for *arch*, from the disk where it was compiled before.

    Raises: CompileError, with the kernel's line; DeviceUnavailableError without a compiler, or
    for an architecture that it does not know.
    """
    compiler = nvrtc()
    target = fitting(arch, compiler.architectures)
    if target is None:
        oldest = compiler.architectures[0]
        old = int(arch.removeprefix("sm_")) < int(oldest.removeprefix("sm_"))
        remedy = 'pip install "minima-cuda[cu12]"' if old else "pip install -U nvidia-cuda-nvrtc"
        raise DeviceUnavailableError(
            f"NVRTC {compiler.version} makes no code for GPUs of {arch}, only for "
            f"{', '.join(compiler.architectures)} ({remedy})"
        )
    text, options = source.text, (*OPTIONS, f"--gpu-architecture={target}")
    store = Cache.open("cubin", _CACHE_BYTES)
    parts = (text, source.file, compiler.identity, *options)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    kept = store.get(key) if store is not None else None
    if kept is not None:
        return Module.unpack(kept)
    code, log = compiler.compile(text, source.file, options)
    if code is None:
        raise _failure(source, target, log)
    module = Module(code, log)
    if store is not None:
        store.put(key, module.pack())
    return module


def _failure(source: Text, arch: str, log: str) -> CompileError:
    """Return the error that says where the compiler of *source* stopped, and why."""
    found = _ERROR.search(log)
    compiler = f"{arch}, NVRTC {nvrtc().version}"
    if found is None:
        return CompileError(f"{source.file} does not compile ({compiler}): {log}", log=log)
    file, line = found["file"], int(found["line"])
    text = line_of(source.text, file, line)
    message = f"{file}:{line}: {found['what']} ({compiler})\n    {text}"
    return CompileError(message, file=file, line=line, text=text, log=log)


def line_of(text: str, file: str, line: int) -> str:
    """Return line *line* of *file* in *text*, which ``#line`` divides into files; "" for none."""
    at, here = 1, ""
    for content in text.splitlines():
        mark = re.match(r'#line (\d+) "(.+)"$', content)
        if mark:
            at, here = int(mark[1]), mark[2]
            continue
        if (at, here) == (line, file):
            return content.strip()
        at += 1
    return ""
