"""Metrics of classes: accuracy, top-k, confusion, precision, recall, F1."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from minima.errors import ArgumentError, IndexRangeError, ShapeError
from minima.nn.arguments import check_choice, integer

from .base import Array, Metric, host, once, ratio, same_length

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "F1Score",
    "Precision",
    "Recall",
    "TopKAccuracy",
    "accuracy",
    "confusion_matrix",
    "f1_score",
    "precision",
    "recall",
    "top_k_accuracy",
]


def _targets(owner: str, targets: Any) -> Array:
    return host(owner, "targets", targets, kinds="iub")


def _classes(owner: str, predictions: Any, targets: Array, threshold: float = 0.5) -> Array:
    """Return the class of each prediction.

    Floating scores with one axis more than *targets*, at 1, are of classes, the largest counts;
    of the same shape they are probabilities of class 1. Integers are the classes themselves.
    """
    found = host(owner, "predictions", predictions)
    if found.ndim == targets.ndim + 1:
        if found.shape[:1] + found.shape[2:] != targets.shape:
            raise ShapeError(
                f"{owner}: predictions have shape {found.shape}, targets {targets.shape}; expected "
                "(N, C, *) and (N, *)"
            )
        if not found.shape[1]:
            raise ShapeError(f"{owner}: predictions have shape {found.shape}; expected classes")
        return np.asarray(found.argmax(axis=1))
    same_length(owner, found, targets)
    return (found >= threshold).astype(np.int64) if found.dtype.kind == "f" else found


class Accuracy(Metric):
    """The share of predictions that are right.

    Predictions: scores (N, C, *), or probabilities of class 1 or classes (N, *); targets (N, *).
    Targets equal to *ignore_index* are left out.

    Raises: ShapeError, DTypeError for what does not fit.

    >>> mi.metrics.accuracy(mi.Tensor([[0.1, 0.9], [0.8, 0.2]]), mi.Tensor([1, 1]))
    0.5
    """

    sums: ClassVar[tuple[str, ...]] = ("correct", "total")

    def __init__(self, ignore_index: int | None = None) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.correct = self.total = 0

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        expected = _targets("Accuracy", targets)
        right = _classes("Accuracy", predictions, expected) == expected
        if self.ignore_index is not None:
            right = right[expected != self.ignore_index]
        self.correct += int(right.sum())
        self.total += right.size

    def compute(self) -> float:
        """Return the share of all so far."""
        return float(ratio(self.correct, self.total))


class TopKAccuracy(Metric):
    """The share of targets that are among the *k* largest scores.

    Predictions: scores (N, C, *); targets (N, *). Of equal scores those of lower class come first.

    Raises: ArgumentError for k below 1, ShapeError for fewer than k classes.

    >>> mi.metrics.top_k_accuracy(mi.Tensor([[0.1, 0.2, 0.7]]), mi.Tensor([1]), k=2)
    1.0
    """

    sums: ClassVar[tuple[str, ...]] = ("correct", "total")

    def __init__(self, k: int = 5) -> None:
        self.k = integer("TopKAccuracy", "k", k)
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.correct = self.total = 0

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        expected = _targets("TopKAccuracy", targets)
        scores = host("TopKAccuracy", "predictions", predictions)
        fits = scores.ndim == expected.ndim + 1 and scores.shape[1] >= self.k
        if not fits or scores.shape[:1] + scores.shape[2:] != expected.shape:
            raise ShapeError(
                f"TopKAccuracy: predictions have shape {scores.shape}, targets {expected.shape}; "
                f"expected (N, C, *) and (N, *) with C of at least {self.k}"
            )
        places = np.argsort(np.flip(scores, 1), axis=1, kind="stable")  # of equal ones the later
        order = scores.shape[1] - 1 - np.flip(places, 1).take(range(self.k), axis=1)
        self.correct += int((order == expected[:, None]).any(axis=1).sum())
        self.total += expected.size

    def compute(self) -> float:
        """Return the share of all so far."""
        return float(ratio(self.correct, self.total))


class ConfusionMatrix(Metric):
    """How often each class (row) was taken for each class (column).

    Predictions and targets as `Accuracy`. *normalize*: None for counts, "true" for shares of each
    row, "pred" of each column, "all" of everything; where there is nothing to share, 0.

    Raises: IndexRangeError for a class that is not in 0 ... num_classes - 1.

    >>> mi.metrics.confusion_matrix(mi.Tensor([0, 1, 1]), mi.Tensor([0, 0, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """

    sums: ClassVar[tuple[str, ...]] = ("counts",)

    def __init__(self, num_classes: int, normalize: str | None = None) -> None:
        self.num_classes = integer(type(self).__name__, "num_classes", num_classes)
        if normalize is not None:
            check_choice(type(self).__name__, "normalize", normalize, ("true", "pred", "all"))
        self.normalize = normalize
        super().__init__()

    def reset(self) -> None:
        """Forget all batches."""
        self.counts = np.zeros((self.num_classes, self.num_classes), np.int64)

    def update(self, predictions: Any, targets: Any) -> None:
        """Take a batch."""
        owner, n = type(self).__name__, self.num_classes
        expected = _targets(owner, targets)
        found = _classes(owner, predictions, expected)
        for name, given in (("predictions", found), ("targets", expected)):
            if given.size and not 0 <= int(given.min()) <= int(given.max()) < n:
                wrong = int(given.min()) if given.min() < 0 else int(given.max())
                raise IndexRangeError(f"{owner}: {name} have class {wrong}; expected 0 to {n - 1}")
        flat = expected.astype(np.int64).ravel() * n + found.astype(np.int64).ravel()
        self.counts = self.counts + np.bincount(flat, minlength=n * n).reshape(n, n)

    def compute(self) -> npt.NDArray[Any]:
        """Return the matrix of all so far, (num_classes, num_classes)."""
        axis: dict[str, Any] = {"true": 1, "pred": 0, "all": (0, 1)}
        if self.normalize is None:
            return self.counts.copy()
        whole = self.counts.sum(axis=axis[self.normalize], keepdims=True)
        return np.asarray(ratio(self.counts, whole, 0.0))


class _ByClass(ConfusionMatrix):
    """Base of precision, recall and F1."""

    def __init__(self, num_classes: int = 2, average: str | None = "macro") -> None:
        if average is not None:
            check_choice(
                type(self).__name__, "average", average, ("micro", "macro", "weighted", "binary")
            )
        if average == "binary" and num_classes != 2:
            raise ArgumentError(
                f"{type(self).__name__}: average is 'binary' for {num_classes} classes; expected 2"
            )
        self.average = average
        super().__init__(num_classes)

    def _figure(self, right: Array, found: Array, there: Array) -> Any:
        """Return the figure of each class from counts: right, predicted, and there are."""
        raise NotImplementedError

    def compute(self) -> Any:
        """Return the figure of all so far; with average None, one for each class.

        A class that was neither predicted nor there counts 0.
        """
        right, found, there = (
            np.diagonal(self.counts), self.counts.sum(axis=0), self.counts.sum(axis=1)
        )  # fmt: skip
        if self.average == "micro":
            return float(self._figure(right.sum(), found.sum(), there.sum()))
        each = np.asarray(self._figure(right, found, there))
        if self.average is None:
            return each
        if self.average == "binary":
            return float(each[1])
        weights = there if self.average == "weighted" else ((found + there) > 0).astype(np.int64)
        return float(ratio((each * weights).sum(), weights.sum()))


class Precision(_ByClass):
    """Of what was predicted as a class, the share that was of it.

    *average*: "macro", the mean over the classes that appear; "weighted" by their numbers;
    "micro", all together; "binary", of class 1; None, each class.

    >>> mi.metrics.precision(mi.Tensor([1, 1, 0]), mi.Tensor([1, 0, 0]), average="binary")
    0.5
    """

    def _figure(self, right: Array, found: Array, there: Array) -> Any:
        return ratio(right, found, 0.0)


class Recall(_ByClass):
    """Of what was of a class, the share that was predicted as it; averages as `Precision`.

    >>> mi.metrics.recall(mi.Tensor([1, 1, 0]), mi.Tensor([1, 0, 0]), average="binary")
    1.0
    """

    def _figure(self, right: Array, found: Array, there: Array) -> Any:
        return ratio(right, there, 0.0)


class F1Score(_ByClass):
    """The harmonic mean of precision and recall; averages as `Precision`.

    >>> round(mi.metrics.f1_score(mi.Tensor([1, 1, 0]), mi.Tensor([1, 0, 0]), average="binary"), 3)
    0.667
    """

    def _figure(self, right: Array, found: Array, there: Array) -> Any:
        return ratio(2 * right, found + there, 0.0)


def accuracy(predictions: Any, targets: Any, ignore_index: int | None = None) -> float:
    """Return the figure of `Accuracy` for one batch.

    >>> mi.metrics.accuracy(mi.Tensor([1, 0]), mi.Tensor([1, 1]))
    0.5
    """
    return float(once(Accuracy(ignore_index), predictions, targets))


def top_k_accuracy(predictions: Any, targets: Any, k: int = 5) -> float:
    """Return the figure of `TopKAccuracy` for one batch.

    >>> mi.metrics.top_k_accuracy(mi.Tensor([[0.1, 0.2, 0.7]]), mi.Tensor([0]), k=2)
    0.0
    """
    return float(once(TopKAccuracy(k), predictions, targets))


def _number(owner: str, predictions: Any, targets: Any, least: int) -> int:
    """Return how many classes a batch has: those of its scores, or up to the highest there is."""
    there = _targets(owner, targets)
    found = host(owner, "predictions", predictions)
    if found.ndim == there.ndim + 1:
        return max(least, int(found.shape[1]))
    given = [a for a in (there, found) if a.size and a.dtype.kind != "f"]
    return max([least, *(int(a.max()) + 1 for a in given)])


def confusion_matrix(
    predictions: Any,
    targets: Any,
    num_classes: int | None = None,
    normalize: str | None = None,
) -> npt.NDArray[Any]:
    """Return the figure of `ConfusionMatrix` for one batch; by default of all classes in it.

    >>> mi.metrics.confusion_matrix(mi.Tensor([1, 1]), mi.Tensor([0, 1]), 2, "true").tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    if num_classes is None:
        num_classes = _number("ConfusionMatrix", predictions, targets, 1)
    return np.asarray(once(ConfusionMatrix(num_classes, normalize), predictions, targets))


def precision(
    predictions: Any, targets: Any, num_classes: int | None = None, average: str | None = "macro"
) -> Any:
    """Return the figure of `Precision` for one batch; by default of all classes in it, at least 2.

    >>> mi.metrics.precision(mi.Tensor([1, 1]), mi.Tensor([0, 1]), average=None).tolist()
    [0.0, 0.5]
    """
    if num_classes is None:
        num_classes = _number("Precision", predictions, targets, 2)
    return once(Precision(num_classes, average), predictions, targets)


def recall(
    predictions: Any, targets: Any, num_classes: int | None = None, average: str | None = "macro"
) -> Any:
    """Return the figure of `Recall` for one batch; by default of all classes in it, at least 2.

    >>> mi.metrics.recall(mi.Tensor([1, 1]), mi.Tensor([0, 1]), average=None).tolist()
    [0.0, 1.0]
    """
    if num_classes is None:
        num_classes = _number("Recall", predictions, targets, 2)
    return once(Recall(num_classes, average), predictions, targets)


def f1_score(
    predictions: Any, targets: Any, num_classes: int | None = None, average: str | None = "macro"
) -> Any:
    """Return the figure of `F1Score` for one batch; by default of all classes in it, at least 2.

    >>> round(mi.metrics.f1_score(mi.Tensor([1, 1]), mi.Tensor([0, 1]), average="micro"), 2)
    0.5
    """
    if num_classes is None:
        num_classes = _number("F1Score", predictions, targets, 2)
    return once(F1Score(num_classes, average), predictions, targets)
