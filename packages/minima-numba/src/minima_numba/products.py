"""Matrix products as BLAS takes them: which matrix is transposed, and how long its rows are."""

from __future__ import annotations

from typing import Any

from minima.compiler.plan import Value

__all__ = ["product"]

_PLAIN, _TRANSPOSED = 111, 112  # as CBLAS numbers them


def product(a: Value, b: Value, c: Value) -> tuple[list[Any], int] | None:
    """Return the arguments of a product, and of how many matrices; None where BLAS cannot do it.

    The arguments: flags of a and b, m, n, k, a, its row length, b, its, c, its; of stacks the bytes
    from one matrix to the next of a, b and c, how many lie like this, and the bytes from there on.
    """
    if c.dtype.str[1:] not in ("f4", "f8") or not c.array.size or not a.array.size:
        return None
    if any(v.dtype != c.dtype or len(v.shape) < 2 for v in (a, b, c)):
        return None
    swapped = _layout(c, _PLAIN) is None
    if swapped:  # the transpose of c is the product of the transposes, in the other order
        a, b = b, a
    row_c = _layout(c, _TRANSPOSED if swapped else _PLAIN)
    of_a, of_b = _any_layout(a), _any_layout(b)
    if row_c is None or of_a is None or of_b is None:
        return None
    (flag_a, row_a), (flag_b, row_b) = of_a, of_b
    m, n = c.shape[-2:] if not swapped else c.shape[:-3:-1]
    k = a.shape[-1] if not swapped else a.shape[-2]
    if swapped:
        flag_a, flag_b = (_PLAIN + _TRANSPOSED - f for f in (flag_a, flag_b))
    stack = _stack(a, b, c)
    if stack is None:
        return None
    (count, (step_a, step_b, step_c)), (more, far) = stack
    size = c.dtype.itemsize
    rows = not swapped and flag_a == _PLAIN and not step_b and more == 1
    if count > 1 and rows and step_a == m * row_a * size and step_c == m * row_c * size:
        m, count = m * count, 1  # one tall matrix
    places = [a, row_a, b, row_b, c, row_c]
    entries = [flag_a, flag_b, m, n, k, *places, step_a, step_b, step_c, count, *far]
    return entries, count * more


def _any_layout(value: Value) -> tuple[int, int] | None:
    for flag in (_PLAIN, _TRANSPOSED):
        row = _layout(value, flag)
        if row is not None:
            return flag, row
    return None


def _layout(value: Value, flag: int) -> int | None:
    """Return the length of rows, in elements, of a matrix that lies as *flag* says, or None."""
    (rows, columns), (down, along) = value.shape[-2:], value.array.strides[-2:]
    if flag == _TRANSPOSED:
        rows, columns, down, along = columns, rows, along, down
    size = value.dtype.itemsize
    if columns > 1 and along != size:
        return None
    if rows == 1:
        return max(columns, 1)
    length, rest = divmod(down, size)
    return length if not rest and length >= max(columns, 1) else None


Level = tuple[int, tuple[int, ...]]


def _stack(*values: Value) -> tuple[Level, Level] | None:
    """Return how many matrices lie behind each other, and how far from each other.

    Then the same for these stacks; None where two levels are not enough.
    """
    shape = values[-1].shape[:-2]
    strides = []
    for value in values:
        own, steps = value.shape[:-2], value.array.strides[:-2]
        given = [s if n > 1 else 0 for n, s in zip(own, steps)]
        strides.append([0] * (len(shape) - len(own)) + given)
    levels: list[Level] = []
    for axis in reversed(range(len(shape))):
        if shape[axis] == 1:
            continue
        here = tuple(s[axis] for s in strides)
        count, last = levels[-1] if levels else (0, ())
        if levels and all(h == step * count for h, step in zip(here, last)):
            levels[-1] = (count * shape[axis], last)
        else:
            levels.append((shape[axis], here))
    none: Level = (1, (0,) * len(values))
    levels += [none] * (2 - len(levels))
    return (levels[0], levels[1]) if len(levels) == 2 else None
