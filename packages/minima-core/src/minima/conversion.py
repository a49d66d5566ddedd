"""Tensors of what is none yet: numbers, nested lists, arrays and buffers of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .autograd.mode import TAPE
from .devices import Device
from .devices import device as find_device
from .dtypes import DType, as_dtype, promote, weaken
from .errors import ArgumentError, DTypeError, MinimaError
from .tensor import Tensor, wrap

if TYPE_CHECKING:
    from . import operators as ops  # at run time `minima.tensor` puts it here, once it exists
    from .tensor import TensorLike

__all__ = ["as_tensor", "asarray", "check_range", "convert"]


def as_tensor(
    value: TensorLike, *, device: str | Device | None = None, operation: str = "asarray"
) -> Tensor:
    """Return *value* as a Tensor, itself if it is one; arrays share their memory."""
    return value if isinstance(value, Tensor) else convert(operation, value, None, device)


def asarray(
    obj: TensorLike,
    dtype: npt.DTypeLike | None = None,
    device: str | Device | None = None,
    copy: bool | None = None,
) -> Tensor:
    """Return *obj* as a Tensor, sharing memory where possible unless *copy* is True.

    *obj* is a number, nested sequences of numbers and tensors, a Tensor, or anything that NumPy
    reads: arrays, buffers, objects with ``__array__`` or ``__dlpack__``. A Tensor stays part of the
    graph. Dtype: that of *obj*; of Python numbers float32, complex64, int64 or bool.

    Raises: DTypeError for data that no tensor can hold; ArgumentError when *copy* is False and
    one is needed.

    >>> import minima as mi
    >>> a = np.zeros(2, "float32")
    >>> t = mi.asarray(a)
    >>> a[0] = 5
    >>> t
    Tensor([5., 0.])
    """
    if isinstance(obj, Tensor):
        out = obj if dtype is None else obj.astype(dtype)
        out = out if device is None else out.to_device(device)
        if copy is False and out is not obj:
            raise ArgumentError("asarray: copy=False, but another dtype or device needs a copy")
        return ops.copy(out) if copy and out is obj else out
    if hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
        from .dlpack import from_dlpack

        return asarray(from_dlpack(obj), dtype, device, copy)
    return convert("asarray", obj, dtype, device, copy=bool(copy), never=copy is False)


def convert(
    operation: str,
    data: Any,
    dtype: npt.DTypeLike | None,
    device: str | Device | None,
    copy: bool = False,
    never: bool = False,
) -> Tensor:
    """Return *data* as a Tensor outside of any graph; *never* forbids to copy what is an array."""
    tape = TAPE.get()
    if tape is not None:
        if isinstance(data, Tensor) and (device is None or find_device(device) is data._device):
            out = data.detach() if dtype is None else data.detach().astype(dtype)
            return ops.copy(out) if copy and out._array is data._array else out
        if type(data) in (int, float, bool, complex):
            return ops.full((), data, dtype=dtype, device=device)
        tape.fail(f"{operation} brings data in from outside; pass it as an argument")
    if isinstance(data, Tensor):
        target = data._device if device is None else find_device(device)
        array = data._array if target is data._device else data.numpy()
        if dtype is not None or copy or target is not data._device:
            array = np.array(data.numpy(), dtype=None if dtype is None else as_dtype(dtype))
            array = target.from_host(array)
        return wrap(array, target)
    target = find_device(device)
    try:
        source = data if isinstance(data, np.ndarray) else np.asarray(_plain(data))
    except MinimaError:
        raise
    except (ValueError, TypeError, RuntimeError) as error:
        raise DTypeError(
            f"{operation}: cannot make a tensor of {type(data).__name__}: {error}"
        ) from None
    if type(source) is not np.ndarray and np.ma.is_masked(source):
        raise DTypeError(
            f"{operation}: got a masked array, whose mask a tensor cannot keep; expected its "
            "data, as of a.filled(0)"
        )
    if dtype is not None:
        chosen = as_dtype(dtype)
    elif isinstance(data, np.ndarray | np.generic) or source.dtype.kind not in "fc":
        chosen = source.dtype
    elif isinstance(data, list | tuple):
        chosen = _chosen(data, source.dtype.kind)
    else:
        chosen = weaken(None, 1.0 if source.dtype.kind == "f" else 1j)
    wide = chosen.char in "gG" and chosen.itemsize > (8 if chosen.char == "g" else 16)
    if wide or chosen.kind not in "biufcV" or source.dtype.kind not in "biufcV":
        raise DTypeError(
            f"{operation}: cannot make a tensor of {type(data).__name__} with elements of type "
            f"{source.dtype}; expected numbers or bools, in equally long rows"
        )
    if not isinstance(data, np.ndarray) and source.dtype != chosen:
        check_range(operation, source, chosen)
    if chosen.kind == "V":
        chosen = as_dtype(chosen)  # bfloat16, or none that a tensor can have
    if not chosen.isnative:
        chosen = chosen.newbyteorder("=")
    moves = source.dtype != chosen or not isinstance(data, np.ndarray)
    if never and moves:
        raise ArgumentError(f"{operation}: copy=False, but {type(data).__name__} needs a copy")
    array = np.array(source, dtype=chosen, copy=True if copy else None)
    return wrap(target.from_host(array), target)


def check_range(operation: str, source: npt.NDArray[Any], dtype: DType) -> None:
    """Raise where Python's numbers do not fit into *dtype*."""
    if source.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{operation}: complex numbers do not fit into {dtype}; take their parts")
    if dtype.kind not in "iu" or not source.size:
        return
    limits = np.iinfo(dtype)
    low, high = np.asarray([source.min(), source.max()]).tolist()  # Python's compare exactly
    if not (limits.min <= low and high <= limits.max):
        raise DTypeError(
            f"{operation}: got numbers from {low} to {high}, which do not fit "
            f"into {dtype}: it holds {limits.min} to {limits.max}; give another dtype"
        )


def _plain(data: Any) -> Any:
    """Replace Tensors within nested lists by their arrays."""
    if isinstance(data, Tensor):
        return data.numpy()
    if isinstance(data, list | tuple):
        return [_plain(x) for x in data]
    return data


def _chosen(data: Any, kind: str) -> DType:
    """Return the dtype of nested lists with numbers of *kind*: arrays count, Python's are weak."""
    found = None
    stack = [data]
    while stack:
        for x in stack.pop():
            if isinstance(x, list | tuple):
                stack.append(x)
            elif not isinstance(x, int | float | complex) or isinstance(x, np.generic):
                dtype = getattr(x, "dtype", None)
                if isinstance(dtype, np.dtype):
                    found = dtype if found is None else promote(found, dtype)
    if found is not None and found.kind in (kind, "c", "V"):
        return found
    return weaken(found, 1.0 if kind == "f" else 1j)
