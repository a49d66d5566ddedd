"""Padding and packing; values are compared with PyTorch's in the table of parity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minima as mi
from minima.nn.utils import rnn

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=6)


def numbered(lengths, dtype="int64"):
    """Return sequences of those lengths that hold numbers which do not come twice."""
    return [mi.Tensor(np.arange(n, dtype=dtype) + 10 * i + 1) for i, n in enumerate(lengths)]


@settings(max_examples=30, deadline=None)
@given(LENGTHS)
def test_unpacking_undoes_packing(lengths):
    """Fault: a step or a sequence that is lost, doubled or elsewhere."""
    xs = numbered(lengths)
    found = rnn.unpack_sequence(rnn.pack_sequence(xs, enforce_sorted=False))
    assert [t.tolist() for t in found] == [t.tolist() for t in xs]


@settings(max_examples=30, deadline=None)
@given(LENGTHS, st.booleans())
def test_unpadding_undoes_padding(lengths, batch_first):
    """Fault: padding that is taken for a step, or the other way round."""
    xs = numbered(lengths)
    padded = rnn.pad_sequence(xs, batch_first, padding_value=-1)
    found = rnn.unpad_sequence(padded, lengths, batch_first)
    assert [t.tolist() for t in found] == [t.tolist() for t in xs]
    assert (padded.numpy() == -1).sum() == padded.size - sum(lengths)


@settings(max_examples=30, deadline=None)
@given(LENGTHS, st.booleans())
def test_packing_padded_sequences_is_packing_them(lengths, batch_first):
    """Fault: padding that becomes data."""
    xs = numbered(lengths)
    padded = rnn.pad_sequence(xs, batch_first)
    one = rnn.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
    other = rnn.pack_sequence(xs, enforce_sorted=False)
    assert [t.tolist() for t in one] == [t.tolist() for t in other]
    back, sizes = rnn.pad_packed_sequence(one, batch_first)
    assert back.tolist() == padded.tolist()
    assert sizes.tolist() == lengths


def test_padding_on_the_left():
    """Fault: the side that does not count."""
    padded = rnn.pad_sequence(numbered([1, 3]), True, 0, padding_side="left")
    assert padded.tolist() == [[0, 0, 1], [11, 12, 13]]


@pytest.mark.parametrize("dtype", ["bool", "int32", "float16", "float64"])
def test_the_dtype_stays(dtype):
    """Fault: padding that widens the data."""
    xs = [mi.ones(2, dtype=dtype), mi.ones(1, dtype=dtype)]
    packed = rnn.pack_sequence(xs)
    assert packed.data.dtype == rnn.pad_sequence(xs).dtype == dtype
    assert rnn.pad_packed_sequence(packed)[0].dtype == dtype


def test_a_sorted_sequence_has_no_order():
    """Fault: indices where PyTorch has None."""
    packed = rnn.pack_sequence(numbered([3, 2]))
    assert packed.sorted_indices is None
    assert packed.unsorted_indices is None
    packed = rnn.pack_sequence(numbered([2, 3]), enforce_sorted=False)
    assert packed.sorted_indices.tolist() == [1, 0]


def test_an_empty_sequence_can_be_padded():
    """Fault: a sequence without steps that padding cannot take."""
    xs = [mi.zeros((0, 2)), mi.ones((2, 2))]
    assert rnn.pad_sequence(xs, True).tolist() == [[[0.0, 0.0]] * 2, [[1.0, 1.0]] * 2]
    assert rnn.pad_sequence(xs[:1]).shape == (0, 1, 2)
