"""Samples of what moves, repeats, cuts and joins elements, and of diagonals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, bools, exactly, integers, real

__all__ = ["COMPOSED", "SAMPLES"]

nan, inf = float("nan"), float("inf")


def _diagonals() -> Iterator[Sample]:
    for shape, attrs in (
        ((3, 3), {}),
        ((2, 4), {"offset": 1}),
        ((4, 2), {"offset": -2}),
        ((2, 3, 4), {"axis1": -1, "axis2": 0}),
        ((2, 3, 4), {"offset": -1, "axis1": 1, "axis2": 2}),
        ((2, 2), {"offset": 5}),
        ((0, 3), {}),
        ((3, 0, 2), {"axis1": 0, "axis2": 2}),
    ):
        yield Sample("diagonal", np.diagonal, [real(*shape)], attrs)
    yield Sample("diagonal", np.diagonal, [integers(3, 3)], note="whole")
    yield Sample("diagonal", np.diagonal, [exactly([[nan, 1.0], [2.0, inf]])], {}, "special", False)


def _embedded(x: Any, offset: int = 0, axis1: int = -2, axis2: int = -1) -> Any:
    size = x.shape[-1] + abs(offset)
    out = np.zeros((*x.shape[:-1], size, size), x.dtype)
    for i in range(x.shape[-1]):
        out[..., i + max(0, -offset), i + max(0, offset)] = x[..., i]
    return np.moveaxis(out, (-2, -1), (axis1, axis2))


def _unflatten(x: Any, axis: int, sizes: Any) -> Any:
    place = axis % x.ndim
    return x.reshape(*x.shape[:place], *sizes, *x.shape[place + 1 :])


def _narrow(x: Any, axis: int, start: int, length: int) -> Any:
    return np.take(x, np.arange(start, start + length) % max(1, x.shape[axis]), axis)


def _moves() -> Iterator[Sample]:
    oracle: Any
    shape: tuple[int, ...]
    for name, oracle, rows in (
        ("moveaxis", np.moveaxis, ((0, -1), ((0, 1), (-1, 0)), (2, 2))),
        ("movedim", np.moveaxis, ((0, -1), ((2,), (1,)))),
    ):
        for source, destination in rows:
            attrs: dict[str, Any] = {"source": source, "destination": destination}
            yield Sample(name, oracle, [real(2, 3, 4)], attrs)
        yield Sample(name, oracle, [real(0, 3)], {"source": 0, "destination": 1})
    for shape in ((2, 3, 4), (2, 0, 3)):
        yield Sample("swapaxes", np.swapaxes, [real(*shape)], {"axis1": 0, "axis2": -1})
        yield Sample("unsqueeze", np.expand_dims, [real(*shape)], {"axis": 1})
    yield Sample("unsqueeze", np.expand_dims, [real()], {"axis": 0})
    for shape in ((), (2, 3), (0, 2)):
        yield Sample("ravel", np.ravel, [real(*shape)])
        for name, oracle in (
            ("atleast_1d", np.atleast_1d),
            ("atleast_2d", np.atleast_2d),
            ("atleast_3d", np.atleast_3d),
        ):
            yield Sample(name, oracle, [real(*shape)])
    yield Sample("atleast_2d", np.atleast_2d, [real(3)])
    yield Sample("atleast_3d", np.atleast_3d, [real(3)])
    yield Sample("atleast_3d", np.atleast_3d, [real(1, 2, 3)])
    yield Sample("unflatten", _unflatten, [real(2, 6)], {"axis": -1, "sizes": (3, -1)})
    yield Sample("unflatten", _unflatten, [real(0, 6)], {"axis": 1, "sizes": (2, 3, 1)})


def _orders() -> Iterator[Sample]:
    shape: tuple[int, ...]
    attrs: dict[str, Any]
    for attrs in ({}, {"axis": 0}, {"axis": (-1, 0)}, {"axis": ()}):
        yield Sample("flip", np.flip, [real(2, 3, 4)], attrs)
    yield Sample("flip", np.flip, [real()])
    yield Sample("flip", np.flip, [bools(0, 2)])
    for shape in ((2, 3), (0, 3)):
        yield Sample("fliplr", np.fliplr, [real(*shape)])
        yield Sample("flipud", np.flipud, [real(*shape)])
        for k in range(-1, 4):
            yield Sample("rot90", np.rot90, [real(*shape)], {"k": k})
    yield Sample("rot90", np.rot90, [real(2, 3, 4)], {"axes": (2, 0)})
    for shape, attrs in (
        ((4,), {"shift": 1}),
        ((2, 3), {"shift": -2}),
        ((2, 3), {"shift": 4, "axis": 1}),
        ((2, 3, 4), {"shift": (1, -1), "axis": (0, 2)}),
        ((2, 3), {"shift": 1, "axis": (0, 1)}),
        ((2, 3), {"shift": (1, 1), "axis": (1, 1)}),
        ((2, 3), {"shift": 3, "axis": 1}),
        ((), {"shift": 2}),
        ((0, 3), {"shift": 1, "axis": 0}),
    ):
        yield Sample("roll", np.roll, [real(*shape)], attrs)
    yield Sample("narrow", _narrow, [real(2, 5)], {"axis": 1, "start": 1, "length": 3})
    yield Sample("narrow", _narrow, [real(2, 5)], {"axis": -1, "start": -2, "length": 2})
    yield Sample("narrow", _narrow, [real(0, 5)], {"axis": 0, "start": 0, "length": 0})


def _repetitions() -> Iterator[Sample]:
    shape: tuple[int, ...]
    attrs: dict[str, Any]
    times: Any
    for shape, attrs in (
        ((3,), {"repeats": 2}),
        ((2, 3), {"repeats": 2}),
        ((2, 3), {"repeats": 3, "axis": 0}),
        ((2, 3), {"repeats": [1, 0, 2], "axis": -1}),
        ((3,), {"repeats": np.array([2, 1, 0])}),
        ((2, 3), {"repeats": 0, "axis": 1}),
        ((), {"repeats": 2}),
        ((0, 3), {"repeats": 2, "axis": 1}),
    ):
        yield Sample("repeat", np.repeat, [real(*shape)], attrs)
    for shape, times in (
        ((3,), 2),
        ((2, 3), (2, 2)),
        ((2, 3), (3,)),
        ((3,), (2, 1, 2)),
        ((2, 3), ()),
        ((2, 3), (0, 1)),
        ((), (2, 2)),
        ((0, 3), (2, 1)),
    ):
        yield Sample("tile", _tile, [real(*shape)], {"repetitions": times})


def _tile(x: Any, repetitions: Any) -> Any:
    return np.tile(x, repetitions)


def _embeddings() -> Iterator[Sample]:
    for shape, attrs in (
        ((3,), {}),
        ((2, 3), {"offset": 1}),
        ((2, 3), {"offset": -1, "axis1": 0, "axis2": 1}),
        ((2, 3), {"axis1": 2, "axis2": 0}),
        ((2, 0), {}),
    ):
        yield Sample("diag_embed", _embedded, [real(*shape)], attrs)
    for shape in ((3,), (2, 3), (0,), (0, 2)):
        for k in (0, 1, -1):
            yield Sample("diag", np.diag, [real(*shape)], {"k": k})


#: how a function of several results is called, and what NumPy calls with the same meaning
_CUTS: tuple[tuple[str, dict[str, Any], Any], ...] = (
    ("unstack", {"axis": 1}, lambda x, axis: list(np.moveaxis(x, axis, 0))),
    ("unbind", {"axis": -1}, lambda x, axis: list(np.moveaxis(x, axis, 0))),
    ("split", {"sizes": 2, "axis": 1}, lambda x, **_: np.split(x, [2, 4], 1)),
    ("split", {"sizes": (1, 0, 4), "axis": 1}, lambda x, **_: np.split(x, [1, 1], 1)),
    ("chunk", {"chunks": 3, "axis": 1}, lambda x, **_: np.split(x, [2, 4], 1)),
    ("array_split", {"parts": 3, "axis": 1}, lambda x, **_: np.array_split(x, 3, 1)),
    ("array_split", {"parts": [1, -1], "axis": 1}, lambda x, **_: np.array_split(x, [1, -1], 1)),
)


def _cuts() -> Iterator[Sample]:
    def of(oracle: Any, output: int) -> Any:
        return lambda x, **attrs: oracle(x, **attrs)[output]

    for name, attrs, oracle in _CUTS:
        for shape in ((2, 5), (0, 5)):
            for output in (0, 2):
                found = of(oracle, output)
                yield Sample(name, found, [real(*shape)], attrs, output=output)


def _joins() -> Iterator[Sample]:
    joins: tuple[tuple[str, Any], ...] = (
        ("hstack", np.hstack),
        ("vstack", np.vstack),
        ("dstack", np.dstack),
        ("column_stack", np.column_stack),
    )
    for name, oracle in joins:
        for shape in ((3,), (2, 3), (0, 3)):
            yield Sample(name, _of_several(oracle), [real(*shape), real(*shape)])
    yield Sample("column_stack", _of_several(np.column_stack), [real(2), real(2, 3)])
    yield Sample("hstack", _of_several(np.hstack), [real(2, 1), real(2, 3)])
    for attrs in ({}, {"axis": 1}, {"axis": None}):
        oracle = _of_several(np.concatenate)
        yield Sample("concatenate", oracle, [real(2, 3), real(2, 3)], attrs)
    yield Sample("concatenate", _of_several(np.concatenate), [real(0, 3), real(2)], {"axis": None})


def _of_several(oracle: Any) -> Any:
    return lambda *arrays, **attrs: oracle(arrays, **attrs)


SAMPLES = [*_diagonals()]
COMPOSED = [*_moves(), *_orders(), *_repetitions(), *_embeddings(), *_cuts(), *_joins()]
