"""Planned memory: nothing overlaps that lives at the same time, and what can be reused is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import minima as mi
from minima.compiler.memory import ALIGNMENT


def plan_of(function, *args):
    compiled = mi.compile(function)
    for _ in range(2):
        compiled(*args)
    (plan,) = compiled.plans
    return plan


def test_a_chain_needs_one_buffer_for_its_result_and_reuses_it_in_place():
    def chain(x):
        for _ in range(10):
            x = x * 1.5 + 0.5
        return x

    plan = plan_of(chain, mi.ones(1000))
    assert plan.planned_bytes == -(-4000 // ALIGNMENT) * ALIGNMENT


def test_buffers_that_live_together_do_not_overlap():
    def tree(x):
        values = [x * float(i) for i in range(1, 6)]
        while len(values) > 1:
            values = [a + b * 2.0 for a, b in pairwise(values)]
        return values[0]

    plan = plan_of(tree, mi.ones(33))
    busy: dict[int, tuple[int, int]] = {}
    for i, step in enumerate(plan.steps):
        for later in plan.steps[i + 1 :]:
            for value in later.reads():
                if value.root.slot is None or value.root.kind != "temp":
                    continue
                made = [k for k, s in enumerate(plan.steps) if s.output is value]
                if made and made[0] < i and value.root is not step.output.root:
                    reads_now = value in step.inputs
                    assert reads_now or not np.shares_memory(value.root.slot, step.output.slot)
    assert busy == {}


def test_buffers_begin_at_cache_lines():
    plan = plan_of(lambda x: (x + 1.0).sum(0) * 2.0 + (x * x).sum(0), mi.ones((7, 5)))
    slots = {id(s.output.root): s.output.root.slot for s in plan.steps}
    assert all(slot.ctypes.data % ALIGNMENT == 0 for slot in slots.values())


def test_the_layout_that_a_kernel_chose_is_kept():
    def function(x):
        return (x.T + 1.0) @ x  # NumPy adds in the order of the transpose

    compiled = mi.compile(function)
    x = mi.asarray(np.random.default_rng(0).standard_normal((5, 4)))
    for _ in range(4):
        np.testing.assert_array_equal(compiled(x).numpy(), function(x).numpy())
