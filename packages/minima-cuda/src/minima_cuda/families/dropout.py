"""Random numbers and dropout, from a key and a position in its stream: one launch each.

The numbers are those of `minima_cuda.random.Source` at that position.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minima.devices import Kernel

from ..geometry import over_elements
from ..launch import Launcher
from ..sources import Source
from .fallback import ACCUMULATORS, FLOATS, into, room

__all__ = ["KERNELS", "stream_of"]

Array = Any
Key = tuple[int, int]
Shape = tuple[int, ...]

#: struct Stream of dropout.cu
STREAM = np.dtype([("position", np.uint64), ("keys", np.uint32, (2,))])
BLOCK_WORDS = 4  # words that one position of a stream has


def stream_of(key: Key, position: int) -> np.void:
    """Return the struct Stream.

    >>> stream_of((1, 2), 3).item()
    (3, array([1, 2], dtype=uint32))
    """
    found: Any = np.zeros((), STREAM)
    found["position"], found["keys"] = position % 2**64, key
    stream: np.void = found[()]
    return stream


def KERNELS(launcher: Launcher, xp: Any) -> dict[str, Kernel]:
    """Return name -> kernel.

    Those that draw take ``key``, two words, and ``position``, a block's number.
    """

    def drawn(
        name: str, y: Array, per_block: int, key: Key, position: int, *args: Any, dtype: str = ""
    ) -> Array:
        """Run kernel *name*, of which a thread makes *per_block* elements at a time, into y."""
        if y.size:
            grid, block = over_elements(-(-y.size // per_block))
            source = Source("dropout", dtype or y.dtype.name)
            numbers = (np.int64(y.size), *args, stream_of(key, position))
            launcher.launch(source, name, grid, block, (y, *numbers))
        return y

    def random_words(count: int, *, key: Key, position: int) -> Array:
        y = xp.empty((count,), np.uint32)
        return drawn("words", y, BLOCK_WORDS, key, position, dtype="float32")

    def random_long_words(count: int, *, key: Key, position: int) -> Array:
        y = xp.empty((count,), np.uint64)
        return drawn("long_words", y, 2, key, position, dtype="float32")

    def random_integers(low: int, high: int, shape: Shape, *, key: Key, position: int) -> Array:
        y = xp.empty(shape, np.int64)
        numbers = np.int64(low), np.uint64(high - low)
        return drawn("integers", y, 2, key, position, *numbers, dtype="float32")

    def random_uniform(shape: Shape, dtype: Any, *, key: Key, position: int) -> Array:
        y = xp.empty(shape, dtype)
        return drawn("uniform", y, BLOCK_WORDS if y.itemsize < 8 else 2, key, position)

    def random_normal(shape: Shape, dtype: Any, *, key: Key, position: int) -> Array:
        y = xp.empty(shape, dtype)
        return drawn("normal", y, BLOCK_WORDS if y.itemsize < 8 else 2, key, position)

    def random_bernoulli(
        shape: Shape, dtype: Any, *, p: float, key: Key, position: int, scale: float = 1.0
    ) -> Array:
        y = xp.empty(shape, dtype)
        numbers = np.float32(p), ACCUMULATORS[y.dtype.name](scale)
        return drawn("bernoulli", y, BLOCK_WORDS, key, position, *numbers)

    def dropout(x: Array, stream: Array, *, p: float, out: Array = None) -> Array:
        """*stream* is a struct Stream in the memory of the GPU, where a graph finds a new one."""
        if x.dtype.name not in FLOATS:
            raise TypeError(f"dropout: got {x.dtype}; expected a floating dtype")
        x = xp.ascontiguousarray(x)
        y = out if out is x else room(xp, out, x.shape, x.dtype, [x])
        if y.size:
            kept = 1.0 - p
            scale = ACCUMULATORS[x.dtype.name](1.0 / kept if kept else 0.0)
            args = (x, stream, y, np.int64(y.size), np.float32(kept), scale)
            grid, block = over_elements(-(-y.size // BLOCK_WORDS))
            launcher.launch(Source("dropout", x.dtype.name), "dropout", grid, block, args)
        return into(out, y)

    kernels = (
        random_words,
        random_long_words,
        random_integers,
        random_uniform,
        random_normal,
        random_bernoulli,
        dropout,
    )
    return {kernel.__name__: kernel for kernel in kernels}
