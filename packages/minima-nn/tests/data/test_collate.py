from collections import namedtuple

import numpy as np
import pytest

import minima as mi
from minima.data import default_collate

Pair = namedtuple("Pair", "x y")


def plain(value):
    """Return `value` with tensors as (dtype, list)."""
    if isinstance(value, mi.Tensor):
        return (value.dtype.name, value.tolist())
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "_fields"):
        return type(value)(*map(plain, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([1.0, 2.0], ("float32", [1.0, 2.0])),
        ([1, 2], ("int64", [1, 2])),
        ([True, False], ("bool", [True, False])),
        ([np.float64(1), np.float64(2)], ("float64", [1.0, 2.0])),
        ([np.ones(2, np.uint8)] * 2, ("uint8", [[1, 1], [1, 1]])),
        ([mi.Tensor([1.0]), mi.Tensor([2.0])], ("float32", [[1.0], [2.0]])),
        (["a", "b"], ["a", "b"]),
        ([b"a", b"b"], [b"a", b"b"]),
        ([(1, "a"), (2, "b")], (("int64", [1, 2]), ["a", "b"])),
        ([[1, 2], [3, 4]], [("int64", [1, 3]), ("int64", [2, 4])]),
        ([Pair(1, 2), Pair(3, 4)], Pair(("int64", [1, 3]), ("int64", [2, 4]))),
        ([{"x": (1.0,)}, {"x": (2.0,)}], {"x": (("float32", [1.0, 2.0]),)}),
    ],
)
def test_collate(samples, expected):
    """Catch another dtype, container or order than the samples had."""
    assert plain(default_collate(samples)) == expected


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([np.ones(2), np.ones(3)], ValueError, "shapes differ"),
        ([mi.Tensor([1.0]), mi.Tensor([1.0, 2.0])], ValueError, "shapes differ"),
        ([(1,), (1, 2)], ValueError, "lengths differ"),
        ([{"a": 1}, {"b": 1}], ValueError, "keys differ"),
        ([object(), object()], TypeError, "type object"),
        ([None, None], TypeError, "type NoneType"),
    ],
)
def test_collate_refuses_what_does_not_stack(samples, error, message):
    """Catch samples that are dropped or broadcast, or an error that does not name the batch."""
    with pytest.raises(error, match=message) as caught:
        default_collate(samples)
    assert isinstance(caught.value, mi.MinimaError)
