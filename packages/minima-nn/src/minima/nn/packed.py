"""Sequences of several lengths without padding, one step of all that are still going on a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, groupby
from typing import Any, NamedTuple

import numpy as np

from minima import Tensor, concat, reshape, take
from minima.autograd import Function
from minima.devices import Device
from minima.errors import DTypeError, ShapeError

from .placement import placement

__all__ = [
    "PackedSequence",
    "checked_sizes",
    "host_integers",
    "invert_permutation",
    "reordered",
    "run_packed",
]

States = tuple[Tensor, ...]
#: what runs some steps (T, N, *) from states (N, *): all outputs, and the last states (1, N, *)
Run = Callable[[Tensor, States], tuple[Tensor, States]]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences of several lengths in one tensor, as recurrent layers take and return them.

    ``data`` holds the first step of each sequence, longest sequence first, then the second step
    of each that has one, and so on; ``batch_sizes``, on the cpu, says of how many sequences each
    step is. ``sorted_indices`` are the places of the sequences before they were put in that
    order, and ``unsorted_indices`` the way back; None where they were in it. It is made by
    `minima.nn.utils.rnn.pack_sequence` and `minima.nn.utils.rnn.pack_padded_sequence`.

    >>> data, sizes = mi.Tensor([1.0, 4.0, 2.0, 5.0, 3.0]), mi.Tensor([2, 2, 1])
    >>> mi.nn.utils.rnn.PackedSequence(data, sizes).batch_sizes
    Tensor([2, 2, 1])
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        """Enter the way back to the order before, unless it is given."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(
        self,
        *where: str | Device,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> PackedSequence:
        """Return it with the data of another dtype, or all but batch_sizes on another device.

        >>> packed = mi.nn.utils.rnn.pack_sequence([mi.ones(2), mi.ones(1)])
        >>> packed.to("float64").data.dtype
        dtype('float64')
        """
        place, kind = placement("PackedSequence", where, device, dtype)
        data = self.data if kind is None else self.data.astype(kind)
        if place is None:
            return self._replace(data=data)
        orders = (None if t is None else t.to(place) for t in self[2:])
        return PackedSequence(data.to(place), self.batch_sizes, *orders)

    def cpu(self) -> PackedSequence:
        """Return it on the cpu."""
        return self.to("cpu")

    def half(self) -> PackedSequence:
        """Return it with float16 data."""
        return self.to("float16")

    def float(self) -> PackedSequence:
        """Return it with float32 data."""
        return self.to("float32")

    def double(self) -> PackedSequence:
        """Return it with float64 data."""
        return self.to("float64")


def host_integers(owner: str, name: str, values: Any) -> Any:
    """Return *values*, a Tensor or a sequence, as a NumPy array of int64 with one axis.

    Raises: DTypeError for other numbers, ShapeError for another number of axes.

    >>> host_integers("pack_sequence", "lengths", mi.Tensor([2, 1]))
    array([2, 1])
    """
    array = values.detach().to("cpu").numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise DTypeError(f"{owner}: {name} has dtype {array.dtype}; expected integers")
    if array.ndim != 1:
        raise ShapeError(f"{owner}: {name} has shape {array.shape}; expected one axis")
    return array.astype(np.int64)


