"""Activations that keep large numbers and bend, or cut, the rest."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, ShapeError
from ..random import Generator
from ..tensor import Tensor, TensorLike, as_tensor
from .activation import sigmoid
from .arithmetic import divide, multiply, negative
from .comparison import greater, greater_equal, less_equal, where
from .composed import composite
from .exponential import expm1
from .manipulation import reshape
from .table import Array, operator

__all__ = [
    "celu",
    "elu",
    "hardtanh",
    "leaky_relu",
    "log_sigmoid",
    "prelu",
    "relu6",
    "rrelu",
    "selu",
    "softplus",
    "threshold",
]


@operator(floating=True, real=True)
def softplus(xp: Any, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Return log(1 + exp(beta * x)) / beta, exact in both tails; x where beta * x > *threshold*.

    Dtype: as x; integers become float32. Raises: ArgumentError for a beta of 0.

    >>> import minima as mi
    >>> mi.softplus(mi.Tensor([-100.0, 0.0, 100.0]))
    Tensor([3.783506e-44, 6.931472e-01, 1.000000e+02])
    """
    z = x * beta
    bend = xp.log1p(xp.exp(-xp.abs(z))) + xp.maximum(z, xp.zeros((), dtype=x.dtype))
    return xp.where(z > threshold, x, bend / beta)


@softplus.prepare
def _(x: Tensor, beta: float, threshold: float) -> dict[str, Any]:
    if not beta:
        raise ArgumentError("softplus: got beta 0; expected another number")
    return {"beta": float(beta), "threshold": float(threshold)}


@softplus.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, beta: float, threshold: float) -> Any:
    z = multiply(x, beta)
    return multiply(g, where(greater(z, threshold), 1.0, sigmoid(z)))


@composite
def log_sigmoid(x: TensorLike) -> Tensor:
    """Return the logarithm of `sigmoid`, exact where the share itself would be 0.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log_sigmoid(mi.Tensor([-1000.0, 0.0]))
    Tensor([-1.000000e+03, -6.931472e-01])
    """
    return negative(softplus(multiply(x, -1.0), threshold=float("inf")))


