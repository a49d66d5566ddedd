"""Layer and batch normalisation and their gradients.

Statistics are over the last axes (rows), or over all but one run of axes (channels), as in batch
normalisation while training and in group normalisation; all else runs the reference kernel.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from minima.devices import Kernel

from ..geometry import blocks, over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room
from .reductions import Reductions, axes_of
from .softmax import held

__all__ = ["KERNELS", "Form", "form_of"]

Array = Any
Shape = tuple[int, ...]

WARP = 32
BLOCK = 256
ENOUGH_BLOCKS = 1024
LEAST_ROWS = 64  # of an array that are worth a block of their own


class Form(NamedTuple):
    """An array as kernels take it: (outer, channels, inner), rows where channels lie inside."""

    rows: bool
    outer: int
    channels: int
    inner: int
    varying: Shape  # the axes along which weight and bias may vary


def form_of(shape: Shape, axes: Shape) -> Form | None:
    """Return how to take an array with statistics over *axes*; None where no kernel does.

    >>> form_of((2, 3, 4), (1, 2))[:4], form_of((2, 3, 4), (0, 2))[:4], form_of((2, 3, 4), (1,))
    ((True, 2, 12, 1), (False, 2, 3, 4), None)
    """
    kept = tuple(i for i in range(len(shape)) if i not in axes)
    if axes and axes == tuple(range(len(kept), len(shape))):
        return Form(True, prod(shape[: len(kept)]), prod(shape[len(kept) :]), 1, axes)
    if not kept or not axes or kept[-1] - kept[0] != len(kept) - 1:
        return None
    outer, channels = prod(shape[: kept[0]]), prod(shape[i] for i in kept)
    return Form(False, outer, channels, prod(shape[kept[-1] + 1 :]), kept)


def own_shape(form: Form, shape: Shape, of_vector: Shape) -> Shape | None:
    """Return the shape of a weight along the axes where it may vary; None if it varies elsewhere.

    >>> own_shape(form_of((2, 3, 4), (0, 2)), (2, 3, 4), (3, 1))
    (3,)
    """
    full = (1,) * (len(shape) - len(of_vector)) + of_vector
    if any(n != 1 for i, n in enumerate(full) if i not in form.varying):
        return None
    return tuple(full[i] for i in form.varying)


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    reductions = Reductions(launcher, xp)

    def vector(form: Form, x: Array, v: Array) -> Array:
        """Return weight or bias as (channels,); None if it does not fit the form."""
        found = own_shape(form, x.shape, v.shape)
        if found is None:
            return None
        full = tuple(x.shape[i] for i in form.varying)
        return xp.ascontiguousarray(xp.broadcast_to(v.reshape(found), full)).reshape(-1)

    def affine(form: Form | None, x: Array, *vectors: Array) -> Any:
        """Return weight and bias (x in place of one that is absent) and bits of which are there.

        None where x or one of them does not fit the kernels.
        """
        given = [v for v in vectors if v is not None]
        plain = all(v.dtype == x.dtype for v in given) and x.dtype.name in FLOATS and x.size
        if form is None or not plain:
            return None
        flat = [x if v is None else vector(form, x, v) for v in vectors]
        if any(v is None for v in flat):
            return None
        return (*flat, np.int32(sum((v is not None) << i for i, v in enumerate(vectors))))

    def moments(x: Array, axes: Shape, count: int, eps: float, name: str = "moments") -> Array:
        y = xp.empty((2, count), ACCUMULATORS[x.dtype.name])
        return reductions.run("moments", name, [x], axes, y, eps)

    def number(x: Array, value: float) -> Any:
        return ACCUMULATORS[x.dtype.name](value)

    def each_row(name: str, form: Form, arrays: Any, y: Array, eps: float) -> Array:
        length, (grid, block) = held(form.outer, form.channels)
        sizes = (np.int64(form.outer), np.int64(form.channels), number(y, eps))
        source = Source("norms", y.dtype.name)
        launcher.launch(source, f"{name}_{length}", grid, block, (*arrays, y, *sizes))
        return y

    def each_channel(name: str, form: Form, arrays: Any, y: Array, *numbers: Any) -> Array:
        sizes = (np.int64(y.size), np.int64(form.channels), np.int64(form.inner))
        source = Source("norms", y.dtype.name)
        launcher.launch(source, name, *over_elements(y.size), (*arrays, y, *sizes, *numbers))
        return y

    def layer_norm(
        x: Array,
        weight: Array = None,
        bias: Array = None,
        *,
        axes: Any = -1,
        eps: float = 1e-5,
        out: Array = None,
    ) -> Array:
        axes = axes_of(axes, x.ndim)
        form = form_of(x.shape, axes)
        x = xp.ascontiguousarray(x)
        factors = affine(form, x, weight, bias)
        if form is None or factors is None:
            attrs = {"axes": axes, "eps": eps}
            return by_reference(xp, "layer_norm", [x, weight, bias], attrs, out)
        y = room(xp, out, x.shape, x.dtype, [x, weight, bias])
        if form.rows:
            return into(out, each_row("layer_norm", form, (x, *factors), y, eps))
        arrays = (x, moments(x, axes, form.channels, eps), *factors)
        return into(out, each_channel("normalise_channels", form, arrays, y))

    def layer_norm_gradient(
        g: Array,
        x: Array,
        weight: Array = None,
        *,
        axes: Any = -1,
        eps: float = 1e-5,
        out: Array = None,
    ) -> Array:
        axes = axes_of(axes, x.ndim)
        form = form_of(x.shape, axes)
        g, x = xp.ascontiguousarray(g), xp.ascontiguousarray(x)
        factors = affine(form, x, weight) if g.dtype == x.dtype and g.shape == x.shape else None
        if form is None or factors is None:
            attrs = {"axes": axes, "eps": eps}
            return by_reference(xp, "layer_norm_gradient", [g, x, weight], attrs, out)
        y = room(xp, out, x.shape, x.dtype, [g, x, weight])
        if form.rows:
            return into(out, each_row("layer_norm_gradient", form, (g, x, *factors), y, eps))
        slopes = xp.empty((4, form.channels), ACCUMULATORS[x.dtype.name])
        reductions.run("moments", "slopes", [x, g], axes, slopes, eps)
        arrays = (g, x, slopes, *factors)
        return into(out, each_channel("channels_gradient", form, arrays, y))

    def layer_norm_affine_gradient(
        g: Array,
        x: Array,
        shape: Shape,
        *,
        axes: Any = -1,
        eps: float = 1e-5,
        out: Array = None,
    ) -> Array:
        axes = axes_of(axes, x.ndim)
        form = form_of(x.shape, axes)
        alike = g.dtype == x.dtype and g.shape == x.shape and x.dtype.name in FLOATS and x.size
        full = None if form is None else tuple(x.shape[i] for i in form.varying)
        if form is None or not alike or own_shape(form, x.shape, shape) != full:
            attrs = {"shape": shape, "axes": axes, "eps": eps}
            return by_reference(xp, "layer_norm_affine_gradient", [g, x], attrs, out)
        g, x = xp.ascontiguousarray(g), xp.ascontiguousarray(x)
        y = room(xp, out, (2, *shape), x.dtype, [g, x])
        if form.rows:
            return into(out, affine_of_rows(g, x, form, axes, eps, y))
        return into(out, reductions.run("moments", "affine", [x, g], axes, y, eps))

    def affine_of_rows(g: Array, x: Array, form: Form, axes: Shape, eps: float, y: Array) -> Array:
        rows, length = form.outer, form.channels
        across = blocks(length, WARP)
        parts = max(1, min(ENOUGH_BLOCKS // across, -(-rows // LEAST_ROWS)))
        chunk = -(-rows // parts)
        parts = -(-rows // chunk)
        statistics = moments(x, axes, rows, eps)
        partial = xp.empty((2 * statistics.itemsize * length * parts,), np.uint8)
        source = Source("norms", x.dtype.name)
        sizes = (np.int64(rows), np.int64(length), np.int64(chunk))
        block = (WARP, BLOCK // WARP)
        args: tuple[Any, ...] = (g, x, statistics, partial, *sizes)
        launcher.launch(source, "layer_norm_affine_parts", (across, parts), block, args)
        grid = (blocks(length, BLOCK // WARP),)
        args = (partial, y, np.int64(length), np.int64(parts))
        launcher.launch(source, "layer_norm_affine_finish", grid, block, args)
        return y

    def batch_norm(
        x: Array,
        mean: Array,
        var: Array,
        weight: Array = None,
        bias: Array = None,
        *,
        eps: float = 1e-5,
        out: Array = None,
    ) -> Array:
        form = Form(False, x.shape[0], x.shape[1], prod(x.shape[2:]), (1,))
        given = [v for v in (x, mean, var, weight, bias) if v is not None]
        if x.dtype.name not in FLOATS or not x.size or any(v.dtype != x.dtype for v in given):
            return by_reference(xp, "batch_norm", [x, mean, var, weight, bias], {"eps": eps}, out)
        x = xp.ascontiguousarray(x)
        vectors = [x if v is None else xp.ascontiguousarray(v) for v in (mean, var, weight, bias)]
        bits = np.int32((weight is not None) + 2 * (bias is not None))
        y = room(xp, out, x.shape, x.dtype, [x, *vectors])
        arrays = (x, *vectors, bits)
        return into(out, each_channel("batch_norm", form, arrays, y, number(x, eps)))

    kernels = (layer_norm, layer_norm_gradient, layer_norm_affine_gradient, batch_norm)
    return {kernel.__name__: kernel for kernel in kernels}
