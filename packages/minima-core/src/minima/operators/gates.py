"""Activations that weight x with a share of 0 to 1, and shares themselves."""

from __future__ import annotations

from ..dtypes import float_for
from ..errors import ArgumentError, ShapeError
from ..random import Generator
from ..tensor import Tensor, TensorLike, as_tensor
from .activation import sigmoid, softmax
from .arithmetic import add, divide, multiply, negative, subtract
from .axes import canonical_axis
from .comparison import clip, equal, greater_equal, less_equal, where
from .composed import composite
from .creation import arange
from .exponential import log, tanh
from .indexing import getitem
from .manipulation import astype, expand_dims, reshape
from .rectifiers import hardtanh, softplus
from .reduction import argmax

__all__ = [
    "glu",
    "gumbel_softmax",
    "hardsigmoid",
    "hardswish",
    "mish",
    "silu",
    "softmin",
    "swiglu",
]


@composite
def silu(x: TensorLike) -> Tensor:
    """Return x * sigmoid(x), also called swish.

    Dtype: as x; integers become float32. Source: Elfwing, Uchibe & Doya 2017.

    >>> import minima as mi
    >>> mi.silu(mi.Tensor([-1.0, 0.0, 1.0]))
    Tensor([-0.268941,  0.      ,  0.731059])
    """
    return multiply(x, sigmoid(x))


@composite
def mish(x: TensorLike) -> Tensor:
    """Return x * tanh(softplus(x)).

    Dtype: as x; integers become float32. Source: Misra 2019.

    >>> import minima as mi
    >>> mi.mish(mi.Tensor([-1.0, 0.0, 1.0]))
    Tensor([-0.303401,  0.      ,  0.865098])
    """
    return multiply(x, tanh(softplus(x)))


@composite(real=True)
def hardsigmoid(x: TensorLike) -> Tensor:
    """Return x / 6 + 1 / 2, limited to [0, 1].

    Gradient: 1 / 6 between -3 and 3, 0 at them and outside.

    >>> import minima as mi
    >>> mi.hardsigmoid(mi.Tensor([-4.0, 0.0, 4.0]))
    Tensor([0. , 0.5, 1. ])
    """
    return divide(hardtanh(add(x, 3.0), 0.0, 6.0), 6.0)


@composite(real=True)
def hardswish(x: TensorLike) -> Tensor:
    """Return x * hardsigmoid(x): 0 up to -3, x from 3 on.

    Gradient: 0 at -3, 1 at 3. Source: Howard et al. 2019.

    >>> import minima as mi
    >>> mi.hardswish(mi.Tensor([-4.0, 0.0, 1.0, 4.0]))
    Tensor([0.      , 0.      , 0.666667, 4.      ])
    """
    low, high = less_equal(x, -3), greater_equal(x, 3)
    inner = where(low, 0.0, where(high, 0.0, x))  # infinity would give NaN for a slope
    return where(low, 0.0, where(high, x, divide(multiply(inner, add(inner, 3.0)), 6.0)))


@composite
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """Return the first half of x along *axis* times the sigmoid of the second.

    Shapes: x (*, 2 n, *) -> (*, n, *). Raises: ShapeError for an odd size.
    Source: Dauphin et al. 2017.

    >>> import minima as mi
    >>> mi.glu(mi.Tensor([4.0, 0.0]))
    Tensor([2.])
    """
    x = as_tensor(x)
    a, b = _halves("glu", x, axis)
    return multiply(a, sigmoid(b))


@composite
def swiglu(x: TensorLike, axis: int = -1) -> Tensor:
    """Return `silu` of the first half of x along *axis* times the second half.

    Shapes: x (*, 2 n, *) -> (*, n, *). Raises: ShapeError for an odd size. Source: Shazeer 2020.

    >>> import minima as mi
    >>> mi.swiglu(mi.Tensor([1.0, 2.0]))
    Tensor([1.462117])
    """
    x = as_tensor(x)
    a, b = _halves("swiglu", x, axis)
    return multiply(silu(a), b)


def _halves(name: str, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    axis = canonical_axis(name, axis, x.ndim)
    half, odd = divmod(x.shape[axis], 2)
    if odd:
        raise ShapeError(
            f"{name}: got x {x.shape}, of size {x.shape[axis]} along axis {axis}; expected an "
            "even size, for two halves"
        )
    lead = (slice(None),) * axis
    return getitem(x, (*lead, slice(half))), getitem(x, (*lead, slice(half, None)))


@composite
def softmin(x: TensorLike, axis: int = -1) -> Tensor:
    """Return `softmax` of -x: the smallest has the largest share.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.softmin(mi.Tensor([0.0, 1e4]))
    Tensor([1., 0.])
    """
    return softmax(multiply(x, -1.0), axis)


@composite
def gumbel_softmax(
    logits: TensorLike,
    tau: float = 1.0,
    hard: bool = False,
    axis: int = -1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return shares drawn at random, near one-hot for a small temperature *tau*.

    They are softmax((logits + noise) / tau) along *axis*, where noise follows the Gumbel
    distribution: the largest is a draw from softmax(logits). With *hard* it is 1 and the rest 0,
    and the gradient is that of the shares. Raises: ArgumentError unless tau > 0.
    Source: Jang, Gu & Poole 2017.

    >>> import minima as mi
    >>> mi.gumbel_softmax(mi.Tensor([0.0, 1e4]), hard=True)
    Tensor([0., 1.])
    """
    logits = as_tensor(logits)
    if not tau > 0:
        raise ArgumentError(f"gumbel_softmax: got tau {tau}; expected a positive number")
    from ..random import default_generator

    axis = canonical_axis("gumbel_softmax", axis, logits.ndim)
    source = generator or default_generator(logits.device)
    drawn = clip(source.uniform(logits.shape), min=1e-38)  # the logarithm of 0 is none
    noise = astype(negative(log(negative(log(drawn)))), float_for(logits.dtype))
    shares = softmax(divide(add(logits, noise), tau), axis)
    if not hard or not shares.size:
        return shares
    chosen = expand_dims(argmax(shares, axis), axis)
    lead = (-1,) + (1,) * (logits.ndim - axis - 1)
    order = reshape(arange(logits.shape[axis], device=logits.device), lead)
    one = astype(equal(order, chosen), shares.dtype)
    return add(one, subtract(shares, shares.detach()))
