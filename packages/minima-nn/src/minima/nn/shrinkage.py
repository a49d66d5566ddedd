"""Activations that pull x towards 0, or hold it within limits."""

from __future__ import annotations

from minima.errors import ArgumentError

from . import functional as F
from .activations import Activation, Overwriting

__all__ = [
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
]


class Hardshrink(Activation):
    """Apply y = x where abs(x) > *lambd*, else 0.

    Shapes: x (*) -> (*).
    Gradient: 0 at the limits.

    >>> mi.nn.Hardshrink()(mi.Tensor([-1.0, 0.25]))
    Tensor([-1.,  0.])
    """

    function = staticmethod(F.hardshrink)
    options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = self.number("lambd", lambd)


class Softshrink(Activation):
    """Apply y = x moved towards 0 by *lambd*, and 0 where that passes it.

    Shapes: x (*) -> (*).
    Gradient: 0 at the limits. Raises: ArgumentError for a negative *lambd*.

    >>> mi.nn.Softshrink()(mi.Tensor([-1.0, 0.25]))
    Tensor([-0.5,  0. ])
    """

    function = staticmethod(F.softshrink)
    options = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = self.number("lambd", lambd, low=0.0)


class Tanhshrink(Activation):
    """Apply y = x - tanh(x).

    Shapes: x (*) -> (*).

    >>> mi.nn.Tanhshrink()(mi.Tensor([0.0, 1.0]))
    Tensor([0.      , 0.238406])
    """

    function = staticmethod(F.tanhshrink)


class Softsign(Activation):
    """Apply y = x / (1 + abs(x)).

    Shapes: x (*) -> (*).

    >>> mi.nn.Softsign()(mi.Tensor([-1.0, 3.0]))
    Tensor([-0.5 ,  0.75])
    """

    function = staticmethod(F.softsign)


class Hardtanh(Overwriting):
    """Apply y = x, limited to [*min_val*, *max_val*].

    Shapes: x (*) -> (*).
    Gradient: 0 at the limits. Raises: ArgumentError unless min_val < max_val.

    >>> mi.nn.Hardtanh()(mi.Tensor([-2.0, 0.5]))
    Tensor([-1. ,  0.5])
    """

    function = staticmethod(F.hardtanh)
    options = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.min_val = self.number("min_val", min_val)
        self.max_val = self.number("max_val", max_val)
        if not self.min_val < self.max_val:
            raise ArgumentError(
                f"Hardtanh: min_val is {min_val}, max_val {max_val}; expected min_val < max_val"
            )


class Hardsigmoid(Overwriting):
    """Apply y = x / 6 + 1 / 2, limited to [0, 1].

    Shapes: x (*) -> (*).
    Gradient: 0 at the limits.

    >>> mi.nn.Hardsigmoid()(mi.Tensor([-4.0, 0.0, 4.0]))
    Tensor([0. , 0.5, 1. ])
    """

    function = staticmethod(F.hardsigmoid)


class Hardswish(Overwriting):
    """Apply y = x * hardsigmoid(x).

    Shapes: x (*) -> (*).
    Gradient: 0 at -3, 1 at 3. Source: Howard et al. 2019.

    >>> mi.nn.Hardswish()(mi.Tensor([-4.0, 1.0, 4.0]))
    Tensor([0.      , 0.666667, 4.      ])
    """

    function = staticmethod(F.hardswish)


class Threshold(Overwriting):
    """Apply y = x where x > *threshold*, else *value*.

    Shapes: x (*) -> (*).
    Gradient: 0 at the threshold.

    >>> mi.nn.Threshold(2.0, -5.0)(mi.Tensor([1.0, 3.0]))
    Tensor([-5.,  3.])
    """

    function = staticmethod(F.threshold)
    options = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = self.number("threshold", threshold)
        self.value = self.number("value", value)
