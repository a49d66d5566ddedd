"""Rules of layers and of indices: recurrent layers, normalisation, attention, systems of equations.

Where weights are the same for all elements, the batch joins that of the layer.
"""

from __future__ import annotations

from typing import Any

from ..operators import arange, expand_dims, permute_dims, reshape, squeeze
from ..tensor import Tensor
from .batched import Batched
from .rules import OWN, Function, aligned, enter, joined, lowered, shifted, whole

__all__: list[str] = []


# ---- systems of equations ------------------------------------------------------------------------
def _solve(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    a, b = inputs
    if a.ndim < 2 or not b.ndim:
        return None
    if b.ndim > 1:
        ndim = max(a.ndim, b.ndim)
        return function(aligned(n, a, ndim), aligned(n, b, ndim))
    columns = Batched(expand_dims(b.outer, b.outer.ndim), b.mapped)
    found = function(aligned(n, a, a.ndim), aligned(n, columns, a.ndim))
    return squeeze(found, -1)


# ---- layers --------------------------------------------------------------------------------------
def _batch_norm(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    x, *rest = inputs
    if any(v is not None and v.mapped for v in rest):
        return None
    found = function(joined(x.outer), *map(lowered, rest), **attrs)
    return reshape(found, (n, *x.shape))


#: recurrent layer -> how many of its inputs, after the gates, are states; the others are weights
_STATES = {"lstm": 2, "gru": 1, "rnn": 1}


def _recurrent(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    gates, *others = inputs
    count = _STATES[function.__name__]
    states, weights = others[:count], others[count:]
    if any(v is not None and v.mapped for v in weights):
        return None
    steps, many, size = gates.shape
    turned = permute_dims(whole(n, gates), (1, 0, 2, 3))
    given = [joined(whole(n, v)) for v in states]
    found = function(
        reshape(turned, (steps, n * many, size)), *given, *map(lowered, weights), **attrs
    )
    *lead, _, width = found.shape
    found = reshape(found, (*lead, n, many, width))
    at = len(lead)
    return permute_dims(found, (at, *range(at), at + 1, at + 2))


def _weights(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    q, k, mask = inputs
    if q.ndim != k.ndim or (mask is not None and mask.ndim > q.ndim):
        return None
    return function(whole(n, q), whole(n, k), aligned(n, mask, q.ndim), **attrs)


# ---- axes ----------------------------------------------------------------------------------------
def _dft(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    (x,) = inputs
    return function(x.outer, **{**attrs, "axes": shifted(attrs["axes"], x.ndim)})


def _diagonal(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    plane = {name: attrs[name] + 1 for name in ("axis1", "axis2")}
    return function(inputs[0].outer, offset=attrs["offset"], **plane)


def _scatter_along(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Tensor:
    given = (whole(n, v) for v in inputs)
    return function(*given, shape=(n, *attrs["shape"]), axis=attrs["axis"] + 1)


# ---- indices that differ from element to element -------------------------------------------------
def _own_index(n: int, index: tuple[Any, ...], own: bool) -> tuple[Any, ...] | None:
    """Return *index* for the whole batch, where arrays come first in it; else None.

    With *own* each element is indexed by its part: an array that counts the batch comes first.
    """
    count = sum(isinstance(p, Batched) for p in index)
    arrays = index[:count]
    if not count or not all(isinstance(p, Batched) and p.dtype.kind != "b" for p in arrays):
        return None
    if any(not (p is None or p is ... or type(p) is slice) for p in index[count:]):
        return None
    ndim = max(p.ndim for p in arrays)
    parts = tuple(aligned(n, p, ndim) for p in arrays)
    if own:
        place = next(p.outer.device for p in arrays)
        parts = (reshape(arange(n, device=place), (n, *(1,) * ndim)), *parts)
    return (*parts, *index[count:])


def _own_rows(n: int, function: Function, inputs: list[Any], attrs: dict[str, Any]) -> Any:
    """Pick, or add up, by indices that differ from element to element."""
    x = inputs[0]
    shape = attrs.get("shape")
    index = _own_index(n, attrs["index"], shape is not None or x.mapped)
    if index is None:
        return None
    if shape is None:
        return function(x.outer, index)
    return function(whole(n, x), (n, *shape), index)


enter("solve", _solve)
enter("batch_norm", _batch_norm)
enter(list(_STATES), _recurrent)
enter("attention_weights", _weights)
enter("dft", _dft)
enter("diagonal", _diagonal)
enter("scatter_along_axis", _scatter_along)
OWN.update(getitem=_own_rows, scatter=_own_rows)
