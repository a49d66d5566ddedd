"""Samples of images in other sizes, and of channels as places."""

from __future__ import annotations

from collections.abc import Iterator
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
    factors = each(scale_factor, len(space))
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


COMPOSED = [*_resized(), *_shuffled()]
