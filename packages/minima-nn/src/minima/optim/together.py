"""Steps of many parameters at once, on devices that have a kernel for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima import Tensor
from minima.tensor import bump

if TYPE_CHECKING:
    from .optimizer import Group, Optimizer

__all__ = ["update_together"]


def update_together(optimizer: Optimizer, group: Group) -> list[Tensor]:
    """Update those parameters of *group* whose device has the kernel ``optimizer.fused``.

    Steps are counted. Return the parameters that are left, of which some may have no gradient.
    """
    from .optimizer import advance, slot

    if not optimizer.fuses(group):
        return list(group["params"])
    left: list[Tensor] = []
    found: dict[Any, list[tuple[Tensor, Tensor, dict[str, Any]]]] = {}
    for parameter in group["params"]:
        gradient = parameter.grad
        kernel = parameter._device.kernels.get(optimizer.fused)
        if gradient is None or kernel is None:
            left.append(parameter)
            continue
        state = optimizer.state.setdefault(parameter, {})
        stage = optimizer.stage(state)
        found.setdefault((parameter._device, stage), []).append((parameter, gradient, state))
    for (device, stage), some in found.items():
        parameters, gradients, states = (list(kind) for kind in zip(*some))
        made = [[n for n in optimizer.fused_slots(group) if n not in s] for s in states]
        kept = [
            [slot(state, name, p) for p, state in zip(parameters, states)]
            for name in optimizer.fused_slots(group)
        ]
        arrays = [[t._array for t in kind] for kind in (parameters, gradients, *kept)]
        options = optimizer.fused_options(group, stage)
        if device.kernels[optimizer.fused](*arrays, **options):
            for t in (t for kind in (parameters, *kept) for t in kind):
                bump(t)
            for state in states:
                if optimizer.counts:
                    advance(state)
        else:
            left += parameters
            for state, names in zip(states, made):
                for name in names:
                    del state[name]
    return left
