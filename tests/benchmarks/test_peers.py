"""Peers: those that are installed train what minima trains."""

import numpy as np
import pytest

from benchmarks.peers import installed
from minima.train.bench.contenders import eager
from minima.train.bench.measure import CONTENDERS, Settings, Worker
from minima.train.bench.workloads import WORKLOADS

SMALL = WORKLOADS["mlp-small"]


@pytest.fixture(scope="module")
def losses():
    trial = eager(SMALL, True)
    return [float(trial.value(trial.train(trial.batch(*b)))) for b in SMALL.batches(3)]


@pytest.mark.slow
@pytest.mark.parametrize("contender", installed(), ids=lambda c: c.name)
def test_peer_trains_the_same(contender, losses, monkeypatch):
    """Catch a peer with other weights, data, loss or optimiser."""
    monkeypatch.setenv("PYTHONPATH", str(__import__("benchmarks").__path__[0]) + "/..")
    arguments = ["-m", "minima.train.bench.worker", contender.target, SMALL.name]
    worker = Worker(arguments, Settings(), contender)
    try:
        assert "seconds" in worker.ask("open")
        answer = worker.ask("prepare", "train")
        assert "error" not in answer, answer
        np.testing.assert_allclose(answer["values"], losses, rtol=1e-4)
    finally:
        worker.close()


def test_peers_are_marked():
    """Catch minima being measured against itself."""
    assert all(contender.peer for contender in installed())
    assert not any(contender.peer for contender in CONTENDERS)
