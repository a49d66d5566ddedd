"""GradScaler: losses scaled up, so that small gradients survive in float16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..autograd.mode import set_grad_enabled
from ..errors import ArgumentError, AutogradError
from ..tensor import Tensor

__all__ = ["GradScaler"]


class GradScaler:
    """Scale losses before backward, and gradients back before an optimiser's step.

    A step whose gradients have an infinity or NaN is left out and the scale multiplied by
    *backoff_factor*; after *growth_interval* good steps it is multiplied by *growth_factor*. The
    factor is a power of two unless told otherwise, so nothing is rounded. With *enabled* False
    everything passes as it is. Any optimiser with ``param_groups`` and ``step`` will do.

    Raises: ArgumentError for factors on the wrong side of 1.
    Source: Micikevicius et al. 2017.

    >>> import minima as mi
    >>> scaler = mi.GradScaler(init_scale=4.0)
    >>> scaler.scale(mi.Tensor([1.0, 2.0]))
    Tensor([4., 8.])
    """

    def __init__(
        self,
        device: str = "cpu",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if not init_scale > 0.0:
            raise ArgumentError(
                f"GradScaler: init_scale is {init_scale}; expected a number above 0"
            )
        self._device, self._enabled = device, enabled
        self._scale, self._growth_tracker = float(init_scale), 0
        self.set_growth_factor(growth_factor)
        self.set_backoff_factor(backoff_factor)
        self.set_growth_interval(growth_interval)
        #: optimiser's id -> (stage, whether a gradient was not finite), since the last update
        self._stages: dict[int, tuple[str, bool]] = {}

    def is_enabled(self) -> bool:
        """Say whether the scaler does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """Return the factor."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """Return what the factor grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the factor grows by, above 1."""
        if not new_factor > 1.0:
            raise ArgumentError(
                f"GradScaler: growth_factor is {new_factor}; expected a number above 1"
            )
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Return what the factor is multiplied by after an infinity."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the factor is multiplied by after an infinity, between 0 and 1."""
        if not 0.0 < new_factor < 1.0:
            raise ArgumentError(
                f"GradScaler: backoff_factor is {new_factor}; expected one between 0 and 1"
            )
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Return after how many good steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many good steps the factor grows, at least 1."""
        if new_interval < 1:
            raise ArgumentError(
                f"GradScaler: growth_interval is {new_interval}; expected a number of at least 1"
            )
        self._growth_interval = new_interval

    def scale(self, outputs: Any) -> Any:
        """Return *outputs*, a Tensor or Tensors in lists and tuples, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, list | tuple):
            return type(outputs)(self.scale(t) for t in outputs)
        raise ArgumentError(
            f"GradScaler: scale() got a {type(outputs).__name__}; expected a Tensor, or a list or "
            "tuple of Tensors"
        )

    def unscale_(self, optimizer: Any) -> None:
        """Divide the optimiser's gradients by the factor, in place: before they are clipped, say.

        Raises: AutogradError when that was done since the last `update`, or the step was.
        """
        if not self._enabled:
            return
        stage, _ = self._stages.get(id(optimizer), ("ready", False))
        if stage != "ready":
            raise AutogradError(
                f"GradScaler: unscale_() comes after {stage}; expected once for each optimiser "
                "between two calls of update()"
            )
        infinite, back = False, 1.0 / self._scale
        with set_grad_enabled(False):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    g = parameter.grad
                    if g is None:
                        continue
                    if g.requires_grad:
                        g = parameter.grad = g.detach()
                    g.mul_(back)
                    infinite = infinite or not _finite(g)
        self._stages[id(optimizer)] = ("unscale_()", infinite)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Scale the gradients back, unless that was done; step, if they are finite.

        Return what the optimiser's step returns, or None where it was left out.

        Raises: AutogradError for a second step without `update`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise ArgumentError("GradScaler: step() got a closure; expected none, as PyTorch's")
        if self._stages.get(id(optimizer), ("", False))[0] == "step()":
            raise AutogradError(
                "GradScaler: step() comes after step(); expected update() between two steps"
            )
        if id(optimizer) not in self._stages:
            self.unscale_(optimizer)
        infinite = self._stages[id(optimizer)][1]
        result = None if infinite else optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = ("step()", infinite)
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adjust the factor by what the steps since the last call met, or set it.

        Raises: AutogradError when there was no step.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._stages:
            raise AutogradError("GradScaler: update() before step(); expected a step in between")
        elif any(infinite for _, infinite in self._stages.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._stages = {}

    def state_dict(self) -> dict[str, Any]:
        """Return the factor, how it moves, and the good steps so far; empty when not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises: ArgumentError when it lacks something, as that of a scaler not enabled does.
        """
        if not self._enabled:
            return
        missing = [name for name in self.state_dict() if name not in state_dict]
        if missing:
            raise ArgumentError(
                f"GradScaler: the state lacks {', '.join(missing)}; expected that of an enabled one"
            )
        for name in self.state_dict():
            setattr(self, f"_{name.lstrip('_')}", state_dict[name])


def _finite(g: Tensor) -> bool:
    from ..operators import all, isfinite

    return bool(all(isfinite(g)))
