"""What an index is: its parts as kernels take them, checked, and words for what is wrong."""

from __future__ import annotations

from operator import index as as_int
from typing import Any, TypeAlias

import numpy as np

from ..autograd.mode import GRAD, TAPE
from ..devices import Device
from ..errors import ArgumentError, DTypeError, IndexRangeError, ShapeError
from ..tensor import Tensor

__all__ = ["Deeper", "Index", "canonical", "fault", "is_basic", "is_whole", "kept", "seen_once"]

Index: TypeAlias = tuple[Any, ...]


class Deeper(DTypeError):
    """An index lies further within vmap than what it is an index into: on *device*."""

    def __init__(self, name: str, device: Device) -> None:
        super().__init__(
            f"{name}: within vmap a tensor from outside is indexed by one of the batch; expected "
            "both of the batch: pass the one that is indexed through vmap, with in_axes=None"
        )
        self.device = device


def seen_once(index: Any) -> None:
    """Give up a capture where the user's NumPy arrays are an index: they may be others next time.

    Within minima an array as an index is the same in each call.
    """
    tape = TAPE.get()
    parts = index if isinstance(index, tuple) else (index,)
    if tape is not None and any(type(p) is np.ndarray for p in parts):
        tape.fail("a NumPy array as an index is data from outside; pass a Tensor as an argument")


def canonical(name: str, index: Any, shape: tuple[int, ...], device: Device) -> Index:
    """Return *index* into *shape* as a tuple of what kernels take: a basic one ends in ``...``.

    Raises: IndexRangeError for a number out of range, for too many indices, two ``...`` or a mask
    of another shape; DTypeError for what is no index; ArgumentError for a step of 0.
    """
    parts = index if isinstance(index, tuple) else (index,)
    quick = _plain_index(parts, shape)
    if quick is not None:
        return quick
    found = tuple([p if type(p) is int else _part(name, p, device) for p in parts])
    _check(name, shape, found)
    if is_basic(found) and all(p is not Ellipsis for p in found):
        found += (Ellipsis,)  # or NumPy gives a number, no view, where each axis has an integer
    if device.buffer is not np.ndarray:  # which checks by itself, where others read anywhere
        for axis, p in _advanced(shape, found):
            if isinstance(p, np.ndarray) and p.dtype.kind != "b":
                _check_elements(name, p, axis, shape[axis])
    return found


def _plain_index(parts: Index, shape: tuple[int, ...]) -> Index | None:
    """Return what `canonical` does, in one pass, where all is basic and fits; else None."""
    used = dots = 0
    for p in parts:
        kind = type(p)
        if kind is int or kind is slice:
            used += 1
        elif p is Ellipsis:
            dots += 1
        elif p is not None:
            return None
    if used > len(shape) or dots > 1:
        return None
    axis = 0
    for p in parts:
        if type(p) is int:
            if not -shape[axis] <= p < shape[axis]:
                return None
            axis += 1
        elif type(p) is slice:
            if not (_plain_bound(p.start) and _plain_bound(p.stop) and _plain_bound(p.step)):
                return None
            if p.step == 0:
                return None
            axis += 1
        elif p is Ellipsis:
            axis += len(shape) - used
    return parts if dots else (*parts, Ellipsis)


def _plain_bound(bound: Any) -> bool:
    return bound is None or type(bound) is int


def kept(index: Index, *inputs: Tensor) -> Index:
    """Return *index* as the gradient will need it: later changes of its arrays must not count."""
    for t in inputs:
        if t._node is not None:
            break
    else:
        return index
    if is_basic(index) or not GRAD.get():
        return index
    tape, device = TAPE.get(), inputs[0]._device
    if tape is not None and device.base is None:
        return tuple(tape.copied_index(p, device) for p in index)
    copy = device.kernels["copy"]
    return tuple(
        p.copy() if isinstance(p, np.ndarray) else copy(p) if hasattr(p, "shape") else p
        for p in index
    )


