"""A launcher that runs kernels on the processor and reports what a GPU would let pass.

It has the interface of `minima_cuda.launch.Launcher`. In tests only: it is never a device.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from minima_cuda.launch import Pointers
from minima_cuda.modules import modules, name_of
from minima_cuda.sources import Source

from . import build, execute
from .execute import ALIGNMENT, Fault, Job

needs_emulator = pytest.mark.skipif(bool(build.missing()), reason=build.missing())

KIB = 1024
LISTED = frozenset(modules())
STATIC_SHARED, ALL_SHARED = 48 * KIB, 227 * KIB
GRID, BLOCK, THREADS = (2**31 - 1, 65535, 65535), (1024, 1024, 64), 1024

FAULTS = (
    "none",
    "barrier",
    "deadlock",
    "mask",
    "lane",
    "race",
    "bounds",
    "uninitialised",
    "trap",
    "local",
    "alignment",
)
VERBS = (("reads", "read"), ("writes", "wrote"), ("updates atomically", "updated atomically"))


class KernelFault(Exception):
    """What a kernel or its launch did wrong; *kind* is one of `FAULTS`, launch or sanitizer."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class EmulatorLauncher:
    """Runs kernels with threads in the order of *schedule*: forward, reverse or a seed.

    *races* has every access checked (races, bounds, shared memory that was not written);
    *sanitize* runs the kernel in a process of its own under the address and
    undefined-behaviour sanitizers instead. *replace* changes the text of kernel files: (file,
    what, by what). *launched* are the names of the kernels that ran.
    """

    def __init__(
        self,
        schedule: str | int = "forward",
        *,
        sanitize: bool = False,
        races: bool = True,
        replace: tuple[str, str, str] | None = None,
    ) -> None:
        self.schedule = {"forward": -1, "reverse": -2}.get(str(schedule), schedule)
        self.mode = "sanitized" if sanitize else "checked" if races else "plain"
        self.replace, self.launched = replace, []

    def launch(
        self,
        source: Any,
        name: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        args: Sequence[Any],
        smem: int = 0,
    ) -> None:
        """Run kernel *name* of *source* to its end; raise `KernelFault` for what it did wrong."""
        _check_source(source)
        module = build.module(self._text(source), self.mode)
        if name not in module.kernels:
            raise KernelFault("launch", f"{name}: no such kernel; {sorted(module.kernels)}")
        self.launched.append(name)
        _check_configuration(name, module, grid, block, smem)
        if self.mode != "sanitized":  # its module cannot be loaded into this process
            _check_arguments(name, module, args)
        memory = Memory(args, module.kernels[name].parameters)
        job = Job(
            str(module.runtime),
            str(module.path),
            name,
            [(v.offset, v.bytes) for v in module.shared(name)],
            memory.contents(),
            [memory.argument(a) for a in args],
            _three(grid),
            _three(block),
            smem,
            int(self.schedule),
            self.mode == "checked",
        )
        run = SANITIZERS.run if self.mode == "sanitized" else execute.execute
        answer, after = run(job)
        fault = Fault.from_buffer_copy(answer)
        if fault.kind:
            raise _described(fault, name, module, memory)
        memory.write_back(after)

    def _text(self, source: Any) -> str:
        text = str(source.text)
        if self.replace is None:
            return text
        _, old, new = self.replace
        return text.replace(old, new)


def _check_source(source: Any) -> None:
    """Raise for a module of a family that `modules` does not list, so that no check compiles it.

    Of attention's tiles it lists the largest and the smallest, and the others lie between.
    """
    if not isinstance(source, Source) or source in LISTED:
        return
    found = [
        dict(s.defines) for s in LISTED if (s.family, s.dtype) == (source.family, source.dtype)
    ]
    if source.family == "attention" and found:
        limits = {n: sorted(int(of[n]) for of in found) for n in found[0]}
        given = {n: int(value) for n, value in source.defines}
        if given.keys() == limits.keys() and all(
            limits[n][0] <= given[n] <= limits[n][-1] for n in given
        ):
            return
    raise KernelFault("launch", f"{name_of(source)}: not in the list of minima_cuda.modules")


def _three(sizes: tuple[int, ...]) -> tuple[int, int, int]:
    x, y, z = (*map(int, sizes), 1, 1)[:3]
    return x, y, z


