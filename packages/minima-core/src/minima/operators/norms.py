"""Norms of vectors and matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ..dtypes import FLOAT32, is_floating
from ..errors import ArgumentError, ShapeError
from ..methods import Axis
from ..tensor import Tensor, TensorLike
from .arithmetic import power_scalar
from .axes import canonical_axes, kept_shape
from .comparison import where
from .composed import composite
from .exponential import abs as size
from .exponential import sqrt
from .lapack import as_type
from .manipulation import astype, expand_dims, permute_dims, reshape
from .reduction import max as largest
from .reduction import min as least
from .reduction import sum as total

__all__ = ["cdist", "norm"]

inf = float("inf")


def _sizes_of(x: Tensor) -> Tensor:
    """Return absolute values, of float16 as float32, in which squares find room."""
    x = x if is_floating(x.dtype) else astype(x, FLOAT32)
    return astype(size(x), FLOAT32) if x.dtype.itemsize == 2 else size(x)


def _real_type(x: Tensor) -> Any:
    """Return the type of a norm of *x*."""
    if x.dtype.kind == "c":
        return np.dtype(f"float{x.dtype.itemsize * 4}")
    return x.dtype if is_floating(x.dtype) else FLOAT32


def _powers(a: Tensor, p: float, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return ``sum(a**p)**(1 / p)`` with a gradient of 0 where a, or all of it, is 0."""
    zero = a == 0
    powered = power_scalar(where(zero, 1.0, a), p)
    whole = total(where(zero, 0.0 if p > 0 else inf, powered), axes, keepdims)
    none = (whole == 0) if p > 0 else (whole == inf)
    return where(none, 0.0, power_scalar(where(none, 1.0, whole), 1.0 / p))


