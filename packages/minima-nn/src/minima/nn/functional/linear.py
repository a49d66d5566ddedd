"""Products with weights, distances and attention, by PyTorch's names."""

from __future__ import annotations

from minima import (
    Generator,
    Tensor,
    attention_weights,
    broadcast_to,
    dropout,
    expand_dims,
    matmul,
    project,
)
from minima import cosine_similarity as cosine_along
from minima import one_hot as one_hot_of
from minima import pairwise_distance as distance
from minima import scaled_dot_product_attention as attention
from minima.amp import autocasts
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..arguments import check_floating, real

__all__ = [
    "bilinear",
    "cosine_similarity",
    "linear",
    "one_hot",
    "pairwise_distance",
    "scaled_dot_product_attention",
]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias.

    The weight lies as in PyTorch; that of `minima.nn.Linear` is its transpose.
    Shapes: input (*, I), weight (O, I), bias (O,) -> (*, O).
    Raises: ShapeError when sizes do not fit.

    >>> mi.nn.functional.linear(mi.Tensor([1.0, 2.0]), mi.Tensor([[3.0, 4.0]]))
    Tensor([11.])
    """
    return project(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return, for each output, input1 @ its matrix @ input2, plus bias.

    Shapes: input1 (*, I), input2 (*, J), weight (O, I, J), bias (O,) -> (*, O).
    Raises: ShapeError when sizes do not fit.

    >>> one = mi.Tensor([2.0])
    >>> mi.nn.functional.bilinear(one, one, mi.Tensor([[[3.0]]]))
    Tensor([12.])
    """
    for name, t in (("input1", input1), ("input2", input2)):
        check_floating("bilinear", name, t)
    o, i, j = weight.shape if weight.ndim == 3 else (0, 0, 0)
    lead = input1.shape[:-1]
    fits = weight.ndim == 3 and input1.ndim and input2.ndim and lead == input2.shape[:-1]
    if not fits or (input1.shape[-1], input2.shape[-1]) != (i, j):
        raise ShapeError(
            f"bilinear: input1 has shape {input1.shape}, input2 {input2.shape}, weight "
            f"{weight.shape}; expected (*, I), (*, J) and (O, I, J)"
        )
    if bias is not None and bias.shape != (o,):
        raise ShapeError(f"bilinear: bias has shape {bias.shape}; expected ({o},)")
    left = matmul(input1, weight.permute(1, 0, 2).reshape(i, o * j)).reshape(*lead, o, j)
    y = (left * expand_dims(input2, -2)).sum(axis=-1)
    return y if bias is None else y + bias


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return int64 rows with 1 at the place that *tensor* names, else 0.

    *num_classes* is one more than the largest number unless given.
    Shapes: (*) -> (*, num_classes). Raises: IndexRangeError, DTypeError; ArgumentError where
    there is no number to tell the classes.

    >>> mi.nn.functional.one_hot(mi.Tensor([1, 0]))
    Tensor([[0, 1],
            [1, 0]])
    """
    if tensor.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: tensor has dtype {tensor.dtype}; expected integers")
    if num_classes == -1:
        if not tensor.size:
            raise ArgumentError("one_hot: tensor is empty and num_classes -1; give num_classes")
        num_classes = int(tensor.max().item()) + 1
    return one_hot_of(tensor, num_classes, dtype="int64")


@autocasts("float32")
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return `minima.cosine_similarity` along the axis *dim*.

    >>> mi.nn.functional.cosine_similarity(mi.Tensor([[1.0, 0.0]]), mi.Tensor([[1.0, 1.0]]))
    Tensor([0.707107])
    """
    return cosine_along(x1, x2, dim, eps)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return `minima.pairwise_distance`.

    >>> a, b = mi.Tensor([[3.0, 4.0]]), mi.Tensor([[0.0, 0.0]])
    >>> mi.nn.functional.pairwise_distance(a, b, eps=0.0)
    Tensor([5.])
    """
    return distance(x1, x2, p, eps, keepdim)


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
    -> (*, L, D). Raises: ShapeError when sizes do not fit, DTypeError for a mask of integers.
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
