"""What a module keeps of its last call: raw buffers, so that no graph stays alive."""

from __future__ import annotations

from typing import Any

from minima import Tensor
from minima.tensor import wrap

__all__ = ["LastCall", "pack", "unpack"]


class Packed:
    """The buffer of a Tensor, without its history."""

    __slots__ = ("array", "device")

    def __init__(self, tensor: Tensor) -> None:
        self.array, self.device = tensor._array, tensor._device

    def unpack(self) -> Tensor:
        """Return the values as a Tensor of their own."""
        return wrap(self.array, self.device).clone()


def pack(value: Any) -> Any:
    """Return *value* with every Tensor in it, through tuples, lists and dicts, packed.

    Plain values stay. Of any other object nothing is kept, as it may hold a graph: None.

    >>> unpack(pack((mi.Tensor([1.0]), {"scale": 2})))
    (Tensor([1.]), {'scale': 2})
    """
    if isinstance(value, Tensor):
        return Packed(value)
    if isinstance(value, tuple | list):
        return _rebuilt(value, [pack(v) for v in value])
    if isinstance(value, dict):
        return {k: pack(v) for k, v in value.items()}
    return value if isinstance(value, int | float | complex | str | bytes) else None


def unpack(value: Any) -> Any:
    """Return what was packed, each Tensor as a detached copy."""
    if isinstance(value, Packed):
        return value.unpack()
    if isinstance(value, tuple | list):
        return _rebuilt(value, [unpack(v) for v in value])
    if isinstance(value, dict):
        return {k: unpack(v) for k, v in value.items()}
    return value


def _rebuilt(like: Any, items: list[Any]) -> Any:
    if hasattr(like, "_fields"):
        return type(like)(*items)
    return tuple(items) if isinstance(like, tuple) else items


class LastCall:
    """The attribute ``input`` or ``output`` of a module: what its last call got or gave.

    It has no ``__set__``, so a module may have an attribute of its own with that name.
    """

    def __init__(self, position: int, name: str, doc: str) -> None:
        self.position, self.name, self.__doc__ = position, name, doc

    def __get__(self, module: Any, owner: type | None = None) -> Any:
        if module is None:
            return self
        seen = module._seen
        if seen is None:
            raise AttributeError(
                f"{owner.__name__ if owner else 'Module'}: {self.name} is there after the first "
                "call; the module was not called yet"
            )
        if len(seen) == 4:  # one Tensor in, one out: the quick way of Module.__call__
            array, device = seen[self.position * 2 : self.position * 2 + 2]
            value = wrap(array, device).clone()
            return (value,) if self.position == 0 else value
        return unpack(seen[self.position])
