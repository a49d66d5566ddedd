"""Parametrisations of weights: by direction and length, of spectral norm 1, orthogonal."""

from __future__ import annotations

from typing import Any

from minima import Tensor, init, normalize
from minima.errors import ArgumentError

from ..arguments import integer, real
from ..module import Module
from .layout import (
    as_matrix,
    axis_of,
    length_except,
    outputs_axis,
    power_method,
    tensor_of,
    turned,
)
from .orthogonality import Orthogonal
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    """w = g * v / norm(v), the norm over all axes but one."""

    def __init__(self, axis: int | None) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / length_except(weight_v, self.axis))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return length_except(weight, self.axis), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Let the weight be a length times a direction: w = g * v / norm(v).

    There is a length for each index along *dim*, which counts as in PyTorch (0: the outputs, also
    of a Linear), or with None one length. They are ``parametrizations.weight.original0``, the
    lengths, and ``original1``, the directions. A state with ``weight_g`` and ``weight_v`` is taken.

    Raises: MissingNameError when there is no such tensor, ArgumentError for a *dim* that it lacks.
    Source: Salimans & Kingma 2016.

    >>> layer = mi.nn.utils.parametrizations.weight_norm(mi.nn.Linear(3, 2))
    >>> layer.parametrizations["weight"].original0.shape
    (1, 2)
    """
    owner = "weight_norm"
    weight = tensor_of(owner, module, name)
    axis = None
    if dim is not None and dim != -1:
        axis = axis_of(owner, dim, weight.ndim, turned(module, name))
    register_parametrization(module, name, _WeightNorm(axis), unsafe=True)
    new = [f"parametrizations.{name}.original0", f"parametrizations.{name}.original1"]

    def rename(module: Module, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        old = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state for key in old):
            state.update({prefix + n: state.pop(o) for n, o in zip(new, old, strict=True)})

    module.register_load_state_dict_pre_hook(rename)
    return module


class _SpectralNorm(Module):
    """w / sigma(w), sigma the largest singular value of w as a matrix, by the power method."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, times: int, axis: int, eps: float) -> None:
        super().__init__()
        self.n_power_iterations, self.axis, self.eps = times, axis, eps
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), axis)
            place: dict[str, Any] = {"device": weight.device, "dtype": weight.dtype}
            for which, size in zip("uv", matrix.shape, strict=True):
                start = normalize(init.randn(size, **place), 2.0, 0, eps)
                self.register_buffer(f"_{which}", start)
            power_method(matrix, self._u, self._v, 15, eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, 2.0, 0, self.eps)
        matrix = as_matrix(weight, self.axis)
        if self.training:
            power_method(matrix.detach(), self._u, self._v, self.n_power_iterations, self.eps)
        u, v = self._u.clone(), self._v.clone()
        found: Tensor = weight / (u * (matrix @ v)).sum()
        return found

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide the weight by its largest singular value, as a matrix with the axis *dim* first.

    The value is approached by the power method: each reading of the weight in training makes
    *n_power_iterations* steps. *dim* counts as in PyTorch; None is the outputs. A vector is
    divided by its norm.

    Raises: MissingNameError when there is no such tensor, ArgumentError for a *dim* that it lacks.
    Source: Miyato et al. 2018.

    >>> layer = mi.nn.utils.parametrizations.spectral_norm(mi.nn.Linear(3, 2))
    >>> round(mi.linalg.matrix_norm(layer.weight, ord=2).item(), 2)
    1.0
    """
    owner = "spectral_norm"
    weight = tensor_of(owner, module, name)
    times = integer(owner, "n_power_iterations", n_power_iterations)
    axis = outputs_axis(module) if dim is None else dim
    axis = axis_of(owner, axis, weight.ndim, turned(module, name))
    norm = _SpectralNorm(weight, times, axis, real(owner, "eps", eps, low=0.0))
    return register_parametrization(module, name, norm)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Let the weight be a matrix with orthonormal columns, or rows where those are fewer.

    *orthogonal_map* makes it of the original: "matrix_exp" and "cayley" of a skew-symmetric
    matrix, "householder" as a product of reflections; None is matrix_exp for square matrices and
    householder for others. With *use_trivialization* a matrix ``base`` stands in front; it starts
    so that the weight is what it was, made orthogonal. More axes are a batch of matrices.

    Raises: MissingNameError when there is no such tensor, ArgumentError for another map or less
    than two axes.
    Source: Lezcano-Casado 2019.

    >>> layer = mi.nn.utils.parametrizations.orthogonal(mi.nn.Linear(3, 2))
    >>> (layer.weight.mT @ layer.weight).detach().numpy().round(3).tolist() == [[1, 0], [0, 1]]
    True
    """
    owner = "orthogonal"
    weight = tensor_of(owner, module, name)
    if weight.ndim < 2:
        raise ArgumentError(
            f"{owner}: {name} has shape {weight.shape}; expected a matrix, or a batch of them"
        )
    square = weight.shape[-1] == weight.shape[-2]
    chosen = orthogonal_map or ("matrix_exp" if square else "householder")
    if chosen not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            f"{owner}: orthogonal_map is {orthogonal_map!r}; expected one of 'matrix_exp', "
            "'cayley', 'householder'"
        )
    made = Orthogonal(weight.shape, chosen, turned(module, name), use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
