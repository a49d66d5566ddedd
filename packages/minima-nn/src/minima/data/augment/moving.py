"""Flips and rotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from minima.data.augment.base import Array, Augmentation, number, probability
from minima.errors import ArgumentError
from minima.random import Generator

__all__ = ["RandomHorizontalFlip", "RandomRotation", "RandomVerticalFlip"]


class _Flip(Augmentation):
    axis: int

    def __init__(self, p: float = 0.5, generator: Generator | None = None) -> None:
        self.p = probability(type(self).__name__, p)
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return *images*, some of them the other way round."""
        chosen = self._chosen(self.p, len(images))
        out = images.copy()
        out[chosen] = np.flip(images[chosen], self.axis)
        return out


class RandomHorizontalFlip(_Flip):
    """Swap left and right in each image with probability `p`.

    Shapes: (N, C, H, W) -> the same.

    >>> mi.data.augment.RandomHorizontalFlip(p=1.0)(np.array([[[[1, 2, 3]]]])).tolist()
    [[[[3, 2, 1]]]]
    """

    axis = 3


class RandomVerticalFlip(_Flip):
    """Swap top and bottom in each image with probability `p`.

    Shapes: (N, C, H, W) -> the same.

    >>> mi.data.augment.RandomVerticalFlip(p=1.0)(np.array([[[[1], [2]]]])).tolist()
    [[[[2], [1]]]]
    """

    axis = 2


class RandomRotation(Augmentation):
    """Turn each image about its centre by an angle from `degrees`, values interpolated.

    `degrees` is a pair, or one number d for (-d, d); positive turns counter-clockwise. Each
    pixel is bilinear in the four around where it comes from; what comes from outside is `fill`.

    Shapes: (N, C, H, W) -> the same.
    Dtype: floating.
    Raises: ArgumentError when degrees are not in order; DTypeError for integers.

    >>> turn = mi.data.augment.RandomRotation((90, 90))
    >>> turn(np.array([[[[1.0, 2.0], [3.0, 4.0]]]])).round(6).tolist()
    [[[[2.0, 4.0], [1.0, 3.0]]]]
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        fill: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        if isinstance(degrees, Sequence):
            ends = tuple(number("RandomRotation", "degrees", end) for end in degrees)
        else:
            end = number("RandomRotation", "degrees", degrees, 0.0)
            ends = (-end, end)
        if len(ends) != 2 or ends[0] > ends[1]:
            raise ArgumentError(
                f"RandomRotation: degrees are {degrees!r}; expected (least, most) or one number"
            )
        self.degrees = ends
        self.fill = number("RandomRotation", "fill", fill)
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return *images*, each turned."""
        images = self._floats(images)
        angles = np.deg2rad(self._uniform(len(images), *self.degrees))[:, None, None]
        height, width = images.shape[2:]
        y = (np.arange(height) - (height - 1) / 2)[:, None]
        x = np.arange(width) - (width - 1) / 2
        rows = y * np.cos(angles) + x * np.sin(angles) + (height - 1) / 2
        columns = x * np.cos(angles) - y * np.sin(angles) + (width - 1) / 2
        return _bilinear(images, rows, columns, self.fill)


def _bilinear(
    images: Array, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], fill: float
) -> Array:
    """Return images[n, c] at the places (rows[n], columns[n]); outside is *fill*."""
    top, left = np.floor(rows), np.floor(columns)
    down, right = rows - top, columns - left
    out = np.zeros(images.shape, np.result_type(images.dtype, np.float32))
    for i, vertical in ((0, 1 - down), (1, down)):
        for j, horizontal in ((0, 1 - right), (1, right)):
            weight = (vertical * horizontal).astype(out.dtype)[:, None]
            out += weight * _at(images, top + i, left + j, fill)
    return out.astype(images.dtype, copy=False)


def _at(
    images: Array, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], fill: float
) -> Array:
    height, width = images.shape[2:]
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    row = rows.clip(0, max(height - 1, 0)).astype(np.intp)
    column = columns.clip(0, max(width - 1, 0)).astype(np.intp)
    samples = np.arange(len(images))[:, None, None]
    found = np.moveaxis(images[samples, :, row, column], -1, 1)
    return np.where(inside[:, None], found, images.dtype.type(fill))
