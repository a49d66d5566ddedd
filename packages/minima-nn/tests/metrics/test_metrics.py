"""Metrics against their definitions written out, and that batches change nothing."""

import numpy as np
import pytest

import minima as mi
from minima import metrics

RNG = np.random.default_rng(0)
N, C = 60, 4
LOGITS = RNG.normal(size=(N, C)).round(1)  # rounded: with ties
CLASSES = RNG.integers(0, C, N)
GUESSES = RNG.integers(0, C, N)
SCORES = RNG.uniform(size=N).round(1)
BINARY = RNG.integers(0, 2, N)
VALUES, TRUTH = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2)) + 1e6


def area(scores, positive):
    pairs = [(s > t) + 0.5 * (s == t) for s in scores[positive] for t in scores[~positive]]
    return np.mean(pairs)


def by_class(kind, c):
    right = ((c == GUESSES) & (c == CLASSES)).sum()
    found, there = (c == GUESSES).sum(), (c == CLASSES).sum()
    return {"precision": right / found, "recall": right / there, "f1": 2 * right / (found + there)}[
        kind
    ]


def top(k):
    order = np.argsort(-LOGITS, axis=1, kind="stable")[:, :k]
    return np.mean([c in row for c, row in zip(CLASSES, order, strict=True)])


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


