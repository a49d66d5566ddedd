"""Python numbers as inputs of operators, and inputs that lie on several devices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.mode import TAPE
from ..compiler.live import Live
from ..devices.base import Device
from ..dtypes import DType
from ..errors import DTypeError, MinimaError
from ..tensor import Tensor, wrap

__all__ = ["NUMBERS", "number", "on_one_device", "only_real", "scalar_tensor"]

#: the types of Python numbers that an operator takes in place of a Tensor
NUMBERS = (float, int, bool, complex, Live)


def only_real(name: str, *given: Any) -> None:
    """Raise for a complex Tensor.

    >>> import minima as mi
    >>> only_real("relu", mi.ones(2), None)
    """
    for t in given:
        if isinstance(t, Tensor) and t.dtype.kind == "c":
            raise DTypeError(
                f"{name}: got {t.dtype}{list(t.shape)}; expected real numbers: take "
                "the parts with mi.real and mi.imag, or the size with mi.abs"
            )


def on_one_device(name: str, given: tuple[Any, ...]) -> tuple[tuple[Any, ...], Device | None]:
    """Return the inputs with all Tensors on one device, and that device.

    Raises: DeviceError where they lie on several, unless all but one stand below it, in `vmap`.
    """
    device: Device | None = None
    several = False
    for t in given:
        if isinstance(t, Tensor):
            if device is None:
                device = t._device
            elif t._device is not device:
                several = True
                if t._device.stands_on(device):
                    device = t._device
    if several and device is not None:
        given = tuple(
            device.adopt(name, t) if isinstance(t, Tensor) and t._device is not device else t
            for t in given
        )
    return given, device


def number(value: Any) -> Any:
    """Return the Python number that *value*, a live or a NumPy one, stands for."""
    if type(value) is Live:
        return value.value
    return value.item() if isinstance(value, np.generic) else value


def scalar_tensor(name: str, value: Any, dtype: DType, device: Device | None) -> Tensor:
    """Return a Python number as a 0-d Tensor of *dtype*."""
    from ..devices import CPU

    device = device or CPU
    if device.base is not None:
        return device.adopt(name, scalar_tensor(name, value, dtype, device.base))  # type: ignore[no-any-return]
    try:
        array = device.scalar(number(value), dtype)
    except MinimaError:  # of the device, which has said what is wrong
        raise
    except (OverflowError, ValueError, TypeError) as error:
        raise DTypeError(
            f"{name}: the number {value!r} does not fit into {dtype} ({error}); "
            "cast the tensor first with .astype(...)"
        ) from None
    tape = TAPE.get()
    if tape is not None:
        live = type(value) is Live
        name, attrs = ("scalar", {"value": value}) if live else ("constant", {"values": array})
        tape.launch(name, (), attrs, array, device)
    return wrap(array, device)