@composite(real=True)
def hardtanh(x: TensorLike, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Limit x to [min_val, max_val].

    Gradient: 1 between the limits, 0 at them and outside; passes where x is NaN.
    Raises: ArgumentError unless min_val < max_val.

    >>> import minima as mi
    >>> mi.hardtanh(mi.Tensor([-2.0, 0.5, 2.0]))
    Tensor([-1. ,  0.5,  1. ])
    """
    if not min_val < max_val:
        raise ArgumentError(
            f"hardtanh: got min_val {min_val}, max_val {max_val}; expected min_val < max_val"
        )
    return where(less_equal(x, min_val), min_val, where(greater_equal(x, max_val), max_val, x))


@composite(real=True)
def relu6(x: TensorLike) -> Tensor:
    """Limit x to [0, 6].

    Gradient: 1 between the limits, 0 at them and outside.

    >>> import minima as mi
    >>> mi.relu6(mi.Tensor([-1.0, 3.0, 8.0]))
    Tensor([0., 3., 6.])
    """
    return hardtanh(x, 0.0, 6.0)


@composite(real=True)
def threshold(x: TensorLike, threshold: float, value: float) -> Tensor:
    """Return x where it is above *threshold*, else *value*.

    Gradient: 0 at the threshold; passes where x is NaN.

    >>> import minima as mi
    >>> mi.threshold(mi.Tensor([1.0, 3.0]), 2.0, -5.0)
    Tensor([-5.,  3.])
    """
    return where(less_equal(x, threshold), value, x)


@composite(real=True)
def leaky_relu(x: TensorLike, negative_slope: float = 0.01) -> Tensor:
    """Return x where it is positive, else x times *negative_slope*.

    Gradient: *negative_slope* at 0.

    >>> import minima as mi
    >>> mi.leaky_relu(mi.Tensor([-10.0, 2.0]))
    Tensor([-0.1,  2. ])
    """
    return where(greater(x, 0), x, multiply(x, negative_slope))


@composite(real=True)
def prelu(x: TensorLike, weight: TensorLike) -> Tensor:
    """Return x where it is positive, else x times *weight*, one number or one for each channel.

    Shapes: x (N, C, *), weight () or (1,) or (C,) -> as x. Gradient: that of weight * x at 0.
    Raises: ShapeError for a weight of another shape.

    >>> import minima as mi
    >>> mi.prelu(mi.Tensor([[-1.0, -1.0]]), mi.Tensor([0.5, 0.25]))
    Tensor([[-0.5 , -0.25]])
    """
    x = as_tensor(x)
    weight = as_tensor(weight)
    channels = x.shape[1] if x.ndim > 1 else 1
    if weight.ndim > 1 or weight.size not in (1, channels):
        raise ShapeError(
            f"prelu: got weight {weight.shape} for x {x.shape}; expected (1,) or ({channels},)"
        )
    slope = reshape(weight, () if weight.size == 1 else (-1,) + (1,) * (x.ndim - 2))
    return where(greater(x, 0), x, multiply(x, slope))


@composite(real=True)
def rrelu(
    x: TensorLike,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return x where it is positive, else x times a slope from [lower, upper).

    In training the slope is drawn for each element, from *generator* or the default one of the
    device; else it is the middle one. Gradient: the slope at 0.
    Raises: ArgumentError where lower > upper. Source: Xu et al. 2015.

    >>> import minima as mi
    >>> mi.rrelu(mi.Tensor([-4.0, 2.0]), 0.25, 0.75)
    Tensor([-2.,  2.])
    """
    x = as_tensor(x)
    if lower > upper:
        raise ArgumentError(f"rrelu: got lower {lower}, upper {upper}; expected lower <= upper")
    if not training:
        return leaky_relu(x, (lower + upper) / 2)
    from ..random import default_generator

    source = generator or default_generator(x.device)
    return where(greater(x, 0), x, multiply(x, source.uniform(x.shape, lower, upper, x.dtype)))


@composite(real=True)
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else alpha * (exp(x) - 1).

    Gradient: alpha at 0. Source: Clevert, Unterthiner & Hochreiter 2016.

    >>> import minima as mi
    >>> mi.elu(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """
    x = as_tensor(x)
    return _bent(x, alpha, 1.0, 1.0)


@composite(real=True)
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """Return x where it is positive, else alpha * (exp(x / alpha) - 1).

    Gradient: 1 at 0. Raises: ArgumentError for an alpha of 0. Source: Barron 2017.

    >>> import minima as mi
    >>> mi.celu(mi.Tensor([-1.0, 2.0]), 2.0)
    Tensor([-0.786939,  2.      ])
    """
    x = as_tensor(x)
    if not alpha:
        raise ArgumentError("celu: got alpha 0; expected another number")
    return _bent(x, alpha, 1.0, alpha)


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@composite(real=True)
def selu(x: TensorLike) -> Tensor:
    """Return 1.0507 * elu(x, 1.6733), which keeps mean 0 and variance 1 from layer to layer.

    Gradient: that from below at 0. Source: Klambauer et al. 2017.

    >>> import minima as mi
    >>> mi.selu(mi.Tensor([-1.0, 2.0]))
    Tensor([-1.111331,  2.101402])
    """
    x = as_tensor(x)
    return _bent(x, _SELU_ALPHA * _SELU_SCALE, _SELU_SCALE, 1.0)


def _bent(x: Tensor, below: float, above: float, width: float) -> Tensor:
    """Return above * x where x is positive, else below * (exp(x / width) - 1)."""
    positive = greater(x, 0)
    z = where(positive, 0.0, x)  # no exponential, and no slope, of what may overflow
    bend = multiply(expm1(z if width == 1.0 else divide(z, width)), below)
    return where(positive, x if above == 1.0 else multiply(x, above), bend)
