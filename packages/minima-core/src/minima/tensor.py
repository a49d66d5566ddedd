"""Tensor: data on a device that remembers how it was computed. Methods delegate to operators."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from .autograd.mode import GRAD, TAPE
from .autograd.node import LEAF, Node, Version, View, _Leaf
from .devices import Device
from .devices import device as find_device
from .dtypes import DType, as_dtype
from .errors import ArgumentError, AutogradError, DTypeError, ShapeError, SignatureError
from .exports import Exports
from .gradients import Gradients
from .methods import Methods

__all__ = ["Tensor", "TensorLike", "as_tensor", "asarray"]

TensorLike: TypeAlias = "Tensor | npt.ArrayLike"
TensorT = TypeVar("TensorT", bound="Tensor")


class Tensor(Gradients, Methods, Exports):
    """An array on a device, with the gradient of what was computed from it.

    Python floats become float32, ints int64, bools bool; a NumPy array or Tensor keeps its dtype.
    The data is copied; `minima.asarray` shares it where it can.

    *dtype*: a NumPy dtype or its name. *device*: a name such as ``"cpu"`` or a `Device`.
    *requires_grad*: collect the gradient of later results in ``grad``; floating types only.

    Raises: DTypeError for data that no tensor can hold, DeviceError for an unknown device.

    >>> import minima as mi
    >>> x = mi.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    >>> (x**2).sum().backward()
    >>> x.grad
    Tensor([2., 4., 6.])
    """

    __slots__ = ("__weakref__", "_array", "_device", "_hooks", "_node", "_version", "_view", "grad")
    __array_priority__ = 1000

    _array: Any
    _device: Device
    _node: Node | _Leaf | None
    _version: Version | None
    _view: View | None  # of views only
    _hooks: dict[int, Any] | None
    grad: Tensor | None

    def __init__(
        self,
        data: TensorLike,
        dtype: npt.DTypeLike | None = None,
        device: str | Device | None = None,
        requires_grad: bool = False,
    ) -> None:
        source = convert("Tensor", data, dtype, device, copy=True)
        self._array, self._device = source._array, source._device
        self._node = self._version = self._hooks = self._view = self.grad = None
        if requires_grad:
            self.requires_grad_()

    # ---- what it is ------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, ...]:
        """Number of elements along each axis."""
        return self._array.shape  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._array.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        total = 1
        for n in self._array.shape:
            total *= n
        return total

    @property
    def nbytes(self) -> int:
        """Size of the data in bytes."""
        return self.size * int(self.dtype.itemsize)

    @property
    def dtype(self) -> DType:
        """Type of the elements, a NumPy dtype."""
        return self._array.dtype  # type: ignore[no-any-return]

    @property
    def device(self) -> Device:
        """Where the data lies."""
        return self._device

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded; assignable on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        self.requires_grad_(flag)

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation."""
        return self._node is None or self._node is LEAF

    @property
    def grad_fn(self) -> Node | None:
        """The recorded operation that made this tensor, or None for a leaf."""
        return self._node if isinstance(self._node, Node) else None

    @property
    def version(self) -> int:
        """How often the memory of this tensor was changed in place since it was first kept."""
        return 0 if self._version is None else self._version.number

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix: the last two axes swapped."""
        return ops.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes swapped."""
        return ops.transpose(self)

    # ---- the same memory, and copies -------------------------------------------------------------
    @property
    def data(self) -> Tensor:
        """The detached tensor over the same memory.

        Assigning copies the values in; shape, dtype and device must be equal.
        """
        return self.detach()

    @data.setter
    def data(self, value: TensorLike) -> None:
        given = convert("data", value, None, None if isinstance(value, Tensor) else self._device)
        for what in ("shape", "dtype", "device"):
            got, expected = getattr(given, what), getattr(self, what)
            if got != expected:
                raise ShapeError(
                    f"data: cannot assign a tensor of {what} {got} to one of {what} {expected}; "
                    "expected equal shape, dtype and device"
                )
        ops.assign(self.detach(), ..., given)

    def detach(self) -> Tensor:
        """Return a tensor over the same memory that is not part of the graph."""
        out = wrap(self._array, self._device)
        if self._version is None:
            self._version = Version()
        out._version = self._version
        tape = TAPE.get()
        if tape is not None:
            tape.track(out)
        return out

    def __hash__(self) -> int:
        return id(self) >> 4

    def __copy__(self) -> Tensor:
        """Return a tensor over the same memory: a leaf of its own, or part of the same graph."""
        if isinstance(self._node, Node):
            return ops.reshape(self, self.shape)
        out = _like(self, self.detach())
        out.grad = self.grad
        return out

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if isinstance(self._node, Node):
            raise AutogradError(
                "deepcopy: the tensor was made by an operation; copy leaves, or .detach() first"
            )
        out = memo[id(self)] = _like(self, self.detach().clone())
        out.grad = None if self.grad is None else self.grad.detach().clone()
        return out

    def __reduce__(self) -> Any:
        raise DTypeError(
            "pickle: tensors are not pickled; save them with minima.io.save (in minima-nn), or "
            "pass .numpy()"
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):  # of protocols, which look for names that are not there
                raise AttributeError(f"a Tensor has no attribute {name!r}", name=name, obj=self)
            from .habits import missing_method

            raise AttributeError(missing_method(name), name=name, obj=self)

    # ---- new tensors from it ---------------------------------------------------------------------
    def clone(self) -> Tensor:
        """Return a copy that is part of the graph."""
        return ops.copy(self)

    def astype(self, dtype: npt.DTypeLike) -> Tensor:
        """Return the tensor with elements of *dtype*; itself if it has that type already."""
        found = as_dtype(dtype)
        return self if found == self.dtype else ops.astype(self, found)

    def to(
        self,
        target: str | Device | Tensor | npt.DTypeLike | None = None,
        dtype: npt.DTypeLike | None = None,
        *,
        device: str | Device | None = None,
        non_blocking: bool = False,
    ) -> Tensor:
        """Return the tensor on another device or with another dtype, whichever *target* names.

        Both may be named: ``t.to("cuda", mi.float16)``, ``t.to(dtype=..., device=...)``; a Tensor
        as *target* stands for its own two. *non_blocking*: see `to_device`.

        Raises: ArgumentError when nothing is named, or the device twice.
        """
        if isinstance(target, Tensor):
            return self.to(target._device, target.dtype, non_blocking=non_blocking)
        if dtype is not None or device is not None:
            if target is not None and device is not None:
                raise ArgumentError(f"to: got {target!r} and device={device!r}; expected one place")
            place = device if target is None else target
            out = self if place is None else self.to(place, non_blocking=non_blocking)
            return out if dtype is None else out.astype(dtype)
        if target is None:
            raise ArgumentError("to: got None; expected a device, a dtype or both")
        if isinstance(target, Device) or (isinstance(target, str) and not _is_dtype(target)):
            return self.to_device(target, non_blocking=non_blocking)
        return self.astype(target)

    def to_device(
        self, device: str | Device, *, stream: Any = None, non_blocking: bool = False
    ) -> Tensor:
        """Return the tensor on *device*; itself if it is there. Gradients flow back.

        *non_blocking* lets the copy run while Python goes on, where the device can do that: the
        tensor must not be changed before the copy is done. *stream* is the standard's: None, since
        a device has its own.

        Raises: ArgumentError for another *stream*.
        """
        if stream is not None:
            raise ArgumentError(
                f"to_device: got the stream {stream!r}; expected None: a device has its own"
            )
        found = find_device(device)
        if found is self._device:
            return self
        return ops.transfer(self, found, non_blocking=non_blocking)


