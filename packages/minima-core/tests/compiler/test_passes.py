"""Each rewrite of a plan: what it takes away, and what it must leave."""

from __future__ import annotations

import pytest

import minima as mi


def names(function, *args):
    compiled = mi.compile(function)
    for _ in range(3):
        compiled(*args)
    (plan,) = compiled.plans
    return [s.name for s in plan.launches()]


def unused(x):
    _ = mi.exp(x) * 3.0
    return x + 1.0


def double(x):
    return mi.exp(x) + mi.exp(x)


def not_double(x):
    y = mi.zeros(x.shape)
    a = y + x
    y.add_(1.0)
    return a * (y + x)


def fixed(x):
    return x * mi.sqrt(mi.full((1,), 4.0) + 1.0)


def overwritten(x):
    y = mi.zeros(x.shape)
    y.copy_(x * 2.0)
    return y


ROWS = [
    (unused, ["add"]),
    (double, ["exp", "add"]),
    (not_double, ["constant", "add", "add", "add", "multiply"]),
    (fixed, ["multiply"]),
    (overwritten, ["constant", "multiply"]),
    (lambda x: x.T.reshape(-1)[1:], ["reshape"]),
    (lambda x: x.T[1:].T, []),
]


@pytest.mark.parametrize(("function", "expected"), ROWS, ids=lambda v: getattr(v, "__name__", ""))
def test_the_launches_that_remain(function, expected):
    assert names(function, mi.ones((2, 3))) == expected


@pytest.mark.parametrize("function", [row[0] for row in ROWS])
def test_the_result_stays(function):
    compiled = mi.compile(function)
    for i in range(4):
        x = mi.ones((2, 3)) * float(i)
        assert compiled(x).tolist() == function(x).tolist()
