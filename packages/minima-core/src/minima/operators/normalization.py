"""Normalisation by mean and variance."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ShapeError
from ..methods import Axis
from ..tensor import Tensor
from .arithmetic import add, divide, multiply, subtract
from .axes import canonical_axes
from .exponential import sqrt
from .reduction import mean, var
from .table import Array, operator

__all__ = ["batch_norm", "layer_norm"]


@operator(floating=True)
def layer_norm(
    xp: Any,
    x: Array,
    weight: Array = None,
    bias: Array = None,
    *,
    axes: Axis = -1,
    eps: float = 1e-5,
) -> Any:
    """Return (x - mean) / sqrt(var + eps) along *axes*, times weight, plus bias.

    Shapes: weight and bias broadcast against x. Dtype: the promoted one. The variance is the
    biased one. With *axes* all but the channel's this is batch normalisation in training.
    Source: Ba, Kiros & Hinton 2016.

    >>> import minima as mi
    >>> mi.operators.layer_norm(mi.Tensor([[1.0, 3.0]]), eps=0.0)
    Tensor([[-1.,  1.]])
    """
    count = prod(x.shape[a] for a in axes) or float("nan")  # type: ignore[union-attr]
    centred = x - xp.sum(x, axis=axes, keepdims=True) / count
    variance = xp.sum(centred * centred, axis=axes, keepdims=True) / count
    y = centred / xp.sqrt(variance + eps)
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


@layer_norm.prepare
def _(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, axes: Axis, eps: float
) -> dict[str, Any]:
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and (t.ndim > x.ndim or not _fits(t.shape, x.shape)):
            raise ShapeError(
                f"layer_norm: {name} of shape {t.shape} does not broadcast to x {x.shape}"
            )
    return {"axes": canonical_axes("layer_norm", axes, x.ndim), "eps": float(eps)}


@layer_norm.gradient(saves="x weight")
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor | None, bias: Any, axes: Any, eps: float) -> Any:
    centred = subtract(x, mean(x, axes, True))
    scale = sqrt(add(var(x, axes, True), eps))
    normed = divide(centred, scale)

    def of_x() -> Tensor:
        gn = g if weight is None else multiply(g, weight)
        along = multiply(normed, mean(multiply(gn, normed), axes, True))
        return divide(subtract(subtract(gn, mean(gn, axes, True)), along), scale)

    return of_x, (lambda: multiply(g, normed)), g


@operator(floating=True)
def batch_norm(
    xp: Any,
    x: Array,
    mean: Array,
    var: Array,
    weight: Array = None,
    bias: Array = None,
    *,
    eps: float = 1e-5,
) -> Any:
    """Return (x - mean) / sqrt(var + eps) per channel, times weight, plus bias.

    Shapes: x (N, C, *); mean, var, weight and bias (C). Dtype: the promoted one.
    Source: Ioffe & Szegedy 2015.

    >>> import minima as mi
    >>> x, mean, var = mi.Tensor([[1.0, 3.0]]), mi.Tensor([0.0, 1.0]), mi.Tensor([1.0, 4.0])
    >>> mi.operators.batch_norm(x, mean, var, eps=0.0)
    Tensor([[1., 1.]])
    """
    shape = (-1,) + (1,) * (x.ndim - 2)
    scale = xp.sqrt(var + eps)
    scale = 1.0 / scale if weight is None else weight / scale
    y = (x - xp.reshape(mean, shape)) * xp.reshape(scale, shape)
    return y if bias is None else y + xp.reshape(bias, shape)


@batch_norm.prepare
def _(
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> dict[str, Any]:
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: got x of shape {x.shape}; expected (N, C, *)")
    for name, t in (("mean", mean), ("var", var), ("weight", weight), ("bias", bias)):
        if t is not None and t.shape != (x.shape[1],):
            raise ShapeError(
                f"batch_norm: got {name} of shape {t.shape} for x {x.shape}; "
                f"expected ({x.shape[1]},)"
            )
    return {"eps": float(eps)}


@batch_norm.gradient(saves="x mean var weight")
def _(
    g: Tensor,
    y: Any,
    x: Tensor,
    mean: Tensor,
    var: Tensor,
    weight: Tensor | None,
    bias: Any,
    eps: float,
) -> Any:
    from .manipulation import reshape
    from .reduction import sum as total

    shape = (-1,) + (1,) * (x.ndim - 2)
    rest = (0, *range(2, x.ndim))
    spread = add(var, eps)
    inverse = divide(1.0, sqrt(spread))
    scale = inverse if weight is None else multiply(weight, inverse)
    centred = subtract(x, reshape(mean, shape))

    def of_scale() -> Tensor:
        return total(multiply(g, centred), rest)

    return (
        lambda: multiply(g, reshape(scale, shape)),
        lambda: multiply(total(g, rest), multiply(scale, -1.0)),
        lambda: multiply(of_scale(), divide(multiply(scale, -0.5), spread)),
        lambda: multiply(of_scale(), inverse),
        lambda: total(g, rest),
    )


def _fits(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(shape[::-1], target[::-1]))
