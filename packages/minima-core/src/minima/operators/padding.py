"""Elements around a tensor: given ones, or its own, mirrored, repeated or taken round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor, TensorLike
from .composed import composite
from .creation import full
from .indexing import getitem, put, scatter
from .joining import concat
from .manipulation import broadcast_to, copy

__all__ = ["pad"]

#: one number, (before, after), or such a pair for each axis
Width: TypeAlias = "int | Sequence[int] | Sequence[Sequence[int]]"


def _reflected(places: Any, n: int) -> Any:
    if n == 1:
        return places * 0
    round_trip = places % (2 * (n - 1))
    return np.minimum(round_trip, 2 * (n - 1) - round_trip)


#: mode -> the place in an axis of size n that stands at each of *places*, which may lie beyond it
MODES: dict[str, Callable[[Any, int], Any]] = {
    "reflect": _reflected,
    "replicate": lambda places, n: np.clip(places, 0, n - 1),
    "circular": lambda places, n: places % n,
}


@composite
def pad(
    x: TensorLike, pad_width: Width, mode: str = "constant", value: complex | bool = 0
) -> Tensor:
    """Return x with elements before and after it along each axis.

    *pad_width* is one number for all sides, a pair (before, after) for all axes, or a pair for each
    axis, in the order of the axes. Negative numbers cut off. *mode* is "constant" (*value*),
    "reflect" (mirrored, the border not repeated), "replicate" (the border repeated) or "circular"
    (from the other end); widths beyond the size of x go on in the same way.

    Dtype: as x. Gradient: added up where an element stands more than once; none to *value*.
    Raises: ArgumentError for an unknown mode, ShapeError when the widths do not fit the axes, cut
    off more than there is, or need an element of an axis that has none.

    >>> import minima as mi
    >>> mi.pad(mi.Tensor([1.0, 2.0, 3.0]), (2, 1), "reflect")
    Tensor([3., 2., 1., 2., 3., 2.])
    >>> mi.pad(mi.Tensor([[1.0, 2.0]]), ((0, 1), (-1, 2)), value=9.0)
    Tensor([[2., 9., 9.],
            [9., 9., 9.]])
    """
    y: Any = x
    widths = _widths(pad_width, y.shape)
    if mode in ("constant", *MODES) and not any(n > 0 for pair in widths for n in pair):
        return copy(_cut(y, widths))  # never x itself or a view, whatever the widths are
    if mode == "constant":
        return _constant(y, widths, value)
    if mode not in MODES:
        raise ArgumentError(f"pad: got mode {mode!r}; expected one of constant, {', '.join(MODES)}")
    y = _cut(y, widths) if mode == "circular" else y
    for axis, (before, after) in enumerate(widths):
        if mode == "circular":
            before, after = max(before, 0), max(after, 0)
        if before or after:
            y = _extended(y, axis, before, after, mode)
    return y  # type: ignore[no-any-return]


def _widths(given: Any, shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return *given* as a pair for each axis, none of which cuts off more than there is."""
    try:
        table = np.asarray(given)
        wide = np.broadcast_to(table, (len(shape), 2))
    except ValueError:
        wide = None
    if wide is None or (table.ndim == 2 and table.shape[1] != 2):
        raise ShapeError(
            f"pad: got pad_width {given!r} for shape {shape}; expected a number, a pair, or "
            f"{len(shape)} pairs (before, after)"
        )
    if table.size and table.dtype.kind not in "iu":
        raise DTypeError(f"pad: got pad_width {given!r}; expected integers")
    found = [(int(a), int(b)) for a, b in wide]
    for axis, ((a, b), n) in enumerate(zip(found, shape)):
        if n + min(a, 0) + min(b, 0) < 0:
            raise ShapeError(
                f"pad: got pad_width {(a, b)} for axis {axis} of size {n}; expected to cut off at "
                "most as many elements as there are"
            )
    return found


def _cut(x: Tensor, widths: list[tuple[int, int]]) -> Tensor:
    """Return x without what negative widths cut off."""
    if all(a >= 0 and b >= 0 for a, b in widths):
        return x
    index = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, x.shape))
    return getitem(x, index)


def _constant(x: Any, widths: list[tuple[int, int]], value: Any) -> Tensor:
    inner = _cut(x, widths)
    around = [(max(a, 0), max(b, 0)) for a, b in widths]
    if not any(a or b for a, b in around):
        return inner
    shape = tuple(a + n + b for (a, b), n in zip(around, inner.shape))
    index = tuple(slice(a, a + n) for (a, _), n in zip(around, inner.shape))
    if value == 0:
        return scatter(inner, shape, index)
    return put(full(shape, value, dtype=x.dtype, device=x.device), inner, index)


@lru_cache(maxsize=256)
def _runs(n: int, before: int, after: int, mode: str) -> tuple[tuple[slice, int], ...]:
    """Return slices of an axis of size n that, joined, are the padded one; and their sizes.

    A size other than the slice's says that its one element is repeated.
    """
    places = MODES[mode](np.arange(-before, n + after), n).tolist()
    found: list[tuple[slice, int]] = []
    start = 0
    while start < len(places):
        stop = start + 1
        step = places[stop] - places[start] if stop < len(places) else 1
        step = step if step in (-1, 0, 1) else 1
        while stop < len(places) and places[stop] - places[stop - 1] == step:
            stop += 1
        first, end = places[start], places[stop - 1] + (step or 1)
        part = slice(first, None if end < 0 else end, -1 if step < 0 else 1)
        found.append((part, stop - start))
        start = stop
    return tuple(found)


def _extended(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Return x with what *mode* says around it along one axis."""
    n = x.shape[axis]
    if not n and before + after > 0:
        raise ShapeError(
            f"pad: axis {axis} of shape {x.shape} has no elements to {mode}; expected at least one"
        )
    lead = (slice(None),) * axis
    if not n + before + after:
        return getitem(x, (*lead, slice(0)))
    parts = []
    for part, size in _runs(n, before, after, mode):
        piece = getitem(x, (*lead, part))
        if piece.shape[axis] != size:
            piece = broadcast_to(piece, (*x.shape[:axis], size, *x.shape[axis + 1 :]))
        parts.append(piece)
    return concat(parts, axis=axis)
