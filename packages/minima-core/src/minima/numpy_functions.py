"""NumPy's functions, but for ufuncs, on Tensors: each runs what does the same in minima.

`FUNCTIONS` is the table. What has no counterpart raises and says how to get NumPy's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import operators
from .errors import ArgumentError, DTypeError, ShapeError
from .numpy_protocol import counterpart, missing, refuse
from .tensor import Tensor, as_tensor

__all__ = ["FUNCTIONS", "array_function"]

Function = Callable[..., Any]

#: NumPy's function, that of minima, its positional arguments, and after | those given by name:
#: ``a=b`` where minima calls NumPy's a b, ``-a`` for what makes no difference
FUNCTIONS = """
sum                 sum                 a | axis keepdims dtype
prod                prod                a | axis keepdims dtype
mean                mean                a | axis keepdims
var                 var                 a | axis keepdims ddof=correction correction
std                 std                 a | axis keepdims ddof=correction correction
max                 max                 a | axis keepdims
min                 min                 a | axis keepdims
amax                amax                 a | axis keepdims
amin                amin                 a | axis keepdims
all                 all                 a | axis keepdims
any                 any                 a | axis keepdims
argmax              argmax              a | axis keepdims
argmin              argmin              a | axis keepdims
ptp                 ptp                 a | axis keepdims
cumsum              cumsum              a | axis dtype
cumprod             cumprod             a | axis dtype
cumulative_sum      cumulative_sum      x | axis dtype include_initial
cumulative_prod     cumulative_prod     x | axis dtype include_initial
median              median              a | axis keepdims
quantile            quantile            a q | axis keepdims method
nanmedian           nanmedian           a | axis keepdims
nanquantile         nanquantile         a q | axis keepdims method
corrcoef            corrcoef            x
vander              vander              x | N=n increasing
trapezoid           trapezoid           y x | dx axis
polyval             polyval             p x
hsplit              hsplit              ary indices_or_sections
vsplit              vsplit              ary indices_or_sections
dsplit              dsplit              ary indices_or_sections
sinc                sinc                x
isclose             isclose             a b rtol atol | equal_nan
allclose            allclose            a b rtol atol | equal_nan
isposinf            isposinf            x
isneginf            isneginf            x
isreal              isreal              x
nansum              nansum              a | axis keepdims
nanmean             nanmean             a | axis keepdims
nanmax              nanmax              a | axis keepdims
nanmin              nanmin              a | axis keepdims
diff                diff                a | n axis prepend append
count_nonzero       count_nonzero       a | axis keepdims
concatenate         concat              arrays | axis
concat              concat              arrays | axis
stack               stack               arrays | axis
vstack              vstack              tup
hstack              hstack              tup
dstack              dstack              tup
column_stack        column_stack        tup
array_split         array_split         ary indices_or_sections | axis
reshape             reshape             a shape | -order copy
ravel               ravel               a | -order
permute_dims        permute_dims        a axes
swapaxes            swapaxes            a axis1 axis2
moveaxis            moveaxis            a source destination
expand_dims         expand_dims         a axis
squeeze             squeeze             a | axis
broadcast_to        broadcast_to        array shape | -subok
broadcast_arrays    broadcast_arrays    *args | -subok
flip                flip                m | axis
fliplr              fliplr              m
flipud              flipud              m
roll                roll                a shift | axis
rot90               rot90               m | k axes
tile                tile                A reps
repeat              repeat              a repeats | axis
atleast_1d          atleast_1d          *arys
atleast_2d          atleast_2d          *arys
atleast_3d          atleast_3d          *arys
meshgrid            meshgrid            *xi | indexing -copy
diagonal            diagonal            a | offset axis1 axis2
diag                diag                v | k
tril                tril                m | k
triu                triu                m | k
sort                sort                a | axis stable -kind
argsort             argsort             a | axis stable -kind
searchsorted        searchsorted        a v | side sorter
take                take                a indices | axis
take_along_axis     take_along_axis     arr indices | axis
nan_to_num          nan_to_num          x | nan posinf neginf -copy
real                real                val
imag                imag                val
copy                copy                a | -order -subok
zeros_like          zeros_like          a | dtype -order -subok
ones_like           ones_like           a | dtype -order -subok
empty_like          empty_like          prototype | dtype -order -subok
full_like           full_like           a fill_value | dtype -order -subok
unique              unique              ar | -equal_nan return_inverse return_counts
unique_values       unique_values       x
nonzero             nonzero             a
argwhere            argwhere            a
isin                isin                element test_elements | invert -assume_unique
bincount            bincount            x | weights minlength
tensordot           tensordot           a b | axes
outer               outer               a b
kron                kron                a b
cross               linalg.cross        a b | axis
matrix_transpose    matrix_transpose    x
unstack             unstack             x | axis
astype              astype              x dtype | copy
linalg.norm         linalg.norm         x | ord axis keepdims
linalg.vector_norm  linalg.vector_norm  x | axis keepdims ord
linalg.matrix_norm  linalg.matrix_norm  x | keepdims ord
linalg.inv          linalg.inv          a
linalg.det          linalg.det          a
linalg.slogdet      linalg.slogdet      a
linalg.solve        linalg.solve        a b
linalg.cholesky     linalg.cholesky     a | upper
linalg.qr           linalg.qr           a | mode
linalg.eigh         linalg.eigh         a
linalg.eigvalsh     linalg.eigvalsh     a
linalg.eig          linalg.eig          a
linalg.eigvals      linalg.eigvals      a
linalg.svd          linalg.svd          a | full_matrices
linalg.svdvals      linalg.svdvals      x
linalg.pinv         linalg.pinv         a | rtol
linalg.matrix_power linalg.matrix_power a n
linalg.matrix_rank  linalg.matrix_rank  A | rtol
linalg.multi_dot    linalg.multi_dot    arrays
linalg.cond         linalg.cond         x | p
linalg.cross        linalg.cross        x1 x2 | axis
linalg.outer        linalg.outer        x1 x2
linalg.tensordot    linalg.tensordot    x1 x2 | axes
linalg.vecdot       linalg.vecdot       x1 x2 | axis
linalg.matmul       linalg.matmul       x1 x2
linalg.trace        linalg.trace        x | offset dtype
linalg.diagonal     linalg.diagonal     x | offset
linalg.matrix_transpose linalg.matrix_transpose x
""" + "".join(
    f"fft.{n} fft.{n} a | n axis norm\n" for n in "fft ifft rfft irfft hfft ihfft".split()
) + "".join(
    f"fft.{n} fft.{n} a | s axes norm\n" for n in "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn "
    "irfftn".split()
) + "fft.fftshift fft.fftshift x | axes\nfft.ifftshift fft.ifftshift x | axes\n"  # fmt: skip


def array_function(
    function: Function, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Run the function of minima for NumPy's *function*: `Tensor.__array_function__`.

    Raises: DTypeError where there is none, or for an option that it has not.

    >>> x = mi.Tensor([[1.0, 2.0]], requires_grad=True)
    >>> np.sum(np.concatenate([x, x]) ** 2).backward()
    >>> x.grad
    Tensor([[4., 8.]])
    """
    if not all(issubclass(t, Tensor | np.ndarray) for t in types):
        return NotImplemented
    found = _table().get(function)
    if found is None:
        raise missing(_name(function))
    return found(*args, **kwargs)


