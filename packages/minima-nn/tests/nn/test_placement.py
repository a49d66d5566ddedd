"""The arguments of Module.to."""

import numpy as np
import pytest

import minima as mi
from minima.nn.placement import moved, placement

CPU = mi.device("cpu")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ((), (None, None)),
        (("cpu",), (CPU, None)),
        ((CPU, "float16"), (CPU, np.dtype("float16"))),
        ((np.float64,), (None, np.dtype("float64"))),
        ((mi.float32, "cpu"), (CPU, np.dtype("float32"))),
    ],
)
def test_it_sorts_devices_from_dtypes(where, expected):
    """Fault: a dtype taken for a device, or an order that matters."""
    assert placement("Net", where) == expected


def test_integers_move_but_keep_their_type():
    """Fault: a count of batches that becomes a float."""
    assert moved(mi.Tensor([1]), CPU, mi.float64).dtype == mi.int64
    assert moved(mi.Tensor([1.0]), None, mi.float64).dtype == mi.float64
