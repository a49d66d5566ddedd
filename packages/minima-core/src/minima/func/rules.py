"""Rules: how an operator runs on a batch, by operators on Tensors with the batch axis in front.

`RULES` holds one for each operator that takes the batch in one go. What has none runs element
after element, which is right for every operator; so an operator that is added needs no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..devices import Kernel
from ..errors import KernelMissingError, ShapeError
from ..operators import (
    TABLE,
    add,
    broadcast_to,
    matmul,
    permute_dims,
    reshape,
    stack,
    zeros,
)
from ..tensor import Tensor
from .batched import Batched, BatchedDevice

__all__ = [
    "OWN",
    "RULES",
    "Function",
    "Rule",
    "aligned",
    "batched_kernel",
    "enter",
    "joined",
    "lowered",
    "shifted",
    "whole",
]

Function = Callable[..., Tensor]
#: (batch size, operator, inputs, attributes) -> outer result, or None where it does not apply
Rule = Callable[[int, Function, list[Any], dict[str, Any]], Tensor | None]

RULES: dict[str, Rule] = {}
#: the rules where attributes differ from element to element
OWN: dict[str, Rule] = {}


def batched_kernel(device: BatchedDevice, name: str) -> Kernel:
    """Return the kernel of *device* for the operator *name*."""
    if name not in TABLE:
        raise KernelMissingError(f"{name}: there is no such operator to run within vmap")
    entry, rule, n = TABLE[name], RULES.get(name), device.length
    function = _variadic(entry.function) if entry.variadic else entry.function

    def kernel(*given: Any, **attrs: Any) -> Batched:
        inputs = list(given[0]) if entry.variadic else list(given)
        within = any(_mapped(v) for v in attrs.values())
        if not within:
            attrs = {k: lowered(v) for k, v in attrs.items()}
            if not any(_mapped(i) for i in inputs):
                return Batched(function(*map(lowered, inputs), **attrs), False)
        chosen = OWN.get(name) if within else rule
        if chosen is not None:
            try:
                found = chosen(n, function, inputs, attrs)
            except ShapeError as error:  # which tells shapes with the batch axis in them
                raise ValueError(str(error)) from error
            if found is not None:
                return Batched(found, True)
        return Batched(one_by_one(n, function, inputs, attrs), True)

    return _viewing(kernel) if entry.view else kernel


def _viewing(kernel: Kernel) -> Kernel:
    """Return *kernel*, that of a view, noting that two buffers stand for the same memory."""

    def view(x: Any, **attrs: Any) -> Batched:
        found: Batched = kernel(x, **attrs)
        x.shared = found.shared = True
        return found

    return view


def _variadic(function: Function) -> Function:
    return lambda *inputs, **attrs: function(inputs, **attrs)


def _mapped(value: Any) -> bool:
    """Say whether *value*, an input or an attribute, differs from element to element."""
    if isinstance(value, tuple):
        return any(_mapped(v) for v in value)
    return isinstance(value, Batched) and value.mapped


def lowered(value: Any) -> Any:
    """Return *value* with its unmapped buffers replaced by the Tensors below."""
    if isinstance(value, tuple):
        return tuple(lowered(v) for v in value)
    return value.outer if isinstance(value, Batched) else value


def one_by_one(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Return the results for each element of the batch, stacked."""

    def element(value: Any, i: int) -> Any:
        if isinstance(value, tuple):
            return tuple(element(v, i) for v in value)
        if not isinstance(value, Batched):
            return value
        if not value.mapped:
            return value.outer
        return value.outer[i] if n else zeros(value.shape, dtype=value.dtype, device=_place(value))

    results = [
        function(*(element(v, i) for v in inputs), **{k: element(v, i) for k, v in attrs.items()})
        for i in range(n or 1)
    ]
    shapes = {r.shape for r in results}
    if len(shapes) > 1:
        raise ShapeError(
            f"vmap: the elements of the batch give different shapes, {sorted(shapes)}; expected "
            "one: use mi.where with a mask in place of an index by it"
        )
    return stack(results) if n else stack(results)[:0]


def _place(value: Batched) -> Any:
    return value.outer.device


# ---- the inputs of rules -------------------------------------------------------------------------
def aligned(n: int, value: Any, ndim: int) -> Any:
    """Return the outer Tensor with axes of size 1 after the batch axis, up to *ndim* behind it."""
    if value is None or not value.mapped or value.ndim >= ndim:
        return lowered(value)
    return reshape(value.outer, (n, *(1,) * (ndim - value.ndim), *value.shape))


