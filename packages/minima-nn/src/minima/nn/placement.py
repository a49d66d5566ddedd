"""Where tensors go: the arguments of `Module.to`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minima import Tensor, device
from minima.devices import Device
from minima.dtypes import DType, as_dtype, is_floating
from minima.errors import ArgumentError, DTypeError

__all__ = ["moved", "placement"]


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
