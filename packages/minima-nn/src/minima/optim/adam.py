"""Adam and AdamW: momentum, and a scale for each element, both corrected for their start at 0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from minima import Tensor, maximum, sqrt

from .how import How
from .optimizer import Group, Optimizer, check_betas, check_positive, decayed, slot

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Step along a running mean of gradients over the root of a running mean of their squares.

    g = gradient + weight_decay * p; m = b1 * m + (1 - b1) * g; v = b2 * v + (1 - b2) * g**2;
    p -= lr / (1 - b1**t) * m / (sqrt(v) / sqrt(1 - b2**t) + eps), t counting steps from 1. With
    *amsgrad* v is the largest that it was so far; with *maximize* it climbs; with
    *decoupled_weight_decay* it is `AdamW`.

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: Kingma & Ba 2014, algorithm 1.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.Adam([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    counts: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    fused: ClassVar[str] = "adam_step"
    decoupled: ClassVar[bool] = False
    slots: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "eps", "weight_decay")
        check_betas(self, group)

    def fuses(self, group: Group) -> bool:
        """Say whether the options of *group* are the kernel's: neither amsgrad nor maximize."""
        return not group["amsgrad"] and super().fuses(group)

    def fused_slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of both means."""
        return self.slots[:2]

    def fused_options(self, group: Group, stage: Any) -> dict[str, Any]:
        """Return all options, the number of this step, and where the decay goes."""
        options = {name: group[name] for name in ("lr", "betas", "eps", "weight_decay")}
        return {**options, "step_number": stage + 1, "decoupled": self.decouples(group)}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group
    ) -> None:
        """Do one step of *parameter*."""
        step = state["step"]
        beta1, beta2 = group["betas"]
        gradient = self.decay(parameter, gradient, group)
        mean = slot(state, "exp_avg", parameter).lerp_(gradient, 1.0 - beta1)
        square = slot(state, "exp_avg_sq", parameter).mul_(beta2)
        square.addcmul_(gradient, gradient, value=1.0 - beta2)
        if group["amsgrad"]:
            largest = slot(state, "max_exp_avg_sq", parameter)
            square = largest.copy_(maximum(largest, square))
        scale = sqrt(square).div_((1.0 - beta2**step) ** 0.5).add_(group["eps"])
        parameter.addcdiv_(mean, scale, value=-group["lr"] / (1.0 - beta1**step))

    def decay(self, parameter: Tensor, gradient: Tensor, group: Group) -> Tensor:
        """Return the gradient, with the decay of the weights in it unless the parameter has it."""
        if not group["weight_decay"]:
            return gradient
        if self.decouples(group):
            parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
            return gradient
        return decayed(gradient, parameter, group["weight_decay"])

    def decouples(self, group: Group) -> bool:
        """Say whether the weights decay beside the gradient."""
        return self.decoupled or bool(group["decoupled_weight_decay"])


class AdamW(Adam):
    """Adam with the decay of the weights beside the gradient, not in it.

    First p -= lr * weight_decay * p, then a step as Adam's with weight_decay 0.

    Raises: as `Adam`.
    Source: Loshchilov & Hutter 2017, algorithm 2.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.85], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    fused: ClassVar[str] = "adam_step"
    decoupled: ClassVar[bool] = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        options: dict[str, Any] = {"maximize": maximize, "decoupled_weight_decay": True, **how}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, **options)
