"""Convolution of each channel by itself."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..geometry import BLOCK, GRID_LIMITS, over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS
from .windows import window_of

__all__ = ["Depthwise"]

Array = Any
Shape = tuple[int, ...]

TAPS = 9  # of depthwise.cu
ENOUGH_BLOCKS = 1024  # to fill any GPU; more parts would only be more to add up
LEAST_OF_PART = 4096  # windows, of all images, that are worth a part of their own


class Depthwise:
    """Launches depthwise.cu on arrays of *xp*, all of one type and contiguous."""

    def __init__(self, launcher: Launcher, xp: Any) -> None:
        self.launcher, self.xp = launcher, xp

    def forward(self, x: Array, weight: Array, bias: Array, y: Array, attrs: Any) -> None:
        """Convolve each channel of x with its own part of weight into y."""
        sizes = self._sizes(x.shape, weight.shape, y.shape, attrs)
        given = (x, weight, weight if bias is None else bias, y, np.int64(y.size))
        self._launch("forward", y.size, (*given, *sizes, np.int32(bias is not None)))

    def input_gradient(self, g: Array, weight: Array, y: Array, attrs: Any) -> None:
        """Give the gradient g of an output back to the input, y."""
        sizes = self._sizes(y.shape, weight.shape, g.shape, attrs)
        self._launch("input_gradient", y.size, (g, weight, y, np.int64(y.size), *sizes))

    def weight_gradient(self, x: Array, g: Array, y: Array, attrs: Any) -> None:
        """Write the gradient of the weight, y; its order of additions is that of the shapes."""
        window, *counts = self._sizes(x.shape, y.shape, g.shape, attrs)
        blocks = y.shape[0] * -(-prod(y.shape[2:]) // TAPS)
        depth = g.shape[0] * prod(g.shape[2:])
        many = max(1, min(ENOUGH_BLOCKS // blocks, -(-depth // LEAST_OF_PART)))
        length = -(-depth // many)
        number = ACCUMULATORS[y.dtype.name]
        straight = many == 1 and y.dtype == number
        parts = y if straight else self.xp.empty((many, *y.shape), number)
        args = (x, g, parts, window, np.int32(x.shape[0]), *counts, np.int64(length))
        source, grid = Source("depthwise", y.dtype.name), blocks * many
        if grid > GRID_LIMITS[0]:
            raise MemoryError(f"depthwise weight_gradient: {grid} blocks; {GRID_LIMITS[0]} fit")
        self.launcher.launch(source, "depthwise_weight_gradient", (grid,), (BLOCK,), args)
        if not straight:
            args = (parts, y, np.int64(y.size), np.int64(many))
            source = Source("convolution", y.dtype.name)
            self.launcher.launch(source, "sum_parts", *over_elements(y.size), args)

    def _sizes(self, x: Shape, weight: Shape, y: Shape, attrs: Any) -> tuple[Any, ...]:
        how = (attrs[name] for name in ("stride", "padding", "dilation"))
        window = window_of(x[2:], y[2:], weight[2:], *how)
        return window, np.int32(x[1]), np.int32(weight[0] // x[1])

    def _launch(self, name: str, count: int, args: Any) -> None:
        source = Source("depthwise", args[0].dtype.name)
        self.launcher.launch(source, f"depthwise_{name}", *over_elements(count), args)
