"""Samplers that draw: from a subset, by weight, or with every class in proportion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.data.sampler import Sampler, positive_size
from minima.errors import ArgumentError, ShapeError
from minima.random import Generator, default_generator
from minima.tensor import Tensor

__all__ = ["StratifiedSampler", "SubsetRandomSampler", "WeightedRandomSampler"]


class SubsetRandomSampler(Sampler):
    """Yield the given indices in random order, a new one in each pass.

    >>> sorted(mi.data.SubsetRandomSampler([2, 3, 5], generator=mi.Generator(0)))
    [2, 3, 5]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        order = _source(self.generator).permutation(len(self.indices)).tolist()
        return (self.indices[i] for i in order)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Yield `num_samples` indices, each with a probability in proportion to its weight.

    With replacement draws are independent; without, no index comes twice and each draw is
    from what is left.

    Raises: ShapeError when weights are not a sequence of numbers; ArgumentError when one is
    below 0 or not finite, all are 0, or without replacement fewer than num_samples are above 0.
    Source: Efraimidis & Spirakis 2006, algorithm A (without replacement).

    >>> sampler = mi.data.WeightedRandomSampler([0.0, 1.0, 3.0], 4, generator=mi.Generator(0))
    >>> len(sampler), set(sampler) <= {1, 2}
    (4, True)
    """

    def __init__(
        self,
        weights: Sequence[float] | npt.NDArray[Any] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise ArgumentError(
                f"WeightedRandomSampler: replacement is {replacement!r}; expected True or False"
            )
        self.num_samples = positive_size("WeightedRandomSampler", "num_samples", num_samples)
        self.weights = _host(weights).astype(np.float64)
        self.replacement = replacement
        self.generator = generator
        _check_weights(self.weights, 1 if replacement else self.num_samples)

    def __iter__(self) -> Iterator[int]:
        source = _source(self.generator)
        if self.replacement:
            ends = np.cumsum(self.weights)
            last = np.flatnonzero(self.weights)[-1]  # rounding may draw the very end
            drawn = _uniform(source, self.num_samples) * ends[-1]
            chosen = np.minimum(np.searchsorted(ends, drawn, side="right"), last)
        else:
            keys = np.full(self.weights.shape, np.inf)
            some = self.weights > 0
            keys[some] = -np.log1p(-_uniform(source, int(some.sum()))) / self.weights[some]
            chosen = np.argsort(keys, kind="stable")[: self.num_samples]
        return iter(chosen.tolist())

    def __len__(self) -> int:
        return self.num_samples


class StratifiedSampler(Sampler):
    """Yield the indices of all samples with the classes in proportion all the way through.

    Sample j of the n_c of class c, in random order, stands at (j + u_c) / n_c of the pass, with
    u_c drawn once for each class. So in any run of samples, and in every batch of whatever size, a
    class comes as often as its share says, give or take 1 + the share times the number of
    classes. With `num_samples` a pass holds that many, each class its share rounded.

    Shapes: labels (N,).
    Raises: ShapeError when labels are not a sequence; ArgumentError when num_samples is not from
    1 to N.

    >>> labels = [0] * 6 + [1] * 3
    >>> order = list(mi.data.StratifiedSampler(labels, generator=mi.Generator(0)))
    >>> [sorted(labels[i] for i in order[start : start + 3]) for start in (0, 3, 6)]
    [[0, 0, 1], [0, 0, 1], [0, 0, 1]]
    """

    def __init__(
        self,
        labels: Sequence[Any] | npt.NDArray[Any] | Tensor,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        array = _host(labels)
        if array.ndim != 1:
            raise ShapeError(f"StratifiedSampler: labels have shape {array.shape}; expected (N,)")
        if num_samples is not None:
            num_samples = positive_size("StratifiedSampler", "num_samples", num_samples)
            if num_samples > len(array):
                raise ArgumentError(
                    f"StratifiedSampler: num_samples is {num_samples}; expected at most "
                    f"{len(array)}, the number of labels"
                )
        self.num_samples = len(array) if num_samples is None else num_samples
        self.generator = generator
        self.classes, members = np.unique(array, return_inverse=True)
        self._members = [np.flatnonzero(members == c) for c in range(len(self.classes))]

    def __iter__(self) -> Iterator[int]:
        if not self.num_samples:
            return iter(())
        source = _source(self.generator)
        counts = _shares([len(members) for members in self._members], self.num_samples)
        offsets = _uniform(source, len(counts))
        chosen, places = [], []
        for members, count, offset in zip(self._members, counts, offsets, strict=True):
            chosen.append(members[source.permutation(len(members))[:count]])
            places.append((np.arange(count) + offset) / max(count, 1))
        order = np.argsort(np.concatenate(places), kind="stable")
        return iter(np.concatenate(chosen)[order].tolist())

    def __len__(self) -> int:
        return self.num_samples


def _shares(sizes: list[int], wanted: int) -> list[int]:
    """Split `wanted` in proportion to `sizes`, by largest remainder; none above its size."""
    exact = np.asarray(sizes) * wanted / max(sum(sizes), 1)
    counts = np.floor(exact).astype(np.int64)
    most = np.argsort(counts - exact, kind="stable")
    counts[most[: wanted - int(counts.sum())]] += 1
    return [int(count) for count in counts]


def _check_weights(weights: npt.NDArray[np.float64], least: int) -> None:
    if weights.ndim != 1:
        raise ShapeError(
            f"WeightedRandomSampler: weights have shape {weights.shape}; expected (N,)"
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise ArgumentError(
            f"WeightedRandomSampler: weights[{wrong[0]}] is {weights[wrong[0]]}; expected finite "
            "numbers of at least 0"
        )
    positive = int((weights > 0).sum())
    if positive < least:
        raise ArgumentError(
            f"WeightedRandomSampler: {positive} weights are above 0; expected at least {least} "
            "(one with replacement, num_samples without)"
        )


def _host(values: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = values.numpy() if isinstance(values, Tensor) else np.asarray(values)
    return array


def _source(generator: Generator | None) -> Generator:
    return default_generator() if generator is None else generator


def _uniform(source: Generator, count: int) -> npt.NDArray[np.float64]:
    return source.uniform((count,), dtype=np.float64).numpy()
