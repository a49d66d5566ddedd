"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from minima import Tensor
from minima.errors import ArgumentError
from minima.nn.arguments import real

from .how import How
from .optimizer import Group, Optimizer, decayed

__all__ = ["SGD"]


class SGD(Optimizer):
    """Descend along the gradient, with momentum if asked for.

    g = gradient + weight_decay * p; with momentum: b = momentum * b + (1 - dampening) * g, where
    the first b is g, and g becomes b, or with *nesterov* g + momentum * b; then p -= lr * g.

    With *maximize* it climbs: the sign of the gradient is turned.

    Raises: ArgumentError for a negative option, or nesterov without momentum or with dampening.
    Source: Sutskever et al. 2013.

    >>> w = mi.nn.Parameter([1.0])
    >>> optimizer = mi.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     w.sum().backward()
    ...     optimizer.step()
    >>> w.numpy().round(3)
    array([0.71], dtype=float32)
    """

    elementwise: ClassVar[bool] = True
    fused: ClassVar[str] = "sgd_step"
    slots: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        **how: Unpack[How],
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
            **how,
        )

    def check(self, group: Group) -> None:
        """Raise for options out of range."""
        super().check(group)
        real("SGD", "momentum", group["momentum"], low=0.0)
        real("SGD", "dampening", group["dampening"])
        real("SGD", "weight_decay", group["weight_decay"], low=0.0)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError(
                f"SGD: nesterov with momentum {group['momentum']} and dampening "
                f"{group['dampening']}; expected momentum above 0 and dampening 0"
            )

    def stage(self, state: dict[str, Any]) -> bool:
        """Return whether there was a step with momentum."""
        return "momentum_buffer" in state

    def fused_slots(self, group: Group) -> tuple[str, ...]:
        """Return the buffer's name, with momentum."""
        return self.slots if group["momentum"] else ()

    def fused_options(self, group: Group, stage: Any) -> dict[str, Any]:
        """Return all options, and whether the buffers hold something."""
        options = {name: group[name] for name in self.defaults if name != "maximize"}
        return {**options, "started": stage}

    def update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], group: Group
    ) -> None:
        """Do one step of *parameter*."""
        momentum = group["momentum"]
        if group["weight_decay"]:
            gradient = decayed(gradient, parameter, group["weight_decay"])
        if momentum:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = gradient.detach().clone()
            else:
                buffer.mul_(momentum).add_(gradient, alpha=1.0 - group["dampening"])
            gradient = gradient + momentum * buffer if group["nesterov"] else buffer
        parameter.sub_(gradient, alpha=group["lr"])
