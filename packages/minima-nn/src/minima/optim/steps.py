"""Optimisers with steps of their own for each element: Adadelta, Rprop, ASGD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from minima import Tensor, clip, sign, sqrt, where
from minima.compiler.live import live
from minima.errors import ArgumentError
from minima.nn.arguments import real

from .how import How
from .optimizer import Group, Optimizer, check_positive, decayed, slot

__all__ = ["ASGD", "Adadelta", "Rprop"]

State = dict[str, Any]


class Adadelta(Optimizer):
    """Scale each step by the root of the mean square of steps over that of gradients.

    v = rho * v + (1 - rho) * g**2; d = sqrt(u + eps) / sqrt(v + eps) * g;
    u = rho * u + (1 - rho) * d**2; p -= lr * d.

    Raises: ArgumentError for an option out of range.
    Source: Zeiler 2012, algorithm 1.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.Adadelta([w])
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(4)
    array([0.9968], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "eps", "weight_decay")
        real("Adadelta", "rho", group["rho"], low=0.0, high=1.0)

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        square = slot(state, "square_avg", parameter).mul_(rho)
        square.addcmul_(gradient, gradient, value=1.0 - rho)
        moved = slot(state, "acc_delta", parameter)
        delta = sqrt(moved + eps).div_(sqrt(square + eps)).mul_(gradient)
        moved.mul_(rho).addcmul_(delta, delta, value=1.0 - rho)
        parameter.sub_(delta, alpha=group["lr"])


class Rprop(Optimizer):
    """Step by the sign of the gradient, longer while it keeps, shorter when it turns.

    Each element's step, at first lr, is multiplied by etas[1] when the gradient has the sign of
    the one before, by etas[0] when it has the other, and kept within *step_sizes*; after a turn
    the element rests for one step.

    Raises: ArgumentError for options out of range.
    Source: Riedmiller & Braun 1993.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.Rprop([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("prev", "step_size")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize},
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        super().check(group)
        low, high = group["etas"]
        if not 0.0 < low < 1.0 < high:
            raise ArgumentError(
                f"Rprop: etas is {group['etas']!r}; expected one number between 0 and 1, and one "
                "above 1"
            )

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        lower, higher = group["etas"]
        before = slot(state, "prev", parameter)
        size = slot(state, "step_size", parameter, group["lr"])
        kept = gradient * before
        turned = kept < 0
        dtype = parameter.dtype
        factor = turned.astype(dtype) * (lower - 1.0) + (kept > 0).astype(dtype) * (higher - 1.0)
        factor.add_(1.0)
        size.copy_(clip(size * factor, *group["step_sizes"]))
        gradient = where(turned, 0.0, gradient)
        parameter.sub_(sign(gradient).mul_(size))
        before.copy_(gradient)


class ASGD(Optimizer):
    """Descend with a falling rate, and keep the mean of the parameters beside them.

    p -= eta * (g + lambd * p), where eta = lr / (1 + lambd * lr * (t - 1)) ** alpha, and the mean
    ``state[p]["ax"]`` takes a share 1 / max(1, t - 1 - t0) of what p differs from it.

    Raises: ArgumentError for a negative option.
    Source: Polyak & Juditsky 1992.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.ASGD([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.numpy().round(3)
    array([0.9], dtype=float32)
    """

    counts: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True
    slots: ClassVar[tuple[str, ...]] = ("ax",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        check_positive(self, group, "lr", "lambd", "weight_decay")

    def update(self, parameter: Tensor, gradient: Tensor, state: State, group: Group) -> None:
        """Do one step of *parameter*."""
        done, lr, lambd = state["step"] - 1, group["lr"], group["lambd"]
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        eta = lr / (1.0 + lambd * lr * done) ** group["alpha"]
        parameter.mul_(1.0 - lambd * eta).sub_(gradient, alpha=eta)
        share = 1.0 / live(max, 1.0, done - group["t0"])
        mean = slot(state, "ax", parameter)
        if share == 1.0:
            mean.copy_(parameter)
        else:
            mean.add_(parameter - mean, alpha=share)
