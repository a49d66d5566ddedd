"""Compiling a kernel file for the processor, with g++: a shared library with a call per kernel."""

from __future__ import annotations

import atexit
import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BASE = ("-std=c++20", "-fPIC", "-g1", "-gdwarf-4", "-w", "-DCUEMU")
KERNEL_FLAGS = ("-O1", "-fno-strict-aliasing", "-fno-math-errno", "-ffp-contract=off")
# -fsanitize=thread only has the calls put in; the library with them is checks.cpp
CHECKED = ("-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")

LINK = ("-shared", "-nostartfiles", "-Wl,-Bsymbolic")

PAD = 256  # bytes after each shared variable, so that the next one is not mistaken for it
_VARIABLE = re.compile(r"(\.comm\s+[^,\s]+,)(\d+)")
_KERNEL = re.compile(
    r"cuda_kernel\)\)\s*(?P<between>(?:void|__attribute__\(\(cuda_bounds\([^;{]*?\)\)\)|\s)+?)"
    r"\s*\b(?P<name>(?!void\b|__attribute__\b)\w+)\s*\((?P<parameters>[^{]*)\)\s*\{"
)
_BOUND = re.compile(r"cuda_bounds\((?P<bound>[^;{]*?)\)\)\)")

_CALL = """
extern "C" void cuemu_call_{name}(void** arguments) {{ cuemu::call({name}, arguments); }}
extern "C" const void* cuemu_parameters_{name}() {{ return cuemu::parameters({name}); }}
"""
_IMAGE = """
extern "C" {
extern char __ehdr_start __attribute__((visibility("hidden")));
extern char _end __attribute__((visibility("hidden")));
char* cuemu_image(int end) { return end ? &_end : &__ehdr_start; }
}
"""


class BuildError(Exception):
    """g++ did not take a kernel file."""


@dataclass(frozen=True)
class Kernel:
    """A kernel of a module: the names of its parameters, and the largest block it allows."""

    parameters: tuple[str, ...]
    bound: int


class Variable(NamedTuple):
    """A shared variable: its place in the module, its size, its function and its name."""

    offset: int
    bytes: int
    function: str
    name: str


@dataclass(frozen=True)
class Module:
    """A kernel file that was compiled; *variables* are in shared memory."""

    path: Path
    runtime: Path
    kernels: dict[str, Kernel]
    variables: tuple[Variable, ...]
    lines: dict[int, str] = field(default_factory=dict)

    def shared(self, kernel: str) -> list[Variable]:
        """Return the shared variables of *kernel* and of all functions that are no kernels."""
        others = self.kernels.keys() - {kernel}
        return [v for v in self.variables if v.function not in others]

    def line(self, pc: int) -> str:
        """Return ``file:line`` of an offset in the module."""
        if pc not in self.lines:
            found = _run("addr2line", "-s", "-e", str(self.path), hex(pc)).strip()
            self.lines[pc] = found.split(" ")[0]
        return self.lines[pc]


def missing() -> str:
    """Return why kernels cannot be compiled here, or nothing."""
    lacking = [tool for tool in ("g++", "nm", "addr2line") if shutil.which(tool) is None]
    return f"the emulator needs {', '.join(lacking)}" if lacking else ""


@cache
def folder() -> Path:
    """Return the folder of what this session compiled."""
    path = Path(tempfile.mkdtemp(prefix="minima-cuda-emulator-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def runtime(sanitize: bool) -> Path:
    """Return the library that runs the kernels."""
    path = folder() / f"runtime{'-sanitized' if sanitize else ''}.so"
    sources = [str(HERE / name) for name in ("runtime.cpp", "checks.cpp")]
    extra = SANITIZED if sanitize else ()
    _run("g++", *BASE, "-O2", "-shared", *extra, *sources, "-o", str(path))
    return path


@cache
def module(text: str, mode: str) -> Module:
    """Compile the *text* of a kernel file; *mode* is plain, checked or sanitized."""
    key = hashlib.sha256(f"{mode}\n{text}".encode()).hexdigest()[:16]
    source, path = folder() / f"{key}.ii", folder() / f"{key}.so"
    wrapped = f'#include "{HERE}/cuda_emu.h"\nnamespace {{\n{text}\n}}\n'
    expanded = _run("g++", *BASE, "-E", "-x", "c++", "-", text=wrapped)
    kernels = _kernels(expanded)
    calls = "".join(_CALL.format(name=name) for name in kernels)
    source.write_text(expanded + calls + _IMAGE, encoding="utf-8")
    flags = {"plain": (), "checked": CHECKED, "sanitized": SANITIZED}[mode]
    assembly = path.with_suffix(".s")
    _run("g++", *BASE, *KERNEL_FLAGS, *flags, "-S", str(source), "-o", str(assembly))
    link = SANITIZED if mode == "sanitized" else ()
    pad = 0 if link else PAD  # the sanitizer has its own
    spread = _VARIABLE.sub(lambda m: f"{m[1]}{int(m[2]) + pad}", assembly.read_text("utf-8"))
    assembly.write_text(spread, encoding="utf-8")
    _run("g++", *LINK, *link, str(assembly), "-o", str(path), "-lm")
    return Module(path, runtime(mode == "sanitized"), kernels, _shared(path, pad))


def _kernels(expanded: str) -> dict[str, Kernel]:
    found = {}
    for match in _KERNEL.finditer(expanded):
        names = re.findall(r"(\w+)\s*(?:,|$)", match["parameters"].strip())
        bound = _BOUND.search(match["between"])
        most = int(bound["bound"].split(",")[0].strip("() ")) if bound else 1024
        found[match["name"]] = Kernel(tuple(names), most)
    return found


def _shared(path: Path, pad: int) -> tuple[Variable, ...]:
    """Return the writable variables of a module, which are its shared memory."""
    found = []
    for line in _run("nm", "-SC", str(path)).splitlines():
        parts = line.split(maxsplit=3)
        if len(parts) == 4 and parts[2] == "b":
            function, _, name = parts[3].rpartition("::")
            size = int(parts[1], 16) - pad
            found.append(Variable(int(parts[0], 16), size, function, name))
    return tuple(sorted(found))


def _run(*command: str, text: str | None = None) -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command[:3])} ...\n{done.stderr[:4000]}")
    return done.stdout
