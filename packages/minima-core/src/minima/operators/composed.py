"""Functions composed of operators: they have no kernel and no gradient of their own.

``@composite`` makes the inputs of a function Tensors and enters it in `COMPOSITES`. Its gradient,
its compiled form and its place on every device are those of the operators that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from ..amp.casting import ACTIVE, adapted
from ..amp.lists import LISTS
from ..dtypes import float_for, promote, weaken
from ..errors import ArgumentError
from ..explain import RAW, reworded
from ..late import Late
from ..tensor import Tensor, as_tensor
from .options import check_option, kinds_of
from .scalars import NUMBERS, on_one_device, only_real, scalar_tensor

__all__ = ["COMPOSITES", "alike", "composite"]

P = ParamSpec("P")
R = TypeVar("R")

#: name -> function, for the checks that walk over all of them
COMPOSITES: Late[Callable[..., Any]] = Late()

_INPUTS = ("TensorLike", "TensorLike | None")
_SEQUENCE = "Sequence[TensorLike]"


@overload
def composite(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def composite(*, real: bool = ...) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def composite(function: Any = None, /, *, real: bool = False) -> Any:
    """Enter *function* in `COMPOSITES`; its parameters annotated ``TensorLike`` become Tensors.

    Arrays and lists are converted; a number, of Python or NumPy, takes the dtype that it has beside
    the first Tensor. ``Sequence[TensorLike]`` marks one sequence of such inputs, ahead of all else.
    All inputs have to lie on one device; *real* says that complex ones are refused.

    Raises: ArgumentError when the name is taken or the docstring is missing.
    """
    if function is None:
        return partial(composite, real=real)
    name = function.__name__.rstrip("_")
    code, notes = function.__code__, function.__annotations__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    inputs = [n for n in names if notes.get(n) in _INPUTS]
    places = [i for i, n in enumerate(names[: code.co_argcount]) if n in inputs]
    variadic = notes.get(names[0]) == _SEQUENCE if names else False
    if COMPOSITES.taken(name, function.__module__):
        raise ArgumentError(f"composite: the name {name!r} is taken")
    if not function.__doc__:
        raise ArgumentError(f"composite: {name!r} has no docstring; say what it computes")

    cast = LISTS.get(name)
    options_of = [(names.index(n), n, types) for n, types in kinds_of(function, names).items()]

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        try:
            if ACTIVE and cast is not None:
                args, keys = tuple(adapted(cast, args)), list(options)
                options = dict(zip(keys, adapted(cast, list(options.values()))))
            for i, n, types in options_of:
                value = args[i] if i < len(args) else options.get(n)
                if type(value) not in types and (i < len(args) or n in options):
                    check_option(name, n, value, types)
            if variadic and args:
                args = (_tensors(name, list(args[0])), *args[1:])
            given = [args[i] for i in places if i < len(args)]
            given += [options[n] for n in inputs if n in options]
            given = _tensors(name, given)
            if real:
                only_real(name, *given)
            found = iter(given)
            whole = list(args)
            for i in places:
                if i < len(args):
                    whole[i] = next(found)
            named = {n: next(found) for n in inputs if n in options}
            return function(*whole, **{**options, **named})
        except RAW as error:
            clear = reworded(function, error, args, options)
            try:
                if clear is error:
                    raise
                raise clear from error
            finally:
                del clear  # a cycle with this frame otherwise

    call.variadic = variadic  # type: ignore[attr-defined]
    COMPOSITES[name] = call
    return call


def alike(*given: Any, floating: bool = False) -> list[Tensor]:
    """Return the inputs in the dtype that they promote to; *floating*: float32 for integers.

    A composite that computes with one of its inputs before it meets the others begins with it.

    >>> import minima as mi
    >>> from minima.operators.composed import alike
    >>> [t.dtype.name for t in alike(mi.ones(2, dtype="float16"), mi.arange(2))]
    ['float16', 'float16']
    """
    dtype = given[0].dtype
    for t in given[1:]:
        dtype = promote(dtype, t.dtype)
    if floating:
        dtype = float_for(dtype)
    return [t if t.dtype == dtype else t.astype(dtype) for t in given]


def _tensors(name: str, given: list[Any]) -> list[Any]:
    """Return the inputs as Tensors of one device, numbers in the dtype of the first of them."""
    dtype = None
    plain = True
    for t in given:
        if isinstance(t, Tensor):
            dtype = t.dtype if dtype is None else dtype
        elif t is not None:
            plain = False
    moved, device = on_one_device(name, tuple(given))
    given = list(moved)
    if plain:
        return given
    found = [
        t
        if t is None or type(t) in NUMBERS
        else t.item()  # as weak as Python's, beside operators too
        if isinstance(t, np.generic)
        else as_tensor(t, device=device, operation=name)
        for t in given
    ]
    for t in found:
        if isinstance(t, Tensor):
            dtype = t.dtype if dtype is None else dtype
    return [
        t
        if t is None or isinstance(t, Tensor)
        else scalar_tensor(name, t, weaken(None if type(t) is bool else dtype, t), device)
        for t in found
    ]
