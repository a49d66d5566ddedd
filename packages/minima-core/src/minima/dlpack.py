"""Tensors over the memory of other libraries, by the DLPack protocol."""

from __future__ import annotations

from typing import Any

from .autograd.mode import TAPE
from .devices import Device
from .devices import device as find_device
from .dtypes import as_dtype
from .errors import ArgumentError, DeviceError, DTypeError, ExportError
from .tensor import Tensor, wrap

__all__ = ["from_dlpack"]

#: the protocol's numbers of kinds of memory -> the device; pinned host memory is host memory
_DEVICES = {1: "cpu", 2: "cuda:{}", 3: "cpu", 13: "cuda:{}"}


def from_dlpack(
    source: Any, *, device: str | Device | None = None, copy: bool | None = None
) -> Tensor:
    """Return a Tensor over the memory of *source*, an array of any library that speaks DLPack.

    Nothing is copied, unless *copy* is True or *device* is another than that of *source*: a
    change of one shows in the other. A Tensor gives its memory away in the same manner, as in
    ``np.from_dlpack(t)``.

    Raises: DTypeError for an object without ``__dlpack__`` or of a type that no tensor can
    have, DeviceError for memory on a device that minima does not know, ArgumentError when *copy*
    is False and *device* needs one.

    >>> import minima as mi
    >>> a = np.zeros(2, "float32")
    >>> t = mi.from_dlpack(a)
    >>> a[0] = 5
    >>> t
    Tensor([5., 0.])
    >>> np.shares_memory(np.from_dlpack(t), a)
    True
    """
    tape = TAPE.get()
    if tape is not None:
        tape.fail("from_dlpack brings data in from outside; pass it as an argument")
    if not (hasattr(source, "__dlpack__") and hasattr(source, "__dlpack_device__")):
        raise DTypeError(
            f"from_dlpack: got {type(source).__name__}; expected an array with __dlpack__ and "
            "__dlpack_device__, as NumPy, CuPy, PyTorch and JAX have them"
        )
    kind, index = source.__dlpack_device__()
    if int(kind) not in _DEVICES:
        known = ", ".join(map(str, _DEVICES))
        raise DeviceError(
            f"from_dlpack: the array lies on a device of kind {int(kind)}; expected one of {known}"
        )
    place = find_device(_DEVICES[int(kind)].format(index))
    target = place if device is None else find_device(device)
    if copy is False and target is not place:
        raise ArgumentError(
            f"from_dlpack: copy=False, but the array lies on {place} and moving it to {target} is "
            "a copy"
        )
    try:
        array = place.from_dlpack(source)
    except (BufferError, RuntimeError) as error:
        raise ExportError(
            f"from_dlpack: {error}; got {type(source).__name__}; expected an array of numbers or "
            "bools that may be shared"
        ) from error
    as_dtype(array.dtype)
    if target is not place:
        return wrap(target.receive(array, place), target)
    return wrap(place.kernels["copy"](array) if copy else array, place)