_new = object.__new__


def wrap(array: Any, device: Device, node: Any = None) -> Tensor:
    """Return the Tensor over the buffer *array*, without a look at it."""
    out = _new(Tensor)
    out._array = array
    out._device = device
    out._node = node
    out._version = out._hooks = out._view = out.grad = None
    return out


def bump(t: Tensor) -> None:
    """Count one in-place change of the memory of *t*."""
    version = t._version
    if version is not None:
        version.number += 1


def share_version(base: Tensor, view: Tensor, operator: Any, attrs: dict[str, Any]) -> None:
    """Let *view*, made of *base* by *operator*, count in-place changes together with it."""
    version = base._version
    if version is None:
        version = base._version = Version()
    view._version = version
    view._view = View.of(base, operator, attrs) if GRAD.get() else View(None, ())
    if view._view.base is not None:
        version.add_view(view)


def _is_dtype(name: str) -> bool:
    try:
        np.dtype(name)
    except TypeError:
        return False
    return True


def _like(original: TensorT, plain: Tensor) -> TensorT:
    """Return *plain* as the same kind of leaf as *original*, keeping a subclass."""
    out = _new(type(original))
    for slot in ("_array", "_device", "_version"):
        setattr(out, slot, getattr(plain, slot))
    out._hooks = out._view = out.grad = None
    out._node = original._node
    if hasattr(original, "__dict__"):
        out.__dict__.update(original.__dict__)
    return out


# what builds on Tensor, in order: operators need it and these, its methods need operators
from .conversion import as_tensor, asarray, convert  # noqa: E402, I001
from . import arranging as _arranging  # noqa: E402
from . import changing as _changing  # noqa: E402
from . import conversion as _conversion  # noqa: E402
from . import forwarding as _forwarding  # noqa: E402
from . import methods as _methods  # noqa: E402
from . import operators as ops  # noqa: E402

for _part in (_arranging, _changing, _conversion, _forwarding, _methods):
    _part.ops = ops  # type: ignore[attr-defined]


class _Module(ModuleType):
    """This module, which says what to call instead of it."""

    def __call__(self, *args: Any, **options: Any) -> NoReturn:
        raise SignatureError(
            "tensor: minima.tensor is a module; expected mi.Tensor(data) for a copy, or "
            "mi.asarray(data), which shares memory where it can"
        )


sys.modules[__name__].__class__ = _Module
