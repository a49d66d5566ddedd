"""Modules that pass on, add or reshape: Identity, Residual, Flatten, Unflatten."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from operator import index
from typing import Any

from minima import Tensor
from minima.errors import ArgumentError, DTypeError, ShapeError

from .module import Module

__all__ = ["Flatten", "Identity", "Residual", "Unflatten"]


class Residual(Module):
    """Add what a module makes of the input to the input: y = x + fn(x).

    Shapes: x (*) -> (*), which fn has to keep.
    Raises: DTypeError when *fn* cannot be called, ShapeError when it changes the shape.
    Source: He et al. 2015.

    >>> mi.nn.Residual(mi.nn.ReLU())(mi.Tensor([-1.0, 2.0]))
    Tensor([-1.,  4.])
    """

    def __init__(self, fn: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        if not callable(fn):
            raise DTypeError(f"Residual: fn is {fn!r}; expected a Module or a function")
        self.fn = fn

    def forward(self, x: Tensor) -> Tensor:
        """Return x + fn(x)."""
        y = self.fn(x)
        if y.shape != x.shape:
            raise ShapeError(
                f"Residual: fn made {y.shape} of an input of shape {x.shape}; expected equal shapes"
            )
        return x + y


class Identity(Module):
    """Return the input as it is; arguments of the constructor are taken and ignored.

    Shapes: x (*) -> (*).

    >>> mi.nn.Identity()(mi.Tensor([1.0]))
    Tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Any) -> Any:
        """Return x."""
        return x


class Flatten(Module):
    """Make one axis of the axes *start_dim* to *end_dim*, both included.

    Shapes: x (N, *) -> (N, product of *) as it stands.
    Raises: ArgumentError when end_dim comes before start_dim, ShapeError when x has no such axis.

    >>> mi.nn.Flatten()(mi.ones((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        for name, value in (("start_dim", start_dim), ("end_dim", end_dim)):
            if isinstance(value, bool) or not hasattr(value, "__index__"):
                raise DTypeError(f"Flatten: {name} is {value!r}; expected an integer")
        self.start_dim, self.end_dim = index(start_dim), index(end_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with the axes made one."""
        if not isinstance(x, Tensor):
            raise DTypeError(f"Flatten: input is a {type(x).__name__}; expected a Tensor")
        first, last = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not (0 <= first < x.ndim and 0 <= last < x.ndim):
            raise ShapeError(
                f"Flatten: input has shape {x.shape}; expected one with the axes "
                f"start_dim={self.start_dim} and end_dim={self.end_dim}"
            )
        if last < first:
            raise ArgumentError(
                f"Flatten: end_dim={self.end_dim} comes before start_dim={self.start_dim} in an "
                f"input of shape {x.shape}; expected it behind or equal"
            )
        shape = x.shape
        return x.reshape((*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :]))

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Make several axes of the axis *dim*, of the sizes *unflattened_size*; one may be -1.

    Shapes: x (*, product of the sizes, *) -> (*, *unflattened_size, *).
    Raises: ArgumentError for sizes that are none, ShapeError when x has no such axis or the sizes
    do not make up its size.

    >>> mi.nn.Unflatten(1, (3, -1))(mi.ones((2, 12))).shape
    (2, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if isinstance(dim, bool) or not hasattr(dim, "__index__"):
            raise DTypeError(f"Unflatten: dim is {dim!r}; expected an integer")
        self.dim = index(dim)
        self.unflattened_size = _sizes(unflattened_size)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with the axis made several."""
        if not isinstance(x, Tensor):
            raise DTypeError(f"Unflatten: input is a {type(x).__name__}; expected a Tensor")
        at = self.dim + x.ndim if self.dim < 0 else self.dim
        if not 0 <= at < x.ndim:
            raise ShapeError(
                f"Unflatten: input has shape {x.shape}; expected one with the axis dim={self.dim}"
            )
        size, new = x.shape[at], list(self.unflattened_size)
        known = prod(n for n in new if n != -1)
        if -1 in new and known:
            new[new.index(-1)] = size // known
        if -1 in new or prod(new) != size:
            raise ShapeError(
                f"Unflatten: input has shape {x.shape}, of size {size} along dim={self.dim}; "
                f"expected sizes whose product that is, unflattened_size is "
                f"{self.unflattened_size}"
            )
        return x.reshape((*x.shape[:at], *new, *x.shape[at + 1 :]))

    def extra_repr(self) -> str:
        """Return the options."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


def _sizes(given: Any) -> tuple[int, ...]:
    if not isinstance(given, tuple | list):
        raise DTypeError(f"Unflatten: unflattened_size is {given!r}; expected a tuple of integers")
    for size in given:
        if isinstance(size, bool) or not hasattr(size, "__index__"):
            raise DTypeError(
                f"Unflatten: unflattened_size is {given!r}; expected a tuple of integers"
            )
    sizes = tuple(index(n) for n in given)
    if not sizes or any(n < -1 for n in sizes) or sizes.count(-1) > 1:
        raise ArgumentError(
            f"Unflatten: unflattened_size is {given!r}; expected sizes of 0 or more, at most one "
            "of them -1"
        )
    return sizes
