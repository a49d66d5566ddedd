"""Recurrent cells: a loop over a cell is the layer; values are compared in the table of parity."""

import numpy as np
import pytest

import minima as mi
from minima import nn

KINDS = pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])


@KINDS
@pytest.mark.parametrize("bias", [True, False])
def test_a_loop_over_a_cell_is_the_layer(kind, bias):
    """Fault: gates in another order, or biases that are left out."""
    layer, cell = getattr(nn, kind)(3, 4, bias=bias), getattr(nn, f"{kind}Cell")(3, 4, bias=bias)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = mi.Tensor(np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32"))
    state, outputs = None, []
    for step in x:
        state = cell(step, state)
        outputs.append(state[0] if kind == "LSTM" else state)
    np.testing.assert_allclose(mi.stack(outputs).numpy(), layer(x)[0].numpy(), rtol=1e-5)


@KINDS
def test_parameters_are_pytorchs_and_start_within_their_bound(kind):
    """Fault: another name, order or scale."""
    cell = getattr(nn, f"{kind}Cell")(3, 16)
    names = [name for name, _ in cell.named_parameters()]
    assert names == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    values = np.concatenate([p.numpy().ravel() for p in cell.parameters()])
    assert 0.23 < np.abs(values).max() <= 0.25
    assert abs(values.mean()) < 0.03


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (lambda: nn.RNNCell(3, 4), "RNNCell(3, 4)"),
        (
            lambda: nn.RNNCell(3, 4, False, "relu"),
            "RNNCell(3, 4, bias=False, nonlinearity=relu)",
        ),
        (lambda: nn.LSTMCell(3, 4, bias=False), "LSTMCell(3, 4, bias=False)"),
    ],
)
def test_repr(cell, text):
    """Fault: an option that does not show."""
    assert repr(cell()) == text


@KINDS
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_and_no_sample(kind, dtype):
    """Fault: a state of another width, or a batch of none that fails."""
    cell = getattr(nn, f"{kind}Cell")(3, 4).to(dtype)
    for n in (0, 1):
        found = cell(mi.ones((n, 3), dtype=dtype))
        for state in found if kind == "LSTM" else [found]:
            assert state.shape == (n, 4)
            assert state.dtype == dtype
