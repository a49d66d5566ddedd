"""Activations, and the softmax family."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..methods import Axis
from ..tensor import Tensor
from .arithmetic import add, divide, multiply, negative, subtract
from .axes import canonical_axes, canonical_axis, kept_shape
from .comparison import isfinite, less, where
from .complex import real
from .composition import differentiate_reference
from .exponential import erf, exp, log
from .manipulation import reshape, squeeze
from .reduction import max, sum
from .table import Array, operator

__all__ = [
    "gelu",
    "gelu_gradient",
    "log_softmax",
    "logsumexp",
    "relu",
    "relu_gradient",
    "sigmoid",
    "softmax",
    "softmax_gradient",
]


@operator(real=True)
def relu(xp: Any, x: Array) -> Any:
    """Return x where it is positive, else 0.

    Gradient: 0 at 0; passes where x is NaN.

    >>> import minima as mi
    >>> mi.relu(mi.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """
    return xp.maximum(x, xp.zeros((), dtype=x.dtype))


@relu.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return relu_gradient(g, y)


@operator(real=True)
def relu_gradient(xp: Any, g: Array, y: Array) -> Any:
    """Return g where y is positive or NaN, else 0: the gradient of `relu`.

    >>> import minima as mi
    >>> mi.operators.relu_gradient(mi.Tensor([5.0, 5.0]), mi.Tensor([0.0, 2.0]))
    Tensor([0., 5.])
    """
    return xp.where(y <= 0, xp.zeros((), dtype=g.dtype), g)


@relu_gradient.gradient(saves="y")
def _(gg: Tensor, _y: Any, g: Any, y: Tensor) -> Any:
    return (lambda: relu_gradient(gg, y)), None


@operator(floating=True, real=True)
def sigmoid(xp: Any, x: Array) -> Any:
    """Return 1 / (1 + exp(-x)), without overflow and exact in both tails.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.sigmoid(mi.Tensor([0.0, -100.0]))
    Tensor([5.0e-01, 3.8e-44])
    """
    e = xp.exp(-xp.abs(x))
    return xp.where(x >= 0, xp.ones((), dtype=x.dtype), e) / (e + 1.0)


@sigmoid.of_complex
def _(x: Tensor) -> Tensor:
    left = less(real(x), 0)
    e = exp(where(left, x, negative(x)))  # at most 1: nothing overflows
    return divide(where(left, e, 1.0), add(e, 1.0))


@sigmoid.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any) -> Any:
    return multiply(g, multiply(y, subtract(1.0, y)))


_SQRT_HALF, _SQRT_2_PI, _CUBIC = 0.7071067811865476, 0.7978845608028654, 0.044715
_DENSITY = 0.3989422804014327


@operator(floating=True, real=True)
def gelu(xp: Any, x: Array, approximate: str = "none") -> Any:
    """Return x times the share of the normal distribution below x.

    *approximate* is "none" (through erf) or "tanh". Dtype: as x; integers become float32.
    Source: Hendrycks & Gimpel 2016.

    >>> import minima as mi
    >>> mi.gelu(mi.Tensor([-1.0, 0.0, 1.0]))
    Tensor([-0.158655,  0.      ,  0.841345])
    """
    if approximate == "tanh":
        return x * 0.5 * (xp.tanh((x + x * x * x * _CUBIC) * _SQRT_2_PI) + 1.0)
    return x * 0.5 * (erf.entry.reference(xp, x * _SQRT_HALF) + 1.0)


@gelu.prepare
def _(x: Tensor, approximate: str) -> dict[str, Any]:
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: got approximate={approximate!r}; expected 'none' or 'tanh'")
    return {"approximate": approximate}


@gelu.gradient(saves="x")
def _(g: Tensor, y: Any, x: Tensor, approximate: str) -> Any:
    return gelu_gradient(g, x, approximate)


@operator(floating=True, real=True)
def gelu_gradient(xp: Any, g: Array, x: Array, approximate: str = "none") -> Any:
    """Return g times the slope of `gelu` at x.

    >>> import minima as mi
    >>> mi.operators.gelu_gradient(mi.Tensor([2.0]), mi.Tensor([0.0]))
    Tensor([1.])
    """
    if approximate == "tanh":
        xx = x * x
        t = xp.tanh((xx * _CUBIC + 1.0) * x * _SQRT_2_PI)
        inner = (xx * (3 * _CUBIC) + 1.0) * _SQRT_2_PI
        return g * ((t + 1.0 + (1.0 - t * t) * (x * inner)) * 0.5)
    below = (erf.entry.reference(xp, x * _SQRT_HALF) + 1.0) * 0.5
    return g * (below + x * (xp.exp(x * x * -0.5) * _DENSITY))


@gelu_gradient.prepare
def _(g: Tensor, x: Tensor, approximate: str) -> dict[str, Any]:
    return {"approximate": approximate}


differentiate_reference(gelu_gradient)


@operator(floating=True, real=True)
def softmax(xp: Any, x: Array, axis: Axis = -1) -> Any:
    """Return exp(x) over its sum along *axis*, without overflow.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.softmax(mi.Tensor([1e4, 1e4]))
    Tensor([0.5, 0.5])
    """
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True)) if x.size else x
    return e / xp.sum(e, axis=axis, keepdims=True)


@softmax.prepare
def _(x: Tensor, axis: Axis) -> dict[str, Any]:
    return {"axis": canonical_axes("softmax", axis, x.ndim)}


@softmax.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any, axis: tuple[int, ...]) -> Any:
    return softmax_gradient(g, y, axis)


@operator(floating=True, real=True)
def softmax_gradient(xp: Any, g: Array, y: Array, axis: Axis = -1) -> Any:
    """Return the gradient of `softmax`, whose output is y: (g - sum(g * y)) * y.

    >>> import minima as mi
    >>> mi.operators.softmax_gradient(mi.Tensor([1.0, 0.0]), mi.Tensor([0.5, 0.5]))
    Tensor([ 0.25, -0.25])
    """
    return (g - xp.sum(g * y, axis=axis, keepdims=True)) * y


@softmax_gradient.prepare
def _(g: Tensor, y: Tensor, axis: Axis) -> dict[str, Any]:
    return {"axis": canonical_axes("softmax_gradient", axis, y.ndim)}


@softmax_gradient.gradient(saves="g y")
def _(gg: Tensor, _y: Any, g: Tensor, y: Tensor, axis: tuple[int, ...]) -> Any:
    def of_y() -> Tensor:
        along = multiply(g, sum(multiply(gg, y), axis, True))
        return subtract(multiply(gg, subtract(g, sum(multiply(g, y), axis, True))), along)

    return (lambda: softmax_gradient(gg, y, axis)), of_y


@operator(floating=True, real=True)
def log_softmax(xp: Any, x: Array, axis: int = -1) -> Any:
    """Return the logarithm of `softmax`, exact where the share itself would be 0.

    Dtype: as x; integers become float32.

    >>> import minima as mi
    >>> mi.log_softmax(mi.Tensor([0.0, 1e4]))
    Tensor([-10000.,      0.])
    """
    if not x.size:
        return xp.asarray(x, copy=True)
    z = x - xp.max(x, axis=axis, keepdims=True)
    return z - xp.log(xp.sum(xp.exp(z), axis=axis, keepdims=True))


@log_softmax.prepare
def _(x: Tensor, axis: int) -> dict[str, Any]:
    return {"axis": canonical_axis("log_softmax", axis, x.ndim)}


@log_softmax.gradient(saves="y")
def _(g: Tensor, y: Tensor, x: Any, axis: int) -> Any:
    return subtract(g, multiply(exp(y), sum(g, axis, True)))


@operator(floating=True, real=True)
def logsumexp(
    xp: Any, x: Array, axis: Axis = None, keepdims: bool = False, *, axes: Axis = None
) -> Any:
    """Return the logarithm of the sum of exp(x) along *axis*, without overflow.

    *axes* is another name of *axis*. Dtype: as x; integers become float32; -inf where all are.

    >>> import minima as mi
    >>> mi.logsumexp(mi.Tensor([1e4, 1e4]))
    Tensor(10000.693)
    """
    top = xp.max(x, axis=axis, keepdims=True)
    safe = xp.where(xp.isfinite(top), top, xp.zeros((), dtype=x.dtype))
    total = xp.log(xp.sum(xp.exp(x - safe), axis=axis, keepdims=True)) + safe
    return total if keepdims else xp.squeeze(total, axis=axis)


@logsumexp.prepare
def _(x: Tensor, axis: Axis, keepdims: bool, axes: Axis) -> dict[str, Any]:
    from .reduction import _extreme_prepare

    chosen = axis if axes is None else axes
    return {**_extreme_prepare("logsumexp", x, chosen, keepdims), "axes": None}


@logsumexp.of_complex
def _(x: Tensor, axis: tuple[int, ...], keepdims: bool, axes: None) -> Tensor:
    top = max(real(x.detach()), axis=axis, keepdims=True)
    safe = where(isfinite(top), top, 0.0)
    total = add(log(sum(exp(subtract(x, safe)), axis=axis, keepdims=True)), safe)
    return total if keepdims else squeeze(total, axis=axis)


@logsumexp.gradient(saves="x y")
def _(g: Tensor, y: Tensor, x: Tensor, axis: tuple[int, ...], keepdims: bool, axes: None) -> Any:
    kept = kept_shape(x.shape, axis)
    return multiply(reshape(g, kept), exp(subtract(x, reshape(y, kept))))
