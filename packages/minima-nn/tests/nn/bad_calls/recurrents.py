"""Wrong calls of recurrent layers and cells, and of what packs and pads sequences."""

from __future__ import annotations

import numpy as np

import minima as mi
from minima import nn
from minima.devices import Device
from minima.errors import ArgumentError, DeviceError, DTypeError, ShapeError
from minima.nn.utils import rnn

from . import Bad

ANOTHER = Device("another", xp=np)
X = mi.ones((4, 2, 3))
WIDE = mi.ones((1, 2, 5)), mi.ones((1, 2, 5))


def of_layers(kind):
    """Return the rows that RNN, LSTM and GRU share."""
    make = getattr(nn, kind)
    state = mi.ones((1, 2, 5))

    def called(x, h=None, **options):
        layer = make(3, 5, **options)
        return layer(x) if h is None else layer(x, (h, h) if kind == "LSTM" else h)

    def packed(data, sizes):
        return called(rnn.PackedSequence(mi.ones(data), mi.Tensor(np.array(sizes, "int64"))))

    return [
        Bad(f"{kind} input_size", lambda: make(0, 5), ArgumentError,
            f"^{kind}: input_size is 0; expected an integer of at least 1"),
        Bad(f"{kind} hidden_size", lambda: make(3, -1), ArgumentError,
            f"^{kind}: hidden_size is -1; expected an integer of at least 1"),
        Bad(f"{kind} hidden_size dtype", lambda: make(3, 5.0), DTypeError,
            f"^{kind}: hidden_size is 5.0; expected an integer"),
        Bad(f"{kind} num_layers", lambda: make(3, 5, 0), ArgumentError,
            f"^{kind}: num_layers is 0; expected an integer of at least 1"),
        Bad(f"{kind} dropout", lambda: make(3, 5, dropout=1.5), ArgumentError,
            f"^{kind}: dropout is 1.5; expected a number from 0 to 1"),
        Bad(f"{kind} dropout dtype", lambda: make(3, 5, dropout="a"), DTypeError,
            f"^{kind}: dropout is 'a'; expected a number"),
        Bad(f"{kind} features", lambda: called(mi.ones((4, 2, 4))), ShapeError,
            rf"^{kind}: input has shape \(4, 2, 4\); expected \(T, N, C\).* C = 3"),
        Bad(f"{kind} axes", lambda: called(mi.ones((1, 4, 2, 3))), ShapeError,
            rf"^{kind}: input has shape \(1, 4, 2, 3\); expected \(T, N, C\)"),
        Bad(f"{kind} one axis", lambda: called(mi.ones(3)), ShapeError,
            rf"^{kind}: input has shape \(3,\); expected"),
        Bad(f"{kind} no step", lambda: called(mi.ones((0, 2, 3))), ShapeError,
            rf"^{kind}: input has shape \(0, 2, 3\); expected at least one step"),
        Bad(f"{kind} no step behind", lambda: called(mi.ones((2, 0, 3)), batch_first=True),
            ShapeError, rf"^{kind}: input has shape \(2, 0, 3\); expected at least one step"),
        Bad(f"{kind} integers", lambda: called(mi.ones((4, 2, 3), dtype="int64")), DTypeError,
            f"^{kind}: input has dtype int64; expected a floating type"),
        Bad(f"{kind} list", lambda: called([[1.0, 2.0, 3.0]]), DTypeError,
            f"^{kind}: input is a list; expected a Tensor"),
        Bad(f"{kind} device", lambda: called(X.to(ANOTHER)), DeviceError,
            f"^{kind}: input is on another; expected cpu"),
        Bad(f"{kind} state layers", lambda: called(X, mi.ones((2, 2, 5))), ShapeError,
            rf"^{kind}: h_0 has shape \(2, 2, 5\); expected \(1, 2, 5\)"),
        Bad(f"{kind} state directions", lambda: called(X, state, bidirectional=True), ShapeError,
            rf"^{kind}: h_0 has shape \(1, 2, 5\); expected \(2, 2, 5\)"),
        Bad(f"{kind} state samples", lambda: called(X, mi.ones((1, 4, 5))), ShapeError,
            rf"^{kind}: h_0 has shape \(1, 4, 5\); expected \(1, 2, 5\)"),
        Bad(f"{kind} state size", lambda: called(X, mi.ones((1, 2, 1))), ShapeError,
            rf"^{kind}: h_0 has shape \(1, 2, 1\); expected \(1, 2, 5\)"),
        Bad(f"{kind} state axes", lambda: called(X, mi.ones((2, 5))), ShapeError,
            rf"^{kind}: h_0 has shape \(2, 5\); expected \(1, 2, 5\)"),
        Bad(f"{kind} state single", lambda: called(mi.ones((4, 3)), mi.ones((1, 1, 5))),
            ShapeError, rf"^{kind}: h_0 has shape \(1, 1, 5\); expected \(1, 5\)"),
        Bad(f"{kind} state integers", lambda: called(X, mi.ones((1, 2, 5), dtype="int64")),
            DTypeError, f"^{kind}: h_0 has dtype int64; expected a floating type"),
        Bad(f"{kind} state device", lambda: called(X, state.to(ANOTHER)), DeviceError,
            f"^{kind}: h_0 is on another; expected cpu"),
        Bad(f"{kind} packed features", lambda: packed((3, 4), [2, 1]), ShapeError,
            rf"^{kind}: input has shape \(3, 4\); expected .* C = 3"),
        Bad(f"{kind} packed axes", lambda: packed((3, 1, 3), [2, 1]), ShapeError,
            rf"^{kind}: input has shape \(3, 1, 3\); expected"),
        Bad(f"{kind} packed sum", lambda: packed((3, 3), [2, 2]), ShapeError,
            rf"^{kind}: batch_sizes are \[2, 2\] .* expected .* add up to 3"),
        Bad(f"{kind} packed rising", lambda: packed((3, 3), [1, 2]), ShapeError,
            rf"^{kind}: batch_sizes are \[1, 2\] .* expected .* none larger"),
        Bad(f"{kind} packed zero", lambda: packed((3, 3), [3, 0]), ShapeError,
            rf"^{kind}: batch_sizes are \[3, 0\] .* expected numbers of at least 1"),
        Bad(f"{kind} packed none", lambda: packed((0, 3), []), ShapeError,
            rf"^{kind}: batch_sizes are \[\] .* expected numbers of at least 1"),
    ]  # fmt: skip


