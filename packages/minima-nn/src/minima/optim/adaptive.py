"""Optimisers that scale each element by the squares of its gradients: AdaGrad, RMSProp."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from minima import Tensor, sqrt

from .how import How
from .optimizer import Group, Optimizer, check_positive, decayed, slot

__all__ = ["AdaGrad", "RMSProp"]


class AdaGrad(Optimizer):
    """Divide each step by the root of the sum of all squared gradients so far.

    g = gradient + weight_decay * p; s += g**2; p -= lr / (1 + (t - 1) * lr_decay) * g /
    (sqrt(s) + eps), t counting steps from 1. Also called ``Adagrad``, as in PyTorch.

    Raises: ArgumentError for a negative option.
    Source: Duchi, Hazan & Singer 2011.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.AdaGrad([w], lr=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy()
    array([0.5], dtype=float32)
    """

    counts: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_positive(self, group, *names)

    def update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group
    ) -> None:
        """Do one step of *parameter*."""
        step = state["step"]
        total = slot(state, "sum", parameter, group["initial_accumulator_value"])
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        rate = group["lr"] / (1.0 + (step - 1) * group["lr_decay"])
        scale = sqrt(total.addcmul_(gradient, gradient)).add_(group["eps"])
        parameter.addcdiv_(gradient, scale, value=-rate)


class RMSProp(Optimizer):
    """Divide each step by the root of a running mean of squared gradients.

    g = gradient + weight_decay * p; v = alpha * v + (1 - alpha) * g**2; with *centered* the
    square of a running mean of g is taken off v; then p -= lr * g / (sqrt(v) + eps), or with
    momentum b = momentum * b + g / (sqrt(v) + eps) and p -= lr * b. Also called ``RMSprop``.

    Raises: ArgumentError for a negative option.
    Source: Tieleman & Hinton 2012, lecture 6.5.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.RMSProp([w], lr=0.01)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "alpha", "eps", "weight_decay", "momentum")

    def update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group
    ) -> None:
        """Do one step of *parameter*."""
        alpha, momentum, lr = group["alpha"], group["momentum"], group["lr"]
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        square = slot(state, "square_avg", parameter)
        square.mul_(alpha).addcmul_(gradient, gradient, value=1.0 - alpha)
        if group["centered"]:
            mean = slot(state, "grad_avg", parameter).lerp_(gradient, 1.0 - alpha)
            square = square.clone().addcmul_(mean, mean, value=-1.0)
        scale = sqrt(square).add_(group["eps"])
        if momentum:
            buffer = slot(state, "momentum_buffer", parameter)
            parameter.sub_(buffer.mul_(momentum).addcdiv_(gradient, scale), alpha=lr)
        else:
            parameter.addcdiv_(gradient, scale, value=-lr)
