"""Products of vectors, matrices and tensors, composed of `matmul`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy.typing as npt

from ..errors import ArgumentError, ShapeError
from ..tensor import Tensor, TensorLike
from .axes import canonical_axes, canonical_axis
from .complex import conjugated
from .composed import composite
from .indexing import getitem
from .joining import stack
from .linear_algebra import matmul
from .manipulation import expand_dims, permute_dims, reshape, transpose
from .rearrangement import diagonal, moveaxis
from .reduction import sum as total

__all__ = [
    "bilinear",
    "cross",
    "dot",
    "inner",
    "kron",
    "matrix_transpose",
    "outer",
    "tensordot",
    "trace",
    "vdot",
    "vecdot",
]


@composite
def matrix_transpose(x: TensorLike) -> Tensor:
    """Return a view with the last two axes swapped.

    Raises: ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.matrix_transpose(mi.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    if x.ndim < 2:  # type: ignore[union-attr]
        raise ShapeError(
            f"matrix_transpose: got shape {x.shape}; expected matrices, (*, m, n)"  # type: ignore[union-attr]
        )
    return transpose(x)


@composite
def outer(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the products of each element of the vector a with each of the vector b.

    Shapes: a (n), b (m) -> (n, m). Raises: ShapeError unless both are vectors.

    >>> import minima as mi
    >>> mi.outer(mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0]))
    Tensor([[3., 4.],
            [6., 8.]])
    """
    left, right = _pair(a, b)
    if left.ndim != 1 or right.ndim != 1:
        raise ShapeError(
            f"outer: got shapes {left.shape} and {right.shape}; expected two vectors: use .ravel()"
        )
    return expand_dims(left, 1) * expand_dims(right, 0)


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Return the inputs as what `composite` has made them."""
    return a, b


@composite
def dot(a: TensorLike, b: TensorLike) -> Tensor:
    """Return NumPy's dot: the sum of products over the last axis of a and the last but one of b.

    The last of b where it is a vector, the plain product where one is a number.
    Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.dot(mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    left, right = _pair(a, b)
    if not left.ndim or not right.ndim:
        return left * right
    if right.ndim <= 2:
        return matmul(left, right)
    return _contract("dot", left, right, (left.ndim - 1,), (right.ndim - 2,))


@composite
def inner(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the sums of products over the last axes of both, without a conjugate.

    Shapes: a (*, k), b (+, k) -> (*, +). Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.inner(mi.Tensor([[1.0, 2.0], [0.0, 1.0]]), mi.Tensor([3.0, 4.0]))
    Tensor([11.,  4.])
    """
    left, right = _pair(a, b)
    if not left.ndim or not right.ndim:
        return left * right
    return _contract("inner", left, right, (left.ndim - 1,), (right.ndim - 1,))


