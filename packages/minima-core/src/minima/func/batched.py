"""The device that stands for a batch: its buffers are Tensors of a device below, with an axis more.

Operators see the shapes of one element. A kernel of this device is a rule that runs operators on
the Tensors with the batch axis, which always is the first; so gradients are recorded within, in
the shapes of one element, and outside, and a batch may consist of batches.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from ..autograd.mode import TAPE
from ..devices import Device, Kernel, Kernels
from ..errors import ArgumentError, DeviceError, DTypeError, KernelMissingError
from ..operators.creation import made
from ..operators.scalars import scalar_tensor
from ..random import default_generator
from ..tensor import Tensor, wrap

__all__ = ["CURRENT", "Batched", "BatchedDevice", "level", "lifted", "tracked"]


#: the device of the innermost vmap that runs
CURRENT: ContextVar[BatchedDevice | None] = ContextVar("minima_vmap", default=None)


class Batched:
    """A buffer of a `BatchedDevice`: *outer* has the batch axis in front if *mapped*, else none.

    *shared* says that other buffers, or tensors outside, stand for the same memory.
    """

    __slots__ = ("dtype", "mapped", "outer", "shape", "shared")

    def __init__(self, outer: Tensor, mapped: bool, shared: bool = False) -> None:
        self.outer, self.mapped, self.shared = outer, mapped, shared
        self.shape = outer.shape[1:] if mapped else outer.shape
        self.dtype = outer.dtype

    @property
    def ndim(self) -> int:
        """Number of axes of one element."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values of one element."""
        total = 1
        for n in self.shape:
            total *= n
        return total

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Never:
        raise _unreadable()


def _unreadable() -> DTypeError:
    return DTypeError(
        "vmap: a value was asked for (numpy(), item(), bool(), an index, printing): within vmap a "
        "tensor stands for a whole batch; use mi.where in place of 'if', pass a tensor that is "
        "indexed through vmap with in_axes=None, or read values outside of vmap"
    )


class BatchedKernels(Kernels):
    """Makes, of each name, the kernel that runs the rule for it."""

    def __init__(self, name: str, rule: Callable[[str], Kernel]) -> None:
        super().__init__(name, None, {})
        self.rule = rule

    def __missing__(self, name: str) -> Kernel:
        kernel = self[name] = self.rule(name)
        return kernel


