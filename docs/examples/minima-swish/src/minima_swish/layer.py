"""The layer."""

from typing import Any

import minima as mi
from minima import nn

__all__ = ["Swish"]


class Swish(nn.Module):
    """Multiply the input by its sigmoid, of a steepness that is learned.

    y = x * sigmoid(beta * x)

    Shapes: x (*) -> (*).
    Dtype: as x.
    Source: Ramachandran, Zoph & Le 2017, "Searching for activation functions".

    >>> mi.nn.Swish()(mi.Tensor([-2.0, 0.0, 2.0])).detach()
    Tensor([-0.238406,  0.      ,  1.761594])
    >>> mi.nn.Swish(beta=1.5)
    Swish(beta=1.5)
    """

    def __init__(self, beta: float = 1.0, *, device: Any = None, dtype: Any = "float32") -> None:
        super().__init__()
        self.beta = nn.Parameter(mi.Tensor([beta], dtype=dtype, device=device))

    def forward(self, x: mi.Tensor) -> mi.Tensor:
        """Return the output for *x*."""
        return x * mi.sigmoid(self.beta * x)

    def extra_repr(self) -> str:
        """Return what stands between the brackets of the layer's repr."""
        return f"beta={self.beta.item():g}"