@composite
def tensordot(a: TensorLike, b: TensorLike, *, axes: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """Return the sums of products over several axes.

    *axes*: how many, the last of a and the first of b; or two sequences that name them.
    Shapes: the other axes of a, then those of b.
    Raises: ShapeError when sizes differ, ArgumentError for different numbers of axes.

    >>> import minima as mi
    >>> mi.tensordot(mi.ones((2, 3, 4)), mi.ones((3, 4, 5))).shape
    (2, 5)
    """
    left, right = _pair(a, b)
    if hasattr(axes, "__index__"):
        n = int(axes)
        if n < 0 or n > min(left.ndim, right.ndim):
            raise ArgumentError(
                f"tensordot: got axes={n} for shapes {left.shape} and {right.shape}; expected 0 to "
                f"{min(left.ndim, right.ndim)}"
            )
        return _contract(
            "tensordot", left, right, tuple(range(left.ndim - n, left.ndim)), tuple(range(n))
        )
    named: Any = axes
    first, second = (
        canonical_axes("tensordot", tuple(p) if hasattr(p, "__len__") else p, t.ndim)
        for p, t in zip(named, (left, right))
    )
    if len(first) != len(second):
        raise ArgumentError(
            f"tensordot: got axes {axes!r}; expected as many of the first input as of the second"
        )
    return _contract("tensordot", left, right, first, second)


def _contract(
    name: str, a: Tensor, b: Tensor, first: tuple[int, ...], second: tuple[int, ...]
) -> Tensor:
    """Return the sums of products over *first* of a and *second* of b: one product of matrices."""
    shared = [a.shape[i] for i in first]
    if shared != [b.shape[i] for i in second]:
        raise ShapeError(
            f"{name}: axes {first} of shape {a.shape} and {second} of shape {b.shape} differ in "
            "size; expected equal ones"
        )
    rows = [i for i in range(a.ndim) if i not in first]
    columns = [i for i in range(b.ndim) if i not in second]
    kept = [a.shape[i] for i in rows], [b.shape[i] for i in columns]
    left = reshape(permute_dims(a, (*rows, *first)), (prod(kept[0]), prod(shared)))
    right = reshape(permute_dims(b, (*second, *columns)), (prod(shared), prod(kept[1])))
    return reshape(matmul(left, right), (*kept[0], *kept[1]))


@composite
def vecdot(a: TensorLike, b: TensorLike, *, axis: int = -1) -> Tensor:
    """Return the sums of ``conj(a) * b`` along *axis*; the other axes broadcast.

    Raises: ShapeError when the sizes along *axis* differ.

    >>> import minima as mi
    >>> mi.vecdot(mi.Tensor([1.0, 2.0]), mi.Tensor([[3.0, 4.0], [5.0, 6.0]]))
    Tensor([11., 17.])
    """
    left, right = _pair(a, b)
    places = [canonical_axis("vecdot", axis, t.ndim) for t in (left, right)]
    if left.shape[places[0]] != right.shape[places[1]]:
        raise ShapeError(
            f"vecdot: got shapes {left.shape} and {right.shape}; expected equal sizes along axis "
            f"{axis}"
        )
    left, right = moveaxis(left, places[0], -1), moveaxis(right, places[1], -1)
    found = matmul(expand_dims(conjugated(left), left.ndim - 1), expand_dims(right, right.ndim))
    return reshape(found, found.shape[:-2])


@composite
def vdot(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the product of all elements of a, conjugated, and of b, in their order.

    Shapes: as many elements each -> (). Raises: ShapeError otherwise.

    >>> import minima as mi
    >>> mi.vdot(mi.Tensor([1.0, 2.0]), mi.Tensor([3.0, 4.0]))
    Tensor(11.)
    """
    x, y = (reshape(t, (t.size,)) for t in _pair(a, b))
    if x.size != y.size:
        raise ShapeError(f"vdot: got {x.size} and {y.size} elements; expected as many")
    return matmul(conjugated(x), y)


@composite
def kron(a: TensorLike, b: TensorLike) -> Tensor:
    """Return the Kronecker product: b, in place of each element of a, times it.

    Shapes: the sizes are those of a times those of b; missing leading axes are 1.

    >>> import minima as mi
    >>> mi.kron(mi.Tensor([1.0, 10.0]), mi.Tensor([1.0, 2.0]))
    Tensor([ 1.,  2., 10., 20.])
    """
    left, right = _pair(a, b)
    ndim = max(left.ndim, right.ndim)
    one, two = ((1,) * (ndim - t.ndim) + t.shape for t in (left, right))
    spread = reshape(left, [n for m in one for n in (m, 1)])
    inside = reshape(right, [n for m in two for n in (1, m)])
    return reshape(spread * inside, [n * m for n, m in zip(one, two)])


@composite
def trace(x: TensorLike, *, offset: int = 0, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return the sums of the diagonals of matrices, over the last two axes.

    Shapes: (*, m, n) -> (*). Dtype: as `sum`, or *dtype*.
    Raises: ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.trace(mi.Tensor([[1.0, 2.0], [3.0, 4.0]]))
    Tensor(5.)
    """
    return total(diagonals("trace", x, offset), -1, dtype=dtype)


def diagonals(name: str, x: Any, offset: int) -> Tensor:
    """Return the diagonals in the last two axes.

    >>> import minima as mi
    >>> diagonals("trace", mi.zeros((5, 2, 3)), 0).shape
    (5, 2)
    """
    if x.ndim < 2:
        raise ShapeError(f"{name}: got shape {x.shape}; expected matrices, (*, m, n)")
    return diagonal(x, offset, -2, -1)


@composite
def cross(a: TensorLike, b: TensorLike, *, axis: int = -1) -> Tensor:
    """Return the vector products along *axis*, of size 3; the other axes broadcast.

    Raises: ShapeError for another size.

    >>> import minima as mi
    >>> mi.linalg.cross(mi.Tensor([1.0, 0.0, 0.0]), mi.Tensor([0.0, 1.0, 0.0]))
    Tensor([0., 0., 1.])
    """
    parts = []
    for t in _pair(a, b):
        place = canonical_axis("cross", axis, t.ndim)
        if t.shape[place] != 3:
            raise ShapeError(f"cross: got size {t.shape[place]} along axis {axis}; expected 3")
        last = moveaxis(t, place, -1)
        parts.append([getitem(last, (..., i)) for i in range(3)])
    left, right = parts
    found = [left[i] * right[j] - left[j] * right[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return moveaxis(stack(found, axis=-1), -1, axis)


@composite
def bilinear(
    x1: TensorLike, x2: TensorLike, weight: TensorLike, bias: TensorLike | None = None
) -> Tensor:
    """Return ``sum(x1[i] * weight[:, i, j] * x2[j]) + bias`` over i and j.

    Shapes: x1 (*, in1), x2 (*, in2), weight (out, in1, in2), bias (out) -> (*, out).
    Raises: ShapeError when the sizes differ.

    >>> import minima as mi
    >>> mi.bilinear(mi.ones((4, 2)), mi.ones((4, 3)), mi.ones((5, 2, 3))).shape
    (4, 5)
    """
    first, second = _pair(x1, x2)
    w: Tensor = weight  # type: ignore[assignment]
    sizes = (first.shape[-1:], second.shape[-1:])
    if w.ndim != 3 or sizes != (w.shape[1:2], w.shape[2:]) or first.shape[:-1] != second.shape[:-1]:
        raise ShapeError(
            f"bilinear: got x1 {first.shape}, x2 {second.shape}, weight {w.shape}; expected x1 of "
            "shape (*, in1), x2 (*, in2) and a weight of shape (out, in1, in2)"
        )
    inside = _contract("bilinear", first, w, (first.ndim - 1,), (1,))  # (*, out, in2)
    y = matmul(inside, expand_dims(second, second.ndim))
    y = reshape(y, y.shape[:-1])
    return y if bias is None else y + bias


@composite
def multi_dot(arrays: Sequence[TensorLike]) -> Tensor:
    """Return the product of several matrices, in the order that takes the fewest products.

    The first and the last may be vectors.
    Raises: ArgumentError for less than two, ShapeError for other numbers of axes.

    >>> import minima as mi
    >>> mi.linalg.multi_dot([mi.ones((2, 9)), mi.ones((9, 9)), mi.ones(9)]).shape
    (2,)
    """
    given: list[Tensor] = list(arrays)  # type: ignore[arg-type]
    if len(given) < 2:
        raise ArgumentError(f"multi_dot: got {len(given)} arrays; expected at least two")
    ends = (0, len(given) - 1)
    for i, t in enumerate(given):
        if t.ndim != 2 and not (t.ndim == 1 and i in ends):
            raise ShapeError(f"multi_dot: input {i} has shape {t.shape}; expected a matrix")
    sizes = [given[0].shape[0] if given[0].ndim == 2 else 1]
    sizes += [t.shape[0] if i and t.ndim == 1 else t.shape[-1] for i, t in enumerate(given)][:-1]
    sizes.append(given[-1].shape[-1] if given[-1].ndim == 2 else 1)
    return _chain(given, _splits(sizes), 0, len(given) - 1)


def _splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return, for each stretch of a chain of matrices, behind which of them to part it."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    best: dict[tuple[int, int], int] = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j], best[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )
    return best


def _chain(given: list[Tensor], best: dict[tuple[int, int], int], i: int, j: int) -> Tensor:
    if i == j:
        return given[i]
    k = best[i, j]
    return matmul(_chain(given, best, i, k), _chain(given, best, k + 1, j))
