"""Workloads: weights and data of the sizes that a title promises, equal on every call."""

import numpy as np
import pytest

from minima.train.bench.workloads import WORKLOADS, parameter_count

PARAMETERS = {
    "mlp-small": 2_410,
    "mlp-64": 235_146,
    "mlp-512": 235_146,
    "cnn": 94_986,
    "resnet20": 272_474,
    "transformer-small": 470_784,
    "transformer-large": 3_356_416,
    "lstm": 84_234,
    "gru": 63_498,
    "bag": 640_260,
}


def test_every_workload_is_counted():
    assert PARAMETERS.keys() == WORKLOADS.keys()


@pytest.mark.parametrize("name", WORKLOADS)
def test_weights(name):
    """Catch a layer that a model has lost, and weights that differ from run to run."""
    workload = WORKLOADS[name]
    first, second = workload.weights(), workload.weights()
    assert parameter_count(workload) == PARAMETERS[name]
    assert sum(w.size for w in first.values()) == PARAMETERS[name]
    assert {w.dtype for w in first.values()} == {np.dtype("float32")}
    assert all(np.array_equal(w, second[key]) for key, w in first.items())


@pytest.mark.parametrize("name", WORKLOADS)
def test_batches(name):
    """Catch one batch given again and again, on which a loss would fall to zero."""
    (x, y), (other, _) = WORKLOADS[name].batches(2)
    assert not np.array_equal(x, other)
    assert len(y) % len(x) == 0
    assert len(x) == WORKLOADS[name].batch
    assert len(WORKLOADS[name].batches(1, batch=1)[0][0]) == 1
