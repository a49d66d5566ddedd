"""vmap: a function of one element, run on a batch at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..errors import ArgumentError, ShapeError, SignatureError
from ..explain import expect_function
from ..operators import broadcast_to, concat, permute_dims
from ..operators.axes import canonical_axis
from ..random import _defaults, default_generator
from ..tensor import Tensor, as_tensor
from . import layer_rules as _layer_rules  # noqa: F401  (which enters its rules)
from .batched import CURRENT, BatchedDevice, lifted
from .rules import batched_kernel
from .trees import broadcast_prefix, flatten

__all__ = ["vmap"]

_RANDOMNESS = ("error", "same", "different")


def vmap(
    function: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
    **names: Any,
) -> Callable[..., Any]:
    """Return *function* made to run on a batch, whose elements it sees one at a time.

    The elements lie along *in_axes* of the arguments: an integer, None for an argument that is
    the same for all elements, or one of them for each argument, nested as tuples, lists and dicts
    are in it. *out_axes* says in the same way where the results go. Arguments given by name are
    the same for all elements. Operators run on the whole batch; those that have no way to do so
    run element after element.

    *randomness*: random numbers within raise (``error``), are the ``same`` for all elements or
    ``different`` ones.

    *chunk_size*: run the function on at most so many elements at once, to save memory; None on all.
    PyTorch's names *in_dims* and *out_dims* are taken as well.

    Gradient: flows through, and gradients may be taken within: vmap, grad, jvp and the like nest
    in any order.
    Raises: ArgumentError for axes that do not fit or sizes that differ, DTypeError where a value
    is asked for (``item()``, ``if tensor``), DeviceError for a change in place.

    >>> import minima as mi
    >>> x = mi.Tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> mi.func.vmap(lambda row: (row * row).sum())(x)
    Tensor([ 5., 25.])
    >>> mi.func.vmap(mi.func.grad(lambda w, row: (w * row).sum() ** 2), in_axes=(None, 0))(x[0], x)
    Tensor([[10., 20.],
            [66., 88.]])
    """
    expect_function("vmap", function)
    if randomness not in _RANDOMNESS:
        raise ArgumentError(f"vmap: got randomness={randomness!r}; expected one of {_RANDOMNESS}")

    if names:
        in_axes, out_axes = _renamed(in_axes, out_axes, names)
    if chunk_size is not None and (not hasattr(chunk_size, "__index__") or chunk_size < 1):
        raise ArgumentError(
            f"vmap: got chunk_size={chunk_size!r}; expected a positive integer, or None"
        )

    @wraps(function)
    def batched(*args: Any, **kwargs: Any) -> Any:
        leaves, build = flatten(args)
        axes = broadcast_prefix("vmap", "in_axes", _listed(in_axes, args), args)
        moved = [_lifted(v) if a is None else _moved(v, a) for v, a in zip(leaves, axes)]
        size = _size(moved, axes)
        if chunk_size is not None and chunk_size < size:

            def run(*given: Any) -> Any:
                return function(*build(list(given)), **kwargs)

            mapped = tuple(None if a is None else 0 for a in axes)
            once = vmap(run, mapped, out_axes, randomness=randomness)
            starts, same = range(0, size, chunk_size), randomness == "same"
            return _in_chunks(once, moved, mapped, out_axes, starts, same)
        base = next(v._device for v, a in zip(moved, axes) if a is not None)
        device = BatchedDevice(size, base, randomness, batched_kernel)
        given = [_given(v, a is not None, device) for v, a in zip(moved, axes)]
        token = CURRENT.set(device)
        try:
            return _out(function(*build(given), **kwargs), out_axes, device)
        finally:
            CURRENT.reset(token)
            _defaults.pop(device, None)

    return batched


def _renamed(in_axes: Any, out_axes: Any, names: dict[str, Any]) -> tuple[Any, Any]:
    """Return the axes, given by PyTorch's *names* for them too."""
    for name in names:
        if name not in ("in_dims", "out_dims"):
            raise SignatureError(
                f"vmap: got an unexpected keyword {name!r}; expected in_axes, out_axes, "
                "randomness or chunk_size"
            )
    return names.get("in_dims", in_axes), names.get("out_dims", out_axes)


