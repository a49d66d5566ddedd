"""Recurrent layers: RNN, LSTM and GRU, in several layers and directions.

A sequence runs as one operator for each layer and direction; packed sequences of several lengths
as one for each stretch of steps that the same sequences have, see `minima.nn.packed`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import Any, overload

import numpy.typing as npt

from minima import (
    Tensor,
    concat,
    expand_dims,
    gru,
    init,
    lstm,
    lstm_projected,
    permute_dims,
    project,
    rnn,
)
from minima.devices import Device
from minima.errors import ArgumentError, ShapeError

from .arguments import check_choice, check_floating, check_placed, integer, real
from .cells import paired
from .functional.dropout import dropout as dropped
from .module import Module
from .packed import PackedSequence, checked_sizes, reordered, run_packed
from .parameter import Parameter

__all__ = ["GRU", "LSTM", "RNN"]

States = tuple[Tensor, ...]


class _Recurrent(Module):
    """What the layers share: parameters, layers and directions, and where axes lie."""

    gates: int
    states: tuple[str, ...]
    weight_ih_l0: Parameter

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
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
        self.proj_size = integer(name, "proj_size", proj_size, low=0)
        if self.proj_size >= self.hidden_size:
            raise ArgumentError(
                f"{name}: proj_size is {proj_size}; expected less than hidden_size, which is "
                f"{hidden_size}"
            )
        bound = 1.0 / sqrt(self.hidden_size)
        for number, suffix in enumerate(self._suffixes()):
            for what, shape in self._shapes(first=number < self._directions).items():
                values = init.rand(*shape, low=-bound, high=bound, device=device, dtype=dtype)
                self.register_parameter(f"{what}_{suffix}", Parameter(values))

    def reset_parameters(self) -> None:
        """Draw weights and biases anew, as for a new layer.

        >>> mi.nn.GRU(2, 3).reset_parameters()
        """
        bound = 1.0 / sqrt(self.hidden_size)
        for _, parameter in self._own_parameters():
            init.uniform_(parameter, -bound, bound)

    def _shapes(self, *, first: bool) -> dict[str, tuple[int, ...]]:
        """Return the parameters of a layer and direction: names and shapes, in PyTorch's order."""
        wide, narrow = self.gates * self.hidden_size, self._sizes[0]
        inputs = self.input_size if first else narrow * self._directions
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (wide, inputs),
            "weight_hh": (wide, narrow),
        }
        if self.bias:
            shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)}
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, self.hidden_size)
        return shapes

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _sizes(self) -> tuple[int, ...]:
        """The size of each state; that of the output is the first."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: len(self.states)]

    def _suffixes(self) -> list[str]:
        """Return the end of each parameter's name, for layers and, in each, directions."""
        ways = ("", "_reverse") if self.bidirectional else ("",)
        return [f"l{layer}{way}" for layer in range(self.num_layers) for way in ways]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters, a list for each layer and direction.

        >>> [p.shape for p in mi.nn.GRU(4, 2).all_weights[0]]
        [(6, 4), (6, 2), (6,), (6,)]
        """
        names = self._shapes(first=True)
        return [
            [getattr(self, f"{what}_{suffix}") for what in names] for suffix in self._suffixes()
        ]

    def flatten_parameters(self) -> None:
        """Do nothing: where parameters lie in memory does not matter here.

        >>> mi.nn.GRU(4, 2).flatten_parameters()
        """

    @abstractmethod
    def _run(self, gates: Tensor, states: States, suffix: str) -> tuple[Tensor, States]:
        """Return the outputs of a sequence, and the last states (1, N, size)."""

    def _input_bias(self, suffix: str) -> Tensor | None:
        """Return what is added to the products with the input: both biases, unless overridden."""
        if not self.bias:
            return None
        total: Tensor = getattr(self, f"bias_ih_{suffix}") + getattr(self, f"bias_hh_{suffix}")
        return total

    def _forward(
        self, x: Tensor | PackedSequence, given: States | None
    ) -> tuple[Tensor | PackedSequence, States]:
        """Return the outputs of the last layer, and of every layer and direction the last states.

        Within, the axes are (steps, samples, features).
        """
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, given)
        single = self._check(x)
        if single:
            x = expand_dims(x, 1)
        elif self.batch_first:
            x = permute_dims(x, (1, 0, 2))
        x, found = self._layers(x, self._initial(x, x.shape[1], given, single), None)
        if single:
            return x[:, 0], tuple(s[:, 0] for s in found)
        return permute_dims(x, (1, 0, 2)) if self.batch_first else x, found

    def _forward_packed(
        self, packed: PackedSequence, given: States | None
    ) -> tuple[PackedSequence, States]:
        self._check_features(packed.data, (2,), "packed data (*, C)")
        sizes = checked_sizes(type(self).__name__, packed)
        first = self._initial(packed.data, sizes[0], given, False)
        data, found = self._layers(packed.data, reordered(first, packed.sorted_indices), sizes)
        return packed._replace(data=data), reordered(found, packed.unsorted_indices)

    def _layers(self, x: Tensor, first: States, sizes: list[int] | None) -> tuple[Tensor, States]:
        """Run all layers over x, whose steps are packed where *sizes* are given."""
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.training:
                x = dropped(x, self.dropout)
            outputs = []
            for way in range(self._directions):
                number = layer * self._directions + way
                states = tuple(s[number] for s in first)
                suffix = self._suffixes()[number]
                output, ends = self._direction(x, states, suffix, bool(way), sizes)
                outputs.append(output)
                last.append(ends)
            x = concat(outputs, axis=-1) if len(outputs) > 1 else outputs[0]
        return x, tuple(concat(s, axis=0) if len(s) > 1 else s[0] for s in zip(*last))

    def _direction(
        self, x: Tensor, states: States, suffix: str, reverse: bool, sizes: list[int] | None
    ) -> tuple[Tensor, States]:
        """Run one layer in one direction: return all its outputs and its last states."""

        def run(gates: Tensor, states: States) -> tuple[Tensor, States]:
            output, ends = self._run(gates[::-1] if reverse else gates, states, suffix)
            return output[::-1] if reverse else output, ends

        gates = project(x, getattr(self, f"weight_ih_{suffix}"), self._input_bias(suffix))
        if sizes is None:
            return run(gates, states)
        output, ends = run_packed(run, gates, sizes, states, reverse)
        return output, tuple(expand_dims(s, 0) for s in ends)

    # ---- what is given ---------------------------------------------------------------------------
    def _check(self, x: Any) -> bool:
        """Raise unless x is a sequence; say whether it is that of a single sample."""
        layout = "(N, T, C)" if self.batch_first else "(T, N, C)"
        self._check_features(x, (2, 3), f"{layout}, or (T, C) for a single sample,")
        if not x.shape[1 if x.ndim == 3 and self.batch_first else 0]:
            raise ShapeError(
                f"{type(self).__name__}: input has shape {x.shape}; expected at least one step"
            )
        return bool(x.ndim == 2)

    def _check_features(self, x: Any, ndims: tuple[int, ...], layout: str) -> None:
        name = type(self).__name__
        check_floating(name, "input", x)
        check_placed(name, "input", x, self.weight_ih_l0)
        if x.ndim not in ndims or x.shape[-1] != self.input_size:
            raise ShapeError(
                f"{name}: input has shape {x.shape}; expected {layout} with C = {self.input_size}"
            )

    def _initial(self, x: Tensor, samples: int, given: States | None, single: bool) -> States:
        """Return the first states of all layers and directions, zeros unless given."""
        count = self.num_layers * self._directions
        full = [(count, samples, size) for size in self._sizes]
        if given is None:
            zeros = {s: init.zeros(*s, device=x.device, dtype=x.dtype) for s in full}
            return tuple(zeros[s] for s in full)
        for what, state, shape in zip(self.states, given, full):
            check_floating(type(self).__name__, what, state)
            check_placed(type(self).__name__, what, state, self.weight_ih_l0)
            expected = shape[::2] if single else shape
            if state.shape != expected:
                raise ShapeError(
                    f"{type(self).__name__}: {what} has shape {state.shape}; expected {expected}, "
                    f"one state for each of {count} layers and directions"
                )
        return tuple(expand_dims(s, 1) for s in given) if single else tuple(given)

    def extra_repr(self) -> str:
        """Return the sizes, and the options that are not as usual."""
        usual = {
            "nonlinearity": "tanh",
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0.0,
            "bidirectional": False,
            "proj_size": 0,
        }
        options = {k: getattr(self, k, v) for k, v in usual.items()}
        shown = "".join(f", {k}={v}" for k, v in options.items() if v != usual[k])
        return f"{self.input_size}, {self.hidden_size}{shown}"


class RNN(_Recurrent):
    """Run a plain recurrent layer over sequences.

    h = tanh(x[t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh); max(0, .) takes the place
    of tanh with *nonlinearity* "relu".

    Parameters and options as in `LSTM`, with hidden_size in place of 4 * hidden_size; there is no
    proj_size.

    Shapes: x (T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size), or a
    PackedSequence; state (num_layers * D, N, hidden_size) -> output (T, N, D * hidden_size) laid
    out as x, and the last state; D is 2 with bidirectional, else 1.
    Gradient: that of relu at 0 is 0.
    Raises: ShapeError when a size differs or there is no step.
    Source: Elman 1990.

    >>> output, h = mi.nn.RNN(4, 3, nonlinearity="relu")(mi.ones((5, 2, 4)))
    >>> output.shape, h.shape
    ((5, 2, 3), (1, 2, 3))
    """

    gates = 1
    states = ("h_0",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        device: str | Device | None = None,
        dtype: npt.DTypeLike = "float32",
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = check_choice("RNN", "nonlinearity", nonlinearity, ("tanh", "relu"))

    @overload
    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(
        self, x: PackedSequence, hx: Tensor | None = None
    ) -> tuple[PackedSequence, Tensor]: ...
    def forward(
        self, x: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Return the outputs, and the last state."""
        output, (h,) = self._forward(x, None if hx is None else (hx,))
        return output, h

    def _run(self, gates: Tensor, states: States, suffix: str) -> tuple[Tensor, States]:
        (h,) = states
        weight = getattr(self, f"weight_hh_{suffix}")
        output = rnn(gates, h, weight, rectified=self.nonlinearity == "relu")
        return output, (output[-1:],)


class LSTM(_Recurrent):
    """Run a long short-term memory over sequences.

    (i, f, g, o) = x[t] @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh;
    c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c).

    Layer k has ``weight_ih_lk`` (4 * hidden_size, inputs), ``weight_hh_lk``, ``bias_ih_lk`` and
    ``bias_hh_lk``, with ``_reverse`` for the second direction, all as PyTorch has them. *dropout*
    acts, in training, on what each layer but the last passes on. States are zeros unless given.
    With *proj_size* P each h is weight_hr @ h, of that size: output and h have P in place of
    hidden_size, and so has each weight that takes them; ``weight_hr_lk`` is (P, hidden_size).

    Shapes: x (T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size), or a
    PackedSequence; states (h, c), each (num_layers * D, N, hidden_size) -> output
    (T, N, D * hidden_size) laid out as x, and the last states (h, c); D is 2 with bidirectional,
    else 1.
    Raises: ShapeError when a size differs or there is no step.
    Source: Hochreiter & Schmidhuber 1997; Gers et al. 2000; Sak, Senior & Beaufays 2014.

    >>> output, (h, c) = mi.nn.LSTM(4, 3, num_layers=2)(mi.ones((5, 2, 4)))
    >>> output.shape, h.shape, c.shape
    ((5, 2, 3), (2, 2, 3), (2, 2, 3))
    """

    gates = 4
    states = ("h_0", "c_0")

    @overload
    def forward(
        self, x: Tensor, hx: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...
    @overload
    def forward(
        self, x: PackedSequence, hx: Sequence[Tensor] | None = None
    ) -> tuple[PackedSequence, tuple[Tensor, Tensor]]: ...
    def forward(
        self, x: Tensor | PackedSequence, hx: Sequence[Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Return the outputs, and the last states (h, c)."""
        output, (h, c) = self._forward(x, None if hx is None else paired("LSTM", hx))
        return output, (h, c)

    def _run(self, gates: Tensor, states: States, suffix: str) -> tuple[Tensor, States]:
        h, c = states
        weight = getattr(self, f"weight_hh_{suffix}")
        if not self.proj_size:
            y = lstm(gates, h, c, weight)
            output = y[0]
            return output, (output[-1:], y[1, -1:])
        y = lstm_projected(gates, h, c, weight, getattr(self, f"weight_hr_{suffix}"))
        output, size = y[..., : self.proj_size], self.proj_size + self.hidden_size
        return output, (output[-1:], y[-1:, :, self.proj_size : size])


class GRU(_Recurrent):
    """Run a gated recurrent unit over sequences.

    (a, b, d) = x[t] @ weight_ih.T + bias_ih; (p, q, s) = h @ weight_hh.T + bias_hh;
    r = sigmoid(a + p), z = sigmoid(b + q), n = tanh(d + r * s); h = (1 - z) * n + z * h.

    Parameters and options as in `LSTM`, with 3 * hidden_size in place of 4 * hidden_size; there
    is no proj_size.

    Shapes: x (T, N, input_size), or (N, T, input_size) with batch_first, or (T, input_size), or a
    PackedSequence; state (num_layers * D, N, hidden_size) -> output (T, N, D * hidden_size) laid
    out as x, and the last state; D is 2 with bidirectional, else 1.
    Raises: ShapeError when a size differs or there is no step.
    Source: Cho et al. 2014, in the variant of cuDNN.

    >>> output, h = mi.nn.GRU(4, 3, bidirectional=True)(mi.ones((5, 2, 4)))
    >>> output.shape, h.shape
    ((5, 2, 6), (2, 2, 3))
    """

    gates = 3
    states = ("h_0",)

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
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    @overload
    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]: ...
    @overload
    def forward(
        self, x: PackedSequence, hx: Tensor | None = None
    ) -> tuple[PackedSequence, Tensor]: ...
    def forward(
        self, x: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Return the outputs, and the last state."""
        output, (h,) = self._forward(x, None if hx is None else (hx,))
        return output, h

    def _input_bias(self, suffix: str) -> Tensor | None:
        return getattr(self, f"bias_ih_{suffix}") if self.bias else None

    def _run(self, gates: Tensor, states: States, suffix: str) -> tuple[Tensor, States]:
        (h,) = states
        bias = getattr(self, f"bias_hh_{suffix}") if self.bias else None
        output = gru(gates, h, getattr(self, f"weight_hh_{suffix}"), bias)[0]
        return output, (output[-1:],)
