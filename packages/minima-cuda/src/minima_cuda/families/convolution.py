"""Convolution, whose windows are read where they lie, and windows as arrays."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import GRID_LIMITS, over_elements
from ..launch import Launcher
from ..sources import Source
from .depthwise import Depthwise
from .fallback import ACCUMULATORS, FLOATS, by_reference, into, room
from .windows import WINDOW, Pair, count_of, window_of

__all__ = ["KERNELS", "Convolutions"]

Array = Any
Shape = tuple[int, ...]

#: struct Convolution of convolution.cu
CONVOLUTION = np.dtype(
    [
        ("window", WINDOW),
        ("images", np.int32),
        ("groups", np.int32),
        ("channels", np.int32),
        ("outputs", np.int32),
    ]
)
#: the attributes of a convolution, and what windows have of them
PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": 1}
HOW = ("kernel", "stride", "padding", "dilation")
BLOCK = (16, 16)
DEPTH = 16  # a multiple of what a block of any tile steps through at once
SMALL, LARGE = 64, 128  # rows and columns of a tile
ENOUGH_TILES = 256  # large ones, to fill any GPU
ENOUGH_BLOCKS = 1024  # more parts of a gradient would only be more to add up
LEAST_OF_PART = 512  # windows, of all images, that are worth a part of their own


def same(*arrays: Array) -> bool:
    """Say whether *arrays* are of one floating type that kernels serve."""
    first = arrays[0].dtype
    return first.name in FLOATS and all(a is None or a.dtype == first for a in arrays)


def tiles(rows: int, columns: int, side: int) -> int:
    """Return how many tiles of *side* x *side* cover a matrix.

    >>> tiles(65, 10, 64)
    2
    """
    return -(-rows // side) * -(-columns // side)


class Convolutions:
    """Launches convolution.cu on arrays of *xp*, all of one type and contiguous."""

    def __init__(self, launcher: Launcher, xp: Any) -> None:
        self.launcher, self.xp = launcher, xp

    def forward(self, x: Array, weight: Array, bias: Array, y: Array, attrs: Any) -> None:
        """Convolve x with weight into y."""
        size = self._struct(x.shape, weight.shape, y.shape, **attrs)
        extra = (weight if bias is None else bias, y, size, np.int32(bias is not None))
        columns = x.shape[0] * prod(y.shape[2:])
        self._multiply("forward", (x, weight, *extra), size, "outputs", columns)

    def input_gradient(self, g: Array, weight: Array, y: Array, attrs: Any) -> None:
        """Give the gradient g of an output back to the input, y."""
        size = self._struct(y.shape, weight.shape, g.shape, **attrs)
        stride = attrs["stride"]
        columns = y.shape[0] * prod(-(-n // s) for n, s in zip(y.shape[2:], stride))
        args = (g, weight, y, size)
        self._multiply("input_gradient", args, size, "channels", columns, prod(stride))

    def weight_gradient(self, x: Array, g: Array, y: Array, attrs: Any) -> None:
        """Write the gradient of the weight, y; its order of additions is that of the shapes."""
        size = self._struct(x.shape, y.shape, g.shape, **attrs)
        depth, columns = g.shape[0] * prod(g.shape[2:]), prod(y.shape[1:])
        of_one = tiles(int(size["outputs"]), columns, SMALL) * attrs["groups"]
        many = max(1, min(ENOUGH_BLOCKS // of_one, -(-depth // LEAST_OF_PART)))
        length = max(1, -(-depth // (many * DEPTH))) * DEPTH
        many = max(1, -(-depth // length))
        number = ACCUMULATORS[y.dtype.name]
        straight = many == 1 and y.dtype == number
        parts = y if straight else self.xp.empty((many, *y.shape), number)
        args = (x, g, parts, size, np.int64(length))
        self._multiply("weight_gradient", args, size, "outputs", columns, many)
        if not straight:
            source = Source("convolution", y.dtype.name)
            numbers = (np.int64(y.size), np.int64(many))
            self.launcher.launch(source, "sum_parts", *over_elements(y.size), (parts, y, *numbers))

    def _struct(
        self,
        x: Shape,
        weight: Shape,
        y: Shape,
        stride: Pair,
        padding: Pair,
        dilation: Pair,
        groups: int,
    ) -> Any:
        window = window_of(x[2:], y[2:], weight[2:], stride, padding, dilation)
        of_group = weight[1], weight[0] // groups
        return np.array((window, x[0], groups, *of_group), CONVOLUTION)[()]

    def _multiply(
        self, name: str, args: Any, size: Any, rows: str, columns: int, batch: int = 1
    ) -> None:
        dtype, batch = args[0].dtype.name, batch * int(size["groups"])
        side, defines = self._tile(int(size[rows]), columns, batch, dtype)
        grid = tiles(int(size[rows]), columns, side) * batch
        if grid > GRID_LIMITS[0]:
            raise MemoryError(f"convolution {name}: {grid} tiles; a GPU takes {GRID_LIMITS[0]}")
        source = Source("convolution", dtype, defines)
        self.launcher.launch(source, f"convolution_{name}", (grid,), BLOCK, args)

    @staticmethod
    def _tile(rows: int, columns: int, batch: int, dtype: str) -> tuple[int, Any]:
        """Return the side of a tile, and the macros for it."""
        fits = rows > SMALL and tiles(rows, columns, LARGE) * batch >= ENOUGH_TILES
        if fits and dtype != "float64":
            return LARGE, (("TILE", str(LARGE)),)
        return SMALL, ()


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return operator name -> kernel."""
    many, single = Convolutions(launcher, xp), Depthwise(launcher, xp)

    def windows(
        x: Array,
        kernel: Pair,
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        dilation: Pair = (1, 1),
        fill: float = 0.0,
        out: Array = None,
    ) -> Array:
        how = (kernel, stride, padding, dilation)
        if not same(x):
            return by_reference(xp, "windows", [x], dict(zip(HOW, how), fill=fill), out)
        count = count_of(x.shape[2:], *how)
        y = room(xp, out, (*x.shape[:2], *kernel, *count), x.dtype, [x])
        if y.size:
            number = ACCUMULATORS[x.dtype.name](fill)
            window = window_of(x.shape[2:], count, *how)
            args = (xp.ascontiguousarray(x), y, np.int64(y.size), window, number)
            source = Source("windows", x.dtype.name)
            launcher.launch(source, "windows_forward", *over_elements(y.size), args)
        return into(out, y)

    def windows_gradient(
        x: Array,
        shape: Shape,
        stride: Pair = (1, 1),
        padding: Pair = (0, 0),
        dilation: Pair = (1, 1),
        out: Array = None,
    ) -> Array:
        how = (stride, padding, dilation)
        if not same(x):
            attrs = dict(zip(HOW[1:], how), shape=shape)
            return by_reference(xp, "windows_gradient", [x], attrs, out)
        y = room(xp, out, tuple(shape), x.dtype, [x])
        if y.size:
            window = window_of(tuple(shape[2:]), x.shape[4:], x.shape[2:4], *how)
            args = (xp.ascontiguousarray(x), y, np.int64(y.size), window)
            source = Source("windows", x.dtype.name)
            launcher.launch(source, "windows_gradient", *over_elements(y.size), args)
        return into(out, y)

    def convolved(
        name: str, arrays: list[Array], shape: Shape, weight: Shape, attrs: Any, out: Array
    ) -> Array:
        """Return an array of *shape* into which the pass *name* of a convolution writes."""
        y = room(xp, out, shape, arrays[0].dtype, arrays)
        if y.size:
            of = single if attrs["groups"] > 1 and weight[1] == 1 else many
            given = [a if a is None else xp.ascontiguousarray(a) for a in arrays]
            getattr(of, name)(*given, y, attrs)
        return into(out, y)

    def conv2d(
        x: Array, weight: Array, bias: Array = None, *, out: Array = None, **attrs: Any
    ) -> Array:
        attrs = PLAIN | attrs
        if not same(x, weight, bias):
            return by_reference(xp, "conv2d", [x, weight, bias], attrs, out)
        count = count_of(x.shape[2:], weight.shape[2:], *(attrs[how] for how in HOW[1:]))
        shape = x.shape[0], weight.shape[0], *count
        return convolved("forward", [x, weight, bias], shape, weight.shape, attrs, out)

    def conv2d_input_gradient(
        x: Array, weight: Array, shape: Shape, *, out: Array = None, **attrs: Any
    ) -> Array:
        attrs, shape = PLAIN | attrs, tuple(shape)
        if not same(x, weight):
            attrs["shape"] = shape
            return by_reference(xp, "conv2d_input_gradient", [x, weight], attrs, out)
        return convolved("input_gradient", [x, weight], shape, weight.shape, attrs, out)

    def conv2d_weight_gradient(
        x: Array, g: Array, shape: Shape, *, out: Array = None, **attrs: Any
    ) -> Array:
        attrs, shape = PLAIN | attrs, tuple(shape)
        if not same(x, g):
            attrs["shape"] = shape
            return by_reference(xp, "conv2d_weight_gradient", [x, g], attrs, out)
        return convolved("weight_gradient", [x, g], shape, shape, attrs, out)

    kernels = (windows, windows_gradient, conv2d, conv2d_input_gradient, conv2d_weight_gradient)
    return {kernel.__name__: kernel for kernel in kernels}
