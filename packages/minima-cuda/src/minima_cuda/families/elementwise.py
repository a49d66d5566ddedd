"""Elementwise operators: one kernel launch each, whatever the layouts of the arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into

__all__ = ["KERNELS", "Elementwise", "layout_of"]

Array = Any

NUMBERS = (*FLOATS, "int32", "int64")
WHOLE = ("int32", "int64", "uint8", "bool")
ANY = (*NUMBERS, "uint8", "bool")

#: kernel file, dtypes that it serves -> operators without attributes, of one dtype
PLAIN = {
    ("elementwise", NUMBERS): (
        "add subtract multiply maximum minimum floor_divide remainder negative square abs sign "
        "relu relu_gradient less less_equal greater greater_equal"
    ),
    ("elementwise", ANY): "copy equal not_equal logical_not",
    ("functions", FLOATS): (
        "divide power share exp expm1 log log1p sqrt sin cos tanh erf sigmoid isnan isinf isfinite"
    ),
    ("bits", WHOLE): "bitwise_and bitwise_or bitwise_xor bitwise_invert",
}
#: operators whose output is bool
ASKING = frozenset(
    (
        "equal not_equal less less_equal greater greater_equal logical_not isnan isinf isfinite"
    ).split()
)

#: struct Layout of elements.cuh
LAYOUT = np.dtype(
    [
        ("runs", np.int64),
        ("runs_of_row", np.int64),
        ("length", np.int64),
        ("sizes", np.int64, (3,)),
        ("steps", np.int64, (4, 4)),
        ("run", np.int32),
        ("axes", np.int32),
    ]
)
AXES = 4  # that a Layout has, the last included

Shape = tuple[int, ...]


# ---- layouts -------------------------------------------------------------------------------------
def merged_axes(shape: Shape, steps: Sequence[Shape]) -> list[tuple[int, Shape]]:
    """Return (size, step of each array) per axis; axes that are stepped through as one are one.

    >>> merged_axes((2, 3, 4), [(12, 4, 1), (0, 0, 1)])
    [(6, (4, 0)), (4, (1, 1))]
    """
    axes: list[tuple[int, Shape]] = []
    for size, *of_arrays in zip(shape, *steps):
        if size == 1:
            continue
        here = tuple(of_arrays)
        if axes and axes[-1][1] == tuple(size * step for step in here):
            size *= axes.pop()[0]
        axes.append((size, here))
    return axes or [(1, (1,) * len(steps))]


def spread_steps(shape: Shape, of_array: Shape, strides: Shape, itemsize: int) -> Shape:
    """Return the steps, in elements, along *shape* of an array that broadcasts to it."""
    steps = [s // itemsize if n != 1 else 0 for n, s in zip(of_array, strides)]
    return (0,) * (len(shape) - len(steps)) + tuple(steps)


@lru_cache(maxsize=4096)
def layout_of(shape: Shape, arrays: tuple[tuple[Shape, Shape, int], ...], width: int) -> Any:
    """Return the struct Layout for an output and inputs: (shape, strides, bytes of an element).

    *width* is how many elements a thread takes at once where it can. None: too many axes.
    """
    axes = merged_axes(shape, [spread_steps(shape, *array) for array in arrays])
    if len(axes) > AXES:
        return None
    (length, last), front = axes[-1], axes[:-1]
    run = width if last[0] == 1 and all(step in (0, 1) for step in last) else 1
    found = np.zeros((), LAYOUT)
    found["length"], found["run"], found["axes"] = length, run, len(axes)
    found["runs_of_row"] = -(-length // run)
    found["runs"] = found["runs_of_row"] * int(np.prod([size for size, _ in front], dtype=object))
    for place, (size, _) in enumerate(reversed(front)):
        found["sizes"][2 - place] = size
    for place, (_, steps) in enumerate(reversed(axes)):
        found["steps"][: len(steps), 3 - place] = steps
    return found[()]


# ---- launching -----------------------------------------------------------------------------------
class Elementwise:
    """Launches the kernels of elements.cuh's form on arrays of *xp*."""

    def __init__(self, launcher: Launcher, xp: Any) -> None:
        self.launcher, self.xp = launcher, xp

    def served(self, arrays: Sequence[Array], dtypes: Sequence[str]) -> bool:
        """Say whether *arrays* are of one dtype, which is one of *dtypes*."""
        first = arrays[0].dtype
        return first.name in dtypes and all(a.dtype == first for a in arrays[1:])

    def run(
        self,
        source: Source,
        name: str,
        arrays: Sequence[Array],
        dtype: Any,
        numbers: Sequence[Any] = (),
        out: Array = None,
    ) -> Array:
        """Run kernel *name*_each over *arrays*, broadcast, into an array of *dtype*."""
        xp = self.xp
        shape = np.broadcast_shapes(*[a.shape for a in arrays])
        y = out
        if out is None or out.dtype != dtype or out.shape != shape or self._overlaps(out, arrays):
            y = xp.empty(shape, dtype)
        if not y.size:
            return into(out, y)
        layout = self._layout(shape, y, arrays)
        if layout is None:  # more axes than the kernel steps through
            arrays = [xp.ascontiguousarray(xp.broadcast_to(a, shape)) for a in arrays]
            y = y if y.flags.c_contiguous else xp.empty(shape, dtype)
            layout = self._layout(shape, y, arrays)
        grid, block = over_elements(int(layout["runs"]))
        self.launcher.launch(source, f"{name}_each", grid, block, (*arrays, y, *numbers, layout))
        return into(out, y)

    def _overlaps(self, out: Array, arrays: Sequence[Array]) -> bool:
        return any(a is not out and self.xp.may_share_memory(a, out) for a in arrays)

    def _layout(self, shape: Shape, y: Array, arrays: Sequence[Array]) -> Any:
        key = tuple((a.shape, a.strides, a.itemsize) for a in (y, *arrays))
        return layout_of(shape, key, 16 // arrays[-1].itemsize)


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    elements = Elementwise(launcher, xp)
    served, run = elements.served, elements.run

    def plain(
        name: str, file: str, dtypes: Sequence[str], *arrays: Array, out: Array = None
    ) -> Any:
        if not served(arrays, dtypes):
            return by_reference(xp, name, arrays, {}, out)
        dtype = np.dtype(bool) if name in ASKING else arrays[0].dtype
        return run(Source(file, arrays[0].dtype.name), name, arrays, dtype, out=out)

    def scaled(
        name: str, file: str, *arrays: Array, out: Array = None, **attrs: Any
    ) -> Any:  # with one number
        (value,) = attrs.values()
        dtype = arrays[0].dtype
        fits = dtype.name in FLOATS or (file == "elementwise" and type(value) is int)
        if not fits or not served(arrays, NUMBERS):
            return by_reference(xp, name, arrays, attrs, out)
        number = ACCUMULATORS[dtype.name](value)
        return run(Source(file, dtype.name), name, arrays, dtype, (number,), out)

    def add_scaled(a: Array, b: Array, *, value: float = 1, out: Array = None) -> Any:
        return scaled("add_scaled", "elementwise", a, b, value=value, out=out)

    def addcmul(x: Array, a: Array, b: Array, *, value: float = 1, out: Array = None) -> Any:
        return scaled("addcmul", "elementwise", x, a, b, value=value, out=out)

    def addcdiv(x: Array, a: Array, b: Array, *, value: float = 1, out: Array = None) -> Any:
        return scaled("addcdiv", "functions", x, a, b, value=value, out=out)

    def lerp(start: Array, end: Array, *, weight: float, out: Array = None) -> Any:
        return scaled("lerp", "functions", start, end, weight=weight, out=out)

    def power_scalar(x: Array, scalar: float, out: Array = None) -> Any:
        return scaled("power_scalar", "functions", x, scalar=scalar, out=out)

    def clip(
        x: Array, min: float | None = None, max: float | None = None, out: Array = None
    ) -> Any:
        if not served([x], NUMBERS):
            return by_reference(xp, "clip", [x], {"min": min, "max": max}, out)
        number = ACCUMULATORS[x.dtype.name]
        low, high = (number(0 if limit is None else limit) for limit in (min, max))
        limits = np.int32((min is not None) + 2 * (max is not None))
        source = Source("elementwise", x.dtype.name)
        return run(source, "clip", [x], x.dtype, (low, high, limits), out)

    def gelu(x: Array, approximate: str = "none", out: Array = None) -> Any:
        if not served([x], FLOATS):
            return by_reference(xp, "gelu", [x], {"approximate": approximate}, out)
        name = "gelu" if approximate == "none" else "gelu_tanh"
        return run(Source("functions", x.dtype.name), name, [x], x.dtype, out=out)

    def gelu_gradient(g: Array, x: Array, approximate: str = "none", out: Array = None) -> Any:
        if not served([g, x], FLOATS):
            return by_reference(xp, "gelu_gradient", [g, x], {"approximate": approximate}, out)
        name = "gelu_gradient" if approximate == "none" else "gelu_tanh_gradient"
        return run(Source("functions", x.dtype.name), name, [g, x], x.dtype, out=out)

    def where(condition: Array, a: Array, b: Array, out: Array = None) -> Any:
        if condition.dtype != bool or not served([a, b], ANY):
            return by_reference(xp, "where", [condition, a, b], {}, out)
        source = Source("elementwise", a.dtype.name)
        return run(source, "where", [condition, a, b], a.dtype, out=out)

    def astype(x: Array, dtype: Any, out: Array = None) -> Any:
        dtype = np.dtype(dtype)
        if not served([x], ANY) or dtype.name not in ANY:
            return by_reference(xp, "astype", [x], {"dtype": dtype}, out)
        if dtype == x.dtype:
            return run(Source("elementwise", dtype.name), "copy", [x], dtype, out=out)
        return run(Source("cast", x.dtype.name), f"to_{dtype.name}", [x], dtype, out=out)

    special = (add_scaled, addcmul, addcdiv, lerp, power_scalar, clip, gelu, gelu_gradient, where)
    return {
        **{
            name: partial(plain, name, file, dtypes)
            for (file, dtypes), names in PLAIN.items()
            for name in names.split()
        },
        **{kernel.__name__: kernel for kernel in (*special, astype)},
    }
