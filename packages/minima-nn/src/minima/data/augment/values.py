"""Changes of pixels' values: scaling, colours, erased parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.augment.base import Array, Augmentation, number, pair, probability, same_kind
from minima.errors import ArgumentError, DTypeError, ShapeError
from minima.random import Generator
from minima.tensor import Tensor

__all__ = ["ColorJitter", "Cutout", "Normalize", "RandomErasing", "ToFloat"]


class ToFloat:
    """Turn bytes with channels last into float32 in [0, 1] with channels first.

    Floats keep their values, and only their axes move. Grey images may lack the channel.

    Shapes: (N, H, W, C) or (N, H, W) -> (N, C, H, W); one image (H, W, C) with batch=False.
    Dtype: uint8 -> float32; floats as they are.
    Raises: ShapeError for other numbers of axes; DTypeError for other types.

    >>> mi.data.augment.ToFloat()(np.full((2, 4, 5, 3), 255, np.uint8)).shape
    (2, 3, 4, 5)
    """

    def __init__(self, batch: bool = True) -> None:
        self.batch = batch

    def __call__(self, images: Any) -> Any:
        """Return *images* as floats, channels first."""
        array = images.detach().numpy() if isinstance(images, Tensor) else np.asarray(images)
        extra = int(self.batch)
        if array.ndim not in (2 + extra, 3 + extra):
            shapes = "(N, H, W, C) or (N, H, W)" if self.batch else "(H, W, C) or (H, W)"
            raise ShapeError(f"ToFloat: images have shape {array.shape}; expected {shapes}")
        if array.dtype != np.uint8 and array.dtype.kind != "f":
            raise DTypeError(
                f"ToFloat: images have dtype {array.dtype}; expected uint8 or a floating one"
            )
        if array.ndim == 2 + extra:
            array = array[..., np.newaxis]
        array = np.moveaxis(array, -1, extra)
        if array.dtype == np.uint8:
            return same_kind(images, np.divide(array, np.float32(255), order="C"))
        return same_kind(images, np.array(array, order="C"))

    def __repr__(self) -> str:
        return f"ToFloat(batch={self.batch})"


class Normalize(Augmentation):
    """Return (images - mean) / std, with a mean and a standard deviation for each channel.

    Shapes: (N, C, H, W) -> the same; mean and std C numbers each.
    Dtype: floating.
    Raises: ArgumentError when a std is 0 or not finite; ShapeError when C does not fit.

    >>> mi.data.augment.Normalize([1.0], [2.0])(mi.Tensor([[[[5.0, 1.0]]]])).tolist()
    [[[[2.0, 0.0]]]]
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = tuple(number("Normalize", "mean", m) for m in mean)
        self.std = tuple(number("Normalize", "std", s, 0.0) for s in std)
        if 0.0 in self.std or len(self.mean) != len(self.std):
            raise ArgumentError(
                f"Normalize: mean is {self.mean}, std {self.std}; expected as many of each, and "
                "no std of 0"
            )

    def change(self, images: Array) -> Array:
        """Return *images* normalised."""
        images = self._floats(images)
        if images.shape[1] != len(self.mean):
            raise ShapeError(
                f"Normalize: images have {images.shape[1]} channels; expected {len(self.mean)}, "
                "one for each mean"
            )
        mean, std = (np.array(v, images.dtype)[:, None, None] for v in (self.mean, self.std))
        return np.asarray((images - mean) / std)


