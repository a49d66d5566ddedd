"""Dropout: random zeros in training, of elements or of whole channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from minima import Generator, Tensor
from minima.errors import DTypeError

from . import functional as F
from .arguments import check_floating, flag, named, real
from .module import Module

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class RandomZeros(Module):
    """What the layers share: a function of `minima.nn.functional`, used in training alone.

    With p = 0 too the input is returned as it is and no random number is drawn. With *inplace* it
    is the input that changes, and that is returned.
    """

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self, p: float = 0.5, inplace: bool = False, *, generator: Generator | None = None
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.p = real(name, "p", p, low=0.0, high=1.0)
        self.inplace = flag(name, "inplace", inplace)
        if generator is not None and not isinstance(generator, Generator):
            raise DTypeError(f"{name}: generator is {generator!r}; expected a minima.Generator")
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        """Return x with random zeros in training, x in evaluation."""
        name = type(self).__name__
        check_floating(name, "input", x)
        function = type(self).function
        options = self.p, self.training, self.inplace
        return named(name, function, x, *options, generator=self.generator)

    def extra_repr(self) -> str:
        """Return the options."""
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(RandomZeros):
    """Set each element to 0 with probability *p* in training, and scale the rest by 1 / (1 - p).

    In evaluation, and with p = 0, the input is returned as it is and no random number is drawn.
    The numbers come from *generator*, or else from the default one of the input's device, which
    all threads share. With *inplace* the input itself changes.

    Shapes: x (*) -> (*).
    Raises: ArgumentError when p is not from 0 to 1, DTypeError when x is not floating.
    Source: Srivastava et al. 2014.

    >>> mi.nn.Dropout(1.0)(mi.ones(2))
    Tensor([0., 0.])
    >>> mi.nn.Dropout(0.5).eval()(mi.ones(2))
    Tensor([1., 1.])
    """

    function = staticmethod(F.dropout)


class Dropout1d(RandomZeros):
    """Set whole channels to 0 with probability *p* in training; see `Dropout`.

    Shapes: x (N, C, L) or (C, L) -> as x.
    Raises: ShapeError for another number of axes.

    >>> mi.nn.Dropout1d(1.0)(mi.ones((2, 3))).sum()
    Tensor(0.)
    """

    function = staticmethod(F.dropout1d)


class Dropout2d(RandomZeros):
    """Set whole channels to 0 with probability *p* in training; see `Dropout`.

    Shapes: x (N, C, H, W), or (N, C, L) as in `Dropout1d` -> as x.
    Raises: ShapeError for another number of axes.
    Source: Tompson et al. 2015.

    >>> mi.nn.Dropout2d(1.0)(mi.ones((1, 2, 3, 4))).sum()
    Tensor(0.)
    """

    function = staticmethod(F.dropout2d)


class Dropout3d(RandomZeros):
    """Set whole channels to 0 with probability *p* in training; see `Dropout`.

    Shapes: x (N, C, D, H, W) or (C, D, H, W) -> as x.
    Raises: ShapeError for another number of axes.

    >>> mi.nn.Dropout3d(1.0)(mi.ones((1, 2, 3, 4, 5))).sum()
    Tensor(0.)
    """

    function = staticmethod(F.dropout3d)


class AlphaDropout(RandomZeros):
    """Set elements, with probability *p* in training, to the value that SELU tends to.

    All are then scaled and moved so that mean 0 and variance 1 stay.

    Shapes: x (*) -> (*).
    Source: Klambauer et al. 2017.

    >>> mi.nn.AlphaDropout(0.5).eval()(mi.ones(2))
    Tensor([1., 1.])
    """

    function = staticmethod(F.alpha_dropout)


class FeatureAlphaDropout(RandomZeros):
    """Do with whole channels what `AlphaDropout` does with elements.

    Shapes: x (N, C, *) -> as x.
    Raises: ShapeError for fewer than two axes.

    >>> mi.nn.FeatureAlphaDropout(0.5).eval()(mi.ones((1, 2)))
    Tensor([[1., 1.]])
    """

    function = staticmethod(F.feature_alpha_dropout)
