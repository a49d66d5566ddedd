"""Arguments and results: nested tuples, lists and dicts, with the Tensors in them told apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

import numpy as np

from ..tensor import Tensor
from .guards import PLAIN

__all__ = ["filled", "objects", "signature", "structure"]


class _Number(int):
    """The place of a Tensor in a structure."""


def signature(args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[Tensor]) -> Hashable:
    """Return what a call is known by; its Tensors go to *tensors*.

    Raises: TypeError for what cannot be compared from call to call.

    >>> found = []
    >>> signature((0.5,), {}, found), len(found)
    (((<class 'float'>, 0.5),), 0)
    """
    key = [_known_by(a, tensors) for a in args]
    if kwargs:
        key.append(_known_by(kwargs, tensors))
    if len(tensors) > 1:  # which of them lie over the same buffer
        places = [id(t._array) for t in tensors]
        if len(set(places)) < len(places):
            key.append(tuple(places.index(p) for p in places))
    return tuple(key)


def _known_by(value: Any, tensors: list[Tensor]) -> Hashable:
    if isinstance(value, Tensor):
        tensors.append(value)
        array = value._array
        return (array.shape, array.dtype, id(value._device), value._node is not None)
    if isinstance(value, tuple | list):
        return (type(value), *[_known_by(v, tensors) for v in value])
    if isinstance(value, dict):
        return (dict, *[(k, _known_by(v, tensors)) for k, v in value.items()])
    if isinstance(value, PLAIN):
        return (type(value), value)
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array: pass a Tensor, as from mi.asarray(array)")
    return ("object", id(value))


def structure(value: Any, tensors: list[Tensor]) -> Any:
    """Return *value* with each Tensor replaced by its number in *tensors*, where it goes."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return _Number(len(tensors) - 1)
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return type(value)(structure(v, tensors) for v in value)
    if isinstance(value, dict):
        return {k: structure(v, tensors) for k, v in value.items()}
    return value


def filled(shape: Any, tensors: list[Any]) -> Any:
    """Return a structure with its Tensors, others than before, put in.

    >>> found = []
    >>> shape = structure({"y": [mi.ones(1), 3]}, found)
    >>> filled(shape, [mi.zeros(1)])
    {'y': [Tensor([0.]), 3]}
    """
    if type(shape) is _Number:
        return tensors[shape]
    if isinstance(shape, tuple | list) and not hasattr(shape, "_fields"):
        return type(shape)(filled(v, tensors) for v in shape)
    if isinstance(shape, dict):
        return {k: filled(v, tensors) for k, v in shape.items()}
    return shape


def objects(value: Any) -> Iterator[Any]:
    """Yield what is neither Tensor nor plain in arguments: models, optimisers, functions."""
    if isinstance(value, tuple | list):
        for v in value:
            yield from objects(v)
    elif isinstance(value, dict):
        yield from objects(tuple(value.values()))
    elif not isinstance(value, (Tensor, *PLAIN)):
        yield value
