"""What a device is: buffers in and out of host memory, and one dict from operator to kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DeviceError, KernelMissingError
from ..late import Late

__all__ = ["Device", "Kernel", "Kernels"]

Kernel = Callable[..., Any]

#: operator name -> reference kernel ``(xp, *inputs, **attributes)``; filled by the operator table
REFERENCES: Late[Kernel] = Late()


class Kernels(dict[str, Kernel]):
    """The kernels of one device; a name that is absent runs the reference kernel over ``xp``."""

    def __init__(self, device: str, xp: Any, kernels: Mapping[str, Kernel]) -> None:
        super().__init__(kernels)
        self.device, self.xp = device, xp

    def __missing__(self, name: str) -> Kernel:
        if self.xp is None or name not in REFERENCES:
            raise KernelMissingError(
                f"{name}: device {self.device!r} has no kernel for it; add one with "
                f"device.register({name!r}, kernel), or move the inputs with .to('cpu')"
            )
        kernel = self[name] = partial(REFERENCES[name], self.xp)
        return kernel


class Device:
    """A place where tensors live and kernels run.

    A device whose buffers speak the Array API needs only *xp*, its namespace; kernels given in
    *kernels* win over the reference kernels. *writes* names the kernels that take ``out=``.
    Buffers have ``shape`` and ``dtype`` as NumPy arrays have.

    >>> import minima as mi
    >>> device = mi.device("cpu")
    >>> str(device), device.kernels["add"](np.ones(2), np.ones(2))
    ('cpu', array([2., 2.]))
    """

    def __init__(
        self,
        name: str,
        index: int | None = None,
        *,
        xp: Any = None,
        buffer: type = np.ndarray,
        kernels: Mapping[str, Kernel] | None = None,
        writes: Iterable[str] = (),
    ) -> None:
        self.name, self.index = name, index
        self.xp, self.buffer = xp, buffer
        self.kernels = Kernels(str(self), xp, kernels or {})
        self.writes = set(writes)

    #: the device below, where this one stands for a batch of its tensors (`minima.func.vmap`)
    base: Device | None = None

    def stands_on(self, other: Device) -> bool:
        """Say whether this device stands for batches of tensors of *other*."""
        return self.base is not None and (self.base is other or self.base.stands_on(other))

    def adopt(self, operation: str, tensor: Any) -> Any:
        """Return *tensor*, which lies on another device, as one of this device, for *operation*.

        Raises: DeviceError, since a tensor moves only when it is told to; a device that stands for
        a batch takes those of the device below.
        """
        inside = getattr(tensor.device, "base", None) is not None
        remedy = (
            "return what is from within vmap as a result, and make what it is written into with "
            "zeros_like"
            if inside
            else f"move one with .to('{self}')"
        )
        raise DeviceError(
            f"{operation}: inputs lie on {self} and {tensor.device}; expected one device: {remedy}"
        )

    def register(self, name: str, kernel: Kernel, *, out: bool = False) -> None:
        """Make *kernel* the kernel of operator *name*; *out* says that it takes ``out=``."""
        self.kernels[name] = kernel
        (self.writes.add if out else self.writes.discard)(name)

    def from_host(self, array: npt.NDArray[Any]) -> Any:
        """Return a buffer of this device with the values of *array* (may share its memory)."""
        return self.as_buffer(array)

    def to_host(self, buffer: Any) -> npt.NDArray[Any]:
        """Return the values of *buffer* as a NumPy array (may share its memory)."""
        return np.asarray(buffer)

    def receive(self, buffer: Any, source: Device, *, non_blocking: bool = False) -> Any:
        """Return a copy of *buffer* of the device *source*.

        *non_blocking* lets a device that can copy while Python goes on do so.
        """
        return self.from_host(source.to_host(buffer).copy())

    def as_buffer(self, value: Any) -> Any:
        """Return what a kernel returned as a buffer: a scalar becomes a 0-d buffer."""
        return self.xp.asarray(value)

    def scalar(self, value: complex, dtype: Any) -> Any:
        """Return the 0-d buffer of a Python number."""
        return self.from_host(np.array(value, dtype))

    def write(self, target: Any, index: Any, value: Any) -> None:
        """Assign the buffer *value*, broadcast, to ``target[index]`` in place."""
        target[index] = value

    def shares(self, a: Any, b: Any) -> bool:
        """Say whether the buffers *a* and *b* may lie over the same memory; empty ones never do."""
        return bool(np.may_share_memory(a, b))

    def to_dlpack(self, buffer: Any, **options: Any) -> Any:
        """Return the DLPack capsule of *buffer*; *options* are those of ``__dlpack__``."""
        return buffer.__dlpack__(**options)

    def from_dlpack(self, source: Any) -> Any:
        """Return a buffer over the memory that *source* has on this device."""
        return self.xp.from_dlpack(source)

    def source(self, seed: Any) -> Any:
        """Return a source of random numbers with the methods of ``numpy.random.Generator``."""
        return np.random.Generator(np.random.PCG64(seed))

    def synchronize(self) -> None:
        """Wait until all that was launched has finished."""

    def memory_stats(self) -> dict[str, int]:
        """Return what the device knows of its memory, in bytes; empty where it knows nothing."""
        return {}

    def __str__(self) -> str:
        return self.name if self.index is None else f"{self.name}:{self.index}"

    def __repr__(self) -> str:
        return f"device({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, Device | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))
