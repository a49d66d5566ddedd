"""What a compiled kernel takes of a GPU, by the compiler's own report, and what it may take."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from .compile import Module

__all__ = ["Resources", "faults", "resources"]

MOST_REGISTERS = 255  # of a thread
REGISTERS = 1 << 16  # of a block
REGISTER_UNIT = 8 * 32  # in which a warp gets them, and so 8 to a thread
SHARED_BYTES = 48 << 10  # of a block, without asking for more
MOST_THREADS = 1024

#: bytes of local memory that a kernel may use: CUDA's sine and cosine of numbers beyond 10^5 do
STACK = {"sin_each": 40, "cos_each": 40, "normal": 40}

_ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\w+)'.*?\n"
    r".*?(?P<stack>\d+) bytes stack frame, (?P<stores>\d+) bytes spill stores, "
    r"(?P<loads>\d+) bytes spill loads\n"
    r".*?Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.DOTALL,
)
_SHARED = re.compile(r"(\d+) bytes smem")
_MAX_THREADS = 0x05  # an attribute of .nv.info: the launch bounds, along x, y, z
_SIZED = 0x04  # the form of an attribute that is followed by its size


class Resources(NamedTuple):
    """What one kernel uses: per thread registers and bytes of local memory, per block the rest.

    *stack* holds arrays that are not in registers; *spills* are the bytes of registers that did
    not fit, stored and loaded again. *shared* is static; a launch may add more. *threads* is how
    many a block may have: the launch bounds, or else what registers allow.
    """

    registers: int
    shared: int
    stack: int
    spills: int
    threads: int


def resources(module: Module) -> dict[str, Resources]:
    """Return what each kernel of *module* uses, by name."""
    bounds = dict(_launch_bounds(module.code))
    found = {}
    for entry in _ENTRY.finditer(module.log):
        name, registers = entry["name"], int(entry["registers"])
        shared = _SHARED.search(entry["rest"])
        spills = int(entry["stores"]) + int(entry["loads"])
        found[name] = Resources(
            registers=registers,
            shared=int(shared[1]) if shared else 0,
            stack=int(entry["stack"]),
            spills=spills,
            threads=bounds.get(name, _threads(registers)),
        )
    return dict(sorted(found.items()))


def faults(kernel: str, found: Resources) -> list[str]:
    """Return what is wrong with a *kernel* that takes so much; nothing where it will run well.

    >>> from minima_cuda.resources import Resources, faults
    >>> faults("sum_rows", Resources(40, 0, 0, 0, 256))
    []
    >>> faults("sum_rows", Resources(255, 0, 8, 16, 512))
    ['spills 16 bytes', '8 bytes of local memory', 'blocks of 512 threads; registers allow 256']
    """
    most = _threads(found.registers)
    stack = 0 if found.spills == 0 and found.stack <= STACK.get(kernel, 0) else found.stack
    checks = [
        (found.spills, f"spills {found.spills} bytes"),
        (stack, f"{stack} bytes of local memory"),
        (found.registers > MOST_REGISTERS, f"{found.registers} registers"),
        (found.shared > SHARED_BYTES, f"{found.shared} bytes of shared memory"),
        (found.threads > most, f"blocks of {found.threads} threads; registers allow {most}"),
    ]
    return [what for wrong, what in checks if wrong]


def _threads(registers: int) -> int:
    """Return how many threads of so many *registers* a block can have, in whole warps."""
    of_warp = -(-registers * 32 // REGISTER_UNIT) * REGISTER_UNIT
    return min(REGISTERS // max(of_warp, 1) * 32, MOST_THREADS)


def _launch_bounds(code: bytes) -> Iterator[tuple[str, int]]:
    """Yield the kernels of a cubin, which is an ELF file, that have launch bounds, and these."""
    for section, data in _sections(code):
        if section.startswith(".nv.info."):
            for attribute, value in _attributes(data):
                if attribute == _MAX_THREADS:
                    x, y, z = struct.unpack("<III", value)
                    yield section.removeprefix(".nv.info."), x * y * z


def _sections(code: bytes) -> Iterator[tuple[str, bytes]]:
    (table,) = struct.unpack_from("<Q", code, 40)
    size, count, names = struct.unpack_from("<HHH", code, 58)
    headers = [struct.unpack_from("<IIQQQQ", code, table + i * size) for i in range(count)]
    for name, kind, _, _, start, length in headers:
        at = headers[names][4] + name
        data = b"" if kind == 8 else code[start : start + length]  # 8: no bytes in the file
        yield code[at : code.index(b"\0", at)].decode(), data


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        form, attribute, value = struct.unpack_from("<BBH", data, at)
        at += 4
        size = value if form == _SIZED else 0
        yield attribute, data[at : at + size]
        at += size
