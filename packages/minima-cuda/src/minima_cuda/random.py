"""Random numbers drawn on the GPU: Philox 4x32-10, a function of a seed and a position.

Word i of a stream is the same on every machine and however many are drawn at once, so a seed
repeats a run, and a state is two numbers.

Source: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from minima.devices import Kernel

from .families.dropout import stream_of
from .guard import Guard

__all__ = ["Source", "philox"]

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
_ROUNDS, _MASK, _NAME = 10, 0xFFFFFFFF, "philox4x32-10"


def philox(xp: Any, key: tuple[int, int], position: int, blocks: int) -> Any:
    """Return the uint32 words of *blocks* blocks of four, the first one with number *position*.

    >>> from minima_cuda.random import philox
    >>> [hex(word) for word in philox(np, (0, 0), 0, 1).tolist()]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    mask, word = np.uint64(_MASK), np.uint64(32)
    counter = xp.add(xp.arange(blocks, dtype=np.uint64), np.uint64(position & (2**64 - 1)))
    zero = xp.zeros(blocks, np.uint64)
    a, b, c, d = xp.bitwise_and(counter, mask), xp.right_shift(counter, word), zero, zero
    k0, k1 = key
    for _ in range(_ROUNDS):
        left = xp.multiply(a, np.uint64(_MULTIPLIERS[0]))
        right = xp.multiply(c, np.uint64(_MULTIPLIERS[1]))
        a = xp.bitwise_xor(xp.bitwise_xor(xp.right_shift(right, word), b), np.uint64(k0))
        c = xp.bitwise_xor(xp.bitwise_xor(xp.right_shift(left, word), d), np.uint64(k1))
        b, d = xp.bitwise_and(right, mask), xp.bitwise_and(left, mask)
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return xp.reshape(xp.astype(xp.stack([a, b, c, d], axis=1), np.uint32), (4 * blocks,))


