"""Mixed precision: what is cast to what, where it ends, and the scaling of losses."""

import threading

import numpy as np
import pytest

import minima as mi
from minima.amp.lists import FLOAT32, LISTS, LOWER
from minima.operators import COMPOSITES, TABLE
from minima.testing.launch import arguments, call
from minima.testing.samples import SAMPLES

HALF = ("float16", "bfloat16")
KNOWN = sorted(n for n in LISTS if n in TABLE)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("name", KNOWN)
def test_operator(name, dtype):
    """Fault: an operator of the lists that does not heed them, or gives gradients of a new type."""
    sample = next(s for s in SAMPLES if s.operator == name and s.floating)
    given = arguments(sample, mi.device("cpu"), "float32", requires_grad=True)
    with mi.autocast("cpu", dtype), np.errstate(all="ignore"):
        y = call(sample, given)
    assert y.dtype == (dtype if name in LOWER else "float32")
    narrow = [
        t.astype(dtype) if isinstance(t, mi.Tensor) and t.dtype.kind == "f" else t for t in given
    ]
    with mi.autocast("cpu", dtype), np.errstate(all="ignore"):
        assert call(sample, narrow).dtype == y.dtype
    y.astype("float32").sum().backward()
    for t in given:
        if getattr(t, "grad", None) is not None:
            assert t.grad.dtype == "float32"


def test_the_lists_name_what_there_is():
    """Fault: a name that was changed, so that autocast passes it by."""
    nn = pytest.importorskip("minima.nn.functional", reason="minima-nn is not installed")
    assert not {n for n in LISTS if n not in TABLE | COMPOSITES and not hasattr(nn, n)}
    assert not LOWER & FLOAT32


def test_what_is_left_alone():
    x, wide = mi.ones((2, 2)), mi.ones((2, 2), dtype="float64")
    with mi.autocast("cpu", "float16"):
        assert (wide @ wide).dtype == "float64"
        assert (x + x).dtype == mi.relu(x).dtype == "float32"
        assert (x.astype("float16") + x).dtype == "float32"
        assert (mi.ones((2, 2), dtype="int64") @ mi.ones((2, 2), dtype="int64")).dtype == "int64"
        with mi.autocast("cpu", enabled=False):
            assert (x @ x).dtype == "float32"
        with mi.autocast("cuda", "float16"):
            assert (x @ x).dtype == "float16"
        assert mi.amp.is_autocast_enabled("cpu")
    with mi.autocast("cuda", "float16"):
        assert (x @ x).dtype == "float32"
    assert (x @ x).dtype == "float32"
    assert not mi.amp.is_autocast_enabled("cpu")


def test_other_threads_do_not_see_it():
    x, found = mi.ones((2, 2)), []
    with mi.autocast("cpu", "float16"):
        thread = threading.Thread(target=lambda: found.append((x @ x).dtype.name))
        thread.start()
        thread.join()
    assert found == ["float32"]


def test_backward_within_keeps_the_types():
    """Fault: a product of the gradient that is cast too."""
    x, w = mi.ones((2, 3)), mi.ones((3, 2), requires_grad=True)
    with mi.autocast("cpu", "float16"):
        mi.exp(x @ w).sum().backward()
    assert w.grad.dtype == "float32"
    np.testing.assert_allclose(w.grad.numpy(), 2 * np.exp(3), rtol=1e-2)


def test_as_a_decorator_and_compiled():
    """Fault: a plan that is replayed outside of the autocast it was made in."""
    x = mi.ones((2, 2))

    @mi.compile
    def product(a):
        return a @ a

    @mi.autocast("cpu", "float16")
    def narrow(a):
        return product(a)

    for _ in range(3):
        assert narrow(x).dtype == "float16"
        assert product(x).dtype == "float32"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mi.autocast("cpu", "float64"), mi.DTypeError, "autocast: dtype is float64"),
        (lambda: mi.autocast(mi.float16), mi.ArgumentError, "autocast: device_type"),
        (lambda: mi.amp.autocasts("half"), mi.ArgumentError, "autocasts: rule is 'half'"),
        (lambda: mi.GradScaler(growth_factor=0.5), mi.ArgumentError, "growth_factor is 0.5"),
        (lambda: mi.GradScaler(init_scale=0.0), mi.ArgumentError, "init_scale is 0.0"),
        (lambda: mi.GradScaler().set_growth_factor(1.0), mi.ArgumentError, "growth_factor is 1.0"),
        (lambda: mi.GradScaler().set_backoff_factor(1.0), mi.ArgumentError, "backoff_factor is 1"),
        (lambda: mi.GradScaler().set_growth_interval(0), mi.ArgumentError, "growth_interval is 0"),
        (lambda: mi.GradScaler().scale(1.0), mi.ArgumentError, r"scale\(\) got a float"),
        (lambda: mi.GradScaler().update(), mi.AutogradError, r"update\(\) before step\(\)"),
        (lambda: mi.GradScaler().load_state_dict({}), mi.ArgumentError, "the state lacks scale"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


class Descent:
    """The least that an optimiser is."""

    def __init__(self, parameter):
        self.param_groups = [{"params": [parameter]}]
        self.steps = 0

    def step(self):
        self.steps += 1
        with mi.no_grad():
            for p in self.param_groups[0]["params"]:
                p -= p.grad
        return "stepped"


def test_scaler():
    """Fault: gradients that stay scaled, a step by infinities, a scale that never moves."""
    w = mi.Tensor([1.0, 2.0], requires_grad=True)
    optimizer, scaler = Descent(w), mi.GradScaler(init_scale=8.0, growth_interval=2)
    seen = []
    for factor in (0.25, float("inf"), 0.25, 0.25):
        w.grad = None
        scaler.scale((w * factor).sum()).backward()
        result = scaler.step(optimizer)
        assert result == (None if factor == float("inf") else "stepped")
        scaler.update()
        seen.append(scaler.get_scale())
    assert seen == [8.0, 4.0, 4.0, 8.0]
    assert w.tolist() == [0.25, 1.25]
    other = mi.GradScaler()
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()


def test_the_scalers_settings_can_be_changed():
    """Fault: PyTorch's way to change them on the run, which is not there or changes nothing."""
    scaler = mi.GradScaler()
    scaler.set_growth_factor(4.0)
    scaler.set_backoff_factor(0.25)
    scaler.set_growth_interval(3)
    found = scaler.get_growth_factor(), scaler.get_backoff_factor(), scaler.get_growth_interval()
    assert found == (4.0, 0.25, 3)
    assert scaler.state_dict()["growth_interval"] == 3


def test_unscale_once():
    w = mi.Tensor([1.0], requires_grad=True)
    optimizer, scaler = Descent(w), mi.GradScaler(init_scale=4.0)
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    assert w.grad.tolist() == [1.0]
    with pytest.raises(mi.AutogradError, match=r"unscale_\(\) comes after unscale_\(\)"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(mi.AutogradError, match=r"step\(\) comes after step\(\)"):
        scaler.step(optimizer)
    scaler.update(2.0)
    assert scaler.get_scale() == 2.0


def test_not_enabled():
    w = mi.Tensor([1.0], requires_grad=True)
    optimizer, scaler = Descent(w), mi.GradScaler(enabled=False)
    scaler.scale(w.sum()).backward()
    assert scaler.step(optimizer) == "stepped"
    scaler.update()
    assert (scaler.get_scale(), scaler.state_dict(), w.tolist()) == (1.0, {}, [0.0])
