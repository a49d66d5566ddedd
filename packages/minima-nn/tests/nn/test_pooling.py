"""MaxPool2d, AvgPool2d and AdaptiveAvgPool2d, against the windows written out."""

import numpy as np
import pytest

import minima as mi
from minima import nn


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"),
    [(2, None, 0), (3, 1, 1), ((2, 3), (1, 2), (1, 0)), ((3, 2), 3, 0)],
)
@pytest.mark.parametrize(
    ("name", "fill", "reduce"), [("MaxPool2d", -np.inf, np.max), ("AvgPool2d", 0.0, np.mean)]
)
def test_values(name, fill, reduce, kernel, stride, padding):
    """Fault: padding that wins over negative values, or rows taken for columns."""
    layer = getattr(nn, name)(kernel, stride, padding)
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 8)) - 5.0
    (kh, kw), (sh, sw), (ph, pw) = layer.kernel_size, layer.stride, layer.padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))
    expected = reduce(windows[:, :, ::sh, ::sw], axis=(-2, -1))
    np.testing.assert_allclose(layer(mi.Tensor(x)).numpy(), expected, rtol=1e-12)


def test_the_gradient_of_equal_values_goes_to_the_first():
    """Fault: a gradient that is counted twice."""
    x = mi.ones((1, 1, 2, 2), requires_grad=True)
    nn.MaxPool2d(2)(x).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0], [0.0, 0.0]]]]


def test_repr():
    """Fault: an option that does not show."""
    text = "MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))"
    assert repr(nn.MaxPool2d(2)) == text


@pytest.mark.parametrize("name", ["MaxPool2d", "AvgPool2d"])
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda kind: kind(0), "kernel_size is 0"),
        (lambda kind: kind(2, 0), "stride is 0"),
        (lambda kind: kind(2, padding=2), r"padding is \(2, 2\); expected at most half"),
        (lambda kind: kind(2)(mi.ones((4, 4))), r"input has shape \(4, 4\); expected \(N, C"),
        (lambda kind: kind(5)(mi.ones((1, 1, 4, 8))), "smaller .* than kernel_size"),
        (lambda kind: kind(2)(mi.ones((1, 1, 4, 4), dtype="int64")), "dtype int64"),
    ],
)
def test_errors(name, call, message):
    """Fault: an error that does not name the layer, or an empty image."""
    with pytest.raises(mi.MinimaError, match=f"^{name}: .*{message}"):
        call(getattr(nn, name))


def test_adaptive_pooling():
    """Fault: windows that leave a row out, or a size of one axis taken for both."""
    x = mi.Tensor(np.arange(10.0).reshape(1, 1, 5, 2))
    assert nn.AdaptiveAvgPool2d((2, None))(x).tolist() == [[[[2.0, 3.0], [6.0, 7.0]]]]
    assert nn.AdaptiveAvgPool2d(1)(x[0]).tolist() == [[[4.5]]]
    assert repr(nn.AdaptiveAvgPool2d((2, None))) == "AdaptiveAvgPool2d(output_size=(2, None))"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.AdaptiveAvgPool2d(0), "output_size is 0"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), r"output_size is \(1, 2, 3\)"),
        (lambda: nn.AdaptiveAvgPool2d(1)(mi.ones((2, 2))), r"input has shape \(2, 2\)"),
        (lambda: nn.AdaptiveAvgPool2d(1)(mi.ones((1, 1, 0, 2))), "no size of 0 but N"),
    ],
)
def test_errors_of_adaptive_pooling(call, message):
    """Fault: an error that does not name the layer, or a mean of nothing."""
    with pytest.raises(mi.MinimaError, match=f"^AdaptiveAvgPool2d: .*{message}"):
        call()
