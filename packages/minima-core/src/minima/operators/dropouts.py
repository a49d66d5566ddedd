"""Random zeros, for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..random import Generator, default_generator
from ..tensor import Tensor, TensorLike, as_tensor
from .arithmetic import add, multiply, subtract
from .composed import composite
from .table import Array, Operator

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


@composite
def dropout(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return x with elements set to 0 with probability *p*, and the rest divided by 1 - p.

    Unless *training*, and with p = 0, it is x itself. The numbers come from *generator* or the
    default one of x's device. Raises: ArgumentError when p is not from 0 to 1.
    Source: Srivastava et al. 2014.

    >>> import minima as mi
    >>> mi.dropout(mi.ones(2), 1.0), mi.dropout(mi.ones(2), 0.5, training=False)
    (Tensor([0., 0.]), Tensor([1., 1.]))
    """
    x = as_tensor(x)
    random = training and 0.0 < p < 1.0 and x.dtype.kind in "fV"
    if random and x._device.kernels.get(_AT_ONCE.name) is not None:
        source = generator or default_generator(x._device)
        return _AT_ONCE.apply((x, source.reserve(x.size)), {"p": p})
    return _masked("dropout", x, x.shape, p, training, generator, _scaled)


@composite
def dropout1d(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return `dropout` of whole channels.

    Shapes: x (N, C, L) or (C, L). Raises: ShapeError for another number of axes.

    >>> import minima as mi
    >>> mi.dropout1d(mi.ones((1, 2, 3)), 1.0).shape
    (1, 2, 3)
    """
    x = as_tensor(x)
    shape = _channels("dropout1d", x, (2, 3), "(N, C, L) or (C, L)")
    return _masked("dropout1d", x, shape, p, training, generator, _scaled)


@composite
def dropout2d(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return `dropout` of whole channels.

    Shapes: x (N, C, H, W), or (N, C, L) as in `dropout1d`.
    Raises: ShapeError for another number of axes. Source: Tompson et al. 2015.

    >>> import minima as mi
    >>> mi.dropout2d(mi.ones((1, 2, 3, 4)), 1.0).shape
    (1, 2, 3, 4)
    """
    x = as_tensor(x)
    if x.ndim not in (3, 4):
        raise ShapeError(f"dropout2d: got x {x.shape}; expected (N, C, H, W) or (N, C, L)")
    shape = (*x.shape[:2], *(1,) * (x.ndim - 2))
    return _masked("dropout2d", x, shape, p, training, generator, _scaled)


@composite
def dropout3d(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return `dropout` of whole channels.

    Shapes: x (N, C, D, H, W) or (C, D, H, W). Raises: ShapeError for another number of axes.

    >>> import minima as mi
    >>> mi.dropout3d(mi.ones((1, 2, 3, 4, 5)), 1.0).shape
    (1, 2, 3, 4, 5)
    """
    x = as_tensor(x)
    shape = _channels("dropout3d", x, (4, 5), "(N, C, D, H, W) or (C, D, H, W)")
    return _masked("dropout3d", x, shape, p, training, generator, _scaled)


@composite
def alpha_dropout(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return x with elements set, with probability *p*, to the value that `selu` tends to.

    All are then scaled and moved so that mean 0 and variance 1 stay.
    Raises: ArgumentError when p is not from 0 to 1. Source: Klambauer et al. 2017.

    >>> import minima as mi
    >>> mi.alpha_dropout(mi.ones(2), 0.5, training=False)
    Tensor([1., 1.])
    """
    x = as_tensor(x)
    return _masked("alpha_dropout", x, x.shape, p, training, generator, _saturated)


@composite
def feature_alpha_dropout(
    x: TensorLike, p: float = 0.5, training: bool = True, *, generator: Generator | None = None
) -> Tensor:
    """Return `alpha_dropout` of whole channels.

    Shapes: x (N, C, *). Raises: ShapeError for fewer than two axes.

    >>> import minima as mi
    >>> mi.feature_alpha_dropout(mi.ones((1, 2, 3)), 0.5, training=False).shape
    (1, 2, 3)
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ShapeError(f"feature_alpha_dropout: got x {x.shape}; expected (N, C, *)")
    shape = (*x.shape[:2], *(1,) * (x.ndim - 2))
    return _masked("feature_alpha_dropout", x, shape, p, training, generator, _saturated)


def _channels(name: str, x: Tensor, ndims: tuple[int, int], layout: str) -> tuple[int, ...]:
    """Return the shape of one number for each channel, which broadcasts against x."""
    if x.ndim not in ndims:
        raise ShapeError(f"{name}: got x {x.shape}; expected {layout}")
    kept = 2 if x.ndim == ndims[1] else 1
    return (*x.shape[:kept], *(1,) * (x.ndim - kept))


def _masked(
    name: str,
    x: Tensor,
    shape: tuple[int, ...],
    p: float,
    training: bool,
    generator: Generator | None,
    mix: Callable[[Tensor, Tensor, float], Tensor],
) -> Tensor:
    """Return what *mix* makes of x and a mask of *shape*, which is 1 with probability 1 - p."""
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"{name}: got p {p}; expected a probability from 0 to 1")
    if not p or not training:
        return x
    if p == 1.0:
        return multiply(x, 0.0)
    source = generator or default_generator(x.device)
    return mix(x, source.bernoulli(shape, 1.0 - p, x.dtype), p)


def _scaled(x: Tensor, kept: Tensor, p: float) -> Tensor:
    return multiply(x, kept.mul_(1.0 / (1.0 - p)))


_SATURATED = -1.7580993408473766  # the limit of selu(x) as x falls


def _saturated(x: Tensor, kept: Tensor, p: float) -> Tensor:
    scale = ((1.0 - p) * (1.0 + p * _SATURATED**2)) ** -0.5
    moved = multiply(subtract(1.0, kept), _SATURATED * scale)
    shift = -scale * _SATURATED * p
    return add(add(multiply(x, multiply(kept, scale)), moved), shift)


# ---- by a kernel that draws as it multiplies -----------------------------------------------------
def _at_once(xp: Any, x: Array, stream: Array, p: float) -> Any:
    """Stand for the kernel ``dropout`` of devices that have it; others multiply by a mask."""


_AT_ONCE: Operator[Any] = Operator(_at_once, promotes=False, floating=False, view=False)
_AT_ONCE.name = "dropout"


def _again(g: Tensor, y: Any, x: Any, stream: Tensor, p: float) -> Any:
    """Draw the mask again, from where it was drawn before."""
    return _AT_ONCE.apply((g, stream), {"p": p}), None


_AT_ONCE.gradient(_again, saves="stream")