def _in_chunks(
    once: Callable[..., Any],
    given: list[Any],
    mapped: Any,
    out_axes: Any,
    starts: range,
    same: bool,
) -> Any:
    """Return the results of *once* for some elements at a time, joined along *out_axes*.

    *same*: each time with the same random numbers.
    """
    source = default_generator(next(v._device for v, a in zip(given, mapped) if a is not None))
    state, parts = source.get_state() if same else None, []
    for i in starts:
        if state is not None:
            source.set_state(state)
        some = (v if a is None else v[i : i + starts.step] for v, a in zip(given, mapped))
        parts.append(once(*some))
    flat = [flatten(p) for p in parts]
    places = broadcast_prefix("vmap", "out_axes", out_axes, parts[0])
    joined = [
        values[0] if a is None or values[0] is None else concat(values, axis=a)
        for values, a in zip(zip(*(leaves for leaves, _ in flat)), places)
    ]
    return flat[0][1](joined)


def _listed(in_axes: Any, args: tuple[Any, ...]) -> Any:
    """Return *in_axes*, in which one list or tuple stands for the arguments one by one."""
    if isinstance(in_axes, list | tuple) and len(in_axes) != len(args):
        raise ArgumentError(
            f"vmap: got in_axes {in_axes!r} for {len(args)} arguments; expected one for each"
        )
    return in_axes


def _lifted(value: Any) -> Any:
    return lifted(value, "vmap") if isinstance(value, Tensor) else value


def _given(value: Any, mapped: bool, device: BatchedDevice) -> Any:
    """Return what the function sees of an argument."""
    if not isinstance(value, Tensor):
        return value
    if value._device is not device.base:
        value = device.base.adopt("vmap", value)
    return device.wrap(value, mapped)


def _moved(value: Any, axis: int) -> Tensor:
    """Return *value* with the batch axis in front."""
    t = _lifted(value if isinstance(value, Tensor) else as_tensor(value, operation="vmap"))
    if not t.ndim:
        raise ShapeError(
            "vmap: got an argument of shape () to take elements from; expected at least one axis: "
            "pass in_axes=None for it"
        )
    return front(t, canonical_axis("vmap", axis, t.ndim))


def front(t: Tensor, axis: int) -> Tensor:
    """Return *t* with *axis* as the first of its axes."""
    return permute_dims(t, (axis, *(i for i in range(t.ndim) if i != axis))) if axis else t


def _size(moved: list[Any], axes: list[Any]) -> int:
    sizes = {v.shape[0] for v, a in zip(moved, axes) if a is not None}
    if len(sizes) != 1:
        raise ArgumentError(
            f"vmap: the batch has sizes {sorted(sizes)} in different arguments; expected one size"
            if sizes
            else "vmap: in_axes is None for all arguments; expected an axis for at least one"
        )
    return int(sizes.pop())


def _out(value: Any, out_axes: Any, device: BatchedDevice) -> Any:
    """Return the results, Tensors of the device below, with the batch axis where it has to be."""
    leaves, build = flatten(value)
    axes = broadcast_prefix("vmap", "out_axes", out_axes, value)
    return build([_outer(v, a, device) for v, a in zip(leaves, axes)])


def _outer(value: Any, axis: int | None, device: BatchedDevice) -> Any:
    if value is None:
        return None
    t = value if isinstance(value, Tensor) else as_tensor(value, operation="vmap")
    if t._device is not device:
        t = device.adopt("vmap", t)
    array = t._array
    if axis is None:
        if array.mapped:
            raise ArgumentError(
                "vmap: out_axes is None for a result that differs from element to element; "
                "expected an integer"
            )
        return array.outer
    outer = array.outer if array.mapped else broadcast_to(array.outer, (device.length, *t.shape))
    place = canonical_axis("vmap", axis, outer.ndim)
    order = list(range(1, outer.ndim))
    order.insert(place, 0)
    return permute_dims(outer, order) if place else outer
