"""Measured replays: each native program with a clock of its own."""

import numpy as np

import minima as mi


def test_every_launch_is_timed():
    """Catch programs that run together, whose times would be the last one's."""

    @mi.compile(executor="numba")
    def f(x, w):
        return mi.tanh(mi.exp(x) @ w + 1.0) * 2.0

    x, w = mi.ones((8, 4)), mi.ones((4, 4))
    expected = [f(x, w).numpy() for _ in range(3)][-1]
    with mi.profiler.profile() as p:
        np.testing.assert_array_equal(f(x, w).numpy(), expected)
    (plan,) = f.plans
    assert [e.name for e in p.events] == [s.name for s in plan.launches()]
    assert all(e.seconds > 0 for e in p.events)
    assert {e.phase for e in p.events} == {"forward"}
    assert "fused from" in plan.describe()
    assert "fused: " in plan.picture()
    np.testing.assert_array_equal(f(x, w).numpy(), expected)