@cache
def _table() -> dict[Function, Function]:
    """Return what runs for each function of NumPy; those that this NumPy lacks are left out."""
    table: dict[Function, Function] = {}
    for line in FUNCTIONS.strip().splitlines():
        theirs, ours, rest = line.split(None, 2)
        function = _numpy(theirs)
        if function is not None:
            table[function] = _translated(function, f"np.{theirs}", ours, rest)
    for name, special in _SPECIAL.items():
        table[_numpy(name)] = special  # type: ignore[index]
    for name in _BARE.split():
        function = _numpy(name)
        if function is not None:
            table[function] = _on_arrays(function)
    return table


def _numpy(path: str) -> Function | None:
    found: Any = np
    for part in path.split("."):
        found = getattr(found, part, None)
    return found  # type: ignore[no-any-return]


def _name(function: Function) -> str:
    home = function.__module__.removeprefix("numpy").strip(".")
    inner = f".{home}" if home in ("linalg", "fft") else ""
    return f"np{inner}.{function.__name__}"


def _translated(function: Function, name: str, ours: str, rest: str) -> Function:
    """Return what binds the arguments of NumPy's *function* and calls that of minima."""
    inputs, _, options = (part.split() for part in rest.partition("|"))
    names = {t.partition("=")[0]: t.partition("=")[2] or t for t in options}
    signature = inspect.signature(function)
    parameters = signature.parameters

    def run(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs).arguments
        given: list[Any] = []
        for token in inputs:
            if token[0] == "*":
                given += bound.pop(token[1:], ())
            elif token in bound:
                given.append(bound.pop(token))
        chosen: dict[str, Any] = {}
        for option, value in bound.items():
            default = parameters[option].default
            if value is default or value is np._NoValue or f"-{option}" in names:
                continue
            if option not in names:
                if option in ("out", "where", "initial") and value is not None:
                    refuse(name, {option: value})
                raise DTypeError(f"{name}: {option}= does not work on a Tensor; leave it out")
            chosen[names[option]] = value
        return counterpart(name, ours)(*given, **chosen)

    return run