def _check_configuration(name: str, module: Any, grid: Any, block: Any, smem: int) -> None:
    static = sum(v.bytes for v in module.shared(name))
    most = module.kernels[name].bound
    threads = int(np.prod(block))
    if not all(1 <= n <= m for n, m in zip(_three(grid), GRID)):
        problem = f"grid {grid}; a size is from 1 to {GRID}"
    elif not all(1 <= n <= m for n, m in zip(_three(block), BLOCK)) or threads > THREADS:
        problem = f"block {block}; a size is from 1 to {BLOCK}, all together at most {THREADS}"
    elif threads > most:
        problem = f"{threads} threads; __launch_bounds__ allows {most}"
    elif static > STATIC_SHARED:
        problem = f"{static} bytes of static shared memory; at most {STATIC_SHARED}"
    elif static + smem > ALL_SHARED:
        problem = f"{static + smem} bytes of shared memory; at most {ALL_SHARED}"
    else:
        return
    raise KernelFault("launch", f"{name}: {problem}")


def _check_arguments(name: str, module: Any, args: Sequence[Any]) -> None:
    names = module.kernels[name].parameters
    wanted = execute.parameters(str(module.runtime), str(module.path), name)
    if len(args) != len(wanted):
        raise KernelFault("launch", f"{name}: {len(args)} arguments for {len(wanted)} parameters")
    for parameter, (kind, size), given in zip(names, wanted, args):
        if isinstance(given, Pointers):
            got = "s", given.room * 8
        elif isinstance(given, np.ndarray):
            got = "p", given.itemsize
        elif isinstance(given, np.void):
            got = "s", given.dtype.itemsize
        elif isinstance(given, np.generic):
            got = ("f" if given.dtype.kind == "f" else "i"), given.dtype.itemsize
        else:
            raise KernelFault("launch", f"{name}: {parameter} got {type(given).__name__}")
        if got != (kind, size):
            raise KernelFault(
                "launch",
                f"{name}: {parameter} is {kind}{size}, got {got[0]}{got[1]} "
                "(p pointer to, i integer, f floating, s struct; size in bytes)",
            )


class Memory:
    """The arrays of a launch, those that overlap as one piece of memory."""

    def __init__(self, args: Sequence[Any], names: Sequence[str]) -> None:
        self.arrays = [(name, a) for name, arg in zip(names, args) for a in _arrays(arg)]
        self.spans: list[list[int]] = []
        for low, high in sorted(_span(a) for _, a in self.arrays):
            if self.spans and low < self.spans[-1][1]:
                self.spans[-1][1] = max(high, self.spans[-1][1])
            else:
                self.spans.append([low, high])

    def _where(self, array: Any) -> tuple[int, int]:
        low, high = _span(array)
        at = next(i for i, (a, b) in enumerate(self.spans) if a <= low and high <= b)
        return at, _address(array) - self.spans[at][0]

    def _inside(self, at: int) -> list[tuple[str, Any]]:
        return [(name, a) for name, a in self.arrays if self._where(a)[0] == at]

    def argument(self, given: Any) -> tuple[Any, ...]:
        """Return how `Job` says *given*."""
        if isinstance(given, Pointers):
            return "table", [self._where(a) for a in given.arrays], given.room
        if isinstance(given, np.ndarray):
            return "at", *self._where(given)
        return "value", given.tobytes()

    def contents(self) -> list[tuple[bytes, int, int]]:
        """Return the memory as `Job` wants it."""
        found = []
        for at, (low, high) in enumerate(self.spans):
            arrays = [a for _, a in self._inside(at)]
            place = (low - _address(_owner(arrays[0]))) % ALIGNMENT
            grain = min(a.itemsize for a in arrays)
            found.append((ctypes.string_at(low, high - low), place, grain))
        return found

    def write_back(self, after: list[bytes]) -> None:
        """Put what a kernel left in the memory into the arrays."""
        for at, content in enumerate(after):
            if any(a.flags.writeable for _, a in self._inside(at)):
                ctypes.memmove(self.spans[at][0], content, len(content))

    def place(self, at: int, offset: int) -> str:
        """Return in words what lies *offset* bytes into memory *at*."""
        name, array = self._inside(at)[0]
        index = (self.spans[at][0] + offset - _address(array)) / array.itemsize
        return f"{name}[{index:g}] (of {array.size} elements)"


def _arrays(arg: Any) -> list[Any]:
    if isinstance(arg, Pointers):
        return arg.arrays
    return [arg] if isinstance(arg, np.ndarray) else []


