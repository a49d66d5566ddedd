"""Recurrent layers over packed sequences: each sequence as if it were alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minima as mi
from minima import nn
from minima.devices import Device
from minima.nn.packed import run_packed
from minima.nn.utils import rnn

KINDS = {
    "RNN": lambda **options: nn.RNN(2, 3, **options),
    "RNN-relu": lambda **options: nn.RNN(2, 3, nonlinearity="relu", **options),
    "LSTM": lambda **options: nn.LSTM(2, 3, **options),
    "LSTM-projected": lambda **options: nn.LSTM(2, 3, proj_size=2, **options),
    "GRU": lambda **options: nn.GRU(2, 3, **options),
}
EACH = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


def parts(found):
    """Return what a layer returns as output and list of states."""
    output, states = found
    return output, list(states) if isinstance(states, tuple) else [states]


def check_alone(layer, lengths, seed=0):
    """Compare outputs, last states and gradients with those of each sequence alone."""
    rng = np.random.default_rng(seed)
    xs = [mi.Tensor(rng.normal(size=(n, 2)), requires_grad=True) for n in lengths]
    packed, states = parts(layer(rnn.pack_sequence(xs, enforce_sorted=False)))
    outputs = rnn.unpack_sequence(packed)
    alone = [parts(layer(x)) for x in xs]
    for i, (y, last) in enumerate(alone):
        np.testing.assert_allclose(outputs[i].numpy(), y.numpy(), atol=1e-12)
        for got, expected in zip(states, last, strict=True):
            got, expected = got[:, i].numpy(), expected.numpy()
            np.testing.assert_allclose(got, expected, atol=1e-12)

    def slopes(ys, states):
        total = sum((y * y).sum() for y in ys) + sum((s * s * s).sum() for s in states)
        return mi.autograd.grad(total, [*xs, *layer.parameters()])

    together = slopes(outputs, states)
    expected = slopes([y for y, _ in alone], [s for _, last in alone for s in last])
    for got, wanted in zip(together, expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), atol=1e-11)


@EACH
@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=5), both=st.booleans())
def test_each_sequence_is_as_if_it_were_alone(make, lengths, both):
    """Fault: steps behind the end that count, or a state that is not that of the last step."""
    mi.manual_seed(0)
    check_alone(make(num_layers=2, bidirectional=both).to("float64"), lengths)


@EACH
def test_states_go_with_their_sequence(make):
    """Fault: first states in the order of the packed sequences, not in that of those given."""
    layer = make(bidirectional=True).to("float64")
    rng = np.random.default_rng(0)
    xs = [mi.Tensor(rng.normal(size=(n, 2))) for n in (2, 4, 1)]
    shapes = [s.shape for s in parts(layer(rnn.pack_sequence(xs, enforce_sorted=False)))[1]]
    first = [mi.Tensor(rng.normal(size=s)) for s in shapes]

    def called(x, states):
        return parts(layer(x, tuple(states) if len(states) > 1 else states[0]))

    _, last = called(rnn.pack_sequence(xs, enforce_sorted=False), first)
    for i, x in enumerate(xs):
        _, expected = called(x, [s[:, i] for s in first])
        for got, wanted in zip(last, expected, strict=True):
            np.testing.assert_allclose(got[:, i].numpy(), wanted.numpy())


@pytest.mark.parametrize(("sizes", "calls"), [([3] * 5, [(5, 3)]), ([3, 3, 1], [(2, 3), (1, 1)])])
@pytest.mark.parametrize("reverse", [False, True])
def test_an_operator_runs_for_each_stretch(sizes, calls, reverse):
    """Fault: one call for each step, where several steps are of the same sequences."""
    seen = []

    def run(x, states):
        seen.append(x.shape[:2])
        return x, tuple(s[None] for s in states)

    state = mi.zeros((3, 1))
    y, (last,) = run_packed(run, mi.ones((sum(sizes), 1)), sizes, (state,), reverse)
    assert seen == (calls[::-1] if reverse else calls)
    assert y.shape == (sum(sizes), 1)
    assert last.shape == (3, 1)


def test_a_packed_sequence_moves_with_its_order():
    """Fault: indices that stay on another device than the data, or sizes that leave the cpu."""
    packed = rnn.pack_sequence([mi.ones((1, 2)), mi.ones((3, 2))], enforce_sorted=False)
    another = Device("another", xp=np)
    moved = packed.to(another, "float64")
    places = [t.device.name for t in moved]
    assert places == ["another", "cpu", "another", "another"]
    assert moved.data.dtype == "float64"
    assert packed.half().data.dtype == "float16"
    assert packed.double().float().data.dtype == "float32"
    assert moved.cpu().data.device.name == "cpu"


def test_gradients_flow_through_a_move():
    """Fault: data that is cut off from what it came from."""
    x = mi.ones((3, 2)).requires_grad_()
    rnn.pack_sequence([x]).to("float64").data.sum().backward()
    assert np.array_equal(x.grad.numpy(), np.ones((3, 2)))
