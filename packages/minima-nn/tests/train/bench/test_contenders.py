"""minima as a contender: eager and compiled agree, and none runs otherwise than named."""

import numpy as np
import pytest

import minima as mi
from minima.train.bench import contenders
from minima.train.bench.workloads import WORKLOADS

SMALL = WORKLOADS["mlp-small"]


@pytest.mark.parametrize("training", [True, False])
def test_executors_agree_with_eager(training):
    trials = [contenders.eager(SMALL, training), contenders.numpy(SMALL, training)]
    for x, y in SMALL.batches(4):
        calls = [(t.train if training else t.infer)(t.batch(x, y)) for t in trials]
        np.testing.assert_array_equal(*(t.value(c) for t, c in zip(trials, calls)))


def test_steps_are_replayed():
    """Catch a "compiled" contender that captures again, or runs eagerly, at each step."""
    trial = contenders.numpy(SMALL, True)
    for x, y in SMALL.batches(5):
        trial.train(trial.batch(x, y))
    assert len(trial.step.plans) == 1


def test_an_executor_that_is_not_there_is_named():
    with pytest.raises(mi.PluginError, match="executor 'no such'"):
        contenders.Minima(SMALL, True, "no such")