def whole(n: int, value: Any) -> Any:
    """Return the outer Tensor with the batch axis, along which what is not mapped repeats."""
    if value is None or value.mapped:
        return lowered(value)
    return broadcast_to(value.outer, (n, *value.shape))


def shifted(axis: Any, ndim: int) -> Any:
    """Return *axis* of one element as an axis, or axes, of the batch."""
    if axis is None:
        return tuple(range(1, ndim + 1))
    if isinstance(axis, tuple | list):
        return tuple(shifted(a, ndim) for a in axis)
    return (axis + ndim if axis < 0 else axis) + 1


# ---- families ------------------------------------------------------------------------------------
def elementwise(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Broadcast elements against each other, behind the batch axis."""
    ndim = max(v.ndim for v in inputs if v is not None)
    return function(*(aligned(n, v, ndim) for v in inputs), **attrs)


def along(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Count the axes from behind the batch axis, which all inputs get."""
    ndim = inputs[0].ndim
    found = {k: shifted(v, ndim) if k == "axis" and v is not None else v for k, v in attrs.items()}
    return function(*(whole(n, v) for v in inputs), **found)


def stacks(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Work on matrices, of which the batch is a stack."""
    return function(inputs[0].outer, **attrs)


def added_axis(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Count the axis that is added from behind the batch axis."""
    axis = shifted(attrs["axis"], inputs[0].ndim + 1)
    return function(*(whole(n, v) for v in inputs), axis=axis)


def position(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    """Find a place along an axis, or among all values of one element."""
    (x,) = inputs
    if attrs["axis"] is not None:
        return along(n, function, inputs, attrs)
    found = function(reshape(x.outer, (n, x.size)), axis=1)
    return reshape(found, (n, *(1,) * x.ndim)) if attrs.get("keepdims") else found


def normalized(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    """Normalise over axes behind the batch axis; weights are the same for all elements."""
    affine = [v for v in inputs[_DATA[function.__name__] :] if v is not None]
    if any(v.mapped for v in affine):
        return None
    data = [whole(n, v) for v in inputs[: _DATA[function.__name__]]]
    axes = shifted(attrs["axes"], inputs[0].ndim)
    rest = map(lowered, inputs[len(data) :])
    return function(*data, *rest, **{**attrs, "axes": axes})


_DATA = {"layer_norm": 1, "layer_norm_gradient": 2}


# ---- shapes --------------------------------------------------------------------------------------
def _reshape(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    return reshape(inputs[0].outer, (n, *attrs["shape"]))


def _broadcast_to(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    shape = attrs["shape"]
    return broadcast_to(aligned(n, inputs[0], len(shape)), (n, *shape))


def _permute_dims(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    return permute_dims(inputs[0].outer, (0, *(a + 1 for a in attrs["axes"])))


# ---- products ------------------------------------------------------------------------------------
def _matmul(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    a, b = inputs
    if not a.ndim or not b.ndim:
        raise ShapeError("got a tensor of shape ()")
    row, column = a.ndim == 1, b.ndim == 1
    if not b.mapped and b.ndim == 2:
        return matmul(a.outer, b.outer)
    ndim = max(a.ndim, b.ndim, 2)
    left = _with_axis(n, a, -2, ndim) if row else aligned(n, a, ndim)
    right = _with_axis(n, b, -1, ndim) if column else aligned(n, b, ndim)
    out = matmul(left, right)
    out = _squeezed(out, -2) if row else out
    return _squeezed(out, -1) if column else out


def _with_axis(n: int, vector: Batched, axis: int, ndim: int) -> Tensor:
    """Return a vector as a matrix of one row (axis -2) or one column (axis -1)."""
    matrix = (1, *vector.shape) if axis == -2 else (*vector.shape, 1)
    if not vector.mapped:
        return reshape(vector.outer, matrix)
    return reshape(vector.outer, (n, *(1,) * (ndim - 2), *matrix))


def _squeezed(x: Tensor, axis: int) -> Tensor:
    shape = list(x.shape)
    del shape[axis]
    return reshape(x, shape)


def _linear(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    x, weight, bias = (*inputs, None)[:3]
    if not weight.mapped and (bias is None or not bias.mapped):
        return function(x.outer, weight.outer, lowered(bias))
    if function.__name__ == "project":
        axes = (0, 2, 1) if weight.mapped else (1, 0)
        weight = Batched(permute_dims(weight.outer, axes), weight.mapped)
    y = _matmul(n, matmul, [x, weight], {})
    return y if bias is None else elementwise(n, add, [Batched(y, True), bias], {})


# ---- indices -------------------------------------------------------------------------------------
def _together(index: tuple[Any, ...]) -> bool:
    """Say whether what *index* picks stays in its place when an axis is put in front."""
    picks = [i for i, p in enumerate(index) if not (p is None or p is ... or type(p) is slice)]
    arrays = [index[i] for i in picks if type(index[i]) is not int]
    if any(getattr(p, "ndim", 1) == 0 for p in arrays):
        return False
    return not arrays or picks == list(range(picks[0], picks[-1] + 1))


def _getitem(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    if not _together(attrs["index"]):
        return None
    return function(inputs[0].outer, (slice(None), *attrs["index"]))


def _scatter(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    if not _together(attrs["index"]):
        return None
    return function(inputs[0].outer, (n, *attrs["shape"]), (slice(None), *attrs["index"]))


def _put(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    x, value = inputs
    index = attrs["index"]
    if not _together(index) or any(isinstance(p, Tensor) for p in index):
        return None
    part = np.broadcast_to(np.False_, x.shape)[index].ndim
    if value.ndim > part:
        return None
    return function(whole(n, x), aligned(n, value, part), (slice(None), *index))


# ---- images: the batch axis joins that of the images ---------------------------------------------
#: operator -> how many of its inputs, the first ones, are images; the others are weights
_IMAGES = {
    "conv2d": 1,
    "conv2d_input_gradient": 1,
    "windows": 1,
    "windows_gradient": 1,
    "max_pool2d": 1,
    "max_pool2d_gradient": 3,
    "avg_pool2d": 1,
    "avg_pool2d_gradient": 1,
    "adaptive_avg_pool2d": 1,
    "adaptive_avg_pool2d_gradient": 1,
}


def folded(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    """Take the elements of the batch as further images, where the weights are the same for all."""
    count = _IMAGES[function.__name__]
    images, weights = inputs[:count], inputs[count:]
    if any(v is not None and v.mapped for v in weights):
        return None
    many = images[0].shape[0]
    if "shape" in attrs:
        attrs = {**attrs, "shape": (n * many, *attrs["shape"][1:])}
    found = function(*(joined(whole(n, v)) for v in images), *map(lowered, weights), **attrs)
    return reshape(found, (n, many, *found.shape[1:]))


def joined(x: Tensor) -> Tensor:
    """Return x with its first two axes as one."""
    return reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _attention(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    q, k, v, mask = inputs
    ndim = q.ndim
    if k.ndim != ndim or v.ndim != ndim or (mask is not None and mask.ndim > ndim):
        return None
    return function(*(whole(n, i) for i in (q, k, v)), aligned(n, mask, ndim), **attrs)


def _embedding(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    indices, weight = inputs
    return None if weight.mapped else function(indices.outer, weight.outer, **attrs)


# ---- which operator has which --------------------------------------------------------------------
_ELEMENTWISE = (
    "abs acos acosh add add_scaled addcdiv addcmul asin asinh astype atan atan2 atanh bitwise_and "
    "bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor ceil clip "
    "conjugate copy copysign cos cosh divide equal erf erfc erfinv exp expm1 floor floor_divide "
    "gelu gelu_gradient greater greater_equal hypot imag isfinite isinf isnan lerp less "
    "less_equal lgamma log log10 log1p log2 logaddexp logical_not maximum minimum multiply "
    "negative nextafter not_equal one_hot polygamma power power_scalar real relu relu_gradient "
    "remainder round share sigmoid sign signbit sin sinh softplus sqrt square subtract tan tanh "
    "trunc where"
)
_ALONG = (
    "all any argsort concat cumulative_argmax cumulative_prod cumulative_sum log_softmax logsumexp "
    "max mean min prod real_dft real_idft softmax softmax_gradient squeeze sum take_along_axis var"
)
#: operators on the last two axes, over all axes in front
_MATRICES = (
    "adjugate cholesky det eig_packed eigh_packed inv pinv qr_packed svd_packed slogdet_packed"
)


def enter(names: str | Sequence[str], rule: Rule) -> None:
    """Let *rule* be that of the operators *names*."""
    RULES.update(dict.fromkeys(names.split() if isinstance(names, str) else names, rule))


enter(_ELEMENTWISE, elementwise)
enter(_ALONG, along)
enter("argmax argmin", position)
enter(_MATRICES, stacks)
enter("expand_dims stack", added_axis)
enter("layer_norm layer_norm_gradient", normalized)
enter("reshape", _reshape)
enter("broadcast_to", _broadcast_to)
enter("permute_dims", _permute_dims)
enter("matmul", _matmul)
enter("linear project", _linear)
enter("getitem", _getitem)
enter("scatter", _scatter)
enter("put", _put)
enter(list(_IMAGES), folded)
enter("scaled_dot_product_attention", _attention)
enter("embedding", _embedding)
