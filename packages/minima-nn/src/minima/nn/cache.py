"""Keys and values of what was decoded before, so that each token goes through a model once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minima import Tensor, index_select, no_grad, zeros
from minima.autograd import is_grad_enabled
from minima.errors import ArgumentError, ShapeError

from .arguments import integer
from .module import Module

__all__ = ["KVCache"]


@dataclass
class _Slot:
    """The buffers of one layer, and how many tokens they hold."""

    keys: Tensor
    values: Tensor
    length: int = 0

    def held(self) -> tuple[Tensor, Tensor]:
        """Return views of what is there."""
        return self.keys[..., : self.length, :], self.values[..., : self.length, :]


class KVCache:
    """Room for the keys and values of at most *max_len* tokens in every layer that is given it.

    A layer takes its buffers, (N, heads, max_len, size), at its first call; each call writes its
    tokens behind those of the calls before and reads all in place: nothing is copied. Hand one
    cache to all layers of a model, which `TransformerEncoder`, `TransformerDecoder` and
    `Transformer` do, and start a new text with `reset`. Gradients do not flow through it.

    Raises: ArgumentError for more tokens than there is room for, or where keys need a gradient:
    decode under ``mi.no_grad()``; ShapeError for another number of samples, heads or features.

    >>> attention, cache = mi.nn.MultiheadAttention(8, 2, batch_first=True), mi.nn.KVCache(16)
    >>> x = mi.ones((1, 3, 8))
    >>> with mi.no_grad():
    ...     parts = [attention(t, t, t, cache=cache)[0] for t in (x[:, :2], x[:, 2:])]
    >>> cache.length, [y.shape for y in parts]
    (3, [(1, 2, 8), (1, 1, 8)])
    """

    def __init__(self, max_len: int) -> None:
        self.max_len = integer("KVCache", "max_len", max_len)
        self._slots: dict[Any, _Slot] = {}
        self._fixed: dict[Any, tuple[Tensor, Tensor]] = {}

    def __repr__(self) -> str:
        return f"KVCache(max_len={self.max_len}, length={self.length}, layers={len(self._slots)})"

    @property
    def length(self) -> int:
        """How many tokens all layers hold: the place of the next one."""
        return min((slot.length for slot in self._slots.values()), default=0)

    def length_of(self, owner: Module) -> int:
        """Return how many tokens the layer *owner* holds.

        >>> mi.nn.KVCache(4).length_of(mi.nn.Identity())
        0
        """
        slot = self._slots.get(owner)
        return 0 if slot is None else slot.length

    def append(self, owner: Module, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write *keys* and *values* of the layer *owner*; return all that it has.

        Shapes: (N, heads, T, size) -> (N, heads, all until now, size).

        >>> cache, layer, x = mi.nn.KVCache(4), mi.nn.Identity(), mi.ones((1, 2, 1, 3))
        >>> [cache.append(layer, x, x)[0].shape for _ in range(2)]
        [(1, 2, 1, 3), (1, 2, 2, 3)]
        """
        _check_no_gradient(keys, values)
        slot = self._slots.get(owner)
        if slot is None:
            room = [(*t.shape[:2], self.max_len, *t.shape[3:]) for t in (keys, values)]
            like: dict[str, Any] = {"dtype": keys.dtype, "device": keys.device}
            slot = self._slots[owner] = _Slot(zeros(room[0], **like), zeros(room[1], **like))
        for what, t, buffer in (("keys", keys, slot.keys), ("values", values, slot.values)):
            expected = (*buffer.shape[:2], keys.shape[2], *buffer.shape[3:])
            if t.shape != expected:
                raise ShapeError(
                    f"KVCache: {what} have shape {t.shape}; expected {expected} as in the calls "
                    "before; for another batch call reset()"
                )
        start, stop = slot.length, slot.length + keys.shape[2]
        if stop > self.max_len:
            raise ArgumentError(
                f"KVCache: max_len is {self.max_len}, and {stop} tokens have come; expected room "
                f"for them: KVCache({stop})"
            )
        with no_grad():
            slot.keys[:, :, start:stop] = keys.detach()
            slot.values[:, :, start:stop] = values.detach()
        slot.length = stop
        return slot.held()

    def keep(self, owner: Module, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep *keys* and *values* of the layer *owner*, which later calls get by `kept`.

        >>> cache, layer, x = mi.nn.KVCache(4), mi.nn.Identity(), mi.ones((1, 2, 1, 3))
        >>> cache.keep(layer, x, x)[0] is cache.kept(layer)[0]
        True
        """
        _check_no_gradient(keys, values)
        self._fixed[owner] = keys, values
        return keys, values

    def kept(self, owner: Module) -> tuple[Tensor, Tensor] | None:
        """Return what `keep` got for the layer *owner*, or None.

        >>> mi.nn.KVCache(4).kept(mi.nn.Identity())
        """
        return self._fixed.get(owner)

    def reorder(self, samples: Tensor) -> None:
        """Let sample i go on from what sample ``samples[i]`` holds, as beams in a search do.

        Shapes: samples (N,) integers. Raises: IndexRangeError for no sample.

        >>> cache, layer, x = mi.nn.KVCache(1), mi.nn.Identity(), mi.Tensor([1.0, 2.0])
        >>> keys, _ = cache.append(layer, x.reshape(2, 1, 1, 1), x.reshape(2, 1, 1, 1))
        >>> cache.reorder(mi.Tensor([1, 1]))
        >>> keys.reshape(2)
        Tensor([2., 2.])
        """
        with no_grad():
            for slot in self._slots.values():
                for part in slot.held():
                    if samples.shape != part.shape[:1]:
                        raise ShapeError(
                            f"KVCache: samples has shape {samples.shape}; expected "
                            f"{part.shape[:1]}, one for each sample"
                        )
                    part[:] = index_select(part, 0, samples)
            self._fixed = {
                owner: (index_select(k, 0, samples), index_select(v, 0, samples))
                for owner, (k, v) in self._fixed.items()
            }

    def reset(self) -> None:
        """Forget everything; the next call may bring another batch.

        >>> cache = mi.nn.KVCache(4)
        >>> _ = cache.append(mi.nn.Identity(), mi.ones((1, 1, 2, 3)), mi.ones((1, 1, 2, 3)))
        >>> cache.reset()
        >>> cache.length
        0
        """
        self._slots.clear()
        self._fixed.clear()


def _check_no_gradient(*tensors: Tensor) -> None:
    if is_grad_enabled() and any(t.requires_grad for t in tensors):
        raise ArgumentError(
            "KVCache: keys or values require a gradient; expected none, as under mi.no_grad(): a "
            "cache keeps no graph"
        )
