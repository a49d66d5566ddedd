"""Batch and layer normalisation: figures, options, errors."""

import numpy as np
import pytest

import minima as mi
from minima import nn

X = np.random.default_rng(0).normal(2.0, 3.0, size=(6, 3)).astype("float32")


def test_running_figures_follow_each_batch_and_are_used_in_evaluation():
    """Fault: evaluation that depends on the rest of the batch."""
    layer = nn.BatchNorm1d(3, momentum=0.5, dtype="float64")
    mean, var = np.zeros(3), np.ones(3)
    for part in (X[:3], X[3:]):
        layer(mi.Tensor(part.astype("float64")))
        mean = 0.5 * mean + 0.5 * part.mean(axis=0, dtype="float64")
        var = 0.5 * var + 0.5 * part.var(axis=0, ddof=1, dtype="float64")
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), var, rtol=1e-12)
    x = X[:1].astype("float64")
    expected = (x - mean) / np.sqrt(var + 1e-5)
    np.testing.assert_allclose(layer.eval()(mi.Tensor(x)).numpy(), expected, rtol=1e-12)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 2


def test_without_momentum_the_figures_are_averages():
    """Fault: momentum=None taken for 0."""
    layer = nn.BatchNorm1d(3, momentum=None)
    for part in (X[:2], X[2:4], X[4:]):
        layer(mi.Tensor(part))
    expected = np.mean([X[i : i + 2].mean(axis=0) for i in (0, 2, 4)], axis=0)
    np.testing.assert_allclose(layer.running_mean.numpy(), expected, rtol=1e-5)


def test_without_tracking_evaluation_uses_the_batch():
    """Fault: None as a mean."""
    layer = nn.BatchNorm1d(3, track_running_stats=False)
    assert layer.buffers() == []
    trained = layer(mi.Tensor(X)).numpy()
    np.testing.assert_array_equal(layer.eval()(mi.Tensor(X)).numpy(), trained)
    assert layer(mi.Tensor(X[:1])).numpy().tolist() == [[0.0, 0.0, 0.0]]


def test_without_affine_there_are_no_parameters():
    """Fault: parameters that are there but not used, and fill the optimiser."""
    assert nn.BatchNorm2d(3, affine=False).parameters() == []


def test_weight_and_bias_scale_and_shift_each_channel():
    """Fault: broadcast along the wrong axis; only shapes with equal sizes hide it."""
    layer = nn.BatchNorm2d(3)
    with mi.no_grad():
        layer.weight.copy_(mi.Tensor([1.0, 2.0, 0.0]))
        layer.bias.copy_(mi.Tensor([0.0, 0.0, 5.0]))
    x = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("float32")
    y = layer(mi.Tensor(x)).numpy()
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), [1, 2, 0], atol=1e-4)
    np.testing.assert_allclose(y[:, 2], 5.0)


def test_figures_can_be_reset():
    """Fault: a count that goes on."""
    layer = nn.BatchNorm1d(3)
    layer(mi.Tensor(X))
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0] * 3
    assert layer.running_var.tolist() == [1.0] * 3
    assert layer.num_batches_tracked.item() == 0


def test_a_thousand_steps_keep_no_graph():
    """Fault: the running mean that holds every step since the first."""
    layer = nn.BatchNorm1d(3)
    x = mi.Tensor(X, requires_grad=True)
    for _ in range(1000):
        layer(x)
    assert layer.running_mean.is_leaf
    assert not layer.running_mean.requires_grad


def test_layer_norm_uses_the_biased_variance_and_its_parameters():
    """Fault: n - 1, or the parameters of another axis."""
    layer = nn.LayerNorm1d(3, eps=0.1, dtype="float64")
    with mi.no_grad():
        layer.weight.copy_(mi.Tensor([1.0, 2.0, 3.0]))
        layer.bias.copy_(mi.Tensor([0.0, 0.0, 7.0]))
    x = X.astype("float64")
    centred = x - x.mean(axis=1, keepdims=True)
    expected = centred / np.sqrt(x.var(axis=1, keepdims=True) + 0.1) * [1, 2, 3] + [0, 0, 7]
    np.testing.assert_allclose(layer(mi.Tensor(x)).numpy(), expected, rtol=1e-12)


