"""The methods of Tensor that move, order and accumulate elements; each only calls a function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from .explain import explained_methods

if TYPE_CHECKING:
    import numpy.typing as npt

    from . import operators as ops  # at run time `minima.tensor` puts it here, once it exists
    from .operators.cumulative import Extremes
    from .operators.sorting import Picked
    from .tensor import Tensor, TensorLike

__all__ = ["Arranging"]

Axis: TypeAlias = "int | Sequence[int] | None"


@explained_methods
class Arranging:
    """Base of Tensor: a method for each common function that moves, orders or accumulates."""

    __slots__ = ()

    # ---- statistics ------------------------------------------------------------------------------
    def prod(
        self, axis: Axis = None, keepdims: bool = False, *, dtype: npt.DTypeLike | None = None
    ) -> Tensor:
        """See `minima.prod`."""
        return ops.prod(self, axis, keepdims, dtype=dtype)  # type: ignore[arg-type]

    def std(self, axis: Axis = None, keepdims: bool = False, *, correction: float = 0) -> Tensor:
        """See `minima.std`."""
        return ops.std(self, axis, keepdims, correction=correction)  # type: ignore[arg-type]

    def median(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.median`."""
        return ops.median(self, axis, keepdims)  # type: ignore[arg-type]

    def quantile(
        self, q: float | Sequence[float], axis: Axis = None, keepdims: bool = False
    ) -> Tensor:
        """See `minima.quantile`."""
        return ops.quantile(self, q, axis, keepdims)  # type: ignore[arg-type]

    def nansum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.nansum`."""
        return ops.nansum(self, axis, keepdims)  # type: ignore[arg-type]

    def nanmean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.nanmean`."""
        return ops.nanmean(self, axis, keepdims)  # type: ignore[arg-type]

    # ---- accumulation ----------------------------------------------------------------------------
    def cumsum(self, axis: int | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
        """See `minima.cumsum`."""
        return ops.cumsum(self, axis, dtype=dtype)  # type: ignore[arg-type]

    def cumprod(self, axis: int | None = None, *, dtype: npt.DTypeLike | None = None) -> Tensor:
        """See `minima.cumprod`."""
        return ops.cumprod(self, axis, dtype=dtype)  # type: ignore[arg-type]

    def cummax(self, axis: int = -1) -> Extremes:
        """See `minima.cummax`."""
        return ops.cummax(self, axis)  # type: ignore[arg-type]

    def cummin(self, axis: int = -1) -> Extremes:
        """See `minima.cummin`."""
        return ops.cummin(self, axis)  # type: ignore[arg-type]

    def logcumsumexp(self, axis: int = -1) -> Tensor:
        """See `minima.logcumsumexp`."""
        return ops.logcumsumexp(self, axis)  # type: ignore[arg-type]

    def diff(self, axis: int = -1, n: int = 1) -> Tensor:
        """See `minima.diff`."""
        return ops.diff(self, axis=axis, n=n)  # type: ignore[arg-type]

    # ---- order -----------------------------------------------------------------------------------
    def sort(self, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
        """See `minima.sort`; returns the values alone, as NumPy's function does."""
        return ops.sort(self, axis=axis, descending=descending, stable=stable)  # type: ignore[arg-type]

    def argsort(self, axis: int = -1, *, descending: bool = False, stable: bool = True) -> Tensor:
        """See `minima.argsort`."""
        return ops.argsort(self, axis=axis, descending=descending, stable=stable)

    def topk(self, k: int, axis: int = -1, *, largest: bool = True, sorted: bool = True) -> Picked:
        """See `minima.topk`."""
        return ops.topk(self, k, axis, largest=largest, sorted=sorted)  # type: ignore[arg-type]

    def kthvalue(self, k: int, axis: int = -1, keepdims: bool = False) -> Picked:
        """See `minima.kthvalue`."""
        return ops.kthvalue(self, k, axis, keepdims)  # type: ignore[arg-type]

    # ---- places ----------------------------------------------------------------------------------
    def flip(self, axis: Axis = None) -> Tensor:
        """See `minima.flip`."""
        return ops.flip(self, axis=axis)  # type: ignore[arg-type]

    def roll(self, shift: int | Sequence[int], axis: Axis = None) -> Tensor:
        """See `minima.roll`."""
        return ops.roll(self, shift, axis=axis)  # type: ignore[arg-type]

    def repeat(self, repeats: int | TensorLike, *, axis: int | None = None) -> Tensor:
        """See `minima.repeat`: each element is repeated, as in NumPy; `tile` repeats the whole.

        The axis is given by name, since PyTorch's ``t.repeat(2, 1)`` is ``t.tile((2, 1))``.
        """
        return ops.repeat(self, repeats, axis=axis)  # type: ignore[arg-type]

    def tile(self, repetitions: int | Sequence[int]) -> Tensor:
        """See `minima.tile`."""
        return ops.tile(self, repetitions)  # type: ignore[arg-type]

    def ravel(self) -> Tensor:
        """See `minima.ravel`."""
        return ops.ravel(self)  # type: ignore[arg-type]

    def unflatten(self, axis: int, sizes: Sequence[int]) -> Tensor:
        """See `minima.unflatten`."""
        return ops.unflatten(self, axis, sizes)  # type: ignore[arg-type]

    def unsqueeze(self, axis: int) -> Tensor:
        """See `minima.expand_dims`."""
        return ops.unsqueeze(self, axis)  # type: ignore[arg-type]

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """See `minima.swapaxes`."""
        return ops.swapaxes(self, axis1, axis2)  # type: ignore[arg-type]

    def moveaxis(self, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
        """See `minima.moveaxis`."""
        return ops.moveaxis(self, source, destination)  # type: ignore[arg-type]

    def narrow(self, axis: int, start: int, length: int) -> Tensor:
        """See `minima.narrow`."""
        return ops.narrow(self, axis, start, length)  # type: ignore[arg-type]

    def split(self, sizes: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
        """See `minima.split`."""
        return ops.split(self, sizes, axis)  # type: ignore[arg-type]

    def chunk(self, chunks: int, axis: int = 0) -> tuple[Tensor, ...]:
        """See `minima.chunk`."""
        return ops.chunk(self, chunks, axis)  # type: ignore[arg-type]

    def unbind(self, axis: int = 0) -> tuple[Tensor, ...]:
        """See `minima.unstack`."""
        return ops.unstack(self, axis=axis)  # type: ignore[arg-type]

    def unstack(self, axis: int = 0) -> tuple[Tensor, ...]:
        """See `minima.unstack`."""
        return ops.unstack(self, axis=axis)  # type: ignore[arg-type]

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """See `minima.diagonal`."""
        return ops.diagonal(self, offset, axis1, axis2)
