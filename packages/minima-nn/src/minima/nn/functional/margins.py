"""Losses that ask for a distance, a margin, between what is alike and what is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minima import Tensor, arange, clip, expand_dims, minimum, one_hot, relu, sqrt, where
from minima import pairwise_distance as distance
from minima.amp import autocasts
from minima.errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from minima.operators.scalars import only_real

from ..arguments import check_floating, integer, real
from .reduction import check_classes, check_reduction, check_same, check_weight, chosen, reduced

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def _above(x: Tensor) -> Tensor:
    """Return x where it is at least 0, else 0; the gradient passes at 0."""
    return clip(x, min=0.0)


@autocasts("float32")
def hinge_embedding_loss(
    input: Tensor, target: Tensor, margin: float = 1.0, *, reduction: str = "mean"
) -> Tensor:
    """Return input where target is 1, and max(0, margin - input) where it is -1.

    Shapes: input (*), target (*) -> (), or (*) with reduction "none". Gradient: -1 at the margin.
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> input, target = mi.Tensor([0.5, 0.25]), mi.Tensor([1, -1])
    >>> mi.nn.functional.hinge_embedding_loss(input, target, reduction="none")
    Tensor([0.5 , 0.75])
    """
    check_reduction("hinge_embedding_loss", reduction)
    check_same("hinge_embedding_loss", input=input, target=target)
    only_real("hinge_embedding_loss", input)
    margin = real("hinge_embedding_loss", "margin", margin)
    apart = where(target != 1, _above(margin - input), 0.0)
    return reduced(apart + where(target != -1, input, 0.0), reduction)


@autocasts("float32")
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return max(0, margin - target * (input1 - input2)): with target 1 input1 should be larger.

    Shapes: all (*) -> (), or (*) with reduction "none". Gradient: passes at 0.
    Raises: ShapeError when shapes differ, ArgumentError for another reduction.

    >>> a, b, target = mi.Tensor([2.0]), mi.Tensor([3.0]), mi.Tensor([1.0])
    >>> mi.nn.functional.margin_ranking_loss(a, b, target)
    Tensor(1.)
    """
    check_reduction("margin_ranking_loss", reduction)
    check_same("margin_ranking_loss", input1=input1, input2=input2, target=target)
    only_real("margin_ranking_loss", input1, input2)
    margin = real("margin_ranking_loss", "margin", margin)
    return reduced(_above(margin - target * (input1 - input2)), reduction)


@autocasts("float32")
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, *, reduction: str = "mean"
) -> Tensor:
    """Return 1 - cos where target is 1, and max(0, cos - margin) where it is -1.

    cos is the cosine of the angle between input1 and input2.
    Shapes: inputs (N, D) or (D,), target (N,) or () -> (), or as target with reduction "none".
    Raises: ShapeError when shapes do not fit, ArgumentError for another reduction.

    >>> a, b = mi.Tensor([[1.0, 0.0]]), mi.Tensor([[0.0, 2.0]])
    >>> mi.nn.functional.cosine_embedding_loss(a, b, mi.Tensor([1]))
    Tensor(1.)
    """
    name = "cosine_embedding_loss"
    check_reduction(name, reduction)
    check_same(name, input1=input1, input2=input2)
    margin = real(name, "margin", margin)
    if input1.ndim not in (1, 2) or target.shape != input1.shape[:-1]:
        raise ShapeError(
            f"{name}: input1 has shape {input1.shape}, target {target.shape}; expected (N, D) and "
            "(N,), or (D,) and ()"
        )
    lengths = sqrt(
        ((input1 * input1).sum(axis=-1) + 1e-12) * ((input2 * input2).sum(axis=-1) + 1e-12)
    )
    cosine = (input1 * input2).sum(axis=-1) / lengths
    alike = where(target == 1, 1.0 - cosine, 0.0)
    return reduced(alike + where(target == -1, _above(cosine - margin), 0.0), reduction)


@autocasts("float32")
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, margin + d(anchor, positive) - d(anchor, negative)).

    d is `pairwise_distance` with *p* and *eps*. With *swap* d(positive, negative) takes the place
    of the last distance where it is smaller.
    Shapes: all (N, D) or (D,) -> (), or (N,) with reduction "none".
    Raises: ShapeError when shapes differ, ArgumentError for options out of range.
    Source: Balntas et al. 2016.

    >>> a, b, c = mi.Tensor([[0.0, 0.0]]), mi.Tensor([[3.0, 4.0]]), mi.Tensor([[6.0, 8.0]])
    >>> round(mi.nn.functional.triplet_margin_loss(a, b, c, 6.0).item(), 4)
    1.0
    """
    name = "triplet_margin_loss"
    p, eps = real(name, "p", p, low=0.0), real(name, "eps", eps)

    def apart(a: Tensor, b: Tensor) -> Tensor:
        return distance(a, b, p, eps)

    return _triplet(name, (anchor, positive, negative), apart, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return `triplet_margin_loss` with any *distance_function*, `pairwise_distance` unless given.

    Shapes: all (N, *), as the function takes them. Raises: as `triplet_margin_loss`.

    >>> a, b, c = mi.Tensor([[0.0]]), mi.Tensor([[1.0]]), mi.Tensor([[3.0]])
    >>> mi.nn.functional.triplet_margin_with_distance_loss(
    ...     a, b, c, distance_function=lambda x, y: mi.abs(x - y).sum(axis=-1), margin=3.0
    ... )
    Tensor(1.)
    """
    name = "triplet_margin_with_distance_loss"
    apart = distance_function or distance
    return _triplet(name, (anchor, positive, negative), apart, margin, swap, reduction)