def of_cells(kind):
    """Return the rows that the cells share."""
    make = getattr(nn, kind)
    first = "h_0" if kind == "LSTMCell" else "hx"

    def called(x, h=None):
        cell = make(3, 5)
        return cell(x) if h is None else cell(x, (h, h) if kind == "LSTMCell" else h)

    return [
        Bad(f"{kind} input_size", lambda: make(-3, 5), ArgumentError,
            f"^{kind}: input_size is -3; expected an integer of at least 1"),
        Bad(f"{kind} hidden_size", lambda: make(3, 0), ArgumentError,
            f"^{kind}: hidden_size is 0; expected an integer of at least 1"),
        Bad(f"{kind} features", lambda: called(mi.ones((2, 4))), ShapeError,
            rf"^{kind}: input has shape \(2, 4\); expected .* C = 3"),
        Bad(f"{kind} axes", lambda: called(X), ShapeError,
            rf"^{kind}: input has shape \(4, 2, 3\); expected \(N, C\)"),
        Bad(f"{kind} integers", lambda: called(mi.ones((2, 3), dtype="int32")), DTypeError,
            f"^{kind}: input has dtype int32; expected a floating type"),
        Bad(f"{kind} device", lambda: called(mi.ones((2, 3)).to(ANOTHER)), DeviceError,
            f"^{kind}: input is on another; expected cpu"),
        Bad(f"{kind} state samples", lambda: called(mi.ones((2, 3)), mi.ones((1, 5))), ShapeError,
            rf"^{kind}: {first} has shape \(1, 5\); expected \(2, 5\)"),
        Bad(f"{kind} state size", lambda: called(mi.ones((2, 3)), mi.ones((2, 3))), ShapeError,
            rf"^{kind}: {first} has shape \(2, 3\); expected \(2, 5\)"),
        Bad(f"{kind} state axes", lambda: called(mi.ones(3), mi.ones((1, 5))), ShapeError,
            rf"^{kind}: {first} has shape \(1, 5\); expected \(5,\)"),
        Bad(f"{kind} state bools", lambda: called(mi.ones(3), mi.ones(5, dtype="bool")),
            DTypeError, f"^{kind}: {first} has dtype bool; expected a floating type"),
    ]  # fmt: skip


