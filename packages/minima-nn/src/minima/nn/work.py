"""How many multiply-adds the layers make, of products: what `summary` counts with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from minima import Tensor

from .attention import MultiheadAttention
from .cells import GRUCell, LSTMCell, RNNCell
from .convolution import Conv1d, Conv2d, Conv3d
from .distances import Bilinear
from .linear import Linear
from .module import Module
from .recurrent import GRU, LSTM, RNN
from .transposed import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d

__all__ = ["COUNTS", "is_free"]

Tensors = Sequence[Tensor]


def _linear(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    return outputs[0].size * int(layer.in_features)


def _convolution(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    return int(outputs[0].size * layer.in_channels // layer.groups * prod(layer.kernel_size))


def _transposed(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    return int(inputs[0].size * layer.out_channels // layer.groups * prod(layer.kernel_size))


def _bilinear(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    return outputs[0].size * int(layer.in1_features) * int(layer.in2_features)


def _recurrent(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    """Each weight matrix once for each step of each sequence."""
    steps = inputs[0].size // layer.input_size
    return int(steps * sum(p.size for p in layer.parameters() if p.ndim == 2))


def _attention(layer: Any, inputs: Tensors, outputs: Tensors) -> int:
    """Projections, weights = q k, sums of values; the projection of the output is a Linear."""
    query, key, value = (*inputs, inputs[0], inputs[0])[:3]
    size = layer.embed_dim
    queries, keys = query.size // size, key.size // layer.kdim
    batch = 1 if query.ndim == 2 else query.shape[0 if layer.batch_first else 1]
    projections = queries * size**2 + key.size * size + value.size * size
    pairs = queries * (keys // batch)
    return int(projections + 2 * pairs * size)


COUNTS: dict[type[Module], Callable[..., int]] = {
    Linear: _linear,
    Bilinear: _bilinear,
    MultiheadAttention: _attention,
    **dict.fromkeys((Conv1d, Conv2d, Conv3d), _convolution),
    **dict.fromkeys((ConvTranspose1d, ConvTranspose2d, ConvTranspose3d), _transposed),
    **dict.fromkeys((RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell), _recurrent),
}


def is_free(module: Module, leaf: bool) -> bool:
    """Say whether a layer that has no count makes no products of its own.

    The other layers of minima do not, nor do modules without parameters of their own that call
    others.
    """
    ours = type(module).__module__.startswith("minima.nn.")
    return ours or not (leaf or module.parameters(recurse=False))
