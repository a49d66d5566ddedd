"""Writing by a mask as a choice for each element, which a plan can replay."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor

__all__ = ["mask_and_value"]


def mask_and_value(x: Tensor, index: Any, value: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return a mask and a value, both broadcast to x, that say what ``x[index] = value`` does.

    That is so of one mask among slices of whole axes, where the value does not depend on how many
    elements the mask picks; else None.
    """
    parts = index if isinstance(index, tuple) else (index,)
    masks = [p for p in parts if isinstance(p, Tensor) and p.dtype.kind == "b"]
    others = [p for p in parts if not isinstance(p, Tensor)]
    if len(masks) != 1 or len(others) != len(parts) - 1 or others.count(Ellipsis) > 1:
        return None
    if any(p is not Ellipsis and not (type(p) is slice and p == slice(None)) for p in others):
        return None
    (mask,) = masks
    at = [p is mask for p in parts].index(True)
    behind = len(parts) - at - 1
    axis = x.ndim - mask.ndim - behind if Ellipsis in parts[:at] else at
    if mask._device is not x._device or axis < 0:
        return None
    if x.shape[axis : axis + mask.ndim] != mask.shape or len(parts) - 1 > x.ndim:
        return None
    rest = x.ndim - axis - mask.ndim
    shape = value.shape
    if len(shape) > rest:
        cut = len(shape) - rest
        if shape[cut - 1] != 1 or cut - 1 > axis:
            return None
        shape = (*shape[: cut - 1], *(1,) * mask.ndim, *shape[cut:])
    if any(n not in (1, m) for n, m in zip(reversed(shape), reversed(x.shape))):
        return None
    return mask.reshape((*mask.shape, *(1,) * rest)), value.reshape(shape)