def packed_of(lengths, shape=(4, 3, 2), **options):
    return lambda: rnn.pack_padded_sequence(mi.ones(shape), lengths, **options)


def one(x=None):
    return rnn.pack_sequence([mi.ones((3, 2)), mi.ones((1, 2))] if x is None else x)


ROWS = [
    *(row for kind in ("RNN", "LSTM", "GRU") for row in of_layers(kind)),
    *(row for kind in ("RNNCell", "LSTMCell", "GRUCell") for row in of_cells(kind)),
    Bad("RNN nonlinearity", lambda: nn.RNN(3, 5, nonlinearity="sigmoid"), ArgumentError,
        "^RNN: nonlinearity is 'sigmoid'; expected one of 'tanh', 'relu'"),
    Bad("RNNCell nonlinearity", lambda: nn.RNNCell(3, 5, nonlinearity=None), ArgumentError,
        "^RNNCell: nonlinearity is None; expected one of 'tanh', 'relu'"),
    Bad("LSTM proj_size", lambda: nn.LSTM(3, 5, proj_size=5), ArgumentError,
        "^LSTM: proj_size is 5; expected less than hidden_size, which is 5"),
    Bad("LSTM proj_size negative", lambda: nn.LSTM(3, 5, proj_size=-1), ArgumentError,
        "^LSTM: proj_size is -1; expected an integer of at least 0"),
    Bad("LSTM state of projection", lambda: nn.LSTM(3, 5, proj_size=2)(X, WIDE),
        ShapeError, r"^LSTM: h_0 has shape \(1, 2, 5\); expected \(1, 2, 2\)"),
    Bad("LSTM hx", lambda: nn.LSTM(3, 5)(X, mi.ones((1, 2, 5))), ShapeError,
        "^LSTM: hx is a Tensor; expected a pair"),
    Bad("LSTM hx of one", lambda: nn.LSTM(3, 5)(X, (mi.ones((1, 2, 5)),)), ShapeError,
        "^LSTM: hx is a tuple of 1; expected a pair"),
    Bad("LSTM cells", lambda: nn.LSTM(3, 5)(X, (mi.ones((1, 2, 5)), mi.ones((1, 2, 4)))),
        ShapeError, r"^LSTM: c_0 has shape \(1, 2, 4\); expected \(1, 2, 5\)"),
    Bad("LSTMCell hx", lambda: nn.LSTMCell(3, 5)(mi.ones(3), mi.ones(5)), ShapeError,
        "^LSTMCell: hx is a Tensor; expected a pair"),
    Bad("LSTMCell cells", lambda: nn.LSTMCell(3, 5)(mi.ones(3), (mi.ones(5), mi.ones(3))),
        ShapeError, r"^LSTMCell: c_0 has shape \(3,\); expected \(5,\)"),
    Bad("GRU hx of two", lambda: nn.GRU(3, 5)(X, (X, X)), DTypeError,
        "^GRU: h_0 is a tuple; expected a Tensor"),
    # ---- packing
    Bad("pack_padded zero", packed_of([4, 2, 0]), ArgumentError,
        r"^pack_padded_sequence: lengths are \[4, 2, 0\]; expected each to be at least 1 and at"),
    Bad("pack_padded negative", packed_of([4, 2, -1]), ArgumentError,
        r"^pack_padded_sequence: lengths are \[4, 2, -1\]; expected each to be at least 1"),
    Bad("pack_padded too long", packed_of([5, 2, 1]), ArgumentError,
        r"^pack_padded_sequence: lengths are \[5, 2, 1\]; expected .* at most 4"),
    Bad("pack_padded too long behind", packed_of([4, 1, 1, 1], batch_first=True), ArgumentError,
        r"^pack_padded_sequence: lengths are \[4, 1, 1, 1\]; expected .* at most 3"),
    Bad("pack_padded unsorted", packed_of([1, 4, 3]), ArgumentError,
        r"^pack_padded_sequence: lengths are \[1, 4, 3\]; expected none larger .*enforce_sorted"),
    Bad("pack_padded samples", packed_of([4, 3]), ShapeError,
        "^pack_padded_sequence: lengths has 2 numbers; expected 3"),
    Bad("pack_padded lengths dtype", packed_of([4.0, 3.0, 1.0]), DTypeError,
        "^pack_padded_sequence: lengths has dtype float64; expected integers"),
    Bad("pack_padded lengths axes", packed_of(mi.ones((3, 1), dtype="int64")), ShapeError,
        r"^pack_padded_sequence: lengths has shape \(3, 1\); expected one axis"),
    Bad("pack_padded axes", packed_of([4], (4,)), ShapeError,
        r"^pack_padded_sequence: input has shape \(4,\); expected \(T, N, \*\)"),
    Bad("pack_padded array", lambda: rnn.pack_padded_sequence(np.ones((2, 2)), [2, 2]), DTypeError,
        "^pack_padded_sequence: input is a ndarray; expected a Tensor"),
    Bad("pack_padded none", packed_of([], (4, 0, 2)), ArgumentError,
        "^pack_padded_sequence: input has no sequence; expected at least 1"),
    Bad("pack empty", lambda: rnn.pack_sequence([]), ArgumentError,
        "^pack_sequence: sequences is empty; expected at least one"),
    Bad("pack no step", lambda: one([mi.ones(3), mi.ones(0)]), ArgumentError,
        r"^pack_sequence: lengths are \[3, 0\]; expected each to be at least 1"),
    Bad("pack unsorted", lambda: one([mi.ones(3), mi.ones(4)]), ArgumentError,
        r"^pack_sequence: lengths are \[3, 4\]; expected none larger"),
    Bad("pack features", lambda: one([mi.ones((3, 2)), mi.ones((2, 3))]), ShapeError,
        r"^pack_sequence: sequences\[1\] has shape \(2, 3\), .*; expected \(L, \*\)"),
    Bad("pack number", lambda: one([mi.ones(3), 2.0]), DTypeError,
        r"^pack_sequence: sequences\[1\] is a float; expected a Tensor"),
    Bad("pad_packed total_length", lambda: rnn.pad_packed_sequence(one(), total_length=2),
        ArgumentError, "^pad_packed_sequence: total_length is 2; expected at least 3"),
    Bad("pad_packed tensor", lambda: rnn.pad_packed_sequence(X), DTypeError,
        "^pad_packed_sequence: sequence is a Tensor; expected a PackedSequence"),
    Bad("pad_packed sizes", lambda: rnn.pad_packed_sequence(one()._replace(data=X[:3])), ShapeError,
        r"^pad_packed_sequence: batch_sizes are \[2, 1, 1\] .*; expected"),
    Bad("unpack list", lambda: rnn.unpack_sequence([X]), DTypeError,
        "^pad_packed_sequence: sequence is a list; expected a PackedSequence"),
    Bad("pad empty", lambda: rnn.pad_sequence([]), ArgumentError,
        "^pad_sequence: sequences is empty; expected at least one"),
    Bad("pad side", lambda: rnn.pad_sequence([X], padding_side="top"), ArgumentError,
        "^pad_sequence: padding_side is 'top'; expected one of 'right', 'left'"),
    Bad("pad scalar", lambda: rnn.pad_sequence([mi.Tensor(1.0)]), ShapeError,
        r"^pad_sequence: sequences\[0\] has shape \(\), .*; expected \(L, \*\)"),
    Bad("pad axes", lambda: rnn.pad_sequence([mi.ones(3), mi.ones((3, 1))]), ShapeError,
        r"^pad_sequence: sequences\[1\] has shape \(3, 1\), .*; expected \(L, \*\)"),
    Bad("unpad too long", lambda: rnn.unpad_sequence(X, [5, 1]), ArgumentError,
        r"^unpad_sequence: lengths are \[5, 1\]; expected .* at most 4"),
    Bad("unpad samples", lambda: rnn.unpad_sequence(X, [3]), ShapeError,
        "^unpad_sequence: lengths has 1 numbers; expected 2"),
    Bad("invert twice", lambda: rnn.invert_permutation(mi.Tensor([0, 2, 2])), ShapeError,
        r"^invert_permutation: permutation is \[0, 2, 2\]; expected each of 0 to 2 once"),
    Bad("invert floats", lambda: rnn.invert_permutation(mi.Tensor([0.0, 1.0])), DTypeError,
        "^invert_permutation: permutation has dtype float32; expected integers"),
    Bad("packed to", lambda: one().to("int64"), DTypeError,
        r"^PackedSequence: to\(\) got dtype int64; expected a floating type"),
]  # fmt: skip
