"""Images mixed with others of their batch, and their labels with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.augment.base import Array, Augmentation, number, same_kind
from minima.data.sampler import positive_size
from minima.errors import ArgumentError, DTypeError, ShapeError
from minima.random import Generator
from minima.tensor import Tensor

__all__ = ["CutMix", "Mixup"]


class _Mix(Augmentation):
    """Called with images and labels; labels come back as probabilities of classes."""

    def __init__(
        self,
        num_classes: int | None = None,
        alpha: float = 1.0,
        generator: Generator | None = None,
    ) -> None:
        name = type(self).__name__
        if num_classes is not None:
            num_classes = positive_size(name, "num_classes", num_classes)
        self.num_classes = num_classes
        self.alpha = number(name, "alpha", alpha, 0.0)
        if not self.alpha:
            raise ArgumentError(f"{name}: alpha is 0; expected a number above 0")
        self.generator = generator

    def __call__(self, images: Any, labels: Any = None) -> Any:
        """Return (images, labels), each mixed with another of the batch."""
        array = self._floats(self._array(images))
        classes = self._classes(labels, len(array), array.dtype)
        order = self._source().permutation(len(array))
        mixed, share = self._mix(array, order)
        target = share * classes + (1 - share) * classes[order]
        kind = labels if isinstance(labels, Tensor) else images
        return same_kind(images, mixed), same_kind(kind, target.astype(array.dtype))

    def change(self, images: Array) -> Array:
        """Return *images* mixed, for those who have no labels."""
        images = self._floats(images)
        return self._mix(images, self._source().permutation(len(images)))[0]

    def _mix(self, images: Array, order: npt.NDArray[Any]) -> tuple[Array, float]:
        """Return the mixed images and the share that each image has of its own."""
        raise NotImplementedError

    def _share(self) -> float:
        """Draw from the Beta distribution with both parameters alpha (Jöhnk's way, by logs)."""
        while True:
            a, b = np.log(np.maximum(self._uniform(2), 1e-300)) / self.alpha
            if np.logaddexp(a, b) <= 0:
                return float(np.exp(a - np.logaddexp(a, b)))

    def _classes(self, labels: Any, count: int, dtype: np.dtype[Any]) -> Array:
        """Return labels as probabilities (N, classes)."""
        name = type(self).__name__
        if not isinstance(labels, (Tensor, np.ndarray)):
            raise DTypeError(
                f"{name}: labels is a {type(labels).__name__}; expected an array or a Tensor"
            )
        array = labels.detach().numpy() if isinstance(labels, Tensor) else labels
        if array.shape[:1] != (count,) or array.ndim > 2:
            raise ShapeError(
                f"{name}: labels have shape {array.shape}; expected ({count},) or ({count}, "
                "classes), one for each image"
            )
        if array.ndim == 2:
            return array.astype(dtype)
        if self.num_classes is None:
            raise ArgumentError(
                f"{name}: labels are numbers of classes, and num_classes is not given; expected "
                "it, or labels (N, classes)"
            )
        if array.dtype.kind not in "iu" or (
            array.size and not 0 <= array.min() <= array.max() < self.num_classes
        ):
            raise ArgumentError(
                f"{name}: labels have dtype {array.dtype}, values "
                f"{array.min() if array.size else '-'} to {array.max() if array.size else '-'}; "
                f"expected whole numbers from 0 to {self.num_classes - 1}"
            )
        return np.eye(self.num_classes, dtype=dtype)[array]


class Mixup(_Mix):
    """Return share * x + (1 - share) * x', and the same of labels, for x' another of the batch.

    One share from Beta(alpha, alpha) holds for the whole batch; x' is a random permutation.

    Shapes: images (N, C, H, W), labels (N,) or (N, classes) -> the same, (N, num_classes).
    Dtype: as the images, which are floating; labels become probabilities, which
    `CrossEntropyLoss` takes.
    Raises: ShapeError, ArgumentError when labels do not fit images or num_classes.
    Source: Zhang et al. 2017, "mixup: Beyond Empirical Risk Minimization", figure 1.

    >>> mix = mi.data.augment.Mixup(num_classes=2, generator=mi.Generator(0))
    >>> images, labels = mix(mi.ones((2, 1, 4, 4)), mi.Tensor([0, 1]))
    >>> labels.shape, mi.sum(labels, 1).tolist()
    ((2, 2), [1.0, 1.0])
    """

    def _mix(self, images: Array, order: npt.NDArray[Any]) -> tuple[Array, float]:
        share = self._share()
        own = images.dtype.type(share)
        return np.asarray(own * images + (1 - own) * images[order]), share


class CutMix(_Mix):
    """Paste a rectangle of another image of the batch into each, and mix labels by its area.

    The rectangle covers a share from Beta(alpha, alpha) of the image, less where it reaches over
    the edge; it is at one place in the whole batch.

    Shapes: images (N, C, H, W), labels (N,) or (N, classes) -> the same, (N, num_classes).
    Dtype, Raises: as Mixup.
    Source: Yun et al. 2019, algorithm A1.

    >>> mix = mi.data.augment.CutMix(num_classes=2, generator=mi.Generator(0))
    >>> images, labels = mix(mi.ones((2, 1, 4, 4)), mi.Tensor([0, 1]))
    >>> images.shape, labels.shape
    ((2, 1, 4, 4), (2, 2))
    """

    def _mix(self, images: Array, order: npt.NDArray[Any]) -> tuple[Array, float]:
        share = self._share()
        height, width = images.shape[2:]
        side = np.sqrt(1 - share) / 2
        y, x = self._uniform(2) * (height, width)
        top, bottom = (int(v) for v in np.clip((y - side * height, y + side * height), 0, height))
        left, right = (int(v) for v in np.clip((x - side * width, x + side * width), 0, width))
        out = images.copy()
        out[:, :, top:bottom, left:right] = images[order, :, top:bottom, left:right]
        covered = (bottom - top) * (right - left)
        return out, 1 - covered / max(height * width, 1)
