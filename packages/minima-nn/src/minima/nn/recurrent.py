"""Recurrent layers: LSTM and GRU, in several layers and directions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy.typing as npt

from minima import Tensor, concat, expand_dims, gru, init, lstm, permute_dims, project
from minima.devices import Device
from minima.errors import ShapeError

from .arguments import check_floating, integer, real
from .functional.dropout import dropout as dropped
from .module import Module
from .parameter import Parameter

__all__ = ["GRU", "LSTM"]

States = tuple[Tensor, ...]


class _Recurrent(Module):
    """What LSTM and GRU share: parameters, layers and directions, and where axes lie."""

    gates: int
    states: tuple[str, ...]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.input_size = integer(name, "input_size", input_size)
        self.hidden_size = integer(name, "hidden_size", hidden_size)
        self.num_layers = integer(name, "num_layers", num_layers)
        self.dropout = real(name, "dropout", dropout, low=0.0, high=1.0)
        self.bias, self.batch_first = bool(bias), bool(batch_first)
        self.bidirectional = bool(bidirectional)
        bound = 1.0 / sqrt(self.hidden_size)
        size, wide = self.hidden_size, self.gates * self.hidden_size
        for number, suffix in enumerate(self._suffixes()):
            first = number < self._directions
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (wide, self.input_size if first else size * self._directions),
                "weight_hh": (wide, size),
            }
            if self.bias:
                shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)}
            for what, shape in shapes.items():
                values = init.rand(*shape, low=-bound, high=bound, device=device, dtype=dtype)
                self.register_parameter(f"{what}_{suffix}", Parameter(values))

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _suffixes(self) -> list[str]:
        """Return the end of each parameter's name, for layers and, in each, directions."""
        ways = ("", "_reverse") if self.bidirectional else ("",)
        return [f"l{layer}{way}" for layer in range(self.num_layers) for way in ways]

    @abstractmethod
    def _run(self, gates: Tensor, states: States, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return what the operator makes of a sequence; the states come first in it."""

    @abstractmethod
    def _input_bias(self, suffix: str) -> Tensor | None:
        """Return what is added to the products with the input."""

    def _forward(self, x: Tensor, given: States | None) -> tuple[Tensor, States]:
        """Return the outputs of the last layer, and of every layer and direction the last states.

        Within, the axes are (steps, samples, features).
        """
        single = self._check(x)
        if single:
            x = expand_dims(x, 1)
        elif self.batch_first:
            x = permute_dims(x, (1, 0, 2))
        first = self._initial(x, given, single)
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.training:
                x = dropped(x, self.dropout)
            outputs = []
            for way in range(self._directions):
                number = layer * self._directions + way
                states = tuple(s[number] for s in first)
                output, ends = self._direction(x, states, self._suffixes()[number], bool(way))
                outputs.append(output)
                last.append(ends)
            x = concat(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        found = tuple(concat(s, axis=0) if len(s) > 1 else s[0] for s in zip(*last))
        if single:
            return x[:, 0], tuple(s[:, 0] for s in found)
        return permute_dims(x, (1, 0, 2)) if self.batch_first else x, found

    def _direction(
        self, x: Tensor, states: States, suffix: str, reverse: bool
    ) -> tuple[Tensor, States]:
        """Run one layer in one direction: return all its outputs and its last states."""
        weight_ih, weight_hh = (getattr(self, f"{w}_{suffix}") for w in ("weight_ih", "weight_hh"))
        gates = project(x, weight_ih, self._input_bias(suffix))
        bias = getattr(self, f"bias_hh_{suffix}") if self.bias else None
        y = self._run(gates[::-1] if reverse else gates, states, weight_hh, bias)
        output = y[0]
        ends = (output[-1:], *(y[k, -1:] for k in range(1, len(states))))
        return output[::-1] if reverse else output, ends

    # ---- what is given ---------------------------------------------------------------------------
    def _check(self, x: Any) -> bool:
        """Raise unless x is a sequence; say whether it is that of a single sample."""
        name = type(self).__name__
        check_floating(name, "input", x)
        layout = "(N, T, C)" if self.batch_first else "(T, N, C)"
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input has shape {x.shape}; expected {layout}, or (T, C) for a single "
                f"sample, with C = {self.input_size}"
            )
        if not x.shape[1 if x.ndim == 3 and self.batch_first else 0]:
            raise ShapeError(f"{name}: input has shape {x.shape}; expected at least one step")
        return bool(x.ndim == 2)

    def _initial(self, x: Tensor, given: States | None, single: bool) -> States:
        """Return the first states of all layers and directions, zeros unless given."""
        count = self.num_layers * self._directions
        full = (count, x.shape[1], self.hidden_size)
        if given is None:
            zeros = init.zeros(*full, device=x.device, dtype=x.dtype)
            return (zeros,) * len(self.states)
        expected = (full[0], full[2]) if single else full
        for what, state in zip(self.states, given):
            check_floating(type(self).__name__, what, state)
            if state.shape != expected:
                raise ShapeError(
                    f"{type(self).__name__}: {what} has shape {state.shape}; expected {expected}, "
                    f"one state for each of {count} layers and directions"
                )
        return tuple(expand_dims(s, 1) for s in given) if single else tuple(given)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        usual = {
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
        }
        options = {k: getattr(self, k) for k, v in usual.items() if getattr(self, k) != v}
        shown = "".join(f", {k}={v}" for k, v in options.items())
        return f"{self.input_size}, {self.hidden_size}{shown}"


class LSTM(_Recurrent):
    """Run a long short-term memory over sequences.

    (i, f, g, o) = x[t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh;
    c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c).

    Layer k has ``weight_ih_lk`` (4 * hidden_size, inputs), ``weight_hh_lk``, ``bias_ih_lk`` and
    ``bias_hh_lk``, with ``_reverse`` for the second direction, all as PyTorch has them. *dropout*
    acts, in training, on what each layer but the last passes on. States are zeros unless given.

    Shapes: x (T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size); states
    (h, c), each (num_layers * D, N, hidden_size) -> output (T, N, D * hidden_size) laid out as x,
    and the last states (h, c); D is 2 with bidirectional, else 1.
    Raises: ShapeError when a size differs or there is no step.
    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000.

    >>> output, (h, c) = mi.nn.LSTM(4, 3, num_layers=2)(mi.ones((5, 2, 4)))
    >>> output.shape, h.shape, c.shape
    ((5, 2, 3), (2, 2, 3), (2, 2, 3))
    """

    gates = 4
    states = ("h_0", "c_0")

    def forward(
        self, x: Tensor, hx: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return the outputs, and the last states (h, c)."""
        if hx is not None and (not isinstance(hx, tuple | list) or len(hx) != 2):
            raise ShapeError(f"LSTM: hx is a {type(hx).__name__}; expected a pair (h_0, c_0)")
        output, (h, c) = self._forward(x, None if hx is None else tuple(hx))
        return output, (h, c)

    def _input_bias(self, suffix: str) -> Tensor | None:
        if not self.bias:
            return None
        total: Tensor = getattr(self, f"bias_ih_{suffix}") + getattr(self, f"bias_hh_{suffix}")
        return total

    def _run(self, gates: Tensor, states: States, weight: Tensor, bias: Tensor | None) -> Tensor:
        h, c = states
        return lstm(gates, h, c, weight)


class GRU(_Recurrent):
    """Run a gated recurrent unit over sequences.

    (a, b, d) = x[t] @ weight_ih.T + bias_ih; (p, q, s) = h @ weight_hh.T + bias_hh;
    r = sigmoid(a + p), z = sigmoid(b + q), n = tanh(d + r * s); h = (1 - z) * n + z * h.

    Parameters and options as in `LSTM`, with 3 * hidden_size in place of 4 * hidden_size.

    Shapes: x (T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size); state
    (num_layers * D, N, hidden_size) -> output (T, N, D * hidden_size) laid out as x, and the last
    state; D is 2 with bidirectional, else 1.
    Raises: ShapeError when a size differs or there is no step.
    Source: Cho et al. 2014, in the variant of cuDNN.

    >>> output, h = mi.nn.GRU(4, 3, bidirectional=True)(mi.ones((5, 2, 4)))
    >>> output.shape, h.shape
    ((5, 2, 6), (2, 2, 3))
    """

    gates = 3
    states = ("h_0",)

    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the outputs, and the last state."""
        output, (h,) = self._forward(x, None if hx is None else (hx,))
        return output, h

    def _input_bias(self, suffix: str) -> Tensor | None:
        return getattr(self, f"bias_ih_{suffix}") if self.bias else None

    def _run(self, gates: Tensor, states: States, weight: Tensor, bias: Tensor | None) -> Tensor:
        (h,) = states
        return gru(gates, h, weight, bias)
