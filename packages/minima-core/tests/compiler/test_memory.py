"""Planned memory: nothing overlaps that lives at the same time, and what can be reused is."""

from __future__ import annotations

from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minima as mi
from minima.compiler import memory
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


def tree(x):
    values = [x * float(i) for i in range(1, 6)]
    while len(values) > 1:
        values = [a + b * 2.0 for a, b in pairwise(values)]
    return values[0]


def gradient(x):
    leaf = x.detach().requires_grad_()
    (mi.softmax(mi.tanh(leaf) @ leaf.T, axis=0) @ leaf).sum().backward()
    return leaf.grad


def uses(plan):
    """Return, for each buffer of the plan's own, the steps that read or write it, in order."""
    found = {}
    for i, step in enumerate(plan.steps):
        for value in (*step.reads(), *step.writes()):
            if value.root.kind == "temp":
                found.setdefault(value.root, []).append(i)
    for root in plan.kept():
        if root in found:
            found[root].append(len(plan.steps))
    return found


@pytest.mark.parametrize("function", [tree, gradient], ids=lambda f: f.__name__)
def test_buffers_that_live_together_do_not_overlap(function):
    """Catch a buffer that is written while another one at its place is still to be read."""
    plan = plan_of(function, mi.ones((33, 5)))
    found, compared = uses(plan), 0
    for (a, of_a), (b, of_b) in permutations(found.items(), 2):
        if of_a[0] < of_b[0] < of_a[-1]:
            assert not np.shares_memory(a.slot, b.slot), (a, b)
            compared += 1
    assert compared > 5
    assert plan.planned_bytes < sum(root.nbytes for root in found)


SPANS = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 9))


@settings(max_examples=200, deadline=None)
@given(st.lists(SPANS, max_size=12), st.sampled_from(memory._ORDERS))
def test_places_are_apart_and_waste_little(drawn, order):
    """Catch two buffers at one place at one time, and one buffer that lies beyond the end."""
    spans = {i: (min(a, b), max(a, b), 64 * n) for i, (a, b, n) in enumerate(drawn)}
    places, top = memory._arranged(spans, order)
    for i, j in combinations(spans, 2):
        together = spans[i][0] <= spans[j][1] and spans[j][0] <= spans[i][1]
        apart = places[i] + spans[i][2] <= places[j] or places[j] + spans[j][2] <= places[i]
        assert apart or not together
    assert all(places[i] + spans[i][2] <= top for i in spans)
    assert top <= sum(size for *_, size in spans.values())


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
