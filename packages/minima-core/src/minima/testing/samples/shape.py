"""Samples of the operators that move elements: shape, layout, joining and indexing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, exactly, integers, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")


def _shapes() -> Iterator[Sample]:
    small: Any
    axis: Any
    axes: Any
    for shape in ((), (2, 3), (0, 2)):
        yield Sample("copy", lambda x: x, [real(*shape)])
    yield Sample("copy", lambda x: x, [integers(3)])
    for before, after in (
        ((2, 3), (3, 2)),
        ((2, 3), (-1,)),
        ((2, 3), 6),
        ((2, 3), (1, -1, 2)),
        ((1,), ()),
        ((), (1, 1)),
        ((0, 3), (3, 0)),
    ):
        yield Sample("reshape", np.reshape, [real(*before)], {"shape": after})
    for small, large in (
        ((3,), (2, 3)),
        ((2, 1, 3), (4, 2, 5, 3)),
        ((), (2,)),
        ((1,), (0,)),
        ((0,), (2, 0)),
        ((2,), (2,)),
    ):
        yield Sample("broadcast_to", np.broadcast_to, [real(*small)], {"shape": large})
    for small, axes in (
        ((2, 3), (1, 0)),
        ((2, 3, 4), (2, 0, 1)),
        ((2, 3), (-1, 0)),
        ((), ()),
        ((0, 2), (1, 0)),
    ):
        yield Sample("permute_dims", np.transpose, [real(*small)], {"axes": axes})
    for small, axis in (((2, 3), 0), ((2, 3), 2), ((2, 3), -1), ((), 0), ((0,), 1)):
        yield Sample("expand_dims", np.expand_dims, [real(*small)], {"axis": axis})
    yield Sample("expand_dims", lambda x: x[None], [real(2)])
    for small, axis in (
        ((1, 3, 1), 0),
        ((1, 3, 1), (0, -1)),
        ((1, 3, 1), None),
        ((1,), 0),
        ((1, 0), 0),
    ):
        yield Sample("squeeze", np.squeeze, [real(*small)], {"axis": axis})


def _astype(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


def _casts() -> Iterator[Sample]:
    yield Sample("astype", _astype, [real(2, 3)], {"dtype": "float64"}, dtype="float64")
    yield Sample(
        "astype",
        _astype,
        [real(2, 3)],
        {"dtype": "float32"},
        "",
        False,
        [np.ones((2, 3))],
        dtype="float32",
    )
    yield Sample(
        "astype", _astype, [exactly([1.5, -1.5, 300.7])], {"dtype": "int64"}, dtype="int64"
    )
    yield Sample("astype", _astype, [exactly([1.5, 0.0, nan])], {"dtype": "bool"}, dtype="bool")
    yield Sample("astype", _astype, [integers(3)], {"dtype": "float32"}, dtype="float32")
    yield Sample("astype", _astype, [bools(0, 3)], {"dtype": "int32"}, dtype="int32")


def _concat(*arrays: Any, axis: int = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _stack(*arrays: Any, axis: int = 0) -> Any:
    return np.stack(arrays, axis=axis)


def _joins() -> Iterator[Sample]:
    yield Sample("concat", _concat, [real(2, 3), real(4, 3)])
    yield Sample("concat", _concat, [real(2, 3), real(2, 1), real(2, 2)], {"axis": -1})
    yield Sample("concat", _concat, [real(2)])
    yield Sample("concat", _concat, [real(0, 3), real(2, 3)])
    yield Sample("concat", _concat, [integers(2), integers(3)], note="whole")
    yield Sample("concat", _concat, [integers(2), real(3)], note="mixed")
    yield Sample("concat", _concat, [exactly([nan, 1.0]), exactly([inf])], {}, "special", False)
    for axis in (0, 1, -1):
        yield Sample("stack", _stack, [real(2, 3), real(2, 3)], {"axis": axis})
    yield Sample("stack", _stack, [real(), real(), real()])
    yield Sample("stack", _stack, [real(0)])
    yield Sample("stack", _stack, [bools(2), bools(2)])


def _getitem(x: Any, index: Any) -> Any:
    return x[index]


def _scatter(x: Any, shape: Any, index: Any) -> Any:
    out = np.zeros(shape)
    np.add.at(out, index, x)
    return out


def _put(x: Any, value: Any, index: Any) -> Any:
    out = x.copy()
    out[index] = value
    return out


#: indices into shape (4, 3, 2), and whether each picks an element once at most
INDICES: tuple[tuple[Any, bool], ...] = (
    (1, True),
    (-1, True),
    (slice(1, 3), True),
    (slice(None, None, -2), True),
    ((slice(None), 1), True),
    ((Ellipsis, 0), True),
    ((None, 2, Ellipsis, None), True),
    ((1, 2, 0), True),
    (slice(0, 0), True),
    ([0, 2], True),
    ([0, 2, 2, -1], False),
    (np.array([[0, 1], [3, 0]]), False),
    (([0, 1], [2, 0]), True),
    (([0, 0], slice(None), [1, 1]), False),
    ((slice(1, None), [1, 1, 0]), False),
    (np.array([True, False, True, False]), True),
    (np.arange(24).reshape(4, 3, 2) % 5 == 0, True),
    ([], True),
)


def _indexed() -> Iterator[Sample]:
    for number, (index, once) in enumerate(INDICES):
        part = np.zeros((4, 3, 2))[index].shape
        note = f"index{number}"
        yield Sample("getitem", _getitem, [real(4, 3, 2)], {"index": index}, note)
        yield Sample("scatter", _scatter, [real(*part)], {"shape": (4, 3, 2), "index": index}, note)
        if once:
            yield Sample("put", _put, [real(4, 3, 2), real(*part)], {"index": index}, note)
    yield Sample("getitem", _getitem, [real()], {"index": ()})
    yield Sample("getitem", _getitem, [real()], {"index": (None, ...)})
    yield Sample("getitem", _getitem, [real(0, 3)], {"index": (slice(None), 1)})
    yield Sample("getitem", _getitem, [integers(4)], {"index": slice(1, 3)})
    yield Sample("put", _put, [real(3, 2), real(2)], {"index": slice(0, 2)}, "broadcast")
    yield Sample("put", _put, [real(3, 2), real(1, 1, 2)], {"index": slice(0, 2)}, "leading")
    yield Sample("put", _put, [real(3, 2), 1.5], {"index": (0, 1)}, "number")
    yield Sample("put", _put, [integers(3), integers()], {"index": 1})


def _one_hot(indices: Any, num_classes: int, dtype: str = "float32") -> Any:
    return np.eye(num_classes, dtype=dtype)[indices]


def _one_hots() -> Iterator[Sample]:
    for shape in ((3,), (2, 3), (), (0,)):
        yield Sample("one_hot", _one_hot, [integers(*shape, low=0, high=4)], {"num_classes": 4})
    attrs = {"num_classes": 4, "dtype": "int64"}
    yield Sample("one_hot", _one_hot, [integers(3, low=0, high=4)], attrs)


SAMPLES = [*_shapes(), *_casts(), *_joins(), *_indexed(), *_one_hots()]
