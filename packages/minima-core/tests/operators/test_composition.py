"""Gradients by the reference kernel, and results that are computed together."""

import numpy as np

import minima as mi
from minima.operators.composition import Namespace, parts, vjp


def test_vjp_stops_at_its_inputs():
    """Fault: a gradient that takes the way from one input to another as well."""
    x = mi.Tensor(3.0, requires_grad=True)
    y = x * x
    found = vjp(lambda a, b: a * b, [x, y], mi.Tensor(1.0))
    assert [g.item() for g in found] == [9.0, 3.0]
    assert x.grad is None


def test_vjp_of_what_needs_none():
    """Fault: an error where no input requires grad."""
    assert vjp(lambda a, b: a * b, [mi.ones(1), mi.ones(1)], mi.ones(1)) == (None, None)


def test_parts_are_computed_once_and_only_if_asked_for():
    """Fault: a kernel that runs for each of its results, or for none."""
    calls = []

    def compute():
        calls.append(1)
        return mi.arange(6.0)

    found = parts(compute, [(2,), (), (3, 1)])
    assert not calls
    assert [part().tolist() for part in found] == [[0.0, 1.0], 2.0, [[3.0], [4.0], [5.0]]]
    assert len(calls) == 1


def test_the_namespace_makes_tensors_where_they_are_needed():
    """Fault: a gradient on another device that brings tensors of the cpu into the sum."""
    other = mi.Device("elsewhere", xp=np)
    assert Namespace(other).arange(3).device is other
    assert Namespace(other).tanh is mi.tanh
