"""Sequences of several lengths: padded to one, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minima import Tensor, concat, full, reshape, take
from minima.errors import ArgumentError, DTypeError, ShapeError

from ..arguments import check_choice, integer
from ..packed import PackedSequence, checked_sizes, host_integers, invert_permutation

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

Lengths = Tensor | Sequence[int]


# ---- packed --------------------------------------------------------------------------------------
def pack_padded_sequence(
    input: Tensor, lengths: Lengths, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Return the sequences in *input*, of those *lengths*, without their padding.

    With *enforce_sorted* the longest comes first and none is longer than the one before;
    without, they are brought into that order, equal ones left as they were.

    Shapes: input (T, N, *), or (N, T, *) with batch_first -> data (sum of lengths, *).
    Raises: ArgumentError for a length below 1 or above T, or one that is out of order; ShapeError
    for another number of them.

    >>> from minima.nn.utils.rnn import pack_padded_sequence
    >>> x = mi.Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]])
    >>> pack_padded_sequence(x, [3, 2], batch_first=True).data
    Tensor([1., 4., 2., 5., 3.])
    """
    name = "pack_padded_sequence"
    steps, samples = _axes(name, input, batch_first)
    found = _lengths(name, lengths, samples, steps, low=1)
    starts = np.arange(samples) * (steps if batch_first else 1)
    rows = reshape(input, (samples * steps, *input.shape[2:]))
    step = 1 if batch_first else samples
    packed: PackedSequence = _packed(name, rows, found, starts, step, enforce_sorted)
    return packed


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Return *sequences* packed; see `pack_padded_sequence` for the order that they need.

    Shapes: each sequence (L, *), L at least 1 -> data (sum of L, *).
    Raises: ArgumentError for none, an empty one, or one out of order; ShapeError when sizes other
    than L differ.

    >>> from minima.nn.utils.rnn import pack_sequence
    >>> pack_sequence([mi.Tensor([1, 2, 3]), mi.Tensor([4, 5])]).data
    Tensor([1, 4, 2, 5, 3])
    """
    name = "pack_sequence"
    given = _sequences(name, sequences)
    lengths = _lengths(name, [len(t) for t in given], len(given), None, low=1)
    rows, starts = concat(given), _starts(lengths)
    packed: PackedSequence = _packed(name, rows, lengths, starts, 1, enforce_sorted)
    return packed


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the sequences in *sequence* padded to one length, and their lengths, on the cpu.

    They come in the order that they had before they were packed. *total_length* is what they are
    padded to in place of the longest length, for instance when each replica has a part of them.

    Shapes: -> (T, N, *), or (N, T, *) with batch_first; lengths (N,).
    Raises: ArgumentError when total_length is below the longest length.

    >>> from minima.nn.utils.rnn import pack_sequence, pad_packed_sequence
    >>> packed = pack_sequence([mi.Tensor([1.0, 2.0, 3.0]), mi.Tensor([4.0, 5.0])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (Tensor([[1., 2., 3.],
            [4., 5., 0.]]), Tensor([3, 2]))
    """
    name = "pad_packed_sequence"
    if not isinstance(sequence, PackedSequence):
        raise DTypeError(
            f"{name}: sequence is a {type(sequence).__name__}; expected a PackedSequence"
        )
    places, lengths = _places(name, sequence)
    steps = int(lengths.max())
    if total_length is not None and integer(name, "total_length", total_length) < steps:
        raise ArgumentError(
            f"{name}: total_length is {total_length}; expected at least {steps}, the longest length"
        )
    longer = (total_length or steps) - steps
    places = np.pad(places, ((0, longer), (0, 0)), constant_values=len(sequence.data))
    y = _picked(sequence.data, places.T if batch_first else places, padding_value)
    return y, Tensor(lengths)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences in *packed_sequences*, in the order that they had.

    >>> from minima.nn.utils.rnn import pack_sequence, unpack_sequence
    >>> unpack_sequence(pack_sequence([mi.Tensor([1, 2, 3]), mi.Tensor([4, 5])]))
    [Tensor([1, 2, 3]), Tensor([4, 5])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


# ---- padded --------------------------------------------------------------------------------------
def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Return *sequences* as one tensor, the shorter ones filled up with *padding_value*.

    *padding_side* is where it goes: "right", behind them, or "left", before them.

    Shapes: each sequence (L, *) -> (T, N, *), or (N, T, *) with batch_first, where T is the
    largest L.
    Raises: ArgumentError for no sequence; ShapeError when sizes other than L differ.

    >>> from minima.nn.utils.rnn import pad_sequence
    >>> pad_sequence([mi.Tensor([1, 2, 3]), mi.Tensor([4, 5])], batch_first=True, padding_value=-1)
    Tensor([[ 1,  2,  3],
            [ 4,  5, -1]])
    """
    name = "pad_sequence"
    check_choice(name, "padding_side", padding_side, ("right", "left"))
    given = _sequences(name, sequences)
    lengths = np.array([len(t) for t in given])
    steps, rows = int(lengths.max()), int(lengths.sum())
    step = np.arange(steps)[:, None]
    if padding_side == "left":
        step = step - (steps - lengths)
    places = np.where((step >= 0) & (step < lengths), _starts(lengths) + step, rows)
    return _picked(concat(given), places.T if batch_first else places, padding_value)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Lengths, batch_first: bool = False
) -> list[Tensor]:
    """Return each of *padded_sequences* without what is behind its length.

    Shapes: (T, N, *), or (N, T, *) with batch_first -> N tensors (length, *), which are views.
    Raises: ArgumentError for a length below 0 or above T; ShapeError for another number of them.

    >>> from minima.nn.utils.rnn import unpad_sequence
    >>> unpad_sequence(mi.Tensor([[1, 2, 3], [4, 5, 0]]), [3, 2], batch_first=True)
    [Tensor([1, 2, 3]), Tensor([4, 5])]
    """
    name = "unpad_sequence"
    steps, samples = _axes(name, padded_sequences, batch_first)
    found = _lengths(name, lengths, samples, steps, low=0).tolist()
    if batch_first:
        return [padded_sequences[i, :n] for i, n in enumerate(found)]
    return [padded_sequences[:n, i] for i, n in enumerate(found)]


# ---- rows and their places -----------------------------------------------------------------------
def _packed(name: str, rows: Tensor, lengths: Any, starts: Any, step: int, ordered: bool) -> Any:
    """Return *rows* packed: sequence i is lengths[i] of them, from starts[i] on, by *step*."""
    order = None
    if not ordered:
        order = np.argsort(-lengths, kind="stable")
        lengths, starts = lengths[order], starts[order]
    elif (np.diff(lengths) > 0).any():
        raise ArgumentError(
            f"{name}: lengths are {lengths.tolist()}; expected none larger than the one before; "
            "enforce_sorted=False brings the sequences into that order"
        )
    times = np.arange(lengths[0])[:, None]
    going = times < lengths
    data = take(rows, Tensor((starts + times * step)[going]).to(rows.device), axis=0)
    indices = None if order is None else Tensor(order).to(rows.device)
    return PackedSequence(data, Tensor(going.sum(axis=1)), indices)


def _places(name: str, packed: PackedSequence) -> tuple[Any, Any]:
    """Return the row in the data of each step of each sequence, as they were, and the lengths.

    After the end of a sequence it is the row behind the last.
    """
    sizes = np.array(checked_sizes(name, packed))
    samples = np.arange(sizes[0])
    going = samples < sizes[:, None]
    places = np.where(going, _starts(sizes)[:, None] + samples, int(sizes.sum()))
    lengths = going.sum(axis=0)
    if packed.unsorted_indices is None:
        return places, lengths
    back = host_integers(name, "unsorted_indices", packed.unsorted_indices)
    return places[:, back], lengths[back]


def _picked(rows: Tensor, places: Any, padding_value: float) -> Tensor:
    """Return *rows* at *places*; the place behind the last one holds *padding_value*."""
    if (places == len(rows)).any():
        like = (1, *rows.shape[1:])
        padding = full(like, padding_value, dtype=rows.dtype, device=rows.device)
        rows = concat([rows, padding])
    return take(rows, Tensor(np.ascontiguousarray(places)).to(rows.device), axis=0)


def _starts(lengths: Any) -> Any:
    """Return where each sequence begins when they lie one after the other."""
    return np.cumsum(lengths) - lengths


# ---- what is given -------------------------------------------------------------------------------
def _axes(name: str, x: Any, batch_first: bool) -> tuple[int, int]:
    """Return the steps and samples of padded sequences *x*."""
    layout = "(N, T, *)" if batch_first else "(T, N, *)"
    if not isinstance(x, Tensor):
        raise DTypeError(f"{name}: input is a {type(x).__name__}; expected a Tensor {layout}")
    if x.ndim < 2:
        raise ShapeError(f"{name}: input has shape {x.shape}; expected {layout}")
    return (x.shape[1], x.shape[0]) if batch_first else (x.shape[0], x.shape[1])


def _lengths(name: str, given: Any, samples: int, steps: int | None, *, low: int) -> Any:
    """Return the lengths of *samples* sequences, each from *low* to *steps*."""
    lengths = host_integers(name, "lengths", given)
    if lengths.size != samples:
        raise ShapeError(
            f"{name}: lengths has {lengths.size} numbers; expected {samples}, one for each sample"
        )
    if not samples and low:
        raise ArgumentError(f"{name}: input has no sequence; expected at least 1")
    high = int(lengths.max(initial=0)) if steps is None else steps
    if samples and (lengths.min() < low or lengths.max() > high):
        limit = "" if steps is None else f" and at most {steps}, the steps of input"
        raise ArgumentError(
            f"{name}: lengths are {lengths.tolist()}; expected each to be at least {low}{limit}"
        )
    return lengths


def _sequences(name: str, given: Any) -> list[Tensor]:
    """Return what is given as a list of Tensors that differ in their first size alone."""
    found = list(given)
    if not found:
        raise ArgumentError(f"{name}: sequences is empty; expected at least one Tensor")
    for i, t in enumerate(found):
        if not isinstance(t, Tensor):
            raise DTypeError(f"{name}: sequences[{i}] is a {type(t).__name__}; expected a Tensor")
        if not t.ndim or t.shape[1:] != found[0].shape[1:]:
            raise ShapeError(
                f"{name}: sequences[{i}] has shape {t.shape}, sequences[0] {found[0].shape}; "
                "expected (L, *), where only L differs"
            )
    return found
