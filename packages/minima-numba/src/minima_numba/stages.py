"""What a step with a native kernel is made of: stages in order, each of calls at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from minima.compiler.plan import Step, Value

__all__ = ["Builder", "Call", "Scratch", "Stages", "collapsed", "parts", "span", "strides"]

LONG = 10e-6  # seconds of work from which handing parts to other threads pays


class Scratch:
    """So many bytes that are free again when the step is done."""

    def __init__(self, size: int) -> None:
        self.size = max(1, size)


@dataclass(frozen=True)
class Call:
    """A call of ``k`` of a module: *source* on a table of *entries*, from *low* to *high*.

    An entry is a value (its address), a value and so many bytes behind it, `Scratch`, a live or
    a plain number.
    """

    source: str
    entries: tuple[Any, ...]
    low: int
    high: int


#: the calls of a stage may run at the same time, the next stage begins when all are done
Stages = list[list[Call]]
#: what returns the stages of a step, or None where the kernel does not suit it
Builder = Callable[[Step], "Stages | None"]


def strides(value: Value, size: int | None = None) -> tuple[int, ...]:
    """Return the strides of *value* in elements (of *size* bytes, unless its own)."""
    return tuple(s // (size or value.dtype.itemsize) for s in value.array.strides)


def collapsed(shape: Sequence[int], steps: Sequence[int]) -> tuple[int, int] | None:
    """Return axes of *shape* with strides *steps* as one: its size and stride, or None.

    >>> collapsed((2, 3), (12, 4)), collapsed((2, 3), (16, 4))
    ((6, 4), None)
    """
    count, step = 1, 0
    for n, s in zip(reversed(shape), reversed(steps)):
        if n == 1:
            continue
        if count > 1 and s != step * count:
            return None
        count, step = count * n, step if count > 1 else s
    return count, step


def parts(seconds: float, items: int, most: int) -> int:
    """Return into how many calls work of so many *seconds* and *items* is divided."""
    return 1 if seconds < LONG else max(1, min(items, most))


def span(size: int, part: int, count: int) -> tuple[int, int]:
    """Return where part number *part* of *count* begins and ends.

    >>> span(10, 1, 3)
    (3, 6)
    """
    return size * part // count, size * (part + 1) // count
