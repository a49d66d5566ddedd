"""The cpu device: NumPy's own functions where they do the work, all writing into ``out=``.

Functions whose usual results include inf and NaN (divide, log, exp, ...) do not warn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from ..quiet import quiet
from .base import REFERENCES, Device, Kernel, Kernels

__all__ = ["CPU"]

Array = Any


_VIEWS = "broadcast_to diagonal expand_dims getitem permute_dims reshape squeeze".split()


class QuietKernels(Kernels):
    """Kernels of which those composed of many NumPy functions do not warn half-way."""

    #: what makes a kernel take bfloat16, once that is in use; see `minima.devices.cpu_bfloat16`
    widen: Callable[[str, Kernel], Kernel] | None = None

    def __missing__(self, name: str) -> Kernel:
        family = _HOME.get(name)
        if family is not None:
            kernel = quiet(import_module(f"{__package__}.{family}").KERNELS[name])
        else:
            kernel = super().__missing__(name)
            if name not in _VIEWS:  # which compute nothing that NumPy could warn of
                kernel = quiet(kernel)
        if self.widen is not None:
            kernel = self.widen(name, kernel)
        self[name] = kernel
        return kernel


class Cpu(Device):
    """Host memory and NumPy."""

    def __init__(self, name: str, *, kernels: Mapping[str, Kernel]) -> None:
        super().__init__(name, xp=np, writes=(*kernels, *_HOME))
        self.kernels = QuietKernels(name, np, kernels)

    def from_host(self, array: Array) -> Array:
        return array

    def to_host(self, buffer: Array) -> Array:
        return buffer

    def as_buffer(self, value: Any) -> Array:
        return np.asarray(value)


def _all(x: Array, *, axis: Any, keepdims: bool, out: Array = None) -> Array:
    return np.logical_and.reduce(x, axis=axis, keepdims=keepdims, out=out)


def _any(x: Array, *, axis: Any, keepdims: bool, out: Array = None) -> Array:
    return np.logical_or.reduce(x, axis=axis, keepdims=keepdims, out=out)


def _into(out: Array, value: Array) -> Array:
    np.copyto(out, value)
    return out


def _copy(x: Array, out: Array = None) -> Array:
    return np.array(x) if out is None else _into(out, x)


def _astype(x: Array, *, dtype: Any, out: Array = None) -> Array:
    return x.astype(dtype) if out is None else _into_cast(out, x)


def _into_cast(out: Array, value: Array) -> Array:
    np.copyto(out, value, casting="unsafe")
    return out


def _expm1(x: Array, out: Array = None) -> Array:
    if x.dtype.kind != "c":
        return np.expm1(x, out=out)
    found = REFERENCES["expm1"](np, x)
    return found if out is None else _into(out, found)


def _add_scaled(a: Array, b: Array, *, value: float, out: Array = None) -> Array:
    scaled = np.multiply(b, b.dtype.type(value))
    own = out is None and scaled.ndim and scaled.shape == a.shape
    return np.add(a, scaled, out=scaled if own else out)


def _addcmul(x: Array, a: Array, b: Array, *, value: float, out: Array = None) -> Array:
    t = np.multiply(a, b)
    if value != 1:
        t = np.multiply(t, t.dtype.type(value), out=t if t.ndim else None)
    return np.add(x, t, out=out)


def _addcdiv(x: Array, a: Array, b: Array, *, value: float, out: Array = None) -> Array:
    t = np.divide(a, b)
    if value != 1:
        t = np.multiply(t, t.dtype.type(value), out=t if t.ndim else None)
    return np.add(x, t, out=out)


def _lerp(start: Array, end: Array, *, weight: float, out: Array = None) -> Array:
    t = np.subtract(end, start)
    t = np.multiply(t, t.dtype.type(weight), out=t if t.ndim else None)
    return np.add(start, t, out=out)


def _clip(x: Array, *, min: Any, max: Any, out: Array = None) -> Array:
    return np.clip(x, min, max, out=out)


def _linear(x: Array, weight: Array, bias: Array = None, out: Array = None) -> Array:
    columns = weight.shape[1]
    if out is None:
        out = np.empty((*x.shape[:-1], columns), x.dtype)
    if x.ndim < 3 or not out.flags.c_contiguous or not out.size:
        np.matmul(x, weight, out=out)
    else:  # one product, where NumPy would make one for each index of the axes in front
        rows = out.size // columns
        np.matmul(x.reshape(rows, -1), weight, out=out.reshape(rows, -1))
    return out if bias is None else np.add(out, bias, out=out)


def _project(x: Array, weight: Array, bias: Array = None, out: Array = None) -> Array:
    return _linear(x, weight.T, bias, out)


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a division that raises where whole numbers are divided by 0, and does not warn."""

    def kernel(a: Array, b: Array, out: Array = None) -> Array:
        whole = a.dtype.kind in "iu"
        with np.errstate(all="ignore", divide="raise" if whole else "ignore"):
            return function(a, b, out=out)

    return kernel


def _concat(arrays: Any, *, axis: int, out: Array = None) -> Array:
    return np.concatenate(arrays, axis=axis, out=out)


def _stack(arrays: Any, *, axis: int, out: Array = None) -> Array:
    return np.stack(arrays, axis=axis, out=out)


_PLAIN = (
    "add subtract multiply negative maximum minimum square sign equal not_equal less "
    "less_equal greater greater_equal logical_not isnan isinf isfinite bitwise_invert "
    "bitwise_and bitwise_or bitwise_xor"
).split()
#: matmul too: a BLAS may raise flags for elements that it pads with
_QUIET = "divide exp log log1p sqrt tanh sin cos power matmul".split()

#: modules that are imported when one of their kernels first runs -> the kernels, all with out=
FAMILIES = {
    "cpu_attention": "scaled_dot_product_attention attention_gradient",
    "cpu_convolution": "conv2d conv2d_input_gradient conv2d_weight_gradient",
    "cpu_cumulative": "cumulative_argmax cumulative_prod cumulative_sum",
    "cpu_elementwise": ("erf gelu gelu_gradient power_scalar relu relu_gradient sigmoid where"),
    "cpu_embedding": "embedding embedding_gradient bag_numbers embedding_bag",
    "cpu_normalization": (
        "layer_norm layer_norm_gradient layer_norm_affine_gradient batch_norm var"
    ),
    "cpu_pooling": "max_pool2d max_pool2d_gradient avg_pool2d avg_pool2d_gradient",
    "cpu_recurrent": "lstm lstm_gradient gru gru_gradient",
    "cpu_reduction": "sum mean max min",
    "cpu_softmax": (
        "softmax softmax_gradient log_softmax logsumexp cross_entropy cross_entropy_gradient"
    ),
}
_HOME = {name: family for family, names in FAMILIES.items() for name in names.split()}

_WRITING = {
    **{name: getattr(np, name) for name in _PLAIN},
    **{name: quiet(getattr(np, name)) for name in _QUIET},
    "floor_divide": _whole(np.floor_divide),
    "remainder": _whole(np.remainder),
    "abs": np.absolute,
    "expm1": quiet(_expm1),
    "all": _all,
    "any": _any,
    "copy": _copy,
    "astype": quiet(_astype),
    "add_scaled": _add_scaled,
    "addcmul": _addcmul,
    "addcdiv": quiet(_addcdiv),
    "lerp": _lerp,
    "clip": _clip,
    "linear": quiet(_linear),
    "project": quiet(_project),
    "concat": _concat,
    "stack": _stack,
}

CPU = Cpu("cpu", kernels=_WRITING)
