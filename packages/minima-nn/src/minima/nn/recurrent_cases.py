"""The rows of recurrent layers and cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minima import Tensor, concat

from . import GRU, LSTM, RNN, GRUCell, LSTMCell, Module, RNNCell
from .layer_case import LayerCase
from .packed import PackedSequence

__all__ = ["RECURRENT"]

#: of the steps of a packed sequence: of three samples, then of two, then of one
SIZES = (3, 2, 2, 1)


def _tensors(found: Any) -> list[Tensor]:
    """Return the floating Tensors within tuples."""
    if isinstance(found, PackedSequence):
        return [found.data]
    return [found] if isinstance(found, Tensor) else [t for part in found for t in _tensors(part)]


def _flat(*found: Any) -> Tensor:
    """Return all elements of what a layer returns along one axis."""
    return concat([t.reshape((t.size,)) for t in _tensors(found)], axis=0)


def _run(layer: Module, x: Tensor) -> Tensor:
    return _flat(layer(x))


def _run_packed(layer: Module, x: Tensor, sizes: Tensor) -> Tensor:
    return _flat(layer(PackedSequence(x, sizes)))


def _packed(make: Callable[[], Module], size: int) -> LayerCase:
    """Return the row of a layer that takes packed sequences and gives *size* elements in all."""
    return LayerCase(
        make,
        (sum(SIZES), 2),
        (size,),
        SIZES,
        "packed",
        run=_run_packed,
        eager="how many sequences each step is of is a value",
        batch=None,
    )


_OPTIONS: dict[str, Any] = {"bias": False, "batch_first": True, "bidirectional": True}

RECURRENT = [
    LayerCase(lambda: LSTM(3, 2), (4, 2, 3), (24,), run=_run, batch=1),
    LayerCase(lambda: LSTM(2, 1, 2, **_OPTIONS), (2, 3, 2), (28,), run=_run, note="options"),
    LayerCase(
        lambda: LSTM(2, 2, 2, dropout=0.4), (3, 2), (14,), run=_run, note="single", batch=None
    ),
    LayerCase(
        lambda: LSTM(2, 3, proj_size=2), (3, 1, 2), (11,), run=_run, note="projected", batch=1
    ),
    _packed(lambda: LSTM(2, 2, bidirectional=True), 56),
    LayerCase(lambda: GRU(3, 2), (4, 2, 3), (20,), run=_run, batch=1),
    LayerCase(lambda: GRU(2, 1, 2, **_OPTIONS), (2, 3, 2), (20,), run=_run, note="options"),
    _packed(lambda: GRU(2, 1, 2), 14),
    LayerCase(lambda: RNN(3, 2), (4, 2, 3), (20,), run=_run, batch=1),
    LayerCase(lambda: RNN(2, 1, 2, "relu", **_OPTIONS), (2, 3, 2), (20,), run=_run, note="options"),
    _packed(lambda: RNN(2, 1, bidirectional=True), 22),
    LayerCase(lambda: RNNCell(3, 2), (4, 3), (4, 2)),
    LayerCase(lambda: RNNCell(3, 2, False, "relu"), (3,), (2,), note="options", batch=None),
    LayerCase(lambda: LSTMCell(3, 2), (4, 3), (16,), run=_run),
    LayerCase(lambda: GRUCell(3, 2), (4, 3), (4, 2)),
]
