"""MNIST and the sets that share its files (Fashion-MNIST, KMNIST), from the user's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from minima.data.dataset import ImageDataset
from minima.data.errors import DatasetError
from minima.data.idx import read_idx
from minima.errors import ArgumentError

__all__ = ["mnist"]

PREFIXES = {"train": "train", "test": "t10k"}


def mnist(folder: str | os.PathLike[str], split: str = "train") -> ImageDataset:
    """Read the "train" or "test" images and labels of MNIST from `folder`.

    The four files go by their usual names, with a dash or a dot before `idx`, plain or with
    `.gz`: `train-images-idx3-ubyte`, `train-labels.idx1-ubyte`, `t10k-images-idx3-ubyte.gz`...

    Shapes: samples (1, H, W) and (), 60,000 and 10,000 of them with H = W = 28 in MNIST.
    Raises: DatasetError when a file is missing, damaged or does not fit its partner.

    >>> import minima as mi
    >>> mi.data.mnist("data", split="validation")
    Traceback (most recent call last):
    minima.errors.ArgumentError: mnist: split is 'validation'; expected 'train' or 'test'
    """
    if split not in PREFIXES:
        raise ArgumentError(f"mnist: split is {split!r}; expected 'train' or 'test'")
    folder = Path(folder)
    image_file = _find(folder, f"{PREFIXES[split]}-images", "idx3")
    label_file = _find(folder, f"{PREFIXES[split]}-labels", "idx1")
    images = _array(image_file, axes=3)
    labels = _array(label_file, axes=1)
    if len(images) != len(labels):
        raise DatasetError(
            f"{label_file}: holds {len(labels)} labels for the {len(images)} images of "
            f"{image_file.name}; get both files from the same data set"
        )
    if not len(images):
        raise DatasetError(f"{image_file}: holds no images; get a fresh copy of it")
    if labels.max() > 9:
        raise DatasetError(f"{label_file}: holds the label {labels.max()}; expected 0 to 9")
    return ImageDataset(images, labels)


def _find(folder: Path, stem: str, kind: str) -> Path:
    """Return the file of one part, whichever of its usual names it has."""
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: no such folder; give the one that holds the MNIST files "
            "(train-images-idx3-ubyte or train-images-idx3-ubyte.gz, ...)"
        )
    names = [f"{stem}{mark}{kind}-ubyte{end}" for end in ("", ".gz") for mark in "-."]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DatasetError(f"{folder}: holds no {names[0]}; expected it or one of {names[1:]}")


def _array(path: Path, axes: int) -> np.ndarray[Any, Any]:
    array = read_idx(path)
    if array.ndim != axes or array.dtype != np.uint8:
        raise DatasetError(
            f"{path}: holds {array.dtype} {array.shape}; expected uint8 with {axes} axes"
        )
    if 0 in array.shape[1:]:
        raise DatasetError(f"{path}: holds images of no size {array.shape}; get a fresh copy")
    return array
