"""Images, lines and volumes in other sizes; channels as places.

An axis is resized by itself: each element of the result is a weighted sum of a few elements along
that axis, and that is a bag of rows, as `minima.operators.lookup` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import floor, prod
from typing import Any, TypeAlias

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor, TensorLike
from .adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .axes import sizes
from .composed import composite
from .convolution import windows_gradient
from .creation import made
from .indexing import getitem
from .lookup import embedding, embedding_bag
from .manipulation import astype, broadcast_to, copy, permute_dims, reshape
from .spatial import Size

__all__ = ["channel_shuffle", "interpolate", "pixel_shuffle", "pixel_unshuffle"]

#: a number for all axes, or one for each
Factor: TypeAlias = "float | Sequence[float]"
#: of an axis: where each element's bag begins, the elements in it, and their weights
Bags: TypeAlias = tuple[Any, Any, Any]

#: mode -> the number of axes that it is for; None: any
MODES = {
    "nearest": None,
    "nearest-exact": None,
    "area": None,
    "linear": 1,
    "bilinear": 2,
    "bicubic": 2,
    "trilinear": 3,
}


@composite
def interpolate(
    x: TensorLike,
    size: Size | None = None,
    scale_factor: Factor | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return x in another size: *size*, or *scale_factor* times its own, rounded down.

    *mode* is "nearest" (with PyTorch's rounding down), "nearest-exact", "linear" (L), "bilinear",
    "bicubic" (H, W), "trilinear" (D, H, W) or "area" (means). With *align_corners* the centres of
    the corner elements fall together, else the corners themselves. A *scale_factor* counts as it is
    given, with *recompute_scale_factor* as it is after rounding. *antialias* takes as many elements
    into account as there are behind one of the result, for bilinear and bicubic.

    Shapes: x (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> as many axes. Dtype: as x; integers
    become float32 but for the nearest. Gradient: by the same weights.
    Raises: ArgumentError for an unknown mode or options that it does not take, ShapeError when the
    axes do not fit or a size would be 0.

    >>> import minima as mi
    >>> mi.operators.interpolate(mi.Tensor([[[0.0, 4.0]]]), scale_factor=2, mode="linear")
    Tensor([[[0., 1., 3., 4.]]])
    """
    image: Any = x
    _check(image, mode, align_corners, antialias)
    space = image.shape[2:]
    out, factors = _sizes(space, size, scale_factor)
    if recompute_scale_factor:
        if scale_factor is None:
            raise ArgumentError(
                "interpolate: got recompute_scale_factor without scale_factor; expected both"
            )
        factors = (None,) * len(space)
    if mode == "area":
        pools = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)
        return pools[len(space) - 1](image, out)
    if mode.startswith("nearest"):
        exact = mode != "nearest"
        places = [_nearest(n, m, f, exact) for n, m, f in zip(space, out, factors)]
        times = tuple(_times(n, p) for n, p in zip(space, places))
        last = times[-2:] if len(space) > 1 else (1, *times)
        if 0 not in last and prod(last) > 1:
            image, places = _repeated(image, last), places[:-2]
        for axis, part in enumerate(places):
            image = _picked(image, 2 + axis, part)
        return copy(image) if image is x else image
    if image.dtype.kind not in "fcV":
        image = astype(image, "float32")
    for axis, (n, m, f) in enumerate(zip(space, out, factors)):
        bags = _bags(n, m, f, "cubic" in mode, bool(align_corners), antialias)
        image = image if bags is None else _weighed(image, 2 + axis, m, bags)
    return copy(image) if image is x else image


def _check(x: Any, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if mode not in MODES:
        raise ArgumentError(f"interpolate: got mode {mode!r}; expected one of {', '.join(MODES)}")
    n = MODES[mode]
    if x.ndim not in ((3, 4, 5) if n is None else (n + 2,)):
        wanted = "(N, C, and 1 to 3 sizes)" if n is None else f"(N, C, and {n} sizes)"
        raise ShapeError(
            f"interpolate: got x of shape {x.shape} for mode {mode!r}; expected {wanted}"
        )
    if 0 in x.shape[1:]:
        raise ShapeError(f"interpolate: got x of shape {x.shape}; expected no size of 0 but N")
    if align_corners is not None and n is None:
        raise ArgumentError(
            f"interpolate: got align_corners with mode {mode!r}; expected a linear or cubic mode"
        )
    if antialias and n != 2:
        raise ArgumentError(
            f"interpolate: got antialias with mode {mode!r}; expected bilinear or bicubic"
        )


def _sizes(
    space: tuple[int, ...], size: Any, scale_factor: Any
) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """Return the sizes of the result, and the factors that they come from, or None."""
    n = len(space)
    if (size is None) == (scale_factor is None):
        raise ArgumentError(
            f"interpolate: got size {size!r} and scale_factor {scale_factor!r}; expected one of "
            "the two"
        )
    if size is not None:
        return sizes("interpolate", size, n, 1, "size"), (None,) * n
    many = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor,) * n
    if len(many) != n or not all(isinstance(f, int | float) and f > 0 for f in many):
        raise ArgumentError(
            f"interpolate: got scale_factor {scale_factor!r}; expected a positive number or {n} of "
            "them"
        )
    out = tuple(floor(k * f) for k, f in zip(space, many))
    if min(out) < 1:
        raise ShapeError(
            f"interpolate: scale_factor {scale_factor!r} of sizes {space} leaves {out}; expected "
            "at least 1"
        )
    return out, tuple(many)


