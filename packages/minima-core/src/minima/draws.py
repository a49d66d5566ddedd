"""Random tensors by the names that NumPy and PyTorch give them: what `minima.random` offers.

All are drawn by the device's generator, or by *generator*: equal seeds give equal numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import operators
from .autograd.mode import TAPE
from .dtypes import FLOAT32, INT64, as_dtype, float_for
from .errors import ArgumentError, ShapeError
from .explain import explained
from .init.draws import Place, _sizes, _source, rand, randn
from .random import Generator
from .tensor import Tensor, TensorLike, as_tensor

__all__ = [
    "bernoulli",
    "choice",
    "exponential",
    "multinomial",
    "normal",
    "permutation",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "uniform",
]

Size = int | Sequence[int] | None


def _shape(size: Any) -> tuple[int, ...]:
    if size is None:
        return ()
    return _sizes(tuple(size) if isinstance(size, tuple | list) else (size,))


# ---- floating numbers ----------------------------------------------------------------------------
@explained
def rand_like(x: TensorLike, *, generator: Generator | None = None) -> Tensor:
    """Return numbers from the uniform distribution on [0, 1), in shape, dtype and place of x.

    >>> import minima as mi
    >>> mi.random.rand_like(mi.zeros((2, 3))).shape
    (2, 3)
    """
    t = as_tensor(x)
    return _source(generator, t.device).uniform(t.shape, dtype=t.dtype)


@explained
def randn_like(x: TensorLike, *, generator: Generator | None = None) -> Tensor:
    """Return numbers from the normal distribution, in shape, dtype and place of x.

    >>> import minima as mi
    >>> mi.random.randn_like(mi.zeros((2, 3))).shape
    (2, 3)
    """
    t = as_tensor(x)
    return _source(generator, t.device).normal(t.shape, dtype=t.dtype)


@explained
def uniform(
    low: TensorLike = 0.0,
    high: TensorLike = 1.0,
    size: Size = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers from [low, high), all equally likely, as NumPy's function of the name.

    Shapes: *size*, or that which *low* and *high* broadcast to. Dtype: theirs, float32 unless they
    are tensors, if not given. Gradient: to *low* and *high* with the numbers drawn held.

    >>> import minima as mi
    >>> mi.random.uniform(-1.0, 1.0, (2, 3)).shape
    (2, 3)
    """
    a, b = _described(low), _described(high)
    draws, shape, kind = _spread(a, b, size, dtype, device, generator)
    out: Tensor = a + (b - a) * draws.uniform(shape, dtype=kind)
    return out


