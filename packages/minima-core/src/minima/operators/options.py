"""Options of operators and composites: a flag has to be True or False, and a number one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from numbers import Number
from typing import Any

import numpy as np

from ..compiler.live import Live
from ..errors import DTypeError
from ..explain import named

__all__ = ["check_option", "kinds_of"]

#: annotation -> the types that need no look
_PLAIN: dict[str, frozenset[type]] = {
    "bool": frozenset({bool}),
    "float": frozenset({float, int}),
    "float | None": frozenset({float, int, type(None)}),
    "complex | bool": frozenset({float, int, bool, complex}),
}


def kinds_of(function: Callable[..., Any], names: Iterable[str]) -> dict[str, frozenset[type]]:
    """Return the types of those of *names* that *function* annotates as a flag or a number.

    >>> from minima.operators.options import kinds_of
    >>> def kernel(xp, x, axis: int, keepdims: bool = False): ...
    >>> kernel.__annotations__ = {"axis": "int", "keepdims": "bool"}
    >>> kinds_of(kernel, ["axis", "keepdims"])
    {'keepdims': frozenset({<class 'bool'>})}
    """
    notes = function.__annotations__
    return {n: _PLAIN[notes[n]] for n in names if notes.get(n) in _PLAIN}


def check_option(operation: str, name: str, value: Any, plain: frozenset[type]) -> None:
    """Raise unless *value*, whose type is not among *plain*, may stand for one that is.

    >>> import minima as mi
    >>> mi.sum(mi.ones((2, 3)), 0, 1)
    Traceback (most recent call last):
    minima.errors.DTypeError: sum: got keepdims 1; expected True or False; several axes are one \
tuple, as axis=(0, 1)
    """
    if isinstance(value, Live):
        return
    if bool in plain and len(plain) == 1:
        if isinstance(value, np.bool_):
            return
        hint = "; several axes are one tuple, as axis=(0, 1)" if name == "keepdims" else ""
        raise DTypeError(f"{operation}: got {name} {named(value)}; expected True or False{hint}")
    if isinstance(value, Number) or (
        hasattr(value, "__array__") and not getattr(value, "requires_grad", False)
    ):
        return
    why = ", which has no gradient here" if hasattr(value, "__array__") else ""
    raise DTypeError(f"{operation}: got {name} {named(value)}; expected a number{why}")