class BatchedDevice(Device):
    """*size* elements at once on *base*; *randomness* is ``error``, ``same`` or ``different``."""

    base: Device

    def __init__(
        self,
        size: int,
        base: Device,
        randomness: str,
        rule: Callable[[BatchedDevice, str], Kernel],
    ) -> None:
        super().__init__(f"vmap({base})", buffer=Batched)
        self.length, self.base, self.randomness = size, base, randomness
        self.depth: int = getattr(base, "depth", 0) + 1
        self.kernels = BatchedKernels(self.name, lambda name: rule(self, name))

    def wrap(self, outer: Tensor, mapped: bool) -> Tensor:
        """Return the Tensor of this device over *outer*, which others see too."""
        return wrap(Batched(outer, mapped, True), self)

    def adopt(self, operation: str, tensor: Tensor) -> Tensor:
        """Return *tensor*, of a device that this one stands on, as the same for each element."""
        if level(tensor._device) >= self.depth:
            raise DeviceError(
                f"{operation}: got a tensor of another vmap, {tensor._device}, which has ended or "
                "is further in; return it from its function instead"
            )
        if self.base is not tensor._device:
            tensor = self.base.adopt(operation, tensor)
        return self.wrap(tensor, False)

    def from_host(self, array: npt.NDArray[Any]) -> Any:
        """Return *array* as the same for each element."""
        return Batched(made(array, self.base), False)

    def to_host(self, buffer: Any) -> npt.NDArray[Any]:
        """Return the values of what is the same for each element; raise for all else."""
        if buffer.mapped:
            raise _unreadable()
        host: npt.NDArray[Any] = buffer.outer.numpy()
        return host

    def as_buffer(self, value: Any) -> Any:
        """Return *value*: rules return buffers."""
        return value

    def scalar(self, value: complex, dtype: Any) -> Any:
        """Return a number as the same for each element."""
        return Batched(scalar_tensor("vmap", value, dtype, self.base), False)

    def write(self, target: Any, index: Any, value: Any) -> None:
        """Replace the Tensor of *target*, a buffer that nobody else sees, by one with *value*.

        Raises: KernelMissingError for memory of an argument, of a view, or from outside of vmap.
        """
        if target.shared:
            raise KernelMissingError(
                "vmap: an argument, a view or what has one, or a tensor from outside is changed in "
                "place within vmap; make a new one instead (x = x + 1, x = x.clone(), "
                "mi.operators.put(x, value, index)), or do it outside of vmap"
            )
        parts = index if isinstance(index, tuple) else (index,)
        new = self.kernels["put"](target, value, index=parts)
        target.outer, target.mapped = new.outer, new.mapped

    def shares(self, a: Any, b: Any) -> bool:
        """Say that no two buffers share memory: what does is not written."""
        return False

    def source(self, seed: Any) -> Any:
        """Return a source that draws from the device below; *seed* does not count."""
        return _Source(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


class _Source:
    """Random numbers from the generator of the device below, as many as `randomness` asks for."""

    def __init__(self, device: BatchedDevice) -> None:
        self.device = device

    @property
    def bit_generator(self) -> Any:
        """The state of the stream below, which `checkpoint` keeps and restores."""
        return self._below().bit_generator

    def _below(self) -> Any:
        return default_generator(self.device.base)._source

    def _drawn(self, shape: tuple[int, ...], draw: Callable[[tuple[int, ...]], Any]) -> Batched:
        device = self.device
        if device.randomness == "error":
            raise ArgumentError(
                "vmap: random numbers are drawn; pass randomness='different' for others in each "
                "element of the batch, or 'same'"
            )
        tape = TAPE.get()
        if tape is not None:
            tape.fail("random numbers are drawn within vmap")
        different = device.randomness == "different"
        drawn = draw((device.length, *shape) if different else shape)
        return Batched(wrap(device.base.as_buffer(drawn), device.base), different)

    def random(self, shape: Any, dtype: Any) -> Batched:
        """Return numbers from [0, 1)."""
        return self._drawn(shape, lambda s: self._below().random(s, dtype=dtype))

    def standard_normal(self, shape: Any, dtype: Any) -> Batched:
        """Return normally distributed numbers."""
        return self._drawn(shape, lambda s: self._below().standard_normal(s, dtype=dtype))

    def integers(self, low: int, high: int, shape: Any) -> Batched:
        """Return integers from *low* to *high* - 1."""
        return self._drawn(shape, lambda s: self._below().integers(low, high, s))

    def permutation(self, n: int) -> np.ndarray[Any, Any]:
        """Return an order, the same for each element."""
        if self.device.randomness != "same":
            raise ArgumentError("vmap: permutation() gives one order; pass randomness='same'")
        order: np.ndarray[Any, Any] = self._below().permutation(n)
        return order


def level(device: Device) -> int:
    """Return how many vmaps *device* lies within."""
    return getattr(device, "depth", 0)


def lifted(tensor: Tensor, operation: str) -> Tensor:
    """Return *tensor* as one of the innermost vmap that runs, where it lies below it."""
    device = CURRENT.get()
    if device is None or not device.stands_on(tensor._device):
        return tensor
    return device.adopt(operation, tensor)


def tracked(tensor: Tensor) -> bool:
    """Say whether *tensor*, or a Tensor that it stands for, is part of a graph."""
    if tensor._node is not None:
        return True
    array = tensor._array
    return isinstance(array, Batched) and tracked(array.outer)
