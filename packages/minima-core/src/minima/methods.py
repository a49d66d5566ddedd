"""The methods of Tensor that only call an operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from .arranging import Arranging
from .autograd.mode import TAPE
from .changing import Changing
from .errors import DTypeError
from .explain import explained_methods
from .forwarding import Forwarding

if TYPE_CHECKING:
    import numpy.typing as npt

    from . import operators as ops  # at run time `minima.tensor` puts it here, once it exists
    from .dtypes import DType
    from .tensor import Tensor, TensorLike

__all__ = ["Axis", "Methods"]

Axis: TypeAlias = "int | Sequence[int] | None"


@explained_methods
class Methods(Arranging, Changing, Forwarding):
    """Base of Tensor: arithmetic, comparisons, and a method for each common operator."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def dtype(self) -> DType: ...  # noqa: D102

    # ---- arithmetic ------------------------------------------------------------------------------
    def __add__(self, other: TensorLike) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: TensorLike) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: TensorLike) -> Tensor:
        return ops.subtract(self, other)

    def __rsub__(self, other: TensorLike) -> Tensor:
        return ops.subtract(other, self)

    def __mul__(self, other: TensorLike) -> Tensor:
        return ops.multiply(self, other)

    def __rmul__(self, other: TensorLike) -> Tensor:
        return ops.multiply(other, self)

    def __truediv__(self, other: TensorLike) -> Tensor:
        return ops.divide(self, other)

    def __rtruediv__(self, other: TensorLike) -> Tensor:
        return ops.divide(other, self)

    def __floordiv__(self, other: TensorLike) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: TensorLike) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: TensorLike) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: TensorLike) -> Tensor:
        return ops.remainder(other, self)

    def __divmod__(self, other: TensorLike) -> tuple[Tensor, Tensor]:
        return ops.floor_divide(self, other), ops.remainder(self, other)

    def __rdivmod__(self, other: TensorLike) -> tuple[Tensor, Tensor]:
        return ops.floor_divide(other, self), ops.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        kind = self.dtype.kind
        whole = type(other) is int and kind != "b"
        if whole or (kind == "f" and isinstance(other, float)):
            return ops.power_scalar(self, other)
        return ops.power(self, other)

    def __rpow__(self, other: TensorLike) -> Tensor:
        return ops.power(other, self)

    def __matmul__(self, other: TensorLike) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: TensorLike) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __pos__(self) -> Tensor:
        return ops.copy(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        if not ndigits:
            return ops.round(self)
        if self.dtype.kind != "f":
            raise DTypeError(
                f"round: got {self.dtype} and {ndigits} digits; expected real numbers: use .astype"
            )
        scale = 10.0**ndigits
        return ops.divide(ops.round(ops.multiply(self, scale)), scale)

    def __invert__(self) -> Tensor:
        return ops.bitwise_invert(self)

    def __and__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_and(other, self)

    def __or__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_xor(other, self)

    def __lshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_left_shift(self, other)

    def __rlshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_left_shift(other, self)

    def __rshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_right_shift(self, other)

    def __rrshift__(self, other: TensorLike) -> Tensor:
        return ops.bitwise_right_shift(other, self)

    # ---- comparison ------------------------------------------------------------------------------
    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return NotImplemented if other is None else ops.equal(self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return NotImplemented if other is None else ops.not_equal(self, other)

    def __lt__(self, other: TensorLike) -> Tensor:
        return ops.less(self, other)

    def __le__(self, other: TensorLike) -> Tensor:
        return ops.less_equal(self, other)

    def __gt__(self, other: TensorLike) -> Tensor:
        return ops.greater(self, other)

    def __ge__(self, other: TensorLike) -> Tensor:
        return ops.greater_equal(self, other)

    # ---- elementwise -----------------------------------------------------------------------------
    def exp(self) -> Tensor:
        """See `minima.exp`."""
        return ops.exp(self)

    def log(self) -> Tensor:
        """See `minima.log`."""
        return ops.log(self)

    def sqrt(self) -> Tensor:
        """See `minima.sqrt`."""
        return ops.sqrt(self)

    def abs(self) -> Tensor:
        """See `minima.abs`."""
        return ops.abs(self)

    def tanh(self) -> Tensor:
        """See `minima.tanh`."""
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        """See `minima.sigmoid`."""
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        """See `minima.relu`."""
        return ops.relu(self)

    def clip(self, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
        """See `minima.clip`."""
        return ops.clip(self, min=min, max=max)  # type: ignore[arg-type]

    clamp = clip

    def conj(self) -> Tensor:
        """See `minima.conj`."""
        return ops.conj(self)  # type: ignore[arg-type]

    @property
    def real(self) -> Tensor:
        """The real parts; see `minima.real`."""
        return ops.real(self)

    @property
    def imag(self) -> Tensor:
        """The imaginary parts; see `minima.imag`."""
        return ops.imag(self)

    # ---- reductions ------------------------------------------------------------------------------
    def sum(
        self,
        axis: Axis = None,
        keepdims: bool = False,
        *,
        axes: Axis = None,
        dtype: npt.DTypeLike | None = None,
    ) -> Tensor:
        """See `minima.sum`; *axes* is another name of *axis*."""
        chosen = axis if axes is None else axes
        return ops.sum(self, chosen, keepdims, dtype=dtype)  # type: ignore[arg-type]

    def mean(self, axis: Axis = None, keepdims: bool = False, *, axes: Axis = None) -> Tensor:
        """See `minima.mean`; *axes* is another name of *axis*."""
        return ops.mean(self, axis if axes is None else axes, keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False, *, correction: float = 0) -> Tensor:
        """See `minima.var`."""
        return ops.var(self, axis, keepdims, correction=correction)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.max`."""
        return ops.max(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.min`."""
        return ops.min(self, axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """See `minima.argmax`."""
        return ops.argmax(self, axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """See `minima.argmin`."""
        return ops.argmin(self, axis, keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.all`."""
        return ops.all(self, axis, keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.any`."""
        return ops.any(self, axis, keepdims)

    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """See `minima.logsumexp`."""
        return ops.logsumexp(self, axis, keepdims)

    def softmax(self, axis: int = -1) -> Tensor:
        """See `minima.softmax`."""
        return ops.softmax(self, axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """See `minima.log_softmax`."""
        return ops.log_softmax(self, axis)

    # ---- shape -----------------------------------------------------------------------------------
    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """See `minima.reshape`; the sizes may be given one by one."""
        return ops.reshape(self, _sizes(shape))  # type: ignore[arg-type]

    def broadcast_to(self, *shape: int | Sequence[int]) -> Tensor:
        """See `minima.broadcast_to`; the sizes may be given one by one."""
        return ops.broadcast_to(self, _sizes(shape))

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """See `minima.operators.transpose`; the axes may be given one by one."""
        return ops.transpose(self, _sizes(axes) or None)  # type: ignore[arg-type]

    def permute(self, *axes: int | Sequence[int]) -> Tensor:
        """See `minima.permute_dims`; the axes may be given one by one."""
        return ops.permute_dims(self, _sizes(axes))

    def expand_dims(self, axis: int | Sequence[int] = 0) -> Tensor:
        """See `minima.expand_dims`."""
        return ops.expand_dims(self, axis)  # type: ignore[arg-type]

    def squeeze(self, axis: Axis = None) -> Tensor:
        """See `minima.squeeze`."""
        return ops.squeeze(self, axis)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """See `minima.operators.flatten`."""
        return ops.flatten(self, start_dim, end_dim)  # type: ignore[arg-type]

    # ---- parts -----------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Tensor:
        if TAPE.get() is not None:
            ops.indices.seen_once(index)
        try:
            return ops.getitem(self, index)
        except ops.indices.Deeper as error:
            device = error.device
        same = device.adopt("getitem", self)  # for the whole batch
        return ops.getitem(same, index)

    def take(self, indices: TensorLike, axis: int | None = None) -> Tensor:
        """See `minima.take`."""
        return ops.take(self, indices, axis=axis)  # type: ignore[arg-type]

    def gather(self, axis: int, index: TensorLike) -> Tensor:
        """See `minima.gather`."""
        return ops.gather(self, axis, index)  # type: ignore[arg-type]

    def scatter_add(self, axis: int, index: TensorLike, src: TensorLike) -> Tensor:
        """See `minima.scatter_add`."""
        return ops.scatter_add(self, axis, index, src)  # type: ignore[arg-type]

    def index_select(self, axis: int, index: TensorLike) -> Tensor:
        """See `minima.index_select`."""
        return ops.index_select(self, axis, index)  # type: ignore[arg-type]

    def masked_select(self, mask: TensorLike) -> Tensor:
        """See `minima.masked_select`."""
        return ops.masked_select(self, mask)  # type: ignore[arg-type]

    def masked_fill(self, mask: TensorLike, value: TensorLike) -> Tensor:
        """See `minima.masked_fill`."""
        return ops.masked_fill(self, mask, value)  # type: ignore[arg-type]

    def nonzero(self) -> tuple[Tensor, ...]:
        """See `minima.nonzero`."""
        return ops.nonzero(self)  # type: ignore[arg-type]


def _sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the sizes given one by one or as one sequence."""
    if len(given) == 1 and not isinstance(given[0], int):
        try:
            return tuple(given[0])
        except TypeError:
            pass
    return given
