"""Random and constant tensors to start from, each from a generator and on a device.

Sizes are given one by one: ``rand(2, 3)``. *generator* defaults to the device's own; *dtype* to
float32. Schemes named after their authors return ``(fan_in, fan_out)`` unless *shape* is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import operators
from ..devices import Device
from ..dtypes import FLOAT32
from ..errors import ArgumentError, DTypeError
from ..explain import explained
from ..operators.creation import full
from ..random import Generator, default_generator
from ..tensor import Tensor, TensorLike, as_tensor
from .fans import fan_of, gain_of

__all__ = [
    "constant",
    "kaiming_normal",
    "kaiming_uniform",
    "one_hot",
    "ones",
    "rand",
    "randb",
    "randn",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

Place = str | Device | None


@explained
def rand(
    *shape: int,
    low: float = 0.0,
    high: float = 1.0,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers from the uniform distribution on [low, high).

    >>> import minima as mi
    >>> mi.init.rand(2, 3, generator=mi.Generator(0)).shape
    (2, 3)
    """
    out = _source(generator, device).uniform(_sizes(shape), low, high, dtype)
    return out.requires_grad_() if requires_grad else out


@explained
def randn(
    *shape: int,
    mean: float = 0.0,
    std: float = 1.0,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers from the normal distribution.

    >>> import minima as mi
    >>> mi.init.randn(2, 3, generator=mi.Generator(0)).shape
    (2, 3)
    """
    out = _source(generator, device).normal(_sizes(shape), mean, std, dtype)
    return out.requires_grad_() if requires_grad else out


@explained
def randb(
    *shape: int,
    p: float = 0.5,
    device: Place = None,
    dtype: npt.DTypeLike = "bool",
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return True, or 1 in another dtype, with probability *p*, else False.

    >>> import minima as mi
    >>> mi.init.randb(4, p=1.0)
    Tensor([ True,  True,  True,  True])
    """
    out = _source(generator, device).bernoulli(_sizes(shape), p, dtype)
    return out.requires_grad_() if requires_grad else out


@explained
def constant(
    *shape: int,
    c: float = 1.0,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return *c* everywhere; *generator* is there so that all schemes are called alike.

    >>> import minima as mi
    >>> mi.init.constant(2, c=0.5)
    Tensor([0.5, 0.5])
    """
    return full(_sizes(shape), c, dtype=dtype, device=device, requires_grad=requires_grad)


@explained
def ones(*shape: int, **options: Any) -> Tensor:
    """Return ones; options as `constant`.

    >>> import minima as mi
    >>> mi.init.ones(2)
    Tensor([1., 1.])
    """
    return constant(*shape, c=1.0, **options)


@explained
def zeros(*shape: int, **options: Any) -> Tensor:
    """Return zeros; options as `constant`.

    >>> import minima as mi
    >>> mi.init.zeros(2)
    Tensor([0., 0.])
    """
    return constant(*shape, c=0.0, **options)


@explained
def one_hot(
    n: int,
    i: TensorLike,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return rows of *n* with a 1 at each index of *i*, which may be whole floats.

    Raises: DTypeError for an index that is not whole, IndexRangeError outside of 0 .. n - 1.

    >>> import minima as mi
    >>> mi.init.one_hot(2, mi.Tensor([0.0, 1.0]))
    Tensor([[1., 0.],
            [0., 1.]])
    """
    given = as_tensor(i, device=device, operation="one_hot").detach()
    if given.dtype.kind == "f":
        whole = given.astype(np.int64)
        if bool(operators.any(operators.not_equal(whole, given))):
            raise DTypeError("one_hot: got an index that is not whole; expected class numbers")
        given = whole
    out = operators.one_hot(given, n, dtype)
    return out.requires_grad_() if requires_grad else out


@explained
def xavier_uniform(
    fan_in: int,
    fan_out: int,
    gain: float = 1.0,
    *,
    shape: Sequence[int] | None = None,
    **options: Any,
) -> Tensor:
    """Return uniform numbers of variance 2 * gain**2 / (fan_in + fan_out).

    Source: Glorot & Bengio 2010. Options as `rand`.

    >>> import minima as mi
    >>> mi.init.xavier_uniform(3, 5).shape
    (3, 5)
    """
    bound = gain * sqrt(6.0 / _positive("xavier_uniform", fan_in + fan_out))
    return rand(*(shape or (fan_in, fan_out)), low=-bound, high=bound, **options)


@explained
def xavier_normal(
    fan_in: int,
    fan_out: int,
    gain: float = 1.0,
    *,
    shape: Sequence[int] | None = None,
    **options: Any,
) -> Tensor:
    """Return normal numbers of variance 2 * gain**2 / (fan_in + fan_out).

    Source: Glorot & Bengio 2010. Options as `randn`.

    >>> import minima as mi
    >>> mi.init.xavier_normal(3, 5).shape
    (3, 5)
    """
    std = gain * sqrt(2.0 / _positive("xavier_normal", fan_in + fan_out))
    return randn(*(shape or (fan_in, fan_out)), std=std, **options)


@explained
def kaiming_uniform(
    fan_in: int,
    fan_out: int,
    nonlinearity: str = "relu",
    *,
    shape: Sequence[int] | None = None,
    mode: str = "fan_in",
    a: float = 0.0,
    **options: Any,
) -> Tensor:
    """Return uniform numbers of variance gain**2 / fan_in, with gain sqrt(2) for "relu".

    *mode* "fan_out" takes that fan; *a* is the slope of "leaky_relu" (see `calculate_gain`).
    Source: He et al. 2015. Options as `rand`.

    >>> import minima as mi
    >>> mi.init.kaiming_uniform(3, 5).shape
    (3, 5)
    """
    fan = _positive("kaiming_uniform", fan_of("kaiming_uniform", mode, fan_in, fan_out))
    bound = gain_of("kaiming_uniform", nonlinearity, a) * sqrt(3.0 / fan)
    return rand(*(shape or (fan_in, fan_out)), low=-bound, high=bound, **options)


@explained
def kaiming_normal(
    fan_in: int,
    fan_out: int,
    nonlinearity: str = "relu",
    *,
    shape: Sequence[int] | None = None,
    mode: str = "fan_in",
    a: float = 0.0,
    **options: Any,
) -> Tensor:
    """Return normal numbers of variance gain**2 / fan_in, with gain sqrt(2) for "relu".

    *mode* "fan_out" takes that fan; *a* is the slope of "leaky_relu" (see `calculate_gain`).
    Source: He et al. 2015. Options as `randn`.

    >>> import minima as mi
    >>> mi.init.kaiming_normal(3, 5).shape
    (3, 5)
    """
    fan = _positive("kaiming_normal", fan_of("kaiming_normal", mode, fan_in, fan_out))
    std = gain_of("kaiming_normal", nonlinearity, a) / sqrt(fan)
    return randn(*(shape or (fan_in, fan_out)), std=std, **options)


def _positive(name: str, fan: int) -> int:
    if fan < 1:
        raise ArgumentError(f"{name}: got a fan of {fan}; expected at least 1")
    return fan


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the sizes given one by one or as one sequence."""
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    if any(not hasattr(n, "__index__") or n < 0 for n in sizes):
        raise ArgumentError(f"init: got sizes {sizes}; expected integers of at least 0")
    return tuple(int(n) for n in sizes)


def _source(generator: Generator | None, device: Place) -> Generator:
    if generator is None:
        return default_generator(device)
    if device is not None and str(generator.device) != str(device):
        raise ArgumentError(
            f"init: the generator is on {generator.device}, the device asked for is {device}; "
            "expected the same"
        )
    return generator
