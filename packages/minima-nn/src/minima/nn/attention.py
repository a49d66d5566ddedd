"""Multi-head attention."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from minima import Tensor, init, permute_dims, where
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError

from .arguments import check_placed, integer, real
from .cache import KVCache
from .functional.attention import (
    attended,
    check_inputs,
    later,
    projected,
    split_heads,
    split_weights,
    with_batch,
)
from .linear import Linear
from .module import Module
from .parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attend from queries to keys with several heads, each on its part of the features.

    y = concat of softmax(q_h @ k_h.T / sqrt(embed_dim / num_heads)) @ v_h, projected by
    ``out_proj``. The projections of query, key and value are packed in ``in_proj_weight``
    (3 * embed_dim, embed_dim) and ``in_proj_bias``, or, where *kdim* or *vdim* differ, are
    ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight``, laid out as PyTorch has them.

    Masks are PyTorch's: bools are True where a key does **not** take part, floats are added.
    *is_causal* says that *attn_mask* is the causal one, which then need not be given and is not
    read. Where a query may see no key, its heads give 0. Weights are dropped with probability
    *dropout* in training. *add_bias_kv* appends a trained key and value, *add_zero_attn* zeros.
    *rotary*, a `RotaryEmbedding`, turns the queries and keys of each head by their places.

    With a `KVCache` the keys and values of the call join those of the calls before, and a query
    sees the keys up to its own place; a mask then speaks of all of them. With *static* those of
    the first call serve in all later ones, as attention to what does not change has it.

    Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim), the first two axes
    exchanged with batch_first, all without N for a single sample; attn_mask (L, S) or
    (N * num_heads, L, S), key_padding_mask (N, S) -> output as query, and the weights (N, L, S),
    averaged over the heads, or (N, num_heads, L, S); None without need_weights.
    Raises: ArgumentError when num_heads does not divide embed_dim, ShapeError when sizes differ.
    Source: Vaswani et al. 2017, section 3.2.2.

    >>> x = mi.ones((5, 2, 8))
    >>> y, weights = mi.nn.MultiheadAttention(8, 2)(x, x, x)
    >>> y.shape, weights.shape
    ((5, 2, 8), (2, 5, 5))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rotary: Module | None = None,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = "MultiheadAttention"
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        size = self.embed_dim = integer(name, "embed_dim", embed_dim)
        self.num_heads = integer(name, "num_heads", num_heads)
        if size % self.num_heads:
            raise ArgumentError(
                f"{name}: embed_dim is {size}, num_heads {self.num_heads}; expected heads that "
                "divide it"
            )
        self.dropout = real(name, "dropout", dropout, low=0.0, high=1.0)
        self.kdim = size if kdim is None else integer(name, "kdim", kdim)
        self.vdim = size if vdim is None else integer(name, "vdim", vdim)
        if rotary is not None and not isinstance(rotary, Module):
            raise DTypeError(
                f"{name}: rotary is {rotary!r}; expected a Module, as RotaryEmbedding(...), or None"
            )
        self.rotary = rotary
        self.batch_first, self.add_zero_attn = bool(batch_first), bool(add_zero_attn)

        def uniform(rows: int, columns: int) -> Parameter:
            return Parameter(init.xavier_uniform(columns, rows, shape=(rows, columns), **place))

        self.in_proj_weight = None
        if self.kdim == self.vdim == size:
            self.in_proj_weight = uniform(3 * size, size)
        else:
            self.q_proj_weight = uniform(size, size)
            self.k_proj_weight = uniform(size, self.kdim)
            self.v_proj_weight = uniform(size, self.vdim)
        self.in_proj_bias = Parameter(init.zeros(3 * size, **place)) if bias else None
        self.bias_k = self.bias_v = None
        if add_bias_kv:
            shape = (1, 1, size)
            self.bias_k, self.bias_v = (
                Parameter(init.xavier_normal(size, 1, shape=shape, **place)) for _ in range(2)
            )
        self.out_proj = Linear(size, size, bias=bias, **place)
        if self.out_proj.bias is not None:
            self.out_proj.bias = Parameter(init.zeros(size, **place))

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        cache: KVCache | None = None,
        static: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output, and with *need_weights* the weights."""
        name, first = "MultiheadAttention", self.batch_first
        sizes = (self.embed_dim, self.kdim, self.vdim)
        single = check_inputs(name, query, key, value, sizes, batch_first=first)
        given = {"query": query, "key": key, "value": value, "attn_mask": attn_mask}
        for what, x in {**given, "key_padding_mask": key_padding_mask}.items():
            if isinstance(x, Tensor):
                check_placed(name, what, x, self.out_proj.weight)
        if single:
            query, key, value, key_padding_mask = with_batch(
                query, key, value, key_padding_mask, 0 if first else 1
            )
        q, k, v = self._heads(query, key, value, cache, static)
        if cache is not None and not static:
            attn_mask, is_causal = self._causal(attn_mask, q, k)
        y, weights = attended(
            name,
            q,
            k,
            v,
            attn_mask,
            key_padding_mask,
            is_causal=is_causal,
            extra=(self.bias_k, self.bias_v, self.add_zero_attn),
            dropout_p=self.dropout if self.training else 0.0,
            need_weights=need_weights,
        )
        n, length = q.shape[0], q.shape[2]
        order, lead = ((0, 2, 1, 3), (n, length)) if first else ((2, 0, 1, 3), (length, n))
        rows = permute_dims(y, order).reshape((n * length, self.embed_dim))
        output = self.out_proj(rows).reshape((*lead, self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(axis=1)
        if single:
            return output[0 if first else (slice(None), 0)], (
                None if weights is None else weights[0]
            )
        return output, weights

    # ---- parts of it -----------------------------------------------------------------------------
    def _heads(
        self, query: Tensor, key: Tensor, value: Tensor, cache: KVCache | None, static: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries, and the keys and values that they may see, of each head."""
        weights = split_weights("MultiheadAttention", self.embed_dim, self.in_proj_weight)
        if self.in_proj_weight is None:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        kept = None if cache is None or not static else cache.kept(self)
        inputs = [query] if kept is not None else [query, key, value]
        parts = [
            split_heads(x, self.num_heads, self.batch_first)
            for x in projected(inputs, weights, self.in_proj_bias)
        ]
        offset = 0 if cache is None or static else cache.length_of(self)
        if self.rotary is not None:
            parts[:2] = [self.rotary(x, offset=offset) for x in parts[:2]]
        if kept is not None:
            return (parts[0], *kept)
        q, k, v = parts
        if cache is not None:
            k, v = cache.keep(self, k, v) if static else cache.append(self, k, v)
        return q, k, v

    def _causal(self, mask: Tensor | None, q: Tensor, k: Tensor) -> tuple[Tensor | None, bool]:
        """Return what hides the keys after each of the last queries, and whether it is causal."""
        length, keys = q.shape[2], k.shape[2]
        if mask is None and length in (1, keys):  # the last query sees all
            return None, length == keys
        unseen = later(length, keys, q.device, keys - length)
        if mask is None:
            return unseen, False
        if mask.dtype.kind == "b":
            return mask | unseen, False
        return where(unseen, float("-inf"), mask), False

    def extra_repr(self) -> str:
        """Return the sizes and options."""
        sizes = "" if self.in_proj_weight is not None else f", kdim={self.kdim}, vdim={self.vdim}"
        return (
            f"{self.embed_dim}, {self.num_heads}{sizes}, dropout={self.dropout:g}, "
            f"bias={self.in_proj_bias is not None}, batch_first={self.batch_first}"
        )