COUNTS = np.array([[((i == CLASSES) & (j == GUESSES)).sum() for j in range(C)] for i in range(C)])
SHARES = np.bincount(CLASSES) / N
WRONG = ((VALUES - TRUTH) ** 2).sum(0) / ((TRUTH - TRUTH.mean(0)) ** 2).sum(0)
#: name -> metric, what it takes, its figure
ROWS = {
    "accuracy": (metrics.Accuracy, LOGITS, CLASSES, (LOGITS.argmax(1) == CLASSES).mean()),
    "accuracy of classes": (metrics.Accuracy, GUESSES, CLASSES, (GUESSES == CLASSES).mean()),
    "accuracy, binary": (metrics.Accuracy, SCORES, BINARY, ((SCORES >= 0.5) == BINARY).mean()),
    "accuracy, some ignored": (
        lambda: metrics.Accuracy(ignore_index=1), GUESSES, CLASSES,
        (GUESSES == CLASSES)[CLASSES != 1].mean(),
    ),
    "top 1": (lambda: metrics.TopKAccuracy(1), LOGITS, CLASSES, top(1)),
    "top 2": (lambda: metrics.TopKAccuracy(2), LOGITS, CLASSES, top(2)),
    "confusion": (lambda: metrics.ConfusionMatrix(C), GUESSES, CLASSES, COUNTS),
    "confusion, true": (
        lambda: metrics.ConfusionMatrix(C, "true"), GUESSES, CLASSES,
        COUNTS / COUNTS.sum(1, keepdims=True),
    ),
    "confusion, pred": (
        lambda: metrics.ConfusionMatrix(C, "pred"), GUESSES, CLASSES,
        COUNTS / COUNTS.sum(0, keepdims=True),
    ),
    "confusion, all": (lambda: metrics.ConfusionMatrix(C, "all"), GUESSES, CLASSES, COUNTS / N),
    **{
        f"{kind}, {average}": (
            lambda cls=cls, average=average: cls(C, average), GUESSES, CLASSES, combine(kind),
        )
        for kind, cls in (
            ("precision", metrics.Precision), ("recall", metrics.Recall), ("f1", metrics.F1Score)
        )
        for average, combine in (
            ("macro", lambda kind: np.mean([by_class(kind, c) for c in range(C)])),
            ("weighted", lambda kind: sum(SHARES[c] * by_class(kind, c) for c in range(C))),
            ("micro", lambda kind: (GUESSES == CLASSES).mean()),
            (None, lambda kind: np.array([by_class(kind, c) for c in range(C)])),
        )
    },
    "auroc": (metrics.AUROC, SCORES, BINARY, area(SCORES, BINARY == 1)),
    "auroc of classes": (
        metrics.AUROC, LOGITS, CLASSES,
        np.mean([area(LOGITS[:, c], c == CLASSES) for c in range(C)]),
    ),
    "perplexity": (
        metrics.Perplexity, LOGITS, CLASSES,
        np.exp(-log_softmax(LOGITS)[np.arange(N), CLASSES].mean()),
    ),
    "r2": (lambda: metrics.R2Score(2), VALUES, TRUTH, np.mean(1 - WRONG)),
    "mse": (metrics.MeanSquaredError, VALUES, TRUTH, ((VALUES - TRUTH) ** 2).mean()),
    "rmse": (
        lambda: metrics.MeanSquaredError(squared=False), VALUES, TRUTH,
        np.sqrt(((VALUES - TRUTH) ** 2).mean()),
    ),
    "mae": (metrics.MeanAbsoluteError, VALUES, TRUTH, np.abs(VALUES - TRUTH).mean()),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("cuts", [[], [1, 1, 20], [7, 30, 59]], ids=str)
def test_figure(name, cuts):
    """Fault: another definition; a figure that depends on how the data was cut into batches."""
    make, predictions, targets, expected = ROWS[name]
    metric, halves = make(), [make(), make()]
    parts = zip(np.split(predictions, cuts), np.split(targets, cuts), strict=True)
    for n, (p, t) in enumerate(parts):
        metric(mi.Tensor(p), mi.Tensor(t)) if n % 2 else metric.update(mi.Tensor(p), mi.Tensor(t))
        halves[n % 2].update(p, t)
    np.testing.assert_allclose(metric.compute(), expected, rtol=1e-6)
    np.testing.assert_allclose(halves[0].merge(halves[1]).compute(), expected, rtol=1e-6)
    other = make()
    other.load_state_dict(metric.state_dict())
    np.testing.assert_array_equal(other.compute(), metric.compute())
    metric.reset()
    assert np.isnan(metric.compute()).all() or not np.any(metric.compute())


def test_a_call_gives_the_batch_alone():
    metric = metrics.Accuracy()
    assert metric([1, 1], [1, 1]) == 1.0
    assert metric([0, 0], [1, 1]) == 0.0
    assert metric.compute() == 0.5


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: metrics.accuracy([1, 2], [1]), mi.ShapeError, "Accuracy: predictions have shape"),
        (lambda: metrics.accuracy([1], [1.0]), mi.DTypeError, "Accuracy: targets has dtype"),
        (lambda: metrics.top_k_accuracy([[0.1, 0.9]], [1], 3), mi.ShapeError, "C of at least 3"),
        (lambda: metrics.TopKAccuracy(0), mi.ArgumentError, "TopKAccuracy: k is 0"),
        (
            lambda: metrics.confusion_matrix([2], [1], 2),
            mi.IndexRangeError,
            "ConfusionMatrix: predictions have class 2; expected 0 to 1",
        ),
        (lambda: metrics.precision([1], [1], 3, "binary"), mi.ArgumentError, "for 3 classes"),
        (lambda: metrics.auroc([[[0.5]]], [1]), mi.ShapeError, "AUROC: scores have shape"),
        (
            lambda: metrics.auroc([0.1, 0.9], [-1, 1]),
            mi.IndexRangeError,
            "a target is -1",
        ),
        (lambda: metrics.auroc([[0.1, 0.9]], [2]), mi.IndexRangeError, "a target is 2; expected 0"),
        (lambda: metrics.auroc([0.1, float("nan")], [0, 1]), mi.ArgumentError, "a score is NaN"),
        (lambda: metrics.perplexity([[0.5, 0.5]], [2]), mi.ArgumentError, "a target is 2"),
        (lambda: metrics.R2Score().update([[1.0, 2.0]], [[1.0, 2.0]]), mi.ShapeError, "outputs=1"),
        (lambda: metrics.Accuracy().merge(metrics.AUROC()), mi.DTypeError, "cannot merge a AUROC"),
    ],
)
def test_errors(call, error, message):
    """Fault: figures of what does not fit together."""
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "float32"])
def test_top_k_of_any_type(dtype):
    """Fault: scores that are negated to be sorted, which no unsigned number or bool can be."""
    scores = mi.Tensor(np.array([[1, 0, 1], [0, 0, 1]]).astype(dtype))
    found = [metrics.top_k_accuracy(scores, mi.Tensor([c, 2]), k=1) for c in range(3)]
    assert found == [1.0, 0.5, 0.5]


def test_functions_count_the_classes():
    """Fault: a third class, which a default of two refuses; a class that is scored, not met."""
    a, b = mi.Tensor([0, 2, 1, 2]), mi.Tensor([0, 2, 2, 2])
    assert metrics.confusion_matrix(a, b).tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 2]]
    assert metrics.recall(a, b, average=None).tolist() == [1.0, 0.0, 2 / 3]
    assert metrics.f1_score(a, b) == pytest.approx((1.0 + 0.0 + 0.8) / 3)
    scores = mi.Tensor([[0.9, 0.1, 0.0]])
    assert metrics.precision(scores, mi.Tensor([0]), average=None).tolist() == [1.0, 0.0, 0.0]
    assert metrics.precision(mi.Tensor([0]), mi.Tensor([0]), average=None).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("normalize", ["true", "pred", "all"])
def test_a_class_that_never_came_has_no_share(normalize):
    """Fault: NaN in a matrix to be shown, where scikit-learn has 0."""
    found = metrics.confusion_matrix(mi.Tensor([0]), mi.Tensor([0]), 2, normalize)
    assert found.tolist() == [[1.0, 0.0], [0.0, 0.0]]
