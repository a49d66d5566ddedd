"""Samples of recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .sample import Sample, exactly, real

__all__ = ["SAMPLES"]

nan, inf = float("nan"), float("inf")


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-x))


def _lstm(gates: Any, h: Any, c: Any, weight: Any) -> Any:
    n, size = h.shape
    out = np.zeros((6, len(gates), n, size))
    for t in range(len(gates)):
        for s in range(n):
            z = (gates[t, s] + weight @ h[s]).reshape(4, size)
            i, f, g, o = _sigmoid(z[0]), _sigmoid(z[1]), np.tanh(z[2]), _sigmoid(z[3])
            cell = f * c[s] + i * g
            out[:, t, s] = o * np.tanh(cell), cell, i, f, g, o
        h, c = out[0, t], out[1, t]
    return out


def _gru(gates: Any, h: Any, weight: Any, bias: Any = None) -> Any:
    n, size = h.shape
    out = np.zeros((5, len(gates), n, size))
    for t in range(len(gates)):
        for s in range(n):
            x = gates[t, s].reshape(3, size)
            hidden = weight @ h[s] + (0.0 if bias is None else bias)
            p, q, kept = hidden.reshape(3, size)
            r, z = _sigmoid(x[0] + p), _sigmoid(x[1] + q)
            new = np.tanh(x[2] + r * kept)
            out[:, t, s] = (1 - z) * new + z * h[s], r, z, new, kept
        h = out[0, t]
    return out


def _lstm_steps(g: Any, y: Any, h: Any, c: Any, weight: Any) -> Any:
    """Go backward through the formulas of one sample and step at a time, as they stand."""
    steps, n, size = y.shape[1:]
    of_gates, of_weight = np.zeros((steps, n, 4 * size)), np.zeros(weight.shape)
    of_h, of_c = np.zeros(h.shape), np.zeros(c.shape)
    for s in range(n):
        dh, dc = np.zeros(size), np.zeros(size)
        for t in reversed(range(steps)):
            i, f, z, o = y[2:, t, s]
            cell, before = np.tanh(y[1, t, s]), y[1, t - 1, s] if t else c[s]
            dh = dh + g[0, t, s]
            dc = dc + g[1, t, s] + dh * o * (1 - cell**2)
            step = np.concatenate(
                [
                    (g[2, t, s] + dc * z) * i * (1 - i),
                    (g[3, t, s] + dc * before) * f * (1 - f),
                    (g[4, t, s] + dc * i) * (1 - z**2),
                    (g[5, t, s] + dh * cell) * o * (1 - o),
                ]
            )
            of_gates[t, s] = step
            of_weight += np.outer(step, y[0, t - 1, s] if t else h[s])
            dh, dc = step @ weight, dc * f
        of_h[s], of_c[s] = dh, dc
    return np.concatenate([a.ravel() for a in (of_gates, of_h, of_c, of_weight)])


def _gru_steps(g: Any, y: Any, h: Any, weight: Any) -> Any:
    """Go backward through the formulas of one sample and step at a time, as they stand."""
    steps, n, size = y.shape[1:]
    of_gates, of_weight = np.zeros((steps, n, 3 * size)), np.zeros(weight.shape)
    of_h, of_bias = np.zeros(h.shape), np.zeros(len(weight))
    for s in range(n):
        dh = np.zeros(size)
        for t in reversed(range(steps)):
            r, z, new, kept = y[1:, t, s]
            before = y[0, t - 1, s] if t else h[s]
            dh = dh + g[0, t, s]
            of_new = (g[3, t, s] + dh * (1 - z)) * (1 - new**2)
            of_r = (g[1, t, s] + of_new * kept) * r * (1 - r)
            of_z = (g[2, t, s] + dh * (before - new)) * z * (1 - z)
            hidden = np.concatenate([of_r, of_z, g[4, t, s] + of_new * r])
            of_gates[t, s] = np.concatenate([of_r, of_z, of_new])
            of_weight += np.outer(hidden, before)
            of_bias += hidden
            dh = dh * z + hidden @ weight
        of_h[s] = dh
    return np.concatenate([a.ravel() for a in (of_gates, of_h, of_weight, of_bias)])


def _projected(gates: Any, h: Any, c: Any, weight: Any, projection: Any) -> Any:
    n, size = c.shape
    out = np.zeros((len(gates), n, h.shape[1] + 5 * size))
    for t in range(len(gates)):
        h, c = np.array(h), np.array(c)
        for s in range(n):
            z = (gates[t, s] + weight @ h[s]).reshape(4, size)
            i, f, g, o = _sigmoid(z[0]), _sigmoid(z[1]), np.tanh(z[2]), _sigmoid(z[3])
            c[s] = f * c[s] + i * g
            h[s] = projection @ (o * np.tanh(c[s]))
            out[t, s] = np.concatenate([h[s], c[s], i, f, g, o])
    return out


def _projected_steps(g: Any, y: Any, h: Any, c: Any, weight: Any, projection: Any) -> Any:
    """Go backward through the formulas of one sample and step at a time, as they stand."""
    (steps, n), (narrow, size) = y.shape[:2], projection.shape
    of_gates, of_weight = np.zeros((steps, n, 4 * size)), np.zeros(weight.shape)
    of_h, of_c, of_projection = np.zeros(h.shape), np.zeros(c.shape), np.zeros(projection.shape)
    for s in range(n):
        dh, dc = np.zeros(narrow), np.zeros(size)
        for t in reversed(range(steps)):
            cell, i, f, z, o = y[t, s, narrow:].reshape(5, size)
            more, gi, gf, gz, go = g[t, s, narrow:].reshape(5, size)
            before = y[t - 1, s, narrow : narrow + size] if t else c[s]
            dh = dh + g[t, s, :narrow]
            of_projection += np.outer(dh, o * np.tanh(cell))
            wide = dh @ projection
            dc = dc + more + wide * o * (1 - np.tanh(cell) ** 2)
            step = np.concatenate(
                [
                    (gi + dc * z) * i * (1 - i),
                    (gf + dc * before) * f * (1 - f),
                    (gz + dc * i) * (1 - z**2),
                    (go + wide * np.tanh(cell)) * o * (1 - o),
                ]
            )
            of_gates[t, s] = step
            of_weight += np.outer(step, y[t - 1, s, :narrow] if t else h[s])
            dh, dc = step @ weight, dc * f
        of_h[s], of_c[s] = dh, dc
    return np.concatenate([a.ravel() for a in (of_gates, of_h, of_c, of_weight, of_projection)])


def _rnn(gates: Any, h: Any, weight: Any, rectified: bool = False) -> Any:
    out = np.zeros(gates.shape)
    for t in range(len(gates)):
        for s in range(gates.shape[1]):
            z = gates[t, s] + weight @ h[s]
            out[t, s] = np.where(z < 0, 0.0, z) if rectified else np.tanh(z)
        h = out[t]
    return out


def _rnn_steps(g: Any, y: Any, h: Any, weight: Any, rectified: bool = False) -> Any:
    """Go backward through the formulas of one sample and step at a time, as they stand."""
    of_gates, of_weight, of_h = np.zeros(y.shape), np.zeros(weight.shape), np.zeros(h.shape)
    for s in range(y.shape[1]):
        dh = np.zeros(y.shape[2])
        for t in reversed(range(len(y))):
            slope = y[t, s] > 0 if rectified else 1 - y[t, s] ** 2
            of_gates[t, s] = step = (dh + g[t, s]) * slope
            of_weight += np.outer(step, y[t - 1, s] if t else h[s])
            dh = step @ weight
        of_h[s] = dh
    return np.concatenate([a.ravel() for a in (of_gates, of_h, of_weight)])


#: steps, samples and size of the state
SIZES = ((3, 2, 2), (1, 1, 3), (2, 2, 1), (0, 1, 2), (2, 0, 1))


def _samples() -> Iterator[Sample]:
    for t, n, h in SIZES:
        state, wide, narrow = real(n, h), real(4 * h, h), real(3 * h, h)
        yield Sample("lstm", _lstm, [real(t, n, 4 * h), state, state, wide])
        yield Sample("gru", _gru, [real(t, n, 3 * h), state, narrow, real(3 * h)])
        yield Sample("gru", _gru, [real(t, n, 3 * h), state, narrow, None])
        smooth = t * n * h < 5  # a longer one takes seconds
        inputs = [real(6, t, n, h), real(6, t, n, h), state, state, wide]
        yield Sample("lstm_gradient", _lstm_steps, inputs, {}, "", smooth)
        inputs = [real(5, t, n, h), real(5, t, n, h), state, narrow]
        yield Sample("gru_gradient", _gru_steps, inputs, {}, "", smooth)
        square = real(h, h)
        across, inner, narrow = real(2, h), real(4 * h, 2), real(n, 2)
        inputs = [real(t, n, 4 * h), narrow, state, inner, across]
        yield Sample("lstm_projected", _projected, inputs)
        inputs = [real(t, n, 2 + 5 * h), real(t, n, 2 + 5 * h), narrow, state, inner, across]
        yield Sample("lstm_projected_gradient", _projected_steps, inputs, {}, "", smooth)
        for rectified in (False, True):
            options = {"rectified": rectified}
            yield Sample("rnn", _rnn, [real(t, n, h), state, square], options)
            inputs = [real(t, n, h), real(t, n, h), state, square]
            yield Sample("rnn_gradient", _rnn_steps, inputs, options, "", smooth)
    large = exactly(np.array([1e4, -1e4, 3.0, 1e4]).reshape(1, 1, 4))
    one, flat = exactly([[0.5]]), exactly(np.ones((4, 1)))
    yield Sample("lstm", _lstm, [large, one, one, flat], {}, "large")
    special = exactly(np.array([[[nan, 1.0, 1.0, 1.0]], [[1.0, inf, 0.0, -inf]]]))
    yield Sample("lstm", _lstm, [special, one, one, flat], {}, "special", False)


SAMPLES = [*_samples()]