def is_basic(index: Index) -> bool:
    """Say whether *index* holds no arrays, so that it picks each element at most once: a view."""
    for p in index:
        kind = type(p)
        if kind is not int and kind is not slice and p is not None and p is not Ellipsis:
            return False
    return True


def is_whole(index: Index) -> bool:
    """Say whether *index* surely picks all there is, in order."""
    return all(p is Ellipsis or (type(p) is slice and p == slice(None)) for p in index)


def _part(name: str, part: Any, device: Device) -> Any:
    if part is None or part is Ellipsis:
        return part
    if type(part) is slice:
        return _slice(name, part)
    if isinstance(part, Tensor):
        return _tensor(name, part, device)
    if isinstance(part, bool | np.bool):
        return np.asarray(part)
    if isinstance(part, np.ndarray | list | tuple):
        return _array(name, part)
    if isinstance(part, device.buffer):
        return part
    try:
        return as_int(part)
    except TypeError:
        raise _no_index(name, part) from None


def _slice(name: str, part: slice) -> slice:
    bounds = (part.start, part.stop, part.step)
    if any(b is not None and type(b) is not int for b in bounds):
        try:
            bounds = tuple(b if b is None else as_int(b) for b in bounds)  # type: ignore[assignment]
        except TypeError:
            raise DTypeError(
                f"{name}: got the slice {part!r}; expected integers or None as its bounds"
            ) from None
        part = slice(*bounds)
    if part.step == 0:
        raise ArgumentError(f"{name}: got the slice {part!r}; expected a step other than 0")
    return part


def _tensor(name: str, part: Tensor, device: Device) -> Any:
    if part.dtype.kind not in "iub":
        raise DTypeError(f"{name}: got an index of {part.dtype}; expected integers or bools")
    if device.stands_on(part._device):  # the same index for each element of a batch
        part = device.adopt(name, part)
    elif part._device.stands_on(device):
        raise Deeper(name, part._device)
    tape = TAPE.get()
    if tape is not None:
        if part.dtype.kind == "b":
            tape.fail(f"{name} takes a mask as an index, which may pick more or less next time")
        elif part._device is not device:
            tape.fail(f"{name} takes an index from another device, {part._device}")
        elif device.base is None:
            tape.indices[id(part._array)] = part._array
    if part._device is device:
        return part._array
    return device.receive(part._array, part._device)


def _array(name: str, part: Any) -> Any:
    if isinstance(part, np.ndarray):
        found = part
    else:
        try:
            found = np.asarray(_plain(part))
        except (TypeError, ValueError):
            raise _no_index(name, part) from None
        if not found.size and found.dtype.kind == "f":  # an empty list
            found = found.astype(np.int64)
    if found.dtype.kind in "iub":
        return found
    if found.dtype.kind == "O":
        raise _no_index(name, part)
    raise DTypeError(f"{name}: got an index of {found.dtype}; expected integers or bools")


def _plain(part: Any) -> Any:
    """Replace the Tensors within nested lists by their arrays."""
    if isinstance(part, Tensor):
        return part.numpy()
    return [_plain(p) for p in part] if isinstance(part, list | tuple) else part


def _no_index(name: str, part: Any) -> DTypeError:
    return DTypeError(
        f"{name}: got the index {part!r}; expected integers, slices, ..., None, or arrays of "
        "integers or bools"
    )


def _width(part: Any) -> int:
    """Return how many axes *part* takes: a mask as many as it has."""
    if part is None or part is Ellipsis:
        return 0
    mask = type(part) not in (int, slice) and part.dtype.kind == "b"
    return len(part.shape) if mask else 1


def _axes(shape: tuple[int, ...], index: Index) -> list[tuple[int, Any]]:
    """Pair each part of *index* with the first axis that it takes."""
    rest = len(shape) - sum(map(_width, index))
    axis, found = 0, []
    for p in index:
        found.append((axis, p))
        axis += rest if p is Ellipsis else _width(p)
    return found


