"""Weight and spectral normalisation by the names of their first form in PyTorch."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from minima import Tensor, init, no_grad, normalize
from minima.errors import ArgumentError

from ..arguments import integer, real
from ..hooks import HookHandle, Hooks
from ..module import Module
from ..parameter import Parameter
from .layout import (
    as_matrix,
    axis_of,
    length_except,
    outputs_axis,
    power_method,
    tensor_of,
    turned,
)

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class _BeforeForward:
    """A hook that computes the attribute *name* of a module in front of each call."""

    what = ""

    @property
    def instead(self) -> str:
        """What can be compiled, for the warning of a compiled function."""
        return f"minima.nn.utils.parametrizations.{self.what} can be compiled"

    def __init__(self, name: str) -> None:
        self.name = name

    def compute(self, module: Module) -> Tensor:
        raise NotImplementedError

    def __call__(self, module: Module, args: Any) -> None:
        module.__dict__[self.name] = self.compute(module)

    @classmethod
    def found(cls, owner: str, module: Module, name: str) -> _BeforeForward | None:
        """Return the hook of this kind that *module* has for *name*."""
        hooks = () if module._hooks is None else module._hooks.forward_pre.values()
        for hook in hooks:
            if isinstance(hook, cls) and hook.name == name:
                return hook
        return None

    @classmethod
    def known(cls, owner: str, module: Module, name: str) -> _BeforeForward:
        hook = cls.found(owner, module, name)
        if hook is None:
            raise ArgumentError(
                f"{owner}: {type(module).__name__} has no {cls.what} of {name!r}; expected a "
                f"module that {cls.what}() was called for"
            )
        return hook

    @classmethod
    def check_first(cls, module: Module, name: str) -> None:
        if cls.found(cls.what, module, name) is not None:
            raise ArgumentError(
                f"{cls.what}: {name!r} of {type(module).__name__} has it already; expected a "
                "module without"
            )

    def start(self, module: Module, **parts: Tensor | None) -> None:
        """Put the *parts* in the place of the parameter, and begin."""
        delattr(module, self.name)
        for name, part in parts.items():
            if isinstance(part, Parameter):
                module.register_parameter(name, part)
            else:
                module.register_buffer(name, part)
        module.__dict__[self.name] = self.compute(module)
        module.register_forward_pre_hook(self)

    def stop(self, module: Module, value: Parameter, *parts: str) -> None:
        """Put *value* in the place of the *parts*, and end."""
        delattr(module, self.name)
        for part in parts:
            delattr(module, part)
        hooks = cast("Hooks", module._hooks)
        for key in [k for k, hook in hooks.forward_pre.items() if hook is self]:
            HookHandle.drop(module, "forward_pre", key)
        module.register_parameter(self.name, value)


class _WeightNorm(_BeforeForward):
    what = "weight_norm"

    def __init__(self, name: str, axis: int | None) -> None:
        super().__init__(name)
        self.axis = axis

    def compute(self, module: Module) -> Tensor:
        v: Tensor = getattr(module, f"{self.name}_v")
        g: Tensor = getattr(module, f"{self.name}_g")
        return v * (g / length_except(v, self.axis))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Let the weight be a length times a direction: w = g * v / norm(v).

    ``weight_g`` has a length for each index along *dim*, which counts as in PyTorch (0: the
    outputs, also of a Linear), or with None one length; ``weight_v`` has the directions. The
    weight is computed in front of each call. `parametrizations.weight_norm` can be compiled, too.

    Raises: MissingNameError when there is no such tensor, ArgumentError for a *dim* that it lacks
    or a weight that has it already.
    Source: Salimans & Kingma 2016.

    >>> layer = mi.nn.utils.weight_norm(mi.nn.Linear(3, 2))
    >>> [name for name, _ in layer.named_parameters()]
    ['bias', 'weight_g', 'weight_v']
    """
    owner = "weight_norm"
    _WeightNorm.check_first(module, name)
    weight = tensor_of(owner, module, name)
    axis = None
    if dim is not None and dim != -1:
        axis = axis_of(owner, dim, weight.ndim, turned(module, name))
    with no_grad():
        lengths = Parameter(length_except(weight.detach(), axis))
    parts = {f"{name}_g": lengths, f"{name}_v": Parameter(weight.detach().clone())}
    _WeightNorm(name, axis).start(module, **parts)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again.

    Raises: ArgumentError when it has no `weight_norm`.

    >>> layer = mi.nn.utils.weight_norm(mi.nn.Linear(3, 2))
    >>> list(mi.nn.utils.remove_weight_norm(layer).state_dict())
    ['bias', 'weight']
    """
    hook = _WeightNorm.known("remove_weight_norm", module, name)
    with no_grad():
        value = Parameter(hook.compute(module).clone())
    hook.stop(module, value, f"{name}_g", f"{name}_v")
    return module


class _SpectralNorm(_BeforeForward):
    what = "spectral_norm"

    def __init__(self, name: str, times: int, axis: int, eps: float) -> None:
        super().__init__(name)
        self.times, self.axis, self.eps = times, axis, eps

    def compute(self, module: Module, times: int = 0) -> Tensor:
        weight: Tensor = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.axis)
        power_method(matrix.detach().mT, v, u, times, self.eps)  # v first, as in PyTorch's
        found: Tensor = weight / (u.clone() * (matrix @ v.clone())).sum()
        return found

    def __call__(self, module: Module, args: Any) -> None:
        module.__dict__[self.name] = self.compute(module, self.times if module.training else 0)


def spectral_norm(
    module: M,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> M:
    """Divide the weight by its largest singular value, as a matrix with the axis *dim* first.

    ``weight_orig`` is trained; the buffers ``weight_u`` and ``weight_v`` come nearer to the
    singular vectors with each call in training, by *n_power_iterations* steps. *dim* counts as in
    PyTorch; None is the outputs. `parametrizations.spectral_norm` can be compiled, too.

    Raises: MissingNameError when there is no such tensor, ArgumentError for a *dim* that it lacks
    or a weight that has it already.
    Source: Miyato et al. 2018.

    >>> layer = mi.nn.utils.spectral_norm(mi.nn.Linear(3, 2))
    >>> list(layer.state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    owner = "spectral_norm"
    _SpectralNorm.check_first(module, name)
    weight = tensor_of(owner, module, name)
    times = integer(owner, "n_power_iterations", n_power_iterations)
    axis = outputs_axis(module) if dim is None else dim
    axis = axis_of(owner, axis, weight.ndim, turned(module, name))
    hook = _SpectralNorm(name, times, axis, real(owner, "eps", eps, low=0.0))
    place: dict[str, Any] = {"dtype": weight.dtype, "device": weight.device}
    u, v = (
        normalize(init.randn(size, **place), 2.0, 0, eps)
        for size in as_matrix(weight.detach(), axis).shape
    )
    hook.start(module, **{f"{name}_orig": weight, f"{name}_u": u, f"{name}_v": v})
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the weight a parameter again.

    Raises: ArgumentError when it has no `spectral_norm`.

    >>> layer = mi.nn.utils.spectral_norm(mi.nn.Linear(3, 2))
    >>> list(mi.nn.utils.remove_spectral_norm(layer).state_dict())
    ['bias', 'weight']
    """
    hook = _SpectralNorm.known("remove_spectral_norm", module, name)
    with no_grad():
        value = Parameter(hook.compute(module).clone())
    hook.stop(module, value, f"{name}_orig", f"{name}_u", f"{name}_v")
    return module
