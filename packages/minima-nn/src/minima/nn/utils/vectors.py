"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from minima import Tensor, concat, no_grad
from minima.errors import ArgumentError, DTypeError, ShapeError

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all elements of *parameters* along one axis, in their order.

    Gradient: flows to the parameters. Raises: ArgumentError for no parameters.

    >>> mi.nn.utils.parameters_to_vector([mi.ones((2, 1)), mi.zeros(1)])
    Tensor([1., 1., 0.])
    """
    flat = [p.reshape(-1) for p in parameters]
    if not flat:
        raise ArgumentError("parameters_to_vector: no parameters; expected at least one")
    return concat(flat, axis=0)


@no_grad()
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Copy the elements of *vec* into *parameters*, in their order.

    Raises: DTypeError when *vec* is no Tensor, ShapeError unless it has one axis and as many
    elements as all parameters.

    >>> weight = mi.nn.Parameter([[0.0], [0.0]])
    >>> mi.nn.utils.vector_to_parameters(mi.Tensor([1.0, 2.0]), [weight])
    >>> weight.tolist()
    [[1.0], [2.0]]
    """
    targets = list(parameters)
    if not isinstance(vec, Tensor):
        raise DTypeError(f"vector_to_parameters: vec is a {type(vec).__name__}; expected a Tensor")
    size = sum(p.size for p in targets)
    if vec.shape != (size,):
        raise ShapeError(
            f"vector_to_parameters: vec has shape {vec.shape}; expected ({size},), a number for "
            "each element of the parameters"
        )
    start = 0
    for p in targets:
        p.copy_(vec[start : start + p.size].reshape(p.shape))
        start += p.size
