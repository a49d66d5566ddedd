"""A device without hardware: minima's reference kernels run on buffers of a class of its own."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from minima.devices import Device
from minima.errors import DeviceUnavailableError

__all__ = ["ToyArray", "ToyDevice", "ToyNamespace", "open_toy"]


class ToyArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Numbers in the toy's memory; what is computed with them stays there."""

    def __init__(self, memory: npt.NDArray[Any]) -> None:
        self.memory = memory

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        return on_toy(getattr(ufunc, method))(*inputs, **options)

    def __getitem__(self, index: Any) -> Any:
        return on_toy(self.memory.__getitem__)(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        on_toy(self.memory.__setitem__)(index, value)

    def __int__(self) -> int:
        return int(self.memory)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # __array__ would let NumPy reach into the toy's memory
            raise AttributeError(name)
        found = getattr(self.memory, name)
        return on_toy(found) if callable(found) else to_toy(found)


class ToyNamespace:
    """The functions of NumPy, those of ``linalg`` and ``fft`` too, on ToyArrays."""

    def __init__(self, module: Any = np) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if isinstance(found, ModuleType):
            return ToyNamespace(found)
        if isinstance(found, type | np.ufunc) or not callable(found):
            return found  # a ufunc finds its way by __array_ufunc__
        return on_toy(found)


def on_toy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the NumPy *function* as one of the toy's: ToyArrays in, ToyArrays out."""

    def run(*inputs: Any, **options: Any) -> Any:
        named = {name: from_toy(value) for name, value in options.items()}
        return to_toy(function(*from_toy(inputs), **named))

    return run


def to_toy(value: Any) -> Any:
    """Return arrays in *value* as ToyArrays."""
    if isinstance(value, tuple):
        return tuple(to_toy(part) for part in value)
    return ToyArray(np.asarray(value)) if isinstance(value, np.ndarray | np.generic) else value


def from_toy(value: Any) -> Any:
    """Return ToyArrays in *value* as arrays."""
    if isinstance(value, list | tuple):
        return type(value)(from_toy(part) for part in value)
    return value.memory if isinstance(value, ToyArray) else value


class ToyDevice(Device):
    """The device: how numbers get in and out; all else is the namespace's."""

    def __init__(self) -> None:
        super().__init__("toy", xp=ToyNamespace(), buffer=ToyArray)

    def from_host(self, array: npt.NDArray[Any]) -> ToyArray:
        """Return a copy of *array* in the toy's memory."""
        return ToyArray(array.copy())

    def to_host(self, buffer: Any) -> npt.NDArray[Any]:
        """Return a copy of *buffer* in the host's memory."""
        return np.array(from_toy(buffer))

    def shares(self, a: ToyArray, b: ToyArray) -> bool:
        """Say whether *a* and *b* may be views of the same memory."""
        return bool(np.may_share_memory(a.memory, b.memory))


def open_toy(index: int | None = None) -> ToyDevice:
    """Return the toy, or say why it cannot be used, as a device with hardware would."""
    if index:
        raise DeviceUnavailableError(f"no toy device {index}: the only one is toy:0")
    return ToyDevice()