# ---- one element each ----------------------------------------------------------------------------
@lru_cache(maxsize=256)
def _nearest(n: int, m: int, factor: float | None, exact: bool) -> tuple[int, ...]:
    """Return the place in an axis of size n of each of m elements, in PyTorch's float32."""
    if n == m and not exact:
        return tuple(range(n))
    scale = np.float32(n) / np.float32(m) if factor is None else np.float32(1.0 / factor)
    places = (np.arange(m, dtype=np.float32) + np.float32(0.5 if exact else 0.0)) * scale
    return tuple(np.minimum(np.floor(places).astype(int), n - 1).tolist())


def _times(n: int, places: tuple[int, ...]) -> int:
    """Return how often each of n elements stands in *places*, or 0 where that differs."""
    times, left = divmod(len(places), n)
    evenly = not left and all(p == i // times for i, p in enumerate(places))
    return times if evenly else 0


def _repeated(x: Any, times: tuple[int, ...]) -> Tensor:
    """Return x with each row and column repeated: windows that do not lie over each other."""
    *lead, w = x.shape
    lead, h = (lead[:-1], lead[-1]) if len(lead) > 2 else (lead, 1)
    parts = reshape(x, (lead[0], prod(lead[1:]), 1, 1, h, w))
    shape = (*parts.shape[:2], h * times[0], w * times[1])
    wide = broadcast_to(parts, (*parts.shape[:2], *times, h, w))
    y = windows_gradient(wide, shape, times)
    return reshape(y, (*lead, *shape[2:]) if x.ndim > 3 else (*lead, shape[3]))


def _picked(x: Any, axis: int, places: tuple[int, ...]) -> Any:
    """Return the elements at *places* along *axis*."""
    n, m = x.shape[axis], len(places)
    lead, rest = x.shape[:axis], x.shape[axis + 1 :]
    whole = np.asarray(places)
    step = int(whole[1] - whole[0]) if m > 1 else 1
    if step > 0 and (np.diff(whole) == step).all():
        if n == m:
            return x
        return getitem(x, (slice(None),) * axis + (slice(places[0], places[-1] + 1, step),))
    times = _times(n, places)
    if times:
        wide = broadcast_to(reshape(x, (*lead, n, 1, *rest)), (*lead, n, times, *rest))
        return reshape(wide, (*lead, m, *rest))
    rows, back = _rows(x, axis)
    return back(embedding(made(whole, x.device), rows), m)


def _rows(x: Any, axis: int) -> tuple[Tensor, Callable[[Tensor, int], Tensor]]:
    """Return x as a table with a row for each place along *axis*, and the way back."""
    order = (axis, *(i for i in range(x.ndim) if i != axis))
    turned = permute_dims(x, order)
    rest = turned.shape[1:]

    def back(rows: Tensor, size: int) -> Tensor:
        inverse = tuple(order.index(i) for i in range(len(order)))
        return permute_dims(reshape(rows, (size, *rest)), inverse)

    return reshape(turned, (x.shape[axis], prod(rest))), back


# ---- sums ----------------------------------------------------------------------------------------
def _weighed(x: Any, axis: int, m: int, bags: Bags) -> Any:
    """Return weighted sums of the elements along *axis*."""
    begin, places, weights = bags
    rows, back = _rows(x, axis)
    begin, places, weights = (made(a, x.device) for a in (begin, places, weights.astype(x.dtype)))
    return back(embedding_bag(places, begin, rows, weights, mode="sum"), m)


def _linear(distance: Any) -> Any:
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(a: float) -> Callable[[Any], Any]:
    """Return Keys' kernel: a is its slope at 1."""

    def kernel(distance: Any) -> Any:
        d = np.abs(distance)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return np.where(d < 1, near, np.where(d < 2, far, 0.0))

    return kernel


@lru_cache(maxsize=256)
def _bags(
    n: int, m: int, factor: float | None, cubic: bool, align_corners: bool, antialias: bool
) -> Bags | None:
    """Return, for an axis of size n, what each of m elements is the sum of; None: just itself."""
    if align_corners:
        scale = (n - 1) / (m - 1) if m > 1 else 0.0
    else:
        scale = n / m if factor is None else 1.0 / factor
    if n == m and (scale == 1 or antialias or not cubic):
        return None  # PyTorch leaves such an axis alone, whatever factor led to the size
    if antialias:
        return _smooth(n, m, scale, cubic)
    place = np.arange(m) * scale if align_corners else (np.arange(m) + 0.5) * scale - 0.5
    if not cubic:
        place = np.maximum(place, 0)
    first = np.floor(place).astype(int)[:, None]
    near = first + (np.arange(-1, 3) if cubic else np.arange(2))
    weights = (_cubic(-0.75) if cubic else _linear)(place[:, None] - near)
    places = np.clip(near, 0, n - 1)  # beyond the border it repeats
    return np.arange(m) * near.shape[1], places.ravel(), weights.ravel()


def _smooth(n: int, m: int, scale: float, cubic: bool) -> Bags:
    """Return the bags of all elements that a kernel as wide as the scale reaches."""
    wide = max(scale, 1.0)
    kernel, support = (_cubic(-0.5), 2.0 * wide) if cubic else (_linear, wide)
    centre = scale * (np.arange(m) + 0.5)
    first = np.maximum((centre - support + 0.5).astype(int), 0)[:, None]
    last = np.minimum((centre + support + 0.5).astype(int), n)[:, None]
    places = np.arange(n)
    inside = (places >= first) & (places < last)
    table = np.where(inside, kernel((places - centre[:, None] + 0.5) / wide), 0.0)
    table /= table.sum(1, keepdims=True)
    begin = np.cumsum(inside.sum(1)) - inside.sum(1)
    return begin, np.nonzero(inside)[1], table[inside]


# ---- channels as places --------------------------------------------------------------------------
def _factor(name: str, x: Any, what: str, value: int) -> int:
    if x.ndim < 3:
        raise ShapeError(f"{name}: got x of shape {x.shape}; expected (*, C, H, W)")
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise DTypeError(f"{name}: got {what} {value!r}; expected an integer")
    if value < 1:
        raise ArgumentError(f"{name}: got {what} {value}; expected at least 1")
    return int(value)


@composite
def pixel_shuffle(x: TensorLike, upscale_factor: int) -> Tensor:
    """Return an image r times as large, r * r channels of x being the places within a pixel.

    Shapes: x (*, C * r * r, H, W) -> (*, C, H * r, W * r). Raises: ShapeError when r * r does not
    divide the channels.

    >>> import minima as mi
    >>> mi.operators.pixel_shuffle(mi.reshape(mi.arange(4.0), (4, 1, 1)), 2)
    Tensor([[[0., 1.],
             [2., 3.]]])
    """
    image: Any = x
    r = _factor("pixel_shuffle", image, "upscale_factor", upscale_factor)
    *lead, c, h, w = image.shape
    if c % (r * r):
        raise ShapeError(
            f"pixel_shuffle: got x of shape {image.shape}; expected the {c} channels to be a "
            f"multiple of {r * r} (upscale_factor {r}, squared)"
        )
    y = reshape(image, (prod(lead), c // (r * r), r, r, h, w))
    y = permute_dims(y, (0, 1, 4, 2, 5, 3))
    return reshape(y, (*lead, c // (r * r), h * r, w * r))


@composite
def pixel_unshuffle(x: TensorLike, downscale_factor: int) -> Tensor:
    """Return an image with the places within r * r pixels as channels: undo `pixel_shuffle`.

    Shapes: x (*, C, H * r, W * r) -> (*, C * r * r, H, W). Raises: ShapeError when r does not
    divide the sizes.

    >>> import minima as mi
    >>> mi.operators.pixel_unshuffle(mi.reshape(mi.arange(4.0), (1, 2, 2)), 2).flatten()
    Tensor([0., 1., 2., 3.])
    """
    image: Any = x
    r = _factor("pixel_unshuffle", image, "downscale_factor", downscale_factor)
    *lead, c, h, w = image.shape
    if h % r or w % r:
        raise ShapeError(
            f"pixel_unshuffle: got x of shape {image.shape}; expected sizes divisible by "
            f"downscale_factor {r}"
        )
    y = reshape(image, (prod(lead), c, h // r, r, w // r, r))
    y = permute_dims(y, (0, 1, 3, 5, 2, 4))
    return reshape(y, (*lead, c * r * r, h // r, w // r))


@composite
def channel_shuffle(x: TensorLike, groups: int) -> Tensor:
    """Return x with its channels dealt out in turn from *groups* groups.

    Shapes: x (N, C, *) -> the same. Raises: ShapeError when *groups* does not divide C.

    >>> import minima as mi
    >>> mi.operators.channel_shuffle(mi.reshape(mi.arange(4.0), (1, 4, 1)), 2).flatten()
    Tensor([0., 2., 1., 3.])
    """
    image: Any = x
    g = _factor("channel_shuffle", image, "groups", groups)
    n, c, *space = image.shape
    if c % g:
        raise ShapeError(
            f"channel_shuffle: got x of shape {image.shape} and groups {g}; expected groups to "
            f"divide the {c} channels"
        )
    y = permute_dims(reshape(image, (n, g, c // g, prod(space))), (0, 2, 1, 3))
    return reshape(y, image.shape)
