"""Tensor: data on a device that remembers how it was computed. Methods delegate to operators."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from .autograd.mode import GRAD, TAPE
from .autograd.node import LEAF, Node, Version, View, _Leaf
from .devices import Device
from .devices import device as find_device
from .dtypes import DType, as_dtype, promote, weaken
from .errors import (
    ArgumentError,
    AutogradError,
    DTypeError,
    ExportError,
    MinimaError,
    ShapeError,
    SignatureError,
)
from .gradients import Gradients
from .methods import Methods

__all__ = ["Tensor", "TensorLike", "as_tensor", "asarray"]

TensorLike: TypeAlias = "Tensor | npt.ArrayLike"
TensorT = TypeVar("TensorT", bound="Tensor")


class Tensor(Gradients, Methods):
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
        source = _convert("Tensor", data, dtype, device, copy=True)
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

    # ---- data out of it --------------------------------------------------------------------------
    @property
    def data(self) -> Tensor:
        """The detached tensor over the same memory.

        Assigning copies the values in; shape, dtype and device must be equal.
        """
        return self.detach()

    @data.setter
    def data(self, value: TensorLike) -> None:
        given = _convert("data", value, None, None if isinstance(value, Tensor) else self._device)
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

    def numpy(self) -> npt.NDArray[Any]:
        """Return the data as a NumPy array; on the cpu without a copy, so writes show through."""
        tape = TAPE.get()
        if tape is not None:
            tape.read("numpy()")
        return self._device.to_host(self._array)

    def item(self) -> Any:
        """Return the only element as a Python number.

        Raises: ShapeError unless there is exactly one element.
        """
        if self.size != 1:
            raise ShapeError(f"item: got shape {self.shape}; expected exactly one element")
        return self.numpy().item()

    def tolist(self) -> Any:
        """Return the data as nested lists of Python numbers."""
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if self._node is not None:
            raise AutogradError(
                "asarray: the tensor requires grad and NumPy would drop its gradient; call "
                ".detach() first, or .numpy() for the bare data"
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        from .numpy_protocol import array_ufunc

        return array_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from .numpy_functions import array_function

        return array_function(function, types, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """Return `minima`, which has the functions of the Python Array API standard.

        Raises: ArgumentError for a version of the standard that minima does not follow.
        """
        import minima

        from .datatypes import VERSIONS

        if api_version not in (None, *VERSIONS):
            raise ArgumentError(
                f"__array_namespace__: got version {api_version!r}; expected one of "
                f"{', '.join(VERSIONS)}"
            )
        return minima

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        tape = TAPE.get()
        if tape is not None:
            tape.read("__dlpack__()")
        if self._node is not None:
            raise AutogradError(
                "dlpack: the tensor requires grad and another library would drop its gradient; "
                "call .detach() first"
            )
        given = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        options = {name: value for name, value in given.items() if value is not None}
        try:
            return self._device.to_dlpack(self._array, stream=stream, **options)
        except (BufferError, ValueError) as error:
            asked = ", ".join(f"{name}={value!r}" for name, value in options.items())
            raise ExportError(
                f"dlpack: {error}; got {asked or 'no options'}, on {self._device}; move the tensor "
                "first with .to(...), or allow a copy"
            ) from error

    def __dlpack_device__(self) -> tuple[int, int]:
        kind, index = self._array.__dlpack_device__()
        return int(kind), int(index)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"bool: the truth of a tensor of shape {self.shape} is ambiguous; "
                "compare with 'is None', or use mi.any(...) or mi.all(...)"
            )
        return bool(self.numpy().item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.ndim:
            raise DTypeError(
                f"index: got {self.dtype}{list(self.shape)}; expected one integer, of shape ()"
            )
        return int(self.item())

    def __len__(self) -> int:
        if not self._array.shape:
            raise DTypeError("len: got a tensor of shape (); expected at least one axis")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __hash__(self) -> int:
        return id(self) >> 4

    def __repr__(self) -> str:
        from .printing import tensor_repr

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        """Return one element as *spec* says, as for a number; without a *spec* as `str` does."""
        if not spec:
            return str(self)
        if self.size != 1:
            raise ShapeError(
                f"format: got {spec!r} for shape {self.shape}; expected one element, or no format: "
                "use np.array2string(t.numpy(), precision=3) for more"
            )
        return format(self.item(), spec)

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


def as_tensor(
    value: TensorLike, *, device: str | Device | None = None, operation: str = "asarray"
) -> Tensor:
    """Return *value* as a Tensor, itself if it is one; arrays share their memory."""
    return value if isinstance(value, Tensor) else _convert(operation, value, None, device)


def asarray(
    obj: TensorLike,
    dtype: npt.DTypeLike | None = None,
    device: str | Device | None = None,
    copy: bool | None = None,
) -> Tensor:
    """Return *obj* as a Tensor, sharing memory where possible unless *copy* is True.

    *obj* is a number, nested sequences of numbers and tensors, a Tensor, or anything that NumPy
    reads: arrays, buffers, objects with ``__array__`` or ``__dlpack__``. A Tensor stays part of the
    graph. Dtype: that of *obj*; of Python numbers float32, complex64, int64 or bool.

    Raises: DTypeError for data that no tensor can hold; ArgumentError when *copy* is False and
    one is needed.

    >>> import minima as mi
    >>> a = np.zeros(2, "float32")
    >>> t = mi.asarray(a)
    >>> a[0] = 5
    >>> t
    Tensor([5., 0.])
    """
    if isinstance(obj, Tensor):
        out = obj if dtype is None else obj.astype(dtype)
        out = out if device is None else out.to_device(device)
        if copy is False and out is not obj:
            raise ArgumentError("asarray: copy=False, but another dtype or device needs a copy")
        return ops.copy(out) if copy and out is obj else out
    if hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
        from .dlpack import from_dlpack

        return asarray(from_dlpack(obj), dtype, device, copy)
    return _convert("asarray", obj, dtype, device, copy=bool(copy), never=copy is False)


def _convert(
    operation: str,
    data: Any,
    dtype: npt.DTypeLike | None,
    device: str | Device | None,
    copy: bool = False,
    never: bool = False,
) -> Tensor:
    tape = TAPE.get()
    if tape is not None:
        if isinstance(data, Tensor) and (device is None or find_device(device) is data._device):
            out = data.detach() if dtype is None else data.detach().astype(dtype)
            return ops.copy(out) if copy and out._array is data._array else out
        if type(data) in (int, float, bool, complex):
            return ops.full((), data, dtype=dtype, device=device)
        tape.fail(f"{operation} brings data in from outside; pass it as an argument")
    if isinstance(data, Tensor):
        target = data._device if device is None else find_device(device)
        array = data._array if target is data._device else data.numpy()
        if dtype is not None or copy or target is not data._device:
            array = np.array(data.numpy(), dtype=None if dtype is None else as_dtype(dtype))
            array = target.from_host(array)
        return wrap(array, target)
    target = find_device(device)
    try:
        source = data if isinstance(data, np.ndarray) else np.asarray(_plain(data))
    except MinimaError:
        raise
    except (ValueError, TypeError, RuntimeError) as error:
        raise DTypeError(
            f"{operation}: cannot make a tensor of {type(data).__name__}: {error}"
        ) from None
    if type(source) is not np.ndarray and np.ma.is_masked(source):
        raise DTypeError(
            f"{operation}: got a masked array, whose mask a tensor cannot keep; expected its "
            "data, as of a.filled(0)"
        )
    if dtype is not None:
        chosen = as_dtype(dtype)
    elif isinstance(data, np.ndarray | np.generic) or source.dtype.kind not in "fc":
        chosen = source.dtype
    elif isinstance(data, list | tuple):
        chosen = _chosen(data, source.dtype.kind)
    else:
        chosen = weaken(None, 1.0 if source.dtype.kind == "f" else 1j)
    wide = chosen.char in "gG" and chosen.itemsize > (8 if chosen.char == "g" else 16)
    if wide or chosen.kind not in "biufcV" or source.dtype.kind not in "biufcV":
        raise DTypeError(
            f"{operation}: cannot make a tensor of {type(data).__name__} with elements of type "
            f"{source.dtype}; expected numbers or bools, in equally long rows"
        )
    if not isinstance(data, np.ndarray) and source.dtype != chosen:
        check_range(operation, source, chosen)
    if chosen.kind == "V":
        chosen = as_dtype(chosen)  # bfloat16, or none that a tensor can have
    if not chosen.isnative:
        chosen = chosen.newbyteorder("=")
    moves = source.dtype != chosen or not isinstance(data, np.ndarray)
    if never and moves:
        raise ArgumentError(f"{operation}: copy=False, but {type(data).__name__} needs a copy")
    array = np.array(source, dtype=chosen, copy=True if copy else None)
    return wrap(target.from_host(array), target)


def check_range(operation: str, source: npt.NDArray[Any], dtype: DType) -> None:
    """Raise where Python's numbers do not fit into *dtype*."""
    if source.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{operation}: complex numbers do not fit into {dtype}; take their parts")
    if dtype.kind not in "iu" or not source.size:
        return
    limits = np.iinfo(dtype)
    low, high = source.min().item(), source.max().item()  # Python's numbers compare exactly
    if not (limits.min <= low and high <= limits.max):
        raise DTypeError(
            f"{operation}: got numbers from {low} to {high}, which do not fit "
            f"into {dtype}: it holds {limits.min} to {limits.max}; give another dtype"
        )


