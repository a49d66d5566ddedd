"""Metrics of scores and values: AUROC, perplexity, R2, mean and root mean square errors."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from minima.errors import ArgumentError, IndexRangeError, ShapeError
from minima.nn.arguments import integer

from .base import Array, Metric, host, once, ratio, same_length

__all__ = [
    "AUROC",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Perplexity",
    "R2Score",
    "auroc",
    "mean_absolute_error",
    "mean_squared_error",
    "perplexity",
    "r2_score",
]


def _area(scores: Array, positive: Array) -> float:
    """Return the share of pairs, one positive and one not, in which the positive scores higher."""
    count = int(positive.sum())
    pairs = count * (positive.size - count)
    if not pairs:
        return float("nan")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]  # of equal scores the mean rank
    return float((ranks[positive].sum() - count * (count + 1) / 2.0) / pairs)


class AUROC(Metric):
    """The area under the curve of true over false positives: exact, ties counted half.

    Scores (N,) of class 1 with targets 0 and 1; or (N, C) with classes (N,), then the mean over
    the classes that appear, each against the rest. All scores are kept: 8 bytes each.

    Raises: ShapeError for what does not fit, IndexRangeError for targets of other classes,
    ArgumentError for scores that are NaN. The figure is NaN where there is one class only.
    Source: Hanley & McNeil 1982.

    >>> mi.metrics.auroc(mi.Tensor([0.1, 0.4, 0.35, 0.8]), mi.Tensor([0, 0, 1, 1]))
    0.75
    """

    sums: ClassVar[tuple[str, ...]] = ("scores", "targets")

    def reset(self) -> None:
        """Forget all batches."""
        self.scores: list[Array] = []
        self.targets: list[Array] = []

    def update(self, scores: Any, targets: Any) -> None:
        """Take a batch."""
        given = host("AUROC", "scores", scores).astype(np.float64)
        expected = host("AUROC", "targets", targets, kinds="iub")
        if given.shape[:1] != expected.shape or given.ndim not in (1, 2):
            raise ShapeError(
                f"AUROC: scores have shape {given.shape}, targets {expected.shape}; expected (N,) "
                "or (N, C), and (N,)"
            )
        classes = 2 if given.ndim == 1 else given.shape[1]
        if expected.size and not 0 <= int(expected.min()) <= int(expected.max()) < classes:
            wrong = int(expected.min()) if expected.min() < 0 else int(expected.max())
            raise IndexRangeError(f"AUROC: a target is {wrong}; expected 0 to {classes - 1}")
        if np.isnan(given).any():
            raise ArgumentError("AUROC: a score is NaN, which has no rank; expected numbers")
        if self.scores and self.scores[0].shape[1:] != given.shape[1:]:
            raise ShapeError(
                f"AUROC: scores have shape {given.shape}; expected {self.scores[0].shape[1:]} "
                "after the first axis, as before"
            )
        self.scores = [*self.scores, given.copy()]
        self.targets = [*self.targets, expected.copy()]

    def compute(self) -> float:
        """Return the area of all so far."""
        if not self.scores:
            return float("nan")
        scores, targets = np.concatenate(self.scores), np.concatenate(self.targets)
        if scores.ndim == 1:
            return _area(scores, targets.astype(bool))
        areas = [_area(scores[:, c], targets == c) for c in range(scores.shape[1])]
        known = [a for a in areas if not np.isnan(a)]
        return float(np.mean(known)) if known else float("nan")


class Perplexity(Metric):
    """The exponential of the mean negative log-likelihood of the targets.

    Logits (N, C, *) and classes (N, *), as `nn.CrossEntropyLoss` has them; targets equal to
    *ignore_index* are left out.

    >>> round(mi.metrics.perplexity(mi.zeros((2, 4)), mi.Tensor([0, 3])), 6)
    4.0
    """

    sums: ClassVar[tuple[str, ...]] = ("loss", "total")

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.loss, self.total = 0.0, 0

    def update(self, logits: Any, targets: Any) -> None:
        """Take a batch."""
        given = host("Perplexity", "logits", logits).astype(np.float64)
        expected = host("Perplexity", "targets", targets, kinds="iu")
        if given.ndim != expected.ndim + 1 or given.shape[:1] + given.shape[2:] != expected.shape:
            raise ShapeError(
                f"Perplexity: logits have shape {given.shape}, targets {expected.shape}; expected "
                "(N, C, *) and (N, *)"
            )
        rows = np.moveaxis(given, 1, -1).reshape(-1, given.shape[1])
        flat = expected.reshape(-1)
        kept = flat != self.ignore_index
        rows, flat = rows[kept], flat[kept]
        if flat.size and not 0 <= int(flat.min()) <= int(flat.max()) < rows.shape[1]:
            raise ArgumentError(
                f"Perplexity: a target is {int(flat.max())}; expected classes 0 to "
                f"{rows.shape[1] - 1}"
            )
        largest = rows.max(axis=1, keepdims=True, initial=-np.inf)
        total = np.log(np.exp(rows - largest).sum(axis=1)) + largest[:, 0]
        self.loss += float((total - rows[np.arange(flat.size), flat]).sum())
        self.total += flat.size

    def compute(self) -> float:
        """Return the perplexity of all so far."""
        return float(np.exp(ratio(self.loss, self.total)))


class Mean(Metric):
    """The mean of numbers, each with a weight: of losses over batches of different sizes, say.

    >>> mean = mi.metrics.Mean()
    >>> mean.update(2.0, 3)
    >>> mean.update(6.0, 1)
    >>> mean.compute()
    3.0
    """

    sums: ClassVar[tuple[str, ...]] = ("weighted", "weight")

    def reset(self) -> None:
        """Forget all numbers."""
        self.weighted = self.weight = 0.0

    def update(self, value: Any, weight: Any = 1.0) -> None:
        """Take a number, or several, with a weight each."""
        values = host("Mean", "value", value)
        weights = np.broadcast_to(host("Mean", "weight", weight), values.shape)
        self.weighted += float((values * weights).sum())
        self.weight += float(weights.sum())

    def compute(self) -> float:
        """Return the mean of all so far."""
        return float(ratio(self.weighted, self.weight))


class _Pairs(Metric):
    """Base of the errors of values: predictions and targets of one shape."""

    def _pair(self, predictions: Any, targets: Any) -> tuple[Array, Array]:
        owner = type(self).__name__
        given = host(owner, "predictions", predictions).astype(np.float64)
        expected = host(owner, "targets", targets).astype(np.float64)
        same_length(owner, given, expected)
        return given, expected


class MeanSquaredError(_Pairs):
    """The mean of the squared differences; with *squared* False its root.

    >>> mi.metrics.mean_squared_error(mi.Tensor([1.0, 3.0]), mi.Tensor([1.0, 1.0]))
    2.0
    """

    sums: ClassVar[tuple[str, ...]] = ("error", "total")

    def __init__(self, squared: bool = True) -> None:
        self.squared = squared
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.error, self.total = 0.0, 0

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        given, expected = self._pair(predictions, targets)
        self.error += float(((given - expected) ** 2).sum())
        self.total += given.size

    def compute(self) -> float:
        """Return the error of all so far."""
        mean = float(ratio(self.error, self.total))
        return mean if self.squared else mean**0.5


class MeanAbsoluteError(_Pairs):
    """The mean of the differences, without sign.

    >>> mi.metrics.mean_absolute_error(mi.Tensor([1.0, 3.0]), mi.Tensor([1.0, 1.0]))
    1.0
    """

    sums: ClassVar[tuple[str, ...]] = ("error", "total")

    def reset(self) -> None:
        """Forget all batches."""
        self.error, self.total = 0.0, 0

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        given, expected = self._pair(predictions, targets)
        self.error += float(np.abs(given - expected).sum())
        self.total += given.size

    def compute(self) -> float:
        """Return the error of all so far."""
        return float(ratio(self.error, self.total))


class R2Score(_Pairs):
    """The share of the targets' variance that is explained: 1 - errors / deviations, squared.

    Predictions and targets (N,) or (N, outputs), then the mean over outputs. Deviations are summed
    as batches come, about a mean that moves with them, so that no digits are lost.

    Raises: ShapeError for another number of axes, or of outputs than before.

    >>> round(mi.metrics.r2_score(mi.Tensor([1.0, 2.0, 4.0]), mi.Tensor([1.0, 2.0, 3.0])), 6)
    0.5
    """

    sums: ClassVar[tuple[str, ...]] = ("error", "total", "mean", "deviation")

    def __init__(self, outputs: int = 1) -> None:
        self.outputs = integer("R2Score", "outputs", outputs)
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.total = 0
        self.error, self.mean, self.deviation = (np.zeros(self.outputs) for _ in range(3))

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        given, expected = self._pair(predictions, targets)
        if given.ndim not in (1, 2) or given[:1].size not in (0, self.outputs):
            raise ShapeError(
                f"R2Score: predictions have shape {given.shape}; expected (N,) or (N, "
                f"{self.outputs}): the metric was made with outputs={self.outputs}"
            )
        given, expected = (a.reshape(-1, self.outputs) for a in (given, expected))
        self._join(((given - expected) ** 2).sum(axis=0), expected.shape[0], *_moments(expected))

    def _join(self, error: Array, total: int, mean: Array, deviation: Array) -> None:
        both = self.total + total
        if total:
            away = mean - self.mean
            self.error = self.error + error
            self.deviation = self.deviation + deviation + away**2 * self.total * total / both
            self.mean = self.mean + away * total / both
            self.total = both

    def merge(self, other: Metric) -> R2Score:
        """Take what *other* has seen; return the metric."""
        if isinstance(other, R2Score):
            self._join(other.error, other.total, other.mean, other.deviation)
            return self
        return super().merge(other)

    def compute(self) -> float:
        """Return the share of all so far; NaN where the targets do not vary."""
        return float(np.mean(1.0 - ratio(self.error, self.deviation)))


def _moments(values: Array) -> tuple[Array, Array]:
    """Return the mean along the first axis and the sum of squared deviations from it."""
    if not len(values):
        return np.zeros(values.shape[1:]), np.zeros(values.shape[1:])
    mean = values.mean(axis=0)
    return mean, ((values - mean) ** 2).sum(axis=0)


def auroc(scores: Any, targets: Any) -> float:
    """Return the figure of `AUROC` for one batch.

    >>> mi.metrics.auroc(mi.Tensor([0.5, 0.5]), mi.Tensor([0, 1]))
    0.5
    """
    return float(once(AUROC(), scores, targets))


def perplexity(logits: Any, targets: Any, ignore_index: int = -100) -> float:
    """Return the figure of `Perplexity` for one batch.

    >>> round(mi.metrics.perplexity(mi.zeros((1, 2)), mi.Tensor([1])), 6)
    2.0
    """
    return float(once(Perplexity(ignore_index), logits, targets))


def r2_score(predictions: Any, targets: Any) -> float:
    """Return the figure of `R2Score` for one batch.

    >>> mi.metrics.r2_score(mi.Tensor([1.0, 2.0]), mi.Tensor([1.0, 2.0]))
    1.0
    """
    shape = np.shape(host("r2_score", "targets", targets))
    return float(once(R2Score(shape[1] if len(shape) == 2 else 1), predictions, targets))


def mean_squared_error(predictions: Any, targets: Any, squared: bool = True) -> float:
    """Return the figure of `MeanSquaredError` for one batch.

    >>> mi.metrics.mean_squared_error(mi.Tensor([3.0]), mi.Tensor([1.0]), squared=False)
    2.0
    """
    return float(once(MeanSquaredError(squared), predictions, targets))


def mean_absolute_error(predictions: Any, targets: Any) -> float:
    """Return the figure of `MeanAbsoluteError` for one batch.

    >>> mi.metrics.mean_absolute_error(mi.Tensor([3.0]), mi.Tensor([1.0]))
    2.0
    """
    return float(once(MeanAbsoluteError(), predictions, targets))
