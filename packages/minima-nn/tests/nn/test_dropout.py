"""Dropout."""

import numpy as np
import pytest

import minima as mi
from minima import nn


@pytest.mark.parametrize("p", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_share_of_zeros_and_the_mean(p):
    """Fault: p taken for the probability to keep, or values not scaled."""
    mi.manual_seed(0)
    y = nn.Dropout(p)(mi.ones((300, 300))).numpy()
    assert abs((y == 0).mean() - p) < 0.01
    assert abs(y.mean() - (p < 1)) < 0.03


def test_the_gradient_goes_where_the_value_went():
    """Fault: a mask drawn again in backward."""
    x = mi.ones(100, requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


@pytest.mark.parametrize(("p", "training"), [(0.0, True), (0.5, False), (1.0, False)])
def test_the_input_itself_comes_back_where_nothing_is_dropped(p, training):
    """Fault: a copy, or a draw that shifts later random numbers."""
    x = mi.ones(4)
    assert nn.Dropout(p).train(training)(x) is x


def test_a_generator_of_its_own_repeats_and_leaves_the_default_alone():
    """Fault: threads that take numbers from one another."""
    x = mi.ones((4, 5))
    default = mi.manual_seed(0).get_state()
    first, second = (nn.Dropout(generator=mi.Generator(3))(x).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert mi.random.default_generator().get_state() == default


def test_in_place_the_input_changes():
    """Fault: a copy, or a gradient of the values before."""
    x = mi.ones(100, requires_grad=True)
    inner = x * 1.0
    y = nn.Dropout(0.5, inplace=True)(inner)
    assert y is inner
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())
    assert repr(nn.Dropout(0.5, True)) == "Dropout(p=0.5, inplace=True)"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_it_keeps_the_dtype(dtype):
    """Fault: a float64 mask that widens the model."""
    assert nn.Dropout(0.5)(mi.ones(4, dtype=dtype)).dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Dropout(1.5), "Dropout: p is 1.5; expected a number from 0 to 1"),
        (lambda: nn.Dropout(float("nan")), "Dropout: p is nan"),
        (lambda: nn.Dropout("half"), "Dropout: p is 'half'"),
        (lambda: nn.Dropout(generator=3), "Dropout: generator is 3"),
        (lambda: nn.Dropout()(mi.Tensor([1])), "Dropout: input has dtype int64"),
    ],
)
def test_errors(call, message):
    """Fault: a NaN that drops nothing, an integer tensor that becomes zeros."""
    with pytest.raises(mi.MinimaError, match=message):
        call()
