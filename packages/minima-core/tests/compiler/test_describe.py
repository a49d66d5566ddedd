"""Descriptions: all kernels, all bytes, times where there are some."""

from __future__ import annotations

import re

import pytest

import minima as mi


def planned(calls=2, executor=None):
    w = mi.ones((16, 4), requires_grad=True)

    @mi.compile(executor=executor)
    def step(x):
        w.grad = None
        loss = mi.sum(mi.tanh(x @ w))
        loss.backward()
        return loss

    for _ in range(calls):
        step(mi.ones((8, 16)))
    return step, step.plans[0]


def test_summary():
    _, plan = planned()
    text = plan.describe()
    count = len(plan.launches())
    assert text.startswith(f"plan on cpu: {count} kernels; {plan.planned_bytes:,} bytes of its own")
    assert re.search(r"predicted at [\d.]+ GB/s and \d+ GFLOP/s", text)


def test_every_kernel_has_a_row():
    _, plan = planned()
    rows = plan.describe().split("\n\n")[1].splitlines()[1:-1]
    assert [row.split()[1] for row in rows] == [s.name for s in plan.launches()]
    phases = {"forward", "backward"}
    assert {word for row in rows for word in row.split() if word in phases} == phases
    assert all("test_describe.py:" in row for row in rows)


def test_times_are_there_after_a_profiled_replay():
    step, plan = planned(3)
    assert plan.describe().split("\n\n")[1].splitlines()[-1].split()[-1] == "-"
    with mi.profiler.profile():
        step(mi.ones((8, 16)))
    assert float(plan.describe().split("\n\n")[1].splitlines()[-1].split()[-1]) > 0


def test_buffers():
    _, plan = planned()
    text = plan.describe()
    assert "1 arguments of 512 bytes" in text
    last = text.split("\n\n")[3].splitlines()
    assert last[0].split() == ["buffer", "kind", "bytes", "at", "kernels"]
    for row in last[1:]:
        first, end = map(int, row.split()[-1].split("-"))
        assert 0 <= first <= end < len(plan.launches())


def test_a_long_line_is_cut():
    from minima.compiler.describe import WIDTH, label
    from minima.compiler.plan import Step

    plan = planned()[1]
    step = Step("+".join(["add"] * 40), (), {}, plan.inputs[0])
    assert len(label(step)) == WIDTH


@pytest.mark.parametrize("executor", ["numpy"])
def test_each_executor(executor):
    assert "measured us" in planned(executor=executor)[1].describe()