class Cutout(Augmentation):
    """Cover `holes` squares of `size` in each image with `fill`; they may reach over the edge.

    Shapes: (N, C, H, W) -> the same.
    Raises: ArgumentError when size or holes are not above 0.
    Source: DeVries & Taylor 2017.

    >>> cut = mi.data.augment.Cutout(2, generator=mi.Generator(0))
    >>> 1 <= int((cut(np.ones((1, 1, 8, 8))) == 0).sum()) <= 4
    True
    """

    def __init__(
        self,
        size: int | Sequence[int],
        holes: int = 1,
        fill: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        self.size = pair("Cutout", "size", size)
        self.holes = pair("Cutout", "holes", holes)[0]
        self.fill = number("Cutout", "fill", fill)
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return *images* with holes."""
        out = images.copy()
        if not out.size:
            return out
        count, _, height, width = images.shape
        whole = np.full(count, self.size[0]), np.full(count, self.size[1])
        for _ in range(self.holes):
            top = self._integers(height, count) - self.size[0] // 2
            left = self._integers(width, count) - self.size[1] // 2
            _cover(out, top, left, *whole, self.fill)
        return out


class RandomErasing(Augmentation):
    """Cover a rectangle of each image with `value`, with probability `p`.

    Its share of the image is drawn from `scale`, its height by its width from `ratio`,
    logarithmically. One that does not fit is drawn again, up to ten times, then left out.

    Shapes: (N, C, H, W) -> the same.
    Raises: ArgumentError for ranges out of order.
    Source: Zhong et al. 2017, algorithm 1.

    >>> erase = mi.data.augment.RandomErasing(p=1.0, generator=mi.Generator(0))
    >>> 0 < int((erase(mi.ones((1, 1, 32, 32))).numpy() == 0).sum()) < 400
    True
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        self.p = probability("RandomErasing", p)
        self.scale = _span("RandomErasing", "scale", scale, 1.0)
        self.ratio = _span("RandomErasing", "ratio", ratio, math.inf)
        self.value = number("RandomErasing", "value", value)
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return *images*, some with a rectangle covered."""
        out = images.copy()
        count, _, rows, columns = images.shape
        left_over = self._chosen(self.p, count)
        for _ in range(10):
            area = self._uniform(count, *self.scale) * rows * columns
            ratio = np.exp(self._uniform(count, *np.log(self.ratio)))
            height = np.rint(np.sqrt(area * ratio)).astype(np.int64)
            width = np.rint(np.sqrt(area / ratio)).astype(np.int64)
            u, v = self._uniform(count), self._uniform(count)
            fits = left_over & (height < rows) & (width < columns)
            top, left = (
                (u * (rows - height + 1)).astype(int),
                (v * (columns - width + 1)).astype(int),
            )
            _cover(out, top, left, np.where(fits, height, 0), width, self.value)
            left_over &= ~fits
            if not left_over.any():
                break
        return out


class ColorJitter(Augmentation):
    """Change brightness and contrast of each image by factors drawn for it.

    `brightness` and `contrast` are pairs, or one number d for (max(0, 1 - d), 1 + d). Brightness
    scales the values; contrast scales their distance from the image's mean. Images are taken
    to be in [0, 1], and stay there.

    Shapes: (N, C, H, W) -> the same.
    Dtype: floating.

    >>> mi.data.augment.ColorJitter(brightness=(0.5, 0.5))(mi.ones((1, 1, 1, 1))).item()
    0.5
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0.0,
        contrast: float | Sequence[float] = 0.0,
        generator: Generator | None = None,
    ) -> None:
        self.brightness = _factors("brightness", brightness)
        self.contrast = _factors("contrast", contrast)
        self.generator = generator

    def change(self, images: Array) -> Array:
        """Return *images* in other light."""
        images = self._floats(images)
        if not images.size:
            return images.copy()

        def factor(span: tuple[float, float]) -> Array:
            return self._uniform(len(images), *span).astype(images.dtype)[:, None, None, None]

        out = np.clip(images * factor(self.brightness), 0, 1)
        mean = out.mean((1, 2, 3), keepdims=True)
        return np.asarray(np.clip((out - mean) * factor(self.contrast) + mean, 0, 1))


def _cover(
    images: Array,
    top: npt.NDArray[Any],
    left: npt.NDArray[Any],
    height: npt.NDArray[Any],
    width: npt.NDArray[Any],
    value: float,
) -> None:
    """Write *value* over one rectangle of each image."""
    rows, columns = np.arange(images.shape[2]), np.arange(images.shape[3])
    down = (rows >= top[:, None]) & (rows < (top + height)[:, None])
    across = (columns >= left[:, None]) & (columns < (left + width)[:, None])
    mask = down[:, None, :, None] & across[:, None, None, :]
    np.copyto(images, images.dtype.type(value), where=mask)


def _span(name: str, what: str, value: Sequence[float], most: float) -> tuple[float, float]:
    ends = tuple(number(name, what, end, 0.0) for end in value)
    if len(ends) != 2 or not 0 < ends[0] <= ends[1] <= most:
        raise ArgumentError(
            f"{name}: {what} is {value!r}; expected (least, most), above 0"
            + (f" and at most {most:g}" if math.isfinite(most) else "")
        )
    return ends[0], ends[1]


def _factors(what: str, value: float | Sequence[float]) -> tuple[float, float]:
    if isinstance(value, Sequence):
        ends = tuple(number("ColorJitter", what, end, 0.0) for end in value)
    else:
        d = number("ColorJitter", what, value, 0.0)
        ends = (max(0.0, 1 - d), 1 + d)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ArgumentError(f"ColorJitter: {what} is {value!r}; expected (least, most)")
    return ends[0], ends[1]
