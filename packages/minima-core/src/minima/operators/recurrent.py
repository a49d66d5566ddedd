"""Recurrent layers over a whole sequence, one operator for a layer and direction.

The products with the input do not depend on what came before, so they are no part of these: the
caller makes them for all steps at once, ``gates = x @ weight_ih.T + bias``. Going backward in time
is going forward over ``gates[::-1]``.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .composition import differentiate_reference, flat, parts
from .table import Array, operator

__all__ = [
    "gru",
    "gru_gradient",
    "lstm",
    "lstm_gradient",
    "lstm_projected",
    "lstm_projected_gradient",
    "rnn",
    "rnn_gradient",
]


def _sigmoid(xp: Any, x: Any) -> Any:
    return xp.tanh(x * 0.5) * 0.5 + 0.5


def _blocks(x: Any, count: int) -> list[Any]:
    """Return the *count* blocks of equal size along the last axis."""
    size = x.shape[-1] // count
    return [x[..., k * size : (k + 1) * size] for k in range(count)]


def _packed(xp: Any, steps: list[Any], like: Any, count: int) -> Any:
    """Return what each step made as one array (*count*, T, N, H)."""
    if not steps:
        return xp.zeros((count, 0, *like.shape), dtype=like.dtype)
    return xp.stack([xp.stack([s[k] for s in steps]) for k in range(count)])


def _before(xp: Any, first: Any, after: Any) -> Any:
    """Return the states (T, N, H) before each step: *first*, then those *after* it but the last."""
    return xp.concat([xp.expand_dims(first, axis=0), after[:-1]], axis=0)


def _rows(xp: Any, x: Any) -> Any:
    """Return the steps and samples of x (T, N, C) as rows of a matrix."""
    return xp.reshape(x, (x.shape[0] * x.shape[1], x.shape[2]))


def _summed(xp: Any, a: Any, b: Any) -> Any:
    """Return the sum over steps and samples of the outer products of a and b (T, N, *)."""
    return xp.matmul(xp.permute_dims(_rows(xp, a), (1, 0)), _rows(xp, b))


def _check(name: str, count: int, gates: Tensor, weight: Tensor, **states: Tensor) -> None:
    """Raise unless *gates* are (T, N, count * H) and everything else has that H."""
    size = weight.shape[-1] if weight.ndim else 0
    if weight.shape != (count * size, size):
        raise ShapeError(f"{name}: got a weight of shape {weight.shape}; expected ({count} * H, H)")
    if gates.ndim != 3 or gates.shape[2] != count * size:
        raise ShapeError(
            f"{name}: got gates of shape {gates.shape}; expected (T, N, {count * size}), as the "
            f"weight is {weight.shape}"
        )
    for what, state in states.items():
        if state.shape != (gates.shape[1], size):
            raise ShapeError(
                f"{name}: got {what} of shape {state.shape}; expected ({gates.shape[1]}, {size})"
            )


# ---- LSTM ----------------------------------------------------------------------------------------
@operator(floating=True, real=True)
def lstm(xp: Any, gates: Array, h: Array, c: Array, weight: Array) -> Any:
    """Run a long short-term memory over a sequence, with all that backward needs in the result.

    (i, f, g, o) = gates[t] + h @ weight.T; c = sigmoid(f) * c + sigmoid(i) * tanh(g);
    h = sigmoid(o) * tanh(c).

    Shapes: gates (T, N, 4 * H), h and c (N, H), weight (4 * H, H) -> (6, T, N, H): along the first
    axis h and c after each step, and i, f, g, o after sigmoid and tanh.
    Raises: ShapeError when sizes differ. Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000.

    >>> import minima as mi
    >>> state, weight = mi.ones((2, 5)), mi.ones((20, 5))
    >>> y = mi.operators.lstm(mi.ones((3, 2, 20)), state, state, weight)
    >>> output, last_cell = y[0], y[1, -1]
    >>> output.shape, last_cell.shape
    ((3, 2, 5), (2, 5))
    """
    turned = xp.permute_dims(weight, (1, 0))
    steps = []
    for t in range(gates.shape[0]):
        i, f, g, o = _blocks(gates[t] + xp.matmul(h, turned), 4)
        i, f, g, o = _sigmoid(xp, i), _sigmoid(xp, f), xp.tanh(g), _sigmoid(xp, o)
        c = f * c + i * g
        h = o * xp.tanh(c)
        steps.append((h, c, i, f, g, o))
    return _packed(xp, steps, h, 6)


@lstm.prepare
def _(gates: Tensor, h: Tensor, c: Tensor, weight: Tensor) -> dict[str, Any]:
    _check("lstm", 4, gates, weight, h=h, c=c)
    return {}


@lstm.gradient(saves="y h c weight")
def _(g: Tensor, y: Tensor, gates: Any, h: Tensor, c: Tensor, weight: Tensor) -> Any:
    shapes = [gates.shape, h.shape, c.shape, weight.shape]
    return tuple(parts(lambda: lstm_gradient(g, y, h, c, weight), shapes))


@operator(floating=True, real=True)
def lstm_gradient(xp: Any, g: Array, y: Array, h: Array, c: Array, weight: Array) -> Any:
    """Return the gradients of `lstm`, whose result is y, with respect to each of its inputs.

    Shapes: g and y (6, T, N, H), h, c and weight as in `lstm` -> one axis: the gradients of gates,
    h, c and weight, flattened, one after the other.

    >>> import minima as mi
    >>> h, weight = mi.zeros((2, 5)), mi.ones((20, 5))
    >>> y = mi.operators.lstm(mi.ones((3, 2, 20)), h, h, weight)
    >>> mi.operators.lstm_gradient(mi.ones(y.shape), y, h, h, weight).shape
    (240,)
    """
    of_h, of_c = h * 0.0, c * 0.0
    cells = _before(xp, c, y[1])
    steps = []
    for t in reversed(range(y.shape[1])):
        i, f, z, o = (y[k, t] for k in (2, 3, 4, 5))
        bent = xp.tanh(y[1, t])
        of_h = of_h + g[0, t]
        of_c = of_c + g[1, t] + of_h * o * (1.0 - bent * bent)
        step = xp.concat(
            [
                (g[2, t] + of_c * z) * i * (1.0 - i),
                (g[3, t] + of_c * cells[t]) * f * (1.0 - f),
                (g[4, t] + of_c * i) * (1.0 - z * z),
                (g[5, t] + of_h * bent) * o * (1.0 - o),
            ],
            axis=1,
        )
        of_h, of_c = xp.matmul(step, weight), of_c * f
        steps.append(step)
    if not steps:
        return flat(xp, of_h, of_c, weight * 0.0)
    of_gates = xp.stack(steps[::-1])
    return flat(xp, of_gates, of_h, of_c, _summed(xp, of_gates, _before(xp, h, y[0])))


differentiate_reference(lstm_gradient)


# ---- LSTM whose output is projected --------------------------------------------------------------
@operator(floating=True, real=True)
def lstm_projected(
    xp: Any, gates: Array, h: Array, c: Array, weight: Array, projection: Array
) -> Any:
    """Run `lstm` with h = projection @ (sigmoid(o) * tanh(c)), of another size than c.

    Shapes: gates (T, N, 4 * H), h (N, P), c (N, H), weight (4 * H, P), projection (P, H) ->
    (T, N, P + 5 * H): along the last axis h and c after each step, and i, f, g, o after sigmoid
    and tanh.
    Raises: ShapeError when sizes differ. Source: Sak, Senior & Beaufays 2014.

    >>> import minima as mi
    >>> h, c, weight, projection = (mi.ones(s) for s in ((2, 3), (2, 5), (20, 3), (3, 5)))
    >>> y = mi.operators.lstm_projected(mi.ones((4, 2, 20)), h, c, weight, projection)
    >>> output, last_cell = y[..., :3], y[-1, :, 3:8]
    >>> output.shape, last_cell.shape
    ((4, 2, 3), (2, 5))
    """
    turned, across = (xp.permute_dims(w, (1, 0)) for w in (weight, projection))
    steps = []
    for t in range(gates.shape[0]):
        i, f, g, o = _blocks(gates[t] + xp.matmul(h, turned), 4)
        i, f, g, o = _sigmoid(xp, i), _sigmoid(xp, f), xp.tanh(g), _sigmoid(xp, o)
        c = f * c + i * g
        h = xp.matmul(o * xp.tanh(c), across)
        steps.append(xp.concat([h, c, i, f, g, o], axis=1))
    if not steps:
        return xp.zeros((0, h.shape[0], h.shape[1] + 5 * c.shape[1]), dtype=gates.dtype)
    return xp.stack(steps)


@lstm_projected.prepare
def _(gates: Tensor, h: Tensor, c: Tensor, weight: Tensor, projection: Tensor) -> dict[str, Any]:
    narrow, size = projection.shape if projection.ndim == 2 else (0, 0)
    samples = gates.shape[1] if gates.ndim == 3 else 0
    for what, value, expected in (
        ("a projection", projection, (narrow, size)),
        ("a weight", weight, (4 * size, narrow)),
        ("gates", gates, (*gates.shape[:1], samples, 4 * size)),
        ("h", h, (samples, narrow)),
        ("c", c, (samples, size)),
    ):
        if value.shape != expected:
            raise ShapeError(
                f"lstm_projected: got {what} of shape {value.shape}; expected gates (T, N, 4 * H), "
                "h (N, P), c (N, H), weight (4 * H, P), projection (P, H)"
            )
    return {}


@lstm_projected.gradient(saves="y h c weight projection")
def _(
    g: Tensor, y: Tensor, gates: Any, h: Tensor, c: Tensor, weight: Tensor, projection: Tensor
) -> Any:
    shapes = [gates.shape, h.shape, c.shape, weight.shape, projection.shape]
    return tuple(parts(lambda: lstm_projected_gradient(g, y, h, c, weight, projection), shapes))


@operator(floating=True, real=True)
def lstm_projected_gradient(
    xp: Any, g: Array, y: Array, h: Array, c: Array, weight: Array, projection: Array
) -> Any:
    """Return the gradients of `lstm_projected`, whose result is y, for each of its inputs.

    Shapes: g and y (T, N, P + 5 * H), the rest as in `lstm_projected` -> one axis: the gradients
    of gates, h, c, weight and projection, flattened, one after the other.

    >>> import minima as mi
    >>> h, c, weight, projection = (mi.ones(s) for s in ((2, 3), (2, 5), (20, 3), (3, 5)))
    >>> y = mi.operators.lstm_projected(mi.ones((4, 2, 20)), h, c, weight, projection)
    >>> mi.operators.lstm_projected_gradient(mi.ones(y.shape), y, h, c, weight, projection).shape
    (251,)
    """
    narrow = h.shape[1]
    of_h, of_c = h * 0.0, c * 0.0
    cells, i, f, z, o = _blocks(y[..., narrow:], 5)
    of_cells, of_i, of_f, of_z, of_o = _blocks(g[..., narrow:], 5)
    before, bent = _before(xp, c, cells), xp.tanh(cells)
    steps, outputs = [], []
    for t in reversed(range(y.shape[0])):
        of_h = of_h + g[t, :, :narrow]
        outputs.append(of_h)
        wide = xp.matmul(of_h, projection)
        of_c = of_c + of_cells[t] + wide * o[t] * (1.0 - bent[t] * bent[t])
        step = xp.concat(
            [
                (of_i[t] + of_c * z[t]) * i[t] * (1.0 - i[t]),
                (of_f[t] + of_c * before[t]) * f[t] * (1.0 - f[t]),
                (of_z[t] + of_c * i[t]) * (1.0 - z[t] * z[t]),
                (of_o[t] + wide * bent[t]) * o[t] * (1.0 - o[t]),
            ],
            axis=1,
        )
        of_h, of_c = xp.matmul(step, weight), of_c * f[t]
        steps.append(step)
    if not steps:
        return flat(xp, of_h, of_c, weight * 0.0, projection * 0.0)
    of_gates = xp.stack(steps[::-1])
    of_weight = _summed(xp, of_gates, _before(xp, h, y[..., :narrow]))
    of_projection = _summed(xp, xp.stack(outputs[::-1]), o * bent)
    return flat(xp, of_gates, of_h, of_c, of_weight, of_projection)


differentiate_reference(lstm_projected_gradient)


# ---- GRU -----------------------------------------------------------------------------------------
@operator(floating=True, real=True)
def gru(xp: Any, gates: Array, h: Array, weight: Array, bias: Array = None) -> Any:
    """Run a gated recurrent unit over a sequence, with all that backward needs in the result.

    (a, b, d) = gates[t], (p, q, s) = h @ weight.T + bias; r = sigmoid(a + p), z = sigmoid(b + q),
    n = tanh(d + r * s); h = (1 - z) * n + z * h.

    Shapes: gates (T, N, 3 * H), h (N, H), weight (3 * H, H), bias (3 * H) or None ->
    (5, T, N, H): along the first axis h after each step, and r, z, n, s.
    Raises: ShapeError when sizes differ. Source: Cho et al. 2014, in the variant of cuDNN.

    >>> import minima as mi
    >>> y = mi.operators.gru(mi.ones((3, 2, 15)), mi.ones((2, 5)), mi.ones((15, 5)))
    >>> output, last = y[0], y[0, -1]
    >>> output.shape, last.shape
    ((3, 2, 5), (2, 5))
    """
    turned = xp.permute_dims(weight, (1, 0))
    steps = []
    for t in range(gates.shape[0]):
        a, b, d = _blocks(gates[t], 3)
        hidden = xp.matmul(h, turned)
        p, q, s = _blocks(hidden if bias is None else hidden + bias, 3)
        r, z = _sigmoid(xp, a + p), _sigmoid(xp, b + q)
        n = xp.tanh(d + r * s)
        h = n + z * (h - n)
        steps.append((h, r, z, n, s))
    return _packed(xp, steps, h, 5)


@gru.prepare
def _(gates: Tensor, h: Tensor, weight: Tensor, bias: Tensor | None) -> dict[str, Any]:
    _check("gru", 3, gates, weight, h=h)
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"gru: got a bias of shape {bias.shape}; expected ({weight.shape[0]},)")
    return {}


@gru.gradient(saves="y h weight")
def _(g: Tensor, y: Tensor, gates: Any, h: Tensor, weight: Tensor, bias: Any) -> Any:
    shapes = [gates.shape, h.shape, weight.shape, weight.shape[:1]]
    found = parts(lambda: gru_gradient(g, y, h, weight), shapes)
    return (*found[:3], None if bias is None else found[3])


@operator(floating=True, real=True)
def gru_gradient(xp: Any, g: Array, y: Array, h: Array, weight: Array) -> Any:
    """Return the gradients of `gru`, whose result is y, with respect to each of its inputs.

    Shapes: g and y (5, T, N, H), h and weight as in `gru` -> one axis: the gradients of gates, h,
    weight and bias, flattened, one after the other.

    >>> import minima as mi
    >>> h, weight = mi.zeros((2, 5)), mi.ones((15, 5))
    >>> y = mi.operators.gru(mi.ones((3, 2, 15)), h, weight)
    >>> mi.operators.gru_gradient(mi.ones(y.shape), y, h, weight).shape
    (190,)
    """
    of_h = h * 0.0
    states = _before(xp, h, y[0])
    steps, hiddens = [], []
    for t in reversed(range(y.shape[1])):
        r, z, n, s = (y[k, t] for k in (1, 2, 3, 4))
        of_h = of_h + g[0, t]
        of_n = (g[3, t] + of_h * (1.0 - z)) * (1.0 - n * n)
        of_r = (g[1, t] + of_n * s) * r * (1.0 - r)
        of_z = (g[2, t] + of_h * (states[t] - n)) * z * (1.0 - z)
        hidden = xp.concat([of_r, of_z, g[4, t] + of_n * r], axis=1)
        of_h = of_h * z + xp.matmul(hidden, weight)
        steps.append(xp.concat([of_r, of_z, of_n], axis=1))
        hiddens.append(hidden)
    if not steps:
        return flat(xp, of_h, weight * 0.0, weight[:, 0] * 0.0)
    rows = _rows(xp, xp.stack(hiddens[::-1]))
    of_weight = xp.matmul(xp.permute_dims(rows, (1, 0)), _rows(xp, states))
    return flat(xp, xp.stack(steps[::-1]), of_h, of_weight, xp.sum(rows, axis=0))


differentiate_reference(gru_gradient)


# ---- RNN -----------------------------------------------------------------------------------------
@operator(floating=True, real=True)
def rnn(xp: Any, gates: Array, h: Array, weight: Array, rectified: bool = False) -> Any:
    """Run a plain recurrent layer over a sequence: h = tanh(gates[t] + h @ weight.T).

    With *rectified* h = max(0, gates[t] + h @ weight.T), whose gradient at 0 is 0.

    Shapes: gates (T, N, H), h (N, H), weight (H, H) -> (T, N, H): h after each step.
    Raises: ShapeError when sizes differ. Source: Elman 1990.

    >>> import minima as mi
    >>> y = mi.operators.rnn(mi.ones((3, 2, 5)), mi.ones((2, 5)), mi.ones((5, 5)))
    >>> y.shape, y[-1].shape
    ((3, 2, 5), (2, 5))
    """
    turned = xp.permute_dims(weight, (1, 0))
    steps = []
    for t in range(gates.shape[0]):
        h = gates[t] + xp.matmul(h, turned)
        h = xp.maximum(h, xp.zeros_like(h)) if rectified else xp.tanh(h)
        steps.append(h)
    return xp.stack(steps) if steps else xp.zeros(gates.shape, dtype=gates.dtype)


@rnn.prepare
def _(gates: Tensor, h: Tensor, weight: Tensor, rectified: bool) -> dict[str, Any]:
    _check("rnn", 1, gates, weight, h=h)
    return {"rectified": bool(rectified)}


@rnn.gradient(saves="y h weight")
def _(g: Tensor, y: Tensor, gates: Any, h: Tensor, weight: Tensor, rectified: bool) -> Any:
    shapes = [gates.shape, h.shape, weight.shape]
    return tuple(parts(lambda: rnn_gradient(g, y, h, weight, rectified), shapes))


@operator(floating=True, real=True)
def rnn_gradient(
    xp: Any, g: Array, y: Array, h: Array, weight: Array, rectified: bool = False
) -> Any:
    """Return the gradients of `rnn`, whose result is y, with respect to each of its inputs.

    Shapes: g and y (T, N, H), h and weight as in `rnn` -> one axis: the gradients of gates, h and
    weight, flattened, one after the other.

    >>> import minima as mi
    >>> h, weight = mi.zeros((2, 5)), mi.ones((5, 5))
    >>> y = mi.operators.rnn(mi.ones((3, 2, 5)), h, weight)
    >>> mi.operators.rnn_gradient(mi.ones(y.shape), y, h, weight).shape
    (65,)
    """
    of_h = h * 0.0
    steps = []
    for t in reversed(range(y.shape[0])):
        of_h = of_h + g[t]
        if rectified:
            step = xp.where(y[t] <= 0.0, xp.zeros_like(of_h), of_h)
        else:
            step = of_h * (1.0 - y[t] * y[t])
        of_h = xp.matmul(step, weight)
        steps.append(step)
    if not steps:
        return flat(xp, of_h, weight * 0.0)
    of_gates = xp.stack(steps[::-1])
    return flat(xp, of_gates, of_h, _summed(xp, of_gates, _before(xp, h, y)))


differentiate_reference(rnn_gradient)
