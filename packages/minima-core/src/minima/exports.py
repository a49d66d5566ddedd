"""The methods of Tensor that hand out its data: to Python, NumPy, other libraries, and to print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .autograd.mode import TAPE
from .errors import ArgumentError, AutogradError, DTypeError, ExportError, ShapeError

if TYPE_CHECKING:
    from .autograd.node import Node, _Leaf
    from .devices import Device
    from .dtypes import DType
    from .tensor import Tensor

__all__ = ["Exports"]


class Exports:
    """Base of Tensor: numbers, arrays and text made of its data."""

    if not TYPE_CHECKING:  # checkers would take what Tensor has for missing
        __slots__ = ()

    if TYPE_CHECKING:
        _array: Any
        _device: Device
        _node: Node | _Leaf | None

        @property
        def shape(self) -> tuple[int, ...]: ...  # noqa: D102
        @property
        def ndim(self) -> int: ...  # noqa: D102
        @property
        def size(self) -> int: ...  # noqa: D102
        @property
        def dtype(self) -> DType: ...  # noqa: D102
        def __getitem__(self, index: Any) -> Tensor: ...

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

    def __repr__(self) -> str:
        from .printing import tensor_repr

        return tensor_repr(self)  # type: ignore[arg-type]

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
