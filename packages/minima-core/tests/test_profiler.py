"""Profiles: every kernel once, where and when it ran, and no trace of the profiler afterwards."""

from __future__ import annotations

import json
from contextvars import copy_context
from threading import Thread

import numpy as np
import pytest

import minima as mi
from minima.devices import CPU
from minima.profiler import profile


def names(p, phase=None):
    return [e.name for e in p.events if phase in (None, e.phase)]


def training_step():
    w = mi.ones((3, 3), requires_grad=True)
    loss = mi.sum(mi.exp(w @ w))
    loss.backward()
    with mi.no_grad():
        w.mul_(0.5)
    return w


def test_phases_are_told_apart():
    """Catch backward's kernels counted as forward's."""
    with profile() as p:
        training_step()
    assert names(p, "forward")[-3:] == ["matmul", "exp", "sum"]
    assert names(p, "backward").count("matmul") == 2
    assert names(p, "in place") == ["multiply"]


def test_results_are_those_without():
    with profile():
        inside = training_step()
    np.testing.assert_array_equal(inside.numpy(), training_step().numpy())


def test_lines_are_the_callers():
    x = mi.ones(4)
    with profile() as p:
        mi.exp(x)
        mi.exp(x)
    first, second = (int(e.line.rpartition(":")[2]) for e in p.events)
    assert second == first + 1
    assert p.events[0].line.startswith(__file__)
    assert [row.calls for row in p.rows("line")] == [1, 1]


def test_bytes_are_those_of_inputs_and_output():
    x, y = mi.ones((4, 8)), mi.ones((4, 8))
    with profile() as p:
        x + y
        mi.concat([x, y])
        assert x.T.shape == (8, 4)
        x[0] = 1.0
    sizes = {e.name: e.bytes for e in p.events}
    assert sizes["add"] == 3 * 128
    assert sizes["concat"] == 4 * 128
    assert sizes["permute_dims"] == 0, "a view moves nothing"
    assert sizes["write"] == 8, "a number is read and written"


def test_nothing_is_left_behind():
    """Catch a profile that goes on, or slows down, what comes after it."""
    kernels = CPU.kernels
    for _ in range(2):
        with pytest.raises(mi.ShapeError), profile() as p:
            mi.ones(2) @ mi.ones(3)
    count = len(p.events)
    mi.exp(mi.ones(2))
    assert len(p.events) == count
    assert CPU.kernels is kernels
    assert "write" not in vars(CPU)


def test_nested():
    """Catch launches that only the inner profile has, or that the outer one has twice."""
    x = mi.ones(2)
    with profile() as outer:
        mi.exp(x)
        with profile() as inner:
            mi.sin(x)
        mi.cos(x)
    assert names(inner) == ["sin"]
    assert sorted(names(outer)) == ["cos", "exp", "sin"]
    assert outer.seconds > inner.seconds > 0


def test_other_threads_are_not_seen():
    x = mi.ones(2)
    with profile() as p:
        thread = Thread(target=mi.exp, args=(x,))
        thread.start()
        thread.join()
        alike = Thread(target=copy_context().run, args=(mi.sin, x))
        alike.start()
        alike.join()
    assert names(p) == ["sin"], "a thread in a copy of the context belongs to it"


def test_a_profile_may_be_entered_again():
    with profile() as p:
        mi.exp(mi.ones(2))
    first = p.seconds
    with p:
        mi.exp(mi.ones(2))
    assert names(p).count("exp") == 2
    assert p.seconds > first


def test_kernels_registered_meanwhile_stay():
    loud = mi.KernelSet("cpu", {"negative": lambda x: -x * 10})
    with profile() as p:
        handle = mi.use_kernels(loud)
        result = -mi.Tensor([1.0])
    assert (-mi.Tensor([1.0])).item() == result.item() == -10.0
    handle.remove()
    assert (-mi.Tensor([1.0])).item() == -1.0
    assert "negative" in names(p)


def test_compiled_functions_are_seen_kernel_by_kernel():
    @mi.compile(executor="numpy")
    def f(x):
        return mi.exp(mi.sin(x) * 2.0)

    x = mi.ones((8, 8))
    expected = mi.exp(mi.sin(x) * 2.0).numpy()
    with profile() as p:
        results = [f(x).numpy() for _ in range(5)]
    for result in results:
        np.testing.assert_array_equal(result, expected)
    assert names(p).count("exp") == 5
    (plan,) = f.plans
    assert plan.stopwatch.replays == 3, "two calls make the plan"
    assert plan.stopwatch.seconds[-1] > 0
    np.testing.assert_array_equal(f(x).numpy(), expected)
    assert plan.stopwatch.replays == 3


def test_table():
    with profile() as p:
        training_step()
    lines = p.table().splitlines()
    assert lines[0].split() == ["operator", "phase", "calls", "ms", "share", "MB", "GB/s"]
    assert lines[-2].startswith("all kernels")
    assert lines[-1].startswith("between kernels")
    assert len(lines) == len(p.rows()) + 3
    assert "test_profiler.py:" in p.table("line", "bytes")


@pytest.mark.parametrize("sort", ["time", "bytes", "calls"])
def test_rows_are_sorted(sort):
    with profile() as p:
        training_step()
    values = [getattr(row, "seconds" if sort == "time" else sort) for row in p.rows(sort=sort)]
    assert values == sorted(values, reverse=True)
    assert sum(row.calls for row in p.rows(sort=sort)) == len(p.events)


@pytest.mark.parametrize("options", [{"by": "colour"}, {"sort": "name"}])
def test_unknown_columns(options):
    with pytest.raises(mi.ArgumentError, match="expected"):
        profile().rows(**options)


def test_trace(tmp_path):
    file = tmp_path / "trace.json"
    with profile() as p:
        training_step()
    p.save_trace(file)
    events = json.loads(file.read_text())["traceEvents"]
    assert [e["name"] for e in events] == names(p)
    assert events[0]["ts"] == 0
    assert all(e["ph"] == "X" and e["dur"] > 0 for e in events)
    assert {e["cat"] for e in events} == {"forward", "backward", "in place"}


def test_an_empty_profile(tmp_path):
    with profile() as p:
        pass
    p.save_trace(tmp_path / "trace.json")
    assert len(p.table().splitlines()) == 3


def test_a_profile_that_ends_below_another_watcher_leaves_nothing():
    """Fault: a profile that stays in front of the kernels, below a mode that outlives it."""
    device = mi.device("cpu")
    before = device.kernels
    measured = mi.profiler.profile()
    measured.__enter__()
    mode = mi.autograd.set_detect_anomaly(True)
    measured.__exit__(None, None, None)
    mode.__exit__(None, None, None)
    assert device.kernels is before
    assert "write" not in vars(device)
