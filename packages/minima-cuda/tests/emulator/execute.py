"""Calling a compiled kernel: needs ctypes alone, for the process that runs under sanitizers.

As a script it answers jobs, pickled, on its standard input.
"""

from __future__ import annotations

import ctypes
import pickle
import sys
from typing import Any, NamedTuple

ALIGNMENT = 256  # of the start of an array, as CUDA gives it
GAP = 4096  # bytes after an array, so that the next one is not mistaken for it


class Job(NamedTuple):
    """One launch.

    *memory* are (bytes, place of its start from an aligned address, grain); *shared* are the
    (offset, bytes) of the shared variables in the module.
    *arguments* are ("at", memory, offset), ("table", [(memory, offset)...], room) or
    ("value", bytes).
    """

    runtime: str
    module: str
    kernel: str
    shared: list[tuple[int, int]]
    memory: list[tuple[bytes, int, int]]
    arguments: list[tuple[Any, ...]]
    grid: tuple[int, int, int]
    block: tuple[int, int, int]
    dynamic: int
    schedule: int
    checked: bool


class _Region(ctypes.Structure):
    _fields_ = [
        ("start", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
        ("grain", ctypes.c_uint32),
        ("shared", ctypes.c_uint32),
    ]


class Fault(ctypes.Structure):
    """What runtime.h says."""

    _fields_ = [
        ("kind", ctypes.c_int32),
        ("line", ctypes.c_int32),
        ("region", ctypes.c_int32),
        ("bytes", ctypes.c_int32),
        ("offset", ctypes.c_int64),
        ("access", ctypes.c_int32 * 2),
        ("thread", ctypes.c_int32 * 2),
        ("block", ctypes.c_int64 * 2),
        ("pc", ctypes.c_uint64 * 2),
        ("other_line", ctypes.c_int32),
        ("mask", ctypes.c_uint32),
        ("file", ctypes.c_char * 32 * 2),
    ]


class _Launch(ctypes.Structure):
    _fields_ = [
        ("call", ctypes.c_void_p),
        ("arguments", ctypes.c_void_p),
        ("grid", ctypes.c_uint32 * 3),
        ("block", ctypes.c_uint32 * 3),
        ("regions", ctypes.c_void_p),
        ("region_count", ctypes.c_int32),
        ("checked", ctypes.c_int32),
        ("dynamic_shared", ctypes.c_void_p),
        ("image", ctypes.c_void_p),
        ("image_end", ctypes.c_void_p),
        ("schedule", ctypes.c_int64),
    ]


_libraries: dict[str, ctypes.CDLL] = {}
_libc = ctypes.CDLL(None)
_libc.posix_memalign.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]


def library(path: str) -> ctypes.CDLL:
    """Return a library; that of the runtime is loaded so that modules find its functions."""
    if path not in _libraries:
        mode = ctypes.RTLD_GLOBAL if "runtime" in path else ctypes.RTLD_LOCAL
        loaded = _libraries[path] = ctypes.CDLL(path, mode=mode)
        if hasattr(loaded, "cuemu_launch"):
            loaded.cuemu_launch.restype = ctypes.POINTER(Fault)
            loaded.cuemu_launch.argtypes = [ctypes.POINTER(_Launch)]
        else:
            loaded.cuemu_image.restype = ctypes.c_void_p
    return _libraries[path]


def parameters(runtime: str, module: str, kernel: str) -> list[tuple[str, int]]:
    """Return (kind, size) of a kernel's parameters: see cuda_emu.h."""
    library(runtime)
    read = library(module)[f"cuemu_parameters_{kernel}"]
    read.restype = ctypes.POINTER(ctypes.c_int32)
    table, found = read(), []
    while table[2 * len(found)]:
        at = 2 * len(found)
        found.append((chr(table[at]), table[at + 1]))
    return found


def execute(job: Job) -> tuple[bytes, list[bytes]]:
    """Run *job*; return the fault (`Fault`, as bytes) and the memory after it."""
    runtime, module = library(job.runtime), library(job.module)
    base = module.cuemu_image(0)
    gap = GAP if job.checked else 0
    holders, starts = [], []
    for content, place, _ in [*job.memory, (b"\xff" * job.dynamic, 0, 1)]:
        holders.append(_reserve(len(content) + place + gap))
        starts.append(holders[-1] + place)
        ctypes.memmove(starts[-1], content, len(content))
    try:
        regions = [_Region(s, len(m[0]), m[2], 0) for s, m in zip(starts, job.memory, strict=False)]
        regions.append(_Region(starts[-1], job.dynamic, 1, 1))
        regions += [_Region(base + at, size, 1, 1) for at, size in job.shared]
        launch = _launch(job, module, regions, starts)
        fault = bytes(runtime.cuemu_launch(launch)[0])
        after = [ctypes.string_at(s, len(m[0])) for s, m in zip(starts, job.memory, strict=False)]
    finally:
        for holder in holders:
            _libc.free(holder)
    return fault, after


def _reserve(size: int) -> int:
    address = ctypes.c_void_p()
    if _libc.posix_memalign(ctypes.byref(address), ALIGNMENT, size):
        raise MemoryError(f"{size} bytes for an array of the emulator")
    return address.value or 0


def _launch(job: Job, module: Any, regions: list[_Region], starts: list[int]) -> _Launch:
    values = [ctypes.create_string_buffer(_value(a, starts)) for a in job.arguments]
    pointers = (ctypes.c_void_p * max(1, len(values)))(*map(ctypes.addressof, values))
    table = (_Region * len(regions))(*regions)
    call = ctypes.cast(module[f"cuemu_call_{job.kernel}"], ctypes.c_void_p)
    launch = _Launch(
        call,
        ctypes.addressof(pointers),
        job.grid,
        job.block,
        ctypes.addressof(table),
        len(regions),
        job.checked,
        starts[-1],
        module.cuemu_image(0),
        module.cuemu_image(1),
        job.schedule,
    )
    launch.kept = values, pointers, table
    return launch


def _value(argument: tuple[Any, ...], starts: list[int]) -> bytes:
    what, *rest = argument
    if what == "value":
        return bytes(rest[0])
    if what == "at":
        return (starts[rest[0]] + rest[1]).to_bytes(8, sys.byteorder)
    addresses = [starts[memory] + offset for memory, offset in rest[0]]
    addresses += [0] * (rest[1] - len(addresses))
    return b"".join(a.to_bytes(8, sys.byteorder) for a in addresses)


def main() -> None:
    """Answer jobs until the input ends."""
    answers = sys.stdout.buffer
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(execute(Job(*job)), answers)
        answers.flush()


if __name__ == "__main__":
    main()
