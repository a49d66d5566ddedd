"""Normalisation by PyTorch's names and arguments."""

from __future__ import annotations

from collections.abc import Sequence

from minima import Tensor, no_grad
from minima import batch_norm as normalize_by
from minima import group_norm as group_norm_of
from minima import instance_norm as instance_norm_of
from minima import layer_norm as layer_norm_along
from minima import local_response_norm as local_response_norm
from minima import normalize as normalize_along
from minima import rms_norm as rms_norm_along
from minima.amp import autocasts
from minima.errors import ArgumentError, ShapeError

from ..arguments import check_floating, named, real

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


@autocasts("float32")
def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return `minima.normalize` along the axis *dim*.

    >>> mi.nn.functional.normalize(mi.Tensor([[3.0, 4.0]]))
    Tensor([[0.6, 0.8]])
    """
    return named("normalize", normalize_along, input, p, dim, eps)


def _last(name: str, x: Tensor, shape: int | Sequence[int]) -> tuple[int, ...]:
    """Return the axes that *shape* is the sizes of, the last ones."""
    check_floating(name, "input", x)
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not sizes or x.shape[-len(sizes) :] != sizes:
        raise ShapeError(
            f"{name}: input has shape {x.shape}, normalized_shape is {sizes}; expected the sizes "
            "of the last axes, at least one"
        )
    return tuple(range(-len(sizes), 0))


@autocasts("float32")
def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return input with mean 0 and variance 1 over its last axes, times weight, plus bias.

    Shapes: input (*, *normalized_shape), weight and bias normalized_shape -> as input.
    Raises: ShapeError when the last axes have other sizes. Source: Ba, Kiros & Hinton 2016.

    >>> mi.nn.functional.layer_norm(mi.Tensor([[1.0, 3.0]]), (2,), eps=1e-12)
    Tensor([[-1.,  1.]])
    """
    axes = _last("layer_norm", input, normalized_shape)
    return layer_norm_along(input, weight, bias, axes=axes, eps=eps)


@autocasts("float32")
def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """Return input over the root of its mean square over the last axes, times weight.

    Shapes: input (*, *normalized_shape), weight normalized_shape -> as input.
    Raises: ShapeError when the last axes have other sizes. Source: Zhang & Sennrich 2019.

    >>> mi.nn.functional.rms_norm(mi.Tensor([3.0, 4.0]), (2,), eps=0.0)
    Tensor([0.848528, 1.131371])
    """
    axes = _last("rms_norm", input, normalized_shape)
    return rms_norm_along(input, weight, axes=axes, eps=eps)


@autocasts("float32")
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return `minima.group_norm`.

    >>> mi.nn.functional.group_norm(mi.Tensor([[1.0, 3.0, 5.0, 5.0]]), 2, eps=1e-12)
    Tensor([[-1.,  1.,  0.,  0.]])
    """
    check_group("group_norm", input, num_groups)
    return group_norm_of(input, num_groups, weight, bias, eps=eps)


def check_group(name: str, x: Tensor, num_groups: int) -> None:
    """Raise where *x* is one sample whose groups have one element each."""
    if x.ndim > 1 and x.shape[0] == 1 and x.size == num_groups:
        raise ShapeError(
            f"{name}: input has shape {x.shape}, one value in each of {num_groups} groups; "
            "expected more: fewer groups, or more places"
        )


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return input with mean 0 and variance 1 in each channel, times weight, plus bias.

    In training mean and variance are the batch's, and the running ones, if given, move towards
    them in place, the variance unbiased; else the running ones are used.

    Shapes: input (N, C, *), all else (C,) -> as input. Raises: ShapeError for a channel with one
    value in training, ArgumentError where running figures are needed and missing.
    Source: Ioffe & Szegedy 2015.

    >>> x = mi.Tensor([[1.0], [3.0]])
    >>> mi.nn.functional.batch_norm(x, None, None, training=True, eps=1e-12)
    Tensor([[-1.],
            [ 1.]])
    """
    name = "batch_norm"
    check_floating(name, "input", input)
    if input.ndim < 2:
        raise ShapeError(f"{name}: input has shape {input.shape}; expected (N, C, *)")
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                f"{name}: running_mean or running_var is None; expected both unless training"
            )
        return normalize_by(input, running_mean, running_var, weight, bias, eps=eps)
    axes = (0, *range(2, input.ndim))
    count = input.size // (input.shape[1] or 1)
    if count == 1:
        raise ShapeError(
            f"{name}: input has shape {input.shape}, one value per channel; training needs at "
            "least 2"
        )
    rate = real(name, "momentum", momentum)
    if count:
        _follow(input, axes, count, running_mean, running_var, rate)
    wide = (input.shape[1], *(1,) * (input.ndim - 2))
    parts = [_wide(name, t, wide) for t in (weight, bias)]
    return layer_norm_along(input, *parts, axes=axes, eps=eps)


def _wide(name: str, t: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    if t is None or t.shape == shape:
        return t
    if t.shape != shape[:1]:
        raise ShapeError(f"{name}: weight or bias has shape {t.shape}; expected ({shape[0]},)")
    return t.reshape(shape)


@no_grad()
def _follow(
    x: Tensor,
    axes: tuple[int, ...],
    count: int,
    mean: Tensor | None,
    var: Tensor | None,
    rate: float,
) -> None:
    """Move the running figures towards those of x; the variance unbiased."""
    if mean is not None:
        mean.lerp_(x.mean(axis=axes).astype(mean.dtype), rate)
    if var is not None:
        unbiased = count / (count - 1)
        var.lerp_((x.var(axis=axes) * unbiased).astype(var.dtype), rate)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return input with mean 0 and variance 1 in each channel of each sample, times weight.

    With *use_input_stats* the running figures, if given, move in place towards the mean over the
    samples; else they are used. *bias* is added.
    Shapes: input (N, C, *), all else (C,) -> as input. Raises: as `batch_norm`.
    Source: Ulyanov, Vedaldi & Lempitsky 2016.

    >>> mi.nn.functional.instance_norm(mi.Tensor([[[1.0, 3.0]]]), eps=1e-12)
    Tensor([[[-1.,  1.]]])
    """
    name = "instance_norm"
    check_floating(name, "input", input)
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input.ndim < 3:
        raise ShapeError(f"{name}: input has shape {input.shape}; expected (N, C, *)")
    count = input.size // ((input.shape[0] * input.shape[1]) or 1)
    if count < 2 and input.size:
        raise ShapeError(
            f"{name}: input has shape {input.shape}, one value per channel; expected at least 2"
        )
    if input.size and (running_mean is not None or running_var is not None):
        samples = input.reshape(input.shape[0], input.shape[1], -1)
        with no_grad():
            for running, of in (
                (running_mean, samples.mean(axis=2)),
                (running_var, samples.var(axis=2) * (count / (count - 1))),
            ):
                if running is not None:
                    running.lerp_(of.mean(axis=0).astype(running.dtype), momentum)
    return instance_norm_of(input, weight, bias, eps=eps)
