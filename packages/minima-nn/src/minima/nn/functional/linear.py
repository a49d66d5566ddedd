"""Products with weights and distances, by PyTorch's names."""

from __future__ import annotations

from minima import (
    Tensor,
    expand_dims,
    matmul,
    project,
)
from minima import cosine_similarity as cosine_along
from minima import one_hot as one_hot_of
from minima import pairwise_distance as distance
from minima.amp import autocasts
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..arguments import check_floating, named

__all__ = [
    "bilinear",
    "cosine_similarity",
    "linear",
    "one_hot",
    "pairwise_distance",
]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias.

    The weight lies as in PyTorch; that of `minima.nn.Linear` is its transpose.
    Shapes: input (*, I), weight (O, I), bias (O,) -> (*, O).
    Raises: ShapeError when sizes do not fit.

    >>> mi.nn.functional.linear(mi.Tensor([1.0, 2.0]), mi.Tensor([[3.0, 4.0]]))
    Tensor([11.])
    """
    return project(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return, for each output, input1 @ its matrix @ input2, plus bias.

    Shapes: input1 (*, I), input2 (*, J), weight (O, I, J), bias (O,) -> (*, O).
    Raises: ShapeError when sizes do not fit.

    >>> one = mi.Tensor([2.0])
    >>> mi.nn.functional.bilinear(one, one, mi.Tensor([[[3.0]]]))
    Tensor([12.])
    """
    for name, t in (("input1", input1), ("input2", input2)):
        check_floating("bilinear", name, t)
    o, i, j = weight.shape if weight.ndim == 3 else (0, 0, 0)
    lead = input1.shape[:-1]
    fits = weight.ndim == 3 and input1.ndim and input2.ndim and lead == input2.shape[:-1]
    if not fits or (input1.shape[-1], input2.shape[-1]) != (i, j):
        raise ShapeError(
            f"bilinear: input1 has shape {input1.shape}, input2 {input2.shape}, weight "
            f"{weight.shape}; expected (*, I), (*, J) and (O, I, J)"
        )
    if bias is not None and bias.shape != (o,):
        raise ShapeError(f"bilinear: bias has shape {bias.shape}; expected ({o},)")
    left = matmul(input1, weight.permute(1, 0, 2).reshape(i, o * j)).reshape(*lead, o, j)
    y = (left * expand_dims(input2, -2)).sum(axis=-1)
    return y if bias is None else y + bias


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Return int64 rows with 1 at the place that *tensor* names, else 0.

    *num_classes* is one more than the largest number unless given.
    Shapes: (*) -> (*, num_classes). Raises: IndexRangeError, DTypeError; ArgumentError where
    there is no number to tell the classes.

    >>> mi.nn.functional.one_hot(mi.Tensor([1, 0]))
    Tensor([[0, 1],
            [1, 0]])
    """
    if tensor.dtype.kind not in "iu":
        raise DTypeError(f"one_hot: tensor has dtype {tensor.dtype}; expected integers")
    if num_classes == -1:
        if not tensor.size:
            raise ArgumentError("one_hot: tensor is empty and num_classes -1; give num_classes")
        num_classes = int(tensor.max().item()) + 1
    return one_hot_of(tensor, num_classes, dtype="int64")


@autocasts("float32")
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return `minima.cosine_similarity` along the axis *dim*.

    >>> mi.nn.functional.cosine_similarity(mi.Tensor([[1.0, 0.0]]), mi.Tensor([[1.0, 1.0]]))
    Tensor([0.707107])
    """
    return named("cosine_similarity", cosine_along, x1, x2, dim, eps)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """Return `minima.pairwise_distance`.

    >>> a, b = mi.Tensor([[3.0, 4.0]]), mi.Tensor([[0.0, 0.0]])
    >>> mi.nn.functional.pairwise_distance(a, b, eps=0.0)
    Tensor([5.])
    """
    return distance(x1, x2, p, eps, keepdim)
