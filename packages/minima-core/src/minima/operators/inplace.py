"""Changing a tensor in place: its memory is written and its version counted.

While gradients are recorded the tensor becomes the result of the operation that changed it, and so
do the tensors that share its memory as views; the gradients of what was computed from it before
stay right or, where they need the old values, raise.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from ..autograd.mode import GRAD, TAPE
from ..autograd.node import LEAF, Node
from ..compiler.live import Live
from ..compiler.tape import plain
from ..devices import Device
from ..errors import AnomalyError, ArgumentError, AutogradError, DTypeError, ShapeError
from ..tensor import Tensor, as_tensor, asarray, bump, wrap
from .composed import COMPOSITES
from .indexing import getitem, put
from .indices import Index, canonical, fault, is_basic, is_whole, kept
from .masks import mask_and_value
from .reduction import max as largest
from .reduction import min as smallest
from .scalars import scalar_tensor
from .table import TABLE
from .views import base_of, become, edge_of, live_views, spec_of, view_of

__all__ = ["assign", "in_place"]

T = TypeVar("T")


def in_place(name: str, target: T, *others: Any, **attrs: Any) -> T:
    """Run the operator *name* on *target* and *others* and write the result into *target*.

    Views of the same memory follow: while gradients are recorded they become part of the graph of
    what was written.

    Raises: AutogradError on a leaf that requires grad, or on a view of one, while gradients are
    recorded; ShapeError, DTypeError when the result does not fit.

    >>> import minima as mi
    >>> t = mi.Tensor([1.0, 2.0])
    >>> mi.operators.in_place("add", t, 1)
    Tensor([2., 3.])
    """
    if not isinstance(target, Tensor):
        raise DTypeError(f"{name}: got {type(target).__name__}; expected a Tensor to change")
    operator = TABLE.get(name)
    function = COMPOSITES[name] if operator is None else operator.function
    _check_writable(name, target)
    if _recorded(name, target, others):
        before = _before(target, operator is None or operator.kept((target, *others))[0][0])
        out = function(before, *[before if t is target else t for t in others], **attrs)
        _fits(name, target, out)
        write(target._device, target._array, ..., out._array)
        become(target, out._node)
    elif operator is None or not _quick(operator, target, others, attrs):
        # within vmap there may be gradients to record further out
        token = GRAD.set(GRAD.get() and target._device.base is not None)
        try:
            out = function(target, *others, **attrs)
        finally:
            GRAD.reset(token)
        _fits(name, target, out)
        write(target._device, target._array, ..., out._array)
    bump(target)
    return target


def assign(target: Tensor, index: Any, value: Any) -> None:
    """Write *value*, broadcast and cast to the dtype of *target*, at ``target[index]``.

    Gradients flow to *value* and to what was not overwritten. Floats lose their fraction in a
    tensor of integers, as in NumPy.

    Raises: what `getitem` does; ShapeError when the value does not broadcast; DTypeError for
    complex numbers in a real tensor, and for NaN, infinity or too large a number in integers.

    >>> import minima as mi
    >>> t = mi.zeros(3)
    >>> t[1:] = mi.Tensor([1.0, 2.0])
    >>> t
    Tensor([0., 1., 2.])
    """
    device = target._device
    given = _given(target, value)
    masked = mask_and_value(target, index, given) if TAPE.get() is not None else None
    if masked is not None:
        in_place("masked_fill", target, *masked)
        return
    parts = canonical("assign", index, target.shape, device)
    _check_writable("assign", target)
    recorded = _recorded("assign", target, (given,))
    if _same_part(target, parts, given):  # as after x[1:] += 1: it is there already
        return
    if device.buffer is not np.ndarray and device.shares(given._array, target._array):
        given = given.clone()  # NumPy by itself sees where what it reads and writes overlaps
    parts = kept(parts, target, given)
    try:
        write(device, target._array, parts, given._array)
    except (IndexError, ValueError) as error:
        raise fault("assign", target.shape, parts, error, given.shape) from None
    if recorded:
        become(target, _put_node(target, given, parts))
    bump(target)


def _put_node(target: Tensor, given: Tensor, index: Index) -> Node:
    """Return the node of *target* after *given* was written at *index*; no kernel runs for it."""
    edges = (edge_of(target), edge_of(given))
    if is_whole(index) and edges[1] is not None:  # nothing is left of what was there
        edges = (None, edges[1])
    specs = (spec_of(target), spec_of(given))
    attrs = {"index": index}
    return Node(put.entry, edges, specs, spec_of(target), attrs, target._device, None)


def _given(target: Tensor, value: Any) -> Tensor:
    """Return *value* as a Tensor beside *target*, of its dtype."""
    device = target._device
    if isinstance(value, Tensor):
        given = value if value._device is device else device.adopt("assign", value)
    else:
        given = as_tensor(value, device=device, operation="assign")
        narrow = given.dtype.kind in "fc" and given.dtype.itemsize < target.dtype.itemsize
        if narrow and target.dtype.kind in "fc" and not isinstance(value, np.ndarray):
            given = asarray(value, target.dtype, device)  # Python's numbers lose nothing
    if given.dtype != target.dtype:
        check_cast("assign", given, target.dtype)
        given = given.astype(target.dtype)
    return given


def check_cast(name: str, given: Tensor, dtype: np.dtype[Any]) -> None:
    """Raise when a cast of *given* to *dtype* would give other numbers, but for their fraction.

    >>> import minima as mi
    >>> check_cast("assign", mi.Tensor([300]), np.dtype("int8"))
    Traceback (most recent call last):
    minima.errors.DTypeError: assign: cannot write 300 into int8, which holds -128 to 127; clip it
    """
    source = given.dtype
    if source.kind == "c" and dtype.kind != "c":
        raise DTypeError(
            f"{name}: cannot write {source} into {dtype}; take the real part or the absolute value"
        )
    if dtype.kind not in "iu" or source.kind == "b" or not given.size or TAPE.get() is not None:
        return
    limits = np.iinfo(dtype)
    if source.kind in "iu":
        inner = np.iinfo(source)
        if limits.min <= inner.min and inner.max <= limits.max:
            return
    token = GRAD.set(False)
    try:
        ends = [smallest(given).item(), largest(given).item()]
    finally:
        GRAD.reset(token)
    for end in ends:
        if not limits.min - 1 < end < limits.max + 1:  # so for NaN too
            raise DTypeError(
                f"{name}: cannot write {end} into {dtype}, which holds {limits.min} to "
                f"{limits.max}; clip it"
            )


def _same_part(target: Tensor, index: Index, given: Tensor) -> bool:
    """Say whether *given* is the very view of *target* that *index* picks."""
    view = view_of(given)
    if view is None or view.base is None or not is_basic(index):
        return False
    own = view_of(target)
    before = () if own is None else own.steps
    operator, attrs, *_ = view.steps[-1]
    return (
        view.base is base_of(target)
        and len(view.steps) == len(before) + 1
        and all(a is b for a, b in zip(view.steps, before))
        and operator is getitem.entry
        and attrs["index"] == index
    )


def _check_writable(name: str, target: Tensor) -> None:
    """Raise where the memory of *target* is not its own to write to."""
    array = target._array
    if type(array) is np.ndarray:
        flags = array.flags
        if flags.c_contiguous and flags.writeable:  # then no two elements are one
            return
    if (
        target.size
        and 0 in getattr(array, "strides", ())
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape))
    ):
        raise ArgumentError(
            f"{name}: elements of the tensor of shape {target.shape} share memory, as after "
            "broadcast_to; change a copy (x = x.clone())"
        )
    if isinstance(array, np.ndarray) and not array.flags.writeable:
        raise ArgumentError(
            f"{name}: the memory of the tensor is read-only, as that of a diagonal or of a "
            "read-only NumPy array is; change a copy (x = x.clone())"
        )


def _recorded(name: str, target: Tensor, others: tuple[Any, ...]) -> bool:
    """Say whether the change must be recorded, and raise where it cannot be."""
    if not GRAD.get():
        return False
    view = view_of(target)
    base = target if view is None or view.base is None else view.base
    if base._node is LEAF:
        what = "a leaf" if base is target else "a view of a leaf"
        raise AutogradError(
            f"{name}: cannot change in place {what} that requires grad while gradients are "
            "recorded; do it inside 'with mi.no_grad():', or make a new tensor"
        )
    if target._node is None and all(not isinstance(t, Tensor) or t._node is None for t in others):
        return False
    if view is not None and view.base is None:
        raise AutogradError(
            f"{name}: cannot record an in-place change of a view that was made inside "
            "'with mi.no_grad():'; make the view outside of it, or change a copy (x.clone())"
        )
    if any(t._node is LEAF for t in live_views(base)):
        raise AutogradError(
            f"{name}: cannot record an in-place change of memory of which a view is a leaf that "
            "requires grad; change a copy (x.clone())"
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
    if operator.name == "matmul":  # which would write a smaller result once for each row
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
    if operator.kinds and array.dtype.kind not in operator.kinds:
        return False
    kernel = device.kernels[operator.name]
    if operator.defaults:
        attrs = {**operator.defaults, **attrs}
    tape = TAPE.get()
    options = attrs if tape is None else plain(attrs)
    try:
        kernel(*arrays, **options, out=array)
    except AnomalyError:
        raise
    except Exception:  # the plain way says what does not fit
        return False
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
    if out._device is not target._device:
        target._device.adopt(name, out)
    if out.shape != target.shape:
        raise ShapeError(
            f"{name}: the result has shape {out.shape}; in place it must keep {target.shape}: "
            "make a new tensor (x = x + y for x += y)"
        )
    if out.dtype != target.dtype:
        raise DTypeError(
            f"{name}: the result has dtype {out.dtype}; in place it must keep {target.dtype}: "
            f"make a new tensor (x = x + y for x += y), or cast x.astype('{out.dtype}') first"
        )
