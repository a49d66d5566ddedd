"""Running a sample: as a user calls the operator, and as the operator calls its kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..autograd import grad
from ..devices import Device
from ..operators import COMPOSITES, TABLE, Operator
from ..tensor import Tensor, asarray
from .samples import Sample

__all__ = ["Launch", "arguments", "call", "gradients", "launch", "spread"]

Array = npt.NDArray[Any]


def arguments(
    sample: Sample,
    device: Device,
    dtype: npt.DTypeLike = np.float64,
    *,
    requires_grad: bool = False,
    layout: Callable[[Array, Device], Tensor] | None = None,
) -> list[Any]:
    """Return the inputs of *sample* as Tensors on *device*, those of a floating type as *dtype*.

    *layout* puts an array on the device; numbers and None stay as they are.
    """
    found: list[Any] = []
    for given in sample.arrays(dtype):
        if isinstance(given, np.ndarray):
            place = layout or _plain
            given = place(given, device)
            if requires_grad and given.dtype.kind == "f":
                given = given.detach().requires_grad_()
        found.append(given)
    return found


def _plain(array: Array, device: Device) -> Tensor:
    return asarray(array, device=device)


def spread(array: Array, device: Device) -> Tensor:
    """Return *array* on *device* as every other element of a larger one, axes reversed."""
    wide = np.zeros(
        (*array.shape[::-1][:-1], 2 * array.shape[0]) if array.ndim else (2,), array.dtype
    )
    wide[..., ::2] = array.T
    if not array.ndim:
        return asarray(wide, device=device)[0]
    part = asarray(wide, device=device)[..., ::2]
    return part.permute(*range(array.ndim)[::-1])


def call(sample: Sample, given: list[Any]) -> Tensor:
    """Call the operator, or composed function, with inputs *given*."""
    function: Any = COMPOSITES.get(sample.operator)
    entry = TABLE[sample.operator] if function is None else function
    function = function or entry.function
    given = [given] if entry.variadic else given
    found = function(*given, **sample.attrs)
    return found if isinstance(found, Tensor) else found[sample.output]


def gradients(sample: Sample, given: list[Any]) -> list[Tensor | None]:
    """Return, for each input, the gradient of the output's sum, or None where it has none."""
    out = call(sample, given)
    leaves = [t for t in given if isinstance(t, Tensor) and t.requires_grad]
    ones = asarray(np.ones(out.shape, out.dtype), device=out.device)
    found = iter(grad(out, leaves, ones, allow_unused=True))
    return [next(found) if isinstance(t, Tensor) and t.requires_grad else None for t in given]


@dataclass(frozen=True)
class Launch:
    """A kernel of a device, and what it is called with."""

    entry: Operator[Any]
    device: Device
    inputs: tuple[Any, ...]
    attrs: dict[str, Any]

    @property
    def buffers(self) -> list[Any]:
        """The buffers of the inputs, None for one left out."""
        return [None if t is None else t._array for t in self.inputs]

    def run(self, **more: Any) -> Any:
        """Run the kernel and return what it returns, as a buffer."""
        kernel = self.device.kernels[self.entry.name]
        given = [tuple(self.buffers)] if self.entry.variadic else self.buffers
        return self.device.as_buffer(kernel(*given, **self.attrs, **more))

    def host(self) -> list[Array]:
        """Return copies of the inputs in host memory."""
        return [np.array(self.device.to_host(b)) for b in self.buffers if b is not None]


def launch(sample: Sample, device: Device, dtype: npt.DTypeLike = np.float64) -> Launch:
    """Return the launch that the operator makes for *sample*."""
    entry = TABLE[sample.operator]
    given = arguments(sample, device, dtype)
    bound, attrs = entry.bind((given,) if entry.variadic else tuple(given), sample.attrs)
    inputs = entry.tensors(bound)
    if entry.preparation is not None:
        attrs = entry.preparation(*([inputs] if entry.variadic else inputs), **attrs)
    return Launch(entry, device, inputs, attrs)