def _advanced(shape: tuple[int, ...], index: Index) -> list[tuple[int, Any]]:
    """Return the arrays of *index*, each with its axis."""
    if is_basic(index):
        return []
    return [(a, p) for a, p in _axes(shape, index) if hasattr(p, "shape")]


def _check(name: str, shape: tuple[int, ...], index: Index) -> None:
    """Raise unless *index* fits *shape*, as far as that shows without a look into its arrays."""
    used = sum(map(_width, index))
    if used > len(shape):
        raise IndexRangeError(
            f"{name}: got {used} indices for shape {shape}; expected at most {len(shape)}"
        )
    if sum(p is Ellipsis for p in index) > 1:
        raise IndexRangeError(f"{name}: got more than one '...'; expected at most one")
    for axis, p in _axes(shape, index):
        if type(p) is int:
            if not -shape[axis] <= p < shape[axis]:
                raise IndexRangeError(
                    f"{name}: index {p} is out of range for axis {axis} of size {shape[axis]}; "
                    f"expected {_range(shape[axis])}"
                )
        elif hasattr(p, "shape") and p.dtype.kind == "b":
            part = shape[axis : axis + len(p.shape)]
            if len(p.shape) != len(part) or any(n not in (0, m) for n, m in zip(p.shape, part)):
                raise IndexRangeError(
                    f"{name}: got a mask of shape {p.shape} for {_named(axis, part)}; expected one "
                    f"of shape {part}"
                )


def _range(size: int) -> str:
    return f"{-size} to {size - 1}" if size else "none, for the axis is empty"


def _named(axis: int, part: tuple[int, ...]) -> str:
    if len(part) == 1:
        return f"axis {axis} of size {part[0]}"
    return f"the {len(part)} axes from axis {axis} on, of sizes {part}"


def _check_elements(name: str, p: Any, axis: int, size: int) -> None:
    """Raise when an element of the array *p*, in host memory, is out of range."""
    wide = p.astype(np.int64) if p.dtype.kind == "u" and p.dtype.itemsize < 8 else p
    bad = (wide < -size) | (wide >= size)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at {place} of the indices" if place else ""
        raise IndexRangeError(
            f"{name}: index {int(p[place])}{where} is out of range for axis {axis} of size {size}; "
            f"expected {_range(size)}"
        )


def fault(
    name: str,
    shape: tuple[int, ...],
    index: Index,
    error: Exception,
    value: tuple[int, ...] | None = None,
) -> Exception:
    """Return the error that the user sees where a kernel raised *error* for *index* into *shape*.

    *value* is the shape of what was to be written there.
    """
    if not isinstance(error, IndexError | ValueError):
        return error
    try:
        host = tuple(np.asarray(p) if hasattr(p, "shape") else p for p in index)
    except TypeError:  # an array of a device, which says itself what it misses
        return ShapeError(f"{name}: {error}; got an index into shape {shape}")
    try:
        for axis, p in _advanced(shape, host):
            if p.dtype.kind != "b":
                _check_elements(name, p, axis, shape[axis])
    except IndexRangeError as found:
        return found
    try:
        part = np.broadcast_to(np.empty(()), shape)[host].shape
    except (IndexError, ValueError):
        shapes = [_picks(p) for _, p in _advanced(shape, host)]
        return ShapeError(
            f"{name}: indices of shapes {' and '.join(map(str, shapes))} do not broadcast; "
            "expected equal sizes, or 1, in each axis counted from the last"
        )
    if value is None:
        return ShapeError(f"{name}: the index picks shape {part} of shape {shape}: {error}")
    return ShapeError(
        f"{name}: a value of shape {value} does not broadcast to shape {part}, which the index "
        f"picks of shape {shape}; expected equal sizes, or 1, in each axis counted from the last"
    )


def _picks(p: Any) -> tuple[int, ...]:
    """Return the shape of the integers that *p* stands for."""
    return (int(np.count_nonzero(p)),) if p.dtype.kind == "b" else p.shape
