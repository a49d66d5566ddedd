"""Crops, borders and other sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.augment.base import Array, Augmentation, number, pair
from minima.errors import ArgumentError, ShapeError
from minima.random import Generator

__all__ = ["CenterCrop", "Pad", "RandomCrop", "Resize"]

MODES = {"constant": "constant", "reflect": "reflect", "edge": "edge", "circular": "wrap"}


class Pad(Augmentation):
    """Add a border to each image.

    `padding` is one number, (left and right, top and bottom), or (left, top, right, bottom);
    `mode` is "constant" (`fill`), "reflect", "edge" or "circular".

    Shapes: (N, C, H, W) -> (N, C, H + top + bottom, W + left + right).
    Raises: ArgumentError for other paddings and modes; ShapeError when an image is too small to
    be reflected so far.

    >>> mi.data.augment.Pad((1, 0), fill=7)(np.array([[[[1, 2]]]])).tolist()
    [[[[7, 1, 2, 7]]]]
    """

    def __init__(
        self, padding: int | Sequence[int], fill: float = 0, mode: str = "constant"
    ) -> None:
        self.padding = _sides("Pad", padding)
        self.fill = fill
        number("Pad", "fill", fill)
        self.mode = mode
        if mode not in MODES:
            raise ArgumentError(f"Pad: mode is {mode!r}; expected one of {list(MODES)}")

    def change(self, images: Array) -> Array:
        """Return *images* with their borders."""
        left, top, right, bottom = self.padding
        height, width = images.shape[2:]
        most = (height - 1, width - 1) if self.mode == "reflect" else (height, width)
        if self.mode != "constant" and (
            max(top, bottom) > (most[0] if self.mode != "edge" else top + bottom)
            or max(left, right) > (most[1] if self.mode != "edge" else left + right)
            or not height * width
        ):
            raise ShapeError(
                f"Pad: images have shape {images.shape}; expected at least as many pixels as "
                f"mode {self.mode!r} copies for the padding {self.padding}"
            )
        widths = ((0, 0), (0, 0), (top, bottom), (left, right))
        options: dict[str, Any] = {"constant_values": self.fill} if self.mode == "constant" else {}
        padded: Array = np.pad(images, widths, mode=MODES[self.mode], **options)  # type: ignore[call-overload]
        return padded


class RandomCrop(Augmentation):
    """Cut a part of `size` out of each image, at a place of its own, after adding a border.

    `size` is a number or (height, width); `padding`, `fill` and `mode` are Pad's.

    Shapes: (N, C, H, W) -> (N, C, *size).
    Raises: ShapeError when the images with their border are smaller than size.

    >>> crop = mi.data.augment.RandomCrop(32, padding=4, generator=mi.Generator(0))
    >>> crop(mi.ones((2, 3, 32, 32))).shape
    (2, 3, 32, 32)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        fill: float = 0,
        mode: str = "constant",
        generator: Generator | None = None,
    ) -> None:
        self.size = pair("RandomCrop", "size", size)
        self._pad = None if padding is None else Pad(padding, fill, mode)
        self.padding = None if self._pad is None else self._pad.padding
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return a part of each of *images*."""
        if self._pad is not None:
            images = self._pad.change(images)
        _check_size("RandomCrop", images, self.size)
        down = self._integers(images.shape[2] - self.size[0] + 1, len(images))
        right = self._integers(images.shape[3] - self.size[1] + 1, len(images))
        windows = np.lib.stride_tricks.sliding_window_view(images, self.size, axis=(2, 3))
        chosen: Array = windows[np.arange(len(images)), :, down, right]
        return np.ascontiguousarray(chosen)


class CenterCrop(Augmentation):
    """Cut a part of `size` out of the middle of each image.

    Shapes: (N, C, H, W) -> (N, C, *size).
    Raises: ShapeError when the images are smaller than size.

    >>> mi.data.augment.CenterCrop((1, 2))(np.arange(12).reshape(1, 1, 3, 4)).tolist()
    [[[[5, 6]]]]
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair("CenterCrop", "size", size)

    def change(self, images: Array) -> Array:
        """Return the middle of each of *images*."""
        _check_size("CenterCrop", images, self.size)
        (height, width), (rows, columns) = images.shape[2:], self.size
        top, left = round((height - rows) / 2), round((width - columns) / 2)
        return images[:, :, top : top + rows, left : left + columns].copy()


