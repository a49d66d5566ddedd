"""Initial values whose pattern follows from the shape: identities, orthogonal and sparse ones."""

from __future__ import annotations

from math import erf, prod, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from ..devices import Device
from ..dtypes import FLOAT32, as_dtype
from ..errors import ArgumentError, ShapeError
from ..explain import explained
from ..operators.creation import made
from ..random import Generator
from ..tensor import Tensor
from .draws import Place, _sizes, _source

__all__ = ["dirac", "eye", "orthogonal", "sparse", "trunc_normal"]


def _placed(
    values: npt.NDArray[Any], dtype: npt.DTypeLike, device: Place, requires_grad: bool
) -> Tensor:
    out = made(np.ascontiguousarray(values).astype(as_dtype(dtype)), device)
    return out.requires_grad_() if requires_grad else out


def _place(generator: Generator | None, device: Place) -> str | Device | None:
    return device if generator is None else generator.device


def _normal(shape: tuple[int, ...], generator: Generator | None, device: Place) -> npt.NDArray[Any]:
    drawn = _source(generator, device).normal(shape, dtype=np.dtype("float64"))
    return np.array(drawn.numpy())


@explained
def trunc_normal(
    *shape: int,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers from the normal distribution, those outside of a ... b drawn again.

    Raises: ArgumentError unless a < b, or where the interval is too far out to be drawn.

    >>> import minima as mi
    >>> bool(mi.all(mi.abs(mi.init.trunc_normal(100, std=5.0)) <= 2.0))
    True
    """
    sizes = _sizes(shape)
    if not a < b:
        raise ArgumentError(f"trunc_normal: got a = {a}, b = {b}; expected a < b")
    if not std > 0.0 or not _share(mean, std, a, b) >= 1e-3:
        raise ArgumentError(
            f"trunc_normal: hardly any number of mean {mean} and std {std} lies between {a} and {b}"
        )
    found = np.empty(prod(sizes))
    filled = 0
    while filled < found.size:
        drawn = mean + std * _normal((max(16, 2 * (found.size - filled)),), generator, device)
        drawn = drawn[(drawn >= a) & (drawn <= b)][: found.size - filled]
        found[filled : filled + drawn.size] = drawn
        filled += drawn.size
    return _placed(found.reshape(sizes), dtype, _place(generator, device), requires_grad)


def _share(mean: float, std: float, a: float, b: float) -> float:
    """Return the share of the normal distribution that lies between *a* and *b*."""
    return (erf((b - mean) / (std * sqrt(2))) - erf((a - mean) / (std * sqrt(2)))) / 2


@explained
def eye(
    *shape: int,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return ones on the diagonal of a matrix, zeros elsewhere.

    Raises: ShapeError for another number of axes than two.

    >>> import minima as mi
    >>> mi.init.eye(2, 3)
    Tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    sizes = _sizes(shape)
    if len(sizes) != 2:
        raise ShapeError(f"eye: got shape {sizes}; expected two axes")
    return _placed(np.eye(*sizes), dtype, device, requires_grad)


@explained
def dirac(
    *shape: int,
    groups: int = 1,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return a kernel (out, in, *kernel) that passes channels on: a one at the middle of each.

    Raises: ShapeError unless there are three to five axes; ArgumentError for groups that do not
    divide the first.

    >>> import minima as mi
    >>> mi.init.dirac(1, 1, 3).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    sizes = _sizes(shape)
    if not 3 <= len(sizes) <= 5:
        raise ShapeError(f"dirac: got shape {sizes}; expected three to five axes")
    if groups < 1 or sizes[0] % groups:
        raise ArgumentError(
            f"dirac: got {groups} groups for {sizes[0]} channels; expected a divisor"
        )
    values = np.zeros(sizes)
    each = sizes[0] // groups
    middle = tuple(n // 2 for n in sizes[2:])
    for group in range(groups):
        for channel in range(min(each, sizes[1])):
            values[(group * each + channel, channel, *middle)] = 1.0
    return _placed(values, dtype, device, requires_grad)


@explained
def orthogonal(
    *shape: int,
    gain: float = 1.0,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return a matrix with orthonormal rows or columns, whichever are fewer, times *gain*.

    Axes after the first are taken together.

    Raises: ShapeError for fewer than two axes.
    Source: Saxe et al. 2013.

    >>> import minima as mi
    >>> q = mi.init.orthogonal(2, 3, dtype="float64", generator=mi.Generator(0))
    >>> np.allclose((q @ q.T).numpy(), np.eye(2))
    True
    """
    sizes = _sizes(shape)
    if len(sizes) < 2:
        raise ShapeError(f"orthogonal: got shape {sizes}; expected at least two axes")
    rows, columns = sizes[0], prod(sizes[1:])
    drawn = _normal((rows, columns), generator, device)
    q, r = np.linalg.qr(drawn.T if rows < columns else drawn)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # or the distribution were not uniform
    values = gain * (q.T if rows < columns else q)
    return _placed(values.reshape(sizes), dtype, _place(generator, device), requires_grad)


@explained
def sparse(
    *shape: int,
    sparsity: float,
    std: float = 0.01,
    device: Place = None,
    dtype: npt.DTypeLike = FLOAT32,
    requires_grad: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """Return normal numbers, of which in each column a share *sparsity* is 0, rounded up.

    Raises: ShapeError for another number of axes than two; ArgumentError for a share outside of
    0 ... 1.
    Source: Martens 2010.

    >>> import minima as mi
    >>> (mi.init.sparse(4, 3, sparsity=0.5).numpy() == 0).sum(0).tolist()
    [2, 2, 2]
    """
    sizes = _sizes(shape)
    if len(sizes) != 2:
        raise ShapeError(f"sparse: got shape {sizes}; expected two axes")
    if not 0.0 <= sparsity <= 1.0:
        raise ArgumentError(f"sparse: got sparsity {sparsity}; expected a share from 0 to 1")
    values = std * _normal(sizes, generator, device)
    source = _source(generator, device)
    for column in range(sizes[1]):
        order = np.asarray(source.permutation(sizes[0]))
        values[order[: int(np.ceil(sparsity * sizes[0]))], column] = 0.0
    return _placed(values, dtype, _place(generator, device), requires_grad)
