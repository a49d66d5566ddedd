"""Activations by PyTorch's names and arguments; those without an axis are `minima`'s own."""

from __future__ import annotations

import numpy.typing as npt

from minima import (
    Generator,
    Tensor,
    gelu,
    hardshrink,
    prelu,
    sigmoid,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
)
from minima import glu as glu_along
from minima import gumbel_softmax as gumbel_softmax_along
from minima import log_sigmoid as logsigmoid
from minima import log_softmax as log_softmax_along
from minima import softmax as softmax_along
from minima import softmin as softmin_along
from minima import swiglu as swiglu_along
from minima.amp import autocasts

from ..arguments import named

__all__ = [
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "log_softmax",
    "logsigmoid",
    "prelu",
    "sigmoid",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "swiglu",
    "tanh",
    "tanhshrink",
]


def _cast(x: Tensor, dtype: npt.DTypeLike | None) -> Tensor:
    return x if dtype is None else x.astype(dtype)


@autocasts("float32")
def softmax(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return `minima.softmax` along the axis *dim*, of the input as *dtype*.

    >>> mi.nn.functional.softmax(mi.Tensor([[1e4, 1e4]]), dim=1)
    Tensor([[0.5, 0.5]])
    """
    return softmax_along(_cast(input, dtype), dim)


@autocasts("float32")
def log_softmax(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return `minima.log_softmax` along the axis *dim*, of the input as *dtype*.

    >>> mi.nn.functional.log_softmax(mi.Tensor([0.0, 1e4]), dim=0)
    Tensor([-10000.,      0.])
    """
    return log_softmax_along(_cast(input, dtype), dim)


@autocasts("float32")
def softmin(input: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Return `minima.softmin` along the axis *dim*, of the input as *dtype*.

    >>> mi.nn.functional.softmin(mi.Tensor([0.0, 1e4]), dim=0)
    Tensor([1., 0.])
    """
    return named("softmin", softmin_along, _cast(input, dtype), dim)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1.0,
    hard: bool = False,
    *,
    dim: int = -1,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.gumbel_softmax` along the axis *dim*.

    >>> mi.nn.functional.gumbel_softmax(mi.Tensor([0.0, 1e4]), hard=True)
    Tensor([0., 1.])
    """
    return gumbel_softmax_along(logits, tau, hard, dim, generator=generator)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return `minima.glu` along the axis *dim*.

    >>> mi.nn.functional.glu(mi.Tensor([4.0, 0.0]))
    Tensor([2.])
    """
    return glu_along(input, dim)


def swiglu(input: Tensor, dim: int = -1) -> Tensor:
    """Return `minima.swiglu` along the axis *dim*.

    >>> mi.nn.functional.swiglu(mi.Tensor([1.0, 2.0]))
    Tensor([1.462117])
    """
    return swiglu_along(input, dim)
