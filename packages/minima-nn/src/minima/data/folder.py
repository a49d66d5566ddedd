"""Folders of pictures, one folder for each class; needs Pillow, the extra `images`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.augment.base import pair
from minima.data.dataset import Dataset
from minima.data.errors import DatasetError
from minima.errors import ArgumentError
from minima.tensor import Tensor, asarray

__all__ = ["ImageFolder"]

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff")
MAX_PIXELS = 1 << 26


class ImageFolder(Dataset):
    """Give the pictures below `root`, each with the number of the folder in `root` that it is in.

    Classes are those folders, sorted by name; within one, files are sorted by path. `size`
    brings all pictures to one (height, width), without which they may differ and then do not
    make a batch. `mode` is "RGB" or "L" (grey). `transform` is called with a batch
    of one (1, C, H, W), so that what is in `minima.data.augment` fits.

    Shapes: sample (3, H, W), in [0, 1], of mode "L" (1, H, W), and ().
    Dtype: float32 and int64.
    Raises: DatasetError when root has no folders or no pictures, and, when one is asked for, when
    it is damaged or its header declares more than `max_pixels`; ArgumentError for another mode;
    ImportError without Pillow.

    >>> mi.data.ImageFolder("nowhere")
    Traceback (most recent call last):
    minima.data.errors.DatasetError: nowhere: no such folder; give one that holds a folder of ...
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Callable[[Tensor], Tensor] | None = None,
        *,
        size: int | Sequence[int] | None = None,
        mode: str = "RGB",
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        if mode not in ("RGB", "L"):
            raise ArgumentError(f"ImageFolder: mode is {mode!r}; expected 'RGB' or 'L'")
        self.root = Path(root)
        self.transform = transform
        self.size = None if size is None else pair("ImageFolder", "size", size)
        self.mode = mode
        self.max_pixels = max_pixels
        if not self.root.is_dir():
            raise DatasetError(
                f"{self.root}: no such folder; give one that holds a folder of pictures for "
                "each class"
            )
        _pillow()
        folders = sorted(entry for entry in self.root.iterdir() if entry.is_dir())
        self.classes = tuple(folder.name for folder in folders)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = [(path, i) for i, f in enumerate(folders) for path in _pictures(f)]
        if not self.samples:
            raise DatasetError(
                f"{self.root}: has {len(folders)} folders and no pictures in them; expected a "
                f"folder for each class, of files that end in {', '.join(ENDINGS)}"
            )
        self.targets = np.array([target for _, target in self.samples], np.int64)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        path, target = self.samples[index]
        pixels = self._read(path)
        planes = np.moveaxis(pixels.reshape(*pixels.shape[:2], -1), -1, 0)
        image = asarray(np.multiply(planes, np.float32(1 / 255), order="C"))
        if self.transform is not None:
            image = self.transform(image[None])[0]
        return image, asarray(np.asarray(target, np.int64))

    def _read(self, path: Path) -> npt.NDArray[np.uint8]:
        pillow = _pillow()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pillow.DecompressionBombWarning)
                with pillow.open(path, formats=FORMATS) as picture:
                    width, height = picture.size
                    if width * height > self.max_pixels:
                        raise DatasetError(
                            f"{path}: declares {width} x {height} pixels; expected at most "
                            f"{self.max_pixels} in all; give max_pixels if it is sound"
                        )
                    shown = picture.convert(self.mode)
                    if self.size is not None:
                        shown = shown.resize(self.size[::-1], pillow.Resampling.BILINEAR)
                    return np.asarray(shown)
        except DatasetError:
            raise
        except Exception as error:  # Pillow raises many classes for damaged files
            raise DatasetError(
                f"{path}: not a sound picture: {error}; get a fresh copy of it or remove it"
            ) from error


def _pictures(folder: Path) -> list[Path]:
    found = []
    for place, _, names in os.walk(folder):
        found += [Path(place, name) for name in names if name.lower().endswith(ENDINGS)]
    return sorted(found)


def _pillow() -> Any:
    try:
        return import_module("PIL.Image")
    except ImportError:
        raise ImportError(
            "ImageFolder: Pillow is not installed, which reads pictures: "
            "pip install 'minima-nn[images]'"
        ) from None
