"""Reductions along any axes of arrays of any layout, with results that depend on shapes alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from minima.devices import Kernel

from ..geometry import Geometry, blocks
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room

__all__ = ["KERNELS", "Cut", "Reductions", "axes_of", "cut"]

Array = Any
Shape = tuple[int, ...]
Group = tuple[int, int]  # size and step of axes that are stepped through as one

NUMBERS = (*FLOATS, "int32", "int64")

#: kernels of reductions.cu and moments.cu -> what their states hold: numbers to compute in, bytes
STATES = {
    "all": (0, 4),
    "any": (0, 4),
    "sum": (1, 0),
    "max": (2, 0),
    "min": (2, 0),
    "argmax": (2, 8),
    "argmin": (2, 8),
    "mean": (1, 0),
    "var": (3, 0),
    "logsumexp": (2, 0),
    "moments": (3, 0),
    "affine": (5, 0),
    "slopes": (5, 0),
}

#: struct Plan of passes.cuh; the last six are the two of struct Walk
PLAN = np.dtype([("sizes", np.int64, (3,)), ("keep", np.int64, (3,)), ("walk", np.int64, (3,))])

BLOCK = 256
WARP = 32
WARP_ROW = 1024  # elements that one warp reduces alone
ENOUGH_BLOCKS = 1024  # to fill any GPU; more parts of one result would only be more to merge
LEAST_OF_BLOCK = 4096  # elements of a result that are worth a block of their own
ALIGNED = 16  # elements, of which parts are multiples so that they start where packs do


class Cut(NamedTuple):
    """A reduction as kernels take it."""

    kept: int
    length: int
    parts: int
    form: str  # rows or columns
    geometry: Geometry
    plan: Any


def axes_of(axis: int | Sequence[int] | None, ndim: int) -> Shape:
    """Return *axis*, an integer, several or None for all, counted from the front, in order.

    >>> axes_of(None, 2), axes_of(-1, 3), axes_of((2, 0), 3)
    ((0, 1), (2,), (0, 2))
    """
    if axis is None:
        return tuple(range(ndim))
    many = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(sorted(int(a) % ndim for a in many))


# ---- cutting -------------------------------------------------------------------------------------
def _groups(shape: Shape, steps: Shape, axes: Shape) -> tuple[list[Group], list[Group]]:
    """Return (size, step) of the kept and the reduced axes, those next to each other merged."""
    found: list[tuple[int, int, bool]] = []
    for i, (size, step) in enumerate(zip(shape, steps)):
        if size == 1:
            continue
        reduced = i in axes
        if found and found[-1][1:] == (size * step, reduced):
            size *= found.pop()[0]
        found.append((size, step, reduced))
    kept, walked = ([(n, s) for n, s, r in found if r is which] for which in (False, True))
    return kept, walked


def _walk(groups: list[Group]) -> Shape:
    """Return struct Walk of passes.cuh for at most two groups."""
    (_, outer_step), (inner, inner_step) = [(1, 0), (1, 0), *groups][-2:]
    return inner, outer_step, inner_step


@lru_cache(maxsize=4096)
def cut(shape: Shape, steps: Shape, axes: Shape) -> Cut | None:
    """Return how to reduce *axes* of an array with *steps* in elements; None: too many axes.

    >>> found = cut((4, 5000), (5000, 1), (1,))
    >>> found.form, found.parts, found.geometry.grid
    ('rows', 2, (4, 2))
    """
    kept_groups, walked = _groups(shape, steps, axes)
    if len(kept_groups) > 2 or len(walked) > 2:
        return None
    kept, length = (prod(n for n, _ in groups) for groups in (kept_groups, walked))
    keep, walk = _walk(kept_groups), _walk(walked)
    # lanes go along the axis whose elements are neighbours, if it is long enough for them
    by_columns = kept > 1 and keep[0] >= 8 and abs(keep[2]) < (abs(walk[2]) or kept * length)
    if by_columns:
        height = 8 if length > ALIGNED else 1
        block = (BLOCK // height, height)
        across, most = blocks(kept, block[0]), -(-length // BLOCK)
    elif length <= WARP_ROW:
        block = (WARP, BLOCK // WARP)
        across, most = blocks(kept, block[1]), 1
    else:
        block = (BLOCK, 1)
        across, most = blocks(kept, 1), -(-length // LEAST_OF_BLOCK)
    parts = max(1, min(most, ENOUGH_BLOCKS // across))
    chunk = -(-length // (parts * ALIGNED)) * ALIGNED
    parts = max(1, -(-length // chunk)) if length else 1
    plan = np.zeros((), PLAN)
    plan["sizes"], plan["keep"], plan["walk"] = (kept, length, chunk), keep, walk
    form = "columns" if by_columns else "rows"
    return Cut(kept, length, parts, form, Geometry((across, parts), block), plan[()])


# ---- launching -----------------------------------------------------------------------------------
class Reductions:
    """Launches the kernels of passes.cuh's form on arrays of *xp*."""

    def __init__(self, launcher: Launcher, xp: Any) -> None:
        self.launcher, self.xp = launcher, xp

    def run(
        self, file: str, name: str, arrays: Sequence[Array], axes: Shape, y: Array, number: float
    ) -> Array:
        """Reduce *axes* of *arrays*, of one shape, into the contiguous *y* by kernel *name*."""
        xp = self.xp
        x = arrays[0]
        if any(a.strides != x.strides or a.strides[-1:] == (0,) for a in arrays[1:]):
            arrays = [xp.ascontiguousarray(a) for a in arrays]
        found = self._cut(arrays[0], axes)
        if found is None:  # too many axes to step through: those that are reduced, last
            order = [i for i in range(x.ndim) if i not in axes] + list(axes)
            arrays = [xp.ascontiguousarray(xp.transpose(a, order)) for a in arrays]
            found = self._cut(arrays[0], tuple(range(x.ndim - len(axes), x.ndim)))
        source, accumulator = Source(file, x.dtype.name), ACCUMULATORS[x.dtype.name]
        numbers, extra = STATES[name]
        state = numbers * np.dtype(accumulator).itemsize + extra
        several = found.parts > 1
        partial_ = xp.empty((state * found.kept * found.parts if several else 1,), np.uint8)
        parameter = accumulator(number)
        grid, block = found.geometry
        args = (*arrays, y, partial_, found.plan, parameter)
        self.launcher.launch(source, f"{name}_{found.form}", grid, block, args)
        if several:
            grid, block = (blocks(found.kept, BLOCK // WARP),), (WARP, BLOCK // WARP)
            args = (partial_, y, np.int64(found.kept), np.int64(found.parts), parameter)
            self.launcher.launch(source, f"{name}_finish", grid, block, args)
        return y

    def _cut(self, x: Array, axes: Shape) -> Any:
        return cut(x.shape, tuple(s // x.itemsize for s in x.strides), axes)


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    reductions = Reductions(launcher, xp)

    def run(
        file: str,
        name: str,
        x: Array,
        axes: Shape,
        keepdims: bool,
        dtype: Any,
        number: float = 0,
        out: Array = None,
    ) -> Array:
        kept = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
        rest = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        y = room(xp, out, kept if keepdims else rest, dtype, [x])
        return into(out, reductions.run(file, name, [x], axes, y, number))

    def plain(
        name: str,
        dtypes: Sequence[str],
        x: Array,
        axis: Any = None,
        keepdims: bool = False,
        out: Array = None,
    ) -> Array:
        if x.dtype.name not in dtypes or not x.size:
            return by_reference(xp, name, [x], {"axis": axis, "keepdims": keepdims}, out)
        dtype = np.dtype(bool) if name in ("all", "any") else x.dtype
        return run("reductions", name, x, axes_of(axis, x.ndim), keepdims, dtype, out=out)

    def place(
        name: str, x: Array, axis: int | None = None, keepdims: bool = False, out: Array = None
    ) -> Array:
        if x.dtype.name not in NUMBERS or not x.size:
            return by_reference(xp, name, [x], {"axis": axis, "keepdims": keepdims}, out)
        axes = axes_of(axis, x.ndim)
        return run("reductions", name, x, axes, keepdims, np.dtype(np.int64), out=out)

    def mean(x: Array, axis: Any = None, keepdims: bool = False, out: Array = None) -> Array:
        axes = axes_of(axis, x.ndim)
        if x.dtype.name not in FLOATS or not x.size:
            return by_reference(xp, "mean", [x], {"axis": axes, "keepdims": keepdims}, out)
        count = prod(x.shape[a] for a in axes)
        return run("moments", "mean", x, axes, keepdims, x.dtype, count, out)

    def var(
        x: Array,
        axis: Any = None,
        keepdims: bool = False,
        *,
        correction: float = 0,
        out: Array = None,
    ) -> Array:
        axes = axes_of(axis, x.ndim)
        if x.dtype.name not in FLOATS or not x.size:
            attrs = {"axis": axes, "keepdims": keepdims, "correction": correction}
            return by_reference(xp, "var", [x], attrs, out)
        count = prod(x.shape[a] for a in axes)
        divisor = count - correction if count > correction else float("nan")
        return run("moments", "var", x, axes, keepdims, x.dtype, divisor, out)

    def logsumexp(
        x: Array, axis: Any = None, keepdims: bool = False, *, axes: Any = None, out: Array = None
    ) -> Array:
        chosen = axes_of(axis if axes is None else axes, x.ndim)
        if x.dtype.name not in FLOATS or not x.size:
            return by_reference(xp, "logsumexp", [x], {"axis": chosen, "keepdims": keepdims}, out)
        return run("moments", "logsumexp", x, chosen, keepdims, x.dtype, out=out)

    return {
        "sum": partial(plain, "sum", (*FLOATS, "int64")),
        "max": partial(plain, "max", NUMBERS),
        "min": partial(plain, "min", NUMBERS),
        "all": partial(plain, "all", (*NUMBERS, "uint8", "bool")),
        "any": partial(plain, "any", (*NUMBERS, "uint8", "bool")),
        "argmax": partial(place, "argmax"),
        "argmin": partial(place, "argmin"),
        "mean": mean,
        "var": var,
        "logsumexp": logsumexp,
    }
