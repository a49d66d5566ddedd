"""Every layer as it is used each day: without gradients, in float16, in batches of 0 and of 1."""

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.nn.testing import LAYERS

IDS = [str(case) for case in LAYERS]


def finite(y):
    return bool(np.isfinite(y.numpy().astype("float64")).all())


@pytest.mark.parametrize("case", LAYERS, ids=IDS)
def test_without_gradients(case):
    """Fault: a result that carries a history, or another value than with one."""
    for training in (True, False):
        layer, inputs = case.layer().train(training), case.inputs()
        mi.manual_seed(0)
        expected = case.run(layer, *inputs).numpy()
        layer = case.layer().train(training)
        mi.manual_seed(0)
        with mi.no_grad():
            y = case.run(layer, *inputs)
        assert not y.requires_grad
        np.testing.assert_array_equal(y.numpy(), expected)


@pytest.mark.parametrize("case", LAYERS, ids=IDS)
def test_half_precision(case):
    """Fault: a kernel without float16, or a result that became wider on the way."""
    layer, (x, *rest) = case.layer("float16"), case.inputs("float16")
    y = case.run(layer, case.leaf(x), *rest)
    assert str(y.dtype) == "float16"
    assert finite(y)
    y.sum().backward()
    grads = [p.grad for p in layer.parameters()] + ([] if case.below is not None else [x.grad])
    assert {str(g.dtype) for g in grads} <= {"float16"}


def part(case, n, dtype="float32"):
    """Return the inputs of the case, but the first *n* of its batch alone."""
    x, *rest = case.inputs(dtype)
    size = x.shape[case.batch]
    taken = (slice(None),) * case.batch + (slice(n),)
    return [x[taken].detach(), *(t[:n] if t.shape[:1] == (size,) else t for t in rest)]


BATCHED = [case for case in LAYERS if case.batch is not None]
#: in training they do not take one value of each channel
STATISTICS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@pytest.mark.parametrize("case", BATCHED, ids=str)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("n", [0, 1])
def test_a_small_batch(case, training, n):
    """Fault: a reshape to -1 of nothing, an axis of size 1 that is dropped, or a neighbour's part.

    The gradients have the shapes of what they are of, and are 0 where the result is empty.
    """
    layer, (x, *rest) = case.layer().train(training), part(case, n)
    whole = case.run(case.layer().train(training), *case.inputs())
    if training and isinstance(layer, STATISTICS) and x.size == x.shape[1]:
        with pytest.raises(mi.ShapeError, match="training needs at least 2"):
            layer(x)
        return
    y = case.run(layer, case.leaf(x), *rest)
    assert y.ndim == whole.ndim
    if n and not training and y.shape == (n, *whole.shape[1:]) and case.batch == 0:
        np.testing.assert_allclose(y.numpy(), whole.numpy()[:n], rtol=1e-4, atol=1e-5)
    if n:
        assert finite(y)
    y.sum().backward()
    for p in layer.parameters():
        assert p.grad is None or p.grad.shape == p.shape
        assert p.grad is None or y.size or not p.grad.numpy().any()
    assert case.below is not None or x.grad.shape == x.shape


DRAWN = [
    nn.Linear(2, 3),
    nn.Bilinear(2, 3, 2),
    nn.PReLU(2),
    nn.Embedding(4, 2),
    nn.EmbeddingBag(4, 2),
    nn.Conv1d(2, 3, 2),
    nn.Conv3d(2, 2, 1, bias=False),
    nn.ConvTranspose2d(2, 3, 2),
    nn.RNN(2, 3),
    nn.LSTM(2, 3, 2, proj_size=2),
    nn.GRU(2, 3, bidirectional=True),
    nn.RNNCell(2, 3),
    nn.LSTMCell(2, 3, bias=False),
    nn.GRUCell(2, 3),
    nn.BatchNorm2d(3),
    nn.LayerNorm(3),
    nn.GroupNorm(1, 3),
    nn.RMSNorm(3),
]


@pytest.mark.parametrize("layer", DRAWN, ids=str)
def test_parameters_as_of_a_new_layer(layer):
    """Fault: a layer without reset_parameters, or one that leaves what was learned."""
    for parameter in layer.parameters():
        mi.init.constant_(parameter, 7.0)
    layer.reset_parameters()
    for name, parameter in layer.named_parameters():
        assert 0 <= float(abs(parameter).max().item()) < 5.0, name
        assert parameter.requires_grad
        assert parameter.is_leaf


def test_lazy_layers_have_nothing_to_draw():
    """Fault: reset_parameters of a layer without sizes raises, and so does a walk over a model."""
    for layer in (nn.LazyLinear(2), nn.LazyConv2d(2, 3), nn.LazyBatchNorm1d()):
        layer.reset_parameters()
        assert layer.has_uninitialized_params()
