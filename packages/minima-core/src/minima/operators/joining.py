"""Tensors joined into one and cut into several, along axes that they have or new ones."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from ..errors import ArgumentError, ShapeError
from ..explain import explained
from ..tensor import Tensor, TensorLike, as_tensor
from .axes import canonical_axis
from .composed import composite
from .indexing import getitem
from .manipulation import reshape
from .table import Arrays, operator

__all__ = [
    "array_split",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "chunk",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "split",
    "stack",
    "unbind",
    "unstack",
    "vstack",
]


@operator
def concat_(xp: Any, arrays: Arrays, *, axis: int = 0) -> Any:
    """Join tensors along an axis that they have.

    Shapes: equal but for *axis*. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.concat([mi.Tensor([1.0]), mi.Tensor([2.0, 3.0])])
    Tensor([1., 2., 3.])
    """
    return xp.concat(arrays, axis=axis)


@concat_.prepare
def _(tensors: tuple[Tensor, ...], axis: int) -> dict[str, Any]:
    _same("concat", tensors)
    first = tensors[0].shape
    place = canonical_axis("concat", axis, len(first))
    for i, t in enumerate(tensors):
        if t.shape[:place] + t.shape[place + 1 :] != first[:place] + first[place + 1 :]:
            raise ShapeError(
                f"concat: input {i} has shape {t.shape}, the first {first}; expected equal sizes "
                f"but along axis {place}"
            )
    return {"axis": place}


@concat_.gradient(saves="")
def _(g: Tensor, y: Any, tensors: tuple[Any, ...], axis: int) -> Any:
    def part(start: int, stop: int) -> Any:
        return lambda: getitem(g, (slice(None),) * axis + (slice(start, stop),))

    parts, start = [], 0
    for t in tensors:
        parts.append(part(start, start + t.shape[axis]))
        start += t.shape[axis]
    return tuple(parts)


@explained
def concat(arrays: Sequence[TensorLike], *, axis: int | None = 0) -> Tensor:
    """Join tensors along an axis that they have; with *axis* None flat ones, of any shapes.

    Shapes: equal but for *axis*. Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.concat([mi.Tensor([1.0]), mi.Tensor([2.0, 3.0])])
    Tensor([1., 2., 3.])
    """
    if axis is not None:
        return concat_(arrays, axis=axis)
    flat = [as_tensor(t, operation="concat") for t in arrays]
    return concat_([reshape(t, (t.size,)) for t in flat], axis=0)


@operator
def stack(xp: Any, arrays: Arrays, *, axis: int = 0) -> Any:
    """Join tensors of equal shape along a new axis.

    Dtype: the promoted one.

    >>> import minima as mi
    >>> mi.stack([mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0])])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return xp.stack(arrays, axis=axis)


@stack.prepare
def _(tensors: tuple[Tensor, ...], axis: int) -> dict[str, Any]:
    _same("stack", tensors)
    for i, t in enumerate(tensors):
        if t.shape != tensors[0].shape:
            raise ShapeError(
                f"stack: input {i} has shape {t.shape}, the first {tensors[0].shape}; "
                "expected equal ones"
            )
    return {"axis": canonical_axis("stack", axis, tensors[0].ndim + 1)}


@stack.gradient(saves="")
def _(g: Tensor, y: Any, tensors: tuple[Any, ...], axis: int) -> Any:
    def part(i: int) -> Any:
        return lambda: getitem(g, (slice(None),) * axis + (i,))

    return tuple(part(i) for i in range(len(tensors)))


def _same(name: str, tensors: tuple[Tensor, ...]) -> None:
    """Raise unless there are tensors, all with the same number of axes."""
    if not tensors:
        raise ArgumentError(f"{name}: got no tensors; expected at least one")
    if len({t.ndim for t in tensors}) > 1:
        shapes = ", ".join(str(t.shape) for t in tensors)
        raise ShapeError(f"{name}: got shapes {shapes}; expected the same number of axes")


@composite
def atleast_1d(x: TensorLike) -> Tensor:
    """Return x, with an axis of size 1 if it has none.

    >>> import minima as mi
    >>> mi.atleast_1d(2.0)
    Tensor([2.])
    """
    t = as_tensor(x)
    return t if t.ndim else reshape(t, (1,))


@composite
def atleast_2d(x: TensorLike) -> Tensor:
    """Return x, with axes of size 1 in front until it has two.

    >>> import minima as mi
    >>> mi.atleast_2d(mi.Tensor([1.0, 2.0])).shape
    (1, 2)
    """
    t = as_tensor(x)
    return t if t.ndim > 1 else reshape(t, (1,) * (2 - t.ndim) + t.shape)


@composite
def atleast_3d(x: TensorLike) -> Tensor:
    """Return x, with axes of size 1 until it has three: (n,) -> (1, n, 1), (m, n) -> (m, n, 1).

    >>> import minima as mi
    >>> mi.atleast_3d(mi.Tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """
    t = as_tensor(x)
    if t.ndim > 2:
        return t
    return reshape(t, {0: (1, 1, 1), 1: (1, *t.shape, 1), 2: (*t.shape, 1)}[t.ndim])


def _cut(t: Tensor, axis: int, ends: Sequence[int]) -> tuple[Tensor, ...]:
    """Return views of *t* between 0, each of *ends*, and the end of *axis*."""
    ahead = (slice(None),) * axis
    bounds = pairwise((0, *ends, t.shape[axis]))
    return tuple(getitem(t, (*ahead, slice(start, max(start, stop)))) for start, stop in bounds)


