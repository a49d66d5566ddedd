"""Changing a tensor in place: its memory is written and its version counted.

While gradients are recorded the tensor becomes the result of the operation that changed it; the
gradients of what was computed from it before stay right or, where they need the old values, raise.
"""

from __future__ import annotations

from typing import Any, TypeVar

from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF
from ..compiler.live import Live
from ..compiler.tape import plain
from ..devices import Device
from ..errors import AutogradError, DeviceError, DTypeError, ShapeError
from ..tensor import Tensor, as_tensor, bump, wrap
from .indexing import put
from .table import TABLE, scalar_tensor

__all__ = ["assign", "in_place"]

T = TypeVar("T")


def in_place(name: str, target: T, *others: Any, **attrs: Any) -> T:
    """Run the operator *name* on *target* and *others* and write the result into *target*.

    Raises: AutogradError on a leaf that requires grad while gradients are recorded, or on a
    tensor with views that are alive; ShapeError, DTypeError when the result does not fit.

    >>> import minima as mi
    >>> t = mi.Tensor([1.0, 2.0])
    >>> mi.operators.in_place("add", t, 1)
    Tensor([2., 3.])
    """
    if not isinstance(target, Tensor):
        raise DTypeError(f"{name}: got {type(target).__name__}; expected a Tensor to change")
    operator = TABLE[name]
    if _recorded(name, target, others):
        before = _before(target, operator.save_inputs[0])
        out = operator.function(before, *others, **attrs)
        _fits(name, target, out)
        write(target._device, target._array, ..., out._array)
        target._node = out._node
        bump(target)
        return target
    if not _quick(operator, target, others, attrs):
        token = GRAD.set(False)
        try:
            out = operator.function(target, *others, **attrs)
        finally:
            GRAD.reset(token)
        _fits(name, target, out)
        write(target._device, target._array, ..., out._array)
    bump(target)
    return target


def assign(target: Tensor, index: Any, value: Any) -> None:
    """Write *value*, broadcast and cast to the dtype of *target*, at ``target[index]``.

    Gradients flow to *value* and to what was not overwritten.

    >>> import minima as mi
    >>> t = mi.zeros(3)
    >>> t[1:] = mi.Tensor([1.0, 2.0])
    >>> t
    Tensor([0., 1., 2.])
    """
    device = target._device
    if isinstance(value, Tensor):
        if value._device is not device:
            raise DeviceError(
                f"assign: the value lies on {value._device}, the target on {device}; "
                f"move it with .to('{device}')"
            )
        given = value
    else:
        given = as_tensor(value, device=device, operation="assign")
    if given.dtype != target.dtype:
        if given.dtype.kind == "c" and target.dtype.kind != "c":
            raise DTypeError(f"assign: cannot write {given.dtype} into {target.dtype}")
        given = given.astype(target.dtype)
    if _recorded("assign", target, (given,)):
        out = put(_before(target, False), given, index)
        write(device, target._array, ..., out._array)
        target._node = out._node
    else:
        attrs = put.entry.preparation(target, given, index)  # type: ignore[misc]
        try:
            write(device, target._array, attrs["index"], given._array)
        except Exception as error:
            raise put.entry.explain(error, (target, given), {"index": index}) from error
    bump(target)


def _recorded(name: str, target: Tensor, others: tuple[Any, ...]) -> bool:
    """Say whether the change must be recorded, and raise where it cannot be."""
    if not GRAD.get():
        return False
    if target._node is None and all(not isinstance(t, Tensor) or t._node is None for t in others):
        return False
    if target._node is LEAF:
        raise AutogradError(
            f"{name}: cannot change in place a leaf that requires grad while gradients are "
            "recorded; do it inside 'with mi.no_grad():', or make a new tensor"
        )
    version = target._version
    if version is not None and version.views:
        raise AutogradError(
            f"{name}: cannot record an in-place change of memory that views share "
            f"({len(version.views)} of them are alive); change a copy (x = x.clone()), or write "
            "x = x + 1 instead of x += 1"
        )
    return True


def _before(target: Tensor, copied: bool) -> Tensor:
    """Return *target* as it is now: what the recorded operation takes as its input."""
    array = target._array
    if copied:
        device = target._device
        array = device.kernels["copy"](array)
        tape = TAPE.get()
        if tape is not None:
            tape.launch("copy", (target._array,), {}, array, device)
    return wrap(array, target._device, target._node)


def _quick(operator: Any, target: Tensor, others: tuple[Any, ...], attrs: dict[str, Any]) -> bool:
    """Let the kernel write straight into *target*, where it can and everything is plain."""
    device, array = target._device, target._array
    if operator.name not in device.writes or operator.preparation is not None:
        return False
    arrays = [array]
    for t in others:
        if isinstance(t, Tensor):
            other = t._array
            if t._device is not device or other.dtype is not array.dtype:
                return False
        elif type(t) is float and array.dtype.kind == "f":
            other = device.scalar(t, array.dtype)
        elif type(t) in (int, Live) and array.dtype.kind == "f":
            other = scalar_tensor(operator.name, t, array.dtype, device)._array
        else:
            return False
        arrays.append(other)
    if operator.floating and array.dtype.kind not in "fc":
        return False
    kernel = device.kernels[operator.name]
    if operator.defaults:
        attrs = {**operator.defaults, **attrs}
    tape = TAPE.get()
    options = attrs if tape is None else plain(attrs)
    try:
        kernel(*arrays, **options, out=array)
    except Exception as error:
        raise operator.explain(error, (target, *others), attrs) from error
    if tape is not None:
        tape.launch(operator.name, tuple(arrays), attrs, array, device, in_place=True)
    return True


def write(device: Device, target: Any, index: Any, value: Any) -> None:
    """Assign the buffer *value* to ``target[index]`` of the buffer *target*."""
    device.write(target, index, value)
    tape = TAPE.get()
    if tape is not None:
        tape.launch("write", (target, value), {"index": index}, target, device, in_place=True)


def _fits(name: str, target: Tensor, out: Tensor) -> None:
    if out.shape != target.shape:
        raise ShapeError(
            f"{name}: the result has shape {out.shape}; in place it must keep {target.shape}"
        )
    if out.dtype != target.dtype:
        raise DTypeError(
            f"{name}: the result has dtype {out.dtype}; in place it must keep {target.dtype}"
        )
