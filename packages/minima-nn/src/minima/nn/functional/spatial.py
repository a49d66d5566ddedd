"""Convolution, pooling, padding and resizing; all but `pad` are `minima`'s own."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from minima import (
    Tensor,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    affine_grid,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    channel_shuffle,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    fold,
    grid_sample,
    interpolate,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
    pixel_shuffle,
    pixel_unshuffle,
    unfold,
)
from minima import pad as pad_of
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..arguments import check_reach

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "grid_sample",
    "interpolate",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "pad",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Return input with more around it; see `minima.pad` for the modes.

    *pad* says how many elements before and after, first of the last axis, then of the one before,
    and so on; the axes that it does not reach stay. Negative numbers cut.
    Raises: ShapeError for an odd number of them or too many, ArgumentError for a mode that is
    none, or a value in a mode that has no use for it; ShapeError when reflect or circular would
    have to go over the input more than once.

    >>> mi.nn.functional.pad(mi.Tensor([[1.0, 2.0]]), (1, 0))
    Tensor([[0., 1., 2.]])
    """
    if not isinstance(input, Tensor):
        raise DTypeError(f"pad: input is a {type(input).__name__}; expected a Tensor")
    given: Any = pad
    if not isinstance(given, Sequence) or not all(hasattr(n, "__index__") for n in given):
        raise DTypeError(f"pad: pad is {pad!r}; expected a sequence of integers")
    widths = [index(n) for n in pad]
    if len(widths) % 2 or len(widths) > 2 * input.ndim:
        raise ShapeError(
            f"pad: input has shape {input.shape}, pad is {tuple(widths)}; expected two numbers for "
            f"each of the last axes, at most {2 * input.ndim}"
        )
    if value and mode != "constant":
        raise ArgumentError(f"pad: got value {value} in the mode {mode!r}; expected 'constant'")
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)][::-1]
    check_reach("pad", input, pairs, mode)
    whole = [(0, 0)] * (input.ndim - len(pairs)) + pairs
    return pad_of(input, whole, mode, 0 if value is None else value)
