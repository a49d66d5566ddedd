"""DataLoader: from a data set to batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import repeat
from typing import Any

from minima.data.combined import IterableDataset
from minima.data.fetching import END, Recipe
from minima.data.pinning import pinned
from minima.data.pool import Pool, context_of
from minima.data.sampler import BatchSampler, RandomSampler, SequentialSampler, positive_size
from minima.errors import ArgumentError, DTypeError
from minima.random import Generator, default_generator

__all__ = ["DataLoader"]

LARGEST_SEED = 2**62


class DataLoader:
    """Iterate over a data set in batches; each loop over it is one pass.

    A data set with `__getitems__` gives whole batches (see Dataset), unless a `collate_fn`
    is given: that one always gets the list of samples. `batch_size=None` turns batching off; then
    samples go through `default_convert`, or `collate_fn`, one by one.
    `shuffle` draws from `generator` (by default the cpu's) alone: with equal states two passes
    have the same order, and `generator.get_state()` before a pass is enough to repeat it.

    With `num_workers` above 0 that many processes make the batches, `prefetch_factor` (2) each
    ahead of the loop, and hand them over in shared memory. The order of batches, and which
    worker makes which, is the same in every run; `in_order=False` gives up both for whichever is
    ready first. In a worker minima's default generator, `random` and `numpy.random` are seeded
    with a number that differs between workers and passes and depends on `generator` only; then
    `worker_init_fn(id)` is called, once. What a worker raises is raised here, with its
    traceback; one that dies, or gives nothing for `timeout` seconds (0: no limit), raises
    WorkerError. Workers end with the loop, also one left early, or with `persistent_workers`
    when the loader goes. A data set goes to each worker once, pickled; so does `collate_fn`. A
    Generator in one of them is copied too, so all workers would draw the same from it: leave it
    out there, and minima's default generator, seeded for each worker, is used.

    An IterableDataset has no sampler: in each worker it is iterated over, and `get_worker_info`
    tells it which share to give. `pin_memory` moves tensors of a batch to memory from which
    `pin_memory_device` (by default the current device) copies faster, where it has a hook
    `pin_memory(tensor)`; others leave it alone.

    Raises: ArgumentError when a size is not above 0 or options contradict each other, or in the
    loop when a data set cannot be sent to a worker; WorkerError.

    >>> loader = mi.data.DataLoader(mi.data.digits("test"), batch_size=100)
    >>> len(loader), [images.shape for images, labels in loader][-1]
    (4, (60, 1, 8, 8))
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Sequence[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], object] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        shuffle = bool(shuffle)
        _check_options(batch_size, shuffle, sampler, batch_sampler, drop_last)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        if batch_size is not None:
            batch_size = positive_size("DataLoader", "batch_size", batch_size)
        streams = isinstance(dataset, IterableDataset)
        self._moves_generator = False
        if streams:
            _check_stream(shuffle, sampler, batch_sampler)
        elif sampler is None:
            self._moves_generator = shuffle
            sampler = (
                RandomSampler(dataset, generator=generator)
                if shuffle
                else SequentialSampler(dataset)
            )
        if batch_sampler is not None:
            batch_size = None  # what the batch sampler gives may differ from batch to batch
        elif batch_size is not None and sampler is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = int(num_workers)
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = (
            context_of(multiprocessing_context) if num_workers or multiprocessing_context else None
        )
        self.generator = generator
        self.prefetch_factor = (prefetch_factor or 2) if num_workers else None
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self._pool: Pool | None = None

    def __iter__(self) -> Iterator[Any]:
        batches = self._by_workers() if self.num_workers else self._here()
        if not self.pin_memory:
            return batches
        return (pinned(batch, self.pin_memory_device or None) for batch in batches)

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self.sampler if self.batch_sampler is None else self.batch_sampler)  # type: ignore[arg-type]
        if not hasattr(self.dataset, "__len__"):
            raise DTypeError(
                f"DataLoader: a {type(self.dataset).__name__} has no length, so the loader has "
                "none; give the data set a __len__ or do without"
            )
        size = len(self.dataset)
        if self.batch_size is None:
            return size
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def _recipe(self) -> Recipe:
        return Recipe(
            self.dataset,
            self.collate_fn,
            self.batch_sampler is not None,
            self.batch_size,
            self.drop_last,
            self.worker_init_fn,
        )

    def _orders(self) -> Iterator[Any]:
        """Yield the indices of each batch; for a stream, None without end."""
        if isinstance(self.dataset, IterableDataset):
            return repeat(None)
        order: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
        return iter(order)

    def _here(self) -> Iterator[Any]:
        make = self._recipe().begin()
        for indices in self._orders():
            batch = make(indices)
            if batch is END:
                return
            yield batch

    def _by_workers(self) -> Iterator[Any]:
        pool = self._pool
        if pool is None or pool.busy:  # by another loop over this loader
            pool = Pool(
                self._recipe(),
                self.multiprocessing_context,
                self.num_workers,
                self.prefetch_factor or 2,
            )
            if self.persistent_workers and self._pool is None:
                self._pool = pool
        pool.busy = True
        whole = False  # whether its processes can go on with another pass
        try:
            yield from pool.batches(self._seed(), self._orders(), self.timeout, self.in_order)
            whole = True
        except GeneratorExit:
            whole = True
            raise
        finally:
            pool.busy = False
            if not whole or pool is not self._pool:
                if pool is self._pool:
                    self._pool = None
                pool.close()

    def _seed(self) -> int:
        """Draw the seed of a pass so that the order is the same without workers.

        Shuffling moves the generator in each pass; where nothing does, the seed does.
        """
        source = default_generator() if self.generator is None else self.generator
        state = source.get_state()
        seed = int(source.integers(0, LARGEST_SEED, (1,)).item())
        if self._moves_generator and len(self.dataset) > 1:
            source.set_state(state)
        return seed

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_pool": None}


def _check_options(
    batch_size: int | None,
    shuffle: bool,
    sampler: Iterable[Any] | None,
    batch_sampler: Iterable[Sequence[Any]] | None,
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


def _check_stream(shuffle: bool, sampler: Any, batch_sampler: Any) -> None:
    """Refuse what needs an index."""
    for name, given in (
        ("shuffle", shuffle),
        ("sampler", sampler),
        ("batch_sampler", batch_sampler),
    ):
        if given is not None and given is not False:
            raise ArgumentError(
                f"DataLoader: got {name} with an IterableDataset, which has no index and sets "
                f"the order itself; leave {name} out"
            )


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    """Refuse numbers that make no sense, and options that need workers without any."""
    if isinstance(num_workers, bool) or not hasattr(num_workers, "__index__") or num_workers < 0:
        raise ArgumentError(
            f"DataLoader: num_workers is {num_workers!r}; expected a whole number of at least 0"
        )
    usable = False
    with suppress(TypeError):
        usable = math.isfinite(timeout) and timeout >= 0
    if not usable:
        raise ArgumentError(f"DataLoader: timeout is {timeout!r}; expected seconds, 0 for no limit")
    if prefetch_factor is not None:
        positive_size("DataLoader", "prefetch_factor", prefetch_factor)
    for name, given in (
        ("prefetch_factor", prefetch_factor is not None),
        ("persistent_workers", persistent_workers),
        ("timeout", timeout > 0),
    ):
        if given and not num_workers:
            raise ArgumentError(
                f"DataLoader: got {name} with num_workers=0, where nothing is made ahead; give "
                f"num_workers or leave {name} out"
            )
