"""Multi-head attention."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from minima import (
    Tensor,
    arange,
    attention_weights,
    broadcast_to,
    concat,
    expand_dims,
    full,
    init,
    logical_not,
    permute_dims,
    project,
    scaled_dot_product_attention,
    where,
    zeros,
)
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError, ShapeError

from .arguments import check_floating, integer, real
from .functional.dropout import dropout as dropped
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
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output, and with *need_weights* the weights."""
        single = self._check(query, key, value)
        if single:
            axis = 0 if self.batch_first else 1
            query, key, value = (expand_dims(t, axis) for t in (query, key, value))
            if key_padding_mask is not None:
                key_padding_mask = expand_dims(key_padding_mask, 0)
        q, k, v = (self._heads(t) for t in self._projected(query, key, value))
        shape = (q.shape[0], self.num_heads, q.shape[2], k.shape[2])
        k, v = self._extended(k), self._extended(v, values=True)
        more = k.shape[2] - shape[3]
        if is_causal and more:  # what is appended is seen by all
            attn_mask = expand_dims(arange(shape[2], device=q.device), 1) < arange(
                shape[3], device=q.device
            )
            is_causal = False
        mask = self._mask(None if is_causal else attn_mask, key_padding_mask, shape, more)
        y, weights = self._attend(q, k, v, mask, need_weights, is_causal)
        n, length = shape[0], shape[2]
        order, lead = (
            ((0, 2, 1, 3), (n, length)) if self.batch_first else ((2, 0, 1, 3), (length, n))
        )
        rows = permute_dims(y, order).reshape((n * length, self.embed_dim))
        output = self.out_proj(rows).reshape((*lead, self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(axis=1)
        if single:
            return output[0 if self.batch_first else (slice(None), 0)], (
                None if weights is None else weights[0]
            )
        return output, weights

    # ---- parts of it -----------------------------------------------------------------------------
    def _projected(self, *inputs: Tensor) -> list[Tensor]:
        """Return query, key and value, projected."""
        size = self.embed_dim
        parts = [slice(i * size, (i + 1) * size) for i in range(3)]
        if self.in_proj_weight is not None:
            weights = [self.in_proj_weight[part] for part in parts]
        else:
            weights = [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight]
        bias = self.in_proj_bias
        return [
            project(x, weight, None if bias is None else bias[part])
            for x, weight, part in zip(inputs, weights, parts)
        ]

    def _heads(self, x: Tensor) -> Tensor:
        """Return x as (N, heads, L, features of a head)."""
        apart = x.reshape((*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads))
        return permute_dims(apart, (0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def _extended(self, x: Tensor, values: bool = False) -> Tensor:
        """Return keys, or *values*, with what is appended to them."""
        n, heads, _, size = x.shape
        parts = [x]
        bias = self.bias_v if values else self.bias_k
        if bias is not None:
            parts.append(broadcast_to(bias.reshape((1, heads, 1, size)), (n, heads, 1, size)))
        if self.add_zero_attn:
            parts.append(zeros((n, heads, 1, size), dtype=x.dtype, device=x.device))
        return concat(parts, axis=2) if len(parts) > 1 else x

    def _attend(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, need: bool, causal: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output of each head; its weights only where they are needed."""
        drops = self.training and self.dropout > 0.0
        if not need and not drops:
            return scaled_dot_product_attention(q, k, v, mask, causal=causal), None
        weights = attention_weights(q, k, mask, causal=causal)
        if drops:
            weights = dropped(weights, self.dropout)
        return weights @ v, weights if need else None

    def _mask(
        self,
        attn_mask: Tensor | None,
        padding: Tensor | None,
        shape: tuple[int, int, int, int],
        more: int,
    ) -> Tensor | None:
        """Return both masks as one: bools, True where a key takes part, or floats to add.

        *shape* is (N, heads, L, S); *more* keys after them are seen by all.
        """
        n, heads, length, keys = shape
        found = []
        if attn_mask is not None:
            _check_mask("attn_mask", attn_mask, (length, keys), (n * heads, length, keys))
            wide = shape if attn_mask.ndim == 3 else (1, 1, length, keys)
            found.append(attn_mask.reshape(wide))
        if padding is not None:
            _check_mask("key_padding_mask", padding, (n, keys))
            found.append(padding.reshape((n, 1, 1, keys)))
        if any(m.dtype.kind == "f" for m in found):
            found = [m if m.dtype.kind == "f" else where(m, float("-inf"), 0.0) for m in found]
        else:
            found = [logical_not(m) for m in found]
        if more:
            found = [_widened(m, more) for m in found]
        if len(found) < 2:
            return found[0] if found else None
        return found[0] & found[1] if found[0].dtype.kind == "b" else found[0] + found[1]

    def _check(self, query: Any, key: Any, value: Any) -> bool:
        """Raise unless sizes fit; say whether they are those of a single sample."""
        named = {"query": query, "key": key, "value": value}
        sizes = (self.embed_dim, self.kdim, self.vdim)
        for (what, x), size in zip(named.items(), sizes):
            check_floating("MultiheadAttention", what, x)
            if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
                layout = "(N, L, C)" if self.batch_first else "(L, N, C)"
                raise ShapeError(
                    f"MultiheadAttention: {what} has shape {x.shape}; expected {layout}, or (L, C) "
                    f"for a single sample, with C = {size}"
                )
        batch = 0 if self.batch_first else 1
        same = query.ndim == 2 or query.shape[batch] == key.shape[batch]
        if key.shape[:-1] != value.shape[:-1] or not same:
            raise ShapeError(
                f"MultiheadAttention: query has shape {query.shape}, key {key.shape}, value "
                f"{value.shape}; expected equal numbers of samples, and of keys and values"
            )
        return bool(query.ndim == 2)

    def extra_repr(self) -> str:
        """Return the sizes and options."""
        sizes = "" if self.in_proj_weight is not None else f", kdim={self.kdim}, vdim={self.vdim}"
        return (
            f"{self.embed_dim}, {self.num_heads}{sizes}, dropout={self.dropout:g}, "
            f"bias={self.in_proj_bias is not None}, batch_first={self.batch_first}"
        )


def _check_mask(name: str, mask: Any, *shapes: tuple[int, ...]) -> None:
    if not isinstance(mask, Tensor) or mask.dtype.kind not in "bf":
        kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise DTypeError(
            f"MultiheadAttention: {name} is of {kind}; expected a Tensor of bools, True where a "
            "key does not take part, or of floats to add"
        )
    if mask.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ShapeError(f"MultiheadAttention: {name} has shape {mask.shape}; expected {expected}")


def _widened(mask: Tensor, more: int) -> Tensor:
    """Return *mask* with *more* keys that take part."""
    seen = full(
        (*mask.shape[:-1], more),
        True if mask.dtype.kind == "b" else 0.0,
        dtype=mask.dtype,
        device=mask.device,
    )
    return concat([mask, seen], axis=-1)
