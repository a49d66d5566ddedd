"""Taking nested state apart into named arrays and JSON, and putting it together again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from minima.errors import CheckpointError, DTypeError
from minima.tensor import Tensor, asarray

__all__ = ["BFLOAT16", "KINDS", "Arrays", "join", "split"]

Arrays: TypeAlias = dict[str, np.ndarray[Any, Any]]
KINDS = "biuf"  # bool, integers, floats
BFLOAT16 = "bfloat16"  # of the package ml_dtypes; NumPy calls its kind "V"
MARK = "$"  # a JSON object with this key stands for something that JSON lacks


def split(tree: Any) -> tuple[Arrays, str | None]:
    """Return the arrays of `tree` by dotted name, and JSON that says where they belong.

    A flat dict of tensors needs no JSON: its names say it all.

    Raises: DTypeError for anything but tensors, arrays, numbers, text, None and containers.

    >>> import minima as mi
    >>> from minima.io.tree import split
    >>> arrays, structure = split({"model": {"weight": mi.Tensor([1.0])}, "epoch": 3})
    >>> arrays
    {'model.weight': array([1.], dtype=float32)}
    >>> structure
    '{"model":{"weight":{"$":["tensor","model.weight"]}},"epoch":3}'
    """
    arrays: Arrays = {}
    encoded = _encode(tree, "", arrays)
    flat = isinstance(tree, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in tree.items()
    )
    return arrays, None if flat else json.dumps(encoded, separators=(",", ":"))


def join(arrays: Arrays, structure: str | None) -> Any:
    """Put together what `split` took apart.

    Raises: CheckpointError when the JSON is not of `split` or names an array that is not there.

    >>> import numpy as np
    >>> from minima.io.tree import join
    >>> join({"a": np.ones(2)}, '[1,{"$":["array","a"]}]')
    [1, array([1., 1.])]
    """
    if structure is None:
        return {name: asarray(array) for name, array in arrays.items()}
    try:
        return _decode(json.loads(structure), arrays)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"the description of its structure is broken ({type(error).__name__}: {error})"
        ) from error


def _encode(value: Any, name: str, arrays: Arrays) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Tensor):
        return {MARK: ["tensor", _store(value.detach().numpy(), name, arrays)]}
    if isinstance(value, np.ndarray):
        return {MARK: ["array", _store(value, name, arrays)]}
    if isinstance(value, (list, tuple)):
        items = [_encode(item, _dotted(name, i), arrays) for i, item in enumerate(value)]
        return items if isinstance(value, list) else {MARK: ["tuple", items]}
    if isinstance(value, Mapping):
        pairs = [(key, _encode(item, _dotted(name, key), arrays)) for key, item in value.items()]
        if all(isinstance(key, str) for key, _ in pairs) and MARK not in value:
            return dict(pairs)
        return {MARK: ["dict", [[_encode(key, name, arrays), item] for key, item in pairs]]}
    raise DTypeError(
        f"save: {name or 'the state'} is a {type(value).__name__}; expected tensors, arrays, "
        "numbers, text, None, or lists, tuples and dicts of these"
    )


def _decode(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {key: _decode(item, arrays) for key, item in value.items()}
    kind, content = value[MARK]
    if kind == "tensor":
        return asarray(arrays[content])
    if kind == "array":
        return arrays[content]
    if kind == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    if kind == "dict":
        return {_decode(key, arrays): _decode(item, arrays) for key, item in content}
    raise ValueError(f"unknown kind {kind!r}")


def _dotted(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def _store(array: np.ndarray[Any, Any], name: str, arrays: Arrays) -> str:
    """Keep `array` in C order and native bytes under a free name, and return that name."""
    dtype = array.dtype
    if dtype.name != BFLOAT16 and (dtype.kind not in KINDS or dtype.itemsize > 8):
        raise DTypeError(
            f"save: {name} has dtype {dtype}; expected bool, integers or floats of up to 64 bits"
        )
    while name in arrays:
        name += "'"
    arrays[name] = np.asarray(array, dtype=dtype.newbyteorder("="), order="C")
    return name
