"""DataLoader: from a data set to batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from minima.data.collate import default_collate
from minima.data.sampler import BatchSampler, RandomSampler, SequentialSampler, positive_size
from minima.errors import ArgumentError
from minima.random import Generator

__all__ = ["DataLoader"]


class DataLoader:
    """Iterate over a data set in batches; each loop over it is one pass.

    A data set with `__getitems__` gives whole batches (see Dataset), unless a `collate_fn`
    is given: that one always gets the list of samples. `batch_size=None` turns batching off.
    `shuffle` draws from `generator` (by default the cpu's) alone: with equal states two passes
    have the same order, and `generator.get_state()` before a pass is enough to repeat it.

    Raises: ArgumentError when a size is not above 0 or options contradict each other.

    >>> import minima as mi
    >>> loader = mi.data.DataLoader(mi.data.digits("test"), batch_size=100)
    >>> len(loader), [images.shape for images, labels in loader][-1]
    (4, (60, 1, 8, 8))
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        *,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        generator: Generator | None = None,
    ) -> None:
        _check_options(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if sampler is None:
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        if batch_sampler is None and batch_size is not None:
            batch_size = positive_size("DataLoader", "batch_size", batch_size)
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        elif batch_sampler is not None:
            batch_size = None  # what the batch sampler gives may differ from batch to batch
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last
        self.collate_fn = collate_fn
        self.generator = generator

    def __iter__(self) -> Iterator[Any]:
        if self.batch_sampler is None:
            convert = self.collate_fn or (lambda sample: sample)
            return (convert(self.dataset[index]) for index in self.sampler)
        return map(self._fetch, self.batch_sampler)

    def __len__(self) -> int:
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]

    def _fetch(self, indices: Sequence[int]) -> Any:
        batched = getattr(self.dataset, "__getitems__", None)
        if batched is None or self.collate_fn is not None:
            samples = [self.dataset[index] for index in indices]
            return (self.collate_fn or default_collate)(samples)
        batch = batched(indices)
        return default_collate(batch) if isinstance(batch, list) else batch


def _check_options(
    batch_size: int | None,
    shuffle: bool,
    sampler: Iterable[int] | None,
    batch_sampler: Iterable[Sequence[int]] | None,
    drop_last: bool,
) -> None:
    """Refuse options of which one would be ignored."""
    if shuffle and sampler is not None:
        raise ArgumentError(
            "DataLoader: got shuffle=True and a sampler, which both set the order; leave one out"
        )
    if batch_sampler is not None and (
        batch_size != 1 or shuffle or sampler is not None or drop_last
    ):
        raise ArgumentError(
            "DataLoader: a batch_sampler sets batch_size, shuffle, sampler and drop_last; "
            "leave these four out"
        )
    if batch_size is None and drop_last:
        raise ArgumentError(
            "DataLoader: got drop_last=True with batch_size=None, where there are no batches; "
            "give a batch_size or leave drop_last out"
        )
