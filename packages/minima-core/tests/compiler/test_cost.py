"""Costs: counted as on paper."""

from __future__ import annotations

import numpy as np
import pytest

import minima as mi
from minima.compiler import cost
from minima.compiler.plan import Plan, Step


def step(name, *shapes, y):
    plan = Plan(mi.device("cpu"))
    values = [plan.new_value(np.ones(s, np.float32)) for s in shapes]
    return Step(name, tuple(values), {}, plan.new_value(np.ones(y, np.float32)))


@pytest.mark.parametrize(
    ("name", "shapes", "y", "expected"),
    [
        ("matmul", [(2, 3), (3, 4)], (2, 4), 48),
        ("matmul", [(5, 2, 3), (5, 3, 4)], (5, 2, 4), 240),
        ("matmul", [(3,), (3,)], (), 6),
        ("linear", [(7, 2, 3), (3, 4), (4,)], (7, 2, 4), 336),
        ("conv2d", [(1, 2, 5, 5), (4, 2, 3, 3)], (1, 4, 3, 3), 1296),
        ("conv2d_input_gradient", [(1, 4, 3, 3), (4, 2, 3, 3)], (1, 2, 5, 5), 1296),
        ("conv2d_weight_gradient", [(1, 2, 5, 5), (1, 4, 3, 3)], (4, 2, 3, 3), 1296),
        ("scaled_dot_product_attention", [(1, 2, 4, 8)] * 3, (1, 2, 4, 8), 1024),
        ("lstm", [(5, 3, 8), (3, 2), (3, 2), (2, 8)], (5, 3, 2), 480),
        ("add", [(9,), (9,)], (9,), 0),
    ],
)
def test_flops(name, shapes, y, expected):
    assert cost.flops(step(name, *shapes, y=y)) == expected


def test_bytes_of_a_buffer_read_twice_count_once():
    plan = Plan(mi.device("cpu"))
    x, y = plan.new_value(np.ones(4)), plan.new_value(np.ones(4))
    assert cost.moved(Step("multiply", (x, x), {}, y)) == 64


def test_prediction_is_of_what_takes_longer(monkeypatch):
    monkeypatch.setattr(cost, "speeds", lambda: cost.Speeds(1e9, 1e9))
    small, large = (
        step("add", (10,), (10,), y=(10,)),
        step("matmul", (99, 99), (99, 99), y=(99, 99)),
    )
    assert cost.predicted(small) == pytest.approx(120e-9)
    assert cost.predicted(large) == pytest.approx(2 * 99**3 * 1e-9)


def test_operators_that_multiply_matrices_are_known():
    """Catch an operator that was renamed, whose flops would silently be none."""
    assert cost._FLOPS.keys() <= mi.operators.TABLE.keys()
