"""Parameter: the Tensor that a module trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy.typing as npt

from minima import Tensor, zeros
from minima.devices import Device
from minima.errors import DTypeError, MinimaError

__all__ = [
    "Parameter",
    "Uninitialized",
    "UninitializedBuffer",
    "UninitializedError",
    "UninitializedParameter",
    "adopt",
    "clear_gradients",
]


class Parameter(Tensor):
    """A Tensor that a module finds among its attributes and an optimiser changes.

    It requires grad unless told otherwise. Made from a Tensor it shares that Tensor's memory,
    whose history it leaves behind; anything else is copied.

    Raises: DTypeError when it requires grad and the data is not of a floating type.

    >>> layer = mi.nn.Module()
    >>> layer.weight = mi.nn.Parameter([[1.0, 2.0]])
    >>> layer.parameters()[0] is layer.weight, layer.weight.requires_grad
    (True, True)
    """

    __slots__ = ()

    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
        device: str | Device | None = None,
    ) -> None:
        super().__init__(() if isinstance(data, Tensor) else data, dtype, device)
        if isinstance(data, Tensor):
            adopt(self, _placed(data, dtype, device))
        if requires_grad and self.dtype.kind in "biu":
            raise DTypeError(
                f"Parameter: data has dtype {self.dtype}, which carries no gradient; expected a "
                'floating type, as dtype="float32", or requires_grad=False'
            )
        self.requires_grad_(requires_grad)


class Uninitialized(Tensor):
    """A tensor of a lazy module whose shape is not known yet; what needs a shape raises.

    It knows its dtype and device and can be moved.
    """

    __slots__ = ()

    becomes: type[Tensor]

    def materialize(
        self,
        shape: Sequence[int],
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        """Become zeros of that shape, and of the ordinary class; the same object from then on."""
        kind = self.dtype if dtype is None else dtype
        place = self.device if device is None else device
        self.__class__ = self.becomes  # type: ignore[assignment]
        adopt(self, zeros(tuple(shape), dtype=kind, device=place))

    @property
    def shape(self) -> tuple[int, ...]:
        """There is none yet."""
        raise UninitializedError(
            f"{type(self).__name__}: it has no shape and no values yet; expected a call of its "
            "lazy module before, with an input, or load_state_dict()"
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copy = cast("Any", type(self))(device=self.device, dtype=self.dtype)
        copy.requires_grad_(self.requires_grad)
        memo[id(self)] = copy
        return copy


class UninitializedBuffer(Uninitialized):
    """A buffer whose shape is not known yet; see `UninitializedParameter`.

    >>> mi.nn.UninitializedBuffer()
    <UninitializedBuffer>
    """

    __slots__ = ()
    becomes = Tensor

    def __init__(
        self, *, device: str | Device | None = None, dtype: npt.DTypeLike | None = None
    ) -> None:
        super().__init__((), "float32" if dtype is None else dtype, device)


class UninitializedParameter(Uninitialized, Parameter):
    """A Parameter whose shape is not known yet, as those of lazy modules before their first call.

    It knows its dtype and device and can be moved, but has no values: what needs a shape raises.

    Raises: UninitializedError for everything that needs values.

    >>> weight = mi.nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', (2, 3))
    """

    __slots__ = ()
    becomes = Parameter

    def __init__(
        self,
        requires_grad: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        Parameter.__init__(
            self, (), requires_grad, dtype="float32" if dtype is None else dtype, device=device
        )


class UninitializedError(MinimaError, RuntimeError):
    """A lazy module has not been called yet; its parameters have no shapes."""


def _placed(data: Tensor, dtype: npt.DTypeLike | None, device: str | Device | None) -> Tensor:
    data = data.detach()
    if device is not None:
        data = data.to(device)
    return data if dtype is None else data.astype(dtype)


def adopt(tensor: Tensor, other: Tensor) -> None:
    """Give *tensor* the memory of *other*, its dtype and device too; *tensor* stays who it is.

    `Tensor.data` takes only data of the same dtype and device; `Module.to` changes these.

    >>> weight = mi.nn.Parameter([1.0])
    >>> adopt(weight, mi.Tensor([1.0], dtype="float64"))
    >>> weight.dtype, weight.requires_grad
    (dtype('float64'), True)
    """
    tensor._array, tensor._device, tensor._version = other._array, other._device, other._version


def clear_gradients(tensors: Iterable[Tensor], set_to_none: bool) -> None:
    """Forget the gradient of each of *tensors*, or with False set it to zero in place."""
    for tensor in tensors:
        if set_to_none:
            tensor.grad = None
        elif tensor.grad is not None:
            if tensor.grad.requires_grad:
                tensor.grad = tensor.grad.detach()
            tensor.grad.zero_()
