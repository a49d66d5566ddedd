"""Images and volumes read at places that are computed: grids, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np

from ..errors import ArgumentError, DTypeError, ShapeError
from ..tensor import Tensor, TensorLike
from .arithmetic import add, multiply
from .comparison import where
from .composed import alike, composite
from .creation import made
from .linear_algebra import matmul
from .lookup import embedding
from .manipulation import astype, permute_dims, reshape, transpose
from .rounding import floor, round

__all__ = ["affine_grid", "grid_sample"]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


@composite
def grid_sample(
    x: TensorLike,
    grid: TensorLike,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return x read at the places that *grid* names, between its elements.

    The last axis of *grid* is a place (x, y) or (x, y, z), -1 and 1 being the corners of the image:
    with *align_corners* the centres of its corner elements. *mode* is "bilinear" (in volumes
    trilinear), "nearest" or "bicubic" (images). Beyond the border there are "zeros", the "border",
    or its "reflection".

    Shapes: x (N, C, H, W), grid (N, OH, OW, 2) -> (N, C, OH, OW), or x (N, C, D, H, W), grid
    (N, OD, OH, OW, 3) -> (N, C, OD, OH, OW). Dtype: the promoted one.
    Gradient: to *grid*, that of the side above where an element is met; 0 beyond and on a border
    that places are moved to, and for the nearest. Raises: ShapeError when shapes do not fit,
    ArgumentError for an unknown mode.

    >>> import minima as mi
    >>> x = mi.Tensor([[[[0.0, 2.0], [4.0, 6.0]]]])
    >>> mi.operators.grid_sample(x, mi.Tensor([[[[0.0, 0.0], [-0.5, 0.5]]]]))
    Tensor([[[[3., 4.]]]])
    """
    image: Any = x
    places: Any = grid
    _check(image, places, mode, padding_mode)
    image, places = alike(image, places)
    space = image.shape[2:]
    n = len(space)
    coordinates = [
        _coordinate(places[..., n - 1 - i], space[i], bool(align_corners)) for i in range(n)
    ]
    if mode != "bicubic":
        moved = [
            _inside(c, k, padding_mode, bool(align_corners)) for c, k in zip(coordinates, space)
        ]
    if mode == "nearest":
        corners: Any = [[(round(c.detach()), None)] for c in moved]
    elif mode == "bilinear":
        corners = [list(_two(c)) for c in moved]
    else:
        corners = [
            [(_inside(p, k, padding_mode, bool(align_corners)), w) for p, w in _four(c)]
            for c, k in zip(coordinates, space)
        ]
    return _read(image, corners)


