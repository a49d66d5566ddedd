"""Workers: they answer every command on a line of its own, mistakes included."""

from dataclasses import dataclass, replace
from mmap import mmap

import numpy as np

from minima.train.bench.measure import Contender, Settings, Worker
from minima.train.bench.worker import Session, peak_memory, resident_memory, timed
from minima.train.bench.workloads import WORKLOADS

SMALL = WORKLOADS["mlp-small"]
EAGER = Contender("minima eager", "minima.train.bench.contenders:eager")


@dataclass
class Steady:
    """A contender whose steps do nothing but count."""

    workload: object
    training: bool
    steps: int = 0

    def batch(self, x, y):
        return x, y

    def train(self, batch):
        self.steps += 1
        return np.float32(self.steps)

    def infer(self, batch):
        return batch[0]

    def value(self, result):
        return result


def session():
    made = Session("", SMALL)
    made.contender = Steady
    return made


def test_prepare_gives_the_first_losses():
    assert session().prepare("train")["values"] == [1.0, 2.0, 3.0]


def test_steps_take_fresh_batches():
    """Catch a burst on one batch alone."""
    made = session()
    values = made.prepare("single")["values"]
    assert len(values) == 30
    assert values[:10] != values[10:20]


def test_burst_times_each_call():
    made = session()
    made.prepare("train")
    found = made.burst("train", 0.0)
    assert found["calls"] == 3
    assert 0 < found["best"] <= found["median"]


def test_long_calls_are_few():
    """Catch a contender so slow that the others wait for it all day."""
    assert len(timed(lambda: sum(range(8_000_000)), 0.001)) < 3


def test_memory_grows_from_before_the_model():
    made = session()
    made.prepare("train")
    if resident_memory():
        assert peak_memory() >= resident_memory() > 0
        made.before = resident_memory()  # what earlier tests give back meanwhile does not count
        held = mmap(-1, 100_000_000)  # not from malloc, which may have that much lying about
        np.frombuffer(held, np.uint8)[:] = 1
        assert made.memory()["bytes"] >= len(held) // 2
    else:
        assert made.memory() == {"bytes": None}


def test_process_answers_and_says_what_went_wrong():
    """Catch an error, or a print, that would leave the other side waiting."""
    worker = Worker(
        ["-m", "minima.train.bench.worker", EAGER.target, SMALL.name], Settings(), EAGER
    )
    try:
        assert worker.ask("open")["seconds"] > 0
        assert len(worker.ask("prepare", "train")["values"]) == 3
        assert worker.ask("burst", "train", 0.01)["calls"] >= 3
        assert "KeyError" in worker.ask("burst", "infer", 0.01)["error"]
    finally:
        worker.close()
    assert worker.ask("open")["error"].startswith("the process ended with code")


def test_an_answer_that_does_not_come_ends_the_process():
    worker = Worker(["-c", "input(); input()"], Settings(), replace(EAGER, patience=0.2))
    assert worker.ask("open") == {"error": "no answer within 0 s"}
    assert worker.process.returncode is not None


def test_a_process_that_cannot_start_is_reported():
    """Catch a row that does not say why."""
    worker = Worker(["-c", "raise SystemExit('no such library')"], Settings(), EAGER)
    assert worker.ask("open") == {"error": "the process ended with code 1: no such library"}
