"""Tensors cut into several and joined into one, along axes that they have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor, TensorLike, as_tensor
from .axes import canonical_axis
from .composed import composite
from .indexing import getitem
from .manipulation import concat, stack
from .rearrangement import atleast_1d, atleast_2d, atleast_3d

__all__ = [
    "array_split",
    "chunk",
    "column_stack",
    "concatenate",
    "dstack",
    "hstack",
    "split",
    "unbind",
    "unstack",
    "vstack",
]


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
