"""Kernels of the cpu device for `minima.operators.recurrent`.

What does not depend on the step before is computed for all steps at once: forward that is the
caller's product with the input, backward every factor of the gradient but the gradient of the
states, and the products that give the weight's. A step is one product and a few passes.
Sigmoid is half of tanh of the half: one pass of tanh serves all gates.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

__all__ = ["KERNELS"]

Array = Any


def _lstm(gates: Array, h: Array, c: Array, weight: Array, out: Array = None) -> Array:
    (steps, n), size = gates.shape[:2], h.shape[1]
    if out is None:
        out = np.empty((6, steps, n, size), gates.dtype)
    # i, f and o go through tanh as halves; g as it is
    scale = np.array([0.5, 0.5, 1.0, 0.5], gates.dtype)
    shift = np.array([0.5, 0.5, 0.0, 0.5], gates.dtype)[:, None, None]
    halves = np.repeat(scale, size)
    turned = np.ascontiguousarray(weight.T) * halves
    inputs = gates * halves
    z = np.empty((n, 4 * size), gates.dtype)
    blocks = z.reshape(n, 4, size).transpose(1, 0, 2)
    scale = scale[:, None, None]
    product = np.empty((n, size), gates.dtype)
    for t in range(steps):
        np.matmul(h, turned, out=z)
        np.add(z, inputs[t], out=z)
        step = out[2:, t]
        np.tanh(blocks, out=step)
        np.multiply(step, scale, out=step)
        np.add(step, shift, out=step)
        i, f, g, o = step
        after = out[1, t]
        np.multiply(f, c, out=after)
        np.multiply(i, g, out=product)
        np.add(after, product, out=after)
        np.tanh(after, out=product)
        h, c = out[0, t], after
        np.multiply(o, product, out=h)
    return out


def _cut(flat: Array, *shapes: tuple[int, ...]) -> list[Array]:
    """Return views of *flat* as arrays of *shapes*, one after the other."""
    found, start = [], 0
    for shape in shapes:
        found.append(flat[start : start + prod(shape)].reshape(shape))
        start += prod(shape)
    return found


def _flat(out: Array, dtype: Any, *shapes: tuple[int, ...]) -> tuple[Array, list[Array]]:
    """Return *out*, or new memory, and its parts of *shapes*."""
    if out is None:
        out = np.empty(sum(map(prod, shapes)), dtype)
    return out, _cut(out, *shapes)


def _given(g: Array) -> bool:
    """Say whether some element of *g* is not 0."""
    return bool(g.size) and bool(g.max() != 0 or g.min() != 0)


def _shares(y: Array) -> Array:
    """Return the slope of sigmoid where it is *y*."""
    found = 1 - y
    found *= y
    return found


def _weight_gradient(slopes: Array, first: Array, states: Array, out: Array) -> None:
    """Write the sum over all steps of slopes.T @ state before the step to *out*."""
    if not len(slopes):
        out.fill(0)
        return
    np.matmul(slopes[0].T, first, out=out)
    if len(slopes) > 1:
        count = (len(slopes) - 1) * slopes.shape[1]
        rows = slopes[1:].reshape(count, slopes.shape[2])
        out += np.matmul(rows.T, states[:-1].reshape(count, states.shape[2]))


def _lstm_gradient(
    g: Array, y: Array, h: Array, c: Array, weight: Array, out: Array = None
) -> Array:
    steps, n, size = y.shape[1:]
    shapes = (steps, n, 4 * size), (n, size), (n, size), weight.shape
    out, (slopes, of_h, of_c, of_weight) = _flat(out, y.dtype, *shapes)
    i, f, z, o = y[2:]
    blocks = slopes.reshape(steps, n, 4, size)
    bent = np.tanh(y[1])
    through = (1 - bent * bent) * o
    # what the gradients of c (i, f, g) and of h (o) are multiplied by
    np.multiply(_shares(i), z, out=blocks[:, :, 0])
    share = _shares(f)
    np.multiply(share[:1], c, out=blocks[:1, :, 1])
    np.multiply(share[1:], y[1, :-1], out=blocks[1:, :, 1])
    np.multiply(1 - z * z, i, out=blocks[:, :, 2])
    np.multiply(_shares(o), bent, out=blocks[:, :, 3])
    more = _lstm_gates_gradient(g[2:], y[2:]) if _given(g[2:]) else None
    of_h.fill(0)
    of_c.fill(0)
    part = np.empty((n, size), y.dtype)
    for t in reversed(range(steps)):
        np.add(of_h, g[0, t], out=of_h)
        np.multiply(of_h, through[t], out=part)
        np.add(of_c, g[1, t], out=of_c)
        np.add(of_c, part, out=of_c)
        step = blocks[t]
        np.multiply(step[:, :3], of_c[:, None], out=step[:, :3])
        np.multiply(step[:, 3], of_h, out=step[:, 3])
        if more is not None:
            np.add(step, more[t], out=step)
        np.matmul(slopes[t], weight, out=of_h)
        np.multiply(of_c, f[t], out=of_c)
    _weight_gradient(slopes, h, y[0], of_weight)
    return out


def _lstm_gates_gradient(g: Array, y: Array) -> Array:
    """Return what gradients *g* of the gates themselves add: (T, N, 4, H)."""
    slope = _shares(y)
    slope[2] = 1 - y[2] * y[2]
    slope *= g
    return slope.transpose(1, 2, 0, 3)


def _gru(gates: Array, h: Array, weight: Array, bias: Array = None, out: Array = None) -> Array:
    (steps, n), size = gates.shape[:2], h.shape[1]
    if out is None:
        out = np.empty((5, steps, n, size), gates.dtype)
    half = gates.dtype.type(0.5)
    turned = np.ascontiguousarray(weight.T)
    z = np.empty((n, 3 * size), gates.dtype)
    both, hidden = z[:, : 2 * size], z[:, 2 * size :]
    blocks = both.reshape(n, 2, size).transpose(1, 0, 2)
    for t in range(steps):
        np.matmul(h, turned, out=z)
        if bias is not None:
            np.add(z, bias, out=z)
        np.add(both, gates[t, :, : 2 * size], out=both)
        np.multiply(both, half, out=both)
        reset, update, new, kept = out[1:, t]
        step = out[1:3, t]
        np.tanh(blocks, out=step)
        np.multiply(step, half, out=step)
        np.add(step, half, out=step)
        np.copyto(kept, hidden)
        np.multiply(reset, kept, out=new)
        np.add(new, gates[t, :, 2 * size :], out=new)
        np.tanh(new, out=new)
        after = out[0, t]
        np.subtract(h, new, out=after)
        np.multiply(after, update, out=after)
        np.add(after, new, out=after)
        h = after
    return out


def _gru_gradient(g: Array, y: Array, h: Array, weight: Array, out: Array = None) -> Array:
    steps, n, size = y.shape[1:]
    shapes = (steps, n, 3 * size), (n, size), weight.shape, weight.shape[:1]
    out, (slopes, of_h, of_weight, of_bias) = _flat(out, y.dtype, *shapes)
    r, z, new, kept = y[1:]
    hiddens = np.empty((steps, n, 3 * size), y.dtype)
    inputs, hidden = slopes.reshape(steps, n, 3, size), hiddens.reshape(steps, n, 3, size)
    # what the gradient of h is multiplied by
    curve = 1 - new * new
    np.multiply(1 - z, curve, out=inputs[:, :, 2])
    np.multiply(inputs[:, :, 2], r, out=hidden[:, :, 2])
    share = _shares(r)
    share *= kept
    np.multiply(inputs[:, :, 2], share, out=inputs[:, :, 0])
    before = np.concatenate([h[None], y[0, :-1]]) if steps else y[0]
    np.multiply(_shares(z), before - new, out=inputs[:, :, 1])
    np.copyto(hidden[:, :, :2], inputs[:, :, :2])
    more = _gru_gates_gradient(g[1:], y[1:], curve, share) if _given(g[1:]) else None
    of_h.fill(0)
    product = np.empty((n, size), y.dtype)
    for t in reversed(range(steps)):
        np.add(of_h, g[0, t], out=of_h)
        np.multiply(inputs[t], of_h[:, None], out=inputs[t])
        np.multiply(hidden[t], of_h[:, None], out=hidden[t])
        if more is not None:
            np.add(inputs[t], more[0][t], out=inputs[t])
            np.add(hidden[t], more[1][t], out=hidden[t])
        np.matmul(hiddens[t], weight, out=product)
        np.multiply(of_h, z[t], out=of_h)
        np.add(of_h, product, out=of_h)
    _weight_gradient(hiddens, h, y[0], of_weight)
    np.add.reduce(hiddens, axis=(0, 1), out=of_bias)
    return out


def _gru_gates_gradient(g: Array, y: Array, curve: Array, share: Array) -> tuple[Array, Array]:
    """Return what gradients *g* of the gates add to those of input and hidden: (T, N, 3, H)."""
    r, z = y[:2]
    of_new = g[2] * curve
    of_reset, of_update = g[0] * _shares(r) + of_new * share, g[1] * _shares(z)
    inputs = np.stack([of_reset, of_update, of_new], axis=2)
    return inputs, np.stack([of_reset, of_update, g[3] + of_new * r], axis=2)


#: all of them take ``out=``
KERNELS = {
    "lstm": _lstm,
    "lstm_gradient": _lstm_gradient,
    "gru": _gru,
    "gru_gradient": _gru_gradient,
}
