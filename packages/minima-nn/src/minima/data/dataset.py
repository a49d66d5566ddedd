"""Data sets: things with a length that give a sample, or a ready batch, by index."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.errors import ArgumentError, IndexRangeError, ShapeError
from minima.random import Generator, default_generator
from minima.tensor import Tensor, asarray

__all__ = ["Dataset", "ImageDataset", "Subset", "TensorDataset", "random_split"]


class Dataset(ABC):
    """Give sample number `index` and say how many there are.

    A data set that can read many samples at once defines `__getitems__(indices)` too and
    returns the ready batch from it; `DataLoader` then skips collation, which is most of the
    time of a small batch. A list returned from it is taken for samples still to collate.

    >>> import minima as mi
    >>> class Squares(mi.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, index):
    ...         return index, index**2
    >>> [[x.tolist() for x in batch] for batch in mi.data.DataLoader(Squares(), batch_size=2)]
    [[[0, 1], [0, 1]], [[2, 3], [4, 9]]]
    """

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, index: Any) -> Any: ...

    def __add__(self, other: Any) -> Dataset:
        from minima.data.combined import ConcatDataset

        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Give row i of each tensor as sample i.

    NumPy arrays become tensors over the same memory.

    Shapes: tensors (N, *) -> N samples, each a tuple with one (*) per tensor.
    Raises: ShapeError when the tensors differ in their first size or have none.

    >>> import minima as mi
    >>> dataset = mi.data.TensorDataset(mi.Tensor([[1.0], [2.0]]), mi.Tensor([0, 1]))
    >>> len(dataset), [part.tolist() for part in dataset[1]]
    (2, [[2.0], 1])
    """

    def __init__(self, *tensors: Tensor | npt.NDArray[Any]) -> None:
        if not tensors:
            raise ArgumentError("TensorDataset: got no tensors; expected at least one")
        self.tensors = tuple(asarray(t) for t in tensors)
        for tensor in self.tensors:
            if tensor.ndim == 0:
                raise ShapeError("TensorDataset: got a tensor of shape (); expected (N, ...)")
            if tensor.shape[0] != self.tensors[0].shape[0]:
                sizes = [t.shape[0] for t in self.tensors if t.ndim]
                raise ShapeError(
                    f"TensorDataset: first sizes differ: {sizes}; expected one row per sample "
                    "in every tensor"
                )

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, ...]:
        rows = np.asarray(indices, dtype=np.int64)
        return tuple(tensor[rows] for tensor in self.tensors)


class ImageDataset(Dataset):
    """Keep grey images as bytes and give them as float32 in [0, 1], with a label each.

    Bytes take a quarter of the memory of float32; a batch is converted when it is asked for.
    `classes` holds the names of the labels, `white` the byte that becomes 1.0. `transform`, which
    can be set later too, is called with batches (B, 1, H, W), as what is in
    `minima.data.augment`.

    Shapes: pixels (N, H, W), labels (N,) -> sample (1, H, W) and (), batch (B, 1, H, W) and (B,).
    Dtype: float32 images, int64 labels.
    Raises: ShapeError when sizes do not fit; ArgumentError when a label has no class.

    >>> import minima as mi, numpy as np
    >>> dataset = mi.data.ImageDataset(np.full((2, 3, 3), 255, np.uint8), np.array([1, 0]))
    >>> dataset.images.shape, dataset.labels.tolist()
    ((2, 1, 3, 3), [1, 0])
    """

    def __init__(
        self,
        pixels: np.ndarray[Any, Any],
        labels: np.ndarray[Any, Any],
        *,
        white: int = 255,
        classes: Sequence[str] = tuple("0123456789"),
        transform: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if pixels.ndim != 3 or labels.shape != pixels.shape[:1]:
            raise ShapeError(
                f"ImageDataset: got pixels {pixels.shape} and labels {labels.shape}; "
                "expected (N, H, W) and (N,)"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < len(classes):
            raise ArgumentError(
                f"ImageDataset: labels run from {labels.min()} to {labels.max()}; "
                f"expected 0 to {len(classes) - 1}, one for each class"
            )
        self.pixels = pixels
        self.targets = labels.astype(np.int64)
        self.white = white
        self.classes = tuple(classes)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = asarray(self._scaled(self.pixels[index])[np.newaxis])
        if self.transform is not None:
            image = self.transform(image[None])[0]
        return image, asarray(np.asarray(self.targets[index]))

    def __getitems__(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        rows = np.asarray(indices, dtype=np.int64)
        images = asarray(self._scaled(self.pixels[rows])[:, np.newaxis])
        return (self.transform or (lambda x: x))(images), asarray(self.targets[rows])

    @property
    def images(self) -> Tensor:
        """Return all images as they are kept: (N, 1, H, W), float32, without `transform`."""
        return asarray(self._scaled(self.pixels)[:, np.newaxis])

    @property
    def labels(self) -> Tensor:
        """Return all labels: (N,), int64."""
        return asarray(self.targets, copy=True)

    def _scaled(self, pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return pixels.astype(np.float32) * np.float32(1 / self.white)


class Subset(Dataset):
    """Give the samples of `dataset` at `indices`, in that order.

    Raises: IndexRangeError when an index lies outside of the data set.

    >>> import minima as mi
    >>> list(mi.data.Subset(["a", "b", "c"], [2, 0]))
    ['c', 'a']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = [int(index) for index in indices]
        size = len(dataset)
        outside = next((i for i in self.indices if not -size <= i < size), None)
        if outside is not None:
            raise IndexRangeError(
                f"Subset: index {outside} lies outside of a data set of {size} samples; "
                f"expected {-size} to {size - 1}"
            )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        chosen = [self.indices[index] for index in indices]
        batched = getattr(self.dataset, "__getitems__", None)
        return batched(chosen) if batched else [self.dataset[index] for index in chosen]


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset]:
    """Split a data set at random into parts that do not overlap.

    `lengths` are numbers of samples that add up to len(dataset), or fractions that add up to 1;
    what rounding fractions down leaves over goes to the first parts, one sample each.

    Raises: ArgumentError when the lengths do not add up.

    >>> import minima as mi
    >>> parts = mi.data.random_split(range(10), [0.75, 0.25], generator=mi.Generator(0))
    >>> [len(part) for part in parts], sorted([*parts[0], *parts[1]]) == list(range(10))
    ([8, 2], True)
    """
    counts = _counts(len(dataset), lengths)
    source = default_generator() if generator is None else generator
    order = source.permutation(len(dataset)).tolist()
    ends = np.cumsum(counts).tolist()
    return [Subset(dataset, order[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _counts(size: int, lengths: Sequence[int | float]) -> list[int]:
    """Turn lengths or fractions into numbers of samples that add up to `size`."""
    if any(not length >= 0 for length in lengths):
        raise ArgumentError(f"random_split: got lengths {list(lengths)}; expected none below 0")
    if all(isinstance(length, (int, np.integer)) for length in lengths) and sum(lengths) == size:
        return [int(length) for length in lengths]
    if not math.isclose(sum(lengths), 1.0):
        raise ArgumentError(
            f"random_split: lengths {list(lengths)} add up to {sum(lengths)}; expected "
            f"{size}, the size of the data set, or fractions that add up to 1"
        )
    counts = [math.floor(size * length) for length in lengths]
    for i in range(size - sum(counts)):
        counts[i % len(counts)] += 1
    return counts
