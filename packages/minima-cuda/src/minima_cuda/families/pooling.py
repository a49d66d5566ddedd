"""Pooling over windows of an image, forward and backward: one launch each."""

from __future__ import annotations

from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import WARP, over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import FLOATS, by_reference, into, room
from .windows import Pair, count_of, window_of

__all__ = ["KERNELS"]

Array = Any
Shape = tuple[int, ...]

HOW = ("kernel_size", "stride", "padding")
ORDERED = (*FLOATS, "int32", "int64", "uint8")


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""

    def launch(name: str, arrays: Any, y: Array, numbers: Any, threads: int = 1) -> Array:
        """Run kernel *name* over the elements of y, unless there are none."""
        if y.size:
            count = y.size * threads
            args = (*map(xp.ascontiguousarray, arrays), y, np.int64(y.size), *numbers)
            source = Source("pooling", y.dtype.name)
            launcher.launch(source, name, *over_elements(count), args)
        return y

    def max_pool2d(
        x: Array,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = (0, 0),
        out: Array = None,
    ) -> Array:
        how = (kernel_size, stride or kernel_size, padding)
        if x.dtype.name not in ORDERED or not x.size:
            return by_reference(xp, "max_pool2d", [x], dict(zip(HOW, how)), out)
        count = count_of(x.shape[2:], *how)
        y = room(xp, out, (*x.shape[:2], *count), x.dtype, [x])
        window = window_of(x.shape[2:], count, *how)
        return into(out, launch("max_pool2d", [x], y, [window]))

    def max_pool2d_gradient(
        g: Array,
        x: Array,
        y: Array,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = (0, 0),
        out: Array = None,
    ) -> Array:
        how = (kernel_size, stride or kernel_size, padding)
        if g.dtype.name not in FLOATS or not g.dtype == x.dtype == y.dtype:
            attrs = dict(zip(HOW, how))
            return by_reference(xp, "max_pool2d_gradient", [g, x, y], attrs, out)
        found = room(xp, out, x.shape, g.dtype, [g, x, y])
        window = window_of(x.shape[2:], g.shape[2:], *how)
        return into(out, launch("max_pool2d_gradient", [g, x, y], found, [window]))

    def first_largest(x: Array, out: Array = None) -> Array:
        if x.dtype.name not in FLOATS:
            return by_reference(xp, "first_largest", [x], {}, out)
        n, c, kh, kw, oh, ow = x.shape
        y = room(xp, out, x.shape, x.dtype, [x])
        if y.size:
            numbers = [np.int64(k) for k in (n * c * oh * ow, oh * ow, kh * kw)]
            args = (xp.ascontiguousarray(x), y, *numbers)
            source = Source("pooling", x.dtype.name)
            launcher.launch(source, "first_largest", *over_elements(n * c * oh * ow), args)
        return into(out, y)

    def avg_pool2d(
        x: Array,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = (0, 0),
        *,
        count_include_pad: bool = True,
        out: Array = None,
    ) -> Array:
        how = (kernel_size, stride or kernel_size, padding)
        if x.dtype.name not in FLOATS:
            attrs = dict(zip(HOW, how), count_include_pad=count_include_pad)
            return by_reference(xp, "avg_pool2d", [x], attrs, out)
        count = count_of(x.shape[2:], *how)
        y = room(xp, out, (*x.shape[:2], *count), x.dtype, [x])
        numbers = [window_of(x.shape[2:], count, *how), np.int32(count_include_pad)]
        return into(out, launch("avg_pool2d", [x], y, numbers))

    def avg_pool2d_gradient(
        g: Array,
        shape: Shape,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = (0, 0),
        *,
        count_include_pad: bool = True,
        out: Array = None,
    ) -> Array:
        how = (kernel_size, stride or kernel_size, padding)
        if g.dtype.name not in FLOATS:
            attrs = dict(zip(HOW, how), shape=shape, count_include_pad=count_include_pad)
            return by_reference(xp, "avg_pool2d_gradient", [g], attrs, out)
        y = room(xp, out, tuple(shape), g.dtype, [g])
        numbers = [window_of(tuple(shape[2:]), g.shape[2:], *how), np.int32(count_include_pad)]
        return into(out, launch("avg_pool2d_gradient", [g], y, numbers))

    def adaptive_avg_pool2d(x: Array, output_size: Pair, out: Array = None) -> Array:
        if x.dtype.name not in FLOATS:
            return by_reference(xp, "adaptive_avg_pool2d", [x], {"output_size": output_size}, out)
        y = room(xp, out, (*x.shape[:2], *output_size), x.dtype, [x])
        window = window_of(x.shape[2:], tuple(output_size))
        if x.size >= WARP * y.size:  # elements of a window, about
            return into(out, launch("adaptive_avg_pool2d_by_warp", [x], y, [window], WARP))
        return into(out, launch("adaptive_avg_pool2d_by_thread", [x], y, [window]))

    def adaptive_avg_pool2d_gradient(g: Array, shape: Shape, out: Array = None) -> Array:
        if g.dtype.name not in FLOATS:
            return by_reference(xp, "adaptive_avg_pool2d_gradient", [g], {"shape": shape}, out)
        y = room(xp, out, tuple(shape), g.dtype, [g])
        window = window_of(tuple(shape[2:]), g.shape[2:])
        return into(out, launch("adaptive_avg_pool2d_gradient", [g], y, [window]))

    return {
        kernel.__name__: kernel
        for kernel in (
            max_pool2d,
            max_pool2d_gradient,
            first_largest,
            avg_pool2d,
            avg_pool2d_gradient,
            adaptive_avg_pool2d,
            adaptive_avg_pool2d_gradient,
        )
    }
