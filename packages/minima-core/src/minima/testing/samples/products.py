"""Samples of products of vectors, matrices and tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Array, Sample, integers, real

__all__ = ["COMPOSED", "SAMPLES"]


def _vecdot(a: Array, b: Array, axis: int = -1) -> Array:
    return np.asarray((np.moveaxis(a, axis, -1) * np.moveaxis(b, axis, -1)).sum(-1))


def _products() -> Iterator[Sample]:
    a: Any
    b: Any
    lead: Any
    axes: Any
    for shape in ((2, 3), (4, 2, 3), (0, 2)):
        yield Sample("matrix_transpose", lambda x: x.swapaxes(-1, -2), [real(*shape)])
        yield Sample("trace", _trace, [real(*shape)])
    yield Sample("trace", _trace, [real(3, 4)], {"offset": 1})
    yield Sample("trace", _trace, [integers(3, 3)])
    for a, b in (((2,), (3,)), ((0,), (3,))):
        yield Sample("outer", np.outer, [real(*a), real(*b)])
    for a, b in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((3,), (2, 3, 4)), ((), (2,))):
        yield Sample("dot", np.dot, [real(*a), real(*b)])
    yield Sample("dot", np.dot, [real(2, 3), real(2, 3, 4)])
    yield Sample("dot", np.dot, [real(0, 3), real(3)])
    for a, b in (((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 5, 3)), ((), (2,)), ((0, 3), (3,))):
        yield Sample("inner", np.inner, [real(*a), real(*b)])
    for a, b, axes in (
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (3, 2), 1),
        ((2,), (3,), 0),
        ((2, 3, 4), (4, 2), ((0, -1), (1, 0))),
        ((2, 3), (3,), (1, 0)),
        ((0, 3), (3, 2), 1),
        ((2, 0), (0, 2), 1),
    ):
        yield Sample("tensordot", np.tensordot, [real(*a), real(*b)], {"axes": axes})
    for a, b, axis in (
        ((3,), (3,), -1),
        ((2, 3), (3,), -1),
        ((2, 1, 3), (4, 3), -1),
        ((2, 3), (2, 3), -2),
        ((0, 3), (3,), -1),
    ):
        yield Sample("vecdot", _vecdot, [real(*a), real(*b)], {"axis": axis})
    for a, b in (((2,), (3,)), ((2, 3), (2,)), ((2, 1), (3, 2, 2)), ((), (2,)), ((0, 2), (2, 2))):
        yield Sample("kron", np.kron, [real(*a), real(*b)])
    for a, b, axis in (
        ((3,), (3,), -1),
        ((2, 1, 3), (4, 3), -1),
        ((3, 2), (3, 2), 0),
        ((0, 3), (0, 3), -1),
    ):
        yield Sample("cross", _cross, [real(*a), real(*b)], {"axis": axis})
    for lead in ((4,), (2, 3), (), (0,)):
        given = [real(*lead, 2), real(*lead, 3), real(5, 2, 3), real(5)]
        yield Sample("bilinear", _bilinear, given)
    yield Sample("bilinear", _bilinear, [real(4, 2), real(4, 3), real(5, 2, 3), None])
    for shapes in (
        ((2, 3), (3, 4)),
        ((2, 3), (3, 9), (9, 2)),
        ((3,), (3, 4), (4,)),
        ((0, 2), (2,)),
    ):
        yield Sample("multi_dot", lambda *a: np.linalg.multi_dot(a), [real(*s) for s in shapes])


def _trace(x: Array, offset: int = 0) -> Array:
    return np.asarray(np.trace(x, offset, -2, -1))


def _cross(a: Array, b: Array, axis: int) -> Array:
    return np.asarray(np.linalg.cross(a, b, axis=axis))


def _bilinear(x1: Array, x2: Array, weight: Array, bias: Any) -> Array:
    y = np.einsum("...i,oij,...j->...o", x1, weight, x2)
    return np.asarray(y if bias is None else y + bias)


def _einsum(*operands: Array, subscripts: str) -> Array:
    return np.asarray(np.einsum(subscripts, *operands))


def _sums() -> Iterator[Sample]:
    for subscripts, *shapes in (
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij,jk", (2, 3), (3, 4)),
        ("ba", (2, 3)),
        ("ij->ji", (2, 3)),
        ("ii", (3, 3)),
        ("ii->i", (3, 3)),
        ("iij,j->i", (3, 3, 2), (2,)),
        ("iii->i", (2, 2, 2)),
        ("i,i->i", (3,), (3,)),
        ("i,j->ij", (3,), (2,)),
        ("ij,ij->", (3, 2), (3, 2)),
        ("ij,k->i", (2, 3), (4,)),
        ("ijk->", (2, 3, 2)),
        ("...ij,...jk->...ik", (5, 2, 3), (3, 2)),
        ("...i->...", (2, 3)),
        ("i...,i...->...", (3, 2), (3, 1)),
        ("...,...", (2, 3), (3,)),
        ("ij,ij->ij", (2, 1), (2, 3)),
        ("bij,bjk,kl->bil", (2, 3, 2), (2, 2, 3), (3, 4)),
        ("ab,bc,cd,a->d", (2, 3), (3, 2), (2, 4), (2,)),
        (",ij->ij", (), (2, 2)),
        ("ij,jk->ik", (0, 3), (3, 2)),
        ("ij,jk->ik", (2, 0), (0, 2)),
    ):
        given = [real(*s) for s in shapes]
        yield Sample("einsum", _einsum, given, {"subscripts": subscripts})
    yield Sample("einsum", _einsum, [integers(2, 3), integers(3)], {"subscripts": "ij,j->i"})


#: rows of operators, which products by other names do not need
SAMPLES: list[Sample] = []
#: rows of composed functions
COMPOSED: list[Sample] = [*_products(), *_sums()]
