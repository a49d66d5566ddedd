from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import minima as mi
from minima.data import DataLoader, default_collate, default_convert

Pair = namedtuple("Pair", "x y")


@dataclass(frozen=True)
class Point:
    x: float
    names: tuple


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


def test_containers_keep_their_types():
    """Catch a dataclass or a mapping that comes back as something else."""
    batch = default_collate([Point(1.0, ("a", 1)), Point(2.0, ("b", 2))])
    assert type(batch) is Point
    assert batch.x.tolist() == [1.0, 2.0]
    assert batch.names[0] == ["a", "b"]
    assert type(default_collate([OrderedDict(a=1)])) is OrderedDict
    assert default_collate([1j, 2j]).dtype == "complex64"


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (
            [{"x": [np.ones(2), np.ones((2, 3))]}, {"x": [np.ones(2), np.ones((3, 2))]}],
            r'sample\["x"\]\[1\]: shapes differ: \(2, 3\) in sample 0, \(3, 2\) in sample 1',
        ),
        (
            [Pair(1, (1,)), Pair(1, (1,)), Pair(1, ())],
            r"sample\.y: lengths differ: 1 .*0 in sample 2",
        ),
        ([Point(1.0, ("a",)), Point(1.0, (2,))], r"sample\.names\[0\]: kinds differ: str .* int"),
        (
            [{"a": 1}, {"a": 1, 3: 2}],
            r'sample: keys differ: \["a"\] in sample 0, \["a", 3\]|3, "a"',
        ),
        ([1, "a"], "sample: kinds differ: int in sample 0, str in sample 1"),
        ([Point(1.0, ()), 3], "kinds differ: Point in sample 0, int in sample 1"),
        ([(1, None), (1, None)], r"sample\[1\] is of type NoneType"),
        ([np.array(["a"])], "sample: arrays have dtype <U1"),
        ([2**70], "does not fit into int64"),
        ([], "got no samples"),
    ],
)
def test_errors_name_the_place(samples, message):
    """Catch an error that leaves the search for the sample to the user."""
    with pytest.raises((ValueError, TypeError), match=f"default_collate: .*({message})") as caught:
        default_collate(samples)
    assert isinstance(caught.value, mi.MinimaError)


def test_arrays_are_converted_without_batches():
    """Fault: a loader without batches that gives arrays where all others give Tensors."""
    sample = Pair(np.ones(2), {"y": [np.float32(3.0), "text", None, np.array(["a"])]})
    x, named = default_convert(sample)
    assert (type(x), x.tolist()) == (mi.Tensor, [1.0, 1.0])
    number, text, nothing, words = named["y"]
    assert (number.dtype, number.item(), text, nothing) == ("float32", 3.0, "text", None)
    assert type(words) is np.ndarray
    (found,) = DataLoader([sample], batch_size=None)
    assert type(found) is Pair
    assert type(found.x) is mi.Tensor
