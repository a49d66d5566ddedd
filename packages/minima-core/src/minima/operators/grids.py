"""Grids of indices and of values: triangles, pairs, blocks, powers, steps of logarithms."""

from __future__ import annotations

from itertools import combinations as picked
from itertools import combinations_with_replacement as picked_again

import numpy as np
import numpy.typing as npt

from ..devices import Device
from ..dtypes import as_dtype, promote
from ..errors import ArgumentError, ShapeError
from ..explain import explained
from ..tensor import Tensor, TensorLike, as_tensor
from .composed import composite
from .creation import full, made, meshgrid
from .cumulative import cumulative_prod
from .indexing import getitem
from .joining import concat, stack
from .manipulation import astype, broadcast_to, expand_dims, reshape
from .rearrangement import flip
from .sorting import searchsorted

__all__ = [
    "block_diag",
    "bucketize",
    "cartesian_prod",
    "combinations",
    "logspace",
    "tril_indices",
    "triu_indices",
    "vander",
]

Place = str | Device | None


@explained
def tril_indices(
    rows: int, columns: int | None = None, offset: int = 0, *, device: Place = None
) -> Tensor:
    """Return row and column of each element of a lower triangle, row by row.

    Up to the diagonal with *offset*. Shapes: (2, n), to be taken apart as two. Dtype: int64.
    Raises: ArgumentError for a negative size.

    >>> import minima as mi
    >>> mi.tril_indices(2)
    Tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return made(np.stack(np.tril_indices(*_sizes("tril", rows, offset, columns))), device)


@explained
def triu_indices(
    rows: int, columns: int | None = None, offset: int = 0, *, device: Place = None
) -> Tensor:
    """Return row and column of each element of an upper triangle, row by row.

    From the diagonal with *offset*. Shapes: (2, n), to be taken apart as two. Dtype: int64.
    Raises: ArgumentError for a negative size.

    >>> import minima as mi
    >>> mi.triu_indices(2)
    Tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return made(np.stack(np.triu_indices(*_sizes("triu", rows, offset, columns))), device)


def _sizes(name: str, rows: int, offset: int, columns: int | None) -> tuple[int, int, int]:
    columns = rows if columns is None else columns
    if rows < 0 or columns < 0:
        raise ArgumentError(
            f"{name}_indices: got {rows} rows and {columns} columns; expected at least 0"
        )
    return rows, offset, columns