def _plain(data: Any) -> Any:
    """Replace Tensors within nested lists by their arrays."""
    if isinstance(data, Tensor):
        return data.numpy()
    if isinstance(data, list | tuple):
        return [_plain(x) for x in data]
    return data


def _chosen(data: Any, kind: str) -> DType:
    """Return the dtype of nested lists with numbers of *kind*: arrays count, Python's are weak."""
    found = None
    stack = [data]
    while stack:
        for x in stack.pop():
            if isinstance(x, list | tuple):
                stack.append(x)
            elif not isinstance(x, int | float | complex) or isinstance(x, np.generic):
                dtype = getattr(x, "dtype", None)
                if isinstance(dtype, np.dtype):
                    found = dtype if found is None else promote(found, dtype)
    if found is not None and found.kind in (kind, "c", "V"):
        return found
    return weaken(found, 1.0 if kind == "f" else 1j)


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


from . import arranging as _arranging  # noqa: E402
from . import changing as _changing  # noqa: E402
from . import forwarding as _forwarding  # noqa: E402
from . import methods as _methods  # noqa: E402
from . import operators as ops  # noqa: E402  (operators need Tensor, its methods need operators)

_methods.ops = _arranging.ops = _changing.ops = _forwarding.ops = ops  # type: ignore[attr-defined]


class _Module(ModuleType):
    """This module, which says what to call instead of it."""

    def __call__(self, *args: Any, **options: Any) -> NoReturn:
        raise SignatureError(
            "tensor: minima.tensor is a module; expected mi.Tensor(data) for a copy, or "
            "mi.asarray(data), which shares memory where it can"
        )


sys.modules[__name__].__class__ = _Module
