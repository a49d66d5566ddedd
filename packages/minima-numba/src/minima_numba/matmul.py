"""Steps that multiply matrices as native kernels; what these do not suit is left to BLAS.

A product is cut into the same parts whatever the number of threads, and BLAS's own threads, which
would stay busy for a while after each product, are not woken.
"""

from __future__ import annotations

from math import prod

from minima.compiler.plan import Step, Value
from minima.threads import get_num_threads

from .blocked import Matrices, source
from .packing import copy_source
from .stages import Call, Scratch, Stages, collapsed, parts, span, strides

__all__ = ["PRODUCTS", "SPEED"]

#: multiply-adds in a second of one thread, about
SPEED = 5e10
BANDWIDTH = 1e10  # bytes that one thread copies in a second, about
LEAST = 1 << 18  # multiply-adds: below it BLAS keeps to one thread and copies less
ROWS = 16  # fewer do not pay for copying the right matrix

Matrix = tuple[int, int, int, int]


def _matrix(value: Value) -> Matrix | None:
    """Return rows, columns and their strides, a stack as one tall matrix; None if it is not one."""
    *steps, along = strides(value)
    rows = collapsed(value.shape[:-1], steps)
    return None if rows is None else (rows[0], value.shape[-1], rows[1], along)


def _suits(*values: Value) -> bool:
    kinds = {v.dtype.str[1:] for v in values}
    return kinds in ({"f4"}, {"f8"}) and all(v.array.size for v in values)


def _turned(matrix: Matrix) -> Matrix:
    rows, columns, down, along = matrix
    return columns, rows, along, down


def _stages(
    a: tuple[Value | Scratch, Matrix],
    b: tuple[Value, Matrix],
    c: tuple[Value, Matrix],
    bias: Value | None,
) -> Stages:
    """Return the parts of c = a @ b + bias, of which the rows of c are runs."""
    (m, n, row, _), k, item = c[1], a[1][1], c[0].dtype.itemsize
    x = Matrices(c[0].dtype.str[1:], m, n, k, a[1][2:], b[1][2:], row, bias is not None)
    text, given = source(x), bias if bias is not None else 0
    count = parts(x.products / SPEED, x.items, 2 * get_num_threads())
    return [
        [
            Call(
                text, (a[0], b[0], given, c[0], Scratch(x.scratch * item)), *span(x.items, i, count)
            )
            for i in range(count)
        ]
    ]


def _matmul(step: Step) -> Stages | None:
    left, right = step.inputs
    y = step.output
    if left is None or right is None or not _suits(left, right, y):
        return None
    if len(right.shape) != 2 or len(left.shape) < 2:
        return None
    a, b, c = map(_matrix, (left, right, y))
    if a is None or b is None or c is None or c[0] * c[1] * a[1] < LEAST:
        return None
    if c[1] > 1 and c[3] != 1:  # the transpose is the product of the transposes
        a, b, c = _turned(b), _turned(a), _turned(c)
        left, right = right, left
    if c[3] != 1 or c[0] < ROWS:
        return None
    return _stages((left, a), (right, b), (y, c), None)


def _project(step: Step) -> Stages | None:
    x, weight, bias = step.inputs
    y = step.output
    if x is None or weight is None or not _suits(*(v for v in (*step.inputs, y) if v is not None)):
        return None
    a, b, c = map(_matrix, (x, weight, y))
    straight = bias is None or bias.shape[0] == 1 or strides(bias) == (1,)
    if b is None or c is None or not straight or not prod(x.shape):
        return None
    if c[3] != 1 and c[1] > 1:
        return None
    first: Stages = []
    given: tuple[Value | Scratch, Matrix] | None = None if a is None else (x, a)
    if given is None:
        first, room = _dense(x)
        given = room, (c[0], x.shape[-1], x.shape[-1], 1)
    return [*first, *_stages(given, (weight, _turned(b)), (y, c), bias)]


def _dense(x: Value) -> tuple[Stages, Scratch]:
    """Return the stage that copies x, whose rows lie in no order, and where to."""
    room, size = Scratch(x.nbytes), x.shape[0]
    text = copy_source(x.dtype.str[1:], x.shape, strides(x))
    count = parts(x.nbytes / BANDWIDTH, size, get_num_threads())
    return [[Call(text, (x, room), *span(size, i, count)) for i in range(count)]], room


PRODUCTS = {"matmul": _matmul, "project": _project}
