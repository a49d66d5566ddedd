"""Figures that say how good a model is, over batches: ``update``, ``compute``, ``reset``.

>>> accuracy = mi.metrics.Accuracy()
>>> for logits, targets in [(mi.Tensor([[0.0, 1.0]]), mi.Tensor([1]))]:
...     accuracy.update(logits, targets)
>>> accuracy.compute()
1.0
"""

from __future__ import annotations

from .base import Metric
from .classification import (
    Accuracy,
    ConfusionMatrix,
    F1Score,
    Precision,
    Recall,
    TopKAccuracy,
    accuracy,
    confusion_matrix,
    f1_score,
    precision,
    recall,
    top_k_accuracy,
)
from .figures import (
    AUROC,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    Perplexity,
    R2Score,
    auroc,
    mean_absolute_error,
    mean_squared_error,
    perplexity,
    r2_score,
)

__all__ = [
    "AUROC",
    "Accuracy",
    "ConfusionMatrix",
    "F1Score",
    "Mean",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Perplexity",
    "Precision",
    "R2Score",
    "Recall",
    "TopKAccuracy",
    "accuracy",
    "auroc",
    "confusion_matrix",
    "f1_score",
    "mean_absolute_error",
    "mean_squared_error",
    "perplexity",
    "precision",
    "r2_score",
    "recall",
    "top_k_accuracy",
]
