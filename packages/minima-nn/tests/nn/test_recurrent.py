"""RNN, LSTM and GRU; their values are compared with PyTorch's in oracle/."""

import numpy as np
import pytest

import minima as mi
from minima import nn

KINDS = pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])


def outputs(found):
    """Return output and states as one list."""
    output, states = found
    return [output, *(states if isinstance(states, tuple) else (states,))]


@KINDS
def test_a_sequence_in_two_parts_is_the_whole(kind):
    """Fault: states that are lost, or last ones that are not the last."""
    layer = getattr(nn, kind)(3, 4, num_layers=2)
    x = mi.Tensor(np.random.default_rng(0).normal(size=(7, 2, 3)).astype("float32"))
    whole = outputs(layer(x))
    first, states = layer(x[:4])
    second = outputs(layer(x[4:], states))
    np.testing.assert_allclose(mi.concat([first, second[0]]).numpy(), whole[0].numpy(), rtol=1e-5)
    for got, expected in zip(second[1:], whole[1:], strict=True):
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-5)


@KINDS
def test_dropout_acts_between_layers_in_training_alone(kind):
    """Fault: dropout on the output, or none."""
    mi.manual_seed(0)
    layer, one = getattr(nn, kind)(3, 50, 2, dropout=0.5), getattr(nn, kind)(3, 50, dropout=0.5)
    x = mi.ones((2, 4, 3))
    assert not np.array_equal(layer(x)[0].numpy(), layer(x)[0].numpy())
    assert (layer(x)[0].numpy() != 0.0).all()
    assert np.array_equal(one(x)[0].numpy(), one(x)[0].numpy())
    layer.eval()
    assert np.array_equal(layer(x)[0].numpy(), layer(x)[0].numpy())


@KINDS
def test_parameters_start_within_their_bound(kind):
    """Fault: a scale that depends on something else than the size of the state."""
    layer = getattr(nn, kind)(3, 16, bidirectional=True)
    values = np.concatenate([p.numpy().ravel() for p in layer.parameters()])
    assert 0.24 < np.abs(values).max() <= 0.25
    assert abs(values.mean()) < 0.02


def test_parameters_have_pytorchs_names_and_order():
    """Fault: weights that are handed out in another order than PyTorch's."""
    layer = nn.LSTM(3, 4, 2, proj_size=2, bidirectional=True)
    kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]
    suffixes = ["l0", "l0_reverse", "l1", "l1_reverse"]
    names = [f"{kind}_{suffix}" for suffix in suffixes for kind in kinds]
    assert [name for name, _ in layer.named_parameters()] == names
    listed = [p for weights in layer.all_weights for p in weights]
    assert [id(p) for p in listed] == [id(p) for p in layer.parameters()]
    assert layer.weight_hr_l0.shape == (2, 4)
    assert layer.flatten_parameters() is None


@KINDS
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_and_no_sample(kind, dtype):
    """Fault: a state of another width, or a batch of none that fails."""
    layer = getattr(nn, kind)(3, 4, 2, bidirectional=True).to(dtype)
    for n in (0, 1):
        for found in outputs(layer(mi.ones((2, n, 3), dtype=dtype))):
            assert found.shape[1] == n
            assert found.dtype == dtype


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (lambda: nn.LSTM(3, 4), "LSTM(3, 4)"),
        (lambda: nn.LSTM(3, 4, proj_size=2), "LSTM(3, 4, proj_size=2)"),
        (lambda: nn.RNN(3, 4, 1, "relu"), "RNN(3, 4, nonlinearity=relu)"),
        (
            lambda: nn.GRU(3, 4, 2, False, True, 0.1, True),
            "GRU(3, 4, num_layers=2, bias=False, batch_first=True, dropout=0.1, "
            "bidirectional=True)",
        ),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert repr(layer()) == text


@KINDS
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda kind: kind(0, 4), "input_size is 0"),
        (lambda kind: kind(3, 4, 0), "num_layers is 0"),
        (lambda kind: kind(3, 4, dropout=2), "dropout is 2; expected a number from 0 to 1"),
        (lambda kind: kind(3, 4)(mi.ones((2, 2, 4))), r"input has shape \(2, 2, 4\); .*C = 3"),
        (lambda kind: kind(3, 4)(mi.ones(3)), r"input has shape \(3,\); expected \(T, N, C\)"),
        (lambda kind: kind(3, 4)(mi.ones((0, 2, 3))), "at least one step"),
        (lambda kind: kind(3, 4, batch_first=True)(mi.ones((2, 0, 3))), "at least one step"),
        (lambda kind: kind(3, 4)(mi.ones((2, 3), dtype="int64")), "input has dtype int64"),
    ],
)
def test_errors(kind, call, message):
    """Fault: an error that does not name the layer, the argument and what is expected."""
    with pytest.raises(mi.MinimaError, match=f"^{kind}: .*{message}"):
        call(getattr(nn, kind))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LSTM(3, 4)(mi.ones((2, 2, 3)), mi.ones((1, 2, 4))), "hx is a Tensor"),
        (
            lambda: nn.LSTM(3, 4)(mi.ones((2, 2, 3)), (mi.ones((1, 2, 4)), mi.ones((2, 2, 4)))),
            r"c_0 has shape \(2, 2, 4\); expected \(1, 2, 4\)",
        ),
        (lambda: nn.GRU(3, 4)(mi.ones((2, 3)), mi.ones((1, 1, 4))), r"h_0 .* expected \(1, 4\)"),
    ],
)
def test_wrong_states(call, message):
    """Fault: a state that broadcasts in silence."""
    with pytest.raises(mi.ShapeError, match=message):
        call()
