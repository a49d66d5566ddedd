"""Data sets made of others, and streams: data sets without an index."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from minima.data.dataset import Dataset
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError

__all__ = ["ChainDataset", "ConcatDataset", "IterableDataset", "StackDataset"]


class IterableDataset(ABC):
    """Give samples one after the other, where there is no index to ask for.

    Each worker of a DataLoader iterates over its own copy; `get_worker_info()` tells it which
    share of the samples is its own. A `__len__` is wanted only by `len(loader)`.

    >>> class Counting(mi.data.IterableDataset):
    ...     def __iter__(self):
    ...         worker = mi.data.get_worker_info()
    ...         first, step = (worker.id, worker.num_workers) if worker else (0, 1)
    ...         return iter(range(first, 6, step))
    >>> [batch.tolist() for batch in mi.data.DataLoader(Counting(), batch_size=4)]
    [[0, 1, 2, 3], [4, 5]]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Any]: ...

    def __add__(self, other: IterableDataset) -> ChainDataset:
        return ChainDataset([self, other])


class ChainDataset(IterableDataset):
    """Give the samples of one stream after those of another.

    Raises: DTypeError when one of them is no IterableDataset.

    >>> class Letters(mi.data.IterableDataset):
    ...     def __iter__(self):
    ...         return iter("ab")
    >>> list(mi.data.ChainDataset([Letters(), Letters()]))
    ['a', 'b', 'a', 'b']
    """

    def __init__(self, datasets: Iterable[IterableDataset]) -> None:
        self.datasets = list(datasets)
        for i, dataset in enumerate(self.datasets):
            if not isinstance(dataset, IterableDataset):
                raise DTypeError(
                    f"ChainDataset: datasets[{i}] is a {type(dataset).__name__}; expected an "
                    "IterableDataset; data sets with an index go to ConcatDataset"
                )

    def __iter__(self) -> Iterator[Any]:
        for dataset in self.datasets:
            yield from dataset

    def __len__(self) -> int:
        sizes: list[Any] = list(self.datasets)
        return sum(map(len, sizes))


class ConcatDataset(Dataset):
    """Give the samples of several data sets as one, those of the first first.

    Raises: ArgumentError when there are none; DTypeError when one is a stream; IndexRangeError
    when an index lies outside.

    >>> both = mi.data.ConcatDataset(["ab", "cde"])
    >>> len(both), both[1], both[2], both[-1]
    (5, 'b', 'c', 'e')
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset: got no data sets; expected at least one")
        for i, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__"):
                raise DTypeError(
                    f"ConcatDataset: datasets[{i}] is a {type(dataset).__name__}, which has no "
                    "index; expected data sets with one; streams go to ChainDataset"
                )
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        index = _inside("ConcatDataset", index, len(self))
        part = bisect_right(self.cumulative_sizes, index)
        return self.datasets[part][index - (self.cumulative_sizes[part - 1] if part else 0)]


class StackDataset(Dataset):
    """Give sample i of each of several data sets, side by side.

    Given by position, samples are tuples; given by name, dicts.

    Raises: ArgumentError when there are none or both ways are mixed; ShapeError when lengths
    differ; IndexRangeError when an index lies outside.

    >>> pairs = mi.data.StackDataset("ab", [1, 2])
    >>> pairs[1], mi.data.StackDataset(letter="ab", number=[1, 2])[0]
    (('b', 2), {'letter': 'a', 'number': 1})
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError(
                f"StackDataset: got {len(args)} data sets by position and {len(kwargs)} by name; "
                "expected at least one, all given the same way"
            )
        self.datasets: tuple[Any, ...] | dict[str, Any] = kwargs or args
        self._parts: Sequence[Any] = list(kwargs.values()) or list(args)
        sizes = [len(part) for part in self._parts]
        if len(set(sizes)) > 1:
            raise ShapeError(f"StackDataset: lengths differ: {sizes}; expected equal ones")

    def __len__(self) -> int:
        return len(self._parts[0])

    def __getitem__(self, index: int) -> Any:
        index = _inside("StackDataset", index, len(self))
        if isinstance(self.datasets, dict):
            return {name: part[index] for name, part in self.datasets.items()}
        return tuple(part[index] for part in self._parts)


def _inside(name: str, index: int, size: int) -> int:
    if not -size <= index < size:
        raise IndexRangeError(
            f"{name}: index {index} lies outside of {size} samples; expected {-size} to {size - 1}"
        )
    return index % size
