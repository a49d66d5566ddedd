"""Batch normalisation folded into the layer in front of it, for evaluation."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, TypeVar

from minima import Tensor, no_grad, rsqrt
from minima.errors import ArgumentError, DTypeError

from ..batch_normalization import RunningNorm
from ..linear import Linear
from ..module import Module
from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval"]

M = TypeVar("M", bound=Module)


@no_grad()
def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return weight and bias of a convolution that does what one does with a normalisation behind.

    *conv_w* has the outputs on axis 0, or with *transpose* on axis 1; *bn_rm* and *bn_rv* are the
    running mean and variance.

    >>> one = mi.ones(1)
    >>> fuse = mi.nn.utils.fuse_conv_bn_weights
    >>> weight, bias = fuse(mi.ones((1, 1, 2)), None, one, 4 * one, 0.0, None, None)
    >>> weight.tolist(), bias.tolist()
    ([[[0.5, 0.5]]], [-0.5])
    """
    factor = rsqrt(bn_rv + bn_eps)
    if bn_w is not None:
        factor = factor * bn_w
    shape = [1] * conv_w.ndim
    shape[int(transpose)] = -1
    bias = (-bn_rm if conv_b is None else conv_b - bn_rm) * factor
    if bn_b is not None:
        bias = bias + bn_b
    weight = conv_w * factor.reshape(tuple(shape))
    return Parameter(weight.astype(conv_w.dtype)), Parameter(bias.astype(conv_w.dtype))


def _figures(owner: str, layer: Module, bn: Module) -> tuple[Tensor, Tensor]:
    if not isinstance(bn, RunningNorm):
        raise DTypeError(f"{owner}: bn is a {type(bn).__name__}; expected a batch normalisation")
    if layer.training or bn.training:
        raise ArgumentError(f"{owner}: a layer is in training; expected both after eval()")
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"{owner}: bn has no running figures; expected track_running_stats")
    return bn.running_mean, bn.running_var


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """Return a copy of *conv* that does what *conv* and then *bn* do in evaluation.

    *transpose*: *conv* is a transposed convolution.

    Raises: DTypeError when *bn* is no batch normalisation, ArgumentError unless both are in
    evaluation and *bn* has running figures.

    >>> conv, bn = mi.nn.Conv2d(1, 2, 3).eval(), mi.nn.BatchNorm2d(2).eval()
    >>> mi.nn.utils.fuse_conv_bn_eval(conv, bn)(mi.ones((1, 1, 3, 3))).shape
    (1, 2, 1, 1)
    """
    mean, var = _figures("fuse_conv_bn_eval", conv, bn)
    fused = deepcopy(conv)
    given: Any = fused
    norm: Any = bn
    given.weight, given.bias = fuse_conv_bn_weights(
        given.weight, given.bias, mean, var, norm.eps, norm.weight, norm.bias, transpose
    )
    return fused


def fuse_linear_bn_eval(linear: Linear, bn: Module) -> Linear:
    """Return a copy of *linear* that does what *linear* and then *bn* do in evaluation.

    Raises: as `fuse_conv_bn_eval`.

    >>> linear, bn = mi.nn.Linear(3, 2).eval(), mi.nn.BatchNorm1d(2).eval()
    >>> mi.nn.utils.fuse_linear_bn_eval(linear, bn)(mi.ones((1, 3))).shape
    (1, 2)
    """
    mean, var = _figures("fuse_linear_bn_eval", linear, bn)
    fused = deepcopy(linear)
    norm: Any = bn
    fused.weight, fused.bias = fuse_conv_bn_weights(
        linear.weight, linear.bias, mean, var, norm.eps, norm.weight, norm.bias, True
    )
    return fused
