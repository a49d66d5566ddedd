"""Samples of images in other sizes, channels as places, and images read along grids."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import floor
from typing import Any

import numpy as np

from .sample import Sample, exactly, integers, real
from .spatial import each

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")
SAMPLES: list[Sample] = []


def _weight(mode: str, distance: float, slope: float) -> float:
    d = abs(distance)
    if mode != "bicubic":
        return max(0.0, 1 - d)
    if d < 1:
        return (slope + 2) * d**3 - (slope + 3) * d**2 + 1
    return slope * d**3 - 5 * slope * d**2 + 8 * slope * d - 4 * slope if d < 2 else 0.0


def _row(i: int, n: int, m: int, scale: float, mode: str, align: bool, antialias: bool) -> Any:
    """Return what each of n elements counts for in element i of m."""
    row = np.zeros(n)
    if mode == "area":
        row[i * n // m : -(-(i + 1) * n // m)] = 1
    elif mode == "nearest":
        row[min(floor(i * scale), n - 1)] = 1
    elif mode == "nearest-exact":
        row[min(floor((i + 0.5) * scale), n - 1)] = 1
    elif antialias:
        wide = max(scale, 1.0)
        reach = wide * (2 if mode == "bicubic" else 1)
        centre = scale * (i + 0.5)
        for j in range(max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), n)):
            row[j] = _weight(mode, (j - centre + 0.5) / wide, -0.5)
    else:
        place = i * scale if align else (i + 0.5) * scale - 0.5
        place = place if mode == "bicubic" else max(place, 0.0)
        for j in range(floor(place) - 1, floor(place) + 3):
            row[min(max(j, 0), n - 1)] += _weight(mode, place - j, -0.75)
    return row / row.sum()


def _interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    space = x.shape[2:]
    factors: Any = each(scale_factor, len(space))
    out = each(size, len(space)) if size else [floor(n * f) for n, f in zip(space, factors)]
    for axis, (n, m, f) in enumerate(zip(space, out, factors)):
        scale = n / m if f is None or recompute_scale_factor else 1 / f
        if align_corners:
            scale = (n - 1) / (m - 1) if m > 1 else 0.0
        how = (scale, mode, bool(align_corners), antialias)
        places = np.moveaxis(x, 2 + axis, -1)
        y = np.zeros((*places.shape[:-1], m))
        for i in range(m):
            row = _row(i, n, m, *how)
            y[..., i] = places[..., row != 0] @ row[row != 0]
        x = np.moveaxis(y, -1, 2 + axis)
    return x


def _resized() -> Iterator[Sample]:
    for shape, modes in (
        ((1, 2, 3), ("nearest", "nearest-exact", "area", "linear")),
        ((1, 1, 3, 4), ("nearest", "nearest-exact", "area", "bilinear", "bicubic")),
        ((2, 1, 2, 3, 2), ("nearest", "area", "trilinear")),
        ((0, 2, 3, 2), ("nearest", "area", "bilinear", "bicubic")),
    ):
        for mode in modes:
            targets: tuple[dict[str, Any], ...] = (
                {"size": 2},
                {"size": 5},
                {"scale_factor": 2},
                {"scale_factor": 1.5, "recompute_scale_factor": len(shape) == 3},
            )
            for attrs in targets:
                attrs = {"mode": mode, **attrs}
                yield Sample("interpolate", _interpolate, [real(*shape)], attrs)
                if "linear" in mode or "cubic" in mode:
                    attrs = {**attrs, "align_corners": True}
                    yield Sample("interpolate", _interpolate, [real(*shape)], attrs)
    for mode in ("bilinear", "bicubic"):
        for size in ((2, 3), (7, 4)):
            attrs = {"size": size, "mode": mode, "antialias": True}
            yield Sample("interpolate", _interpolate, [real(1, 1, 5, 6)], attrs)
    yield Sample("interpolate", _interpolate, [integers(1, 1, 3)], {"size": 5}, dtype="int64")
    linear = {"size": 5, "mode": "linear"}
    yield Sample("interpolate", _interpolate, [integers(1, 1, 3)], linear, dtype="float32")
    special = exactly([[[nan, 1.0, inf]]])
    slopes = [[[[2.0, 2.0, 2.0]]]]
    attrs = {"scale_factor": 2}
    yield Sample("interpolate", _interpolate, [special], attrs, "special", False, slopes)


def _pixel_shuffle(x: Any, upscale_factor: int) -> Any:
    r = upscale_factor
    *lead, c, h, w = x.shape
    y = np.zeros((*lead, c // r**2, h * r, w * r))
    for k, i, j in np.ndindex(c // r**2, r, r):
        y[..., k, i::r, j::r] = x[..., k * r * r + i * r + j, :, :]
    return y


def _pixel_unshuffle(x: Any, downscale_factor: int) -> Any:
    r = downscale_factor
    *lead, c, h, w = x.shape
    y = np.zeros((*lead, c * r * r, h // r, w // r))
    for k, i, j in np.ndindex(c, r, r):
        y[..., k * r * r + i * r + j, :, :] = x[..., k, i::r, j::r]
    return y


def _channel_shuffle(x: Any, groups: int) -> Any:
    each_has = x.shape[1] // groups
    order = [g * each_has + i for i in range(each_has) for g in range(groups)]
    return x[:, order]


def _shuffled() -> Iterator[Sample]:
    for shape in ((2, 8, 2, 3), (4, 2, 1), (0, 4, 2, 2)):
        yield Sample("pixel_shuffle", _pixel_shuffle, [real(*shape)], {"upscale_factor": 2})
    for shape in ((2, 2, 4, 2), (3, 2, 2), (0, 1, 4, 2)):
        yield Sample("pixel_unshuffle", _pixel_unshuffle, [real(*shape)], {"downscale_factor": 2})
    for shape in ((2, 6, 2), (1, 6, 2, 2), (0, 6, 2)):
        yield Sample("channel_shuffle", _channel_shuffle, [real(*shape)], {"groups": 3})


# ---- grids ---------------------------------------------------------------------------------------
def _inside(c: float, size: int, padding_mode: str, align: bool) -> float:
    if padding_mode == "reflection":
        low, high = (0.0, size - 1.0) if align else (-0.5, size - 0.5)
        while high > low and not low <= c <= high:
            c = 2 * low - c if c < low else 2 * high - c
        c = low if high == low else c
    return c if padding_mode == "zeros" else min(max(c, 0.0), size - 1.0)


def _near(c: float, size: int, mode: str, padding_mode: str, align: bool) -> Any:
    """Return the elements that count at a place along an axis, and what for."""
    if mode == "bicubic":
        near = range(floor(c) - 1, floor(c) + 3)
        return [
            (int(_inside(j, size, padding_mode, align)), _weight(mode, c - j, -0.75)) for j in near
        ]
    c = _inside(c, size, padding_mode, align)
    if mode == "nearest":
        return [(int(np.round(c)), 1.0)]
    return [(floor(c) + i, _weight(mode, c - floor(c) - i, 0.0)) for i in (0, 1)]


def _grid_sample(
    x: Any,
    grid: Any,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool = False,
) -> Any:
    space = x.shape[2:]
    y = np.zeros((*x.shape[:2], *grid.shape[1:-1]))
    for place in np.ndindex(*grid.shape[:-1]):
        near = []
        for v, k in zip(grid[place][::-1], space):
            c = (v + 1) * (k - 1) / 2 if align_corners else ((v + 1) * k - 1) / 2
            near.append(_near(c, k, mode, padding_mode, align_corners))
        for choice in product(*near):
            index = tuple(j for j, _ in choice)
            if all(0 <= j < k for j, k in zip(index, space)):
                y[place[0], :, *place[1:]] += x[place[0], :, *index] * np.prod(
                    [w for _, w in choice]
                )
    return y


def _affine_grid(theta: Any, size: Any, align_corners: bool = False) -> Any:
    space = size[2:]
    y = np.zeros((size[0], *space, len(space)))
    for place in np.ndindex(*space):
        at = [
            (2 * i / (k - 1) - 1 if k > 1 else 0) if align_corners else (2 * i + 1) / k - 1
            for i, k in zip(place, space)
        ]
        y[:, *place] = theta @ np.array([*at[::-1], 1.0])
    return y


def _grids() -> Iterator[Sample]:
    for mode, padding, align in product(
        ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
    ):
        attrs = {"mode": mode, "padding_mode": padding, "align_corners": align}
        # away from the elements, where the slope changes: on a fine grid with an offset
        steps = np.random.default_rng(0).integers(-8, 9, (1, 2, 3, 2))
        grid = exactly(steps * 0.17 + 0.03)
        smooth = mode != "nearest"
        inputs = [real(1, 2, 3, 4), grid]
        yield Sample("grid_sample", _grid_sample, inputs, attrs, smooth=smooth)
    grid = exactly(np.random.default_rng(1).integers(-8, 9, (1, 1, 2, 2, 3)) * 0.13 + 0.03)
    yield Sample("grid_sample", _grid_sample, [real(1, 1, 2, 3, 2), grid])
    attrs = {"mode": "nearest"}
    yield Sample("grid_sample", _grid_sample, [real(1, 1, 2, 3, 2), grid], attrs, smooth=False)
    yield Sample("grid_sample", _grid_sample, [real(0, 2, 3, 2), real(0, 1, 2, 2)])
    beyond = exactly([[[[-3.0, 0.0], [0.0, 9.0]]]])
    attrs = {"padding_mode": "border"}
    slopes = [[[[0.5, 0.0], [1.0, 0.5]]]], [[[[0.0, 2.0], [1.0, 0.0]]]]
    image = exactly([[[[1.0, 2.0], [3.0, 4.0]]]])
    yield Sample("grid_sample", _grid_sample, [image, beyond], attrs, "beyond", False, slopes)
    for align in (False, True):
        for size in ((2, 1, 2, 3), (1, 1, 1, 2), (1, 1, 2, 1, 3), (0, 1, 2, 2)):
            n = len(size) - 2
            options = {"size": size, "align_corners": align}
            yield Sample("affine_grid", _affine_grid, [real(size[0], n, n + 1)], options)


COMPOSED = [*_resized(), *_shuffled(), *_grids()]
