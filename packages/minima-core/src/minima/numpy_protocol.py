"""NumPy's ufuncs on Tensors: each runs the function of minima that does the same.

`UFUNCS` is the table; that of all other functions is in `minima.numpy_functions`. What has no
counterpart raises and says how to get NumPy's own: silently leaving the graph would lose gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import operators
from .errors import DTypeError
from .tensor import Tensor

__all__ = ["UFUNCS", "array_ufunc", "counterpart", "missing", "refuse"]

Function = Callable[..., Any]

#: NumPy's ufunc -> the function of minima, where their names differ
UFUNCS = {
    **dict(zip("arccos arccosh arcsin arcsinh arctan arctan2 arctanh".split(),
               "acos acosh asin asinh atan atan2 atanh".split())),
    "absolute": "abs",
    "fabs": "abs",
    "conjugate": "conj",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "right_shift": "bitwise_right_shift",
    "mod": "remainder",
    "true_divide": "divide",
    "rint": "round",
    "matvec": "",
    "vecmat": "",
}  # fmt: skip
_SAME = (
    "add subtract multiply divide floor_divide remainder power negative positive sign exp exp2 "
    "expm1 log log2 log10 log1p sqrt square reciprocal sin cos tan sinh cosh tanh hypot maximum "
    "minimum logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal "
    "logical_and logical_or logical_xor logical_not isfinite isinf isnan signbit copysign "
    "nextafter floor ceil trunc bitwise_and bitwise_or bitwise_xor matmul vecdot"
)
UFUNCS.update({name: name for name in _SAME.split()})

_REDUCE = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min",
           "logical_and": "all", "logical_or": "any", "logaddexp": "logsumexp"}  # fmt: skip
_ACCUMULATE = {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin",
               "logaddexp": "logcumsumexp"}  # fmt: skip


# ---- ufuncs --------------------------------------------------------------------------------------
def array_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    """Run the function of minima for *ufunc*: `Tensor.__array_ufunc__`.

    Raises: DTypeError where there is none, or for ``out=``, ``where=`` and the like.

    >>> np.exp(mi.Tensor([0.0])), np.add.reduce(mi.Tensor([1.0, 2.0]))
    (Tensor([1.]), Tensor(3.))
    """
    if not all(isinstance(x, (Tensor, np.ndarray, *_NUMBERS, list, tuple)) for x in inputs):
        return NotImplemented
    name = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
    run = {"__call__": _called, "outer": _outer, "reduce": _reduced, "accumulate": _accumulated}
    if method not in run:
        raise missing(name)
    return run[method](name, ufunc.__name__, inputs, options)


_NUMBERS = (int, float, complex, np.generic)


def _called(name: str, ufunc: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    refuse(name, options)
    return counterpart(name, UFUNCS.get(ufunc, ""))(*inputs)


def _outer(name: str, ufunc: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    refuse(name, options)
    function = counterpart(name, UFUNCS.get(ufunc, ""))
    a, b = (x if isinstance(x, Tensor) else np.asarray(x) for x in inputs)
    return function(a.reshape((*a.shape, *(1,) * b.ndim)), b)


def _reduced(name: str, ufunc: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    rest = dict(options)
    axis, keepdims = rest.pop("axis", 0), rest.pop("keepdims", False)
    refuse(name, rest)
    return counterpart(name, _REDUCE.get(ufunc, ""))(inputs[0], axis=axis, keepdims=keepdims)


def _accumulated(name: str, ufunc: str, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    rest = dict(options)
    axis = rest.pop("axis", 0)
    refuse(name, rest)
    found = counterpart(name, _ACCUMULATE.get(ufunc, ""))(inputs[0], axis=axis)
    return found[0] if isinstance(found, tuple) else found


def refuse(name: str, options: dict[str, Any]) -> None:
    """Raise for an option that minima has not; None and NumPy's defaults are none."""
    usual = {"where": True, "casting": "same_kind", "order": "K", "subok": True}
    for option, value in options.items():
        if value is None or value is np._NoValue or (option in usual and value is usual[option]):
            continue
        if option in ("out", "where"):
            raise DTypeError(
                f"{name}: got {option}=, which would leave the graph of a Tensor; use the result, "
                "or mi.where(mask, result, other)"
            )
        raise DTypeError(f"{name}: {option}= does not work on a Tensor; leave it out")


def missing(name: str) -> DTypeError:
    """Return the error for a function of NumPy that has no counterpart here."""
    return DTypeError(
        f"{name}: got a Tensor, and minima has no function that does the same and keeps gradients; "
        f"for NumPy's own result call {name}(t.numpy())"
    )


def counterpart(name: str, path: str) -> Function:
    """Return the function of minima at *path*, such as ``linalg.norm``."""
    found: Any = operators
    parent, _, last = path.rpartition(".")
    if parent:
        from importlib import import_module

        found = import_module(f"{__package__}.{parent}")
    function: Function | None = getattr(found, last, None) if last else None
    if function is None:
        raise missing(name)
    return function
