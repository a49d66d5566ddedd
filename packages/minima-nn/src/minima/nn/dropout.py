"""Dropout: random zeros in training."""

from __future__ import annotations

from minima import Tensor, init

from .arguments import check_floating, real
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """Set each element to 0 with probability *p* in training, and scale the rest by 1 / (1 - p).

    In evaluation, and with p = 0, the input is returned as it is and no random number is drawn.
    The numbers come from the default generator of the input's device.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when p is not from 0 to 1, DTypeError when x is not floating.
    Source: Srivastava et al. 2014.

    >>> mi.nn.Dropout(1.0)(mi.ones(2))
    Tensor([0., 0.])
    >>> mi.nn.Dropout(0.5).eval()(mi.ones(2))
    Tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = real("Dropout", "p", p, low=0.0, high=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Return x with random zeros in training, x in evaluation."""
        check_floating("Dropout", "input", x)
        if not self.training or self.p == 0.0:
            return x
        if self.p == 1.0:
            return x * 0.0
        keep = init.randb(*x.shape, p=1.0 - self.p, dtype=x.dtype, device=x.device)
        keep.mul_(1.0 / (1.0 - self.p))
        return x * keep

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p:g}"
