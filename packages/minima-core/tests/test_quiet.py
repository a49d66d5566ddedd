"""NumPy's warnings: off inside of kernels, on again behind them."""

import numpy as np
import pytest

import minima as mi
from minima.quiet import quiet, quietly

divide = quiet(np.divide)


def test_quiet_function():
    """Catch a kernel that warns, or that leaves the warnings off."""
    assert divide(1.0, 0.0) == np.inf
    with quietly():
        assert divide(1.0, 0.0) == np.inf
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.divide(1.0, 0.0)
    assert divide.quietened is np.divide


def test_blocks_may_nest_and_end_in_errors():
    """Catch a block whose end turns the warnings on inside of the one around it, or never."""
    with quietly():
        with pytest.raises(KeyError), quietly():
            raise KeyError
        assert divide(1.0, 0.0) == np.divide(1.0, 0.0) == np.inf
    assert np.geterr()["divide"] == "warn"
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        np.divide(1.0, 0.0)


def test_backward_and_step_are_quiet():
    """Catch a gradient or an update that warns of the infinity that it makes."""
    x = mi.Tensor([0.0, 1.0], requires_grad=True)
    (1.0 / x).sum().backward()
    assert x.grad.tolist() == [-np.inf, -1.0]
    assert np.geterr()["divide"] == "warn"
