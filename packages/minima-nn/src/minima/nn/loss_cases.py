"""Rows of the losses, in the table of layers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minima import Tensor, abs, log_softmax, sigmoid

from .layer_case import LayerCase
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    CTCLoss,
    FocalLoss,
    GaussianNLLLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)
from .margins import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    SoftMarginLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from .module import Module

__all__ = ["LOSSES"]

_READS = "the range of what it is given is looked at first"

X = (4, 3)
ZEROS = np.zeros(X)
YES = np.arange(12).reshape(X) % 2 * 1.0
SIGNS = np.array([1.0, -1.0, -1.0, 1.0])
SHARES = np.linspace(0.1, 0.9, 12).reshape(X)
WEIGHT = [1.0, 2.0, 3.0]


def _shares(layer: Module, x: Tensor, *rest: Tensor) -> Tensor:
    return layer(sigmoid(x), *rest)  # type: ignore[no-any-return]


def _pairs(layer: Module, x: Tensor, targets: Tensor) -> Tensor:
    return layer(x, x * x + 0.3, targets)  # type: ignore[no-any-return]


def _triplets(layer: Module, x: Tensor) -> Tensor:
    return layer(x, x * x + 0.3, 1.5 * x)  # type: ignore[no-any-return]


def _variances(layer: Module, x: Tensor, targets: Tensor) -> Tensor:
    return layer(x, targets, x * x + 0.1)  # type: ignore[no-any-return]


def _spelling(layer: Module, x: Tensor, targets: Tensor) -> Tensor:
    shown = [x.shape[0]] * x.shape[1]
    return layer(log_softmax(x), targets, shown, [2, 1])  # type: ignore[no-any-return]


def _near(a: Tensor, b: Tensor) -> Tensor:
    return abs(a - b).sum(axis=-1)


def _each(make: Callable[..., Module]) -> Callable[[], Module]:
    return lambda: make(reduction="none")


LOSSES = [
    LayerCase(MSELoss, X, (), targets=ZEROS),
    LayerCase(_each(MSELoss), X, X, targets=ZEROS, note="none"),
    LayerCase(L1Loss, X, (), targets=ZEROS),
    LayerCase(SmoothL1Loss, X, (), targets=ZEROS),
    LayerCase(lambda: SmoothL1Loss(reduction="sum", beta=0.5), X, (), targets=ZEROS, note="beta"),
    LayerCase(HuberLoss, X, (), targets=ZEROS),
    LayerCase(lambda: HuberLoss(reduction="none", delta=0.5), X, X, targets=ZEROS, note="delta"),
    LayerCase(PoissonNLLLoss, X, (), targets=3.0 * YES),
    LayerCase(
        lambda: PoissonNLLLoss(False, True, eps=0.1, reduction="none"),
        X,
        X,
        targets=3.0 * YES,
        run=_shares,
        note="options",
    ),
    LayerCase(GaussianNLLLoss, X, (), targets=YES, run=_variances, eager=_READS),
    LayerCase(
        lambda: GaussianNLLLoss(full=True, eps=1e-3, reduction="sum"),
        X,
        (),
        targets=YES,
        run=_variances,
        note="options",
        eager=_READS,
    ),
    LayerCase(CrossEntropyLoss, X, (), targets=[0, 2, 1, 1]),
    LayerCase(
        lambda: CrossEntropyLoss(Tensor(WEIGHT), label_smoothing=0.1),
        X,
        (),
        targets=[0, 2, -100, 1],
        note="options",
    ),
    LayerCase(
        lambda: CrossEntropyLoss(ignore_index=2), X, (), targets=[0, 2, 2, 1], note="ignored"
    ),
    LayerCase(
        _each(CrossEntropyLoss),
        (2, 3, 2),
        (2, 2),
        targets=np.full((2, 3, 2), 1 / 3),
        note="probabilities",
    ),
    LayerCase(NLLLoss, X, (), targets=[0, 2, 1, 1]),
    LayerCase(
        lambda: NLLLoss(Tensor(WEIGHT), ignore_index=1),
        (2, 3, 2),
        (),
        targets=[[0, 2], [1, 1]],
        note="options",
    ),
    LayerCase(BCELoss, X, (), targets=YES, run=_shares),
    LayerCase(
        lambda: BCELoss(Tensor(WEIGHT), reduction="sum"),
        X,
        (),
        targets=SHARES,
        run=_shares,
        note="weight",
    ),
    LayerCase(BCEWithLogitsLoss, X, (), targets=YES),
    LayerCase(
        lambda: BCEWithLogitsLoss(Tensor(WEIGHT), pos_weight=Tensor(WEIGHT), reduction="none"),
        X,
        X,
        targets=SHARES,
        note="weights",
    ),
    LayerCase(FocalLoss, X, (), targets=YES),
    LayerCase(lambda: FocalLoss(-1.0, 3.0, reduction="none"), X, X, targets=YES, note="options"),
    LayerCase(KLDivLoss, X, (), targets=SHARES),
    LayerCase(
        lambda: KLDivLoss(reduction="batchmean", log_target=True), X, (), targets=-YES, note="logs"
    ),
    LayerCase(
        CTCLoss, (4, 2, 3), (), targets=[[1, 1], [2, 0]], run=_spelling, eager=_READS, batch=None
    ),
    LayerCase(
        lambda: CTCLoss(2, reduction="none", zero_infinity=True),
        (4, 2, 3),
        (2,),
        targets=[0, 1, 0],
        run=_spelling,
        note="options",
        eager=_READS,
        batch=None,
    ),
    LayerCase(HingeEmbeddingLoss, (4,), (), targets=SIGNS),
    LayerCase(
        lambda: HingeEmbeddingLoss(0.4, reduction="none"), (4,), (4,), targets=SIGNS, note="margin"
    ),
    LayerCase(MarginRankingLoss, (4,), (), targets=SIGNS, run=_pairs),
    LayerCase(
        lambda: MarginRankingLoss(0.5, reduction="none"),
        (4,),
        (4,),
        targets=SIGNS,
        run=_pairs,
        note="margin",
    ),
    LayerCase(CosineEmbeddingLoss, X, (), targets=SIGNS, run=_pairs),
    LayerCase(
        lambda: CosineEmbeddingLoss(0.2, reduction="none"),
        X,
        (4,),
        targets=SIGNS,
        run=_pairs,
        note="margin",
    ),
    LayerCase(TripletMarginLoss, X, (), run=_triplets),
    LayerCase(
        lambda: TripletMarginLoss(2.0, 3.0, 0.1, True, reduction="none"),
        X,
        (4,),
        run=_triplets,
        note="options",
    ),
    LayerCase(TripletMarginWithDistanceLoss, X, (), run=_triplets),
    LayerCase(
        lambda: TripletMarginWithDistanceLoss(
            distance_function=_near, margin=2.0, swap=True, reduction="sum"
        ),
        X,
        (),
        run=_triplets,
        note="options",
    ),
    LayerCase(lambda: MultiMarginLoss(margin=0.9), X, (), targets=[0, 2, 1, 1]),
    LayerCase(
        lambda: MultiMarginLoss(2, 0.5, Tensor(WEIGHT), reduction="none"),
        X,
        (4,),
        targets=[0, 2, 1, 1],
        note="options",
    ),
    LayerCase(MultiLabelMarginLoss, (2, 3), (), targets=[[1, -1, 0], [2, 0, -1]]),
    LayerCase(
        _each(MultiLabelMarginLoss), (2, 3), (2,), targets=[[-1, 1, 0], [2, 0, 1]], note="none"
    ),
    LayerCase(MultiLabelSoftMarginLoss, X, (), targets=YES),
    LayerCase(
        lambda: MultiLabelSoftMarginLoss(Tensor(WEIGHT), reduction="none"),
        X,
        (4,),
        targets=YES,
        note="weight",
    ),
    LayerCase(SoftMarginLoss, X, (), targets=2.0 * YES - 1.0),
    LayerCase(_each(SoftMarginLoss), X, X, targets=2.0 * YES - 1.0, note="none"),
]
