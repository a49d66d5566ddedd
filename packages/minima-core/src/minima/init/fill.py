"""Schemes that fill a Tensor in place, by PyTorch's names: those of `minima.init` with ``_``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..autograd.mode import set_grad_enabled
from ..errors import DTypeError
from ..explain import explained
from ..random import Generator
from ..tensor import Tensor
from . import draws, shaped
from .fans import calculate_fans

__all__ = [
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=Tensor)


def _fill(name: str, tensor: T, scheme: Callable[..., Tensor], **options: Any) -> T:
    """Write what *scheme* gives for the shape, dtype and device of *tensor* into it."""
    if not isinstance(tensor, Tensor):
        raise DTypeError(f"{name}: got a {type(tensor).__name__}; expected a Tensor to fill")
    values = scheme(*tensor.shape, dtype=tensor.dtype, device=tensor.device, **options)
    with set_grad_enabled(False):
        tensor.copy_(values)
    return tensor


def _fanned(
    name: str, tensor: T, scheme: Callable[..., Tensor], layout: str | None, **options: Any
) -> T:
    """Write what *scheme* gives for the fans of *tensor*."""

    def sized(*shape: int, **more: Any) -> Tensor:
        return scheme(*calculate_fans(shape, layout), shape=shape, **more)

    return _fill(name, tensor, sized, **options)


@explained
def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> T:
    """Fill *tensor* with uniform numbers from a to b; return it.

    >>> import minima as mi
    >>> bool(mi.all(mi.init.uniform_(mi.empty(9), 1.0, 2.0) >= 1.0))
    True
    """
    return _fill("uniform_", tensor, draws.rand, low=a, high=b, generator=generator)


@explained
def normal_(
    tensor: T, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> T:
    """Fill *tensor* with normal numbers; return it.

    >>> import minima as mi
    >>> mi.init.normal_(mi.empty(2, dtype="float64"), 3.0, 0.0)
    Tensor([3., 3.], dtype=float64)
    """
    return _fill("normal_", tensor, draws.randn, mean=mean, std=std, generator=generator)


@explained
def trunc_normal_(
    tensor: T,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> T:
    """Fill *tensor* with normal numbers between a and b (see `trunc_normal`); return it.

    >>> import minima as mi
    >>> bool(mi.all(mi.init.trunc_normal_(mi.empty(9), a=0.0) >= 0.0))
    True
    """
    options = {"mean": mean, "std": std, "a": a, "b": b, "generator": generator}
    return _fill("trunc_normal_", tensor, shaped.trunc_normal, **options)


@explained
def constant_(tensor: T, val: float) -> T:
    """Fill *tensor* with *val*; return it.

    >>> import minima as mi
    >>> mi.init.constant_(mi.empty(2), 0.5)
    Tensor([0.5, 0.5])
    """
    return _fill("constant_", tensor, draws.constant, c=val)


@explained
def ones_(tensor: T) -> T:
    """Fill *tensor* with ones; return it.

    >>> import minima as mi
    >>> mi.init.ones_(mi.empty(2))
    Tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


@explained
def zeros_(tensor: T) -> T:
    """Fill *tensor* with zeros; return it.

    >>> import minima as mi
    >>> mi.init.zeros_(mi.empty(2))
    Tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


@explained
def eye_(tensor: T) -> T:
    """Make the matrix *tensor* the identity; return it.

    >>> import minima as mi
    >>> mi.init.eye_(mi.empty((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return _fill("eye_", tensor, shaped.eye)


@explained
def dirac_(tensor: T, groups: int = 1) -> T:
    """Make *tensor*, a convolution's weight, pass its channels on (see `dirac`); return it.

    >>> import minima as mi
    >>> mi.init.dirac_(mi.empty((1, 1, 3))).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    return _fill("dirac_", tensor, shaped.dirac, groups=groups)


@explained
def xavier_uniform_(
    tensor: T,
    gain: float = 1.0,
    generator: Generator | None = None,
    *,
    layout: str | None = None,
) -> T:
    """Fill *tensor* with uniform numbers of variance 2 * gain**2 / (fan_in + fan_out); return it.

    Fans are those of `calculate_fans`, for *layout*.

    >>> import minima as mi
    >>> bool(mi.all(mi.abs(mi.init.xavier_uniform_(mi.empty((3, 3)))) <= 1.0))
    True
    """
    options = {"gain": gain, "generator": generator}
    return _fanned("xavier_uniform_", tensor, draws.xavier_uniform, layout, **options)


@explained
def xavier_normal_(
    tensor: T,
    gain: float = 1.0,
    generator: Generator | None = None,
    *,
    layout: str | None = None,
) -> T:
    """Fill *tensor* with normal numbers of variance 2 * gain**2 / (fan_in + fan_out); return it.

    Fans are those of `calculate_fans`, for *layout*.

    >>> import minima as mi
    >>> mi.init.xavier_normal_(mi.empty((3, 3)), gain=0.0).tolist()[0]
    [0.0, 0.0, 0.0]
    """
    options = {"gain": gain, "generator": generator}
    return _fanned("xavier_normal_", tensor, draws.xavier_normal, layout, **options)


@explained
def kaiming_uniform_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
    *,
    layout: str | None = None,
) -> T:
    """Fill *tensor* with uniform numbers of variance gain**2 / fan; return it.

    Fans are those of `calculate_fans`, for *layout*; the gain is `calculate_gain`'s, with slope a.

    >>> import minima as mi
    >>> bool(mi.all(mi.abs(mi.init.kaiming_uniform_(mi.empty((6, 2)))) <= 1.0))
    True
    """
    options = {"a": a, "mode": mode, "nonlinearity": nonlinearity, "generator": generator}
    return _fanned("kaiming_uniform_", tensor, draws.kaiming_uniform, layout, **options)


@explained
def kaiming_normal_(
    tensor: T,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
    *,
    layout: str | None = None,
) -> T:
    """Fill *tensor* with normal numbers of variance gain**2 / fan; return it.

    Fans are those of `calculate_fans`, for *layout*; the gain is `calculate_gain`'s, with slope a.

    >>> import minima as mi
    >>> mi.init.kaiming_normal_(mi.empty((6, 2))).shape
    (6, 2)
    """
    options = {"a": a, "mode": mode, "nonlinearity": nonlinearity, "generator": generator}
    return _fanned("kaiming_normal_", tensor, draws.kaiming_normal, layout, **options)


@explained
def orthogonal_(tensor: T, gain: float = 1.0, generator: Generator | None = None) -> T:
    """Make the rows or columns of *tensor* orthonormal, times gain (see `orthogonal`); return it.

    >>> import minima as mi
    >>> q = mi.init.orthogonal_(mi.empty((2, 2), dtype="float64"))
    >>> round(abs(float(mi.linalg.det(q))), 6)
    1.0
    """
    return _fill("orthogonal_", tensor, shaped.orthogonal, gain=gain, generator=generator)


@explained
def sparse_(tensor: T, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> T:
    """Fill *tensor* with normal numbers and, in each column, a share of zeros; return it.

    >>> import minima as mi
    >>> int((mi.init.sparse_(mi.empty((4, 1)), 0.75) == 0).sum())
    3
    """
    options = {"sparsity": sparsity, "std": std, "generator": generator}
    return _fill("sparse_", tensor, shaped.sparse, **options)
