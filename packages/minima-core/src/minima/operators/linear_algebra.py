"""Products of matrices."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .complex import conjugated
from .manipulation import expand_dims, reshape, transpose
from .table import Array, operator

__all__ = ["linear", "matmul", "project"]


@operator
def matmul(xp: Any, a: Array, b: Array) -> Any:
    """Multiply matrices; leading axes are batches and broadcast, vectors get an axis for the while.

    Shapes: a (*, n, k), b (*, k, m) -> (*, n, m); a (k) or b (k) lose that axis in the result.
    Dtype: the promoted one. Raises: ShapeError when the inner sizes differ.

    >>> import minima as mi
    >>> mi.matmul(mi.Tensor([[1.0, 2.0]]), mi.Tensor([[3.0], [4.0]]))
    Tensor([[11.]])
    """
    return xp.matmul(a, b)


@matmul.explain
def _(a: Any, b: Any) -> str | None:
    if not a.ndim or not b.ndim:
        return f"got a of shape {a.shape}, b of shape {b.shape}; expected at least one axis each"
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        where = "b.shape[-2]" if b.ndim > 1 else "b.shape[0]"
        return f"inner sizes differ: a {a.shape}, b {b.shape}; expected a.shape[-1] == {where}"
    return f"batch axes of a {a.shape} and b {b.shape} do not broadcast"


@matmul.gradient(saves={"a": "b", "b": "a"})
def _(g: Tensor, y: Any, a: Tensor, b: Tensor) -> Any:
    if a.ndim == 1:
        g = expand_dims(g, g.ndim - 1 if b.ndim > 1 else g.ndim)
    if b.ndim == 1:
        g = expand_dims(g, g.ndim)

    def of_a() -> Tensor:
        right = reshape(b, (b.shape[0], 1)) if b.ndim == 1 else b
        return matmul(g, transpose(conjugated(right)))

    def of_b() -> Tensor:
        left = conjugated(reshape(a, (1, a.shape[0])) if a.ndim == 1 else a)
        if b.ndim <= 2 < left.ndim:  # one product instead of a batch of them and a sum
            rows = prod(left.shape[:-1])
            left, rest = (reshape(t, (rows, t.shape[-1])) for t in (left, g))
        else:
            rest = g
        found = matmul(transpose(left), rest)
        return reshape(found, found.shape[:-1]) if b.ndim == 1 else found

    return of_a, of_b


@operator
def linear(xp: Any, x: Array, weight: Array, bias: Array = None) -> Any:
    """Return ``x @ weight + bias``.

    Shapes: x (*, in), weight (in, out), bias (out) or None -> (*, out). Dtype: the promoted one.
    Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.operators.linear(mi.ones((1, 2)), mi.Tensor([[3.0], [4.0]]), mi.Tensor([0.5]))
    Tensor([[7.5]])
    """
    y = xp.matmul(x, weight)
    return y if bias is None else y + bias


@linear.prepare
def _(x: Tensor, weight: Tensor, bias: Tensor | None) -> dict[str, Any]:
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[0]:
        raise ShapeError(
            f"linear: got x {x.shape}, weight {weight.shape}; expected x of shape (*, in) and a "
            "weight of shape (in, out)"
        )
    if bias is not None and bias.shape not in ((weight.shape[1],), (1, weight.shape[1])):
        raise ShapeError(f"linear: got a bias of shape {bias.shape}; expected ({weight.shape[1]},)")
    return {}


@linear.gradient(saves={"x": "weight", "weight": "x", "bias": ""})
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor, bias: Any) -> Any:
    def of_weight() -> Tensor:
        if x.ndim == 2:
            return matmul(transpose(conjugated(x)), g)
        rows = prod(x.shape[:-1])
        left = conjugated(reshape(x, (rows, x.shape[-1])))
        return matmul(transpose(left), reshape(g, (rows, g.shape[-1])))

    def of_x() -> Tensor:  # more axes: one product, where matmul would make many
        return (matmul if x.ndim <= 2 else linear)(g, transpose(conjugated(weight)))

    return of_x, of_weight, g


@operator
def project(xp: Any, x: Array, weight: Array, bias: Array = None) -> Any:
    """Return ``x @ weight.T + bias``: `linear` for a weight that is laid out the other way.

    Shapes: x (*, in), weight (out, in), bias (out) or None -> (*, out). Dtype: the promoted one.
    Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.operators.project(mi.ones((1, 2)), mi.Tensor([[3.0, 4.0]]), mi.Tensor([0.5]))
    Tensor([[7.5]])
    """
    y = xp.matmul(x, xp.permute_dims(weight, (1, 0)))
    return y if bias is None else y + bias


@project.prepare
def _(x: Tensor, weight: Tensor, bias: Tensor | None) -> dict[str, Any]:
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"project: got x {x.shape}, weight {weight.shape}; expected x of shape (*, in) and a "
            "weight of shape (out, in)"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"project: got a bias of shape {bias.shape}; expected {weight.shape[:1]}")
    return {}


@project.gradient(saves={"x": "weight", "weight": "x", "bias": ""})
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor, bias: Any) -> Any:
    rows = prod(x.shape[:-1])
    flat = reshape(g, (rows, g.shape[-1]))

    def of_x() -> Tensor:
        return reshape(matmul(flat, conjugated(weight)), x.shape)

    def of_weight() -> Tensor:
        return matmul(transpose(flat), conjugated(reshape(x, (rows, x.shape[-1]))))

    return of_x, of_weight, g
