"""Samplers: the order in which a loader visits a data set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sized
from typing import Any

from minima.errors import ArgumentError
from minima.random import Generator, default_generator

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "positive_size"]


def positive_size(operation: str, name: str, value: Any) -> int:
    """Return `value` as an int of at least 1, or raise ArgumentError that names it.

    >>> from minima.data.sampler import positive_size
    >>> positive_size("DataLoader", "batch_size", 32)
    32
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ArgumentError(f"{operation}: {name} is {value!r}; expected a whole number above 0")
    return int(value)


class Sampler(ABC):
    """Yield the indices of samples, or of batches, in the order of the visit.

    >>> import minima as mi
    >>> class Backwards(mi.data.Sampler):
    ...     def __len__(self):
    ...         return 3
    ...     def __iter__(self):
    ...         return iter([2, 1, 0])
    >>> [x.item() for x in mi.data.DataLoader([10, 20, 30], sampler=Backwards())]
    [30, 20, 10]
    """

    @abstractmethod
    def __iter__(self) -> Iterator[Any]: ...

    @abstractmethod
    def __len__(self) -> int: ...


class SequentialSampler(Sampler):
    """Yield 0, 1, ... len(data_source) - 1.

    >>> import minima as mi
    >>> list(mi.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Yield the indices of `data_source` in random order, a new one in each pass.

    Without replacement each index comes once before any comes again; `num_samples` (all by
    default) may be larger than the data set. With replacement each draw is independent.
    The order depends on nothing but the state of `generator` (by default the cpu's) at the
    start of the pass, so saving that state makes a pass repeatable.

    Raises: ArgumentError when num_samples is not a whole number above 0 or nothing can be drawn.

    >>> import minima as mi
    >>> sampler = mi.data.RandomSampler("abcdef", generator=mi.Generator(0))
    >>> sorted(sampler)
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if num_samples is not None:
            num_samples = positive_size("RandomSampler", "num_samples", num_samples)
            if not len(data_source):
                raise ArgumentError(
                    f"RandomSampler: asked for {num_samples} samples of an empty data set; "
                    "give it samples or leave num_samples out"
                )
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = num_samples
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        generator = default_generator() if self.generator is None else self.generator
        size, wanted = len(self.data_source), len(self)
        if not wanted:
            return
        if self.replacement:
            yield from generator.integers(0, size, (wanted,)).tolist()
            return
        for start in range(0, wanted, size):
            yield from generator.permutation(size)[: wanted - start].tolist()

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples


class BatchSampler(Sampler):
    """Yield lists of `batch_size` indices that `sampler` gives.

    The last list is shorter when they do not divide evenly, or left out with `drop_last`.

    Raises: ArgumentError when batch_size is not a whole number above 0.

    >>> import minima as mi
    >>> list(mi.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = positive_size("BatchSampler", "batch_size", batch_size)
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for index in self.sampler:
            batch.append(index)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        size = len(self.sampler)  # type: ignore[arg-type]
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)
