"""How a batch is made, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from minima.data.collate import default_collate, default_convert
from minima.data.combined import IterableDataset

__all__ = ["END", "Recipe"]


class _End:
    """What a stream gives when it has no more batches."""

    def __reduce__(self) -> str:
        return "END"


END = _End()


@dataclass(frozen=True)
class Recipe:
    """What makes batches of a data set, apart from the order; all of it goes to each worker.

    *batch_size* and *drop_last* matter to streams only: elsewhere a batch sampler knows them.
    *batched*: whether an index stands for a whole batch.
    """

    dataset: Any
    collate_fn: Callable[[Any], Any] | None
    batched: bool
    batch_size: int | None
    drop_last: bool
    worker_init_fn: Callable[[int], object] | None = None

    @property
    def streams(self) -> bool:
        """Whether samples come one after the other, without an index."""
        return isinstance(self.dataset, IterableDataset)

    def begin(self) -> Callable[[Any], Any]:
        """Begin a pass: return what turns indices (of a stream: anything) into a batch or END."""
        if not self.streams:
            return self._batch if self.batched else self._single
        samples = iter(self.dataset)
        return lambda _: self._next(samples)

    def _single(self, index: Any) -> Any:
        return self._convert(self.dataset[index])

    def _convert(self, sample: Any) -> Any:
        return (self.collate_fn or default_convert)(sample)

    def _batch(self, indices: Any) -> Any:
        many = getattr(self.dataset, "__getitems__", None)
        if many is None or self.collate_fn is not None:
            samples = [self.dataset[index] for index in indices]
            return (self.collate_fn or default_collate)(samples)
        batch = many(indices)
        return default_collate(batch) if isinstance(batch, list) else batch

    def _next(self, samples: Any) -> Any:
        if self.batch_size is None:
            sample = next(samples, END)
            return END if sample is END else self._convert(sample)
        taken = list(islice(samples, self.batch_size))
        if not taken or (self.drop_last and len(taken) < self.batch_size):
            return END
        return (self.collate_fn or default_collate)(taken)