@explained
def normal(
    mean: TensorLike = 0.0,
    std: TensorLike = 1.0,
    size: Size = None,
    *,
    dtype: npt.DTypeLike | None = None,
    device: Place = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers from the normal distribution, as PyTorch's function of the name.

    Shapes: *size*, or that which *mean* and *std* broadcast to. Dtype: theirs, float32 unless they
    are tensors, if not given. Gradient: to *mean* and *std* with the numbers drawn held.

    >>> import minima as mi
    >>> mi.random.normal(1.0, 0.1, (2, 3)).shape
    (2, 3)
    """
    a, b = _described(mean), _described(std)
    draws, shape, kind = _spread(a, b, size, dtype, device, generator)
    out: Tensor = a + b * draws.normal(shape, dtype=kind)
    return out


def _described(value: Any) -> Any:
    """Return a number as it is, for it widens nothing, and all else as a Tensor."""
    return value if isinstance(value, int | float) else as_tensor(value)


def _spread(
    a: Any, b: Any, size: Size, dtype: Any, device: Place, generator: Generator | None
) -> tuple[Generator, tuple[int, ...], Any]:
    """Return generator, shape and dtype of what *a* and *b*, numbers or tensors, describe."""
    tensors = [t for t in (a, b) if isinstance(t, Tensor)]
    place = device if device is not None or not tensors else tensors[0].device
    kind: Any = FLOAT32
    if dtype is not None:
        kind = as_dtype(dtype)
    elif tensors:
        kind = float_for(operators.broadcast_arrays(*tensors)[0].dtype)
    shape = np.broadcast_shapes(*(t.shape for t in tensors))
    return _source(generator, place), shape if size is None else _shape(size), kind


@explained
def exponential(
    scale: float = 1.0,
    size: Size = None,
    *,
    dtype: npt.DTypeLike = FLOAT32,
    device: Place = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return numbers of at least 0 with the density exp(-x / scale) / scale.

    Raises: ArgumentError for a negative *scale*.

    >>> import minima as mi
    >>> mi.random.exponential(2.0, 3).shape
    (3,)
    """
    if scale < 0:
        raise ArgumentError(f"exponential: got scale={scale}; expected at least 0")
    draws = _source(generator, device).uniform(_shape(size), dtype=dtype)
    return operators.log1p(-draws) * -scale


@explained
def bernoulli(
    p: TensorLike, size: Size = None, *, generator: Generator | None = None, device: Place = None
) -> Tensor:
    """Return 1 with probability *p*, one or one for each element, else 0.

    Shapes: that of *p*, or *size*. Dtype: that of *p*; float32 for integers and numbers of Python.
    Gradient: none.
    Raises: ArgumentError for a *p* outside of 0 .. 1.

    >>> import minima as mi
    >>> mi.random.bernoulli(mi.Tensor([0.0, 1.0]))
    Tensor([0., 1.])
    """
    t = as_tensor(p, device=device).detach()
    kind = float_for(t.dtype) if isinstance(p, Tensor | np.ndarray) else FLOAT32
    if TAPE.get() is None and t.size:
        values = t.numpy()
        if not bool(((values >= 0) & (values <= 1)).all()):
            raise ArgumentError(
                f"bernoulli: got p from {values.min()} to {values.max()}; "
                "expected probabilities from 0 to 1"
            )
    shape = t.shape if size is None else _shape(size)
    drawn = np.dtype("float64" if t.dtype.itemsize == 8 else "float32")
    return operators.less(_source(generator, t.device).uniform(shape, dtype=drawn), t).astype(kind)


# ---- integers and orders -------------------------------------------------------------------------
@explained
def randint(
    low: int,
    high: Any = None,
    size: Size = None,
    *,
    dtype: npt.DTypeLike = INT64,
    device: Place = None,
    generator: Generator | None = None,
) -> Tensor:
    """Return integers from low, ..., high - 1, or from 0, ..., low - 1, all equally likely.

    ``randint(10, (2, 3))`` is as ``randint(0, 10, (2, 3))``.
    Raises: ArgumentError where there is none.

    >>> import minima as mi
    >>> mi.random.randint(5, 6, (3,))
    Tensor([5, 5, 5])
    """
    if isinstance(high, tuple | list):
        high, size = None, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise ArgumentError(f"randint: got low {low}, high {high}; expected low < high")
    return _source(generator, device).integers(low, high, _shape(size)).astype(dtype)


@explained
def randperm(n: int, *, device: Place = None, generator: Generator | None = None) -> Tensor:
    """Return 0, ..., n - 1 in random order.

    Dtype: int64.

    >>> import minima as mi
    >>> sorted(mi.random.randperm(4).tolist())
    [0, 1, 2, 3]
    """
    if n < 0:
        raise ArgumentError(f"randperm: got {n}; expected at least 0")
    draws = _source(generator, device)
    return draws._tensor(lambda: draws._source.permutation(n), INT64)


@explained
def permutation(
    x: TensorLike | int, axis: int = 0, *, generator: Generator | None = None
) -> Tensor:
    """Return x in random order along *axis*; for a number n as `randperm`. x itself stays.

    Gradient: to where each element came from.

    >>> import minima as mi
    >>> sorted(mi.random.permutation(mi.Tensor([3.0, 1.0, 2.0])).tolist())
    [1.0, 2.0, 3.0]
    """
    if isinstance(x, int):
        return randperm(x, generator=generator)
    t = as_tensor(x)
    if not t.ndim:
        raise ShapeError("permutation: got a tensor of shape (); expected at least one axis")
    order = randperm(t.shape[axis], device=t.device, generator=generator)
    return operators.take(t, order, axis=axis)


@explained
def multinomial(
    weights: TensorLike,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return indices, each drawn with a probability that is its share of the *weights* of its row.

    Without *replacement* an index comes once at most. Shapes: (n,) -> (num_samples,), (m, n) ->
    (m, num_samples). Dtype: int64. Gradient: none. The weights are looked at.
    Raises: ShapeError for other axes; ArgumentError for weights that are negative, not finite or 0
    throughout, and for more samples than there are weights above 0.

    >>> import minima as mi
    >>> mi.random.multinomial(mi.Tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    Tensor([1, 1])
    """
    t = as_tensor(weights).detach()
    if t.ndim not in (1, 2):
        raise ShapeError(f"multinomial: got weights of shape {t.shape}; expected (n,) or (m, n)")
    if num_samples < 0:
        raise ArgumentError(f"multinomial: got {num_samples} samples; expected at least 0")
    t = t.astype("float64")
    if TAPE.get() is None:
        _check_weights(t.numpy(), 1 if replacement else num_samples)
    draws = _source(generator, t.device)
    if not replacement:  # the first of exponential clocks that run as fast as the weights say
        clocks = -operators.log1p(-draws.uniform(t.shape, dtype="float64"))
        times = operators.where(t == 0, float("inf"), clocks / operators.where(t == 0, 1.0, t))
        return operators.topk(times, num_samples, largest=False).indices
    rows = t if t.ndim == 2 else t.reshape(1, -1)
    found = []
    for row in operators.unstack(rows):
        ends = operators.cumulative_sum(row, axis=0)
        at = draws.uniform((num_samples,), dtype="float64") * ends[-1]
        last = operators.searchsorted(ends, ends[-1])
        found.append(operators.minimum(operators.searchsorted(ends, at, side="right"), last))
    if not found:
        return operators.zeros((0, num_samples), dtype=INT64, device=t.device)
    return operators.stack(found) if t.ndim == 2 else found[0]


def _check_weights(values: npt.NDArray[Any], least: int) -> None:
    if not bool((np.isfinite(values) & (values >= 0)).all()):
        raise ArgumentError("multinomial: got a weight that is negative or not finite")
    there = (values > 0).sum(-1).min(initial=values.shape[-1])
    if there < least:
        raise ArgumentError(
            f"multinomial: got {there} weights above 0 in a row; expected at least {least}: "
            "draw fewer samples, or with replacement=True"
        )


@explained
def choice(
    a: TensorLike | int,
    size: Size = None,
    replace: bool = True,
    p: TensorLike | None = None,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return elements of *a*, whose one axis they are drawn from; for a number n of 0, ..., n - 1.

    Without *replace* each comes once at most. *p*: their probabilities, equal unless given.
    Raises: ShapeError unless *a* has one axis; ArgumentError where there are too few.

    >>> import minima as mi
    >>> mi.random.choice(mi.Tensor([5.0, 7.0]), 3, p=[0.0, 1.0])
    Tensor([7., 7., 7.])
    """
    t = operators.arange(a) if isinstance(a, int) else as_tensor(a)
    if t.ndim != 1 or not t.size:
        raise ShapeError(f"choice: got shape {t.shape}; expected one axis, with elements")
    shape = _shape(size)
    count = int(np.prod(shape))
    if not replace and count > t.size:
        raise ArgumentError(f"choice: got {count} of {t.size} without replacement; expected fewer")
    if p is not None:
        index = multinomial(as_tensor(p, device=t.device), count, replace, generator=generator)
    elif replace:
        index = _source(generator, t.device).integers(0, t.size, (count,))
    else:
        index = randperm(t.size, device=t.device, generator=generator)[:count]
    return operators.take(t, index, axis=0).reshape(shape)