def _triplet(
    name: str,
    given: tuple[Tensor, Tensor, Tensor],
    apart: Callable[[Tensor, Tensor], Tensor],
    margin: float,
    swap: bool,
    reduction: str,
) -> Tensor:
    check_reduction(name, reduction)
    anchor, positive, negative = given
    check_same(name, anchor=anchor, positive=positive, negative=negative)
    if not real(name, "margin", margin) > 0.0:
        raise ArgumentError(f"{name}: margin is {margin}; expected a number above 0")
    far = apart(anchor, negative)
    if swap:
        far = minimum(far, apart(positive, negative))
    return reduced(_above(apart(anchor, positive) - far + margin), reduction)


@autocasts("float32")
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over classes of max(0, margin - input[target] + input[i])**p, i not target.

    *weight* (C,) scales the terms by the target's class.
    Shapes: input (N, C) or (C,), target (N,) or () -> (), or as target with reduction "none".
    Gradient: 0 at the margin. Raises: ShapeError, DTypeError, ArgumentError for a p that is not 1
    or 2; IndexRangeError for no class.

    >>> mi.nn.functional.multi_margin_loss(mi.Tensor([[0.5, 1.0]]), mi.Tensor([0]))
    Tensor(0.75)
    """
    name = "multi_margin_loss"
    check_reduction(name, reduction)
    check_classes(name, input, target)
    _check_rows(name, input)
    if integer(name, "p", p) > 2:
        raise ArgumentError(f"{name}: p is {p}; expected 1 or 2")
    classes = input.shape[-1]
    check_weight(name, "weight", weight, classes, input)
    of_target = expand_dims(chosen(name, input, target), -1)
    missing = relu(input - of_target + real(name, "margin", margin))
    missing = where(_one_hot(name, target, classes), 0.0, missing)
    loss = (missing * missing if p == 2 else missing).sum(axis=-1) / classes
    if weight is not None:
        loss = loss * chosen(name, weight.astype(input.dtype) + input.detach() * 0.0, target)
    return reduced(loss, reduction)


@autocasts("float32")
def multilabel_margin_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return the sum, over C, of max(0, 1 - input[j] + input[i]), j among the targets, i not.

    The targets of a sample are the class numbers ahead of the first negative number.
    Shapes: input (N, C) or (C,), target as input, integers -> (), or (N,) with "none".
    Gradient: 0 at the margin. Raises: ShapeError, DTypeError; IndexRangeError for no class.

    >>> input, target = mi.Tensor([[0.5, 1.0, 0.0]]), mi.Tensor([[1, -1, 0]])
    >>> mi.nn.functional.multilabel_margin_loss(input, target)
    Tensor(0.166667)
    """
    name = "multilabel_margin_loss"
    check_reduction(name, reduction)
    check_same(name, input=input, target=target)
    _check_rows(name, input)
    if target.dtype.kind != "i":
        raise DTypeError(f"{name}: target has dtype {target.dtype}; expected integers, the classes")
    classes = input.shape[-1]
    order = arange(classes, device=input.device)
    ahead = (order <= expand_dims(order, -1)).astype(input.dtype)
    stops = (target < 0).astype(input.dtype)
    # how many negative numbers there are up to each place
    counted = (expand_dims(stops, -2) * ahead).sum(axis=-1) == 0
    hot = _one_hot(name, where(counted, target, 0), classes)
    hot = where(expand_dims(counted, -1), hot, False)
    of_target = where(hot, expand_dims(input, -2), 0.0).sum(axis=-1)
    missing = relu(1.0 - expand_dims(of_target, -1) + expand_dims(input, -2))
    others = where(hot.any(axis=-2, keepdims=True), False, expand_dims(counted, -1))
    return reduced(where(others, missing, 0.0).sum(axis=(-2, -1)) / classes, reduction)


def _check_rows(name: str, x: Tensor) -> None:
    check_floating(name, "input", x)
    if x.ndim not in (1, 2):
        raise ShapeError(f"{name}: input has shape {x.shape}; expected (N, C) or (C,)")


def _one_hot(name: str, classes: Any, count: int) -> Tensor:
    try:
        return one_hot(classes, count, dtype="bool")
    except IndexRangeError as error:
        raise IndexRangeError(str(error).replace("one_hot", name, 1)) from None
