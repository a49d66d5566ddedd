"""What a user is told when inputs do not fit an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, DTypeError, IndexRangeError, MinimaError, ShapeError
from ..explain import named, renamed
from ..tensor import Tensor

if TYPE_CHECKING:
    from .calls import Calls

__all__ = ["misfit"]

#: what NumPy and CuPy say of a function that does not know a dtype
_NO_LOOP = ("not supported for the input types", "did not contain a loop", "numpy boolean")


def misfit(
    entry: Calls,
    error: Exception,
    inputs: tuple[Any, ...],
    attrs: dict[str, Any],
    explains: bool = True,
) -> Exception:
    """Return the error that the user sees for *error*, which a kernel of *entry* raised.

    *explains* says that what was entered with ``explain`` may be asked.
    """
    if isinstance(error, MinimaError | MemoryError | Warning):
        return renamed(entry.name, error)
    for i, t in enumerate(inputs):
        if t is None and i < len(entry.inputs) - entry.optional:
            return DTypeError(
                f"{entry.name}: got None for {entry.inputs[i]}; expected a Tensor, an array or "
                "numbers"
            )
    if isinstance(error, TypeError) and any(words in str(error) for words in _NO_LOOP):
        kinds = " and ".join(dict.fromkeys(str(t.dtype) for t in inputs if t is not None))
        return DTypeError(
            f"{entry.name}: got {kinds}, for which it has no meaning; cast first with "
            ".astype(...)"
            + ("; bools have mi.logical_not, logical_and, logical_xor" if "bool" in kinds else "")
        )
    if isinstance(error, ValueError) and "negative integer powers" in str(error):
        return DTypeError(
            f"{entry.name}: got integers and a negative exponent, whose power is not whole; "
            "cast first with .astype('float32')"
        )
    if explains and entry.explanation is not None:
        return ShapeError(f"{entry.name}: {entry.explanation(*inputs, **attrs)}")
    shapes = [t.shape for t in inputs if isinstance(t, Tensor)]
    if len(shapes) > 1 and entry.promotes and not entry.attrs and not entry.variadic:
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            return ShapeError(
                f"{entry.name}: shapes {' and '.join(map(str, shapes))} do not broadcast; "
                "expected equal sizes, or 1, in each axis counted from the last"
            )
    got = ", ".join(f"{t.dtype}{list(t.shape)}" for t in inputs if isinstance(t, Tensor))
    options = "".join(f", {k}={named(v)}" for k, v in attrs.items())
    for builtin, ours in (
        (IndexError, IndexRangeError),
        (TypeError, DTypeError),
        (AttributeError, DTypeError),
        (ValueError, ShapeError),
        (ArithmeticError, ArgumentError),
        (LookupError, ArgumentError),
    ):
        if isinstance(error, builtin):
            return ours(f"{entry.name}: {error}; got {got}{options}")
    return error
