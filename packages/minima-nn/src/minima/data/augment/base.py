"""What all augmentations share: checks, arrays or tensors in and out, drawing, `repr`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.errors import ArgumentError, DTypeError, ShapeError
from minima.random import Generator, default_generator
from minima.tensor import Tensor, asarray

__all__ = ["Array", "Augmentation", "Compose", "number", "pair", "probability", "same_kind"]

Array = npt.NDArray[Any]


class Augmentation(ABC):
    """A change of a batch of images; a new one defines `change` on an array.

    `repr` shows the attributes that are named as the arguments of `__init__` are.

    >>> class Darken(mi.data.augment.Augmentation):
    ...     def __init__(self, factor):
    ...         self.factor = factor
    ...     def change(self, images):
    ...         return images * np.float32(self.factor)
    >>> Darken(0.5), Darken(0.5)(mi.ones((1, 1, 1, 2))).tolist()
    (Darken(factor=0.5), [[[[0.5, 0.5]]]])
    """

    generator: Generator | None = None

    @abstractmethod
    def change(self, images: Array) -> Array:
        """Return what becomes of *images* (N, C, H, W), which must stay as they are."""

    def __call__(self, images: Any) -> Any:
        """Return *images* changed: an array for an array, a Tensor for a Tensor."""
        return same_kind(images, self.change(self._array(images)))

    def __repr__(self) -> str:
        shown = {k: v for k, v in vars(self).items() if not k.startswith("_") and v is not None}
        shown.pop("generator", None)
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def _array(self, images: Any) -> Array:
        """Return the array of a batch, or say what it is instead."""
        name = type(self).__name__
        if not isinstance(images, (Tensor, np.ndarray)):
            raise DTypeError(
                f"{name}: images is a {type(images).__name__}; expected an array or a Tensor"
            )
        array = images.detach().numpy() if isinstance(images, Tensor) else images
        if array.ndim != 4:
            raise ShapeError(
                f"{name}: images have shape {array.shape}; expected (N, C, H, W); give a single "
                "image a first axis with images[None]"
            )
        if array.dtype.kind not in "fbui":
            raise DTypeError(f"{name}: images have dtype {array.dtype}; expected real numbers")
        return array

    def _floats(self, images: Array) -> Array:
        """Return *images*, which must be of a floating type."""
        if images.dtype.kind != "f":
            raise DTypeError(
                f"{type(self).__name__}: images have dtype {images.dtype}; expected a floating "
                "one; convert them with ToFloat before"
            )
        return images

    def _uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> npt.NDArray[np.float64]:
        drawn = self._source().uniform((count,), low, high, dtype=np.float64)
        return drawn.numpy()

    def _integers(self, high: int, count: int) -> npt.NDArray[np.int64]:
        return self._source().integers(0, high, (count,)).numpy()

    def _chosen(self, p: float, count: int) -> npt.NDArray[np.bool_]:
        return self._uniform(count) < p

    def _source(self) -> Generator:
        return default_generator() if self.generator is None else self.generator


class Compose:
    """Call one augmentation after the other.

    The first may return several things, as Mixup does: those go to the next as its arguments.

    >>> from minima.data.augment import CenterCrop, Compose, Pad
    >>> Compose([Pad(1), CenterCrop(2)])
    Compose([
        Pad(padding=(1, 1, 1, 1), fill=0, mode='constant'),
        CenterCrop(size=(2, 2)),
    ])
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        self.transforms = list(transforms)
        for i, transform in enumerate(self.transforms):
            if not callable(transform):
                raise DTypeError(
                    f"Compose: transforms[{i}] is a {type(transform).__name__}; expected "
                    "something to call"
                )

    def __call__(self, *batch: Any) -> Any:
        """Return what the last of them returns."""
        for transform in self.transforms:
            result = transform(*batch)
            batch = result if isinstance(result, tuple) else (result,)
        return batch if len(batch) != 1 else batch[0]

    def __repr__(self) -> str:
        lines = "".join(f"    {transform!r},\n" for transform in self.transforms)
        return f"Compose([\n{lines}])"


def same_kind(given: Any, array: Array) -> Any:
    """Return *array* as what was *given*: an array, or a Tensor on its device."""
    if not isinstance(given, Tensor):
        return array
    tensor = asarray(array)
    return tensor if tensor.device is given.device else tensor.to(given.device)


def pair(name: str, what: str, value: Any, least: int = 1) -> tuple[int, int]:
    """Return (height, width) from one whole number or two."""
    sizes = tuple(value) if isinstance(value, Sequence) else (value, value)
    right = all(not isinstance(s, bool) and hasattr(s, "__index__") and s >= least for s in sizes)
    if len(sizes) != 2 or not right:
        raise ArgumentError(
            f"{name}: {what} is {value!r}; expected one or two whole numbers of at least {least}"
        )
    return int(sizes[0]), int(sizes[1])


def number(name: str, what: str, value: Any, least: float = -math.inf) -> float:
    """Return *value* as a float, or raise unless it is a finite number of at least *least*."""
    real = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or value < least:
        bound = "" if least == -math.inf else f" of at least {least:g}"
        raise ArgumentError(f"{name}: {what} is {value!r}; expected a finite number{bound}")
    return float(value)


def probability(name: str, p: Any) -> float:
    """Return *p*, or raise unless it is from 0 to 1."""
    if number(name, "p", p, 0.0) > 1:
        raise ArgumentError(f"{name}: p is {p!r}; expected a probability from 0 to 1")
    return float(p)