def _euclidean(a: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return the root of the sum of squares, scaled so that none of them overflows."""
    if not a.size:
        return total(a, axes, keepdims)
    scale = largest(a.detach(), axes, True)
    scale = where((scale > 0) & (scale < inf), scale, 1.0)
    scaled = a / scale
    whole = total(scaled * scaled, axes, keepdims)
    none = whole == 0
    root = where(none, 0.0, sqrt(where(none, 1.0, whole)))
    return root * (scale if keepdims else reshape(scale, root.shape))


@composite
def vector_norm(
    x: TensorLike, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> Tensor:
    """Return ``sum(abs(x)**ord)**(1 / ord)`` along *axis*; None: of all elements.

    *ord* is any number: inf and -inf the largest and smallest size, 0 the number of elements that
    are not 0. Dtype: as x, the real one of a complex type.
    Gradient: 0 at elements that are 0, and at a norm of 0; at ties for inf and -inf as `max`.
    Raises: ArgumentError for inf and -inf of no elements, ShapeError for an axis that x lacks.

    >>> import minima as mi
    >>> mi.linalg.vector_norm(mi.Tensor([3.0, 4.0]))
    Tensor(5.)
    """
    return _vector_norm("vector_norm", x, axis, keepdims, ord)  # type: ignore[arg-type]


def _vector_norm(name: str, x: Tensor, axis: Axis, keepdims: bool, p: Any) -> Tensor:
    axes = canonical_axes(name, axis, x.ndim)
    if isinstance(p, str) or not isinstance(p, int | float):
        raise ArgumentError(f"{name}: got ord {p!r}; expected a number")
    a = _sizes_of(x)
    if p in (inf, -inf):
        found = (largest if p > 0 else least)(a, axes, keepdims)
    elif p == 0:
        found = total(astype(a != 0, a.dtype), axes, keepdims)
    elif p == 1:
        found = total(a, axes, keepdims)
    elif p == 2:
        found = _euclidean(a, axes, keepdims)
    else:
        found = _powers(a, float(p), axes, keepdims)
    return as_type(found, _real_type(x))


@composite
def matrix_norm(
    x: TensorLike, *, keepdims: bool = False, ord: float | str | None = "fro"
) -> Tensor:
    """Return norms of matrices, over the last two axes.

    *ord*: "fro" the root of the sum of squares, "nuc" the sum of singular values, 2 and -2 the
    largest and smallest of these, 1 and -1 the largest and smallest sum of sizes along columns,
    inf and -inf along rows.
    Dtype: as x, the real one of a complex type. Gradient: at ties as `max`; that of singular
    values for positive ones.
    Raises: ArgumentError for another *ord*, ShapeError for less than two axes.

    >>> import minima as mi
    >>> mi.linalg.matrix_norm(mi.Tensor([[3.0, 0.0], [0.0, 4.0]]), ord=2)
    Tensor(4.)
    """
    return _matrix_norm("matrix_norm", x, keepdims, ord)  # type: ignore[arg-type]


def _matrix_norm(name: str, x: Tensor, keepdims: bool, p: Any) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"{name}: got shape {x.shape}; expected matrices, (*, m, n)")
    shape = (*x.shape[:-2], 1, 1) if keepdims else x.shape[:-2]
    if p is None or p == "fro":
        return reshape(_vector_norm(name, x, (-2, -1), False, 2), shape)
    if p in ("nuc", 2, -2):
        from .decompositions import singular_values

        s = singular_values(x)
        found = total(s, -1) if p == "nuc" else _ends(largest if p == 2 else least, s)
    elif p in (1, -1, inf, -inf):
        sums = total(_sizes_of(x), -2 if abs(p) == 1 else -1)
        found = _ends(largest if p > 0 else least, sums)
    else:
        raise ArgumentError(
            f"{name}: got ord {p!r}; expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"
        )
    return reshape(as_type(found, _real_type(x)), shape)


def _ends(function: Callable[..., Tensor], x: Tensor) -> Tensor:
    """Return *function* along the last axis; 0 where it has no elements."""
    return function(x, -1) if x.shape[-1] else total(x, -1)


@composite
def norm(
    x: TensorLike, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False
) -> Tensor:
    """Return the norm of vectors or matrices, as NumPy's function of the name does.

    One *axis* holds vectors, two hold matrices; without it x is a vector or a matrix itself, or,
    for *ord* None, taken flat. None is the root of the sum of squares; see `vector_norm` and
    `matrix_norm` for the others.
    Raises: ArgumentError for an *ord* that does not go with the axes.

    >>> import minima as mi
    >>> mi.norm(mi.Tensor([[3.0, 0.0], [4.0, 0.0]]), axis=0)
    Tensor([5., 0.])
    """
    t: Tensor = x  # type: ignore[assignment]
    if axis is None and ord is None:
        return _vector_norm("norm", t, None, keepdims, 2)
    axes = canonical_axes("norm", axis, t.ndim)
    if len(axes) == 1:
        return _vector_norm("norm", t, axes, keepdims, 2 if ord is None else ord)
    if len(axes) != 2:
        raise ArgumentError(
            f"norm: got ord {ord!r} over {len(axes)} axes; expected one for vectors, or two for "
            "matrices"
        )
    order = [a for a in range(t.ndim) if a not in axes]
    found = _matrix_norm("norm", permute_dims(t, (*order, *axes)), False, ord)
    return reshape(found, kept_shape(t.shape, axes)) if keepdims else found


@composite
def cond(x: TensorLike, p: float | str | None = None) -> Tensor:
    """Return the condition numbers of matrices: ``norm(x) * norm(inv(x))`` of order *p*.

    None is 2: the largest over the smallest singular value, of any matrices.
    Raises: LinearAlgebraError where x is singular, for another *p* than 2 and -2.

    >>> import minima as mi
    >>> mi.linalg.cond(mi.Tensor([[4.0, 0.0], [0.0, 2.0]]))
    Tensor(2.)
    """
    t: Tensor = x  # type: ignore[assignment]
    if p in (None, 2, -2):
        high, low = (_matrix_norm("cond", t, False, q) for q in (2, -2))
        return low / high if p == -2 else high / low
    from .matrices import inv

    return _matrix_norm("cond", t, False, p) * _matrix_norm("cond", inv(t), False, p)


@composite
def cdist(x1: TensorLike, x2: TensorLike, *, p: float = 2.0) -> Tensor:
    """Return the p-norms of the differences of each row of x1 and each row of x2.

    Shapes: x1 (*, n, d), x2 (*, m, d) -> (*, n, m); leading axes broadcast. Memory: n * m * d.
    Gradient: 0 where a distance is 0. Raises: ShapeError when the last sizes differ.

    >>> import minima as mi
    >>> mi.cdist(mi.Tensor([[0.0, 0.0]]), mi.Tensor([[3.0, 4.0], [0.0, 0.0]]))
    Tensor([[5., 0.]])
    """
    a, b = cast("tuple[Tensor, Tensor]", (x1, x2))
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"cdist: got shapes {a.shape} and {b.shape}; expected (*, n, d) and (*, m, d)"
        )
    apart = expand_dims(a, a.ndim - 1) - expand_dims(b, b.ndim - 2)
    return _vector_norm("cdist", apart, -1, False, p)
