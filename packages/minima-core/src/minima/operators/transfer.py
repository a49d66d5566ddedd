"""Moving tensors between devices."""

from __future__ import annotations

from typing import Any

from ..autograd.mode import GRAD, TAPE
from ..devices import Device
from ..tensor import Tensor, wrap
from .table import Array, Operator

__all__ = ["transfer"]


def transfer_reference(
    xp: Any, x: Array, device: Device, source: Device, non_blocking: bool = False
) -> Any:
    """Return a copy on another device; no kernel, since two devices take part."""
    return device.receive(x, source, non_blocking=non_blocking)


_ENTRY: Operator[Any] = Operator(transfer_reference, promotes=False, floating=False, view=False)


def transfer_gradient(
    g: Tensor, y: Any, x: Any, device: Device, source: Device, non_blocking: bool
) -> Tensor:
    """Move the gradient back to where x lies."""
    return transfer(g, source)


_ENTRY.gradient(transfer_gradient, saves="")


def transfer(x: Tensor, device: Device, *, non_blocking: bool = False) -> Tensor:
    """Return a copy of x on *device*; gradients flow back to the device of x.

    With *non_blocking* the copy may still run when the call returns, where *device* can do that.

    >>> import minima as mi
    >>> mi.operators.transfer(mi.Tensor([1.0]), mi.device("cpu"))
    Tensor([1.])
    """
    attrs: dict[str, Any] = {"device": device, "source": x._device, "non_blocking": non_blocking}
    tape = TAPE.get()
    if tape is not None:
        tape.fail("a tensor moves to another device")
    y = transfer_reference(None, x._array, **attrs)
    if x._node is None or not GRAD.get():
        return wrap(y, device)
    return _ENTRY.record((x,), (x._array,), attrs, y, device)
