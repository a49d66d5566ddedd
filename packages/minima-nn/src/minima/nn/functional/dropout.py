"""Dropout by PyTorch's names and defaults."""

from __future__ import annotations

from minima import Generator, Tensor, dropout, dropout1d, dropout2d, dropout3d
from minima import alpha_dropout as alpha_dropout_of
from minima import feature_alpha_dropout as feature_alpha_dropout_of

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Return `minima.alpha_dropout`; here the default is no training.

    >>> mi.nn.functional.alpha_dropout(mi.ones(2))
    Tensor([1., 1.])
    """
    return alpha_dropout_of(input, p, training, generator=generator)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Return `minima.feature_alpha_dropout`; here the default is no training.

    >>> mi.nn.functional.feature_alpha_dropout(mi.ones((1, 2)))
    Tensor([[1., 1.]])
    """
    return feature_alpha_dropout_of(input, p, training, generator=generator)
