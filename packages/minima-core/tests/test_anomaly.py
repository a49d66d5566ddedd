"""The first NaN: which operator, which line; and nothing of it while nobody looks."""

import re
import threading

import pytest

import minima as mi
from minima.autograd import detect_anomaly, set_detect_anomaly
from minima.autograd.node import Node

CPU = mi.device("cpu")
PLAIN = (CPU.kernels, Node.__init__)


@pytest.fixture(autouse=True)
def nothing_stays():
    """Whatever happens, kernels and nodes are as before."""
    yield
    assert CPU.kernels is PLAIN[0]
    assert Node.__init__ is PLAIN[1]


def leaf(*values):
    return mi.Tensor(values, requires_grad=True)


def test_forward():
    """The operator that made it is named, with the line and its text, and the element."""
    x = leaf(1.0, -1.0)
    with detect_anomaly(), pytest.raises(mi.AnomalyError) as caught:
        mi.exp(mi.log(x) * 2)  # the culprit
    text = str(caught.value)
    assert re.match(r"log: made the first NaN, in element \[1\] of its result, at ", text)
    assert re.search(r"test_anomaly\.py:\d+: mi\.exp\(mi\.log\(x\) \* 2\)  # the culprit$", text)


def test_backward():
    """The operator whose gradient made it is named, with the line of its forward call."""
    with detect_anomaly():
        x = leaf(0.0, 1.0)
        y = mi.sqrt(x)  # the culprit
        z = (y * 0.0).sum()
        with pytest.raises(mi.AnomalyError) as caught:
            z.backward()
    text = str(caught.value)
    assert re.match(r"sqrt, called at .*: y = mi\.sqrt\(x\)  # the culprit: its gradient", text)
    assert "divide: made the first NaN" in text
    assert "z.backward()" in text


def test_not_at_fault():
    """A NaN that came in is nobody's fault; infinity is no NaN."""
    with detect_anomaly():
        x = leaf(float("nan"), 1.0)
        y = mi.where(mi.isnan(x), 0.0, x * 2 + 1)
        y.sum().backward()
        mi.log(mi.zeros(1))
    assert x.grad.tolist() == [0.0, 2.0]


def test_function_of_the_user():
    """A NaN that a backward makes outside of operators is found too."""

    class Faulty(mi.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return mi.asarray(g.numpy() * float("nan"))

    with detect_anomaly():
        y = Faulty.apply(leaf(1.0))
        with pytest.raises(mi.AnomalyError, match=r"Faulty, called at .*Faulty\.apply"):
            y.backward()


def test_other_errors_say_the_line():
    """An error of backward has a note with the line that made the operation."""
    with detect_anomaly(check_nan=False):
        x = leaf(1.0)
        y = x * 1
        z = y * y  # read later
        with mi.no_grad():
            y.add_(1)
        with pytest.raises(mi.AutogradError, match="changed in place") as caught:
            z.backward()
        mi.log(leaf(-1.0) * 1)
    assert any("z = y * y  # read later" in note for note in caught.value.__notes__)


def test_in_place():
    """A kernel that writes into its input is looked at as well."""
    x = mi.Tensor([1.0, float("inf")])
    with detect_anomaly(), pytest.raises(mi.AnomalyError, match="subtract: made the first NaN"):
        x -= x


def test_switch():
    """On until it is off, nested modes included, as function, context and decorator."""
    x = mi.Tensor([-1.0])
    set_detect_anomaly(True)
    try:
        with pytest.raises(mi.AnomalyError):
            mi.sqrt(x)
        with set_detect_anomaly(False):
            mi.sqrt(x)
        with detect_anomaly(), detect_anomaly(), pytest.raises(mi.AnomalyError):
            mi.sqrt(x)
        with pytest.raises(mi.AnomalyError):
            mi.sqrt(x)
    finally:
        set_detect_anomaly(False)
    mi.sqrt(x)
    with pytest.raises(mi.AnomalyError):
        detect_anomaly()(mi.sqrt)(x)


def test_other_threads_see_nothing():
    """It holds for the thread that asked."""
    failed = []

    def other():
        try:
            mi.sqrt(mi.Tensor([-1.0]))
        except mi.AnomalyError as error:
            failed.append(error)

    with detect_anomaly():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert not failed


def test_beside_a_profile():
    """A profile and the search for NaN may begin and end in any order."""
    profile, anomaly = mi.profiler.profile(), detect_anomaly()
    profile.__enter__()
    anomaly.__enter__()
    with pytest.raises(mi.AnomalyError):
        mi.sqrt(mi.Tensor([-1.0]))
    anomaly.__exit__(None, None, None)
    profile.__exit__(None, None, None)
    anomaly.__enter__()
    with mi.profiler.profile() as seen:
        mi.sqrt(mi.Tensor([1.0]))
    anomaly.__exit__(None, None, None)
    assert [e.name for e in seen.events] == ["sqrt"]


def test_compiled_runs_eagerly():
    """A compiled function is gone through operator by operator."""
    compiled = mi.compile(lambda x: mi.sqrt(x) * 2)
    for _ in range(3):
        compiled(mi.Tensor([4.0]))
    with detect_anomaly(), pytest.raises(mi.AnomalyError, match="sqrt: made the first NaN"):
        compiled(mi.Tensor([-4.0]))
    assert compiled(mi.Tensor([9.0])).tolist() == [6.0]
