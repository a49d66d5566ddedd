"""From a list of samples to one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minima.errors import DTypeError, ShapeError
from minima.operators import stack
from minima.tensor import Tensor, asarray

__all__ = ["default_collate"]


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, inside of tuples, lists and dicts too.

    Tensors, arrays and numbers become one Tensor (Python floats float32, ints int64); text
    stays a list.

    Shapes: B samples of (*) -> (B, *).
    Raises: ShapeError when samples differ in shape or length; DTypeError for other types.

    >>> import minima as mi
    >>> batch = mi.data.default_collate([{"x": 1.0, "name": "a"}, {"x": 2.0, "name": "b"}])
    >>> batch["x"].tolist(), batch["name"]
    ([1.0, 2.0], ['a', 'b'])
    """
    first = samples[0]
    if isinstance(first, Tensor):
        _check_equal("shapes", {sample.shape for sample in samples})
        return stack(list(samples))
    if isinstance(first, (np.ndarray, np.generic)):
        _check_equal("shapes", {sample.shape for sample in samples})
        return asarray(np.stack(samples))
    if isinstance(first, (bool, int, float)):
        return Tensor(list(samples))
    if isinstance(first, (str, bytes)):
        return list(samples)
    if isinstance(first, Mapping):
        _check_equal("keys", {frozenset(sample) for sample in samples})
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, (tuple, list)):
        return _collate_sequences(samples)
    raise DTypeError(
        f"default_collate: got samples of type {type(first).__name__}; expected tensors, arrays, "
        "numbers, text, or tuples, lists and dicts of these (or give the loader a collate_fn)"
    )


def _collate_sequences(samples: Sequence[Any]) -> Any:
    _check_equal("lengths", {len(sample) for sample in samples})
    columns = [default_collate(column) for column in zip(*samples, strict=True)]
    kind = type(samples[0])
    return kind(*columns) if hasattr(kind, "_fields") else kind(columns)


def _check_equal(what: str, found: set[Any]) -> None:
    if len(found) > 1:
        shown = ", ".join(sorted(str(sorted(f) if what == "keys" else f) for f in found)[:3])
        raise ShapeError(
            f"default_collate: samples of one batch differ in their {what}: {shown}; "
            "make them equal in the data set or give the loader a collate_fn"
        )