# ---- functions that need more than other names ---------------------------------------------------
def _transpose(a: Tensor, axes: Any = None) -> Any:
    return operators.permute_dims(a, tuple(range(a.ndim))[::-1] if axes is None else axes)


def _where(condition: Any, *branches: Any) -> Any:
    return (
        operators.where(condition, *branches)
        if branches
        else counterpart("np.where", "nonzero")(condition)
    )


def _clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None,
    *, min: Any = None, max: Any = None, **options: Any,
) -> Any:  # fmt: skip
    refuse("np.clip", {"out": out, **options})
    low, high = (None if v is np._NoValue else v for v in (a_min, a_max))
    low = low if min is None or min is np._NoValue else min
    return operators.clip(a, low, high if max is None or max is np._NoValue else max)


def _round(a: Tensor, decimals: int = 0, out: Any = None) -> Any:
    refuse("np.round", {"out": out})
    if decimals > 0 and a.dtype.kind in "biu":
        return a.clone()
    return round(a, decimals)


def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    parts = [t if isinstance(t, Tensor) else np.asarray(t) for t in (arr, values)]
    return operators.concat(parts, axis=axis)


def _average(a: Any, axis: Any = None, weights: Any = None, *, keepdims: Any = False) -> Any:
    keep = bool(keepdims) and keepdims is not np._NoValue
    if weights is None:
        return operators.mean(a, axis, keep)
    t = as_tensor(a)
    w = weights if isinstance(weights, Tensor) else as_tensor(weights, device=t.device)
    if w.shape != t.shape:
        if w.ndim != 1 or not isinstance(axis, int) or w.size != t.shape[axis]:
            raise ShapeError(
                f"np.average: got weights of shape {w.shape} for {t.shape} and axis {axis}; "
                "expected equal shapes, or one weight for each place along one axis"
            )
        w = w.reshape([w.size if i == axis % t.ndim else 1 for i in range(t.ndim)])
        w = w.broadcast_to(t.shape)
    return operators.sum(t * w, axis, keep) / operators.sum(w, axis, keep)


def _flatnonzero(a: Tensor) -> Any:
    return operators.nonzero(a.ravel())[0]


