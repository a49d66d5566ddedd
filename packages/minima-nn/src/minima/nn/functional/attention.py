"""Attention: of one head or many, with masks, and the whole of a layer by its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minima import (
    Generator,
    Tensor,
    arange,
    attention_weights,
    broadcast_to,
    concat,
    dropout,
    expand_dims,
    full,
    logical_not,
    matmul,
    permute_dims,
    project,
    where,
    zeros,
)
from minima import scaled_dot_product_attention as attention
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..arguments import check_floating, real

__all__ = ["multi_head_attention_forward", "scaled_dot_product_attention"]

Shape = tuple[int, ...]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return softmax(query @ key.T * scale) @ value, over the keys that a query may see.

    *attn_mask*: bools, True where a key takes part, or floats to add before softmax. With
    *is_causal* query i sees the keys 0 .. i. *scale* is 1 / sqrt(E) unless given. *dropout_p* is
    the probability with which a weight is set to 0. With *enable_gqa* several heads of the query,
    on axis -3, share one of the keys and values. A query that sees no key gives 0.

    Shapes: query (*, L, E), key (*, S, E), value (*, S, D), attn_mask broadcast to (*, L, S)
    -> (*, L, D). Raises: ShapeError when sizes do not fit, DTypeError for a mask of integers,
    ArgumentError for a mask beside *is_causal*.
    Source: Vaswani et al. 2017.

    >>> q = mi.ones((2, 4))
    >>> value = mi.Tensor([[0.0], [4.0]])
    >>> mi.nn.functional.scaled_dot_product_attention(q, q, value, is_causal=True)
    Tensor([[0.],
            [2.]])
    """
    name = "scaled_dot_product_attention"
    p = real(name, "dropout_p", dropout_p, low=0.0, high=1.0)
    for argument, t in (("query", query), ("key", key), ("value", value)):
        check_floating(name, argument, t)
    if is_causal and attn_mask is not None:
        raise ArgumentError(
            f"{name}: is_causal is True and attn_mask has shape {attn_mask.shape}; expected one of "
            "the two: write the causal part into attn_mask itself"
        )
    if enable_gqa:
        key, value = _shared("key", query, key), _shared("value", query, value)
    if not p:
        return attention(query, key, value, attn_mask, causal=is_causal, scale=scale)
    weights = attention_weights(query, key, attn_mask, causal=is_causal, scale=scale)
    return matmul(dropout(weights, p, generator=generator), value)


