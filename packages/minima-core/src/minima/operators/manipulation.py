"""Shape and layout: most of these return views over the same memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..devices import Device
from ..dtypes import as_dtype
from ..errors import ArgumentError, DTypeError, ShapeError
from ..explain import explained
from ..methods import Axis
from ..tensor import Tensor, TensorLike, as_tensor
from .axes import canonical_axes, canonical_axis
from .table import Array, operator, sum_to

__all__ = [
    "astype",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "copy",
    "expand_dims",
    "flatten",
    "permute_dims",
    "reshape",
    "squeeze",
    "transpose",
]


@operator
def copy(xp: Any, x: Array) -> Any:
    """Return a copy in memory of its own.

    >>> import minima as mi
    >>> mi.operators.copy(mi.Tensor([1.0, 2.0]))
    Tensor([1., 2.])
    """
    return xp.asarray(x, copy=True)


@copy.gradient(saves="")
def _(g: Tensor, y: Any, x: Any) -> Any:
    return g


@operator(promotes=False)
def astype_(xp: Any, x: Array, dtype: npt.DTypeLike) -> Any:
    """Return a copy with elements of *dtype*.

    Gradient: cast back to the type of x; none to or from integers.

    >>> import minima as mi
    >>> mi.astype(mi.Tensor([1.5, 2.5]), "int64")
    Tensor([1, 2])
    """
    return xp.astype(x, dtype)


@astype_.prepare
def _(x: Tensor, dtype: npt.DTypeLike) -> dict[str, Any]:
    found = as_dtype(dtype)
    if x.dtype.kind == "c" and found.kind not in "cb":
        raise DTypeError(
            f"astype: {x.dtype} to {found} would drop the imaginary part; take the real part with "
            "mi.real, or the size with mi.abs"
        )
    return {"dtype": found}


@astype_.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, dtype: Any) -> Any:
    return g  # the engine casts


@explained
def astype(
    x: TensorLike,
    dtype: npt.DTypeLike,
    *,
    copy: bool = True,
    device: str | Device | None = None,
) -> Tensor:
    """Return x with elements of *dtype*, on *device* if one is given.

    Without *copy* it is x itself where nothing has to change. Complex numbers lose their imaginary
    parts; a float becomes an integer towards 0. Gradient: cast back to the type of x; none to or
    from integers.

    >>> import minima as mi
    >>> mi.astype(mi.Tensor([1.5, 2.5]), "int64")
    Tensor([1, 2])
    """
    t = as_tensor(x, operation="astype")
    found = as_dtype(dtype)
    moved = t if device is None else t.to_device(device)
    if found == t.dtype and (not copy or moved is not t):
        return moved
    return astype_(moved, found)


@operator(view=True)
def reshape_(xp: Any, x: Array, shape: int | Sequence[int]) -> Any:
    """Return the elements, in the same order, in another shape; -1 stands for what is left.

    A view where the layout allows it, else a copy.
    Raises: ShapeError when the number of elements differs.

    >>> import minima as mi
    >>> mi.reshape(mi.Tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    Tensor([[1., 2.],
            [3., 4.]])
    """
    return xp.reshape(x, shape)


@reshape_.prepare
def _(x: Tensor, shape: int | Sequence[int]) -> dict[str, Any]:
    wanted = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if prod(wanted) == x.size and (not wanted or min(wanted) >= 0):
        return {"shape": wanted}
    known = prod(n for n in wanted if n != -1)
    rest = wanted.count(-1)
    fits = x.size == known if not rest else rest == 1 and known > 0 and x.size % known == 0
    if rest == 1 and known == 0:
        fits = False
    if not fits or any(n < -1 for n in wanted):
        raise ShapeError(
            f"reshape: cannot make shape {wanted} of shape {x.shape} with {x.size} elements; "
            "expected the same number of elements and at most one -1"
        )
    return {"shape": tuple(x.size // known if n == -1 else n for n in wanted)}


@reshape_.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, shape: Any) -> Any:
    return reshape_(g, x.shape)


@explained
def reshape(x: TensorLike, shape: int | Sequence[int], *, copy: bool | None = None) -> Tensor:
    """Return the elements, in the same order, in another shape; -1 stands for what is left.

    A view where the layout allows it, else a copy; *copy* True asks for a copy, False for a view.
    Raises: ShapeError when the number of elements differs, ArgumentError when *copy* is False and
    one is needed.

    >>> import minima as mi
    >>> mi.reshape(mi.Tensor([1.0, 2.0, 3.0, 4.0]), (2, -1))
    Tensor([[1., 2.],
            [3., 4.]])
    """
    if copy is None:
        return reshape_(x, shape)
    t = as_tensor(x, operation="reshape")
    out = reshape_(t, shape)
    shared = not t.size or t._device.shares(t._array, out._array)
    if not copy and not shared:
        raise ArgumentError(f"reshape: copy=False, but {shape} of this layout needs a copy")
    return out.clone() if copy and shared else out


@operator(view=True)
def broadcast_to(xp: Any, x: Array, shape: Sequence[int]) -> Any:
    """Return a read-only view in which axes of size 1, and new leading axes, repeat.

    Raises: ShapeError when the shape does not fit.

    >>> import minima as mi
    >>> mi.broadcast_to(mi.Tensor([1.0, 2.0]), (2, 2))
    Tensor([[1., 2.],
            [1., 2.]])
    """
    return xp.broadcast_to(x, shape)


@broadcast_to.prepare
def _(x: Tensor, shape: Sequence[int]) -> dict[str, Any]:
    wanted = tuple(int(n) for n in shape)
    pairs = zip(x.shape[::-1], wanted[::-1])
    if len(wanted) < x.ndim or any(n not in (1, m) or m < 0 for n, m in pairs):
        raise ShapeError(
            f"broadcast_to: cannot broadcast shape {x.shape} to {wanted}; expected equal sizes, or "
            "1, in each axis counted from the last"
        )
    return {"shape": wanted}


@broadcast_to.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, shape: Any) -> Any:
    return sum_to(g, x.shape)


@explained
def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """Return the shape that tensors of *shapes* broadcast to.

    Raises: ShapeError where sizes differ and neither is 1.

    >>> import minima as mi
    >>> mi.broadcast_shapes((3, 1), (2,))
    (3, 2)
    """
    try:
        return np.broadcast_shapes(*[tuple(s) for s in shapes])
    except ValueError:
        raise ShapeError(
            f"broadcast: shapes {' and '.join(str(tuple(s)) for s in shapes)} do not broadcast; "
            "expected equal sizes, or 1, in each axis counted from the last"
        ) from None


@explained
def broadcast_arrays(*arrays: TensorLike) -> tuple[Tensor, ...]:
    """Return the arrays broadcast against each other, as views.

    Gradient: sums over the axes that were added or stretched.
    Raises: ShapeError where sizes differ and neither is 1.

    >>> import minima as mi
    >>> [t.shape for t in mi.broadcast_arrays(mi.ones((3, 1)), mi.ones(2))]
    [(3, 2), (3, 2)]
    """
    given = [as_tensor(a, operation="broadcast_arrays") for a in arrays]
    shape = broadcast_shapes(*[t.shape for t in given])
    return tuple(broadcast_to(t, shape) for t in given)


@operator(view=True)
def permute_dims(xp: Any, x: Array, axes: Sequence[int]) -> Any:
    """Return a view with the axes in another order.

    Raises: ShapeError unless *axes* names each axis once.

    >>> import minima as mi
    >>> mi.permute_dims(mi.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return xp.permute_dims(x, axes)


@permute_dims.prepare
def _(x: Tensor, axes: Sequence[int]) -> dict[str, Any]:
    if len(axes) != x.ndim:
        raise ShapeError(
            f"permute_dims: got {len(axes)} axes {tuple(axes)} for shape {x.shape}; "
            f"expected {x.ndim}"
        )
    return {"axes": canonical_axes("permute_dims", tuple(axes), x.ndim)}


@permute_dims.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axes: tuple[int, ...]) -> Any:
    inverse = [0] * len(axes)
    for i, a in enumerate(axes):
        inverse[a] = i
    return permute_dims(g, tuple(inverse))


@explained
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """Swap the last two axes, or the two that *axes* names; more axes are a whole new order.

    Raises: ShapeError when the tensor has no such axes.

    >>> import minima as mi
    >>> mi.operators.transpose(mi.zeros((2, 3, 4))).shape
    (2, 4, 3)
    >>> mi.operators.transpose(mi.zeros((2, 3, 4)), (0, 2)).shape
    (4, 3, 2)
    """
    ndim = x.ndim if isinstance(x, Tensor) else np.ndim(x)
    if axes is None and ndim == 2:
        return permute_dims(x, (1, 0))
    if axes is not None and len(axes) != 2:
        return permute_dims(x, axes)
    if axes is None and ndim < 2:
        return permute_dims(x, tuple(range(ndim)))
    i, j = (canonical_axis("transpose", a, ndim) for a in (axes or (-2, -1)))
    order = list(range(ndim))
    order[i], order[j] = j, i
    return permute_dims(x, order)


@operator(view=True)
def expand_dims_(xp: Any, x: Array, axis: int = 0) -> Any:
    """Return a view with a new axis of size 1 at *axis*.

    >>> import minima as mi
    >>> mi.expand_dims(mi.Tensor([1.0, 2.0]), 1).shape
    (2, 1)
    """
    return xp.expand_dims(x, axis=axis)


@expand_dims_.prepare
def _(x: Tensor, axis: int) -> dict[str, Any]:
    return {"axis": canonical_axis("expand_dims", axis, x.ndim + 1)}


@expand_dims_.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: int) -> Any:
    return reshape(g, x.shape)


