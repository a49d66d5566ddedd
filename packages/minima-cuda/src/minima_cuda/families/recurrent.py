"""LSTM and GRU: a product of matrices and one launch of our own for each step."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room
from .reductions import Reductions

__all__ = ["KERNELS"]

Array = Any
Shape = tuple[int, ...]


def _cut(flat: Array, *shapes: Shape) -> list[Array]:
    """Return views of *flat* as arrays of *shapes*, one after the other."""
    found, start = [], 0
    for shape in shapes:
        found.append(flat[start : start + prod(shape)].reshape(shape))
        start += prod(shape)
    return found


def _length(*shapes: Shape) -> int:
    return sum(map(prod, shapes))


def _served(*arrays: Array) -> bool:
    """Say whether *arrays* are floating, of one dtype, and none is empty."""
    first = arrays[0].dtype
    return first.name in FLOATS and all(a.dtype == first and a.size for a in arrays)


class _Steps:
    """Launches the kernels of recurrent.cu for states of one size and type."""

    def __init__(self, launcher: Launcher, state: Array, steps: int) -> None:
        self.launcher, self.dtype = launcher, state.dtype
        self.count = state.size
        self.sizes = np.int64(steps * state.size), np.int64(state.size), np.int64(state.shape[1])

    def run(self, name: str, at: int, *args: Any) -> None:
        """Run step *at*."""
        self.launch(name, *args, np.int64(at), *self.sizes)

    def launch(self, name: str, *args: Any) -> None:
        """Launch kernel *name* with a thread to an element of a state."""
        grid, block = over_elements(self.count)
        self.launcher.launch(Source("recurrent", self.dtype.name), name, grid, block, args)


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    reductions = Reductions(launcher, xp)

    def ready(*arrays: Array) -> Sequence[Array]:
        return [xp.ascontiguousarray(a) for a in arrays]

    def product(slopes: Array, first: Array, states: Array, of_weight: Array) -> None:
        """Write the sum over all steps of slopes.T @ the state before the step to *of_weight*."""
        rows = (len(slopes) * slopes.shape[1], -1)
        before = xp.empty((len(slopes), *first.shape), first.dtype)
        before[0] = first
        before[1:] = states[:-1]
        xp.matmul(slopes.reshape(rows).T, before.reshape(rows), out=of_weight)

    def lstm(gates: Array, h: Array, c: Array, weight: Array, out: Array = None) -> Array:
        if not _served(gates, h, c, weight):
            return by_reference(xp, "lstm", (gates, h, c, weight), {}, out)
        gates, h, c, weight = ready(gates, h, c, weight)
        y = room(xp, out, (6, len(gates), *h.shape), h.dtype, (gates, h, c, weight))
        z, turned = xp.empty(gates.shape[1:], h.dtype), weight.T
        steps = _Steps(launcher, h, len(gates))
        for t in range(len(gates)):
            xp.matmul(h, turned, out=z)
            steps.run("lstm_step", t, z, gates[t], c, y)
            h, c = y[0, t], y[1, t]
        return into(out, y)

    def lstm_gradient(
        g: Array, y: Array, h: Array, c: Array, weight: Array, out: Array = None
    ) -> Array:
        if not _served(g, y, h, c, weight):
            return by_reference(xp, "lstm_gradient", (g, y, h, c, weight), {}, out)
        g, y, h, c, weight = ready(g, y, h, c, weight)
        count = y.shape[1]
        shapes = (count, len(h), weight.shape[0]), h.shape, c.shape, weight.shape
        found = room(xp, out, (_length(*shapes),), y.dtype, (g, y, h, c, weight))
        slopes, of_h, of_c, of_weight = _cut(found, *shapes)
        of_h[...] = 0
        through = xp.zeros(c.shape, ACCUMULATORS[y.dtype.name])
        steps = _Steps(launcher, h, count)
        for t in reversed(range(count)):
            steps.run("lstm_gradient_step", t, g, y, c, of_h, through, slopes[t])
            xp.matmul(slopes[t], weight, out=of_h)
        of_c[...] = through
        product(slopes, h, y[0], of_weight)
        return into(out, found)

    def gru(gates: Array, h: Array, weight: Array, bias: Array = None, out: Array = None) -> Array:
        arrays = [a for a in (gates, h, weight, bias) if a is not None]
        if not _served(*arrays):
            return by_reference(xp, "gru", (gates, h, weight, bias), {}, out)
        gates, h, weight = ready(gates, h, weight)
        added = weight if bias is None else xp.ascontiguousarray(bias)
        y = room(xp, out, (5, len(gates), *h.shape), h.dtype, arrays)
        z, turned = xp.empty(gates.shape[1:], h.dtype), weight.T
        biased = np.int32(bias is not None)
        steps = _Steps(launcher, h, len(gates))
        for t in range(len(gates)):
            xp.matmul(h, turned, out=z)
            args = (z, added, gates[t], h, y, biased)
            steps.run("gru_step", t, *args)
            h = y[0, t]
        return into(out, y)

    def gru_gradient(g: Array, y: Array, h: Array, weight: Array, out: Array = None) -> Array:
        if not _served(g, y, h, weight):
            return by_reference(xp, "gru_gradient", (g, y, h, weight), {}, out)
        g, y, h, weight = ready(g, y, h, weight)
        count = y.shape[1]
        shapes = (count, len(h), weight.shape[0]), h.shape, weight.shape, weight.shape[:1]
        found = room(xp, out, (_length(*shapes),), y.dtype, (g, y, h, weight))
        slopes, of_h, of_weight, of_bias = _cut(found, *shapes)
        inner = xp.empty(slopes.shape, y.dtype)
        through = xp.zeros(h.shape, y.dtype)
        direct = xp.zeros(h.shape, ACCUMULATORS[y.dtype.name])
        steps = _Steps(launcher, h, count)
        for t in reversed(range(count)):
            args = (g, y, h, through, direct, slopes[t], inner[t])
            steps.run("gru_gradient_step", t, *args)
            xp.matmul(inner[t], weight, out=through)
        steps.launch("join", through, direct, of_h, np.int64(h.size))
        product(inner, h, y[0], of_weight)
        reductions.run("reductions", "sum", [inner], (0, 1), of_bias, 1)
        return into(out, found)

    kernels = (lstm, lstm_gradient, gru, gru_gradient)
    return {kernel.__name__: kernel for kernel in kernels}
