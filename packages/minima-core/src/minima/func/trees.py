"""Nested tuples, lists and dicts (pytrees), whose leaves are all else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import numpy as np

from ..errors import ArgumentError, DTypeError
from ..tensor import Tensor, as_tensor

__all__ = ["Build", "broadcast_prefix", "flatten", "keys", "same_structure", "tensors"]

#: puts new leaves into the structure that was flattened
Build = Callable[[list[Any]], Any]


def flatten(tree: Any) -> tuple[list[Any], Build]:
    """Return the leaves of *tree* in order, and what puts others in their place.

    >>> leaves, build = flatten({"a": (1, 2), "b": [3]})
    >>> leaves, build([4, 5, 6])
    ([1, 2, 3], {'a': (4, 5), 'b': [6]})
    """
    if isinstance(tree, dict):
        order = keys(tree)
        leaves, build = flatten([tree[k] for k in order])

        def mapping(new: list[Any]) -> Any:
            found = dict(zip(order, build(new)))
            return {k: found[k] for k in tree}

        return leaves, mapping
    if not isinstance(tree, tuple | list):
        return [tree], lambda new: new[0]
    parts = [flatten(v) for v in tree]

    def together(new: list[Any]) -> Any:
        values, start = [], 0
        for leaves, build in parts:
            values.append(build(new[start : start + len(leaves)]))
            start += len(leaves)
        kind: Any = type(tree)
        return kind(*values) if hasattr(tree, "_fields") else kind(values)

    return [leaf for leaves, _ in parts for leaf in leaves], together


def keys(tree: dict[Any, Any]) -> list[Any]:
    """Return the keys of *tree* in an order that does not depend on how it was made."""
    try:
        return sorted(tree)
    except TypeError:  # keys that do not compare
        return sorted(tree, key=lambda k: (type(k).__name__, repr(k)))


def same_structure(a: Any, b: Any) -> bool:
    """Say whether *a* and *b* are nested in the same way; a list may stand for a tuple.

    >>> same_structure({"a": (1, 2)}, {"a": [3, 4]}), same_structure({"a": 1}, {"b": 1})
    (True, False)
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_structure(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return len(a) == len(b) and all(map(same_structure, a, b))
    return not isinstance(a, dict | tuple | list) and not isinstance(b, dict | tuple | list)


def tensors(operation: str, what: str, tree: Any) -> tuple[list[Tensor], Build]:
    """Return the leaves of *tree* as Tensors; arrays and numbers are converted.

    Raises: DTypeError for a leaf that is none of them.
    """
    leaves, build = flatten(tree)
    return [_tensor(operation, what, leaf) for leaf in leaves], build


def _tensor(operation: str, what: str, leaf: Any) -> Tensor:
    if isinstance(leaf, Tensor):
        return leaf
    if isinstance(leaf, np.ndarray | np.generic | int | float | complex):
        return as_tensor(leaf, operation=operation)
    raise DTypeError(
        f"{operation}: got {what} with {type(leaf).__name__} in it; expected Tensors, and tuples, "
        "lists and dicts of them"
    )


def broadcast_prefix(operation: str, what: str, prefix: Any, tree: Any) -> list[Any]:
    """Return an axis (an integer or None) for each leaf of *tree*; one stands for all below it.

    >>> broadcast_prefix("vmap", "in_axes", (0, None), (1, {"a": 2, "b": 3}))
    [0, None, None]
    """
    if prefix is None or (isinstance(prefix, int) and not isinstance(prefix, bool)):
        return [prefix] * len(flatten(tree)[0])
    if isinstance(prefix, dict) and isinstance(tree, dict):
        if prefix.keys() != tree.keys():
            _unfit(operation, what, prefix, tree)
        pairs = [(prefix[k], tree[k]) for k in keys(tree)]
    elif isinstance(prefix, tuple | list) and isinstance(tree, tuple | list):
        if len(prefix) != len(tree):
            _unfit(operation, what, prefix, tree)
        pairs = list(zip(prefix, tree))
    else:
        _unfit(operation, what, prefix, tree)
    return [axis for p, t in pairs for axis in broadcast_prefix(operation, what, p, t)]


def _unfit(operation: str, what: str, prefix: Any, tree: Any) -> Never:
    size = f" of {len(tree)}" if hasattr(tree, "__len__") else ""
    raise ArgumentError(
        f"{operation}: {what} {prefix!r} does not fit a {type(tree).__name__}{size}; expected an "
        "integer, None, or one for each part"
    )
