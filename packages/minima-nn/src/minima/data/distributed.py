"""The sampler of one of several processes that share a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from minima.data.sampler import Sampler, positive_size
from minima.errors import ArgumentError
from minima.random import Generator

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """Yield the share of process `rank` out of `num_replicas`: every num_replicas-th index.

    All processes have shares of one size: the order is filled up with its first indices, or cut
    with `drop_last`. The order of a pass depends on `seed` and on `set_epoch(epoch)` alone, so
    the processes need not talk to each other; call set_epoch before each pass, or all passes
    have the same order.

    Raises: ArgumentError when rank is not from 0 to num_replicas - 1 or a number is missing.

    >>> [list(mi.data.DistributedSampler("abcde", 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int,
        rank: int,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        self.num_replicas = positive_size("DistributedSampler", "num_replicas", num_replicas)
        if isinstance(rank, bool) or not hasattr(rank, "__index__"):
            raise ArgumentError(f"DistributedSampler: rank is {rank!r}; expected a whole number")
        if not 0 <= rank < self.num_replicas:
            raise ArgumentError(
                f"DistributedSampler: rank is {rank}; expected 0 to {self.num_replicas - 1}, with "
                f"num_replicas {self.num_replicas}"
            )
        self.dataset = dataset
        self.rank = int(rank)
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the passes that begin from now on."""
        if isinstance(epoch, bool) or not hasattr(epoch, "__index__") or epoch < 0:
            raise ArgumentError(f"set_epoch: got {epoch!r}; expected a whole number of at least 0")
        self.epoch = int(epoch)

    def __iter__(self) -> Iterator[int]:
        size, total = len(self.dataset), len(self) * self.num_replicas
        order = list(range(size))
        if self.shuffle:
            order = Generator(self.seed + self.epoch).permutation(size).tolist()
        while order and len(order) < total:
            order += order[: total - len(order)]
        return iter(order[self.rank : total : self.num_replicas])

    def __len__(self) -> int:
        size = len(self.dataset)
        return size // self.num_replicas if self.drop_last else -(-size // self.num_replicas)
