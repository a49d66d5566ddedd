"""Measured replays: the same steps, with a clock."""

from __future__ import annotations

import numpy as np
import pytest

import minima as mi
from minima.compiler.timing import Stopwatch, measured


def planned(function, *args):
    compiled = mi.compile(function)
    for _ in range(2):
        compiled(*args)
    return compiled, compiled.plans[0]


def test_every_launch_is_timed_and_nothing_else_changes():
    x = mi.Tensor([[1.0, 2.0]])
    compiled, plan = planned(lambda x: (x.T @ x, mi.sum(x)), x)
    before = plan.source
    with mi.profiler.profile() as p:
        product, total = compiled(x)
    assert plan.source == before
    assert total.item() == 3.0
    np.testing.assert_array_equal(product.numpy(), [[1, 2], [2, 4]])
    assert [e.name for e in p.events] == [s.name for s in plan.launches()]


def test_live_numbers_stay_live():
    w = mi.Tensor([1.0], requires_grad=True)
    group = {"lr": 0.5}

    class Step:
        __minima_live__ = True

        def __call__(self):
            from minima.autograd.mode import TAPE
            from minima.compiler.live import live_options

            options = live_options(group, TAPE.get()) if TAPE.get() else group
            with mi.no_grad():
                w.sub_(mi.ones(1), alpha=options["lr"])

    compiled, _ = planned(Step())
    group["lr"] = 0.25
    before = w.item()
    with mi.profiler.profile():
        compiled()
    assert w.item() == before - 0.25


def test_an_executor_without_a_writer_runs_unmeasured():
    _, plan = planned(lambda x: mi.exp(x), mi.ones(2))
    plan.writer = None

    def run(inputs):
        return inputs

    assert measured(plan, run) is run


def test_means_are_over_replays():
    _, plan = planned(lambda x: mi.exp(x), mi.ones(2))
    watch = Stopwatch(plan)
    assert watch.mean(0) is None
    watch.replays = 2
    watch.mark(0, 1.0, 4.0)
    assert watch.mean(0) == pytest.approx(1.5)
