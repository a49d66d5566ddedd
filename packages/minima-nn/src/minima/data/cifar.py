"""CIFAR-10 and CIFAR-100 in their binary form, from the user's folder.

Source: https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from minima.data.dataset import Dataset
from minima.data.errors import DatasetError
from minima.errors import ArgumentError
from minima.tensor import Tensor, asarray

__all__ = ["CIFAR10", "CIFAR100", "read_cifar"]

PIXELS = 3 * 32 * 32
COARSE = 20  # classes of CIFAR-100's first label
NAMES = "airplane automobile bird cat deer dog frog horse ship truck".split()
Array = npt.NDArray[np.uint8]


def read_cifar(path: str | os.PathLike[str], classes: int = 10) -> tuple[Array, Array]:
    """Read one binary file of CIFAR-10 or CIFAR-100 (`classes`): images and labels.

    A record is the label (of CIFAR-100 two: coarse and fine) and 3,072 bytes of pixels, red
    first.

    Shapes: images (N, 3, 32, 32), labels (N,), of CIFAR-100 (N, 2).
    Dtype: uint8.
    Raises: ArgumentError for other numbers of classes; DatasetError, naming the file, when it is
    missing, holds no whole number of records, has a label without a class, or is the pickled form.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "test_batch.bin")
    >>> _ = path.write_bytes(bytes([7]) + bytes(3072))
    >>> images, labels = mi.data.read_cifar(path)
    >>> images.shape, labels.tolist()
    ((1, 3, 32, 32), [7])
    """
    if classes not in (10, 100):
        raise ArgumentError(f"read_cifar: classes is {classes!r}; expected 10 or 100")
    path = Path(path)
    marks = 1 if classes == 10 else 2
    record = marks + PIXELS
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(2)
            if start[:1] == b"\x80" and size % record:
                raise _pickled(path, classes)
            if not size or size % record:
                raise DatasetError(
                    f"{path}: not a sound CIFAR-{classes} file: its {size} bytes are no whole "
                    f"number of records of {record}, the last of which begins at byte "
                    f"{size - size % record}; get a fresh copy of it"
                )
            file.seek(0)
            data = file.read(size)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) != size:
        raise DatasetError(f"{path}: ends after {len(data)} of {size} bytes; read it again")
    rows = np.frombuffer(data, np.uint8).reshape(-1, record)
    labels = rows[:, :marks]
    _check_labels(path, labels, [10] if marks == 1 else [COARSE, 100], record)
    images = rows[:, marks:].reshape(-1, 3, 32, 32)
    return images, labels[:, 0].copy() if marks == 1 else labels.copy()


class _Cifar(Dataset):
    """Colour images kept as bytes; a batch becomes float32 when it is asked for."""

    kind = 10
    folder = ""
    files: dict[bool, Sequence[str]]

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        folder = Path(root)
        if (folder / self.folder).is_dir():
            folder = folder / self.folder
        parts = [read_cifar(_find(folder, n, self.kind), self.kind) for n in self.files[train]]
        self.pixels: Array = np.concatenate([images for images, _ in parts])
        self.labels: Array = np.concatenate([labels for _, labels in parts])
        self.transform = transform
        self.targets = self._targets().astype(np.int64)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        images, labels = self.__getitems__([index])
        return images[0], labels[0]

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        rows = np.asarray(indices, dtype=np.int64)
        images = asarray(self.pixels[rows] * np.float32(1 / 255))
        return (self.transform or (lambda x: x))(images), asarray(self.targets[rows])

    def _targets(self) -> Array:
        return self.labels


class CIFAR10(_Cifar):
    """The 50,000 training or 10,000 test images of CIFAR-10, from the binary files in `root`.

    `transform` is called with batches (N, 3, 32, 32), as what is in `minima.data.augment`.

    Shapes: samples (3, 32, 32), in [0, 1], and ().
    Dtype: float32 and int64.
    Raises: DatasetError when a file is missing, damaged or the pickled form.
    Source: Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".

    >>> mi.data.CIFAR10("nowhere")
    Traceback (most recent call last):
    minima.data.errors.DatasetError: nowhere: no such folder; give the one that holds ...
    """

    folder = "cifar-10-batches-bin"
    files = {  # noqa: RUF012
        True: [f"data_batch_{i}.bin" for i in range(1, 6)],
        False: ["test_batch.bin"],
    }
    classes = tuple(NAMES)


class CIFAR100(_Cifar):
    """The 50,000 training or 10,000 test images of CIFAR-100, from the binary files in `root`.

    Labels are the 100 fine classes, or with `coarse` the 20 that these belong to.

    Shapes, Dtype, Raises: as CIFAR10.

    >>> mi.data.CIFAR100("nowhere", train=False)
    Traceback (most recent call last):
    minima.data.errors.DatasetError: nowhere: no such folder; give the one that holds ...
    """

    kind = 100
    folder = "cifar-100-binary"
    files = {True: ["train.bin"], False: ["test.bin"]}  # noqa: RUF012

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Callable[[Tensor], Tensor] | None = None,
        *,
        coarse: bool = False,
    ) -> None:
        self.coarse = coarse
        super().__init__(root, train, transform)

    def _targets(self) -> Array:
        return self.labels[:, 0 if self.coarse else 1]


def _find(folder: Path, name: str, classes: int) -> Path:
    if not folder.is_dir():
        raise DatasetError(
            f"{folder}: no such folder; give the one that holds {name}, of "
            f"cifar-{classes}-binary.tar.gz"
        )
    if (folder / name).is_file():
        return folder / name
    pickled = folder / name.removesuffix(".bin")
    folders = (folder / "cifar-10-batches-py", folder / "cifar-100-python")
    if pickled.is_file() or any(other.is_dir() for other in folders):
        raise _pickled(pickled if pickled.is_file() else folder, classes)
    raise DatasetError(
        f"{folder}: holds no {name}; unpack cifar-{classes}-binary.tar.gz, from "
        "https://www.cs.toronto.edu/~kriz/cifar.html, into it"
    )


def _check_labels(path: Path, labels: Array, limits: list[int], record: int) -> None:
    for column, limit in enumerate(limits):
        wrong = np.flatnonzero(labels[:, column] >= limit)
        if wrong.size:
            raise DatasetError(
                f"{path}: not a sound CIFAR file: byte {wrong[0] * record + column} holds the "
                f"label {labels[wrong[0], column]}; expected 0 to {limit - 1}"
            )


def _pickled(path: Path, classes: int) -> DatasetError:
    return DatasetError(
        f"{path}: is the pickled form of CIFAR-{classes}, which can run any program as it is read, "
        f"so it is not; fetch the binary form, cifar-{classes}-binary.tar.gz, from "
        "https://www.cs.toronto.edu/~kriz/cifar.html"
    )
