"""Activations: layers that act on each element, straight where x is large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy.typing as npt

from minima import Generator, Tensor, gelu, relu, sigmoid, tanh
from minima.devices import Device
from minima.errors import ArgumentError, DTypeError
from minima.init import constant, constant_

from . import functional as F
from .arguments import check_choice, check_floating, flag, integer, named, real
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "LeakyReLU",
    "LogSigmoid",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Tanh",
]


class Activation(Module):
    """What activations share: a function of `minima.nn.functional`, and numbers that it takes."""

    #: the function, and the attributes that follow x in its call
    function: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()

    def number(self, name: str, value: Any, **limits: float) -> float:
        """Return *value* if it is a number within *limits*."""
        return real(type(self).__name__, name, value, **limits)

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of x."""
        name = type(self).__name__
        check_floating(name, "input", x)
        return named(name, type(self).function, x, *(getattr(self, n) for n in self.options))

    def extra_repr(self) -> str:
        """Return the numbers."""
        return ", ".join(f"{n}={getattr(self, n)}" for n in self.options)


class Overwriting(Activation):
    """What those share that may overwrite their input, which then becomes the result: *inplace*."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = flag(type(self).__name__, "inplace", inplace)

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of x."""
        name = type(self).__name__
        check_floating(name, "input", x)
        options = (getattr(self, n) for n in self.options)
        return named(name, type(self).function, x, *options, inplace=self.inplace)

    def extra_repr(self) -> str:
        """Return the numbers, and whether it overwrites."""
        numbers = super().extra_repr()
        return ", ".join(filter(None, [numbers, "inplace=True" if self.inplace else ""]))


def _check_tensor(layer: str, x: Any) -> None:
    """Raise DTypeError unless *x* is a Tensor, of integers too."""
    if not isinstance(x, Tensor):
        check_floating(layer, "input", x)


class ReLU(Overwriting):
    """Apply y = max(x, 0); with *inplace* x becomes y.

    Shapes: x (*) -> (*).
    Gradient: 0 at x = 0.

    >>> mi.nn.ReLU()(mi.Tensor([-1.0, 2.0]))
    Tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return max(x, 0)."""
        _check_tensor("ReLU", x)
        return x.relu_() if self.inplace else relu(x)


class Sigmoid(Module):
    """Apply y = 1 / (1 + e**-x), without overflow at large abs(x).

    Shapes: x (*) -> (*).

    >>> mi.nn.Sigmoid()(mi.Tensor([0.0, 1e4]))
    Tensor([0.5, 1. ])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 / (1 + e**-x)."""
        _check_tensor("Sigmoid", x)
        return sigmoid(x)


