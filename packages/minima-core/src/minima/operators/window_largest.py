"""The largest of each window in one to three dimensions, and where windows lie.

Composed of the operators in two dimensions of `minima.operators.pooling`: a line is an image with
one row, and a window in three dimensions is one of rows and columns, then one of depths. What
those have no arguments for (dilation, places of the largest) goes over the windows themselves.
"""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..records import Record
from ..tensor import Tensor, TensorLike
from .axes import sizes
from .comparison import isnan, not_equal, where
from .composed import composite
from .convolution import windows
from .creation import made
from .manipulation import astype, permute_dims, reshape
from .padding import pad
from .pooling import first_largest
from .pooling import max_pool2d as max_pool2d_operator
from .reduction import max as largest
from .reduction import sum
from .spatial import Size, batched, flat, like

__all__ = ["max_pool1d", "max_pool2d", "max_pool3d"]

#: values, or values and the places of the largest
Pooled: TypeAlias = Any
Sizes: TypeAlias = tuple[int, ...]


class Windows(Record):
    """Where windows lie: one number for each axis, *out* of them, *beyond* what is padded."""

    kernel: Sizes
    stride: Sizes
    padding: Sizes
    dilation: Sizes
    out: Sizes
    beyond: Sizes

    def places(self, axis: int) -> Any:
        """Return the place along *axis* of each element (kernel) of each window (out)."""
        start = np.arange(self.out[axis]) * self.stride[axis] - self.padding[axis]
        return start + self.dilation[axis] * np.arange(self.kernel[axis])[:, None]


