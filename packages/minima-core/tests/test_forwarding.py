"""The methods of Tensor that are functions as they stand: each is called, beside its function."""

import numpy as np
import pytest

import minima as mi
from minima.changing import Changing
from minima.forwarding import Forwarding
from minima.testing.launch import arguments, call
from minima.testing.samples import COMPOSED, SAMPLES

METHODS = [n for n in vars(Forwarding) if not n.startswith("_")]
OTHERS = {"sub": "subtract", "mul": "multiply", "div": "divide", "neg": "negative"}
#: functions that no row has under their name -> what they are called with beside the tensor
ARGUMENTS = {
    "bincount": (),
    "dot": ([1.0, 2.0, 3.0],),
    "pow": (2,),
    "index_add": ([0, 2], 1.0),
    "index_update": ([0, 2], 1.0),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_its_function(name):
    """Catches a method of one name that calls another, or drops an argument."""
    function = OTHERS.get(name, name)
    if function in ARGUMENTS:
        x = mi.Tensor([1, 2, 0]) if name == "bincount" else mi.Tensor([1.0, 2.0, 0.5])
        found = getattr(x, name)(*ARGUMENTS[function])
        expected = getattr(mi, function)(x, *ARGUMENTS[function])
    else:
        rows = [s for s in (*SAMPLES, *COMPOSED) if s.operator == function]
        sample = max(rows, key=lambda s: len(s.attrs))
        first, *rest = arguments(sample, mi.device("cpu"))
        with np.errstate(all="ignore"):
            found = getattr(first, name)(*rest, **sample.attrs)
            expected = call(sample, [first, *rest])
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    assert found.dtype == expected.dtype


def test_what_changes_in_place_has_a_method_that_does_not():
    """Catches ``x.sin_()`` beside a missing ``x.sin()``."""
    only = {"fill_", "zero_", "copy_", "index_put_", "scatter_", "index_copy_", "index_fill_"}
    names = {n for n in vars(Changing) if n.endswith("_") and not n.startswith("_")} - only
    assert not {n for n in names if not hasattr(mi.Tensor, n[:-1])}


def test_methods_differentiate():
    x = mi.Tensor([0.5, 2.0], requires_grad=True)
    x.log1p().mul(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.log1p([0.5, 2]) + np.array([0.5, 2]) / [1.5, 3])
