"""Every layer of the table goes through every check; and the checks catch what they are for."""

from dataclasses import replace

import numpy as np
import pytest

import minima as mi
from minima import nn
from minima.nn.testing import (
    CHECKS,
    LAYERS,
    LayerCase,
    check_compiled,
    check_device,
    check_dtype,
    check_forward,
    check_gradient,
    check_no_cycles,
    check_repr,
    check_state,
)


@pytest.mark.parametrize("case", LAYERS, ids=str)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_layer(case, check):
    """Fault: whatever the check is for."""
    check(case)


def test_every_layer_has_a_row():
    """Fault: a new layer that no check walks over."""
    kinds = {getattr(nn, name) for name in nn.__all__}
    layers = {k for k in kinds if isinstance(k, type) and issubclass(k, nn.Module)} - {nn.Module}
    assert {type(case.make()) for case in LAYERS} == layers


def test_no_row_is_left_out_that_compiles():
    """Fault: a layer that could be compiled by now, with a row that says it cannot."""
    for case in LAYERS:
        if case.eager:
            with pytest.raises(mi.CompileWarning, match=r"reads a value|a tensor as an index"):
                check_compiled(replace(case, eager=""))


class Wrong(nn.Module):
    """A layer with one fault, to see each check fail."""

    def __init__(self, fault):
        super().__init__()
        self.fault, self.weight = fault, nn.Parameter(np.ones(1, "float32"))

    def extra_repr(self):
        return f"{object()}" if self.fault == "repr" else ""

    def forward(self, x):
        if self.fault == "dtype":
            return (x * self.weight).astype("float64")
        if self.fault == "gradient":
            return x.detach() * self.weight + 0.0 * x
        if self.fault == "device":
            return (x * self.weight).to("cpu")
        if self.fault == "cycle":
            loop = []
            loop.append(loop)
        if self.fault == "compiled":
            return x * self.weight * float(x.sum())
        if self.fault == "state":
            self.calls = getattr(self, "calls", 0) + 1
            return x * self.weight * self.calls
        return x * self.weight / (0.0 if self.fault == "finite" else 1.0)


@pytest.mark.parametrize(
    ("fault", "check", "error"),
    [
        ("dtype", check_dtype, "float32 became"),
        ("gradient", check_gradient, "gradcheck of"),
        ("device", check_device, "on another a result is on"),
        ("cycle", check_no_cycles, "1 objects"),
        ("compiled", check_compiled, "runs eagerly"),
        ("state", check_state, "differs"),
        ("repr", check_repr, "address"),
        ("finite", check_forward, "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_a_check_catches_its_fault(fault, check, error):
    """Fault: a check that passes whatever it is given."""
    with pytest.raises((AssertionError, mi.CompileWarning), match=error):
        check(LayerCase(lambda: Wrong(fault), (2, 3), (2, 3)))


def test_a_wrong_shape_is_caught():
    """Fault: a check of shapes that compares nothing."""
    with pytest.raises(AssertionError, match=r"Identity: gave \(2, 3\); expected \(2, 4\)"):
        check_forward(LayerCase(nn.Identity, (2, 3), (2, 4)))


def test_inputs_keep_away_from_kinks():
    """Fault: a finite difference across 0 or a tie."""
    (x,) = LayerCase(nn.ReLU, (4, 5), (4, 5)).inputs("float64")
    values = np.sort(x.numpy().ravel())
    assert abs(values).min() > 1e-3
    assert np.diff(values).min() > 1e-3
    assert x.dtype == mi.float64
