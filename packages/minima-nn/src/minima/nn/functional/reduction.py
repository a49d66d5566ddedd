"""What the losses share: checks of their tensors, and the last step, mean or sum."""

from __future__ import annotations

from typing import Any

from minima import Tensor
from minima.errors import DTypeError, ShapeError

from ..arguments import check_choice, check_floating

__all__ = [
    "check_classes",
    "check_reduction",
    "check_same",
    "check_weight",
    "chosen",
    "reduced",
]

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(name: str, reduction: Any) -> None:
    """Raise ArgumentError unless *reduction* is one of the three.

    >>> check_reduction("l1_loss", "avg")
    Traceback (most recent call last):
    minima.errors.ArgumentError: l1_loss: reduction is 'avg'; expected one of 'mean', 'sum', 'none'
    """
    check_choice(name, "reduction", reduction, REDUCTIONS)


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """Return the mean of *loss*, its sum or, with "none", itself.

    >>> reduced(mi.Tensor([1.0, 3.0]), "sum")
    Tensor(4.)
    """
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def check_same(name: str, **tensors: Any) -> None:
    """Raise unless all are Tensors of the first one's shape, and the first of a floating type.

    >>> check_same("mse_loss", input=mi.ones(2), target=mi.ones(3))
    Traceback (most recent call last):
    minima.errors.ShapeError: mse_loss: input has shape (2,), target (3,); expected equal shapes: \
reshape one
    """
    (first, x), *rest = tensors.items()
    check_floating(name, first, x)
    for other, t in rest:
        if not isinstance(t, Tensor):
            raise DTypeError(
                f"{name}: {other} is a {type(t).__name__}; expected a Tensor: minima.Tensor(x)"
            )
        if t.shape != x.shape:
            raise ShapeError(
                f"{name}: {first} has shape {x.shape}, {other} {t.shape}; expected equal shapes: "
                "reshape one"
            )


def check_classes(name: str, x: Any, target: Any) -> None:
    """Raise unless *x* holds (N, C, *) or (C,) floats and *target* (N, *) or () integers.

    >>> check_classes("nll_loss", mi.ones((2, 3)), mi.Tensor([1]))
    Traceback (most recent call last):
    minima.errors.ShapeError: nll_loss: input has shape (2, 3), target (1,); expected class \
numbers of shape (2,)
    """
    check_floating(name, "input", x)
    if not isinstance(target, Tensor) or target.dtype.kind not in "iu":
        kind = f"dtype {target.dtype}" if isinstance(target, Tensor) else type(target).__name__
        raise DTypeError(f"{name}: target has {kind}; expected a Tensor of integers, the classes")
    expected = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if x.ndim == 0 or target.shape != expected:
        raise ShapeError(
            f"{name}: input has shape {x.shape}, target {target.shape}; expected class numbers of "
            f"shape {expected}"
        )


def check_weight(name: str, argument: str, weight: Any, classes: int, x: Tensor) -> None:
    """Raise unless *weight* is None or holds one number for each class.

    >>> check_weight("nll_loss", "weight", mi.ones(2), 3, mi.ones((5, 3)))
    Traceback (most recent call last):
    minima.errors.ShapeError: nll_loss: weight has shape (2,) for an input of shape (5, 3), which \
has 3 classes; expected (3,)
    """
    if weight is None:
        return
    check_floating(name, argument, weight)
    if weight.shape != (classes,):
        raise ShapeError(
            f"{name}: {argument} has shape {weight.shape} for an input of shape {x.shape}, which "
            f"has {classes} classes; expected ({classes},)"
        )


def chosen(name: str, x: Tensor, classes: Tensor) -> Tensor:
    """Return, of x (N, C, *), what each class number of *classes* (N, *) names.

    Raises: IndexRangeError, from inside of a kernel, for a number outside of 0 to C - 1.

    >>> chosen("nll_loss", mi.Tensor([[1.0, 2.0], [3.0, 4.0]]), mi.Tensor([1, 0]))
    Tensor([2., 3.])
    """
    from minima import one_hot, permute_dims, where
    from minima.errors import IndexRangeError

    axis = min(1, x.ndim - 1)
    try:
        wanted = one_hot(classes, x.shape[axis], dtype="bool")
    except IndexRangeError as error:
        raise IndexRangeError(str(error).replace("one_hot", name, 1)) from None
    order = (*range(axis), wanted.ndim - 1, *range(axis, wanted.ndim - 1))
    picked: Tensor = where(permute_dims(wanted, order), x, 0.0).sum(axis=axis)
    return picked
