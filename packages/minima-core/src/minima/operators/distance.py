"""Lengths of vectors, distances and angles between them."""

from __future__ import annotations

import builtins
from math import inf

import numpy as np

from ..errors import ArgumentError
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, divide, multiply, power_scalar, subtract
from .comparison import clip, equal, where
from .complex import conjugated, real
from .composed import alike, composite
from .exponential import abs, sqrt, square
from .manipulation import broadcast_arrays
from .reduction import max, sum

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


@composite
def normalize(x: TensorLike, p: float = 2.0, axis: int = 1, eps: float = 1e-12) -> Tensor:
    """Return x over its p-norm along *axis*, over *eps* where that is larger.

    Dtype: as x, complex too. Gradient: that of x / eps where the norm is below eps, as at 0.

    >>> import minima as mi
    >>> mi.normalize(mi.Tensor([[3.0, 4.0]]))
    Tensor([[0.6, 0.8]])
    """
    x = as_tensor(x)
    return divide(x, clip(_length(x, p, axis, True), min=_least(x, eps)))


def _least(x: Tensor, eps: float) -> float:
    """Return *eps*, or what is not 0 in the half type either."""
    if x.dtype.kind != "f":
        return eps
    return builtins.max(eps, float(np.finfo(x.dtype).smallest_normal))


@composite(real=True)
def cosine_similarity(x1: TensorLike, x2: TensorLike, axis: int = 1, eps: float = 1e-8) -> Tensor:
    """Return the cosine of the angle between x1 and x2 along *axis*.

    Each is divided by its length, or *eps* where that is larger. Shapes: x1 and x2 broadcast;
    *axis* is gone from the result. Gradient: that of the length, also where *eps* is larger.

    >>> import minima as mi
    >>> mi.cosine_similarity(mi.Tensor([[1.0, 0.0]]), mi.Tensor([[1.0, 1.0]]))
    Tensor([0.707107])
    """
    x1, x2 = broadcast_arrays(*alike(x1, x2))
    return sum(multiply(_turned(x1, axis, eps), _turned(x2, axis, eps)), axis)


def _turned(x: Tensor, axis: int, eps: float) -> Tensor:
    """Return x over its length, or *eps*, which has the slope of the length all the same."""
    length = _length(x, 2.0, axis, True)
    fixed = length.detach()
    return divide(x, add(clip(fixed, min=_least(x, eps)), subtract(length, fixed)))


@composite
def pairwise_distance(
    x1: TensorLike,
    x2: TensorLike,
    p: float = 2.0,
    eps: float = 1e-6,
    keepdims: bool = False,
) -> Tensor:
    """Return the p-norm of x1 - x2 + eps along the last axis.

    Shapes: x1 and x2 broadcast, (*, D) -> (*). Dtype: the promoted one, real for complex ones.
    Gradient: 0 where the norm is 0.

    >>> import minima as mi
    >>> mi.pairwise_distance(mi.Tensor([[3.0, 4.0]]), mi.Tensor([[0.0, 0.0]]), eps=0.0)
    Tensor([5.])
    """
    return _length(add(subtract(x1, x2), eps), p, -1, keepdims)


def _length(x: Tensor, p: float, axis: int, keepdims: bool) -> Tensor:
    """Return the p-norm, whose gradient is 0 at 0."""
    if p < 0:
        raise ArgumentError(f"norm: got p {p}; expected a number of at least 0")
    if not p:  # how many are not 0
        size = abs(x)
        return sum(where(equal(size, 0), size, 1.0), axis, keepdims)
    if p == inf:
        return max(abs(x), axis, keepdims)
    if p == 1:
        return sum(abs(x), axis, keepdims)
    total = sum(_squared(x) if p == 2 else power_scalar(abs(x), p), axis, keepdims)
    nothing = equal(total, 0)
    safe = where(nothing, 1.0, total)
    return where(nothing, 0.0, sqrt(safe) if p == 2 else power_scalar(safe, 1.0 / p))


def _squared(x: Tensor) -> Tensor:
    """Return the squared sizes, real for complex numbers."""
    return real(multiply(x, conjugated(x))) if x.dtype.kind == "c" else square(x)
