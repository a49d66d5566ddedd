"""Calls that do not fit, in words: what a function got, what it expects, and the remedy.

``@explained`` turns what Python or NumPy says of a wrong argument, deep inside, into an error of
minima that names the function; operators and composites use the same words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import (
    ArgumentError,
    AxisRangeError,
    DTypeError,
    IndexRangeError,
    MinimaError,
    ShapeError,
    SignatureError,
)

__all__ = [
    "RAW",
    "expect_function",
    "explained",
    "explained_methods",
    "named",
    "renamed",
    "reworded",
    "several",
    "signature_error",
]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

#: what Python and NumPy raise for an argument that does not fit
RAW = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
#: class of theirs -> ours; the first that fits
_OURS = (
    (IndexError, IndexRangeError),
    (TypeError, DTypeError),
    (AttributeError, DTypeError),
    (ValueError, ShapeError),
    (ArithmeticError, ArgumentError),
    (LookupError, ArgumentError),
)
#: errors that speak of the arguments of a call
_RENAMED = (ArgumentError, DTypeError, IndexRangeError, AxisRangeError, ShapeError)
#: what errors begin with that is no operation of the table
_PYTHONS = frozenset({"bool", "dtype", "float", "index", "int", "item", "len"})
#: keyword of PyTorch or NumPy -> what takes its place here
_KEYWORDS = {
    "dim": "axis= is the name here",
    "dims": "axis= or axes= is the name here",
    "keepdim": "keepdims= is the name here",
    "input": "the first argument is given by its place",
    "tensors": "the first argument is given by its place",
    "unbiased": "correction=1 stands for unbiased=True, correction=0 (the default) for False",
    "ddof": "correction= is the name here",
    "out": "use the result, or x[...] = result",
}


def explained(function: Callable[P, R]) -> Callable[P, R]:
    """Let *function* raise errors of minima alone, for arguments that do not fit.

    >>> import minima as mi
    >>> from minima.explain import explained
    >>> @explained
    ... def half(x):
    ...     return x / 2
    >>> try:
    ...     half("a")
    ... except mi.DTypeError as error:
    ...     print(error)
    half: unsupported operand type(s) for /: 'str' and 'int'; got x='a'; expected half(x)
    """

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except RAW as error:
            found = reworded(function, error, args, options)
            try:
                if found is error:
                    raise
                raise found from error
            finally:
                del found  # a cycle with this frame otherwise

    return call


def explained_methods(owner: type[T]) -> type[T]:
    """Let the methods of *owner* that take options by PyTorch's other names say ours.

    Those with an axis, a dtype or sizes are wrapped; the operators of Python are left alone.
    """
    for name, method in list(vars(owner).items()):
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        if method.__code__.co_argcount + method.__code__.co_kwonlyargcount > 1:
            setattr(owner, name, explained(method))
    return owner


def expect_function(operation: str, function: Any) -> None:
    """Raise DTypeError unless *function* can be called.

    >>> from minima.explain import expect_function
    >>> expect_function("grad", 3)
    Traceback (most recent call last):
    minima.errors.DTypeError: grad: got 3; expected a function of Tensors
    """
    if not callable(function):
        raise DTypeError(f"{operation}: got {named(function)}; expected a function of Tensors")


def several(operation: str, what: str, value: Any) -> tuple[Any, ...]:
    """Return *value*, one Tensor or several in a sequence, as a tuple.

    >>> import minima as mi
    >>> from minima.explain import several
    >>> several("grad", "inputs", mi.Tensor(1.0))
    (Tensor(1.),)
    """
    if hasattr(value, "_device"):
        return (value,)
    try:
        return tuple(value)
    except TypeError:
        raise DTypeError(
            f"{operation}: got {named(value)} for {what}; expected a Tensor or a sequence of them"
        ) from None


def reworded(
    function: Callable[..., Any], error: Exception, args: tuple[Any, ...], options: dict[str, Any]
) -> Exception:
    """Return the error that the user sees for *error*, which a call of *function* raised."""
    name = function.__name__.rstrip("_") or function.__name__
    ours = isinstance(error, MinimaError | Warning)
    if ours and not (isinstance(error, DTypeError) and any(a is None for a in args)):
        return renamed(name, error)
    signature = inspect.signature(function)
    wrong = signature_error(name, signature, args, options)
    if wrong is not None:
        return error if ours else wrong
    given = signature.bind(*args, **options).arguments
    for n, value in given.items():
        if value is None and signature.parameters[n].annotation == "TensorLike":
            return DTypeError(f"{name}: got None for {n}; expected a Tensor, an array or numbers")
    if ours:
        return renamed(name, error)
    got = ", ".join(f"{n}={named(v)}" for n, v in given.items() if n != "self")
    kind = next(ours for builtin, ours in _OURS if isinstance(error, builtin))
    return kind(f"{name}: {error}; got {got or 'nothing'}; expected {name}{_bare(signature)}")


def renamed(operation: str, error: Exception) -> Exception:
    """Return *error*, of a part of *operation*, as one of the operation itself.

    >>> import minima as mi
    >>> from minima.explain import renamed
    >>> renamed("median", mi.DTypeError("sort: got axis 'a'; expected an integer"))
    DTypeError("median: got axis 'a'; expected an integer")
    """
    if type(error) not in _RENAMED:
        return error
    part, colon, rest = str(error).partition(": ")
    if part.strip("_") == operation or not colon or not part.isidentifier() or part[-1] == "_":
        return error
    return type(error)(f"{operation}: {f'{part}: {rest}' if part in _PYTHONS else rest}")


def signature_error(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], options: Mapping[str, Any]
) -> SignatureError | None:
    """Return the error for a call that does not fit *signature*, or None where it fits."""
    try:
        signature.bind(*args, **options)
    except TypeError as error:
        bare = _bare(signature)
        hints = [
            f"; {n}= is PyTorch's or NumPy's: {_KEYWORDS[n]}"
            for n in options
            if n in _KEYWORDS and n not in signature.parameters
        ]
        if str(error).startswith("too many positional"):
            hints.append(_place(signature, args))
        return SignatureError(f"{name}: {error}; expected {name}{bare}{''.join(hints)}")
    return None


def _place(signature: inspect.Signature, args: tuple[Any, ...]) -> str:
    """Return what to write where *args* has too many: sizes as one, or an option by its name."""
    kinds = inspect.Parameter
    places = [n for n, p in signature.parameters.items() if p.kind is not kinds.KEYWORD_ONLY]
    named_only = [n for n, p in signature.parameters.items() if p.kind is kinds.KEYWORD_ONLY]
    last = places[-1] if places else ""
    if last in ("shape", "axes") and all(hasattr(a, "__index__") for a in args[len(places) - 1 :]):
        return f"; {last} is one argument: {args[len(places) - 1 :]}"
    if places[:1] == ["shape"]:
        return "; shape is one argument, a tuple"
    more = args[len(places) :]
    if len(more) > len(named_only):
        return ""
    given = ", ".join(f"{n}={named(a)}" for n, a in zip(named_only, more, strict=False))
    return f"; what follows {last} is given by name: {given}"


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """Return *signature* without annotations and without ``self``."""
    parameters = [
        p.replace(annotation=p.empty) for n, p in signature.parameters.items() if n != "self"
    ]
    return inspect.Signature(parameters, __validate_parameters__=False)


def named(value: Any) -> str:
    """Return *value* in a few words: dtype and shape of an array, else how Python writes it.

    >>> import minima as mi
    >>> from minima.explain import named
    >>> named(mi.ones((2, 3))), named([1, 2])
    ('float32[2, 3]', '[1, 2]')
    """
    dtype, shape = getattr(value, "dtype", None), getattr(value, "shape", None)
    if isinstance(dtype, np.dtype) and isinstance(shape, tuple):
        return f"{dtype}{list(shape)}"
    if isinstance(value, tuple | list) and any(hasattr(v, "shape") for v in value):
        return f"[{', '.join(map(named, value[:4]))}{', ...' if len(value) > 4 else ''}]"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
