"""From a list of samples to one batch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from minima.errors import ArgumentError, DTypeError, MinimaError, ShapeError
from minima.operators import stack
from minima.tensor import Tensor, asarray

__all__ = ["default_collate", "default_convert"]


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, inside of tuples, lists, dicts and dataclasses too.

    Tensors, arrays and numbers become one Tensor (Python floats float32, ints int64, complex
    numbers complex64); text and bytes stay a list. Containers keep their types, at any depth.

    Shapes: B samples of (*) -> (B, *).
    Raises: ShapeError when samples differ in shape, length or keys; DTypeError when they differ
    in kind or are of another type. Each says where in a sample, and which sample.

    >>> batch = mi.data.default_collate([{"x": 1.0, "name": "a"}, {"x": 2.0, "name": "b"}])
    >>> batch["x"].tolist(), batch["name"]
    ([1.0, 2.0], ['a', 'b'])
    >>> mi.data.default_collate([{"x": np.ones(2)}, {"x": np.ones(3)}])
    Traceback (most recent call last):
    minima.errors.ShapeError: default_collate: sample["x"]: shapes differ: (2,) in sample 0, (3,) \
in sample 1; ...
    """
    if not len(samples):
        raise ArgumentError("default_collate: got no samples; expected at least one")
    return _collate(samples, "sample")


def default_convert(sample: Any) -> Any:
    """Make arrays of numbers Tensors, over the same memory, inside of tuples, lists and dicts too.

    All else stays as it is. A loader without batches gives its samples so.

    >>> mi.data.default_convert({"x": np.ones(2, np.float32), "name": "a"})
    {'x': Tensor([1., 1.]), 'name': 'a'}
    """
    if isinstance(sample, np.ndarray | np.generic):
        return asarray(sample) if sample.dtype.kind in "biufc" else sample
    if isinstance(sample, Mapping):
        return _remade(sample, {key: default_convert(value) for key, value in sample.items()})
    if isinstance(sample, tuple | list):
        parts = [default_convert(part) for part in sample]
        return type(sample)(*parts) if hasattr(sample, "_fields") else type(sample)(parts)
    return sample


def _remade(first: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """Return *items* as a mapping of the type of *first*, where that can be made of them."""
    kind: Any = type(first)
    if kind is dict:
        return items
    try:
        return kind(items)
    except TypeError:  # a defaultdict, for one, is made otherwise
        return items


def _collate(samples: Sequence[Any], place: str) -> Any:
    """Collate what stands at one `place` of each sample."""
    first = samples[0]
    for kind, collate in _KINDS:
        if isinstance(first, kind):
            for i, sample in enumerate(samples):
                if not isinstance(sample, kind):
                    raise _differ(place, "kinds", type(first).__name__, i, type(sample).__name__)
            return collate(samples, place)
    if is_dataclass(first) and not isinstance(first, type):
        return _dataclasses(samples, place)
    raise DTypeError(
        f"default_collate: {place} is of type {type(first).__name__}; expected tensors, arrays, "
        "numbers, text, or tuples, lists, dicts and dataclasses of these (or give the loader a "
        "collate_fn)"
    )


def _tensors(samples: Sequence[Any], place: str) -> Tensor:
    _equal(samples, place, "shapes", lambda sample: sample.shape)
    return stack(list(samples))


def _arrays(samples: Sequence[Any], place: str) -> Tensor:
    _equal(samples, place, "shapes", lambda sample: sample.shape)
    try:
        return asarray(np.stack(samples))
    except MinimaError as error:  # a type that no tensor has, as of text or objects
        raise DTypeError(
            f"default_collate: {place}: arrays have dtype {samples[0].dtype} ({error}); make "
            "them numbers in the data set or give the loader a collate_fn"
        ) from None


def _numbers(samples: Sequence[Any], place: str) -> Tensor:
    try:
        return Tensor(list(samples))
    except (OverflowError, MinimaError):
        raise DTypeError(
            f"default_collate: {place}: a number does not fit into int64; give floats"
        ) from None


def _text(samples: Sequence[Any], place: str) -> list[Any]:
    return list(samples)


def _mappings(samples: Sequence[Any], place: str) -> Any:
    first = samples[0]
    _equal(samples, place, "keys", lambda sample: frozenset(sample), _shown_keys)
    batch = {key: _collate([s[key] for s in samples], f"{place}[{_quoted(key)}]") for key in first}
    return _remade(first, batch)


def _sequences(samples: Sequence[Any], place: str) -> Any:
    _equal(samples, place, "lengths", len)
    kind = type(samples[0])
    names = getattr(kind, "_fields", None)
    columns = [
        _collate(column, f"{place}.{names[i]}" if names else f"{place}[{i}]")
        for i, column in enumerate(zip(*samples, strict=True))
    ]
    return kind(*columns) if names else kind(columns)


def _dataclasses(samples: Sequence[Any], place: str) -> Any:
    kind = type(samples[0])
    for i, sample in enumerate(samples):
        if type(sample) is not kind:
            raise _differ(place, "kinds", kind.__name__, i, type(sample).__name__)
    names = [field.name for field in fields(kind) if field.init]
    return kind(**{n: _collate([getattr(s, n) for s in samples], f"{place}.{n}") for n in names})


#: what a sample may be, in the order of asking, and how samples of it make a batch
_KINDS: list[tuple[type | tuple[type, ...], Callable[[Sequence[Any], str], Any]]] = [
    (Tensor, _tensors),
    ((np.ndarray, np.generic), _arrays),
    ((bool, int, float, complex), _numbers),
    ((str, bytes), _text),
    (Mapping, _mappings),
    ((tuple, list), _sequences),
]


def _equal(
    samples: Sequence[Any],
    place: str,
    what: str,
    measure: Callable[[Any], Hashable],
    show: Callable[[Any], str] = str,
) -> None:
    """Raise unless all samples measure the same."""
    first = measure(samples[0])
    for i, sample in enumerate(samples):
        if (found := measure(sample)) != first:
            raise _differ(place, what, show(first), i, show(found))


def _differ(place: str, what: str, first: str, i: int, found: str) -> MinimaError:
    kind = DTypeError if what == "kinds" else ShapeError
    return kind(
        f"default_collate: {place}: {what} differ: {first} in sample 0, {found} in sample {i}; "
        "make them equal in the data set or give the loader a collate_fn"
    )


def _quoted(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else repr(key)


def _shown_keys(keys: frozenset[Any]) -> str:
    return f"[{', '.join(sorted(map(_quoted, keys)))}]"
