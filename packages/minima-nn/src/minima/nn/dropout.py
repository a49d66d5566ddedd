"""Dropout: random zeros in training."""

from __future__ import annotations

from minima import Generator, Tensor, init
from minima.errors import DTypeError

from .arguments import check_floating, real
from .module import Module

__all__ = ["Dropout", "dropout"]


def dropout(x: Tensor, p: float, generator: Generator | None = None) -> Tensor:
    """Return x with elements set to 0 with probability *p*, and the rest scaled by 1 / (1 - p).

    >>> dropout(mi.ones(2), 0.0)
    Tensor([1., 1.])
    """
    if p == 0.0:
        return x
    if p == 1.0:
        return x * 0.0
    kept = 1.0 - p
    place = None if generator is not None else x.device
    mask = init.randb(*x.shape, p=kept, dtype=x.dtype, device=place, generator=generator)
    return x * mask.mul_(1.0 / kept)


class Dropout(Module):
    """Set each element to 0 with probability *p* in training, and scale the rest by 1 / (1 - p).

    In evaluation, and with p = 0, the input is returned as it is and no random number is drawn.
    The numbers come from *generator*, or else from the default one of the input's device, which
    all threads share.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when p is not from 0 to 1, DTypeError when x is not floating.
    Source: Srivastava et al. 2014.

    >>> mi.nn.Dropout(1.0)(mi.ones(2))
    Tensor([0., 0.])
    >>> mi.nn.Dropout(0.5).eval()(mi.ones(2))
    Tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, *, generator: Generator | None = None) -> None:
        super().__init__()
        self.p = real("Dropout", "p", p, low=0.0, high=1.0)
        if generator is not None and not isinstance(generator, Generator):
            raise DTypeError(f"Dropout: generator is {generator!r}; expected a minima.Generator")
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Return x with random zeros in training, x in evaluation."""
        check_floating("Dropout", "input", x)
        return dropout(x, self.p, self.generator) if self.training else x

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p:g}"
