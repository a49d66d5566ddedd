"""Whether operators record: a context variable, so threads and tasks do not see each other's."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import ContextVar, Token
from functools import partial, wraps
from inspect import iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from ..compiler.tape import Tape
    from ..profiler import Profile

__all__ = ["enable_grad", "inference_mode", "is_grad_enabled", "no_grad", "set_grad_enabled"]

P = ParamSpec("P")
R = TypeVar("R")

GRAD: ContextVar[bool] = ContextVar("minima_grad", default=True)
#: where kernel launches are written down while `minima.compile` captures a function
TAPE: ContextVar[Tape | None] = ContextVar("minima_tape", default=None)
#: who is told how long each kernel takes, inside of `minima.profiler.profile`
PROFILE: ContextVar[Profile | None] = ContextVar("minima_profile", default=None)
#: "nan" while the first NaN is looked for, "lines" while operations only note their lines
ANOMALY: ContextVar[str] = ContextVar("minima_anomaly", default="")


def is_grad_enabled() -> bool:
    """Say whether operators record what backward needs, in this thread or task.

    >>> import minima as mi
    >>> with mi.no_grad():
    ...     print(mi.is_grad_enabled())
    False
    """
    return GRAD.get()


class set_grad_enabled:
    """Context manager and decorator: record (True) or do not (False) within.

    >>> import minima as mi
    >>> with mi.set_grad_enabled(False):
    ...     print((mi.ones(2, requires_grad=True) * 2).requires_grad)
    False
    """

    def __init__(self, mode: bool) -> None:
        self._mode = bool(mode)
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> None:
        self._tokens.append(GRAD.set(self._mode))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        GRAD.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return *function*, which then runs within."""
        mode = self._mode
        if isgeneratorfunction(function):
            return cast("Callable[P, R]", _stepped(function, mode))
        if iscoroutinefunction(function):
            return cast("Callable[P, R]", _awaited(function, mode))

        @wraps(function)
        def within(*args: P.args, **kwargs: P.kwargs) -> R:
            token = GRAD.set(mode)
            try:
                return function(*args, **kwargs)
            finally:
                GRAD.reset(token)

        return within


def _stepped(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    """Return the generator function whose steps run in *mode*; what lies between them does not."""

    @wraps(function)
    def within(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        inner = function(*args, **kwargs)
        step = partial(next, inner)
        while True:
            token = GRAD.set(mode)
            try:
                found = step()
            except StopIteration as end:
                return end.value
            finally:
                GRAD.reset(token)
            try:
                step = partial(inner.send, (yield found))
            except GeneratorExit:
                inner.close()
                raise
            except BaseException as error:
                step = partial(inner.throw, error)

    return within


def _awaited(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    @wraps(function)
    async def within(*args: Any, **kwargs: Any) -> Any:
        token = GRAD.set(mode)
        try:
            return await function(*args, **kwargs)
        finally:
            GRAD.reset(token)

    return within


class _Bare(set_grad_enabled):
    """Takes the place of its mode; as a decorator it may stand without brackets."""

    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)


class no_grad(_Bare):
    """Context manager and decorator: operators within record nothing.

    >>> import minima as mi
    >>> w = mi.ones(2, requires_grad=True)
    >>> with mi.no_grad():
    ...     w -= 0.5
    >>> w.numpy()
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(_Bare):
    """Context manager and decorator: operators within record, even inside `no_grad`.

    >>> import minima as mi
    >>> with mi.no_grad(), mi.enable_grad():
    ...     print((mi.ones(2, requires_grad=True) * 2).requires_grad)
    True
    """

    def __init__(self) -> None:
        super().__init__(True)


class inference_mode(set_grad_enabled):
    """Context manager and decorator: as `no_grad`, under the name that PyTorch code uses.

    >>> import minima as mi
    >>> with mi.autograd.inference_mode():
    ...     print((mi.ones(2, requires_grad=True) * 2).requires_grad)
    False
    """

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)
