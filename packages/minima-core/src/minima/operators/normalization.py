"""Normalisation by mean and variance."""

from __future__ import annotations

from math import prod
from typing import Any

from ..errors import ShapeError
from ..methods import Axis
from ..tensor import Tensor
from .arithmetic import add, divide, multiply, subtract
from .axes import canonical_axes
from .composition import differentiate_reference
from .exponential import sqrt
from .indexing import getitem
from .table import Array, operator

__all__ = ["batch_norm", "layer_norm", "layer_norm_affine_gradient", "layer_norm_gradient"]


@operator(floating=True, real=True)
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


def expect_factors(operation: str, name: str, t: Any, x: Tensor) -> None:
    """Raise for one factor in place of many, as of PyTorch's sizes in the place of the weight.

    >>> import minima as mi
    >>> expect_factors("layer_norm", "weight", mi.ones(4), mi.ones((2, 4)))
    """
    if t is not None and t.shape == (1,) and x.shape[-1:] != (1,):
        raise ShapeError(
            f"{operation}: got a {name} of shape (1,) for x {x.shape}; expected as many as the "
            "last axis has (what is normalised is named by axes=, not by its sizes)"
        )


@layer_norm.prepare
def _(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, axes: Axis, eps: float
) -> dict[str, Any]:
    for name, t in (("weight", weight), ("bias", bias)):
        if t is not None and (t.ndim > x.ndim or not _fits(t.shape, x.shape)):
            raise ShapeError(
                f"layer_norm: {name} of shape {t.shape} does not broadcast to x {x.shape}"
            )
        expect_factors("layer_norm", name, t, x)
    return {"axes": canonical_axes("layer_norm", axes, x.ndim), "eps": float(eps)}


@layer_norm.gradient(saves="x weight")
def _(g: Tensor, y: Any, x: Tensor, weight: Tensor | None, bias: Any, axes: Any, eps: float) -> Any:
    def of_x() -> Tensor:
        return layer_norm_gradient(g, x, weight, axes=axes, eps=eps)

    if weight is None:
        return of_x, None, g
    shape = weight.shape
    computed: list[Tensor] = []

    def sums(place: int) -> Tensor:
        if not computed:
            computed.append(layer_norm_affine_gradient(g, x, shape, axes=axes, eps=eps))
        return getitem(computed[0], place)

    together = bias is not None and bias.shape == shape
    return of_x, (lambda: sums(0)), (lambda: sums(1)) if together else g


def _normalised(xp: Any, x: Any, axes: Any, eps: float) -> tuple[Any, Any]:
    """Return x normalised, and what it was multiplied by."""
    count = prod(x.shape[a] for a in axes) or float("nan")
    centred = x - xp.sum(x, axis=axes, keepdims=True) / count
    inverse = 1.0 / xp.sqrt(xp.sum(centred * centred, axis=axes, keepdims=True) / count + eps)
    return centred * inverse, inverse


@operator(floating=True, real=True)
def layer_norm_gradient(
    xp: Any, g: Array, x: Array, weight: Array = None, *, axes: Axis = -1, eps: float = 1e-5
) -> Any:
    """Return the gradient of `layer_norm` with respect to x.

    With n the normalised x: (g - mean(g) - n * mean(g * n)) / sqrt(var + eps), g times weight.

    >>> import minima as mi
    >>> x = mi.Tensor([[1.0, 3.0, 5.0]])
    >>> mi.operators.layer_norm_gradient(mi.Tensor([[1.0, 1.0, 1.0]]), x)
    Tensor([[0., 0., 0.]])
    """
    normed, inverse = _normalised(xp, x, axes, eps)
    if weight is not None:
        g = g * weight
    count = prod(x.shape[a] for a in axes) or float("nan")  # type: ignore[union-attr]
    level = xp.sum(g, axis=axes, keepdims=True) / count
    along = xp.sum(g * normed, axis=axes, keepdims=True) / count
    return (g - level - normed * along) * inverse


@layer_norm_gradient.prepare
def _(g: Tensor, x: Tensor, weight: Tensor | None, axes: Axis, eps: float) -> dict[str, Any]:
    return {"axes": canonical_axes("layer_norm_gradient", axes, x.ndim), "eps": float(eps)}


differentiate_reference(layer_norm_gradient)


@operator(floating=True, real=True)
def layer_norm_affine_gradient(
    xp: Any, g: Array, x: Array, shape: tuple[int, ...], *, axes: Axis = -1, eps: float = 1e-5
) -> Any:
    """Return the gradients of `layer_norm` with respect to weight and bias, both of *shape*.

    Shapes: g and x as the input -> (2, *shape*).

    >>> import minima as mi
    >>> g, x = mi.Tensor([[1.0, 2.0]]), mi.Tensor([[1.0, 3.0]])
    >>> mi.operators.layer_norm_affine_gradient(g, x, (2,), eps=0.0)
    Tensor([[-1.,  2.],
            [ 1.,  2.]])
    """
    normed, _ = _normalised(xp, x, axes, eps)
    lead = x.ndim - len(shape)
    summed = tuple(
        i + 1 for i, n in enumerate(x.shape) if i < lead or (shape[i - lead] == 1 and n != 1)
    )
    both = xp.stack([g * normed, g], axis=0)
    return xp.reshape(xp.sum(both, axis=summed), (2, *shape))


@layer_norm_affine_gradient.prepare
def _(g: Tensor, x: Tensor, shape: tuple[int, ...], axes: Axis, eps: float) -> dict[str, Any]:
    axes = canonical_axes("layer_norm_affine_gradient", axes, x.ndim)
    return {"shape": tuple(shape), "axes": axes, "eps": float(eps)}


differentiate_reference(layer_norm_affine_gradient)


@operator(floating=True, real=True)
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
