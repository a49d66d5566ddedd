"""Recurrent cells: one step of a recurrent layer, for loops of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy.typing as npt

from minima import Tensor, expand_dims, gru, init, lstm, project, rnn
from minima.devices import Device
from minima.errors import ShapeError

from .arguments import check_choice, check_floating, check_placed, integer
from .module import Module
from .parameter import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]

States = tuple[Tensor, ...]


def paired(owner: str, hx: Any) -> States:
    """Return the states *hx* of *owner*, an LSTM's, which are two.

    >>> paired("LSTM", [mi.ones(1)])
    Traceback (most recent call last):
    minima.errors.ShapeError: LSTM: hx is a list of 1; expected a pair (h_0, c_0)
    """
    several = isinstance(hx, tuple | list)
    if not several or len(hx) != 2:
        got = type(hx).__name__ + (f" of {len(hx)}" if several else "")
        raise ShapeError(f"{owner}: hx is a {got}; expected a pair (h_0, c_0)")
    return tuple(hx)


class _Cell(Module):
    """What the cells share: parameters, and the checks of what is given."""

    gates: int
    states: tuple[str, ...]
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = integer(name, "input_size", input_size)
        self.hidden_size = integer(name, "hidden_size", hidden_size)
        self.bias = bool(bias)
        bound, wide = 1.0 / sqrt(self.hidden_size), self.gates * self.hidden_size

        def made(*shape: int) -> Parameter:
            values = init.rand(*shape, low=-bound, high=bound, device=device, dtype=dtype)
            return Parameter(values)

        self.weight_ih = made(wide, self.input_size)
        self.weight_hh = made(wide, self.hidden_size)
        self.bias_ih = made(wide) if self.bias else None
        self.bias_hh = made(wide) if self.bias else None

    def reset_parameters(self) -> None:
        """Draw weights and biases anew, as for a new layer.

        >>> mi.nn.GRUCell(2, 3).reset_parameters()
        """
        bound = 1.0 / sqrt(self.hidden_size)
        for _, parameter in self._own_parameters():
            init.uniform_(parameter, -bound, bound)

    def _both_biases(self) -> Tensor | None:
        if self.bias_ih is None or self.bias_hh is None:
            return None
        return self.bias_ih + self.bias_hh

    def _step(self, x: Any, given: Sequence[Any] | None) -> States:
        """Return the states after one step."""
        single = self._check(x)
        if single:
            x = expand_dims(x, 0)
        shape = (x.shape[0], self.hidden_size)
        if given is None:
            zeros = init.zeros(*shape, device=x.device, dtype=x.dtype)
            states: States = (zeros,) * len(self.states)
        else:
            states = self._given(given, shape, single)
        found = self._run(x, states)
        return tuple(s[0] for s in found) if single else found

    def _run(self, x: Tensor, states: States) -> States:
        raise NotImplementedError

    def _check(self, x: Any) -> bool:
        """Raise unless x is one step; say whether it is that of a single sample."""
        name = type(self).__name__
        check_floating(name, "input", x)
        check_placed(name, "input", x, self.weight_ih)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input has shape {x.shape}; expected (N, C), or (C,) for a single sample, "
                f"with C = {self.input_size}"
            )
        return bool(x.ndim == 1)

    def _given(self, given: Sequence[Any], shape: tuple[int, int], single: bool) -> States:
        name = type(self).__name__
        expected = shape[1:] if single else shape
        for what, state in zip(self.states, given):
            check_floating(name, what, state)
            check_placed(name, what, state, self.weight_ih)
            if state.shape != expected:
                raise ShapeError(f"{name}: {what} has shape {state.shape}; expected {expected}")
        return tuple(expand_dims(s, 0) for s in given) if single else tuple(given)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        shown = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{shown}"


class RNNCell(_Cell):
    """Take one step of a plain recurrent layer.

    h = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh); max(0, .) takes the place of
    tanh with *nonlinearity* "relu". The state is zeros unless given.

    Shapes: x (N, input_size) or (input_size,), h (N, hidden_size) or (hidden_size,) -> as h.
    Gradient: that of relu at 0 is 0.
    Raises: ShapeError when a size differs.
    Source: Elman 1990.

    >>> mi.nn.RNNCell(4, 3)(mi.ones((2, 4))).shape
    (2, 3)
    """

    gates = 1
    states = ("hx",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device=device, dtype=dtype)
        self.nonlinearity = check_choice("RNNCell", "nonlinearity", nonlinearity, ("tanh", "relu"))

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state after the step."""
        return self._step(input, None if hx is None else (hx,))[0]

    def _run(self, x: Tensor, states: States) -> States:
        gates = expand_dims(project(x, self.weight_ih, self._both_biases()), 0)
        (h,) = states
        return (rnn(gates, h, self.weight_hh, rectified=self.nonlinearity == "relu")[0],)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        usual = self.nonlinearity == "tanh"
        return super().extra_repr() + ("" if usual else f", nonlinearity={self.nonlinearity}")


class LSTMCell(_Cell):
    """Take one step of a long short-term memory.

    (i, f, g, o) = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh;
    c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c). The states are zeros
    unless given.

    Shapes: x (N, input_size) or (input_size,), h and c (N, hidden_size) or (hidden_size,) ->
    (h, c) of the same shapes.
    Raises: ShapeError when a size differs.
    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000.

    >>> h, c = mi.nn.LSTMCell(4, 3)(mi.ones((2, 4)))
    >>> h.shape, c.shape
    ((2, 3), (2, 3))
    """

    gates = 4
    states = ("h_0", "c_0")

    def forward(self, input: Tensor, hx: Sequence[Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return the states (h, c) after the step."""
        h, c = self._step(input, None if hx is None else paired("LSTMCell", hx))
        return h, c

    def _run(self, x: Tensor, states: States) -> States:
        gates = expand_dims(project(x, self.weight_ih, self._both_biases()), 0)
        h, c = states
        y = lstm(gates, h, c, self.weight_hh)
        return y[0, 0], y[1, 0]


class GRUCell(_Cell):
    """Take one step of a gated recurrent unit.

    (a, b, d) = x @ weight_ih.T + bias_ih; (p, q, s) = h @ weight_hh.T + bias_hh;
    r = sigmoid(a + p), z = sigmoid(b + q), n = tanh(d + r * s); h = (1 - z) * n + z * h. The state
    is zeros unless given.

    Shapes: x (N, input_size) or (input_size,), h (N, hidden_size) or (hidden_size,) -> as h.
    Raises: ShapeError when a size differs.
    Source: Cho et al. 2014, in the variant of cuDNN.

    >>> mi.nn.GRUCell(4, 3)(mi.ones(4)).shape
    (3,)
    """

    gates = 3
    states = ("hx",)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the state after the step."""
        return self._step(input, None if hx is None else (hx,))[0]

    def _run(self, x: Tensor, states: States) -> States:
        gates = expand_dims(project(x, self.weight_ih, self.bias_ih), 0)
        (h,) = states
        return (gru(gates, h, self.weight_hh, self.bias_hh)[0, 0],)
