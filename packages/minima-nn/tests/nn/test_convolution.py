"""Conv2d, against the sum written out."""

import numpy as np
import pytest

import minima as mi
from minima import nn


def written_out(x, weight, bias, stride, before, after, dilation, groups):
    x = np.pad(x, ((0, 0), (0, 0), (before[0], after[0]), (before[1], after[1])))
    n, _, rows, columns = x.shape
    out, part, kh, kw = weight.shape
    oh = (rows - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (columns - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, out, oh, ow))
    for o in range(out):
        first = o // (out // groups) * part
        for i, j in np.ndindex(oh, ow):
            top, left = i * stride[0], j * stride[1]
            window = x[:, first : first + part, top :: dilation[0], left :: dilation[1]]
            y[:, o, i, j] = (window[:, :, :kh, :kw] * weight[o]).sum(axis=(1, 2, 3))
    return y if bias is None else y + bias[:, None, None]


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({}, (0, 0), (0, 0)),
        ({"stride": 2, "padding": 1}, (1, 1), (1, 1)),
        ({"stride": (1, 2), "padding": (0, 2), "bias": False}, (0, 2), (0, 2)),
        ({"dilation": (1, 2), "groups": 2}, (0, 0), (0, 0)),
        ({"groups": 4, "padding": "valid"}, (0, 0), (0, 0)),
        ({"padding": "same"}, (1, 0), (1, 1)),
        ({"padding": "same", "dilation": 2}, (2, 1), (2, 1)),
        ({"padding": "same", "dilation": (1, 3)}, (1, 1), (1, 2)),
    ],
)
def test_values(options, before, after):
    """Fault: an option that is ignored, or rows taken for columns."""
    layer = nn.Conv2d(4, 8, (3, 2), dtype="float64", **options)
    x = np.random.default_rng(0).normal(size=(2, 4, 7, 9))
    expected = written_out(
        x,
        layer.weight.numpy(),
        None if layer.bias is None else layer.bias.numpy(),
        layer.stride,
        before,
        after,
        layer.dilation,
        layer.groups,
    )
    y = layer(mi.Tensor(x))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-10, atol=1e-12)
    if options.get("padding") == "same":
        assert y.shape[2:] == (7, 9)


def test_it_starts_as_pytorchs():
    """Fault: a bound by all channels where groups see a part of them."""
    layer = nn.Conv2d(8, 64, 3, groups=2)
    bound = 1 / np.sqrt(4 * 9)
    assert layer.weight.shape == (64, 4, 3, 3)
    for parameter in layer.parameters():
        assert 0.8 * bound < abs(parameter.numpy()).max() <= bound


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, "same"])
def test_what_stands_around_is_the_image(mode, padding):
    """Fault: zeros, or rows taken for columns."""
    layer = nn.Conv2d(2, 3, 3, padding=padding, padding_mode=mode, dtype="float64")
    x = np.random.default_rng(0).normal(size=(2, 2, 4, 5))
    known = {"replicate": "edge", "circular": "wrap"}.get(mode, mode)
    around = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), known)
    plain = nn.Conv2d(2, 3, 3, dtype="float64")
    plain.load_state_dict(layer.state_dict())
    expected = plain(mi.Tensor(around)).numpy()
    np.testing.assert_allclose(layer(mi.Tensor(x)).numpy(), expected, rtol=1e-12)
    assert f"padding_mode={mode!r}" in repr(layer)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (nn.Conv2d(1, 2, 3), "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1))"),
        (
            nn.Conv2d(2, 2, 3, padding="same", dilation=2, groups=2, bias=False),
            "Conv2d(2, 2, kernel_size=(3, 3), stride=(1, 1), padding='same', dilation=(2, 2), "
            "groups=2, bias=False)",
        ),
    ],
)
def test_repr(layer, text):
    """Fault: an option that does not show."""
    assert repr(layer) == text


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Conv2d(0, 1, 3), "Conv2d: in_channels is 0"),
        (lambda: nn.Conv2d(1, 1, 0), "Conv2d: kernel_size is 0"),
        (
            lambda: nn.Conv2d(1, 1, (1, 2, 3)),
            "Conv2d: kernel_size is .*; expected one integer or two",
        ),
        (lambda: nn.Conv2d(1, 1, 3, padding=-1), "Conv2d: padding is -1; .* at least 0"),
        (lambda: nn.Conv2d(1, 1, 3, padding="full"), "Conv2d: padding is 'full'"),
        (lambda: nn.Conv2d(1, 1, 3, 2, "same"), r"padding is 'same' and stride \(2, 2\)"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "Conv2d: groups is 2; expected a divisor"),
        (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), "Conv2d: padding_mode is 'mirror'"),
        (
            lambda: nn.Conv2d(3, 1, 3)(mi.ones((2, 1, 8, 8))),
            r"Conv2d: input has shape \(2, 1, 8, 8\); expected \(N, C, H, W\) or "
            r"\(C, H, W\) with C = 3",
        ),
        (lambda: nn.Conv2d(3, 1, 3)(mi.ones((3, 8))), r"Conv2d: input has shape \(3, 8\)"),
        (lambda: nn.Conv2d(1, 1, 5)(mi.ones((1, 1, 4, 8))), "smaller .* than the window"),
        (lambda: nn.Conv2d(1, 1, 1)(mi.ones((1, 1, 2, 2), dtype="int64")), "dtype int64"),
    ],
)
def test_errors(call, message):
    """Fault: an error from deep inside, or an empty image."""
    with pytest.raises(mi.MinimaError, match=message):
        call()
