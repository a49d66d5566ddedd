"""Where tensors go: the arguments of `Module.to`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy.typing as npt

from minima import Tensor, device
from minima.devices import Device
from minima.dtypes import DType, as_dtype, is_floating
from minima.errors import ArgumentError, DTypeError

from .parameter import adopt
from .traversal import Traversal

__all__ = ["Placed", "moved", "placement"]


def placement(
    owner: str, where: Sequence[Any], to_device: Any = None, to_dtype: Any = None
) -> tuple[Device | None, DType | None]:
    """Sort what `to` was given into a device and a floating dtype; None stands for "as it is".

    Raises: DeviceError, DTypeError for what there is not, ArgumentError for two of one kind.

    >>> placement("Linear", ["float64"])
    (None, dtype('float64'))
    """
    devices = [] if to_device is None else [device(to_device)]
    dtypes = [] if to_dtype is None else [as_dtype(to_dtype)]
    for item in where:
        if isinstance(item, Tensor):
            devices.append(item.device)
            dtypes.append(item.dtype)
            continue
        kind = None if isinstance(item, Device) else _dtype(item)
        if kind is None:
            devices.append(device(item))
        else:
            dtypes.append(kind)
    if len(devices) > 1 or len(dtypes) > 1:
        raise ArgumentError(
            f"{owner}: to() got {len(devices)} devices and {len(dtypes)} dtypes; expected at most "
            "one of each"
        )
    if dtypes and not is_floating(dtypes[0]):
        raise DTypeError(f"{owner}: to() got dtype {dtypes[0]}; expected a floating type")
    return (devices[0] if devices else None), (dtypes[0] if dtypes else None)


def _dtype(item: Any) -> DType | None:
    try:
        return as_dtype(item)
    except DTypeError:
        return None


def moved(tensor: Tensor, to_device: Device | None, dtype: DType | None) -> Tensor:
    """Return *tensor*, detached, on that device and, if it is floating, of that dtype."""
    result = tensor.detach()
    if to_device is not None and result.device is not to_device:
        result = result.to(to_device)
    if dtype is not None and is_floating(result.dtype) and result.dtype != dtype:
        result = result.astype(dtype)
    return result


class Placed(Traversal):
    """The part of `Module` that moves it."""

    __slots__ = ()

    def to(self, *where: Any, device: Any = None, dtype: npt.DTypeLike | None = None) -> Self:
        """Move every parameter and buffer to a device, and the floating ones to a dtype.

        *where* is a device, a dtype or both, or a Tensor that has these. Parameters stay the same
        objects, gradients move along.

        Raises: DeviceError, DTypeError for what there is not, or for a dtype that is no floating
        type.

        >>> mi.nn.Linear(2, 1).to("float64").weight.dtype
        dtype('float64')
        """
        target, kind = placement(type(self).__name__, where, device, dtype)
        tensors: list[Tensor] = [*self.parameters(), *self.buffers()]
        for tensor in tensors:
            adopt(tensor, moved(tensor, target, kind))
            if tensor.grad is not None:
                tensor.grad = moved(tensor.grad, target, kind)
        return self

    def half(self) -> Self:
        """Bring every floating parameter and buffer to float16.

        >>> mi.nn.Linear(2, 1).half().weight.dtype
        dtype('float16')
        """
        return self.to(dtype="float16")

    def float(self) -> Self:
        """Bring every floating parameter and buffer to float32.

        >>> mi.nn.Linear(2, 1).float().weight.dtype
        dtype('float32')
        """
        return self.to(dtype="float32")

    def double(self) -> Self:
        """Bring every floating parameter and buffer to float64.

        >>> mi.nn.Linear(2, 1).double().weight.dtype
        dtype('float64')
        """
        return self.to(dtype="float64")

    def bfloat16(self) -> Self:
        """Bring every floating parameter and buffer to bfloat16.

        >>> mi.nn.Linear(2, 1).bfloat16().weight.dtype
        dtype(bfloat16)
        """
        return self.to(dtype="bfloat16")

    def type(self, dst_type: npt.DTypeLike) -> Self:
        """Bring every floating parameter and buffer to a dtype; as ``to(dtype=dst_type)``.

        >>> mi.nn.Linear(2, 1).type(mi.float64).weight.dtype
        dtype('float64')
        """
        return self.to(dtype=dst_type)

    def cpu(self) -> Self:
        """Move every parameter and buffer to the cpu.

        >>> mi.nn.Linear(2, 1).cpu().weight.device
        device('cpu')
        """
        return self.to(device="cpu")

    def cuda(self, device: int | str | Device | None = None) -> Self:
        """Move every parameter and buffer to the GPU, or to that of a number.

        Raises: DeviceError where there is none, which says what to install.

        >>> try:
        ...     layer = mi.nn.Linear(2, 1).cuda()
        ... except mi.DeviceError:
        ...     layer = mi.nn.Linear(2, 1).cpu()
        """
        if isinstance(device, int):
            device = f"cuda:{device}"
        return self.to(device="cuda" if device is None else device)
