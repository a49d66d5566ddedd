"""Softmax, log softmax, cross entropy and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minima.devices import Kernel
from minima.operators.indexing import check_range

from ..geometry import Geometry, blocks
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room
from .reductions import Reductions, axes_of

__all__ = ["KERNELS", "capturing", "held", "runs_of"]

Array = Any
Shape = tuple[int, ...]

WARP = 32
SHORT, MEDIUM = 128, 1024  # elements of a row that a warp holds in registers
BLOCK = 256
FEW = 16  # elements of a column that are left to one thread


def runs_of(shape: Shape, axes: Shape) -> tuple[int, int, int] | None:
    """Return *shape* as (outer, length, inner), length over *axes*; None unless they adjoin.

    >>> runs_of((2, 3, 4, 5), (1, 2)), runs_of((2, 3, 4), (0, 2))
    ((2, 12, 5), None)
    """
    if not axes or axes[-1] - axes[0] != len(axes) - 1:
        return None
    return prod(shape[: axes[0]]), prod(shape[a] for a in axes), prod(shape[axes[-1] + 1 :])


def held(rows: int, length: int) -> tuple[str, Geometry]:
    """Return which kernel takes rows of *length*, and its grid: see softmax.cu and norms.cu.

    >>> held(1000, 128), held(10, 5000)
    (('short', Geometry(grid=(250,), block=(32, 4))), ('long', Geometry(grid=(10,), block=(512,))))
    """
    if length <= MEDIUM:
        name = "short" if length <= SHORT else "medium"
        return name, Geometry((blocks(rows, 4),), (WARP, 4))
    return "long", Geometry((blocks(rows, 1),), (512,))


def across(columns: int, length: int) -> Geometry:
    """Return a grid with a thread to a column, or eight where columns are long."""
    height = 8 if length > FEW else 1
    return Geometry((blocks(columns, BLOCK // height),), (BLOCK // height, height))


def capturing(xp: Any) -> bool:
    """Say whether what is launched now goes into a CUDA graph, where nothing can be waited for.

    >>> capturing(np)
    False
    """
    return hasattr(xp, "cuda") and bool(xp.cuda.get_current_stream().is_capturing())


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    reductions = Reductions(launcher, xp)

    def over_runs(
        name: str, arrays: Sequence[Array], runs: tuple[int, int, int], given: Any, y: Array
    ) -> Array:
        """Run kernel *name* over *arrays* (and *given*) seen as (outer, length, inner), into y."""
        outer, length, inner = runs
        sizes: tuple[Any, ...] = (np.int64(outer * inner), np.int64(length))
        if inner == 1:
            form, (grid, block) = held(outer, length)
        else:
            form, (grid, block) = "columns", across(outer * inner, length)
            sizes = (*sizes, np.int64(inner))
        source = Source("softmax", y.dtype.name)
        launcher.launch(source, f"{name}_{form}", grid, block, (*arrays, *given, y, *sizes))
        return y

    def soften(name: str, arrays: Sequence[Array], axis: Any, attrs: Any, out: Array) -> Array:
        x = arrays[0]
        dtypes = {a.dtype for a in arrays}
        same = len(dtypes) == 1 and all(a.shape == x.shape for a in arrays)
        if not same or x.dtype.name not in FLOATS or not x.size or not x.ndim:
            return by_reference(xp, name, arrays, attrs, out)
        axes = axes_of(axis, x.ndim)
        runs = runs_of(x.shape, axes)
        if runs is not None:
            arrays = [xp.ascontiguousarray(a) for a in arrays]
            y = room(xp, out, x.shape, x.dtype, arrays)
            return into(out, over_runs(name, arrays, runs, (), y))
        order = [i for i in range(x.ndim) if i not in axes] + list(axes)
        arrays = [xp.ascontiguousarray(xp.transpose(a, order)) for a in arrays]
        y = xp.empty(arrays[0].shape, x.dtype)
        length = prod(x.shape[a] for a in axes)
        over_runs(name, arrays, (x.size // length, length, 1), (), y)
        y = xp.ascontiguousarray(xp.transpose(y, [order.index(i) for i in range(x.ndim)]))
        return into(out, y)

    def softmax(x: Array, axis: Any = -1, out: Array = None) -> Array:
        return soften("softmax", [x], axis, {"axis": axis}, out)

    def log_softmax(x: Array, axis: int = -1, out: Array = None) -> Array:
        return soften("log_softmax", [x], axis, {"axis": axis}, out)

    def softmax_gradient(g: Array, y: Array, axis: Any = -1, out: Array = None) -> Array:
        return soften("softmax_gradient", [g, y], axis, {"axis": axis}, out)

    def classes_of(logits: Array) -> tuple[int, int, int]:
        axis = 1 if logits.ndim > 1 else 0
        return prod(logits.shape[:axis]), logits.shape[axis], prod(logits.shape[axis + 1 :])

    def cross_entropy(
        logits: Array,
        targets: Array,
        *,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        out: Array = None,
    ) -> Array:
        attrs: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        attrs["ignore_index"] = ignore_index
        if logits.dtype.name not in FLOATS or not logits.size:
            return by_reference(xp, "cross_entropy", [logits, targets], attrs, out)
        outer, classes, inner = classes_of(logits)
        kept = None if ignore_index is None else targets != ignore_index
        if kept is not None:
            targets = xp.where(kept, targets, xp.zeros_like(targets))
        if not capturing(xp):  # else what replays it has checked
            check_range("cross_entropy", xp, targets, classes)
        accumulator = ACCUMULATORS[logits.dtype.name]
        losses = xp.empty(targets.shape, accumulator)
        args: tuple[Any, ...] = (
            xp.ascontiguousarray(logits),
            xp.ascontiguousarray(targets.astype(np.int64)),
            losses,
            np.int64(outer * inner),
            np.int64(classes),
            accumulator(1.0 - label_smoothing),
            accumulator(label_smoothing / classes),
        )
        source = Source("softmax", logits.dtype.name)
        if inner == 1:
            block = (WARP, BLOCK // WARP) if classes <= MEDIUM else (BLOCK, 1)
            grid = (blocks(outer, block[1]),)
            launcher.launch(source, "cross_entropy_rows", grid, block, args)
        else:
            geometry, args = across(outer * inner, classes), (*args, np.int64(inner))
            launcher.launch(source, "cross_entropy_columns", *geometry, args)
        if kept is not None:
            losses = xp.where(kept, losses, xp.zeros_like(losses))
        if kept is not None and reduction == "mean":
            losses = xp.sum(losses) / xp.sum(kept).astype(accumulator)
        elif reduction != "none":
            summed, axes = xp.empty((), accumulator), tuple(range(targets.ndim))
            file, name = ("moments", "mean") if reduction == "mean" else ("reductions", "sum")
            losses = reductions.run(file, name, [losses], axes, summed, targets.size)
        same = losses.dtype == logits.dtype
        return into(out, losses if same else losses.astype(logits.dtype))

    def cross_entropy_gradient(
        g: Array,
        logits: Array,
        targets: Array,
        *,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        ignore_index: int | None = None,
        out: Array = None,
    ) -> Array:
        attrs: dict[str, Any] = {"reduction": reduction, "label_smoothing": label_smoothing}
        attrs["ignore_index"] = ignore_index
        if logits.dtype.name not in FLOATS or g.dtype != logits.dtype:
            return by_reference(xp, "cross_entropy_gradient", [g, logits, targets], attrs, out)
        if not logits.size:
            return into(out, xp.empty(logits.shape, logits.dtype))
        if ignore_index is not None:  # each sample has a slope of its own: that of some is 0
            kept = targets != ignore_index
            if reduction == "mean":
                g = g / xp.sum(kept).astype(g.dtype)
            g, reduction = xp.where(kept, g, xp.zeros_like(g)), "none"
        runs = classes_of(logits)
        arrays = [
            xp.ascontiguousarray(g),
            xp.ascontiguousarray(logits),
            xp.ascontiguousarray(targets.astype(np.int64)),
        ]
        accumulator = ACCUMULATORS[logits.dtype.name]
        numbers = (
            np.int32(reduction == "none"),
            accumulator(1.0 / targets.size if reduction == "mean" else 1.0),
            accumulator(1.0 - label_smoothing),
            accumulator(label_smoothing / runs[1]),
        )
        y = room(xp, out, logits.shape, logits.dtype, arrays)
        return into(out, over_runs("cross_entropy_gradient", arrays, runs, numbers, y))

    kernels = (softmax, log_softmax, softmax_gradient, cross_entropy, cross_entropy_gradient)
    return {kernel.__name__: kernel for kernel in kernels}