def checked_sizes(owner: str, packed: PackedSequence) -> list[int]:
    """Return the batch sizes of *packed* as integers.

    Raises: ShapeError unless they fall, are at least 1 and add up to the rows of its data.

    >>> packed = mi.nn.utils.rnn.pack_sequence([mi.ones(2), mi.ones(1)])
    >>> checked_sizes("LSTM", packed)
    [2, 1]
    """
    sizes = host_integers(owner, "batch_sizes", packed.batch_sizes)
    found: list[int] = sizes.tolist()
    rows = packed.data.shape[0] if packed.data.ndim else 0
    if not found or found[-1] < 1 or (np.diff(sizes) > 0).any() or sum(found) != rows:
        raise ShapeError(
            f"{owner}: batch_sizes are {found} for data of shape {packed.data.shape}; expected "
            f"numbers of at least 1, none larger than the one before, that add up to {rows}"
        )
    return found


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the order that undoes *permutation*; of None it is None.

    Raises: ShapeError unless each place comes once.

    >>> mi.nn.utils.rnn.invert_permutation(mi.Tensor([2, 0, 1]))
    Tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = host_integers("invert_permutation", "permutation", permutation)
    if not np.array_equal(np.sort(order), np.arange(order.size)):
        raise ShapeError(
            f"invert_permutation: permutation is {order.tolist()}; expected each of 0 to "
            f"{order.size - 1} once"
        )
    return Tensor(np.argsort(order)).to(permutation.device)


def reordered(states: States, order: Tensor | None) -> States:
    """Return *states* (layers, N, *) with their samples in another order.

    >>> reordered((mi.Tensor([[1.0, 2.0]]),), mi.Tensor([1, 0]))
    (Tensor([[2., 1.]]),)
    """
    return states if order is None else tuple(take(s, order, axis=1) for s in states)


def run_packed(
    run: Run, data: Tensor, sizes: list[int], first: States, reverse: bool
) -> tuple[Tensor, States]:
    """Run a recurrent layer over packed *data*: return its packed outputs and the last states.

    *run* is called once for each stretch of steps with the same number of sequences. Forward,
    sequences end from one stretch to the next; in *reverse* they join, each at its own last step.
    """
    stretches = [(len(list(same)), n) for n, same in groupby(sizes)]
    blocks = list(_Stretches.apply(data, stretches))
    if reverse:
        outputs, last = _joining(run, blocks[::-1], first)
        outputs = outputs[::-1]
    else:
        outputs, last = _ending(run, blocks, first)
    return _rows(outputs), last


class _Stretches(Function):
    """Cut packed data into stretches (T, N, *), whose gradients are put together in one pass.

    Of slices each would be as large as all of the data.
    """

    @staticmethod
    def forward(ctx: Any, data: Tensor, stretches: list[tuple[int, int]]) -> tuple[Tensor, ...]:
        ends = accumulate((steps * n for steps, n in stretches), initial=0)
        return tuple(
            reshape(data[at : at + steps * n], (steps, n, *data.shape[1:]))
            for at, (steps, n) in zip(ends, stretches)
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return _rows(grads), None


def _rows(blocks: Sequence[Tensor]) -> Tensor:
    """Return blocks (T, N, *) as packed data."""
    flat = [reshape(y, (y.shape[0] * y.shape[1], *y.shape[2:])) for y in blocks]
    return flat[0] if len(flat) == 1 else concat(flat, axis=0)


def _ending(run: Run, blocks: list[Tensor], states: States) -> tuple[list[Tensor], States]:
    outputs, ended = [], []
    for block in blocks:
        n = block.shape[1]
        if n < states[0].shape[0]:
            ended.append(tuple(s[n:] for s in states))
            states = tuple(s[:n] for s in states)
        output, last = run(block, states)
        states = tuple(s[0] for s in last)
        outputs.append(output)
    return outputs, _stacked([states, *ended[::-1]])


def _joining(run: Run, blocks: list[Tensor], first: States) -> tuple[list[Tensor], States]:
    outputs = []
    states = tuple(s[:0] for s in first)
    for block in blocks:
        before, n = states[0].shape[0], block.shape[1]
        if n > before:
            new = tuple(s[before:n] for s in first)
            states = _stacked([states, new]) if before else new
        output, last = run(block, states)
        states = tuple(s[0] for s in last)
        outputs.append(output)
    return outputs, states


def _stacked(parts: list[States]) -> States:
    """Return the states of all *parts*, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return tuple(concat(list(same), axis=0) for same in zip(*parts))
