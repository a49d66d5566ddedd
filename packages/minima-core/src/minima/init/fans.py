"""The numbers that schemes of initial values rest on: gains of nonlinearities, and fans."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt

from ..errors import ArgumentError, ShapeError
from ..explain import explained

__all__ = ["calculate_fans", "calculate_gain"]

#: of functions that keep the variance: 1; of the others the factor that makes up for it
_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": sqrt(2.0),
    "selu": 3.0 / 4.0,
    **dict.fromkeys((f"conv{n}d" for n in (1, 2, 3)), 1.0),
    **dict.fromkeys((f"conv_transpose{n}d" for n in (1, 2, 3)), 1.0),
}


@explained
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor of the standard deviation that suits *nonlinearity*.

    sqrt(2) for "relu", sqrt(2 / (1 + param**2)) for "leaky_relu" (*param*, its slope: 0.01 unless
    given), 5/3 for "tanh", 3/4 for "selu", 1 for "linear", "sigmoid" and the convolutions.

    Raises: ArgumentError for another name.
    Source: He et al. 2015.

    >>> import minima as mi
    >>> mi.init.calculate_gain("tanh")
    1.6666666666666667
    """
    return gain_of("calculate_gain", nonlinearity, 0.01 if param is None else param)


@explained
def gain_of(name: str, nonlinearity: str, slope: float = 0.0) -> float:
    """Return `calculate_gain` for the scheme *name*."""
    if nonlinearity == "leaky_relu":
        return sqrt(2.0 / (1.0 + slope**2))
    if nonlinearity not in _GAINS:
        known = ", ".join(["leaky_relu", *_GAINS])
        raise ArgumentError(f"{name}: got nonlinearity {nonlinearity!r}; expected one of {known}")
    return _GAINS[nonlinearity]


@explained
def fan_of(name: str, mode: str, fan_in: int, fan_out: int) -> int:
    """Return the fan that *mode* names."""
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{name}: got mode {mode!r}; expected 'fan_in' or 'fan_out'")
    return fan_in if mode == "fan_in" else fan_out


@explained
def calculate_fans(shape: Sequence[int], layout: str | None = None) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight of *shape*: values that meet in one output, and back.

    *layout* "in_out" is (in, out), as `nn.Linear` has it and what a matrix is taken for;
    "out_in" is (out, in, *kernel), as convolutions have it and what all else is taken for.

    Raises: ShapeError for fewer than two axes.

    >>> import minima as mi
    >>> mi.init.calculate_fans((3, 5)), mi.init.calculate_fans((8, 4, 3, 3))
    ((3, 5), (36, 72))
    """
    sizes = tuple(shape)
    if len(sizes) < 2:
        raise ShapeError(f"calculate_fans: got shape {sizes}; expected at least two axes")
    if layout not in (None, "in_out", "out_in"):
        raise ArgumentError(f"calculate_fans: got layout {layout!r}; expected 'in_out' or 'out_in'")
    field = prod(sizes[2:])
    first, second = sizes[0] * field, sizes[1] * field
    turned = layout == "in_out" or (layout is None and len(sizes) == 2)
    return (first, second) if turned else (second, first)