class Resize(Augmentation):
    """Bring images to `size`, by "bilinear" interpolation or the "nearest" pixel.

    Pixels are squares: the edges of old and new images coincide, as with align_corners=False in
    `minima.nn.functional.interpolate`. With `antialias` (bilinear only) a pixel of a smaller
    image weighs all the old ones that it covers.

    Shapes: (N, C, H, W) -> (N, C, *size).
    Dtype: as the images; whole numbers are rounded.
    Raises: ArgumentError for another mode; ShapeError when images have no pixels.

    >>> mi.data.augment.Resize((1, 2))(np.array([[[[0.0, 2.0, 4.0, 6.0]]]])).tolist()
    [[[[1.0, 5.0]]]]
    """

    def __init__(
        self, size: int | Sequence[int], mode: str = "bilinear", antialias: bool = False
    ) -> None:
        self.size = pair("Resize", "size", size)
        if mode not in ("bilinear", "nearest"):
            raise ArgumentError(f"Resize: mode is {mode!r}; expected 'bilinear' or 'nearest'")
        if antialias and mode == "nearest":
            raise ArgumentError("Resize: got antialias with mode 'nearest'; expected 'bilinear'")
        self.mode = mode
        self.antialias = antialias

    def change(self, images: Array) -> Array:
        """Return *images* in the new size."""
        if not images.shape[2] * images.shape[3]:
            raise ShapeError(f"Resize: images have shape {images.shape}; expected some pixels")
        if self.mode == "nearest":
            rows, columns = (
                np.arange(new) * old // new for new, old in zip(self.size, images.shape[2:])
            )
            return images[:, :, rows[:, None], columns]
        exact = images.astype(np.result_type(images.dtype, np.float32), copy=False)
        for axis, new in ((2, self.size[0]), (3, self.size[1])):
            weights = _weights(images.shape[axis], new, self.antialias).astype(exact.dtype)
            exact = np.moveaxis(np.moveaxis(exact, axis, -1) @ weights.T, -1, axis)
        if images.dtype.kind != "f":
            exact = np.rint(exact)
        return np.ascontiguousarray(exact.astype(images.dtype, copy=False))


def _weights(old: int, new: int, antialias: bool) -> npt.NDArray[np.float64]:
    """Return how much each old pixel counts in each new one: (new, old), rows add up to 1."""
    scale = old / new
    reach = max(scale, 1.0) if antialias else 1.0
    places = (np.arange(new) + 0.5) * scale - 0.5
    if not antialias:
        places = places.clip(0, old - 1)
    distance = np.abs(places[:, None] - np.arange(old)) / reach
    weights = np.maximum(1 - distance, 0)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _sides(name: str, padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom)."""
    sides = tuple(padding) if isinstance(padding, Sequence) else (padding,)
    right = all(not isinstance(s, bool) and hasattr(s, "__index__") and s >= 0 for s in sides)
    if len(sides) not in (1, 2, 4) or not right:
        raise ArgumentError(
            f"{name}: padding is {padding!r}; expected 1, 2 or 4 whole numbers of at least 0"
        )
    left, top, right_, bottom = (sides * 4)[:4] if len(sides) < 4 else sides
    return int(left), int(top), int(right_), int(bottom)


def _check_size(name: str, images: Array, size: tuple[int, int]) -> None:
    if images.shape[2] < size[0] or images.shape[3] < size[1]:
        raise ShapeError(
            f"{name}: images are {images.shape[2]} x {images.shape[3]} pixels; expected at least "
            f"the size {size[0]} x {size[1]}; pad or resize them"
        )
