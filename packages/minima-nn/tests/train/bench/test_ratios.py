"""Ratios within one run, of the best of many interleaved calls: they hold on a busy machine too."""

from itertools import cycle
from time import perf_counter

from minima.train.bench import contenders
from minima.train.bench.workloads import WORKLOADS

ROUNDS = 200


def best_times(workload, *makers):
    """Return the shortest training step of each contender, in seconds; they take turns."""
    trials = [make(workload, True) for make in makers]
    data = [[t.batch(x, y) for x, y in workload.batches(4)] for t in trials]
    best = [float("inf")] * len(trials)
    turns = [cycle(batches) for batches in data]
    for _ in range(ROUNDS):
        for i, trial in enumerate(trials):
            batch = next(turns[i])
            start = perf_counter()
            trial.train(batch)
            best[i] = min(best[i], perf_counter() - start)
    return best


def test_a_plan_is_quicker_than_eager():
    """Catch a replay that does again, at each step, what the plan is there to do once."""
    eager, numpy = best_times(WORKLOADS["mlp-small"], contenders.eager, contenders.numpy)
    assert numpy <= 0.8 * eager
