"""Gradients kept small: by the norm of all of them, or each number by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minima import Tensor, isfinite, linalg, minimum, no_grad, stack, zeros
from minima.errors import ArgumentError, DTypeError
from minima.quiet import quietly

from ..arguments import real

__all__ = ["clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _tensors(owner: str, given: Any) -> list[Tensor]:
    """Return *given*, a Tensor or several, as a list."""
    found = [given] if isinstance(given, Tensor) else given
    if not isinstance(found, Iterable):
        raise DTypeError(f"{owner}: got a {type(given).__name__}; expected Tensors")
    found = list(found)
    for tensor in found:
        if not isinstance(tensor, Tensor):
            raise DTypeError(f"{owner}: got a {type(tensor).__name__}; expected Tensors")
    return found


def _gradients(owner: str, parameters: Any) -> list[Tensor]:
    return [p.grad for p in _tensors(owner, parameters) if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Return the norm of all elements of *tensors*, as if they were one vector.

    *norm_type* is the order, inf for the largest size. *foreach* is taken and changes nothing.

    Raises: ArgumentError when the norm is not finite and *error_if_nonfinite*.

    >>> mi.nn.utils.get_total_norm([mi.Tensor([3.0]), mi.Tensor([[4.0]])])
    Tensor(5.)
    """
    return _total(
        "get_total_norm", _tensors("get_total_norm", tensors), norm_type, error_if_nonfinite
    )


def _total(owner: str, tensors: list[Tensor], norm_type: float, strict: bool) -> Tensor:
    order = real(owner, "norm_type", norm_type)
    if not tensors:
        return zeros(())
    first = tensors[0]
    norms = [linalg.vector_norm(t, ord=order).to(first.device) for t in tensors]
    total = linalg.vector_norm(stack([n.astype(norms[0].dtype) for n in norms]), ord=order)
    if strict and not bool(isfinite(total).item()):
        raise ArgumentError(
            f"{owner}: the norm of the gradients is {total.item()}; expected a finite one, as "
            "error_if_nonfinite is True"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Multiply gradients by max_norm / (total_norm + 1e-6) in place, unless that is over 1.

    *total_norm* is what `get_total_norm` returned.

    >>> weight = mi.nn.Parameter([0.0])
    >>> weight.grad = mi.Tensor([10.0])
    >>> mi.nn.utils.clip_grads_with_norm_(weight, 1.0, mi.Tensor(10.0))
    >>> weight.grad
    Tensor([1.])
    """
    owner = "clip_grads_with_norm_"
    _scale(_gradients(owner, parameters), real(owner, "max_norm", max_norm), total_norm)


def _scale(gradients: list[Tensor], max_norm: float, total: Tensor) -> None:
    factor = minimum(max_norm / (total + 1e-6), 1.0)
    with quietly():  # an infinity times 0, where the norm is infinite
        for g in gradients:
            g.mul_(factor.to(g.device).astype(g.dtype))


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of *parameters* in place so that their norm is *max_norm* at most.

    The norm is that of all gradients together, as `get_total_norm` gives it; it is returned.
    *foreach* is taken and changes nothing.

    Raises: ArgumentError when the norm is not finite and *error_if_nonfinite*; nothing is changed.

    >>> weight = mi.nn.Parameter([0.0, 0.0])
    >>> weight.grad = mi.Tensor([3.0, 4.0])
    >>> mi.nn.utils.clip_grad_norm_(weight, 1.0)
    Tensor(5.)
    >>> weight.grad
    Tensor([0.6, 0.8])
    """
    owner = "clip_grad_norm_"
    gradients, limit = _gradients(owner, parameters), real(owner, "max_norm", max_norm)
    total = _total(owner, gradients, norm_type, error_if_nonfinite)
    _scale(gradients, limit, total)
    return total


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Bring each number of the gradients of *parameters* into +-clip_value, in place.

    >>> weight = mi.nn.Parameter([0.0, 0.0])
    >>> weight.grad = mi.Tensor([3.0, -0.5])
    >>> mi.nn.utils.clip_grad_value_(weight, 1.0)
    >>> weight.grad
    Tensor([ 1. , -0.5])
    """
    limit = real("clip_grad_value_", "clip_value", clip_value)
    for g in _gradients("clip_grad_value_", parameters):
        g.copy_(g.clip(-limit, limit))