class Source:
    """A stream of random numbers with the methods of ``numpy.random.Generator`` that minima uses.

    *seed*: a non-negative integer, or None for one from the operating system. *kernels* are those
    of `minima_cuda.families.dropout`, which draw the same numbers by one launch.
    """

    def __init__(
        self, guard: Guard, xp: Any, seed: int | None, kernels: Mapping[str, Kernel] | None = None
    ) -> None:
        self._guard, self._xp, self._kernels = guard, xp, kernels or {}
        first, second = np.random.SeedSequence(seed).generate_state(2, np.uint32).tolist()
        self._key, self._position = (first, second), 0

    @property
    def bit_generator(self) -> Source:
        """The source itself, which has the state."""
        return self

    @property
    def state(self) -> dict[str, Any]:
        """The state, of strings and whole numbers, so that JSON can hold it."""
        return {"generator": _NAME, "key": list(self._key), "position": self._position}

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        if state["generator"] != _NAME:
            raise ValueError(f"a state of {state['generator']!r}, not of {_NAME!r}")
        first, second = (int(word) for word in state["key"])
        position = int(state["position"])
        if not (0 <= first <= _MASK and 0 <= second <= _MASK and 0 <= position < 2**64):
            raise ValueError("a key or a position that is out of range")
        self._key, self._position = (first, second), position

    def random(self, size: tuple[int, ...], dtype: Any = np.float64) -> Any:
        """Return numbers from [0, 1): 24 random bits for float32, 53 for float64."""
        return self._guard.run("random", self._random, tuple(size), np.dtype(dtype))

    def standard_normal(self, size: tuple[int, ...], dtype: Any = np.float64) -> Any:
        """Return numbers from the normal distribution, by Box and Muller's method."""
        return self._guard.run("standard_normal", self._normal, tuple(size), np.dtype(dtype))

    def integers(self, low: int, high: int, size: tuple[int, ...]) -> Any:
        """Return int64 numbers from low, ..., high - 1.

        64 random bits modulo high - low: no number is more likely by more than its 2^-64th part
        times that width.
        """
        return self._guard.run("integers", self._integers, int(low), int(high), tuple(size))

    def bernoulli(self, size: tuple[int, ...], p: float) -> Any:
        """Return True with probability *p*: where a number that `random` draws is below it."""
        return self._guard.run("bernoulli", self._bernoulli, tuple(size), float(p))

    def reserve(self, words: int) -> Any:
        """Return the stream at the next *words* words, for the kernel ``dropout``; move past them.

        It is a struct Stream of dropout.cu, as two int64 numbers.
        """
        return self._guard.run("reserve", self._reserve, int(words))

    def permutation(self, n: int) -> Any:
        """Return 0, ..., n - 1 in random order."""
        return self._guard.run("permutation", self._permutation, int(n))

    # ---- on the current GPU ----------------------------------------------------------------------
    def _take(self, words: int) -> dict[str, Any]:
        """Return the key and the position of the next *words* words; move on by whole blocks."""
        at = {"key": self._key, "position": self._position}
        self._position = (self._position + -(-words // 4)) % 2**64
        return at

    def _words(self, count: int) -> Any:
        """Return *count* uint32 words."""
        at = self._take(count)
        return philox(self._xp, at["key"], at["position"], -(-count // 4))[:count]

    def _long_words(self, count: int) -> Any:
        """Return *count* uint64 words."""
        pairs = self._xp.astype(self._xp.reshape(self._words(2 * count), (count, 2)), np.uint64)
        high = self._xp.left_shift(pairs[:, 0], np.uint64(32))
        return self._xp.bitwise_or(high, pairs[:, 1])

    def _unit(self, count: int, dtype: Any) -> Any:
        """Return *count* numbers from [0, 1)."""
        if dtype.itemsize == 8:
            bits, scale = self._xp.right_shift(self._long_words(count), np.uint64(11)), 2.0**-53
        else:
            bits, scale = self._xp.right_shift(self._words(count), np.uint32(8)), 2.0**-24
        return self._xp.multiply(self._xp.astype(bits, dtype), dtype.type(scale))

    def _random(self, size: tuple[int, ...], dtype: Any) -> Any:
        if "random_uniform" in self._kernels:
            at = self._take(math.prod(size) * dtype.itemsize // 4)
            return self._kernels["random_uniform"](size, dtype, **at)
        return self._xp.reshape(self._unit(math.prod(size), dtype), size)

    def _normal(self, size: tuple[int, ...], dtype: Any) -> Any:
        xp, count, one = self._xp, math.prod(size), dtype.type(1)
        pairs = -(-count // 2)
        if "random_normal" in self._kernels:
            at = self._take(2 * pairs * dtype.itemsize // 4)
            return self._kernels["random_normal"](size, dtype, **at)
        unit = xp.reshape(self._unit(2 * pairs, dtype), (pairs, 2))
        radius = xp.sqrt(xp.multiply(xp.log(xp.subtract(one, unit[:, 0])), dtype.type(-2)))
        angle = xp.multiply(unit[:, 1], dtype.type(2 * math.pi))
        both = xp.stack([xp.multiply(radius, xp.cos(angle)), xp.multiply(radius, xp.sin(angle))], 1)
        return xp.reshape(xp.reshape(both, (2 * pairs,))[:count], size)

    def _integers(self, low: int, high: int, size: tuple[int, ...]) -> Any:
        if "random_integers" in self._kernels:
            at = self._take(2 * math.prod(size))
            return self._kernels["random_integers"](low, high, size, **at)
        words = self._long_words(math.prod(size))
        within = self._xp.astype(self._xp.remainder(words, np.uint64(high - low)), np.int64)
        return self._xp.reshape(self._xp.add(within, np.int64(low)), size)

    def _bernoulli(self, size: tuple[int, ...], p: float) -> Any:
        if "random_bernoulli" in self._kernels:
            at = self._take(math.prod(size))
            return self._kernels["random_bernoulli"](size, np.dtype(bool), p=p, **at)
        return self._xp.less(self._random(size, np.dtype(np.float32)), np.float32(p))

    def _reserve(self, words: int) -> Any:
        stream = stream_of(**self._take(words))
        return self._xp.array(np.frombuffer(stream.tobytes(), np.int64))

    def _permutation(self, n: int) -> Any:
        if "random_long_words" in self._kernels:
            words = self._kernels["random_long_words"](n, **self._take(2 * n))
        else:
            words = self._long_words(n)
        return self._xp.argsort(words, kind="stable")