def _address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def _span(array: Any) -> tuple[int, int]:
    if not array.size:
        return _address(array), _address(array)
    low, high = np.lib.array_utils.byte_bounds(array)
    return int(low), int(high)


def _owner(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Sanitizers:
    """The process that runs kernels under the address and undefined-behaviour sanitizers."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.log: Any = None

    def run(self, job: Job) -> tuple[bytes, list[bytes]]:
        """Run *job*; raise `KernelFault` with the report where a sanitizer stops it."""
        if self.process is None:
            self.start()
        process = self.process
        try:
            pickle.dump(tuple(job), process.stdin)
            process.stdin.flush()
            answer: tuple[bytes, list[bytes]] = pickle.load(process.stdout)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            process.wait()
            self.log.seek(0)
            report = self.log.read()
            self.stop()
            raise KernelFault("sanitizer", f"{job.kernel}: {_short(report)}") from None
        return answer

    def start(self) -> None:
        """Start the process."""
        asan = subprocess.check_output(["g++", "-print-file-name=libasan.so"], text=True).strip()
        options = "detect_leaks=0:detect_stack_use_after_return=0"
        environment = {
            **os.environ,
            "LD_PRELOAD": asan,
            "ASAN_OPTIONS": options,
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by stop
        self.process = subprocess.Popen(
            [sys.executable, "-I", execute.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
        )

    def stop(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait()
            self.log.close()
            self.process = None


SANITIZERS = Sanitizers()
atexit.register(SANITIZERS.stop)


def _short(report: str) -> str:
    """Return the lines of a sanitizer's report that say what and where."""
    lines = [line.strip() for line in report.splitlines()]
    told = [line for line in lines if "ERROR" in line or "error:" in line or ".cu" in line]
    return "\n".join(told[:8]) or report[-2000:] or "the process ended"


def _described(fault: Fault, name: str, module: Any, memory: Memory) -> KernelFault:
    """Return the fault in words."""
    kind = FAULTS[fault.kind]
    who = [f"thread {t} of block {b}" for t, b in zip(fault.thread, fault.block)]
    does, did = VERBS[fault.access[0]][0], VERBS[fault.access[1]][1]
    at = [
        f"{bytes(f).rstrip(bytes(1)).decode()}:{line}"
        for f, line in zip(fault.file, (fault.line, fault.other_line))
    ]
    pc = [module.line(pc) if pc else "" for pc in fault.pc]
    what = _place(fault, module.shared(name), memory)
    reached = f"is at {at[1]}" if fault.other_line >= 0 else "has returned"
    message = {
        "barrier": f"{who[0]} waits at the barrier {at[0]}, {who[1]} {reached}",
        "deadlock": f"{who[0]} waits at {at[0]} for the lanes {fault.mask:#x}, {who[1]} {reached}",
        "mask": f"{who[0]} is not in its own mask {fault.mask:#x} at {at[0]}",
        "lane": f"{who[0]} reads lane {fault.other_line}, which gives nothing, with the mask "
        f"{fault.mask:#x} at {at[0]}",
        "race": f"{who[0]} {does} {what} at {pc[0]}; {who[1]} {did} it at {pc[1]}, "
        "and nothing orders the two",
        "bounds": f"{who[0]} {does} {fault.bytes} bytes at {what} at {pc[0]}",
        "uninitialised": f"{who[0]} reads {what} at {pc[0]}, which the block has not written",
        "trap": f"{who[0]} called __trap at {at[0]}",
        "local": f"{who[0]} {does} a local variable of another thread at {pc[0]}",
        "alignment": f"{who[0]} {does} {fault.bytes} bytes at {fault.offset:#x}, "
        f"which is no multiple of that, at {pc[0]}",
    }[kind]
    return KernelFault(kind, f"{name}: {kind}: {message}")


def _place(fault: Fault, shared: list[build.Variable], memory: Memory) -> str:
    at = fault.region - len(memory.spans)
    if fault.region < 0:
        return f"address {fault.offset:#x}"
    if at < 0:
        return memory.place(fault.region, fault.offset)
    if at == 0:
        return f"byte {fault.offset} of the dynamic shared memory"
    variable = shared[at - 1]
    size = f"{variable.bytes} bytes of {variable.name}"
    return f"byte {fault.offset} of the {size} in shared memory"
