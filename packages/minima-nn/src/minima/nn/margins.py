"""Losses that ask for a margin between what is alike and what is not."""

from __future__ import annotations

from collections.abc import Callable

from minima import Tensor
from minima.errors import ArgumentError

from . import functional as F
from .arguments import integer, real
from .losses import Loss

__all__ = [
    "CosineEmbeddingLoss",
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]


class HingeEmbeddingLoss(Loss):
    """Compute x where the target is 1, and max(0, margin - x) where it is -1.

    See `minima.nn.functional.hinge_embedding_loss`.

    >>> mi.nn.HingeEmbeddingLoss(reduction="none")(mi.Tensor([0.5, 0.25]), mi.Tensor([1, -1]))
    Tensor([0.5 , 0.75])
    """

    defaults = (("margin", 1.0),)

    def __init__(self, margin: float = 1.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = real("HingeEmbeddingLoss", "margin", margin)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.hinge_embedding_loss, input, target, self.margin)


class MarginRankingLoss(Loss):
    """Compute max(0, margin - target * (x1 - x2)): with target 1 x1 should be the larger.

    See `minima.nn.functional.margin_ranking_loss`.

    >>> mi.nn.MarginRankingLoss()(mi.Tensor([2.0]), mi.Tensor([3.0]), mi.Tensor([1.0]))
    Tensor(1.)
    """

    defaults = (("margin", 0.0),)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = real("MarginRankingLoss", "margin", margin)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.margin_ranking_loss, input1, input2, target, self.margin)


class CosineEmbeddingLoss(Loss):
    """Compute 1 - cos(x1, x2) where the target is 1, max(0, cos(x1, x2) - margin) where it is -1.

    See `minima.nn.functional.cosine_embedding_loss`.

    >>> a, b = mi.Tensor([[1.0, 0.0]]), mi.Tensor([[0.0, 2.0]])
    >>> mi.nn.CosineEmbeddingLoss()(a, b, mi.Tensor([1]))
    Tensor(1.)
    """

    defaults = (("margin", 0.0),)

    def __init__(self, margin: float = 0.0, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = real("CosineEmbeddingLoss", "margin", margin)

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.cosine_embedding_loss, input1, input2, target, self.margin)


class TripletMarginLoss(Loss):
    """Compute max(0, margin + d(anchor, positive) - d(anchor, negative)), d the p-norm.

    See `minima.nn.functional.triplet_margin_loss` for *p*, *eps* and *swap*.

    >>> a, b, c = mi.Tensor([[0.0, 0.0]]), mi.Tensor([[3.0, 4.0]]), mi.Tensor([[6.0, 8.0]])
    >>> round(mi.nn.TripletMarginLoss(6.0)(a, b, c).item(), 4)
    1.0
    """

    defaults = (("margin", 1.0), ("p", 2.0), ("eps", 1e-6), ("swap", False))

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin = _positive("TripletMarginLoss", margin)
        self.p = real("TripletMarginLoss", "p", p, low=0.0)
        self.eps, self.swap = real("TripletMarginLoss", "eps", eps), bool(swap)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        given = anchor, positive, negative, self.margin, self.p, self.eps, self.swap
        return self.compute(F.triplet_margin_loss, *given)


def _positive(owner: str, margin: float) -> float:
    found = real(owner, "margin", margin)
    if not found > 0.0:
        raise ArgumentError(f"{owner}: margin is {margin}; expected a number above 0")
    return found


class TripletMarginWithDistanceLoss(Loss):
    """Compute `TripletMarginLoss` with any *distance_function*, the 2-norm unless given.

    See `minima.nn.functional.triplet_margin_with_distance_loss`.

    >>> loss = mi.nn.TripletMarginWithDistanceLoss(margin=3.0)
    >>> round(loss(mi.Tensor([[0.0]]), mi.Tensor([[1.0]]), mi.Tensor([[3.0]])).item(), 4)
    1.0
    """

    defaults = (("margin", 1.0), ("swap", False))

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.distance_function = distance_function
        self.margin = _positive("TripletMarginWithDistanceLoss", margin)
        self.swap = bool(swap)

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(
            F.triplet_margin_with_distance_loss,
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
        )


class MultiMarginLoss(Loss):
    """Compute the mean over classes of max(0, margin - x[target] + x[i])**p, i not the target.

    *weight* (C,) scales by the target's class. See `minima.nn.functional.multi_margin_loss`.

    >>> mi.nn.MultiMarginLoss()(mi.Tensor([[0.5, 1.0]]), mi.Tensor([0]))
    Tensor(0.75)
    """

    defaults = (("p", 1), ("margin", 1.0))
    weight: Tensor | None

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        *,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.p = integer("MultiMarginLoss", "p", p)
        if self.p > 2:
            raise ArgumentError(f"MultiMarginLoss: p is {p}; expected 1 or 2")
        self.margin = real("MultiMarginLoss", "margin", margin)
        self.keep_weight("weight", weight, 1)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.multi_margin_loss, input, target, self.p, self.margin, self.weight)


class MultiLabelMarginLoss(Loss):
    """Compute the sum, over C, of max(0, 1 - x[j] + x[i]), j among the targets, i not.

    See `minima.nn.functional.multilabel_margin_loss`.

    >>> mi.nn.MultiLabelMarginLoss()(mi.Tensor([[0.5, 1.0, 0.0]]), mi.Tensor([[1, -1, 0]]))
    Tensor(0.166667)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.multilabel_margin_loss, input, target)


class MultiLabelSoftMarginLoss(Loss):
    """Compute the binary cross entropy of sigmoid(x), its mean over the classes.

    *weight* (C,) scales each class's part. See `minima.nn.functional.multilabel_soft_margin_loss`.

    >>> mi.nn.MultiLabelSoftMarginLoss()(mi.zeros((1, 2)), mi.ones((1, 2)))
    Tensor(0.693147)
    """

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, *, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.keep_weight("weight", weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.multilabel_soft_margin_loss, input, target, self.weight)


class SoftMarginLoss(Loss):
    """Compute log(1 + exp(-target * x)), targets being 1 or -1.

    See `minima.nn.functional.soft_margin_loss`.

    >>> mi.nn.SoftMarginLoss()(mi.Tensor([0.0]), mi.Tensor([1.0]))
    Tensor(0.693147)
    """

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__(reduction)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss."""
        return self.compute(F.soft_margin_loss, input, target)