def _shared(argument: str, query: Tensor, t: Tensor) -> Tensor:
    """Return *t* with each head as often as there are heads of the query for it."""
    heads = query.shape[-3] if query.ndim > 2 else 0
    if t.ndim < 3 or not t.shape[-3] or heads % t.shape[-3]:
        raise ShapeError(
            f"scaled_dot_product_attention: query has shape {query.shape}, {argument} {t.shape}; "
            "expected heads, on axis -3, of the query that are a multiple of the others"
        )
    *lead, own, size, features = t.shape
    wide = broadcast_to(expand_dims(t, -3), (*lead, own, heads // own, size, features))
    return wide.reshape(*lead, heads, size, features)


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return what `minima.nn.MultiheadAttention` gives with these weights, and its weights.

    All lie as in PyTorch: *out_proj_weight* (E, E) is the transpose of ``out_proj.weight`` of the
    layer. *static_k* and *static_v* (N * num_heads, S, E / num_heads) stand in for the projected
    keys and values.

    Shapes: query (L, N, E), key (S, N, kdim), value (S, N, vdim), or all without N -> (L, N, E),
    and weights (N, L, S), or (N, num_heads, L, S) unless averaged; None without *need_weights*.
    Raises: ShapeError, DTypeError or ArgumentError where sizes, types or options do not fit.
    Source: Vaswani et al. 2017, section 3.2.2.

    >>> x, w = mi.ones((3, 2, 4)), mi.ones((12, 4))
    >>> y, weights = mi.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 4, 2, w, None, None, None, False, 0.0, w[:4], None
    ... )
    >>> y.shape, weights.shape
    ((3, 2, 4), (2, 3, 3))
    """
    name, size = "multi_head_attention_forward", embed_dim_to_check
    if num_heads < 1 or size % num_heads:
        raise ArgumentError(
            f"{name}: embed_dim_to_check is {size}, num_heads {num_heads}; expected heads that "
            "divide it"
        )
    weights = split_weights(name, size, in_proj_weight)
    if use_separate_proj_weight:
        weights = [q_proj_weight, k_proj_weight, v_proj_weight]
    if any(w is None for w in weights):
        what = "q_, k_, v_proj_weight" if use_separate_proj_weight else "in_proj_weight"
        raise ArgumentError(f"{name}: {what} is None; expected a Tensor")
    sizes: Any = [w.shape[-1] for w in weights if w is not None]
    single = check_inputs(name, query, key, value, sizes, batch_first=False)
    if single:
        query, key, value, key_padding_mask = with_batch(query, key, value, key_padding_mask, 1)
    q, k, v = (
        split_heads(t, num_heads) for t in projected([query, key, value], weights, in_proj_bias)
    )
    if static_k is not None:
        k = static_k.reshape((q.shape[0], num_heads, *static_k.shape[-2:]))
    if static_v is not None:
        v = static_v.reshape((q.shape[0], num_heads, *static_v.shape[-2:]))
    y, found = attended(
        name, q, k, v, attn_mask, key_padding_mask,
        is_causal=is_causal, extra=(bias_k, bias_v, add_zero_attn),
        dropout_p=dropout_p if training else 0.0, need_weights=need_weights,
    )  # fmt: skip
    rows = permute_dims(y, (2, 0, 1, 3)).reshape((query.shape[0] * query.shape[1], size))
    output = project(rows, out_proj_weight, out_proj_bias).reshape((*query.shape[:2], size))
    if found is not None and average_attn_weights:
        found = found.mean(axis=1)
    if single:
        return output[:, 0], None if found is None else found[0]
    return output, found


# ---- parts, of the layer too ---------------------------------------------------------------------
def check_inputs(
    name: str, query: Any, key: Any, value: Any, sizes: Sequence[int], *, batch_first: bool
) -> bool:
    """Raise unless sizes fit; say whether they are those of a single sample."""
    named = {"query": query, "key": key, "value": value}
    for (what, x), size in zip(named.items(), sizes, strict=True):
        check_floating(name, what, x)
        if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
            layout = "(N, L, C)" if batch_first else "(L, N, C)"
            raise ShapeError(
                f"{name}: {what} has shape {x.shape}; expected {layout}, or (L, C) for a single "
                f"sample, with C = {size}"
            )
    batch = 0 if batch_first else 1
    same = query.ndim == 2 or query.shape[batch] == key.shape[batch]
    if key.shape[:-1] != value.shape[:-1] or not same:
        raise ShapeError(
            f"{name}: query has shape {query.shape}, key {key.shape}, value {value.shape}; "
            "expected equal numbers of samples, and of keys and values"
        )
    return bool(query.ndim == 2)


def with_batch(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, axis: int
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Return the inputs of a single sample as those of a batch of one, on *axis*."""
    q, k, v = (expand_dims(t, axis) for t in (query, key, value))
    return q, k, v, None if padding is None else expand_dims(padding, 0)


def split_weights(name: str, size: int, packed: Tensor | None) -> list[Tensor | None]:
    """Return the parts of in_proj_weight: of query, key and value."""
    if packed is None:
        return [None] * 3
    if packed.shape != (3 * size, size):
        raise ShapeError(
            f"{name}: in_proj_weight has shape {packed.shape}; expected {(3 * size, size)}"
        )
    return [packed[i * size : (i + 1) * size] for i in range(3)]


def projected(
    inputs: Sequence[Tensor], weights: Sequence[Any], bias: Tensor | None
) -> list[Tensor]:
    """Return query, key and value, each times its weights, plus its part of *bias*."""
    found = []
    for i, (x, weight) in enumerate(zip(inputs, weights)):
        size = weight.shape[0]
        found.append(project(x, weight, None if bias is None else bias[i * size : (i + 1) * size]))
    return found


def split_heads(x: Tensor, heads: int, batch_first: bool = False) -> Tensor:
    """Return x as (N, heads, L, features of a head)."""
    apart = x.reshape((*x.shape[:2], heads, x.shape[2] // heads))
    return permute_dims(apart, (0, 2, 1, 3) if batch_first else (1, 2, 0, 3))


def attended(
    name: str,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attn_mask: Tensor | None,
    padding: Tensor | None,
    *,
    is_causal: bool,
    extra: tuple[Tensor | None, Tensor | None, bool] = (None, None, False),
    dropout_p: float = 0.0,
    need_weights: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """Return the output of each head (N, heads, L, size), and its weights where they are needed.

    *extra*: what is appended to the keys, to the values, and whether zeros are.
    """
    shape = (q.shape[0], q.shape[1], q.shape[2], k.shape[2])
    bias_k, bias_v, zero = extra
    k, v = _extended(k, bias_k, zero), _extended(v, bias_v, zero)
    more = k.shape[2] - shape[3]
    if is_causal and more:  # what is appended is seen by all
        attn_mask = later(shape[2], shape[3], q.device)
        is_causal = False
    mask = _merged(name, None if is_causal else attn_mask, padding, shape, more)
    if not need_weights and not dropout_p:
        return attention(q, k, v, mask, causal=is_causal), None
    weights = attention_weights(q, k, mask, causal=is_causal)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return matmul(weights, v), weights if need_weights else None


def later(queries: int, keys: int, device: Any, first: int = 0) -> Tensor:
    """Return (queries, keys), True where a key comes after the query; they begin at *first*."""
    at = arange(first, first + queries, device=device)
    return expand_dims(at, 1) < arange(keys, device=device)


def _extended(x: Tensor, bias: Tensor | None, zero: bool) -> Tensor:
    """Return keys or values with what is appended to them."""
    n, heads, _, size = x.shape
    parts = [x]
    if bias is not None:
        parts.append(broadcast_to(bias.reshape((1, heads, 1, size)), (n, heads, 1, size)))
    if zero:
        parts.append(zeros((n, heads, 1, size), dtype=x.dtype, device=x.device))
    return concat(parts, axis=2) if len(parts) > 1 else x


def _merged(
    name: str, attn_mask: Tensor | None, padding: Tensor | None, shape: Shape, more: int
) -> Tensor | None:
    """Return both masks as one: bools, True where a key takes part, or floats to add.

    *shape* is (N, heads, L, S); *more* keys after them are seen by all.
    """
    n, heads, length, keys = shape
    found = []
    if attn_mask is not None:
        _check_mask(name, "attn_mask", attn_mask, (length, keys), (n * heads, length, keys))
        wide = shape if attn_mask.ndim == 3 else (1, 1, length, keys)
        found.append(attn_mask.reshape(wide))
    if padding is not None:
        _check_mask(name, "key_padding_mask", padding, (n, keys))
        found.append(padding.reshape((n, 1, 1, keys)))
    if any(m.dtype.kind != "b" for m in found):
        found = [m if m.dtype.kind != "b" else where(m, float("-inf"), 0.0) for m in found]
    else:
        found = [logical_not(m) for m in found]
    if more:
        found = [_widened(m, more) for m in found]
    if len(found) < 2:
        return found[0] if found else None
    return found[0] & found[1] if found[0].dtype.kind == "b" else found[0] + found[1]


def _check_mask(name: str, argument: str, mask: Any, *shapes: Shape) -> None:
    if not isinstance(mask, Tensor) or mask.dtype.kind not in "bfV":
        kind = mask.dtype if isinstance(mask, Tensor) else type(mask).__name__
        raise DTypeError(
            f"{name}: {argument} is of {kind}; expected a Tensor of bools, True where a key does "
            "not take part, or of floats to add"
        )
    if mask.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ShapeError(f"{name}: {argument} has shape {mask.shape}; expected {expected}")


def _widened(mask: Tensor, more: int) -> Tensor:
    """Return *mask* with *more* keys that take part."""
    value = True if mask.dtype.kind == "b" else 0.0
    shape = (*mask.shape[:-1], more)
    return concat([mask, full(shape, value, dtype=mask.dtype, device=mask.device)], axis=-1)