def _check(x: Any, grid: Any, mode: str, padding_mode: str) -> None:
    n = x.ndim - 2
    if n not in (2, 3) or grid.ndim != x.ndim or grid.shape[-1] != n or grid.shape[0] != x.shape[0]:
        raise ShapeError(
            f"grid_sample: got x {x.shape} and grid {grid.shape}; expected (N, C, H, W) and "
            "(N, OH, OW, 2), or (N, C, D, H, W) and (N, OD, OH, OW, 3)"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(f"grid_sample: got x of shape {x.shape}; expected elements to read")
    if grid.dtype.kind not in "fV":
        raise DTypeError(
            f"grid_sample: got a grid of {grid.dtype}; expected floating numbers from -1 to 1: use "
            ".astype('float32')"
        )
    if mode not in MODES or (mode == "bicubic" and n != 2):
        raise ArgumentError(
            f"grid_sample: got mode {mode!r} for {n} axes of space; expected one of "
            f"{', '.join(MODES)} (bicubic for images)"
        )
    if padding_mode not in PADDINGS:
        raise ArgumentError(
            f"grid_sample: got padding_mode {padding_mode!r}; expected one of {', '.join(PADDINGS)}"
        )


def _coordinate(place: Any, size: int, align_corners: bool) -> Any:
    """Return places from -1 to 1 as places in an axis, 0 being the first element's centre."""
    if align_corners:
        return (place + 1) * ((size - 1) / 2)
    return ((place + 1) * size - 1) * 0.5


def _inside(c: Any, size: int, padding_mode: str, align_corners: bool) -> Any:
    """Return places moved inside, where *padding_mode* says so."""
    if padding_mode == "zeros":
        return c
    if padding_mode == "reflection":
        c = _reflected(c, 0.0 if align_corners else -0.5, size - 1.0 if align_corners else size)
    c = where(c <= 0, 0.0, c)
    return where(c >= size - 1, size - 1.0, c)


def _reflected(c: Any, low: float, span: float) -> Any:
    """Return places mirrored at *low* and at *low* + *span* until they are between."""
    if not span:
        return c * 0
    beyond = c - low
    beyond = where(beyond < 0, -beyond, beyond)
    turns = floor(beyond.detach() / span)
    rest = beyond - turns * span
    odd = turns - 2 * floor(turns / 2) != 0
    return where(odd, span - rest, rest) + low


def _two(c: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the two elements next to each place, and what they count for."""
    first = floor(c.detach())
    part = c - first
    yield first, 1 - part
    yield first + 1, part


def _four(c: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the four elements next to each place, and what they count for: Keys' kernel, -0.75."""
    first = floor(c.detach())
    part, a = c - first, -0.75
    for i in range(-1, 3):
        d = part - i if i < 1 else i - part
        if i in (0, 1):
            weight = ((a + 2) * d - (a + 3)) * d * d + 1
        else:
            weight = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        yield first + i, weight


def _read(x: Any, corners: list[Any]) -> Tensor:
    """Return the sum, over all choices of a corner along each axis, of elements and weights."""
    n, c, *space = x.shape
    order = (0, *range(2, x.ndim), 1)
    table = reshape(permute_dims(x, order), (n * prod(space), c))
    shape = corners[0][0][0].shape
    start = np.arange(n).reshape(n, *(1,) * len(space)) * prod(space)
    total: Any = None
    for choice in product(*corners):
        number: Any = 0
        weight: Any = None
        seen: Any = None
        for (place, part), size in zip(choice, space):
            here = (place >= 0) & (place <= size - 1)
            seen = here if seen is None else seen & here
            number = number * size + astype(where(here, place, 0.0), "int64")
            if part is not None:
                weight = part if weight is None else multiply(weight, part)
        weight = astype(seen, x.dtype) if weight is None else where(seen, weight, 0.0)
        rows = embedding(add(number, made(start, x.device)), table)
        term = multiply(rows, reshape(weight, (*shape, 1)))
        total = term if total is None else add(total, term)
    return permute_dims(total, (0, total.ndim - 1, *range(1, total.ndim - 1)))


@composite
def affine_grid(
    theta: TensorLike, size: Sequence[int], align_corners: bool | None = None
) -> Tensor:
    """Return the grid, for `grid_sample`, whose places are those of the result, moved by *theta*.

    Shapes: theta (N, 2, 3) and size (N, C, H, W) -> (N, H, W, 2), or theta (N, 3, 4) and size
    (N, C, D, H, W) -> (N, D, H, W, 3). Raises: ShapeError when they do not fit.

    >>> import minima as mi
    >>> theta = mi.Tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    >>> mi.operators.affine_grid(theta, (1, 1, 1, 2))
    Tensor([[[[0., 0.],
              [1., 0.]]]])
    """
    matrix: Any = theta
    wanted = tuple(int(k) for k in size)
    n = len(wanted) - 2
    if n not in (2, 3) or matrix.shape != (wanted[0], n, n + 1):
        raise ShapeError(
            f"affine_grid: got theta {matrix.shape} and size {wanted}; expected (N, 2, 3) and "
            "(N, C, H, W), or (N, 3, 4) and (N, C, D, H, W)"
        )
    if matrix.dtype.kind not in "fV":
        raise DTypeError(f"affine_grid: got theta of {matrix.dtype}; expected floating numbers")
    if min(wanted[1:]) < 1:
        raise ShapeError(f"affine_grid: got size {wanted}; expected positive ones")
    axes = []
    for k in wanted[2:]:
        line = np.linspace(-1, 1, k) if k > 1 else np.zeros(1)
        axes.append(line if align_corners else line * (k - 1) / k)
    grids = np.meshgrid(*axes, indexing="ij")[::-1]
    base = np.stack([*grids, np.ones(wanted[2:])], -1).reshape(-1, n + 1).astype(matrix.dtype)
    y = matmul(made(base, matrix.device), transpose(matrix, (1, 2)))
    return reshape(y, (wanted[0], *wanted[2:], n))
