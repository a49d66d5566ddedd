"""Dropout by PyTorch's names and defaults; with *inplace* the input itself changes."""

from __future__ import annotations

import minima as mi
from minima import Generator, Tensor

from .rectifiers import placed

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.dropout`.

    >>> mi.nn.functional.dropout(mi.ones(2), 1.0)
    Tensor([0., 0.])
    """
    y = mi.dropout(input, p, training, generator=generator)
    return placed(input, y, inplace)


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.dropout1d`.

    >>> mi.nn.functional.dropout1d(mi.ones((1, 2, 1)), 1.0)
    Tensor([[[0.],
            [0.]]])
    """
    y = mi.dropout1d(input, p, training, generator=generator)
    return placed(input, y, inplace)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.dropout2d`.

    >>> mi.nn.functional.dropout2d(mi.ones((1, 1, 1, 2)), 1.0)
    Tensor([[[[0., 0.]]]])
    """
    y = mi.dropout2d(input, p, training, generator=generator)
    return placed(input, y, inplace)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.dropout3d`.

    >>> mi.nn.functional.dropout3d(mi.ones((1, 1, 1, 1, 2)), 1.0)
    Tensor([[[[[0., 0.]]]]])
    """
    y = mi.dropout3d(input, p, training, generator=generator)
    return placed(input, y, inplace)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.alpha_dropout`; here the default is no training.

    >>> mi.nn.functional.alpha_dropout(mi.ones(2))
    Tensor([1., 1.])
    """
    y = mi.alpha_dropout(input, p, training, generator=generator)
    return placed(input, y, inplace)


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.feature_alpha_dropout`; here the default is no training.

    >>> mi.nn.functional.feature_alpha_dropout(mi.ones((1, 2)))
    Tensor([[1., 1.]])
    """
    y = mi.feature_alpha_dropout(input, p, training, generator=generator)
    return placed(input, y, inplace)