class Tanh(Module):
    """Apply y = tanh(x).

    Shapes: x (*) -> (*).

    >>> mi.nn.Tanh()(mi.Tensor([0.0, 1e4]))
    Tensor([0., 1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        _check_tensor("Tanh", x)
        return tanh(x)


class GELU(Module):
    """Apply y = x * P(X <= x), X normal; with *approximate* "tanh" the usual approximation.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when *approximate* is neither "none" nor "tanh".
    Source: Hendrycks & Gimpel 2016.

    >>> mi.nn.GELU(approximate="tanh")(mi.Tensor([0.0, 100.0]))
    Tensor([  0., 100.])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = check_choice("GELU", "approximate", approximate, ("none", "tanh"))

    def forward(self, x: Tensor) -> Tensor:
        """Return gelu(x)."""
        _check_tensor("GELU", x)
        return gelu(x, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Return the option."""
        return f"approximate={self.approximate!r}"


class ReLU6(Overwriting):
    """Apply y = min(max(x, 0), 6).

    Shapes: x (*) -> (*).
    Gradient: 0 at 0 and 6.

    >>> mi.nn.ReLU6()(mi.Tensor([-1.0, 3.0, 8.0]))
    Tensor([0., 3., 6.])
    """

    function = staticmethod(F.relu6)


class LeakyReLU(Overwriting):
    """Apply y = x where x > 0, else *negative_slope* * x.

    Shapes: x (*) -> (*).
    Gradient: the slope at 0.

    >>> mi.nn.LeakyReLU()(mi.Tensor([-10.0, 2.0]))
    Tensor([-0.1,  2. ])
    """

    function = staticmethod(F.leaky_relu)
    options = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = self.number("negative_slope", negative_slope)


class ELU(Overwriting):
    """Apply y = x where x > 0, else *alpha* * (e**x - 1).

    Shapes: x (*) -> (*).
    Gradient: alpha at 0.
    Source: Clevert, Unterthiner & Hochreiter 2016.

    >>> mi.nn.ELU()(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.632121,  2.      ])
    """

    function = staticmethod(F.elu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = self.number("alpha", alpha)


class CELU(Overwriting):
    """Apply y = x where x > 0, else *alpha* * (e**(x / alpha) - 1).

    Shapes: x (*) -> (*).
    Raises: ArgumentError for an alpha of 0.
    Source: Barron 2017.

    >>> mi.nn.CELU(2.0)(mi.Tensor([-1.0, 2.0]))
    Tensor([-0.786939,  2.      ])
    """

    function = staticmethod(F.celu)
    options = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = self.number("alpha", alpha)
        if not self.alpha:
            raise ArgumentError("CELU: alpha is 0; expected another number")


class SELU(Overwriting):
    """Apply y = 1.0507 * ELU(x, 1.6733), which keeps mean 0 and variance 1.

    Shapes: x (*) -> (*).
    Source: Klambauer et al. 2017.

    >>> mi.nn.SELU()(mi.Tensor([-1.0, 2.0]))
    Tensor([-1.111331,  2.101402])
    """

    function = staticmethod(F.selu)


class SiLU(Overwriting):
    """Apply y = x * sigmoid(x).

    Shapes: x (*) -> (*).
    Source: Elfwing, Uchibe & Doya 2017.

    >>> mi.nn.SiLU()(mi.Tensor([-1.0, 0.0]))
    Tensor([-0.268941,  0.      ])
    """

    function = staticmethod(F.silu)


class Mish(Overwriting):
    """Apply y = x * tanh(softplus(x)).

    Shapes: x (*) -> (*).
    Source: Misra 2019.

    >>> mi.nn.Mish()(mi.Tensor([-1.0, 0.0]))
    Tensor([-0.303401,  0.      ])
    """

    function = staticmethod(F.mish)


class Softplus(Activation):
    """Apply y = log(1 + e**(*beta* * x)) / beta, and x where beta * x > *threshold*.

    Shapes: x (*) -> (*).
    Raises: ArgumentError for a beta of 0.

    >>> mi.nn.Softplus()(mi.Tensor([0.0, 100.0]))
    Tensor([  0.693147, 100.      ])
    """

    function = staticmethod(F.softplus)
    options = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = self.number("beta", beta)
        self.threshold = self.number("threshold", threshold)
        if not self.beta:
            raise ArgumentError("Softplus: beta is 0; expected another number")


class LogSigmoid(Activation):
    """Apply y = log(1 / (1 + e**-x)), exact where the share itself would be 0.

    Shapes: x (*) -> (*).

    >>> mi.nn.LogSigmoid()(mi.Tensor([-1000.0, 0.0]))
    Tensor([-1.000000e+03, -6.931472e-01])
    """

    function = staticmethod(F.logsigmoid)


class PReLU(Module):
    """Apply y = x where x > 0, else weight * x, the slope being learned.

    There is one slope, or one for each of *num_parameters* channels, axis 1; each starts as *init*.

    Shapes: x (N, C, *) -> as x, with one slope (*); weight (num_parameters,).
    Gradient: that of weight * x at 0.
    Raises: ShapeError when x has another number of channels.
    Source: He et al. 2015.

    >>> mi.nn.PReLU()(mi.Tensor([-4.0, 2.0])).detach()
    Tensor([-1.,  2.])
    """

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        self.num_parameters = integer("PReLU", "num_parameters", num_parameters)
        self.init = real("PReLU", "init", init)
        values = constant(self.num_parameters, c=self.init, device=device, dtype=dtype)
        self.weight = Parameter(values)

    def reset_parameters(self) -> None:
        """Set every slope to what it was at first.

        >>> mi.nn.PReLU().reset_parameters()
        """
        constant_(self.weight, self.init)

    def forward(self, x: Tensor) -> Tensor:
        """Return x, its negative elements scaled."""
        check_floating("PReLU", "input", x)
        return named("PReLU", F.prelu, x, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(Overwriting):
    """Apply y = x where x > 0, else a * x, a drawn for each element from [lower, upper).

    In evaluation a is the middle one. The numbers come from *generator*, or else from the default
    one of the input's device.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when lower > upper.
    Source: Xu et al. 2015.

    >>> mi.nn.RReLU(0.25, 0.75).eval()(mi.Tensor([-4.0, 2.0]))
    Tensor([-2.,  2.])
    """

    options = ("lower", "upper")

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        inplace: bool = False,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(inplace)
        self.lower, self.upper = self.number("lower", lower), self.number("upper", upper)
        if self.lower > self.upper:
            raise ArgumentError(f"RReLU: lower is {lower}, upper {upper}; expected lower <= upper")
        if generator is not None and not isinstance(generator, Generator):
            raise DTypeError(f"RReLU: generator is {generator!r}; expected a minima.Generator")
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Return x, its negative elements scaled."""
        check_floating("RReLU", "input", x)
        options = self.lower, self.upper, self.training, self.inplace
        return F.rrelu(x, *options, generator=self.generator)
