"""Attention: an average of values, weighted by how well keys fit queries."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .arithmetic import multiply, subtract
from .composition import differentiate_reference, flat, parts
from .linear_algebra import matmul
from .manipulation import transpose
from .reduction import sum
from .table import Array, operator

__all__ = ["attention_gradient", "attention_weights", "scaled_dot_product_attention"]


def _turned(xp: Any, x: Any) -> Any:
    """Return x with its last two axes exchanged."""
    return xp.permute_dims(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _prepare(
    name: str, q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, scale: float | None
) -> dict[str, Any]:
    """Check q, k and mask; return the attributes with the scale filled in."""
    lead = q.shape[:-2]
    if q.ndim < 2 or k.shape[:-2] != lead or k.ndim != q.ndim or k.shape[-1] != q.shape[-1]:
        raise ShapeError(
            f"{name}: got q {q.shape}, k {k.shape}; expected q (*, L, E) and k (*, S, E)"
        )
    if mask is not None:
        full = (*lead, q.shape[-2], k.shape[-2])
        fits = all(n in (1, m) for n, m in zip(mask.shape[::-1], full[::-1]))
        if mask.ndim > q.ndim or not fits:
            raise ShapeError(
                f"{name}: got a mask of shape {mask.shape}, which does not broadcast to {full}"
            )
        if mask.dtype.kind not in "bfV":
            raise DTypeError(
                f"{name}: got a mask of {mask.dtype}; expected bools, True where a key takes part, "
                "or floats to add"
            )
    if scale is None:
        scale = (q.shape[-1] or 1) ** -0.5
    return {"causal": bool(causal), "scale": float(scale)}


def _check_values(name: str, k: Tensor, v: Tensor) -> None:
    if v.ndim != k.ndim or v.shape[:-1] != k.shape[:-1]:
        raise ShapeError(
            f"{name}: got k {k.shape}, v {v.shape}; expected k (*, S, E) and v (*, S, D)"
        )


@operator(promotes=("q", "k"), floating=True, real=True)
def attention_weights(
    xp: Any,
    q: Array,
    k: Array,
    mask: Array = None,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Return softmax(q @ k.T * scale), over the keys that a query may see.

    *mask*: bools, True where a key takes part, or floats to add before softmax. With *causal*
    query i sees the keys 0 .. i. *scale* is 1 / sqrt(E) unless given. A query that sees no key
    has weights 0, and gradient 0.

    Shapes: q (*, L, E), k (*, S, E), mask broadcast to (*, L, S) -> (*, L, S). Dtype: as q and k.
    Raises: ShapeError when sizes differ, DTypeError for a mask of integers.

    >>> import minima as mi
    >>> mi.operators.attention_weights(mi.ones((2, 4)), mi.ones((2, 4)), causal=True)
    Tensor([[1. , 0. ],
            [0.5, 0.5]])
    """
    scores = xp.matmul(q * scale, _turned(xp, k))
    if not scores.size:
        return scores
    if mask is not None and mask.dtype.kind == "b":
        scores = xp.where(mask, scores, -xp.inf)
    elif mask is not None:
        scores = scores + xp.astype(mask, scores.dtype)
    if causal:
        rows, columns = (xp.arange(n) for n in scores.shape[-2:])
        scores = xp.where(columns <= xp.expand_dims(rows, axis=1), scores, -xp.inf)
    top = xp.max(scores, axis=-1, keepdims=True)
    e = xp.exp(scores - xp.where(xp.isfinite(top), top, 0.0))
    total = xp.sum(e, axis=-1, keepdims=True)
    return e / xp.where(total == 0.0, 1.0, total)


@attention_weights.prepare
def _(
    q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, scale: float | None
) -> dict[str, Any]:
    return _prepare("attention_weights", q, k, mask, causal, scale)


