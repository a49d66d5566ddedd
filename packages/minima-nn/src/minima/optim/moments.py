"""Kin of Adam: NAdam, RAdam, Adamax, and Lion, which keeps the signs alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from minima import Tensor, abs, maximum, sign, sqrt

from .how import How
from .optimizer import Group, Optimizer, check_betas, check_positive, decayed, slot

__all__ = ["Adamax", "Lion", "NAdam", "RAdam"]

State = dict[str, Any]


class _Moments(Optimizer):
    """What these have in common: two means, and a decay in the gradient or beside it."""

    counts: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        names = ("lr", "eps", "weight_decay", "momentum_decay")
        check_positive(self, group, *(n for n in names if n in group))
        check_betas(self, group)

    def means(
        self, parameter: Tensor, gradient: Tensor, state: State, group: Group
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient with its decay, the mean of gradients and that of squares."""
        beta1, beta2 = group["betas"]
        if group["weight_decay"] and group.get("decoupled_weight_decay"):
            parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        elif group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        mean = slot(state, "exp_avg", parameter).lerp_(gradient, 1.0 - beta1)
        square = slot(state, "exp_avg_sq", parameter).mul_(beta2)
        square.addcmul_(gradient, gradient, value=1.0 - beta2)
        return gradient, mean, square


class NAdam(_Moments):
    """Adam with Nesterov's momentum, which warms up.

    With g, m and v as Adam's and mu_t = b1 * (1 - 0.96 ** (t * momentum_decay) / 2), P_t the
    product of mu_1 ... mu_t: p -= lr * ((1 - mu_t) * g / (1 - P_t) + mu_{t+1} * m /
    (1 - P_{t+1})) / (sqrt(v / (1 - b2**t)) + eps). *decoupled_weight_decay* decays as AdamW.

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: Dozat 2016.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.NAdam([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.894], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    numbers: ClassVar[tuple[str, ...]] = ("mu_product",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def begin(self, state: State, group: Group) -> None:
        """Count the step and bring on the product of mu_t."""
        super().begin(state, group)
        state["mu_product"] = state.get("mu_product", 1.0) * _warm(state["step"], group)

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        step, beta2, product = state["step"], group["betas"][1], state["mu_product"]
        gradient, mean, square = self.means(parameter, gradient, state, group)
        now, following = (_warm(t, group) for t in (step, step + 1))
        scale = sqrt(square / (1.0 - beta2**step)).add_(group["eps"])
        lr = group["lr"]
        parameter.addcdiv_(gradient, scale, value=-lr * (1.0 - now) / (1.0 - product))
        parameter.addcdiv_(mean, scale, value=-lr * following / (1.0 - product * following))


def _warm(step: Any, group: Group) -> Any:
    """Return mu_t of the step number *step*."""
    return group["betas"][0] * (1.0 - 0.5 * 0.96 ** (step * group["momentum_decay"]))


class RAdam(_Moments):
    """Adam that does without the scale until its variance is known well enough.

    With r = 2 / (1 - b2) - 1 and r_t = r - 2 * t * b2**t / (1 - b2**t): while r_t <= 5 the step
    is lr * m / (1 - b1**t); then it is that times sqrt(1 - b2**t) / (sqrt(v) + eps) times
    sqrt((r_t - 4) * (r_t - 2) * r / ((r - 4) * (r - 2) * r_t)).

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: Liu et al. 2019, algorithm 2.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.RAdam([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    elementwise: ClassVar[bool] = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        step, (beta1, beta2) = state["step"], group["betas"]
        _, mean, square = self.means(parameter, gradient, state, group)
        rate = group["lr"] / (1.0 - beta1**step)
        most = 2.0 / (1.0 - beta2) - 1.0
        known = most - 2.0 * step * beta2**step / (1.0 - beta2**step)
        if known <= 5.0:
            parameter.sub_(mean, alpha=rate)
            return
        shares = (known - 4.0) * (known - 2.0) * most, (most - 4.0) * (most - 2.0) * known
        factor = (shares[0] / shares[1] * (1.0 - beta2**step)) ** 0.5
        parameter.addcdiv_(mean, sqrt(square).add_(group["eps"]), value=-rate * factor)


class Adamax(Optimizer):
    """Adam with the largest gradient, which fades, in place of the root of the mean square.

    u = max(b2 * u, |g| + eps); p -= lr / (1 - b1**t) * m / u.

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: Kingma & Ba 2014, algorithm 2.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.Adamax([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    counts: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "eps", "weight_decay")
        check_betas(self, group)

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        step, (beta1, beta2) = state["step"], group["betas"]
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        mean = slot(state, "exp_avg", parameter).lerp_(gradient, 1.0 - beta1)
        largest = slot(state, "exp_inf", parameter).mul_(beta2)
        largest.copy_(maximum(largest, abs(gradient).add_(group["eps"])))
        parameter.addcdiv_(mean, largest, value=-group["lr"] / (1.0 - beta1**step))


class Lion(Optimizer):
    """Step by the sign of a momentum: every element moves by the rate.

    p -= lr * (sign(b1 * m + (1 - b1) * g) + weight_decay * p); m = b2 * m + (1 - b2) * g.

    Raises: ArgumentError for a negative option, or betas outside of 0 <= b < 1.
    Source: Chen et al. 2023, algorithm 2.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.Lion([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("exp_avg",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize},
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "weight_decay")
        check_betas(self, group)

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        beta1, beta2 = group["betas"]
        mean = slot(state, "exp_avg", parameter)
        direction = sign(mean.clone().lerp_(gradient, 1.0 - beta1))
        if group["weight_decay"]:
            parameter.mul_(1.0 - group["lr"] * group["weight_decay"])
        parameter.sub_(direction, alpha=group["lr"])
        mean.lerp_(gradient, 1.0 - beta2)