def _split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> Any:
    if isinstance(indices_or_sections, int) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"np.split: cannot split axis {axis} of size {ary.shape[axis]} into "
            f"{indices_or_sections} equal parts; use np.array_split"
        )
    return counterpart("np.split", "array_split")(ary, indices_or_sections, axis)


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    refuse("np.dot", {"out": out})
    x, y = _pair(a, b)
    if not x.ndim or not y.ndim:
        return operators.multiply(x, y)
    if y.ndim == 1 or (x.ndim <= 2 and y.ndim == 2):
        return operators.matmul(x, y)
    return counterpart("np.dot", "tensordot")(x, y, axes=([-1], [-2]))


def _inner(a: Any, b: Any) -> Any:
    x, y = _pair(a, b)
    if not x.ndim or not y.ndim:
        return operators.multiply(x, y)
    return counterpart("np.inner", "tensordot")(x, y, axes=([-1], [-1]))


def _vdot(a: Any, b: Any) -> Any:
    x, y = (t.reshape(-1) for t in _pair(a, b))
    return operators.matmul(counterpart("np.vdot", "conj")(x), y)


def _pair(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Return both as Tensors of one device."""
    device = a._device if isinstance(a, Tensor) else b._device
    x, y = (t if isinstance(t, Tensor) else Tensor(np.asarray(t), device=device) for t in (a, b))
    return x, y


def _trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    refuse("np.trace", {"dtype": dtype, "out": out})
    diagonal = counterpart("np.trace", "diagonal")(a, offset=offset, axis1=axis1, axis2=axis2)
    return operators.sum(diagonal, -1)


def _percentile(a: Any, q: Any, axis: Any = None, **options: Any) -> Any:
    shares = np.true_divide(q, 100)
    share = float(shares) if shares.ndim == 0 else shares
    return array_function(np.quantile, (), (a, share, axis), options)


def _einsum(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Any:
    refuse("np.einsum", {"out": out, **options})
    return counterpart("np.einsum", "einsum")(*operands)


def _pad(array: Any, pad_width: Any, mode: str = "constant", **options: Any) -> Any:
    names = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    if mode not in names or set(options) - {"constant_values"}:
        raise missing(f"np.pad (mode={mode!r}, {', '.join(options)})")
    value = options.get("constant_values", 0)
    return counterpart("np.pad", "pad")(array, pad_width, names[mode], value)


def _result_type(*given: Any) -> Any:
    return np.result_type(*(t.dtype if isinstance(t, Tensor) else t for t in given))


def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    if isinstance(dst, Tensor):
        raise ArgumentError("np.copyto: got a Tensor to write into; use t.copy_(source)")
    np.copyto(dst, np.asarray(src), casting=casting, where=where)


_SPECIAL: dict[str, Function] = {
    "transpose": _transpose,
    "where": _where,
    "clip": _clip,
    "round": _round,
    "around": _round,
    "append": _append,
    "average": _average,
    "flatnonzero": _flatnonzero,
    "split": _split,
    "dot": _dot,
    "inner": _inner,
    "vdot": _vdot,
    "trace": _trace,
    "percentile": _percentile,
    "einsum": _einsum,
    "pad": _pad,
    "result_type": _result_type,
    "copyto": _copyto,
    "shape": lambda a: a.shape,
    "ndim": lambda a: a.ndim,
    "size": lambda a, axis=None: a.size if axis is None else a.shape[axis],
}

#: functions without a result that could have a gradient: they run on the values
_BARE = (
    "array_equal array_equiv array_str array_repr array2string iscomplexobj "
    "isrealobj save savez savez_compressed savetxt shares_memory may_share_memory"
)


def _on_arrays(function: Function) -> Function:
    def run(*args: Any, **kwargs: Any) -> Any:
        bare = [a.numpy() if isinstance(a, Tensor) else a for a in args]
        named = {k: v.numpy() if isinstance(v, Tensor) else v for k, v in kwargs.items()}
        return function(*bare, **named)

    return run
