"""Elementwise formulas on the cpu: a piece at a time, and on all threads where that pays.

A piece stays in the cache from one step of the formula to the next. A formula writes its output
last, for that may be the memory of an input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..threads import share
from .base import REFERENCES, Kernel
from .scratch import scratch

__all__ = ["KERNELS"]

Array = Any
Formula = Callable[..., None]

PIECE = 1 << 17  # elements at a time; with less, threads wait for each other between the steps
WORTH = 120_000  # nanoseconds of work that are worth the threads

#: x times this polynomial in x**2 is log(p / (1 - p)), p the share of the normal distribution
#: below x: within what changes erf by 1e-7, relative; beyond |x| = 6 it goes on to infinity
_LOGIT = (
    3.1345345312856947e-09,
    -2.50514063945209e-07,
    7.746124316291384e-06,
    -0.00010956351522364984,
    -6.782235452952373e-05,
    0.07266869617617298,
    1.595769273241261,
)
_MINUS_LOGIT = tuple(-c for c in _LOGIT)
#: x times this in x**2 is what has erf(x) as its tanh
_ERF = tuple(c * 2 ** (6.5 - i) / 2 for i, c in enumerate(_LOGIT))
_DENSITY = 0.3989422804014327


@cache
def number(value: float, dtype: Any) -> Array:
    """Return a 0-d array: NumPy takes longer over a Python number."""
    return np.array(value, dtype)


@cache
def filled(value: float, dtype: Any) -> Array:
    """Return a piece full of *value*: NumPy is slow at an extreme with one number."""
    return np.full(PIECE, value, dtype)


def room(name: str, x: Array, dtype: Any) -> Array:
    """Return memory for *dtype* in the shape of x: scratch where new memory would take longer."""
    return np.empty(x.shape, dtype) if x.size < 1 << 14 else scratch(name, x.shape, dtype)


def like(value: float, x: Array) -> Array:
    """Return what broadcasts to x, no larger than a piece, and is *value* everywhere."""
    if x.size < 1024 or not x.flags.c_contiguous:
        return number(value, x.dtype)
    return filled(value, x.dtype)[: x.size].reshape(x.shape)


# ---- pieces --------------------------------------------------------------------------------------
def run(formula: Formula, cost: float, arrays: tuple[Array, ...], out: Array, attrs: Any) -> None:
    """Call ``formula(out, *arrays, **attrs)`` on pieces of flat arrays; *cost* is ns an element."""
    flat = [a.ravel(order="K") for a in (out, *arrays)]
    many = -(-out.size // PIECE)

    def part(i: int) -> None:
        formula(*[a[i * PIECE : (i + 1) * PIECE] for a in flat], **attrs)

    if out.size * cost > WORTH:
        share(part, many)
    else:
        for i in range(many):
            part(i)


def in_pieces(formula: Formula, cost: float, typed: int = 0) -> Kernel:
    """Return a kernel whose output has the dtype of the input number *typed*."""

    def kernel(*arrays: Array, out: Array = None, **attrs: Any) -> Array:
        first = arrays[typed]
        shape = first.shape
        for a in arrays:
            if a.shape != shape:
                shape = np.broadcast_shapes(*[b.shape for b in arrays])
                break
        target = np.empty(shape, first.dtype) if out is None else out
        if target.size <= PIECE:
            formula(target, *arrays, **attrs)
            return target
        if not all(a.flags.c_contiguous and a.shape == shape for a in (*arrays, target)):
            target, arrays = laid(first, arrays, shape, out)
        run(formula, cost, arrays, target, attrs)
        return target if out is None or target is out else _into(out, target)

    return kernel


def laid(
    first: Array, arrays: tuple[Array, ...], shape: tuple[int, ...], out: Array
) -> tuple[Array, tuple[Array, ...]]:
    """Return an output and the inputs, copied where need be: dense, in one order in memory."""
    y = np.empty_like(first) if first.shape == shape else np.empty(shape, first.dtype)
    steps = tuple(s // y.itemsize for s in y.strides)
    for a in arrays:
        if a.shape != shape or tuple(s // a.itemsize for s in a.strides) != steps:
            arrays = tuple(np.ascontiguousarray(np.broadcast_to(b, shape)) for b in arrays)
            y = np.empty(shape, y.dtype)
            break
    return (y if out is None or out.strides != y.strides else out), arrays


def _into(out: Array, value: Array) -> Array:
    np.copyto(out, value)
    return out


# ---- the logistic curve --------------------------------------------------------------------------
def _sigmoid(out: Array, x: Array) -> None:
    # exp(x) / (exp(x) + 1): exact to the smallest numbers on the left, and 1 before exp overflows
    most = 10.0 if x.itemsize == 2 else 40.0
    e, below = room("e", x, x.dtype), room("below", x, x.dtype)
    np.minimum(x, like(most, x), out=e)
    np.exp(e, out=e)
    np.add(e, number(1, x.dtype), out=below)
    np.divide(e, below, out=out)


# ---- powers --------------------------------------------------------------------------------------
def _power_scalar(out: Array, x: Array, scalar: float) -> None:
    if scalar == 2:
        np.square(x, out=out)
    elif scalar == 0.5:
        np.sqrt(x, out=out)
    elif scalar == -1:
        np.reciprocal(x, out=out)
    elif scalar == 3:
        np.multiply(np.square(x, out=room("e", x, x.dtype)), x, out=out)
    elif x.dtype.kind == "f" and scalar % 1 == 0:  # NumPy is slow at powers of negative numbers
        size = np.abs(x, out=room("e", x, x.dtype))
        np.power(size, x.dtype.type(scalar), out=out if scalar % 2 == 0 else size)
        if scalar % 2:
            np.copysign(size, x, out=out)
    else:
        np.power(x, x.dtype.type(scalar), out=out)


# ---- the normal distribution ---------------------------------------------------------------------
def odd(coefficients: tuple[float, ...], x: Array, out: Array) -> None:
    """Write x times the polynomial in x**2 to *out*, the highest power first: float32."""
    square = room("square", x, x.dtype)
    np.multiply(x, x, out=square)
    np.multiply(square, number(coefficients[0], x.dtype), out=out)
    for c in coefficients[1:-1]:
        np.add(out, number(c, x.dtype), out=out)
        np.multiply(out, square, out=out)
    np.add(out, number(coefficients[-1], x.dtype), out=out)
    np.multiply(out, x, out=out)


def one_over_share(x: Array) -> Array:
    """Return, in scratch, 1 over the share of the normal distribution below x."""
    e = room("e", x, x.dtype)
    odd(_MINUS_LOGIT, x, e)
    np.exp(e, out=e)
    np.add(e, number(1, x.dtype), out=e)
    return e


def _erf(out: Array, x: Array) -> None:
    if x.dtype == np.float32:
        e = room("e", x, x.dtype)
        odd(_ERF, x, e)
        np.tanh(e, out=out)
    else:
        out[...] = REFERENCES["erf"](np, x)


def _gelu(out: Array, x: Array, approximate: str) -> None:
    if approximate == "none" and x.dtype == np.float32:
        np.divide(x, one_over_share(x), out=out)
    else:
        out[...] = REFERENCES["gelu"](np, x, approximate=approximate)


def _gelu_gradient(out: Array, g: Array, x: Array, approximate: str) -> None:
    if approximate != "none" or x.dtype != np.float32:
        out[...] = REFERENCES["gelu_gradient"](np, g, x, approximate=approximate)
        return
    slope = one_over_share(x)
    np.divide(number(1, x.dtype), slope, out=slope)
    density = room("square", x, x.dtype)
    np.multiply(x, x, out=density)
    np.multiply(density, number(-0.5, x.dtype), out=density)
    np.exp(density, out=density)
    np.multiply(density, number(_DENSITY, x.dtype), out=density)
    np.multiply(density, x, out=density)
    np.add(slope, density, out=slope)
    np.multiply(g, slope, out=out)


# ---- choosing ------------------------------------------------------------------------------------
def _relu(out: Array, x: Array) -> None:
    np.maximum(x, like(0, x), out=out)


def _relu_gradient(out: Array, g: Array, y: Array) -> None:
    # all bits of g or none: many times quicker than writing zeros where y <= 0
    bits = _BITS[g.itemsize]
    keep = room("hit", y, bool)
    np.less_equal(y, number(0, y.dtype), out=keep)
    keep = keep.view(np.int8)
    np.subtract(keep, _ONE, out=keep)
    mask = room("mask", y, bits)
    np.copyto(mask, keep)
    np.bitwise_and(g.view(bits), mask, out=out.view(bits))


def _where(out: Array, condition: Array, a: Array, b: Array) -> None:
    if out.size < _MANY or a.itemsize not in _BITS:
        np.copyto(out, np.where(condition, a, b))
        return
    bits = _BITS[a.itemsize]
    mask, mixed = room("mask", out, bits), room("mixed", out, bits)
    np.copyto(mask, np.negative(condition.view(np.int8), out=room("hit", out, np.int8)))
    a, b = a.view(bits), b.view(bits)
    np.bitwise_xor(a, b, out=mixed)
    np.bitwise_and(mixed, mask, out=mixed)
    np.bitwise_xor(mixed, b, out=out.view(bits))


_MANY = 1 << 13  # elements from which on `where` guesses wrong too often, on random conditions
_ONE = np.array(1, np.int8)
_BITS = {n: np.dtype(f"i{n}") for n in (1, 2, 4, 8)}


KERNELS = {
    "erf": in_pieces(_erf, 2),
    "gelu": in_pieces(_gelu, 2),
    "gelu_gradient": in_pieces(_gelu_gradient, 3),
    "power_scalar": in_pieces(_power_scalar, 1.4),
    "relu": in_pieces(_relu, 0.13),
    "relu_gradient": in_pieces(_relu_gradient, 0.3),
    "sigmoid": in_pieces(_sigmoid, 0.8),
    "where": in_pieces(_where, 0.5, typed=1),
}
