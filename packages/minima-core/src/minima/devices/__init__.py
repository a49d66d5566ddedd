"""Devices: where tensors live. The cpu is built in; others come through the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType

from ..errors import DeviceError
from .base import Device, Kernel, Kernels
from .cpu import CPU

__all__ = ["CPU", "Device", "Kernel", "KernelSet", "Kernels", "device", "opened", "use_kernels"]

_opened: dict[str, Device] = {"cpu": CPU}


def opened() -> list[Device]:
    """Return the devices that are in use, each once.

    >>> from minima.devices import opened
    >>> mi.device("cpu") in opened()
    True
    """
    return list({id(device): device for device in _opened.values()}.values())


def device(name: str | Device | None = None) -> Device:
    """Return the device called *name*: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; None is the cpu.

    Raises: DeviceError when no device has that name, DeviceUnavailableError, with the reason,
    when it has one that cannot be used on this machine.

    >>> import minima as mi
    >>> mi.device("cpu")
    device('cpu')
    """
    if name is None:
        return CPU
    if isinstance(name, Device):
        return name
    try:
        found = _opened.get(name)
    except TypeError:  # a list, say
        found = None
    return found if found is not None else _open(name)


def _open(name: str) -> Device:
    from .. import registry

    if not isinstance(name, str):
        raise DeviceError(f"device: got {name!r}; expected a name such as 'cpu' or 'cuda:0'")
    family, _, number = name.partition(":")
    if number and not number.isdecimal():
        raise DeviceError(f"device: got {name!r}; expected NAME or NAME:INDEX, as in 'cuda:0'")
    if family == "cpu" and number in ("", "0"):
        return CPU
    if family == "cpu" or family not in registry.names("device"):
        known = ", ".join(sorted({"cpu", *registry.names("device")}))
        hint = "; for an NVIDIA GPU: pip install minima-cuda" if family == "cuda" else ""
        raise DeviceError(f"device: there is no device {name!r} here; known: {known}{hint}")
    opened: Device = registry.lookup("device", family)(int(number) if number else None)
    return _opened.setdefault(name, _opened.setdefault(str(opened), opened))


class KernelSet:
    """Kernels that a plugin offers for one device, activated by `use_kernels`.

    *kernels* maps operator names to callables with the reference kernel's arguments, without
    ``xp``; *writes* names those that take ``out=``.
    """

    __slots__ = ("device", "kernels", "writes")

    def __init__(
        self, device: str, kernels: Mapping[str, Kernel], writes: Iterable[str] = ()
    ) -> None:
        self.device, self.kernels, self.writes = device, kernels, tuple(writes)

    def __repr__(self) -> str:
        return f"KernelSet({self.device!r}, {sorted(self.kernels)})"


def _kernel_set(name: str) -> KernelSet:
    from .. import registry

    found: KernelSet = registry.lookup("kernels", name)
    return found


class use_kernels:
    """Run the kernels of a `KernelSet` instead of the device's own, until removed.

    *kernels* is a set or the name under which a plugin registered one. Works as a context
    manager too.

    >>> import minima as mi
    >>> loud = mi.KernelSet("cpu", {"negative": lambda x: -x * 10})
    >>> with mi.use_kernels(loud):
    ...     print(-mi.Tensor([1.0]))
    Tensor([-10.])
    >>> print(-mi.Tensor([1.0]))
    Tensor([-1.])
    """

    def __init__(self, kernels: KernelSet | str) -> None:
        chosen = _kernel_set(kernels) if isinstance(kernels, str) else kernels
        self._device = device(chosen.device)
        self._before = {name: self._device.kernels.get(name) for name in chosen.kernels}
        self._wrote = self._device.writes & set(chosen.kernels)
        for name, kernel in chosen.kernels.items():
            self._device.register(name, kernel, out=name in set(chosen.writes))

    def remove(self) -> None:
        """Put the kernels back that were there before."""
        for name, kernel in self._before.items():
            if kernel is None:
                self._device.kernels.pop(name, None)
                self._device.writes.discard(name)
            else:
                self._device.register(name, kernel, out=name in self._wrote)
        self._before = {}

    def __enter__(self) -> use_kernels:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.remove()
