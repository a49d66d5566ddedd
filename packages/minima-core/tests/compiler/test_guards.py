"""Guards: every plain value that a function can see, and nothing that may change freely."""

from __future__ import annotations

import math

import pytest

import minima as mi
from minima.compiler.guards import Guards

SCALE = 2.0


class Layer:
    def __init__(self):
        self.training, self.sizes, self.options = True, [1, 2], {"p": 0.5}
        self.weight = mi.ones(2)

    def forward(self, x):
        return x * self.weight


class Watched:
    __minima_live__ = True

    def __init__(self):
        self.steps = 0


def uses_global(x):
    return x * SCALE


def change_global():
    global SCALE
    SCALE += 1.0


LAYER = Layer()
CHANGES = {
    "an attribute": lambda layer: setattr(layer, "training", False),
    "a list's item": lambda layer: layer.sizes.__setitem__(0, 5),
    "a list's length": lambda layer: layer.sizes.append(3),
    "a dict's item": lambda layer: layer.options.__setitem__("p", 0.1),
    "a dict's length": lambda layer: layer.options.__setitem__("q", 0.1),
    "another tensor": lambda layer: setattr(layer, "weight", mi.ones(2)),
    "an attribute gone": lambda layer: delattr(layer, "training"),
    "another attribute": lambda layer: setattr(layer, "more", 1),
    "an object in a closure's place": lambda layer: setattr(layer, "sizes", None),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("kind", ["closure", "method", "argument"])
def test_a_change_is_noticed(what, kind):
    layer = Layer()
    if kind == "closure":
        guards = Guards(lambda x: layer.forward(x))
    else:
        guards = Guards(layer.forward if kind == "method" else (layer,))
    assert guards.hold()
    CHANGES[what](layer)
    assert not guards.hold()


def test_a_global_is_noticed():
    guards = Guards(uses_global)
    assert guards.hold()
    change_global()
    assert not guards.hold()


def test_values_in_a_tensor_may_change():
    layer = Layer()
    guards = Guards(layer)
    layer.weight.fill_(3.0)
    assert guards.hold()


def test_what_watches_over_itself_is_left_alone():
    watched = Watched()
    guards = Guards(watched)
    watched.steps += 1
    assert guards.hold()


def test_nan_is_equal_to_itself():
    assert Guards({"x": math.nan}).hold()


def test_cycles_end():
    layer = Layer()
    layer.parent = layer
    assert Guards(layer).hold()


def test_a_function_of_minimas_own_is_looked_into_when_it_is_compiled():
    """Catch a training step of minima.train whose plan would never fit again."""
    layer = Layer()

    def step(x):
        return layer.forward(x)

    step.__module__ = "minima.train.somewhere"
    guards = Guards(step)
    assert any(leaf is layer.weight for leaf in guards.leaves)
    layer.training = False
    assert not guards.hold()


def test_a_compiled_function_is_looked_through():
    """Catch plans that depend on how many plans there are, as where step calls optimizer.step."""
    layer = Layer()
    compiled = mi.compile(lambda x: layer.forward(x))
    guards = Guards(lambda x: compiled(x))
    for _ in range(3):
        compiled(mi.ones(2))
    assert guards.hold()
    layer.training = False
    assert not guards.hold()
