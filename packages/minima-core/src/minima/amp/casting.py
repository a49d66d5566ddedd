"""Autocast: inside of it products run in float16 or bfloat16, and what needs width in float32.

Operators ask `ACTIVE` first, which is empty where no thread is inside of an autocast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from functools import wraps
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from ..errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from ..dtypes import DType

__all__ = ["ACTIVE", "autocast", "autocasts", "get_autocast_dtype", "is_autocast_enabled"]

P = ParamSpec("P")
R = TypeVar("R")

#: the autocasts that some thread is inside of, enabled ones
ACTIVE: list[object] = []
#: device name -> the narrow type, of this thread or task
CAST: ContextVar[Mapping[str, Any]] = ContextVar("minima_autocast", default=MappingProxyType({}))

_FLOAT32 = np.dtype("float32")
_WIDE = ("float64", "complex64", "complex128")


class autocast:
    """Context manager and decorator: within, products compute in a narrow type.

    Matrix products, convolutions, attention and recurrent layers take their floating inputs as
    *dtype*; exponentials, logarithms, powers, sums, softmax, norms and losses take them as
    float32; all else as they come, mixed types as the wider. float64 is left alone. The lists are
    PyTorch's (`minima.amp.lists`). Gradients have the types of their inputs: parameters stay
    float32, and so do their gradients.

    *device_type*: the devices it is for, "cpu" or "cuda". *dtype*: "float16" or "bfloat16"; by
    default bfloat16 on the cpu and float16 elsewhere. *enabled* False switches it off within.

    Raises: DTypeError for another type, or bfloat16 without the package ml_dtypes.

    >>> import minima as mi
    >>> x, w = mi.ones((2, 3)), mi.ones((3, 2), requires_grad=True)
    >>> with mi.autocast("cpu", dtype="float16"):
    ...     y = x @ w
    ...     loss = y.sum()
    >>> y.dtype.name, loss.dtype.name
    ('float16', 'float32')
    """

    def __init__(
        self,
        device_type: str = "cpu",
        dtype: npt.DTypeLike | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        from ..dtypes import as_dtype

        if not isinstance(device_type, str):
            raise ArgumentError(
                f"autocast: device_type is {device_type!r}; expected a name such as 'cpu'"
            )
        self.device_type = device_type.partition(":")[0]
        self.enabled = bool(enabled)
        chosen: Any = None
        if self.enabled:
            default = "bfloat16" if self.device_type == "cpu" else "float16"
            chosen = as_dtype(default if dtype is None else dtype)
            if chosen.name not in ("float16", "bfloat16"):
                raise DTypeError(f"autocast: dtype is {chosen}; expected 'float16' or 'bfloat16'")
        self.dtype: DType | None = chosen
        self._tokens: list[Token[Mapping[str, Any]]] = []

    def __enter__(self) -> autocast:
        casts = {k: v for k, v in CAST.get().items() if k != self.device_type}
        if self.dtype is not None:
            casts[self.device_type] = self.dtype
        self._tokens.append(CAST.set(casts))
        ACTIVE.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        ACTIVE.remove(self)
        CAST.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return *function*, which then runs within."""

        @wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            with autocast(self.device_type, self.dtype, self.enabled):
                return function(*args, **kwargs)

        return within


def is_autocast_enabled(device_type: str = "cpu") -> bool:
    """Say whether operators on *device_type* are inside of an autocast, in this thread or task.

    >>> import minima as mi
    >>> mi.amp.is_autocast_enabled("cpu")
    False
    """
    return device_type in CAST.get()


def get_autocast_dtype(device_type: str = "cpu") -> Any:
    """Return the narrow type of the autocast around, or None.

    >>> import minima as mi
    >>> with mi.autocast("cpu", dtype="float16"):
    ...     print(mi.amp.get_autocast_dtype("cpu"))
    float16
    """
    return CAST.get().get(device_type)


def state() -> tuple[tuple[str, str], ...]:
    """Return what a plan that was made inside of an autocast depends on."""
    return tuple(sorted((device, str(dtype)) for device, dtype in CAST.get().items()))


def adapted(rule: str, given: Sequence[Any]) -> Sequence[Any]:
    """Return the inputs *given*, their floating Tensors cast as *rule*, of `LISTS`, says."""
    casts = CAST.get()
    if not casts:
        return given
    from ..tensor import Tensor

    found: list[Any] = []
    for t in given:
        if isinstance(t, Tensor) and t._device.name in casts:
            dtype, kind = t.dtype, t.dtype.kind
            target = casts[t._device.name] if rule == "lower" else _FLOAT32
            if kind in "fV" and dtype.name not in _WIDE and dtype != target:
                t = t.astype(target)
        elif isinstance(t, list | tuple):
            t = type(t)(adapted(rule, t)) if not hasattr(t, "_fields") else t
        found.append(t)
    return found


def autocasts(rule: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return a decorator for a function on Tensors whose floating arguments autocast casts.

    *rule*: "lower" for the narrow type, "float32".

    >>> import minima as mi
    >>> @mi.amp.autocasts("float32")
    ... def precise(x):
    ...     return x * x
    >>> with mi.autocast("cpu", dtype="float16"):
    ...     print(precise(mi.ones(1, dtype="float16")).dtype)
    float32
    """
    if rule not in ("lower", "float32"):
        raise ArgumentError(f"autocasts: rule is {rule!r}; expected 'lower' or 'float32'")

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not ACTIVE:
                return function(*args, **kwargs)
            keys = list(kwargs)
            named = dict(zip(keys, adapted(rule, list(kwargs.values()))))
            return function(*adapted(rule, args), **named)

        return call

    return decorate
