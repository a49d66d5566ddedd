"""The methods of Tensor that change it in place: ``x += 1``, ``x[1:] = 0`` and names in ``_``.

Each writes the memory that views share, counts its version and, while gradients are recorded, makes
the tensor and its views the result of the change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .autograd.mode import TAPE
from .explain import explained_methods

if TYPE_CHECKING:
    from . import operators as ops  # at run time `minima.tensor` puts it here, once it exists
    from .dtypes import DType
    from .tensor import TensorLike

__all__ = ["Changing"]

S = TypeVar("S")


def _unary(name: str) -> Callable[[S], S]:
    """Return the method that replaces each element by what the operator *name* makes of it."""

    def change(self: S) -> S:
        return ops.in_place(name, self)

    change.__name__, change.__qualname__ = f"{name}_", f"Changing.{name}_"
    change.__doc__ = f"Replace each element by its `minima.{name}`, in place."
    return change


def _binary(name: str) -> Callable[[S, TensorLike], S]:
    """Return the method that replaces each element by operator *name* of it and another."""

    def change(self: S, other: TensorLike) -> S:
        return ops.in_place(name, self, other)

    change.__name__ = change.__qualname__ = name
    change.__doc__ = f"Replace each element by `minima.{name}` of it and *other*, in place."
    return change


@explained_methods
class Changing:
    """Base of Tensor: what changes it in place, and returns it."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def dtype(self) -> DType: ...  # noqa: D102

    # ---- augmented assignment --------------------------------------------------------------------
    __iadd__ = _binary("add")
    __isub__ = _binary("subtract")
    __imul__ = _binary("multiply")
    __itruediv__ = _binary("divide")
    __ifloordiv__ = _binary("floor_divide")
    __imod__ = _binary("remainder")
    __imatmul__ = _binary("matmul")
    __iand__ = _binary("bitwise_and")
    __ior__ = _binary("bitwise_or")
    __ixor__ = _binary("bitwise_xor")
    __ilshift__ = _binary("bitwise_left_shift")
    __irshift__ = _binary("bitwise_right_shift")

    def __ipow__(self, other: Any) -> Self:
        return self.pow_(other)

    # ---- arithmetic ------------------------------------------------------------------------------
    mul_ = multiply_ = _binary("multiply")
    div_ = divide_ = _binary("divide")
    floor_divide_ = _binary("floor_divide")
    remainder_ = _binary("remainder")
    maximum_ = _binary("maximum")
    minimum_ = _binary("minimum")
    logical_and_ = _binary("logical_and")
    logical_or_ = _binary("logical_or")
    logical_xor_ = _binary("logical_xor")
    bitwise_and_ = _binary("bitwise_and")
    bitwise_or_ = _binary("bitwise_or")
    bitwise_xor_ = _binary("bitwise_xor")

    def add_(self, other: TensorLike, alpha: float = 1) -> Self:
        """Add ``alpha * other`` in place."""
        if alpha == 1 or self._rounds(alpha):
            return ops.in_place("add", self, other if alpha == 1 else ops.multiply(other, alpha))
        return ops.in_place("add_scaled", self, other, value=alpha)

    def _rounds(self, factor: Any) -> bool:
        """Say whether *factor* times a number may not fit into the type of the elements."""
        return isinstance(factor, float) and self.dtype.kind in "biu"

    def sub_(self, other: TensorLike, alpha: float = 1) -> Self:
        """Subtract ``alpha * other`` in place."""
        if alpha == 1 or self._rounds(alpha):
            other = other if alpha == 1 else ops.multiply(other, alpha)
            return ops.in_place("subtract", self, other)
        return ops.in_place("add_scaled", self, other, value=-alpha)

    def pow_(self, other: Any) -> Self:
        """Raise to the power *other* in place."""
        scalar = type(other) is int or (type(other) is float and self.dtype.kind == "f")
        if scalar:
            return ops.in_place("power_scalar", self, scalar=other)
        return ops.in_place("power", self, other)

    def lerp_(self, end: TensorLike, weight: float) -> Self:
        """Move towards *end* by the share *weight*, in place."""
        return ops.in_place("lerp", self, end, weight=weight)

    def addcmul_(self, a: TensorLike, b: TensorLike, value: float = 1) -> Self:
        """Add ``value * a * b`` in place."""
        return ops.in_place("addcmul", self, a, b, value=value)

    def addcdiv_(self, a: TensorLike, b: TensorLike, value: float = 1) -> Self:
        """Add ``value * a / b`` in place."""
        return ops.in_place("addcdiv", self, a, b, value=value)

    def clip_(self, min: float | None = None, max: float | None = None) -> Self:
        """Limit the values to *min* and *max* in place."""
        return ops.in_place("clip", self, min=min, max=max)

    clamp_ = clip_

    # ---- each element by itself ------------------------------------------------------------------
    abs_ = _unary("abs")
    ceil_ = _unary("ceil")
    cos_ = _unary("cos")
    erf_ = _unary("erf")
    exp_ = _unary("exp")
    expm1_ = _unary("expm1")
    floor_ = _unary("floor")
    log_ = _unary("log")
    log10_ = _unary("log10")
    log1p_ = _unary("log1p")
    log2_ = _unary("log2")
    logical_not_ = _unary("logical_not")
    bitwise_invert_ = _unary("bitwise_invert")
    neg_ = negative_ = _unary("negative")
    reciprocal_ = _unary("reciprocal")
    relu_ = _unary("relu")
    round_ = _unary("round")
    rsqrt_ = _unary("rsqrt")
    sigmoid_ = _unary("sigmoid")
    sign_ = _unary("sign")
    sin_ = _unary("sin")
    sqrt_ = _unary("sqrt")
    square_ = _unary("square")
    tan_ = _unary("tan")
    tanh_ = _unary("tanh")
    trunc_ = _unary("trunc")

    # ---- overwriting -----------------------------------------------------------------------------
    def __setitem__(self, index: Any, value: TensorLike) -> None:
        if TAPE.get() is not None:
            ops.indices.seen_once(index)
        ops.assign(self, index, value)  # type: ignore[arg-type]

    def copy_(self, other: TensorLike) -> Self:
        """Overwrite with the values of *other*, broadcast and cast to this tensor's dtype."""
        self[...] = other
        return self

    def fill_(self, value: TensorLike) -> Self:
        """Overwrite every element with *value*."""
        self[...] = value
        return self

    def zero_(self) -> Self:
        """Overwrite every element with 0."""
        self[...] = 0
        return self

    def masked_fill_(self, mask: TensorLike, value: TensorLike) -> Self:
        """Write *value* where *mask*, broadcast, is True, in place."""
        return ops.in_place("masked_fill", self, mask, value)

    def index_add_(
        self, axis: int, index: TensorLike, source: TensorLike, alpha: float = 1
    ) -> Self:
        """Add ``alpha * source`` at the places *index* along *axis*: as often as one repeats."""
        place = ops.gathering.along("index_add", self, axis, index)
        value = source if alpha == 1 else ops.multiply(source, alpha)
        return ops.in_place("index_add", self, place, value)

    def index_copy_(self, axis: int, index: TensorLike, source: TensorLike) -> Self:
        """Write *source* at the places *index* along *axis*, in place."""
        self[ops.gathering.along("index_copy", self, axis, index)] = source
        return self

    def index_fill_(self, axis: int, index: TensorLike, value: TensorLike) -> Self:
        """Write *value* at the places *index* along *axis*, in place."""
        self[ops.gathering.along("index_fill", self, axis, index)] = value
        return self

    def index_put_(self, index: Any, value: TensorLike, accumulate: bool = False) -> Self:
        """Write *value* at ``self[index]``; with *accumulate* add it, as often as one repeats."""
        if accumulate:
            return ops.in_place("index_add", self, index, value)
        self[index] = value
        return self

    def scatter_(self, axis: int, index: TensorLike, src: TensorLike) -> Self:
        """Write each element of *src*, or one number, at its *index* along *axis*, in place."""
        place, values = ops.gathering.placed(self, axis, index, src)  # type: ignore[arg-type]
        self[place] = values
        return self

    def scatter_add_(self, axis: int, index: TensorLike, src: TensorLike) -> Self:
        """Add each element of *src* at its *index* along *axis*, in place."""
        return ops.in_place("scatter_add", self, axis, index, src)
