"""Axes of weights as PyTorch counts them: `Linear.weight` is the transpose of PyTorch's."""

from __future__ import annotations

from operator import index
from typing import Any

from minima import Tensor, linalg, no_grad, normalize, permute_dims
from minima.errors import ArgumentError, DTypeError

from ..errors import MissingNameError
from ..linear import Linear
from ..module import Module
from ..transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = [
    "as_matrix",
    "axis_of",
    "length_except",
    "outputs_axis",
    "power_method",
    "tensor_of",
    "turned",
]


def tensor_of(owner: str, module: Module, name: str) -> Tensor:
    """Return the tensor *name* of *module*."""
    if not isinstance(module, Module):
        raise DTypeError(f"{owner}: module is a {type(module).__name__}; expected a Module")
    found = getattr(module, name, None)
    if not isinstance(found, Tensor):
        names = ", ".join(dict(module.named_parameters(recurse=False))) or "none"
        raise MissingNameError(
            f"{owner}: {type(module).__name__} has no tensor {name!r}; expected one of {names}"
        )
    return found


def turned(module: Module, name: str) -> bool:
    """Say whether the tensor *name* of *module* is the transpose of PyTorch's."""
    return isinstance(module, Linear) and name == "weight"


def axis_of(owner: str, dim: Any, ndim: int, turned: bool) -> int:
    """Return the axis of a tensor that is *dim* of PyTorch's."""
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise DTypeError(f"{owner}: dim is {dim!r}; expected an integer")
    axis = index(dim)
    if not -ndim <= axis < ndim:
        raise ArgumentError(
            f"{owner}: dim is {axis}; expected an axis of a tensor with {ndim}, from {-ndim} to "
            f"{ndim - 1}"
        )
    axis %= ndim
    return ndim - 1 - axis if turned else axis


def outputs_axis(module: Module) -> int:
    """Return the dim, as PyTorch counts, that is of the outputs of *module*."""
    return int(isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d))


def length_except(x: Tensor, axis: int | None) -> Tensor:
    """Return the norm of x over all axes but *axis*, which are kept; None: of all, a number."""
    if axis is None:
        return linalg.vector_norm(x)
    others = tuple(a for a in range(x.ndim) if a != axis)
    return linalg.vector_norm(x, axis=others, keepdims=True) if others else x.abs()


def as_matrix(weight: Tensor, axis: int) -> Tensor:
    """Return *weight* with *axis* first and all others as one."""
    others = [a for a in range(weight.ndim) if a != axis]
    return permute_dims(weight, (axis, *others)).reshape(weight.shape[axis], -1)


@no_grad()
def power_method(matrix: Tensor, u: Tensor, v: Tensor, times: int, eps: float) -> None:
    """Move u and v in place towards the first singular vectors of *matrix*."""
    for _ in range(times):
        u.copy_(normalize(matrix @ v, 2.0, 0, eps))
        v.copy_(normalize(matrix.mT @ u, 2.0, 0, eps))
