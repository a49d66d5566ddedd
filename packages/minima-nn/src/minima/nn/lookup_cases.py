"""The rows of the layers that look rows up, and of those that take pairs."""

from __future__ import annotations

from minima import Tensor

from .distances import Bilinear, CosineSimilarity, PairwiseDistance
from .embedding import Embedding, EmbeddingBag
from .layer_case import LayerCase
from .module import Module

__all__ = ["LOOKUPS"]


def _pair(layer: Module, x: Tensor) -> Tensor:
    return layer(x, x * x + 0.3)  # type: ignore[no-any-return]


LOOKUPS = [
    LayerCase(lambda: Embedding(4, 3), (2, 5), (2, 5, 3), below=4),
    LayerCase(lambda: EmbeddingBag(4, 3), (2, 5), (2, 3), below=4),
    LayerCase(lambda: EmbeddingBag(4, 3, mode="max"), (2, 5), (2, 3), below=4, note="max"),
    LayerCase(
        lambda: EmbeddingBag(4, 3, mode="sum"),
        (6,),
        (3, 3),
        targets=[0, 4, 4],
        below=4,
        note="offsets",
        batch=None,
    ),
    LayerCase(lambda: Bilinear(3, 3, 2), (4, 3), (4, 2), run=_pair),
    LayerCase(lambda: Bilinear(3, 3, 2, False), (3,), (2,), run=_pair, note="no-bias", batch=None),
    LayerCase(CosineSimilarity, (4, 3), (4,), run=_pair),
    LayerCase(lambda: CosineSimilarity(0, 0.1), (4, 3), (3,), run=_pair, note="options"),
    LayerCase(PairwiseDistance, (4, 3), (4,), run=_pair),
    LayerCase(lambda: PairwiseDistance(3.0, 0.1, True), (4, 3), (4, 1), run=_pair, note="options"),
]