def find_windows(
    name: str,
    space: Sizes,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Windows:
    """Return where windows lie in axes of sizes *space*.

    With *ceil_mode* a last window that is not all inside counts, if it begins inside.

    >>> find_windows("max_pool1d", (4,), 3, 2, 0, 1, True).beyond
    (1,)
    """
    n = len(space)
    k = sizes(name, kernel_size, n, 1, "kernel_size")
    s = sizes(name, kernel_size if stride is None else stride, n, 1, "stride")
    p, d = sizes(name, padding, n, 0, "padding"), sizes(name, dilation, n, 1, "dilation")
    out, beyond = [], []
    for i in range(n):
        reach = d[i] * (k[i] - 1) + 1
        if 2 * p[i] > reach:
            raise ArgumentError(
                f"{name}: got padding {padding} for kernel_size {kernel_size}; expected at most "
                "half of it"
            )
        rest = space[i] + 2 * p[i] - reach
        count = (rest + (s[i] - 1 if ceil_mode else 0)) // s[i] + 1
        if ceil_mode and (count - 1) * s[i] >= space[i] + p[i]:
            count -= 1
        if count < 1 or not space[i]:
            raise ShapeError(
                f"{name}: a window of size {reach} (kernel {k[i]}, dilation {d[i]}) does not fit "
                f"into {space[i]} + 2 * {p[i]} elements; use a larger input or padding, a smaller "
                "kernel"
            )
        out.append(count)
        beyond.append(max(0, (count - 1) * s[i] - rest))
    return Windows(k, s, p, d, tuple(out), tuple(beyond))


def along(operate: Any, x: Any, n: int, *sized: Sizes, **options: Any) -> Tensor:
    """Return what an operator on images gives for (N, C, and *n* axes), *sized* its sizes.

    In three dimensions it works on rows and columns, then on depths.

    >>> import minima as mi
    >>> along(mi.operators.max_pool2d, mi.ones((1, 2, 6)), 1, (3,)).shape
    (1, 2, 2)
    """
    if n == 2:
        return operate(x, *sized, **options)  # type: ignore[no-any-return]
    if n == 1:
        y = operate(flat(x), *((_one(i), *v) for i, v in enumerate(sized)), **options)
        return reshape(y, (*y.shape[:2], y.shape[3]))
    lead, (d, h, w) = x.shape[:2], x.shape[2:]
    y = operate(reshape(x, (lead[0], lead[1] * d, h, w)), *(v[1:] for v in sized), **options)
    space = y.shape[2:]
    y = reshape(y, (*lead, d, prod(space)))
    y = operate(y, *((v[0], _one(i)) for i, v in enumerate(sized)), **options)
    return reshape(y, (*y.shape[:3], *space))


def _one(i: int) -> int:
    """Return the kernel's size, stride and padding along an axis that is left as it is."""
    return (1, 1, 0)[i]


def need_order(name: str, x: Any) -> None:
    """Raise unless elements of x are numbers of which one is the largest.

    >>> import minima as mi
    >>> need_order("max_pool1d", mi.ones(1))
    """
    if x.dtype.kind not in "fiuV":
        raise DTypeError(f"{name}: got x of {x.dtype}; expected real numbers: use .astype(...)")


def lowest(x: Any) -> Any:
    """Return what is larger than nothing.

    >>> import minima as mi
    >>> lowest(mi.ones(1))
    -inf
    """
    return -np.inf if x.dtype.kind in "fV" else int(np.iinfo(x.dtype).min)


def ends(found: Windows, *, all_around: bool = False) -> Any:
    """Return what `pad` has to add for the last windows to be whole, and padding if *all_around*.

    >>> ends(find_windows("max_pool1d", (4,), 3, 2, 0, 1, True))
    ((0, 0), (0, 0), (0, 1))
    """
    before = found.padding if all_around else (0,) * len(found.out)
    return ((0, 0), (0, 0), *((a, a + b) for a, b in zip(before, found.beyond)))


# ---- the largest ---------------------------------------------------------------------------------
@composite
def max_pool1d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """Return the largest element of each window; *stride* is the kernel's size unless given.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too. With
    *return_indices* the result is (values, int64 places of them in L).

    Shapes: x (N, C, L) or (C, L) -> (N, C, OL) or (C, OL). Gradient: goes to the first largest of
    a window, NaN being larger than all else (of several PyTorch takes the last).
    Raises: ShapeError when no window fits, ArgumentError for too much padding.

    >>> import minima as mi
    >>> mi.operators.max_pool1d(mi.Tensor([[1.0, 3.0, 2.0, 5.0, 4.0]]), 2, ceil_mode=True)
    Tensor([[3., 5., 4.]])
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool("max_pool1d", 1, x, return_indices, *options)


@composite
def max_pool2d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """Return the largest element of each window; *stride* is the kernel's size unless given.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too. With
    *return_indices* the result is (values, int64 places of them in H * W).

    Shapes: x (N, C, H, W) or (C, H, W) -> (N, C, OH, OW) or (C, OH, OW). Gradient: goes to the
    first largest of a window. Raises: ShapeError when no window fits, ArgumentError for too much
    padding.

    >>> import minima as mi
    >>> mi.operators.max_pool2d(mi.Tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2, return_indices=True)
    (Tensor([[[4.]]]), Tensor([[[3]]]))
    """
    image: Any = x
    plain = image.ndim == 4 and dilation == 1 and not ceil_mode and not return_indices
    if plain and image.size and image.dtype.kind in "fiuV":  # the operator checks all of it
        return max_pool2d_operator(image, kernel_size, stride, padding)
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool("max_pool2d", 2, image, return_indices, *options)


@composite
def max_pool3d(
    x: TensorLike,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Pooled:
    """Return the largest element of each window; *stride* is the kernel's size unless given.

    With *ceil_mode* a window that begins inside and ends beyond the border counts too. With
    *return_indices* the result is (values, int64 places of them in D * H * W).

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> (N, C, OD, OH, OW) or (C, OD, OH, OW).
    Gradient: goes to the first largest of a window. Raises: as `max_pool2d`.

    >>> import minima as mi
    >>> mi.operators.max_pool3d(mi.reshape(mi.arange(8.0), (1, 2, 2, 2)), 2)
    Tensor([[[[7.]]]])
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool("max_pool3d", 3, x, return_indices, *options)


def _max_pool(name: str, n: int, x: Any, return_indices: bool, *options: Any) -> Pooled:
    image = batched(name, x, n)
    need_order(name, image)
    space = image.shape[2:]
    found = find_windows(name, space, *options)
    if any(found.beyond):
        image = pad(image, ends(found), value=lowest(x))
    if not return_indices and all(d == 1 for d in found.dilation):
        how = (found.kernel, found.stride, found.padding)
        return like(x, along(max_pool2d_operator, image, n, *how), n)
    seen = _seen(image, found, lowest(x))
    values, indices = largest_of(seen, *_numbers(found, space))
    shape = (*image.shape[:2], *found.out)
    values = like(x, reshape(values, shape), n)
    return (values, like(x, reshape(indices, shape), n)) if return_indices else values


def _seen(x: Any, found: Windows, fill: Any) -> Tensor:
    """Return the elements of each window: (N, C, elements, windows)."""
    k, s, p, d = found.kernel, found.stride, found.padding, found.dilation
    lead = x.shape[:2]
    if len(k) == 1:
        seen = windows(flat(x), (1, *k), (1, *s), (0, *p), (1, *d), fill)
    elif len(k) == 2:
        seen = windows(x, k, s, p, d, fill)
    else:
        depth, *rest = x.shape[2:]
        line = reshape(x, (*lead, depth, prod(rest)))
        deep = windows(line, (k[0], 1), (s[0], 1), (p[0], 0), (d[0], 1), fill)
        parts = (lead[0], lead[1] * k[0] * found.out[0], *rest)
        seen = windows(reshape(deep, parts), k[1:], s[1:], p[1:], d[1:], fill)
        seen = reshape(seen, (*lead, k[0], found.out[0], *k[1:], *found.out[1:]))
        seen = permute_dims(seen, (0, 1, 2, 4, 5, 3, 6, 7))
    return reshape(seen, (*lead, prod(k), prod(found.out)))


def _numbers(found: Windows, space: Sizes) -> tuple[Any, Any]:
    """Return, for each element of each window, its number in *space*, and if it is inside."""
    n = len(space)
    number, inside = np.zeros((1,) * 2 * n, np.int64), np.ones((1,) * 2 * n, bool)
    for i in range(n):
        shape = [1] * 2 * n
        shape[i], shape[n + i] = found.kernel[i], found.out[i]
        place = found.places(i).reshape(shape)
        number = number * space[i] + place
        inside = inside & (place >= 0) & (place < space[i])
    flattened = (1, 1, prod(found.kernel), prod(found.out))
    return number.reshape(flattened), inside.reshape(flattened)


def largest_of(seen: Tensor, number: Any, inside: Any) -> tuple[Tensor, Tensor]:
    """Return the first largest element of each window, and its number.

    Shapes: seen (N, C, elements, windows), number and inside (NumPy's; None: all) broadcast to it
    -> (N, C, windows) twice.

    >>> import minima as mi
    >>> seen = mi.reshape(mi.Tensor([1.0, 3.0, 3.0]), (1, 1, 3, 1))
    >>> largest_of(seen, np.arange(3).reshape(1, 1, 3, 1), np.ones((1, 1, 3, 1), bool))
    (Tensor([[[3.]]]), Tensor([[[1]]]))
    """
    values = seen.detach()
    hits: Any = values == largest(values, axis=2, keepdims=True)
    if values.dtype.kind in "fV":
        hits = hits | isnan(values)
    if inside is not None and not inside.all():
        hits = hits & made(inside, seen.device)
    n, c, k, count = seen.shape
    marked = reshape(astype(hits, "float32"), (n, c, k, 1, count, 1))
    chosen = reshape(not_equal(first_largest(marked), 0.0), seen.shape)
    return (
        sum(where(chosen, seen, made(np.zeros((), seen.dtype), seen.device)), 2),
        sum(where(chosen, made(number, seen.device), 0), 2),
    )
