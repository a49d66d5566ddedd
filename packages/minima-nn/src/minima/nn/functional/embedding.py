"""Rows of tables, one by one and in bags, by PyTorch's names."""

from __future__ import annotations

from typing import Any

from minima import Tensor, arange, clip, no_grad, ones, where
from minima import embedding as rows_of
from minima import embedding_bag as bags_of_rows
from minima.autograd.mode import TAPE
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from minima.operators import embedding_gradient

from ..arguments import real

__all__ = ["embedding", "embedding_bag"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of *weight* that *input* names; the row *padding_idx* gets no gradient.

    With *max_norm* the rows that are named are first scaled down, in *weight* itself, to at most
    that *norm_type*-norm. With *scale_grad_by_freq* the gradient of a row is divided by how often
    it is named.
    Shapes: input (*) integers, weight (V, D) -> (*, D).
    Raises: IndexRangeError for no row, ArgumentError for *sparse*, which there is not.

    >>> mi.nn.functional.embedding(mi.Tensor([1]), mi.Tensor([[1.0], [2.0]]), max_norm=1.5)
    Tensor([[1.5]])
    """
    _check("embedding", input, sparse)
    if max_norm is not None:
        _renormalise("embedding", input, weight, max_norm, norm_type)
    if scale_grad_by_freq:
        weight = _by_frequency(input, weight)
    return rows_of(input, weight, padding_idx=padding_idx)


def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Return the sum, mean or elementwise maximum of the rows of *weight* in each bag.

    A row of an input with two axes is a bag; else bag b starts at offsets[b]. With
    *include_last_offset* the last offset is the end. *per_sample_weights* scale the rows of a sum.
    *max_norm*, *norm_type* and *scale_grad_by_freq* are those of `embedding`.
    Shapes: input (B, n), or (n) with offsets (B), integers; weight (V, D) -> (B, D).
    Raises: ShapeError where offsets are missing or too many; IndexRangeError for no row or end;
    ArgumentError for *sparse*, or *scale_grad_by_freq* of a maximum.

    >>> mi.nn.functional.embedding_bag(mi.Tensor([[0, 1]]), mi.Tensor([[1.0], [2.0]]), mode="sum")
    Tensor([[3.]])
    """
    _check("embedding_bag", input, sparse)
    if (input.ndim == 1) != (offsets is not None) or input.ndim not in (1, 2):
        given = "None" if offsets is None else f"of shape {offsets.shape}"
        raise ShapeError(
            f"embedding_bag: input has shape {input.shape}, offsets are {given}; expected (B, n) "
            "and None, or (n) and (B)"
        )
    if scale_grad_by_freq and mode == "max":
        raise ArgumentError(
            "embedding_bag: scale_grad_by_freq is True and mode 'max'; expected 'sum' or 'mean'"
        )
    if offsets is None:
        bags, size = input.shape
        offsets = arange(bags, device=input.device) * size
    elif include_last_offset:
        offsets = _begins(input, offsets)
    if max_norm is not None:
        _renormalise("embedding_bag", input, weight, max_norm, norm_type)
    if scale_grad_by_freq:
        weight = _by_frequency(input, weight)
    scales = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    options: dict[str, Any] = {"mode": mode, "padding_idx": padding_idx}
    return bags_of_rows(input.reshape(-1), offsets, weight, scales, **options)


def _check(name: str, input: Tensor, sparse: bool) -> None:
    if sparse:
        raise ArgumentError(
            f"{name}: sparse is {sparse!r}; expected False, as there are no sparse gradients"
        )
    if input.dtype.kind not in "iu":
        raise DTypeError(
            f'{name}: input has dtype {input.dtype}; expected integers: x.astype("int64")'
        )


def _begins(input: Tensor, offsets: Tensor) -> Tensor:
    """Return where each bag begins, of *offsets* the last of which is the end."""
    if offsets.ndim != 1 or not offsets.size:
        raise ShapeError(
            f"embedding_bag: offsets have shape {offsets.shape}; expected (B + 1), as "
            "include_last_offset is True"
        )
    if TAPE.get() is None and offsets._device.base is None:  # else no value is known yet
        end = int(offsets[-1].item())
        if end != input.size:
            raise IndexRangeError(
                f"embedding_bag: the last offset is {end}; expected {input.size}, the number of "
                "entries, as include_last_offset is True"
            )
    return offsets[:-1]


@no_grad()
def _renormalise(
    name: str, input: Tensor, weight: Tensor, max_norm: float, norm_type: float
) -> None:
    """Scale the rows of *weight* that *input* names down to at most *max_norm*, in place."""
    from minima.linalg import vector_norm  # seldom wanted

    most = real(name, "max_norm", max_norm, low=0.0)
    p = real(name, "norm_type", norm_type)
    named = input.reshape(-1)
    rows = rows_of(named, weight)
    norm = vector_norm(rows, axis=-1, keepdims=True, ord=p)
    weight[named] = where(norm > most, rows * (most / (norm + 1e-7)), rows)


def _by_frequency(input: Tensor, weight: Tensor) -> Tensor:
    """Return *weight*, whose gradient is divided, row by row, by how often *input* names it."""
    named = input.reshape(-1)
    one = ones((named.size, 1), dtype=weight.dtype, device=weight.device)
    count = clip(embedding_gradient(one, named, weight.shape[0]), 1.0, None)
    fixed = weight.detach()
    return fixed + (weight - fixed) / count
