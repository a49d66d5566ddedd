"""Activations that may overwrite their input, with *inplace*: PyTorch's names and arguments.

In place the input becomes the result, and gradients go through the change; a leaf that requires
grad refuses it.
"""

from __future__ import annotations

import minima as mi
from minima import Generator, Tensor

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "mish",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "silu",
    "threshold",
    "threshold_",
]


def placed(input: Tensor, y: Tensor, inplace: bool) -> Tensor:
    """Return *y*, with *inplace* as what the input has become."""
    return input.copy_(y) if inplace and y is not input else y


def _kept(input: Tensor, inplace: bool) -> Tensor:
    """Return what a gradient may keep: a copy of what is about to change."""
    return input * 1 if inplace else input


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(input, 0); with *inplace* the input becomes it.

    >>> mi.nn.functional.relu(mi.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """
    return placed(input, mi.relu(input), inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return the input, limited to [0, 6]; with *inplace* the input becomes it.

    >>> mi.nn.functional.relu6(mi.Tensor([-1.0, 8.0]))
    Tensor([0., 6.])
    """
    return placed(input, mi.relu6(input), inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return `minima.leaky_relu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.leaky_relu(mi.Tensor([-10.0, 2.0]))
    Tensor([-0.1,  2. ])
    """
    return placed(input, mi.leaky_relu(input, negative_slope), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return `minima.elu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.elu(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """
    return placed(input, mi.elu(input, alpha), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return `minima.celu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.celu(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """
    return placed(input, mi.celu(input, alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minima.selu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.selu(mi.Tensor([0.0, 2.0]))
    Tensor([0.      , 2.101402])
    """
    return placed(input, mi.selu(input), inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """Return the input, limited to [min_val, max_val]; with *inplace* the input becomes it.

    >>> mi.nn.functional.hardtanh(mi.Tensor([-2.0, 0.5]))
    Tensor([-1. ,  0.5])
    """
    return placed(input, mi.hardtanh(input, min_val, max_val), inplace)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return the input where above *threshold*, else *value*; *inplace*: the input becomes it.

    >>> mi.nn.functional.threshold(mi.Tensor([1.0, 3.0]), 2.0, -5.0)
    Tensor([-5.,  3.])
    """
    return placed(input, mi.threshold(input, threshold, value), inplace)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minima.hardsigmoid`; with *inplace* the input becomes it.

    >>> mi.nn.functional.hardsigmoid(mi.Tensor([-4.0, 0.0]))
    Tensor([0. , 0.5])
    """
    return placed(input, mi.hardsigmoid(input), inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minima.hardswish`; with *inplace* the input becomes it.

    >>> mi.nn.functional.hardswish(mi.Tensor([-4.0, 4.0]))
    Tensor([0., 4.])
    """
    return placed(input, mi.hardswish(input), inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minima.silu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.silu(mi.Tensor([-1.0, 0.0]))
    Tensor([-0.268941,  0.      ])
    """
    return placed(input, mi.silu(_kept(input, inplace)), inplace)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minima.mish`; with *inplace* the input becomes it.

    >>> mi.nn.functional.mish(mi.Tensor([-1.0, 0.0]))
    Tensor([-0.303401,  0.      ])
    """
    return placed(input, mi.mish(_kept(input, inplace)), inplace)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return `minima.rrelu`; with *inplace* the input becomes it.

    >>> mi.nn.functional.rrelu(mi.Tensor([-4.0, 2.0]), 0.25, 0.75)
    Tensor([-2.,  2.])
    """
    x = _kept(input, inplace)
    return placed(input, mi.rrelu(x, lower, upper, training, generator=generator), inplace)


def relu_(input: Tensor) -> Tensor:
    """Do what `relu` does, in place.

    >>> mi.nn.functional.relu_(mi.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """
    return relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Do what `leaky_relu` does, in place.

    >>> mi.nn.functional.leaky_relu_(mi.Tensor([-10.0, 2.0]))
    Tensor([-0.1,  2. ])
    """
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Do what `elu` does, in place.

    >>> mi.nn.functional.elu_(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """
    return elu(input, alpha, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Do what `celu` does, in place.

    >>> mi.nn.functional.celu_(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """
    return celu(input, alpha, inplace=True)


def selu_(input: Tensor) -> Tensor:
    """Do what `selu` does, in place.

    >>> mi.nn.functional.selu_(mi.Tensor([0.0, 2.0]))
    Tensor([0.      , 2.101402])
    """
    return selu(input, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """Do what `hardtanh` does, in place.

    >>> mi.nn.functional.hardtanh_(mi.Tensor([-2.0, 0.5]))
    Tensor([-1. ,  0.5])
    """
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """Do what `threshold` does, in place.

    >>> mi.nn.functional.threshold_(mi.Tensor([1.0, 3.0]), 2.0, -5.0)
    Tensor([-5.,  3.])
    """
    return input.copy_(mi.threshold(input, threshold, value))


def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Tensor:
    """Do what `rrelu` does, in place.

    >>> mi.nn.functional.rrelu_(mi.Tensor([-4.0, 2.0]), 0.25, 0.75)
    Tensor([-2.,  2.])
    """
    return rrelu(input, lower, upper, training, inplace=True)