@composite
def unstack(x: TensorLike, *, axis: int = 0) -> tuple[Tensor, ...]:
    """Return views of x at each index of *axis*, without that axis: the inverse of `stack`.

    >>> import minima as mi
    >>> mi.unstack(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    (Tensor([1., 2.]), Tensor([3., 4.]))
    """
    t = as_tensor(x)
    place = canonical_axis("unstack", axis, t.ndim)
    ahead = (slice(None),) * place
    return tuple(getitem(t, (*ahead, i)) for i in range(t.shape[place]))


@composite
def unbind(x: TensorLike, axis: int = 0) -> tuple[Tensor, ...]:
    """Return views of x at each index of *axis*; another name of `unstack`.

    >>> import minima as mi
    >>> mi.unbind(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    (Tensor([1., 2.]), Tensor([3., 4.]))
    """
    return unstack(x, axis=axis)


@composite
def split(x: TensorLike, sizes: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Cut x along *axis* into views of *sizes*, or of one size each but for a smaller last one.

    As PyTorch's; for a number of parts see `chunk` and `array_split`.
    Raises: ArgumentError for a size that is too small, ShapeError unless several sizes add up to
    that of the axis.

    >>> import minima as mi
    >>> mi.split(mi.Tensor([1.0, 2.0, 3.0]), 2)
    (Tensor([1., 2.]), Tensor([3.]))
    """
    t = as_tensor(x)
    place = canonical_axis("split", axis, t.ndim)
    size = t.shape[place]
    if isinstance(sizes, tuple | list):
        if any(n < 0 for n in sizes) or sum(sizes) != size:
            raise ShapeError(
                f"split: got sizes {tuple(sizes)} for axis {place} of size {size}; expected "
                f"numbers of at least 0 that add up to {size}"
            )
        return _cut(t, place, list(accumulate(sizes))[:-1]) if sizes else ()
    if sizes < 1:  # type: ignore[operator]
        raise ArgumentError(f"split: got size {sizes}; expected at least 1")
    return _cut(t, place, range(sizes, size, sizes))  # type: ignore[arg-type]


@composite
def chunk(x: TensorLike, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
    """Cut x along *axis* into at most *chunks* views of one size, the last of which may be smaller.

    Raises: ArgumentError for fewer than one.

    >>> import minima as mi
    >>> mi.chunk(mi.Tensor([1.0, 2.0, 3.0]), 2)
    (Tensor([1., 2.]), Tensor([3.]))
    """
    t = as_tensor(x)
    if chunks < 1:
        raise ArgumentError(f"chunk: got {chunks} chunks; expected at least 1")
    size = t.shape[canonical_axis("chunk", axis, t.ndim)]
    return split(t, max(1, -(-size // chunks)), axis)


@composite
def array_split(x: TensorLike, parts: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """Cut x along *axis* into that many views, or before each index of *parts*.

    As NumPy's: sizes differ by one at most, the larger views first.
    Raises: ArgumentError for fewer than one part.

    >>> import minima as mi
    >>> mi.array_split(mi.Tensor([1.0, 2.0, 3.0]), 2)
    (Tensor([1., 2.]), Tensor([3.]))
    """
    t = as_tensor(x)
    place = canonical_axis("array_split", axis, t.ndim)
    size = t.shape[place]
    if isinstance(parts, tuple | list):
        found = [min(size, n + size if n < 0 else n) for n in parts]
        return _cut(t, place, [max(0, n) for n in found])
    if parts < 1:  # type: ignore[operator]
        raise ArgumentError(f"array_split: got {parts} parts; expected at least 1")
    least, more = divmod(size, parts)  # type: ignore[operator]
    ends = [(i + 1) * least + min(i + 1, more) for i in range(parts - 1)]  # type: ignore[operator]
    return _cut(t, place, ends)


@composite
def concatenate(arrays: Sequence[TensorLike], axis: int | None = 0) -> Tensor:
    """Join tensors along an axis that they have; NumPy's name of `concat`.

    >>> import minima as mi
    >>> mi.concatenate([mi.Tensor([1.0]), mi.Tensor([2.0, 3.0])])
    Tensor([1., 2., 3.])
    """
    return concat(arrays, axis=axis)


@composite
def hstack(arrays: Sequence[TensorLike]) -> Tensor:
    """Join tensors along axis 1, or 0 where they have one axis.

    >>> import minima as mi
    >>> mi.hstack([mi.Tensor([1.0]), mi.Tensor([2.0, 3.0])])
    Tensor([1., 2., 3.])
    """
    found = [atleast_1d(t) for t in arrays]
    return concat(found, axis=1 if found and found[0].ndim > 1 else 0)


@composite
def vstack(arrays: Sequence[TensorLike]) -> Tensor:
    """Join tensors along axis 0; those of one axis become rows.

    >>> import minima as mi
    >>> mi.vstack([mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0])])
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return concat([atleast_2d(t) for t in arrays], axis=0)


@composite
def dstack(arrays: Sequence[TensorLike]) -> Tensor:
    """Join tensors along axis 2, which those of fewer axes are given.

    >>> import minima as mi
    >>> mi.dstack([mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0])])
    Tensor([[[1., 3.],
             [2., 4.]]])
    """
    return concat([atleast_3d(t) for t in arrays], axis=2)


@composite
def column_stack(arrays: Sequence[TensorLike]) -> Tensor:
    """Join tensors along axis 1; those of one axis become columns.

    >>> import minima as mi
    >>> mi.column_stack([mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0])])
    Tensor([[1., 3.],
            [2., 4.]])
    """
    found = [as_tensor(t) for t in arrays]
    if found and max(t.ndim for t in found) < 2:
        return stack([t.reshape(-1) for t in found], axis=1)
    return concat([t.reshape(-1, 1) if t.ndim < 2 else t for t in found], axis=1)
