"""How much memory a GPU has, who holds it, and the error when there is none left."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from minima import Tensor
from minima.autograd.node import Node
from minima.devices import Device, device

from .errors import DeviceOutOfMemoryError

__all__ = [
    "Holder",
    "empty_cache",
    "largest_holders",
    "memory_stats",
    "memory_summary",
    "out_of_memory",
    "read",
    "reset_peak_memory",
    "watch",
]

#: GPU -> the most bytes that arrays have held at once
_peak: dict[int, int] = {}
_watched: list[Any] = []


@dataclass(frozen=True)
class Holder:
    """Memory that is held: its *size* in bytes, and the *shape*, *dtype* and *owner* of it.

    *owner*: ``Tensor`` or its subclass, ``saved by OPERATOR`` for a gradient to come, ``array``
    for what CuPy code holds.
    """

    size: int
    shape: tuple[int, ...]
    dtype: str
    owner: str

    def __str__(self) -> str:
        return f"{in_units(self.size)} {self.dtype}{list(self.shape)} ({self.owner})"


def in_units(size: int) -> str:
    """Return a number of bytes as a person reads it.

    >>> from minima_cuda.memory import in_units
    >>> in_units(512), in_units(3 << 20), in_units(5 << 30)
    ('512 B', '3.0 MiB', '5.0 GiB')
    """
    value, units = float(size), ["B", "KiB", "MiB", "GiB"]
    while value >= 1024 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def watch(cupy: Any) -> None:
    """Let CuPy's allocator, whichever is in use, note the peak of what arrays hold."""
    if cupy in _watched:
        return
    _watched.append(cupy)
    cupy.cuda.set_allocator(_watching(cupy, cupy.cuda.get_allocator()))


def _watching(cupy: Any, allocate: Callable[[int], Any]) -> Callable[[int], Any]:
    pool = cupy.get_default_memory_pool()

    def watched(size: int) -> Any:
        pointer = allocate(size)
        used, index = pool.used_bytes(), pointer.device_id
        if used > _peak.get(index, 0):
            _peak[index] = used
        return pointer

    return watched


def read(cupy: Any, index: int) -> dict[str, int]:
    """Return the bytes of the current GPU, which is number *index*."""
    pool = cupy.get_default_memory_pool()
    free, total = cupy.cuda.runtime.memGetInfo()
    used, reserved = pool.used_bytes(), pool.total_bytes()
    peak = max(_peak.get(index, 0), used)
    return {"used": used, "reserved": reserved, "peak": peak, "free": free, "total": total}


def memory_stats(device_name: str | Device = "cuda") -> dict[str, int]:
    """Return, in bytes, the memory of a GPU.

    ``used`` by arrays; ``reserved`` by CuPy's pool, which keeps what arrays let go; ``peak``, the
    most that was in use at once since the start or `reset_peak_memory`; ``free`` on the GPU, which
    other processes use too, and ``total``.
    """
    return device(device_name).memory_stats()


def reset_peak_memory(device_name: str | Device = "cuda") -> None:
    """Measure ``peak`` from now on."""
    place: Any = device(device_name)
    _peak[place.index] = 0


def empty_cache(device_name: str | Device = "cuda") -> None:
    """Give the memory that CuPy's pool keeps for later back to the GPU, for other processes."""
    place: Any = device(device_name)
    pool = place.xp.get_default_memory_pool()
    place.guard.run("empty_cache", pool.free_all_blocks)


def largest_holders(device_name: str | Device = "cuda", count: int = 10) -> list[Holder]:
    """Return the *count* largest pieces of a GPU's memory that arrays hold, largest first.

    Views count with the array that they show. It looks at all objects that Python knows, which
    takes a while: call it when memory runs short, not at each step.
    """
    place: Any = device(device_name)
    return _holders(place.xp, place.index, count)


def _holders(cupy: Any, index: int, count: int) -> list[Holder]:
    arrays: dict[int, Any] = {}  # address of the memory -> the largest array over it
    owners: dict[int, str] = {}  # id of an array -> who has it
    for thing in gc.get_objects():
        if isinstance(thing, cupy.ndarray):
            memory = thing.data.mem
            if memory.device_id == index and memory.size:
                found = arrays.setdefault(memory.ptr, thing)
                if thing.nbytes > found.nbytes:
                    arrays[memory.ptr] = thing
        elif isinstance(thing, Tensor):
            owners[id(thing._array)] = type(thing).__name__
        elif isinstance(thing, Node):
            for saved in (*(thing.saved or ()), thing.output):
                owners.setdefault(id(saved), f"saved by {thing.operator.name}")
    found = [
        Holder(a.data.mem.size, tuple(a.shape), str(a.dtype), owners.get(id(a), "array"))
        for a in arrays.values()
    ]
    return sorted(found, key=lambda holder: -holder.size)[:count]


def memory_summary(device_name: str | Device = "cuda", count: int = 10) -> str:
    """Return the memory of a GPU as text: what is used, reserved and free, and by whom."""
    stats, place = memory_stats(device_name), device(device_name)
    lines = [f"{place}: " + ", ".join(f"{name} {in_units(n)}" for name, n in stats.items())]
    return "\n".join(lines + [f"  {holder}" for holder in largest_holders(place, count)])


def out_of_memory(name: str, cupy: Any, index: int, error: BaseException) -> DeviceOutOfMemoryError:
    """Return what to raise for CuPy's *error* in the operation *name*."""
    stats = read(cupy, index)
    requested = int(getattr(error, "_size", 0))
    holders = tuple(_holders(cupy, index, 3))
    asked = in_units(requested) if requested else "memory"
    held = "; the largest: " + ", ".join(map(str, holders)) if holders else ""
    result = DeviceOutOfMemoryError(
        f"{name}: out of memory on cuda:{index}: asked for {asked}; arrays hold "
        f"{in_units(stats['used'])}, CuPy's pool {in_units(stats['reserved'])}, and "
        f"{in_units(stats['free'])} of {in_units(stats['total'])} are free{held}. Use smaller "
        "batches, drop tensors that are done with, and compute under mi.no_grad() what needs no "
        "gradient; if other processes hold the memory, nvidia-smi names them"
    )
    result.requested, result.holders = requested, holders
    for key in ("used", "reserved", "free", "total"):
        setattr(result, key, stats[key])
    return result