@explained
def expand_dims(x: TensorLike, axis: int | Sequence[int] = 0) -> Tensor:
    """Return a view with a new axis of size 1 at *axis*, or at each of several.

    Raises: ShapeError, IndexRangeError when the result has no such axis.

    >>> import minima as mi
    >>> mi.expand_dims(mi.Tensor([1.0, 2.0]), 1).shape
    (2, 1)
    >>> mi.expand_dims(mi.Tensor([1.0, 2.0]), (0, -1)).shape
    (1, 2, 1)
    """
    if not isinstance(axis, tuple | list):
        return expand_dims_(x, axis)  # type: ignore[arg-type]
    t = as_tensor(x, operation="expand_dims")
    for place in sorted(canonical_axes("expand_dims", axis, t.ndim + len(axis))):
        t = expand_dims_(t, place)
    return t


@operator(view=True)
def squeeze(xp: Any, x: Array, axis: Axis = None) -> Any:
    """Return a view without the axes of size 1 (None: all of them).

    Raises: ShapeError when a named axis has another size.

    >>> import minima as mi
    >>> mi.squeeze(mi.zeros((1, 3, 1)), 0).shape
    (3, 1)
    """
    return xp.squeeze(x, axis=axis)


@squeeze.prepare
def _(x: Tensor, axis: Axis) -> dict[str, Any]:
    if axis is None:
        return {"axis": tuple(i for i, n in enumerate(x.shape) if n == 1)}
    axes = canonical_axes("squeeze", axis, x.ndim)
    for a in axes:
        if x.shape[a] != 1:
            raise ShapeError(
                f"squeeze: axis {a} of shape {x.shape} has size {x.shape[a]}; expected 1"
            )
    return {"axis": axes}


@squeeze.gradient(saves="")
def _(g: Tensor, y: Any, x: Any, axis: Any) -> Any:
    return reshape(g, x.shape)


@explained
def flatten(x: TensorLike, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the axes from *start_dim* to *end_dim*, both included, into one.

    >>> import minima as mi
    >>> mi.operators.flatten(mi.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    t = x if isinstance(x, Tensor) else Tensor(x)
    shape = t.shape or (1,)
    first = canonical_axis("flatten", start_dim, len(shape))
    last = canonical_axis("flatten", end_dim, len(shape))
    if first > last:
        raise ArgumentError(
            f"flatten: start_dim {start_dim} lies behind end_dim {end_dim} of shape {shape}"
        )
    return reshape(t, (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))