def test_a_wider_input_is_followed_in_the_width_of_the_layer():
    """Fault: an error about lerp, or a running figure that changes its type."""
    layer = nn.BatchNorm1d(3)
    assert layer(mi.Tensor(X.astype("float64"))).dtype == mi.float64
    assert layer.running_mean.dtype == mi.float32
    np.testing.assert_allclose(layer.running_mean.numpy(), 0.1 * X.mean(axis=0), rtol=1e-5)


def test_reprs():
    """Fault: an option that does not show."""
    assert repr(nn.LayerNorm1d((3, 2, 2))) == "LayerNorm1d((3, 2, 2), eps=1e-05)"
    assert repr(nn.BatchNorm2d(3)) == (
        "BatchNorm2d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.BatchNorm1d(0), "BatchNorm1d: num_features is 0"),
        (lambda: nn.BatchNorm2d(0), "BatchNorm2d: num_features is 0"),
        (
            lambda: nn.BatchNorm1d(3, momentum=2.0),
            "BatchNorm1d: momentum is 2.0; expected a number",
        ),
        (lambda: nn.BatchNorm1d(3, eps=-1), "BatchNorm1d: eps is -1"),
        (
            lambda: nn.BatchNorm1d(3)(mi.ones((4, 2))),
            r"BatchNorm1d: input has shape \(4, 2\); expected \(B, C\) or \(B, C, L\) with C = 3",
        ),
        (lambda: nn.BatchNorm1d(3)(mi.ones((4, 3, 2, 2))), r"BatchNorm1d: input has shape"),
        (lambda: nn.BatchNorm2d(3)(mi.ones((4, 3))), r"BatchNorm2d: .* expected \(B, C, H, W\)"),
        (
            lambda: nn.BatchNorm1d(3)(mi.ones((1, 3))),
            "one value per channel; training needs at least 2",
        ),
        (lambda: nn.BatchNorm1d(3)(mi.ones((4, 3), dtype="int64")), "input has dtype int64"),
        (
            lambda: nn.LayerNorm1d((2, 3)),
            r"LayerNorm1d: dim is \(2, 3\); expected C or \(C, H, W\)",
        ),
        (
            lambda: nn.LayerNorm1d(3)(mi.ones((4, 2))),
            r"LayerNorm1d: input has shape \(4, 2\); expected \(B, 3\) or \(L, B, 3\)",
        ),
        (lambda: nn.LayerNorm1d(3)(mi.ones((2, 3, 3, 3))), r"give dim=\(C, H, W\)"),
        (lambda: nn.LayerNorm1d((3, 2, 2))(mi.ones((3, 2, 2))), r"expected \(B, 3, 2, 2\)"),
    ],
)
def test_errors(call, message):
    """Fault: a broadcast over the wrong axis, or a variance of one value."""
    with pytest.raises(mi.MinimaError, match=message):
        call()


def test_layer_norm_over_several_axes():
    """Fault: statistics over other axes than those of the shape."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)) * 3.0 + 1.0
    y = nn.LayerNorm((4, 5))(mi.Tensor(x)).numpy()
    np.testing.assert_allclose(y.mean((2, 3)), 0.0, atol=1e-12)
    np.testing.assert_allclose(y.std((2, 3)), 1.0, rtol=1e-4)
    assert nn.LayerNorm(5, bias=False).bias is None
    assert not nn.LayerNorm(5, elementwise_affine=False).parameters()
    assert repr(nn.LayerNorm(5)) == "LayerNorm((5,), eps=1e-05, elementwise_affine=True)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LayerNorm(()), "normalized_shape is empty"),
        (lambda: nn.LayerNorm(0), "normalized_shape is 0"),
        (lambda: nn.LayerNorm(4)(mi.ones((4, 3))), r"input has shape \(4, 3\); expected \(\*, 4\)"),
    ],
)
def test_errors_of_layer_norm(call, message):
    """Fault: a size that broadcasts in silence."""
    with pytest.raises(mi.MinimaError, match=f"^LayerNorm: {message}"):
        call()


def test_an_empty_batch_leaves_the_figures():
    """Fault: running figures that turn into NaN, as those of no numbers are."""
    layer = nn.InstanceNorm1d(3, track_running_stats=True)
    assert layer(mi.ones((0, 3, 4))).shape == (0, 3, 4)
    assert layer.running_mean.tolist() == [0.0, 0.0, 0.0]