@attention_weights.gradient(saves="y q k")
def _(g: Tensor, y: Tensor, q: Tensor, k: Tensor, mask: Any, causal: bool, scale: float) -> Any:
    along = multiply(y, subtract(g, sum(multiply(g, y), -1, True)))
    slope = multiply(along, scale)
    return (
        lambda: matmul(slope, k),
        lambda: matmul(transpose(slope), q),
        None if mask is None or mask.dtype.kind == "b" else lambda: multiply(along, 1.0),
    )


@operator(promotes=("q", "k", "v"), floating=True, real=True)
def scaled_dot_product_attention(
    xp: Any,
    q: Array,
    k: Array,
    v: Array,
    mask: Array = None,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Return `attention_weights` of q and k, times v, without keeping the weights.

    On the cpu the weights exist for a few queries at a time, each with all keys that it sees; the
    gradient computes them again. Options, and queries that see no key, as in `attention_weights`.

    Shapes: q (*, L, E), k (*, S, E), v (*, S, D), mask broadcast to (*, L, S) -> (*, L, D).
    Raises: ShapeError when sizes differ, DTypeError for a mask of integers.
    Source: Vaswani et al. 2017; Rabe & Staats 2021, for the memory.

    >>> import minima as mi
    >>> q = mi.ones((2, 4))
    >>> mi.operators.scaled_dot_product_attention(q, q, mi.Tensor([[0.0], [4.0]]), causal=True)
    Tensor([[0.],
            [2.]])
    """
    weights = attention_weights.entry.reference(xp, q, k, mask, causal=causal, scale=scale)
    return xp.matmul(weights, v)


@scaled_dot_product_attention.prepare
def _(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool, scale: float | None
) -> dict[str, Any]:
    _check_values("scaled_dot_product_attention", k, v)
    return _prepare("scaled_dot_product_attention", q, k, mask, causal, scale)


@scaled_dot_product_attention.gradient(saves="q k v mask")
def _(g: Tensor, y: Any, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, **attrs: Any) -> Any:
    def of_mask() -> Tensor:
        weights = attention_weights(q, k, mask, **attrs)
        slope = matmul(g, transpose(v))
        return multiply(weights, subtract(slope, sum(multiply(slope, weights), -1, True)))

    shapes = [q.shape, k.shape, v.shape]
    found = parts(lambda: attention_gradient(g, q, k, v, mask, **attrs), shapes)
    return (*found, None if mask is None or mask.dtype.kind == "b" else of_mask)


@operator(promotes=("g", "q", "k", "v"), floating=True, real=True)
def attention_gradient(
    xp: Any,
    g: Array,
    q: Array,
    k: Array,
    v: Array,
    mask: Array = None,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Return the gradients of `scaled_dot_product_attention` with respect to q, k and v.

    Shapes: g (*, L, D), the rest as there -> one axis: the gradients of q, k and v, flattened,
    one after the other.

    >>> import minima as mi
    >>> q, v = mi.ones((2, 4)), mi.ones((2, 3))
    >>> mi.operators.attention_gradient(mi.ones((2, 3)), q, q, v).shape
    (22,)
    """
    weights = attention_weights.entry.reference(xp, q, k, mask, causal=causal, scale=scale)
    slope = xp.matmul(g, _turned(xp, v))
    slope = weights * (slope - xp.sum(slope * weights, axis=-1, keepdims=True)) * scale
    return flat(
        xp,
        xp.matmul(slope, k),
        xp.matmul(_turned(xp, slope), q),
        xp.matmul(_turned(xp, weights), g),
    )


@attention_gradient.prepare
def _(
    g: Tensor,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    mask: Tensor | None,
    causal: bool,
    scale: float | None,
) -> dict[str, Any]:
    _check_values("attention_gradient", k, v)
    expected = (*q.shape[:-1], *v.shape[-1:])
    if g.shape != expected:
        raise ShapeError(f"attention_gradient: got g of shape {g.shape}; expected {expected}")
    return _prepare("attention_gradient", q, k, mask, causal, scale)


differentiate_reference(attention_gradient)
