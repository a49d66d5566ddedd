"""The UCI handwritten digits: 1,797 real images that come with minima-nn."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from minima.data.dataset import ImageDataset
from minima.data.errors import DatasetError
from minima.errors import ArgumentError

__all__ = ["digits"]

FILE = Path(__file__).with_name("uci_digits") / "digits.npz"
WHITE = 16  # the largest value of a pixel
TEST_EVERY = 5


def digits(split: str = "train") -> ImageDataset:
    """Give the "train" (1,437) or "test" (360) part of the UCI handwritten digits, or "all".

    The split never changes: with the images sorted by class, in their original order within
    each, every fifth beginning with the first is a test image, so the classes have the
    same shares in both. The same people wrote digits of both parts.

    Shapes: samples (1, 8, 8), in [0, 1], and ().
    Dtype: float32 and int64.
    Raises: ArgumentError for another split; DatasetError when the package's copy is damaged.
    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0.

    >>> import minima as mi
    >>> train, test = mi.data.digits("train"), mi.data.digits("test")
    >>> train.images.shape, test.images.shape
    ((1437, 1, 8, 8), (360, 1, 8, 8))
    """
    if split not in ("train", "test", "all"):
        raise ArgumentError(f"digits: split is {split!r}; expected 'train', 'test' or 'all'")
    images, labels = _load(FILE)
    if split != "all":
        tested = np.zeros(len(labels), dtype=bool)
        tested[np.argsort(labels, kind="stable")[::TEST_EVERY]] = True
        chosen = tested if split == "test" else ~tested
        images, labels = images[chosen], labels[chosen]
    return ImageDataset(images, labels, white=WHITE)


def _load(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return file["images"], file["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{path}: cannot be read: {error}; install minima-nn again to get a fresh copy"
        ) from error