@explained
def cartesian_prod(*arrays: TensorLike) -> Tensor:
    """Return all tuples of an element of each array, the last varying first.

    Shapes: (n1,), (n2,), ... -> (n1 * n2 * ..., number of arrays); one array stays as it is.
    Gradient: added up over the tuples that an element is in.
    Raises: ShapeError for more than one axis, or no array.

    >>> import minima as mi
    >>> mi.cartesian_prod(mi.Tensor([1, 2]), mi.Tensor([3, 4]))
    Tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    if not arrays:
        raise ShapeError("cartesian_prod: got no arrays; expected at least one")
    given = [as_tensor(a, operation="cartesian_prod") for a in arrays]
    if len(given) == 1 and given[0].ndim == 1:
        return given[0]
    if any(t.ndim != 1 for t in given):
        shapes = [t.shape for t in given]
        raise ShapeError(f"cartesian_prod: got shapes {shapes}; expected arrays of one axis")
    grids = meshgrid(*given, indexing="ij")
    return stack([reshape(t, (t.size,)) for t in grids], axis=1)


@composite
def combinations(x: TensorLike, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Return all choices of *r* elements of x, in their order.

    *with_replacement*: an element may be chosen again. Shapes: (n,) -> (m, r). Gradient: added up
    over the choices that an element is in.
    Raises: ShapeError unless x has one axis, ArgumentError for a negative *r*.

    >>> import minima as mi
    >>> mi.combinations(mi.Tensor([1, 2, 3]))
    Tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    t = as_tensor(x)
    if t.ndim != 1:
        raise ShapeError(f"combinations: got shape {t.shape}; expected one axis")
    if r < 0:
        raise ArgumentError(f"combinations: got r={r}; expected at least 0")
    chosen = list((picked_again if with_replacement else picked)(range(t.size), r))
    return getitem(t, (np.asarray(chosen, np.int64).reshape(len(chosen), r),))


@explained
def block_diag(*arrays: TensorLike) -> Tensor:
    """Return the matrices along the diagonal of one, with zeros beside them.

    Vectors are taken as rows, numbers as matrices of one element. Dtype: the promoted one.
    Gradient: that of each block.
    Raises: ShapeError for more than two axes, or no array.

    >>> import minima as mi
    >>> mi.block_diag(mi.ones((1, 2)), mi.Tensor([[3.0]]))
    Tensor([[1., 1., 0.],
            [0., 0., 3.]])
    """
    if not arrays:
        raise ShapeError("block_diag: got no matrices; expected at least one")
    given = [as_tensor(a, operation="block_diag") for a in arrays]
    if any(t.ndim > 2 for t in given):
        shapes = [t.shape for t in given]
        raise ShapeError(f"block_diag: got shapes {shapes}; expected matrices")
    dtype = given[0].dtype
    for t in given[1:]:
        dtype = promote(dtype, t.dtype)
    blocks = [t if t.ndim == 2 else reshape(t, (1, t.size)) for t in given]
    blocks = [astype(t, dtype, copy=False) for t in blocks]
    width, left, rows = sum(t.shape[1] for t in blocks), 0, []
    for t in blocks:
        height, n = t.shape
        sides = [
            full((height, m), 0, dtype=dtype, device=t.device) for m in (left, width - left - n)
        ]
        rows.append(concat([sides[0], t, sides[1]], axis=1))
        left += n
    return concat(rows, axis=0)


@composite
def vander(x: TensorLike, n: int | None = None, *, increasing: bool = False) -> Tensor:
    """Return the powers n - 1, ..., 1, 0 of each element of x in its row.

    Or 0, 1, ... with *increasing*.

    Shapes: (*, m) -> (*, m, n), n is m unless given. Dtype: as x. Gradient: right at 0 too.
    Raises: ShapeError for a number, ArgumentError for a negative *n*.

    >>> import minima as mi
    >>> mi.vander(mi.Tensor([2.0, 3.0]), 3)
    Tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    t = as_tensor(x)
    if not t.ndim:
        raise ShapeError("vander: got a number; expected at least one axis")
    n = t.shape[-1] if n is None else n
    if n < 0:
        raise ArgumentError(f"vander: got n={n}; expected at least 0")
    first = full((*t.shape, min(n, 1)), 1, dtype=t.dtype, device=t.device)
    more = broadcast_to(expand_dims(t, t.ndim), (*t.shape, max(n - 1, 0)))
    powers = concat([first, astype(cumulative_prod(more, axis=-1), t.dtype, copy=False)], axis=-1)
    return powers if increasing else flip(powers, axis=-1)


@explained
def logspace(
    start: float,
    stop: float,
    num: int = 50,
    base: float = 10.0,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    endpoint: bool = True,
    requires_grad: bool = False,
) -> Tensor:
    """Return *num* numbers from base**start to base**stop, each the same multiple of the last.

    Dtype: float32 unless given.
    Raises: ArgumentError for a negative *num*.

    >>> import minima as mi
    >>> mi.logspace(0, 2, 3)
    Tensor([  1.,  10., 100.])
    """
    if num < 0:
        raise ArgumentError(f"logspace: got {num} numbers; expected at least 0")
    values = np.logspace(start, stop, num, endpoint=endpoint, base=base)
    return made(values.astype(as_dtype(dtype or "float32")), device, requires_grad)


@composite
def bucketize(x: TensorLike, boundaries: TensorLike, *, right: bool = False) -> Tensor:
    """Return which interval between *boundaries*, in ascending order, each element of x lies in.

    0 below all of them. A boundary itself belongs to the interval below it, with *right* to the one
    above. Shapes: x (*), boundaries (n,) -> (*). Dtype: int64. Gradient: none.
    Raises: ShapeError unless *boundaries* have one axis.

    >>> import minima as mi
    >>> mi.bucketize(mi.Tensor([0.0, 1.0, 5.0]), mi.Tensor([1.0, 3.0]))
    Tensor([0, 0, 2])
    """
    return searchsorted(boundaries, x, side="right" if right else "left")
