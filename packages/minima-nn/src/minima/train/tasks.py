"""What can be trained by name: for each task its data, its network and its usual settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minima import nn
from minima.data import ImageDataset, digits, mnist
from minima.errors import ArgumentError
from minima.random import Generator
from minima.tensor import Tensor, asarray

__all__ = ["TASKS", "Task", "conv_net", "shifted"]


@dataclass(frozen=True)
class Task:
    """Data, network and usual settings of one task.

    >>> from minima.train.tasks import TASKS
    >>> sorted(TASKS)
    ['digits', 'mnist']
    """

    load: Callable[[Path | None], tuple[ImageDataset, ImageDataset]]
    widths: Sequence[int]
    pools: Sequence[bool]
    epochs: int
    batch_size: int
    lr: float


def conv_net(
    height: int, width: int, classes: int, widths: Sequence[int], pools: Sequence[bool]
) -> nn.Module:
    """Build 3x3 convolutions of these widths, each with batch norm, and a linear layer.

    Where `pools` says so a convolution is followed by a pooling that halves both sizes.

    Shapes: (N, 1, height, width) -> (N, classes).
    Raises: ArgumentError for images of which the poolings leave nothing.

    >>> from minima.train.tasks import conv_net
    >>> conv_net(8, 8, 10, widths=(4, 8), pools=(False, True))(mi.init.rand(2, 1, 8, 8)).shape
    (2, 10)
    """
    smallest = 2 ** sum(pools)
    if min(height, width) < smallest:
        raise ArgumentError(
            f"train: the images are {height}x{width}; expected at least {smallest}x{smallest}"
        )
    layers: list[nn.Module] = []
    channels = 1
    for out, pool in zip(widths, pools, strict=True):
        layers += [
            nn.Conv2d(channels, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        ]
        if pool:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        channels = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, classes))


def shifted(images: Tensor, generator: Generator) -> Tensor:
    """Move each image by up to one pixel in both directions, at random; zeros move in.

    Shapes: (N, C, H, W) -> (N, C, H, W).

    >>> from minima.train.tasks import shifted
    >>> shifted(mi.init.ones(2, 1, 8, 8), mi.Generator(0)).shape
    (2, 1, 8, 8)
    """
    array = images.numpy()
    n, _, height, width = array.shape
    padded = np.pad(array, ((0, 0), (0, 0), (1, 1), (1, 1)))
    down, right = generator.integers(0, 3, (2, n)).numpy()[..., np.newaxis]
    rows, columns = down + np.arange(height), right + np.arange(width)
    samples = np.arange(n)[:, np.newaxis, np.newaxis]
    moved = padded[samples, :, rows[:, :, np.newaxis], columns[:, np.newaxis]]
    return asarray(np.moveaxis(moved, -1, 1))


def _digits(folder: Path | None) -> tuple[ImageDataset, ImageDataset]:
    if folder is not None:
        raise ArgumentError("--data is for mnist; the digits come with minima-nn, leave it out")
    return digits("train"), digits("test")


def _mnist(folder: Path | None) -> tuple[ImageDataset, ImageDataset]:
    if folder is None:
        raise ArgumentError(
            "mnist needs --data FOLDER, the folder that holds train-images-idx3-ubyte and the "
            "three other files of MNIST, plain or as .gz"
        )
    return mnist(folder, "train"), mnist(folder, "test")


TASKS: dict[str, Task] = {
    # chosen by five-fold cross-validation within the training images: 99.2 %
    "digits": Task(
        _digits,
        widths=(16, 32, 64),
        pools=(False, True, True),
        epochs=15,
        batch_size=32,
        lr=0.005,
    ),
    "mnist": Task(
        _mnist,
        widths=(8, 16, 32),
        pools=(True, True, True),
        epochs=5,
        batch_size=64,
        lr=0.005,
    ),
}
