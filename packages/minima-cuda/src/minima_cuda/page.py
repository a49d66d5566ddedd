"""The page of the documentation that says what each kernel should take: `docs/cuda-kernels.rst`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .roofline import DEFAULTS, GPUS, SIZES, SYMBOLS, TABLE, Work

__all__ = ["page"]

HEAD = """\
What the CUDA kernels take
==========================

Written by ``minima cuda roofline --resources packages/minima-cuda/tests/kernels/resources.json``,
from the formulas of ``minima_cuda.roofline`` and from what the compiler reports. A test fails where
this page is not what that prints. Nothing on it was measured: it says what a run on a GPU has to
show.

Bytes and operations
--------------------

*Least* are the bytes of each input, read once, and of each output, written once. *Moved* is what
loads and stores ask the memory for: where it is more, the same bytes are asked for again, and the
caches answer as far as they hold them. The sizes are an example, in float32. A kernel cannot take
less than the microseconds in the last columns: least bytes at the GPU's bandwidth, or operations at
its rate for float32, whichever is longer ("memory" or "compute").
"""

RESOURCES = """\
Registers and memory on the chip
--------------------------------

What {compiler} reports for {architectures}, from the least to the most over these and over all
dtypes: registers of a thread, bytes of shared memory of a block that are fixed when it is compiled,
bytes of local memory of a thread, and the threads that a block may have at most. {spilling}
"""

SHOWN = ("registers", "shared", "stack", "threads")


def page(resources: dict[str, Any]) -> str:
    """Return the page, with the table of *resources* as ``minima cuda kernels --json`` prints."""
    units = [f"``{name}``: {what}" for name, what in SYMBOLS.items()]
    gpus = [
        f"{gpu.name}: {gpu.bandwidth / 1e9:.0f} GB/s, {gpu.operations / 1e12:g} Tflop/s"
        for gpu in GPUS
    ]
    compiler = f"NVRTC {resources['nvrtc']}"
    architectures = ", ".join(resources["architectures"])
    parts = [
        HEAD,
        "\n".join(f"- {line}" for line in (*units, *gpus)) + "\n",
        *_work_tables(),
        RESOURCES.format(
            compiler=compiler, architectures=architectures, spilling=_spilling(resources)
        ),
        *_resource_tables(resources),
    ]
    return "\n".join(parts)


def _work_tables() -> Iterator[str]:
    head = ["Kernels", "Sizes", "Least bytes", "Moved", "Moved / least", "Operations"]
    head += ["Bound by", *(f"{gpu.name}, us" for gpu in GPUS)]
    for file in dict.fromkeys(work.file for work in TABLE):
        rows = [_row(work) for work in TABLE if work.file == file]
        yield f"Sizes of ``{file}.cu``: {SIZES[file]}.\n"
        yield _table(f"{file}.cu", head, rows)


def _row(work: Work) -> list[str]:
    sizes = {**DEFAULTS, **work.sizes}
    least, moved = work.least(**sizes), work.moved(**sizes)
    gpu = GPUS[-1]
    compute = work.operations(**sizes) / gpu.operations > least / gpu.bandwidth
    return [
        ", ".join(f"``{name}``" for name in work.kernels.split()),
        ", ".join(f"{name}={size}" for name, size in work.sizes.items()),
        f"``{work.least}``",
        "as least" if work.moved == work.least else f"``{work.moved}``",
        f"{moved / least:.2f}",
        f"``{work.operations}``",
        "compute" if compute else "memory",
        *(f"{work.seconds(gpu) * 1e6:.1f}" for gpu in GPUS),
    ]


def _resource_tables(resources: dict[str, Any]) -> Iterator[str]:
    fields = resources["fields"]
    uses: dict[tuple[str, str], list[dict[str, int]]] = {}
    for name, entry in resources["modules"].items():
        for kernel, of_architectures in entry["kernels"].items():
            found = uses.setdefault((name.split()[0], kernel), [])
            found.extend(dict(zip(fields, numbers)) for numbers in of_architectures)
    head = ["Kernel", "Registers", "Shared", "Local", "Threads"]
    for file in dict.fromkeys(file for file, _ in uses):
        rows = [
            [f"``{kernel}``", *(_range(found, field) for field in SHOWN)]
            for (of, kernel), found in uses.items()
            if of == file
        ]
        yield _table(f"{file}.cu", head, rows)


def _spilling(resources: dict[str, Any]) -> str:
    place = resources["fields"].index("spills")
    names = [
        f"``{kernel}``"
        for entry in resources["modules"].values()
        for kernel, of_architectures in entry["kernels"].items()
        if any(numbers[place] for numbers in of_architectures)
    ]
    return f"Registers are spilled by {', '.join(sorted(set(names))) or 'no kernel'}."


def _range(found: Iterable[dict[str, int]], field: str) -> str:
    low, high = min(u[field] for u in found), max(u[field] for u in found)
    return f"{low}" if low == high else f"{low} to {high}"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines) + "\n"
