"""gradcheck: it has to find the gradients that are wrong, and to say where."""

import re

import numpy as np
import pytest

import minima as mi
from minima.operators import TABLE
from minima.testing import GradcheckError, gradcheck, gradgradcheck


@pytest.fixture
def x():
    return mi.Tensor([[0.5, -1.0], [2.0, 0.25]], dtype="float64", requires_grad=True)


@pytest.fixture
def rule(monkeypatch):
    """Replace the gradient of an operator for the test."""

    def replace(name, function):
        monkeypatch.setattr(TABLE[name], "rule", function)

    return replace


def scaled(factor):
    return lambda g, y, x: mi.multiply(mi.multiply(g, y), factor)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("error", [1e-5, -1e-5, 1.0, -2.0, float("nan")])
def test_wrong_factor(x, rule, order, error, fast):
    """A gradient that is wrong by a hundred-thousandth is found, in either order."""
    rule("exp", scaled(1.0 + error))
    with pytest.raises(GradcheckError, match=f"gradcheck of exp, order {order}"):
        gradcheck(mi.exp, x, order=order, fast=fast)


def test_right_to_first_order_only(x, rule):
    """A gradient that is a constant to the graph has no slope of its own."""
    rule("exp", lambda g, y, x: mi.multiply(g, y.detach()))
    gradcheck(mi.exp, x)
    with pytest.raises(GradcheckError, match="order 2"):
        gradgradcheck(mi.exp, x)


@pytest.mark.parametrize("fast", [False, True])
def test_one_element(x, rule, fast):
    """One wrong element among many is found and named."""
    wrong = np.array([[1.0, 1.0], [1.0, 1.001]])
    rule("exp", lambda g, y, x: mi.multiply(mi.multiply(g, y), mi.asarray(wrong)))
    with pytest.raises(GradcheckError) as caught:
        gradcheck(mi.exp, x, fast=fast)
    text = str(caught.value)
    assert "1 of 4 elements" in text
    assert re.search(r"input 0, element \[1, 1\]: analytic .*, relative difference 1\.0e-03", text)


def test_one_among_many(rule):
    """The fast way too finds one wrong element among two hundred."""
    wrong = np.ones(200)
    wrong[77] += 1e-4
    rule("exp", lambda g, y, x: mi.multiply(mi.multiply(g, y), mi.asarray(wrong)))
    x = mi.asarray(np.linspace(-2.0, 2.0, 200)).requires_grad_()
    with pytest.raises(GradcheckError, match=r"1 of 200 .*\n.*element \[77\]"):
        gradcheck(mi.exp, x, fast=True)


def test_fast_calls_the_function_less(x):
    """The fast way runs the function a fixed number of times, whatever the size."""
    calls = []
    for size in (10, 100):
        x, count = mi.ones(size, dtype="float64", requires_grad=True), []
        gradcheck(lambda t, count=count: count.append(t) or mi.exp(t), x, fast=True)
        calls.append(len(count))
    assert calls[0] == calls[1] < 20


def test_second_input(x):
    """Each input is checked: the second is named when its gradient is lost."""
    with pytest.raises(GradcheckError, match=r"input 1, element \[0, 0\]"):
        gradcheck(lambda a, b: a * b.detach(), [x, x.detach().clone().requires_grad_()])


def test_every_output(x):
    """A wrong gradient of the second output is found."""
    with pytest.raises(GradcheckError):
        gradcheck(lambda t: (t * 2, t * t.detach()), x)
    gradcheck(lambda t: (t * 2, t * t), x)


def test_swapped_rows_do_not_cancel(x, rule):
    """A gradient in the wrong place is found, which a sum over outputs would hide."""
    rule("exp", lambda g, y, x: mi.multiply(g[::-1], y[::-1])[::-1])
    gradcheck(mi.exp, x)
    rule("sin", lambda g, y, x: mi.multiply(g[::-1], mi.cos(x)))
    with pytest.raises(GradcheckError):
        gradcheck(mi.sin, x)


def test_inputs_that_take_no_part(x):
    """Constants, integers and Python numbers are passed on; unused inputs have slope 0."""
    index = mi.Tensor([1, 0])
    gradcheck(lambda a, i, n, b: a[i] * n, [x, index, 3.0, x.detach().requires_grad_()])
    gradgradcheck(lambda a, b: a + b * 2, [x, x.detach().requires_grad_()])


def test_inputs_are_left_alone(x):
    """Neither the values nor the gradients of the inputs change."""
    before = x.numpy().copy()
    gradcheck(mi.exp, x)
    assert np.array_equal(x.numpy(), before)
    assert x.grad is None


@pytest.mark.parametrize(
    ("inputs", "options", "error", "words"),
    [
        ([mi.ones(2, requires_grad=True)], {}, mi.DTypeError, "float64.*astype"),
        ([mi.ones(2)], {}, mi.ArgumentError, "no input requires grad"),
        (
            [mi.ones(2, dtype="float64", requires_grad=True)],
            {"order": 3},
            mi.ArgumentError,
            "expected 1 or 2",
        ),
    ],
)
def test_bad_calls(inputs, options, error, words):
    """What cannot be judged is refused."""
    with pytest.raises(error, match=words):
        gradcheck(mi.exp, inputs, **options)


def test_report_says_what_is_common(x, rule):
    """One factor, a cut graph, NaN, coarse outputs: the report says so, and what was allowed."""

    def report(function, given):
        with pytest.raises(GradcheckError) as caught:
            gradcheck(function, given)
        return str(caught.value)

    rule("exp", scaled(2.0))
    text = report(mi.exp, x)
    assert "at all of these the analytic gradient is 2 times the numeric one" in text
    assert re.search(r"allowed \d\.\de-\d\d", text)
    assert "is the graph cut" in report(lambda t: mi.exp(t.detach()) + 0 * t, x)
    edge = mi.Tensor([0.0], dtype="float64", requires_grad=True)
    assert "NaN within two steps" in report(lambda t: mi.where(t == 0, t, t * float("nan")), edge)
    assert "output 0 has dtype float32" in report(lambda t: mi.sin(t.astype("float32")), x)


def test_answers(x, rule):
    """True for a right gradient; False instead of an error where that is asked for."""
    assert gradcheck(mi.exp, x) is True
    assert gradgradcheck(mi.exp, x) is True
    rule("exp", scaled(2.0))
    for fast in (False, True):
        assert gradcheck(mi.exp, x, raise_exception=False, fast=fast) is False
        assert gradgradcheck(mi.exp, x, raise_exception=False, fast=fast) is False


def test_public_names():
    """minima.autograd has them under PyTorch's names; minima.testing the same ones."""
    assert mi.autograd.gradcheck is gradcheck
    assert mi.autograd.gradgradcheck is gradgradcheck
    assert mi.autograd.GradcheckError is GradcheckError
